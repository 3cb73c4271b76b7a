#include "cli/runner.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "cli/progress.h"
#include "distill/memory.h"
#include "graph/kernels.h"
#include "store/files.h"
#include "store/model_file.h"
#include "store/run_folder.h"
#include "store/version.h"

gs_status provenance_make(gs_value **out) {
    gs_status status = GS_OK;
    char hdf5[64];
    gs_value *map = gs_map();
    *out = NULL;
    if (!map)
        return GS_NO_MEMORY;
    gs_hdf5_name(hdf5, sizeof hdf5);
    GS_TRY(gs_map_set(map, "tool", gs_string("graphstill")));
    GS_TRY(gs_map_set(map, "tool_version", gs_string(GS_VERSION)));
    GS_TRY(gs_map_set(map, "git_commit", gs_string(GS_GIT_COMMIT)));
    GS_TRY(gs_map_set(map, "kernels", gs_string(gs_kernels_default()->name)));
    GS_TRY(gs_map_set(map, "blas", gs_string(gs_blas_name())));
    GS_TRY(gs_map_set(map, "graphblas", gs_string(gs_graphblas_name())));
    GS_TRY(gs_map_set(map, "hdf5", gs_string(hdf5)));
    *out = map;
    map = NULL;
done:
    gs_value_free(map);
    return status;
}

/* What the observer of one seed needs. */
typedef struct watch {
    const runner *run;
    progress shown;
    const char *checkpoint_path, *graph_hash;
    uint64_t seed;
    double written; /* when the last checkpoint was, or the start */
} watch;

static double seconds_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void on_epoch(void *context, const gs_progress *now) {
    progress_epoch(&((watch *)context)->shown, now);
}

/* A run of a second loses little, and each file waits for the disk. */
static gs_status on_checkpoint(void *context, const gs_state *state) {
    watch *w = context;
    double now = seconds_now();
    if (now - w->written < w->run->checkpoint_seconds && !progress_interrupted())
        return GS_OK;
    w->written = now;
    return gs_checkpoint_write(state, w->run->recipe, w->seed, w->graph_hash, w->checkpoint_path);
}

static bool on_poll(void *context) {
    (void)context;
    return progress_interrupted();
}

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

