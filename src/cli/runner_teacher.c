/* runner_teacher.c - the teachers of a run's seeds. */
#include "cli/runner_teacher.h"

#include <string.h>

#include "base/alloc.h"
#include "store/files.h"
#include "store/model_file.h"
#include "store/run_folder.h"

/* The file of a seed's teacher: that of the run folder, or the one file; the caller frees it. */
static gs_status teacher_path(const char *teacher, uint64_t seed, char **out) {
    gs_status status = GS_OK;
    bool folder = gs_folder_exists(teacher);
    *out = folder ? gs_run_folder_seed(teacher, seed) : gs_strdup(teacher);
    if (!*out)
        return GS_NO_MEMORY;
    if (folder && !gs_file_exists(*out))
        GS_FAIL(GS_BAD_INPUT,
                "The teacher %s has no seed %llu; choose its seeds with --seeds, or name one of "
                "its files.",
                teacher, (unsigned long long)seed);
    if (!folder && !gs_file_exists(*out))
        GS_FAIL(GS_BAD_IO, "There is no teacher %s.", teacher);
done:
    if (status != GS_OK) {
        gs_free(*out);
        *out = NULL;
    }
    return status;
}

gs_status runner_teachers_there(const runner *r) {
    gs_status status = GS_OK;
    char *path = NULL;
    int64_t others = r->others ? r->others->count : 0;
    for (int64_t k = 0; r->teacher && k < r->seed_count; k++)
        for (int64_t q = -1; q < others; q++) {
            const char *teacher = q < 0 ? r->teacher : r->others->items[q]->string;
            GS_TRY(teacher_path(teacher, r->seeds[k], &path));
            gs_free(path);
            path = NULL;
        }
done:
    gs_free(path);
    return status;
}

/* One teacher of one seed: the same seed of a run folder, or the one file. */
static gs_status open_one(const runner *r, const char *teacher, uint64_t seed, gs_teacher **out) {
    char *path = NULL;
    *out = NULL;
    gs_status status = teacher_path(teacher, seed, &path);
    if (status == GS_OK)
        status = gs_teacher_open(path, r->teacher_kind, r->data, out);
    gs_free(path);
    return status;
}

/* Teachers that are asked together have one split, or the first one's is allowed by name. */
static gs_status check_other(const runner *r, const gs_teacher *first, const gs_teacher *other) {
    bool both = first->role && other->role;
    if (!both || r->allow_other_split || memcmp(first->role, other->role, (size_t)r->data->n) == 0)
        return GS_OK;
    return gs_fail(GS_BAD_USAGE,
                   "The teachers %s and %s were trained on different splits; train them on the "
                   "same, or allow it with --allow-other-split.",
                   first->label, other->label);
}

gs_status runner_teacher_open(const runner *r, uint64_t seed, gs_teacher **out) {
    gs_status status = GS_OK;
    *out = NULL;
    if (!r->teacher)
        return GS_OK;
    GS_TRY(open_one(r, r->teacher, seed, out));
    if (!r->others || r->others->count == 0)
        goto done;
    GS_NEW((*out)->others, r->others->count);
    for (int64_t k = 0; k < r->others->count; k++) {
        gs_teacher *other = NULL;
        GS_TRY(open_one(r, r->others->items[k]->string, seed, &other));
        (*out)->others[(*out)->other_count++] = other;
        GS_TRY(check_other(r, *out, other));
    }
done:
    return status;
}

/* Reads every row of the teacher's logits once: what is wrong with one shows now. */
static gs_status check_logits(const gs_teacher *teacher, bool several_labels) {
    enum { BLOCK = 4096 };
    gs_status status = GS_OK;
    gs_matrix rows = {0};
    int64_t ids[BLOCK];
    const gs_teacher_array *logits = gs_teacher_array_find(teacher, "logits");
    if (!logits)
        return GS_OK;
    GS_TRY(gs_matrix_init(&rows, BLOCK, logits->rows.width));
    for (int64_t from = 0; from < logits->rows.n; from += BLOCK) {
        int64_t count = logits->rows.n - from < BLOCK ? logits->rows.n - from : BLOCK;
        for (int64_t k = 0; k < count; k++)
            ids[k] = from + k;
        GS_TRY(gs_rows_read(&logits->rows, ids, count, &rows));
        GS_TRY(gs_teacher_check_rows(logits, several_labels, &rows, ids, count));
    }
done:
    gs_matrix_free(&rows);
    return gs_context(status, "%s", teacher->label);
}

gs_status runner_teacher_check(const runner *r, const gs_teacher *teacher) {
    gs_status status = GS_OK;
    bool several = r->data->labels != NULL;
    if (teacher)
        GS_TRY(check_logits(teacher, several));
    for (int64_t k = 0; teacher && k < teacher->other_count; k++)
        GS_TRY(check_logits(teacher->others[k], several));
done:
    return status;
}

gs_status runner_teacher_same(const runner *r, uint64_t seed, const char *path) {
    gs_status status = GS_OK;
    gs_teacher *teacher = NULL;
    char *held = NULL, hash[17];
    GS_TRY(gs_model_attribute(path, "teacher_hash", &held));
    if (!r->teacher || !held)
        goto done;
    GS_TRY(runner_teacher_open(r, seed, &teacher));
    GS_TRY(gs_teacher_hash(teacher, hash));
    if (strcmp(held, hash) != 0)
        GS_FAIL(GS_BAD_USAGE,
                "%s was learned from another teacher than %s; resume with the one that it had, or "
                "choose another folder.",
                path, teacher->label);
done:
    gs_teacher_free(teacher);
    gs_free(held);
    return status;
}
