#include "cli/runner.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "cli/progress.h"
#include "cli/runner_teacher.h"
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
    const char *checkpoint_path;
    gs_run_key key;
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
    return gs_checkpoint_write(state, &w->key, w->checkpoint_path);
}

static bool on_poll(void *context) {
    (void)context;
    return progress_interrupted();
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
    gs_status status = runner_teacher_open(r, seed, teacher);
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
    gs_value *known = NULL;
    char hash[17];
    char *path = gs_run_folder_seed(r->folder, seed),
         *checkpoint = gs_run_folder_checkpoint(r->folder, seed);
    watch w = {.run = r,
               .shown = {.label = r->label, .seed_index = index, .seed_count = r->seed_count},
               .checkpoint_path = checkpoint,
               .key = {.recipe = r->recipe, .seed = seed, .graph_hash = graph_hash},
               .written = seconds_now()};
    gs_observer observer = {.context = &w,
                            .epoch = on_epoch,
                            .checkpoint = on_checkpoint,
                            .should_stop = on_poll,
                            .checkpoint_every = r->checkpoint_every};
    if (!path || !checkpoint)
        GS_TRY(GS_NO_MEMORY);
    if (r->resume && gs_file_exists(path)) {
        GS_TRY(runner_teacher_same(r, seed, path));
        progress_say("%s seed %llu: done before", r->label, (unsigned long long)seed);
        goto done;
    }
    GS_NEW(role, r->data->n + 1);
    GS_TRY(prepare(r, seed, &teacher, role));
    if (!(known = gs_value_clone(provenance)))
        GS_TRY(GS_NO_MEMORY);
    if (teacher) {
        GS_TRY(gs_teacher_hash(teacher, hash));
        GS_TRY(gs_map_set(known, "teacher_hash", gs_string(hash)));
        w.key.teacher_hash = hash;
    }
    if (r->resume)
        GS_TRY(gs_checkpoint_read(checkpoint, &w.key, &resume));
    saved = gs_train(r->recipe, r->data, role, teacher, seed, &observer, resume, &run);
    if (run)
        progress_seed_done(&w.shown, run);
    GS_TRY(saved);
    GS_TRY(gs_model_write(run, r->data, known, path));
    GS_TRY(gs_file_remove(checkpoint));
    GS_TRY(log_seed(r, run));
    *seconds = run->seconds;
done:
    gs_run_free(run);
    gs_teacher_free(teacher);
    gs_value_free(known);
    gs_free(role);
    gs_free(path);
    gs_free(checkpoint);
    return status;
}

/* The first seed up to its first epoch, before anything is written. */
static gs_status check_first(const runner *r) {
    gs_status status = GS_OK;
    gs_teacher *teacher = NULL;
    uint8_t *role = NULL;
    GS_TRY(runner_teachers_there(r));
    GS_NEW(role, r->data->n + 1);
    GS_TRY(prepare(r, r->seeds[0], &teacher, role));
    GS_TRY(runner_teacher_check(r, teacher));
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
    GS_TRY(gs_map_set(extra, "recipe", gs_value_clone(r->recipe))); /* notes as they are now */
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