/* Every seed has its teachers. */
static gs_status check_teachers(const runner *r) {
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

/* The teacher of one seed, with those beside it. */
static gs_status open_teacher(const runner *r, uint64_t seed, gs_teacher **out) {
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

/* The split of one seed: the teacher's where it has one, else the recipe's. A recipe that asks for
   a split or a setting must ask for the teacher's. */
static gs_status choose_split(const runner *r, const gs_teacher *teacher, uint64_t seed,
                              uint8_t *role) {
    gs_status status = GS_OK;
    gs_split_config config = {0};
    GS_TRY(gs_options_init(gs_split_options, &config));
    GS_TRY(gs_options_read(gs_split_options, &config, r->recipe, "The recipe", true));
    bool named = config.split && strcmp(config.split, "auto") != 0;
    bool theirs = teacher && teacher->role;
    if (named || !theirs) {
        GS_TRY(gs_split_draw(&config, r->data, seed, role));
    } else {
        memcpy(role, teacher->role, (size_t)r->data->n);
        GS_TRY(gs_split_set(&config, r->data->n, seed, role));
    }
    if (theirs && !r->allow_other_split && memcmp(role, teacher->role, (size_t)r->data->n) != 0)
        GS_FAIL(GS_BAD_USAGE,
                "The recipe asks for the split '%s', setting %s, but the teacher %s was trained on "
                "another; leave them out to inherit the teacher's, or allow it with "
                "--allow-other-split.",
                config.split, gs_get_string(r->recipe, "setting", "auto"), teacher->label);
    GS_TRY(gs_split_check(r->data, role));
done:
    gs_options_free(gs_split_options, &config);
    return status;
}

/* Teacher and split of one seed. */
static gs_status prepare(const runner *r, uint64_t seed, gs_teacher **teacher, uint8_t *role) {
    gs_status status = open_teacher(r, seed, teacher);
    return status == GS_OK ? choose_split(r, *teacher, seed, role) : status;
}

static gs_status log_seed(const runner *r, const gs_run *run) {
    gs_status status = GS_OK;
    gs_value *line = gs_map();
    if (!line)
        return GS_NO_MEMORY;
    GS_TRY(gs_map_set(line, "seed", gs_int((int64_t)run->seed)));
    GS_TRY(gs_map_set(line, "seconds", gs_float(run->seconds)));
    GS_TRY(gs_value_merge(line, run->metrics));
    GS_TRY(gs_run_folder_log(r->folder, line));
done:
    gs_value_free(line);
    return status;
}

static gs_status train_seed(const runner *r, int64_t index, const char *graph_hash,
                            const gs_value *provenance, double *seconds) {
    gs_status status = GS_OK, saved;
    uint64_t seed = r->seeds[index];
    gs_teacher *teacher = NULL;
    uint8_t *role = NULL;
    gs_state *resume = NULL;
    gs_run *run = NULL;
    char *path = gs_run_folder_seed(r->folder, seed),
         *checkpoint = gs_run_folder_checkpoint(r->folder, seed);
    watch w = {.run = r,
               .shown = {.label = r->label, .seed_index = index, .seed_count = r->seed_count},
               .checkpoint_path = checkpoint,
               .graph_hash = graph_hash,
               .seed = seed,
               .written = seconds_now()};
    gs_observer observer = {.context = &w,
                            .epoch = on_epoch,
                            .checkpoint = on_checkpoint,
                            .should_stop = on_poll,
                            .checkpoint_every = r->checkpoint_every};
    if (!path || !checkpoint)
        GS_TRY(GS_NO_MEMORY);
    if (r->resume && gs_file_exists(path)) {
        progress_say("%s seed %llu: done before", r->label, (unsigned long long)seed);
        goto done;
    }
    GS_NEW(role, r->data->n + 1);
    GS_TRY(prepare(r, seed, &teacher, role));
    if (r->resume)
        GS_TRY(gs_checkpoint_read(checkpoint, r->recipe, seed, graph_hash, &resume));
    saved = gs_train(r->recipe, r->data, role, teacher, seed, &observer, resume, &run);
    if (run)
        progress_seed_done(&w.shown, run);
    GS_TRY(saved);
    GS_TRY(gs_model_write(run, r->data, provenance, path));
    GS_TRY(gs_file_remove(checkpoint));
    GS_TRY(log_seed(r, run));
    *seconds = run->seconds;
done:
    gs_run_free(run);
    gs_teacher_free(teacher);
    gs_free(role);
    gs_free(path);
    gs_free(checkpoint);
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

/* The first seed up to its first epoch, before anything is written. */
static gs_status check_first(const runner *r) {
    gs_status status = GS_OK;
    gs_teacher *teacher = NULL;
    uint8_t *role = NULL;
    GS_TRY(check_teachers(r));
    GS_NEW(role, r->data->n + 1);
    GS_TRY(prepare(r, r->seeds[0], &teacher, role));
    if (teacher)
        GS_TRY(check_logits(teacher, r->data->labels != NULL));
    for (int64_t k = 0; teacher && k < teacher->other_count; k++)
        GS_TRY(check_logits(teacher->others[k], r->data->labels != NULL));
    GS_TRY(gs_train_check(r->recipe, r->data, role, teacher, r->seeds[0]));
done:
    gs_teacher_free(teacher);
    gs_free(role);
    return status;
}

/* What cannot fit is refused before anything is made; the data are counted already. */
static gs_status check_memory(const runner *r) {
    int64_t needed = 0, limit = gs_alloc_limit(), machine = gs_memory_of_machine();
    gs_status status = gs_memory_of_step(r->recipe, r->data, &needed);
    double megabytes = (double)needed / 1048576;
    if (status != GS_OK)
        return status;
    if (limit > 0 && needed > limit)
        return gs_fail(GS_NO_MEMORY,
                       "Training needs about %.0f MB, and --max-memory allows %.0f MB; allow %.0f, "
                       "set memory=low, or take a smaller hidden width.",
                       megabytes, (double)limit / 1048576, ceil(megabytes));
    if (limit <= 0 && machine > 0 && needed > machine)
        return gs_fail(GS_NO_MEMORY,
                       "Training needs about %.0f MB, and this machine has %.0f MB; set "
                       "memory=low, take a smaller hidden width, or try all the same with "
                       "--max-memory %.0fM.",
                       megabytes, (double)machine / 1048576, ceil(megabytes));
    return GS_OK;
}

/* What summary.json says of where its numbers come from; the graph's hash leaves labels out. */
static gs_status record_origin(const runner *r, const char *hash, gs_value *extra) {
    gs_status status = GS_OK;
    GS_TRY(gs_value_set_at(extra, "origin.graph", gs_string(r->data->name ? r->data->name : "")));
    GS_TRY(gs_value_set_at(extra, "origin.graph_hash", gs_string(hash)));
    GS_TRY(gs_value_set_at(extra, "origin.tool_version", gs_string(GS_VERSION)));
    GS_TRY(gs_value_set_at(extra, "origin.git_commit", gs_string(GS_GIT_COMMIT)));
    if (r->command)
        GS_TRY(gs_value_set_at(extra, "origin.command", gs_string(r->command)));
done:
    return status;
}

gs_status runner_checkpoints(runner *r, const gs_args *args) {
    r->checkpoint_seconds = args_has(args, "checkpoint-every") ? 0 : 2;
    return args_int(args, "checkpoint-every", 0, 1000000000, 25, &r->checkpoint_every);
}

gs_status runner_run(const runner *r, gs_value **summary) {
    gs_status status = GS_OK;
    gs_value *provenance = NULL, *extra = NULL, *times = NULL;
    char hash[17];
    int handle = -1;
    *summary = NULL;
    gs_dataset_hash(r->data, false, hash);
    GS_TRY(check_memory(r));
    GS_TRY(check_first(r));
    GS_TRY(provenance_make(&provenance));
    GS_TRY(gs_folder_make(r->folder));
    GS_TRY(gs_folder_lock(r->folder, "run", &handle));
    GS_TRY(gs_run_folder_open(r->folder, r->recipe, r->resume));
    extra = gs_map();
    times = gs_list();
    if (!extra || !times)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(record_origin(r, hash, extra));
    progress_catch_interrupt();
    for (int64_t k = 0; k < r->seed_count; k++) {
        double seconds = NAN;
        GS_TRY(train_seed(r, k, hash, provenance, &seconds));
        GS_TRY(gs_list_add(times, isfinite(seconds) ? gs_float(seconds) : gs_null()));
    }
    status = gs_value_set_at(extra, "timings.train_seconds", times);
    times = NULL;
    GS_TRY(status);
    GS_TRY(gs_run_folder_finish(r->folder, r->data, extra, summary));
done:
    gs_folder_unlock(handle);
    gs_value_free(provenance);
    gs_value_free(extra);
    gs_value_free(times);
    return status;
}
