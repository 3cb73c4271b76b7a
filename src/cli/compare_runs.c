#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "cli/compare.h"
#include "store/model_file.h"

/* FNV-1a. */
static uint64_t hash_roles(const uint8_t *role, int64_t n) {
    uint64_t hash = 14695981039346656037u;
    for (int64_t i = 0; i < n; i++)
        hash = (hash ^ role[i]) * 1099511628211u;
    return hash;
}

static gs_status read_split(compared *c, int64_t k) {
    gs_status status = GS_OK;
    gs_model_file *m = NULL;
    GS_TRY(gs_model_read(c->list.files[k], &m));
    if (!m->role)
        GS_FAIL(GS_BAD_INPUT, "%s has no split, so nothing can be paired with it.",
                c->list.files[k]);
    c->split[k] = hash_roles(m->role, m->n);
    if (k == 0) {
        strcpy(c->graph_hash, m->graph_hash);
        c->graph = gs_strdup(gs_get_string(m->provenance, "graph", "graph"));
        status = c->graph ? GS_OK : GS_NO_MEMORY;
    }
done:
    gs_model_file_free(m);
    return status;
}

gs_status compared_open(const char *path, compared *out) {
    gs_status status = GS_OK;
    *out = (compared){.path = path};
    GS_TRY(gs_run_list_open(path, &out->list));
    if (!out->list.summary)
        GS_FAIL(GS_BAD_INPUT, "%s is no finished run: it has no summary.json.", path);
    GS_NEW(out->split, out->list.count + 1);
    for (int64_t k = 0; k < out->list.count; k++)
        GS_TRY(read_split(out, k));
done:
    return status;
}

void compared_close(compared *c) {
    gs_run_list_free(&c->list);
    gs_free(c->split);
    gs_free(c->graph);
    *c = (compared){0};
}

/* What a run was allowed to see, where both say so: of a teacher, if they had one. */
static void warn_of_protocol(const compared *a, const compared *b) {
    static const char *const keys[] = {"setting", "teacher_knowledge"};
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        const gs_value *one = gs_map_get(a->list.summary, "protocol");
        const gs_value *two = gs_map_get(b->list.summary, "protocol");
        const char *x = gs_get_string(one, keys[k], "none"),
                   *y = gs_get_string(two, keys[k], "none");
        if (strcmp(x, "none") != 0 && strcmp(y, "none") != 0 && strcmp(x, y) != 0)
            gs_log(GS_LOG_WARNING, "The protocols differ: %s of %s is %s, of %s %s.", keys[k],
                   a->path, x, b->path, y);
    }
}

/* The index in a of the first seed that both have and split differently, or -1. */
static int64_t unlike_seed(const compared *a, const compared *b) {
    for (int64_t k = 0; k < a->list.count; k++)
        for (int64_t q = 0; q < b->list.count; q++)
            if (a->list.seeds[k] == b->list.seeds[q] && a->split[k] != b->split[q])
                return k;
    return -1;
}

gs_status compared_check(const compared *a, const compared *b, bool allow_other_split) {
    if (strcmp(a->graph_hash, b->graph_hash) != 0)
        return gs_fail(GS_BAD_INPUT,
                       "%s is of the graph %s (hash %s) and %s of %s (hash %s); compare the runs "
                       "of one graph at a time.",
                       a->path, a->graph, a->graph_hash, b->path, b->graph, b->graph_hash);
    int64_t unlike = unlike_seed(a, b);
    if (unlike >= 0 && !allow_other_split)
        return gs_fail(GS_BAD_USAGE,
                       "Seed %llu of %s and of %s split the nodes differently, so their difference "
                       "is no paired one; give runs with the same splits, or pair them all the "
                       "same with --allow-other-split.",
                       (unsigned long long)a->list.seeds[unlike], a->path, b->path);
    if (unlike >= 0)
        gs_log(GS_LOG_WARNING,
               "Seed %llu of %s and of %s split the nodes differently: intervals and p-values are "
               "not what they say.",
               (unsigned long long)a->list.seeds[unlike], a->path, b->path);
    warn_of_protocol(a, b);
    return GS_OK;
}

gs_status compared_pair(const compared *a, const compared *b, const char *metric, double **x,
                        double **y, int64_t *count) {
    gs_status status = GS_OK;
    const gs_value *one = gs_map_get(gs_map_get(a->list.summary, metric), "values");
    const gs_value *two = gs_map_get(gs_map_get(b->list.summary, metric), "values");
    const gs_value *seeds = gs_map_get(a->list.summary, "seeds");
    const gs_value *others = gs_map_get(b->list.summary, "seeds");
    *count = 0;
    *x = *y = NULL;
    GS_NEW(*x, (seeds ? seeds->count : 0) + 1);
    GS_NEW(*y, (seeds ? seeds->count : 0) + 1);
    for (int64_t k = 0; one && two && seeds && others && k < seeds->count; k++)
        for (int64_t q = 0; q < others->count; q++) {
            bool same = seeds->items[k]->integer == others->items[q]->integer;
            if (!same || k >= one->count || q >= two->count || one->items[k]->type == GS_NULL ||
                two->items[q]->type == GS_NULL)
                continue;
            const gs_value *u = one->items[k], *v = two->items[q];
            (*x)[*count] = u->type == GS_INT ? (double)u->integer : u->number;
            (*y)[(*count)++] = v->type == GS_INT ? (double)v->integer : v->number;
        }
done:
    return status;
}
