#include <string.h>

#include "base/alloc.h"
#include "distill/recipe.h"
#include "store/entries.h"
#include "store/files.h"
#include "store/model_file.h"
#include "store/yaml.h"

#define FORMAT "graphstill.checkpoint"
#define VERSION 1

static gs_status write_state(hid_t file, const gs_state *state) {
    gs_status status = GS_OK;
    hid_t group = H5I_INVALID_HID;
    h5_tag name = {"counter_name", "1", "record"}, value = {"counter", "1", "record"};
    GS_TRY(h5_group(file, "state", &group));
    for (int64_t k = 0; k < state->count; k++)
        GS_TRY(entry_write(group, state->entries[k], k, false));
    GS_TRY(h5_write_strings(file, "counters/names", state->counter_names, state->counter_count,
                            name, NULL));
    GS_TRY(h5_write(file, "counters/values", NUMBER_F64, 1, &state->counter_count, state->counters,
                    LAYOUT_PLAIN, value, NULL));
done:
    h5_close(&group);
    return status;
}

gs_status gs_checkpoint_write(const gs_state *state, const gs_run_key *key, const char *path) {
    gs_status status = GS_OK;
    h5_writer w = {.file = H5I_INVALID_HID};
    char *yaml = NULL;
    h5_tag tag = {"yaml", NULL, "record"};
    GS_TRY(h5_create(path, &w));
    GS_TRY(h5_set_text(w.file, "format", FORMAT));
    GS_TRY(h5_set_int(w.file, "version", VERSION));
    GS_TRY(h5_set_int(w.file, "seed", (int64_t)key->seed));
    GS_TRY(h5_set_text(w.file, "graph_hash", key->graph_hash ? key->graph_hash : ""));
    GS_TRY(h5_set_text(w.file, "teacher_hash", key->teacher_hash ? key->teacher_hash : ""));
    GS_TRY(gs_yaml_write(key->recipe, &yaml));
    GS_TRY(h5_write_text(w.file, "recipe", yaml, tag));
    GS_TRY(write_state(w.file, state));
    GS_TRY(h5_commit(&w));
done:
    h5_abandon(&w);
    gs_free(yaml);
    return gs_context(status, "%s", path);
}

/* Checkpoints of older versions do not tell their teacher. */
static gs_status check_hash(hid_t file, const char *name, const char *asked, const char *what) {
    gs_status status = GS_OK;
    char *held = NULL;
    if (!asked)
        asked = "";
    GS_TRY(h5_get_text(file, name, &held));
    if (held && strcmp(held, asked) != 0)
        GS_FAIL(GS_BAD_USAGE, "It belongs to another %s (hash %s, not %s).", what,
                held[0] ? held : "none", asked[0] ? asked : "none");
done:
    gs_free(held);
    return status;
}

/* The run that wants to go on must be the one that was interrupted. */
static gs_status check_same(hid_t file, const gs_run_key *key) {
    gs_status status = GS_OK;
    char *format = NULL, *theirs = NULL;
    gs_value *held = NULL;
    int64_t version, given;
    GS_TRY(h5_get_text(file, "format", &format));
    GS_TRY(h5_get_int(file, "version", 0, &version));
    if (!format || strcmp(format, FORMAT) != 0 || version < 1 || version > VERSION)
        GS_FAIL(GS_BAD_INPUT, "It is not a checkpoint that this program reads.");
    GS_TRY(h5_get_int(file, "seed", 0, &given));
    if ((uint64_t)given != key->seed)
        GS_FAIL(GS_BAD_USAGE, "It belongs to seed %llu, not %llu.",
                (unsigned long long)(uint64_t)given, (unsigned long long)key->seed);
    GS_TRY(check_hash(file, "graph_hash", key->graph_hash, "graph"));
    GS_TRY(check_hash(file, "teacher_hash", key->teacher_hash, "teacher"));
    GS_TRY(h5_read_text(file, "recipe", &theirs));
    GS_TRY(gs_yaml_read(theirs, (int64_t)strlen(theirs), "Its recipe", &held));
    if (!gs_recipe_same_run(held, key->recipe))
        GS_FAIL(GS_BAD_USAGE,
                "It belongs to another recipe; remove it, or resume with the recipe it has.");
done:
    gs_free(format);
    gs_free(theirs);
    gs_value_free(held);
    return status;
}

static gs_status read_counters(hid_t file, gs_state *state) {
    gs_status status = GS_OK;
    char **names = NULL;
    void *values = NULL;
    int64_t count = 0;
    h5_shape shape;
    GS_TRY(h5_read_strings(file, "counters/names", &names, &count));
    GS_TRY(h5_read(file, "counters/values", 1, NUMBER_F64, &values, &shape));
    if (shape.count != count)
        GS_FAIL(GS_BAD_INPUT, "It has %lld counters but %lld names for them.",
                (long long)shape.count, (long long)count);
    for (int64_t k = 0; k < count; k++)
        GS_TRY(gs_state_set(state, names[k], ((double *)values)[k]));
done:
    h5_free_names(names, count);
    gs_free(values);
    return status;
}

gs_status gs_checkpoint_read(const char *path, const gs_run_key *key, gs_state **out) {
    gs_status status = GS_OK;
    hid_t file = H5I_INVALID_HID, group = H5I_INVALID_HID;
    gs_state *state = NULL;
    *out = NULL;
    if (!gs_file_exists(path))
        return GS_OK;
    GS_TRY(h5_open(path, &file));
    GS_TRY(check_same(file, key));
    state = gs_state_new();
    if (!state)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(h5_group_open(file, "state", &group));
    GS_TRY(entries_read(group, state));
    GS_TRY(read_counters(file, state));
    *out = state;
    state = NULL;
done:
    gs_state_free(state);
    h5_close(&group);
    h5_close(&file);
    return gs_context(status, "%s", path);
}
