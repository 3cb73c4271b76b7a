/* model_file.h - model.h5, checkpoints, and teachers from any file with outputs/. Schema:
 * docs/format.md. */
#ifndef GS_STORE_MODEL_FILE_H
#define GS_STORE_MODEL_FILE_H

#include "distill/train.h"

/* Provenance that the program knows: map of strings and numbers, written as attributes of /. */
gs_status gs_model_write(const gs_run *run, const gs_dataset *data, const gs_value *provenance,
                         const char *path);

/* What a model file holds, without its big arrays. */
typedef struct gs_model_file {
    gs_value *recipe, *provenance, *metrics;
    gs_value *protocol; /* as in gs_run, or NULL */
    uint64_t seed;
    int64_t n, f, c;
    bool multi_label;   /* a class's probability is sigmoid of its logit, not softmax of all */
    uint8_t *role;      /* [n] or NULL */
    int64_t *id;        /* [n] or NULL … */
    char **id_text;     /* … string ids, or NULL */
    char **class_names; /* [c] or NULL */
    int32_t *teacher_prediction; /* [n] the class that the teacher gave, or NULL */
    gs_value *strata;            /* as in distill/strata.h, or NULL */
    char graph_hash[17];
    gs_state *state; /* parameters and buffers, turned to [in,out] */
} gs_model_file;
gs_status gs_model_read(const char *path, gs_model_file **out);
void gs_model_file_free(gs_model_file *m);

/* Makes what the file holds of each node that of the nodes of `data`, by their ids: its split (of
   unknown nodes GS_UNUSED; none at all if it knows none), its position (0 for unknown nodes),
   parameters of its own (their mean for unknown nodes) and what is corrected (no rows if a node is
   unknown). What its teacher said is forgotten. Row i of the file is then node i of `data`. */
gs_status gs_model_align(gs_model_file *m, const gs_dataset *data);

/* Makes the labels of `data` those of the model's classes, by their names; labels of classes that
   it does not know are taken away. GS_BAD_INPUT where the classes differ and have no names. */
gs_status gs_model_align_classes(const gs_model_file *m, gs_dataset *data);

/* The array "outputs/<which>/<name>" of a model file as a matrix in memory; which:
 * "full"/"observed". */
gs_status gs_model_read_output(const char *path, const char *which, const char *name,
                               gs_matrix *out);

/* A teacher for the students of `data`: an .h5 with outputs/, rows aligned by nodes/id (or
   refused); or .npy/.npz/.csv with rows in node order (a .csv whose first column is headed "id" is
   aligned), whose kind must be given. Where the file has both outputs, nodes that its split hides
   come from outputs/full and all others from outputs/observed: what the teacher said while it could
   not see the hidden ones. `kind` ("logits", "log_probs", "probs", "embedding") may be NULL for
   .h5. The arrays are verified when they are first read. GS_BAD_INPUT, GS_BAD_USAGE. */
gs_status gs_teacher_open(const char *path, const char *kind, const gs_dataset *data,
                          gs_teacher **out);

/* An attribute of / of a model file, for the caller to free; *out NULL if it has none. */
gs_status gs_model_attribute(const char *path, const char *name, char **out);

/* What a run is made from. */
typedef struct gs_run_key {
    const gs_value *recipe; /* notes do not count */
    uint64_t seed;
    const char *graph_hash, *teacher_hash; /* NULL: none */
} gs_run_key;
/* A checkpoint: the whole state, and what it was made from. gs_checkpoint_read checks that this is
   the same, GS_BAD_USAGE otherwise; *out NULL if the file does not exist. */
gs_status gs_checkpoint_write(const gs_state *state, const gs_run_key *key, const char *path);
gs_status gs_checkpoint_read(const char *path, const gs_run_key *key, gs_state **out);

#endif
