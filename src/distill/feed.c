/* feed.c - what goes into the model for one step: everything, rows, sampled neighbourhoods, parts
   of the graph, or the graph with some edges left out. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "distill/session.h"

/* The operators that the model's layers read, as a bit mask of 1 << kind. */
static gs_status find_kinds(session *s) {
    gs_status status = GS_OK;
    gs_stage stage;
    for (int64_t k = 0; k < gs_model_layers(s->model); k++) {
        GS_TRY(gs_model_stage(s->model, k, &stage));
        if (stage.operator_kind)
            s->feed.kinds |= 1u << stage.operator_kind;
        if (s->feed.kind == FEED_NEIGHBOURS && !stage.by_blocks)
            GS_FAIL(GS_BAD_USAGE,
                    "Layer %lld (%s) reads more of the graph than sampled neighbours; use "
                    "sampling=clusters, or sampling=none.",
                    (long long)k, stage.layer->name);
    }
done:
    return status;
}

gs_status gs_fanout_of(const gs_value *given, int64_t k, int64_t count, int64_t *out) {
    int64_t found = 0, parts = 1;
    bool right = given && given->type != GS_FLOAT && given->type != GS_BOOL &&
                 given->type != GS_NULL && given->type != GS_MAP;
    if (given && given->type == GS_INT) {
        found = given->integer;
    } else if (given && given->type == GS_LIST) {
        parts = given->count;
        const gs_value *one = parts > 0 ? given->items[parts > 1 && k < parts ? k : 0] : NULL;
        right = one && one->type == GS_INT;
        found = right ? one->integer : 0;
    } else if (given && given->type == GS_STRING) {
        char *at = given->string, *end = NULL;
        for (const char *c = at; *c; c++)
            parts += *c == ',';
        for (int64_t q = 0; right && q < parts; q++, at = end + 1) {
            int64_t number = strtoll(at, &end, 10);
            right = end != at && (*end == ',' || *end == 0);
            found = q == k || q == 0 ? number : found;
        }
    }
    if (!right || found < 0 || found > 1000000 || (parts != 1 && parts != count))
        return gs_fail(GS_BAD_USAGE,
                       "fanout must be a number of neighbours up to 1000000, or one for each of "
                       "the %lld layers "
                       "that read the graph, as in fanout=10,5; 0 takes all.",
                       (long long)count);
    *out = found;
    return GS_OK;
}

static gs_status open_neighbours(session *s) {
    gs_status status = GS_OK;
    gs_operator *kind = NULL;
    int64_t *fanout = NULL, layers = gs_model_layers(s->model), hops = 0, own = 0;
    gs_stage stage;
    GS_NEW(kind, layers);
    GS_NEW(fanout, layers);
    GS_NEW(s->feed.operators, layers);
    for (int64_t k = 0; k < layers; k++) {
        GS_TRY(gs_model_stage(s->model, k, &stage));
        own += stage.operator_kind != 0;
    }
    for (int64_t k = layers - 1, q = own; k >= 0; k--) {
        GS_TRY(gs_model_stage(s->model, k, &stage));
        if (!stage.operator_kind)
            continue;
        GS_TRY(gs_fanout_of(s->config.fanout, --q, own, &fanout[hops]));
        kind[hops++] = stage.operator_kind;
    }
    GS_TRY(gs_sample_open(&s->feed.sample, s->observed.adjacency, hops, kind, fanout));
    for (int64_t k = layers - 1, h = 0; k >= 0; k--) {
        GS_TRY(gs_model_stage(s->model, k, &stage));
        if (stage.operator_kind)
            s->feed.operators[k].kept[stage.operator_kind] = &s->feed.sample.block[h++].rows;
    }
    if (s->taps)
        GS_FAIL(GS_BAD_USAGE, "A method of this recipe reads hidden layers, which sampled "
                              "neighbours do not have for all rows; use sampling=clusters.");
done:
    gs_free(kind);
    gs_free(fanout);
    return status;
}

static bool teaches(const session *s, int64_t node) {
    for (int64_t k = 0; k < s->term_count; k++)
        if (s->terms[k].member[node])
            return true;
    return false;
}

/* The data set's own graphs, without those of which no node teaches anything (of validation, of
   testing): member[i] is -1 there. Two batches of an epoch are then alike in what they teach. */
static gs_status number_graphs(const session *s, int64_t *member, int64_t *parts) {
    gs_status status = GS_OK;
    int64_t *number = NULL;
    GS_NEW(number, s->observed.graphs + 1);
    for (int64_t i = 0; i < s->observed.n; i++)
        number[s->observed.graph[i]] |= teaches(s, i);
    *parts = 0;
    for (int64_t g = 0; g < s->observed.graphs; g++)
        number[g] = number[g] ? (*parts)++ : -1;
    for (int64_t i = 0; i < s->observed.n; i++)
        member[i] = number[s->observed.graph[i]];
done:
    gs_free(number);
    return status;
}

/* Clusters of about equal size whose nodes lie near each other. */
static gs_status number_clusters(const session *s, int64_t *member, int64_t *parts) {
    int64_t n = s->observed.n, *order = NULL;
    gs_order kind;
    *parts = s->config.parts < n ? s->config.parts : n;
    gs_status status = gs_reorder(s->observed.adjacency, 1, GS_ORDER_COMMUNITIES, &order, &kind);
    for (int64_t k = 0; status == GS_OK && k < n; k++)
        member[order ? order[k] : k] = k * *parts / n;
    gs_free(order);
    return status;
}

/* Clusters, or the graphs that the data set is made of: its own, where it says, or else its
   components. */
static gs_status open_parts(session *s) {
    gs_status status = GS_OK;
    int64_t n = s->observed.n, *member = NULL, parts = 0;
    GS_NEW(member, n + 1);
    if (s->feed.kind == FEED_CLUSTERS)
        GS_TRY(number_clusters(s, member, &parts));
    else if (s->observed.graph)
        GS_TRY(number_graphs(s, member, &parts));
    else
        GS_TRY(gs_csr_components(s->observed.adjacency, member, &parts));
    s->feed.parts = parts;
    GS_NEW(s->feed.part_ptr, parts + 2);
    GS_NEW(s->feed.part_node, n + 1);
    GS_NEW(s->feed.batch, n + 1);
    for (int64_t i = 0; i < n; i++)
        if (member[i] >= 0)
            s->feed.part_ptr[member[i] + 2]++;
    for (int64_t k = 1; k < parts + 2; k++)
        s->feed.part_ptr[k] += s->feed.part_ptr[k - 1];
    for (int64_t i = 0; i < n; i++)
        if (member[i] >= 0)
            s->feed.part_node[s->feed.part_ptr[member[i] + 1]++] = i;
done:
    gs_free(member);
    return status;
}

static gs_status check_feed(const session *s) {
    const gs_train_config *c = &s->config;
    if (s->by_rows && (c->sampling != 0 || c->edge_dropout > 0))
        return gs_fail(GS_BAD_USAGE, "This model reads no graph, so that sampling and edge_dropout "
                                     "have nothing to do; leave them out.");
    if (!s->by_rows && c->batch_size > 0 && s->feed.kind != FEED_NEIGHBOURS)
        return gs_fail(GS_BAD_USAGE, "This model reads its neighbours, so that batch_size asks for "
                                     "sampling=neighbours; clusters and graphs go by batch_parts.");
    if (c->label_rounds > 0 && (s->feed.kind == FEED_NEIGHBOURS || session_feeds_parts(s)))
        return gs_fail(GS_BAD_USAGE,
                       "label_rounds needs the answers for all nodes in every step, so "
                       "it is for training on the whole graph; set sampling=none.");
    if (s->feed.kind != FEED_WHOLE && gs_get_bool(s->recipe, "exact", false))
        return gs_fail(GS_BAD_USAGE,
                       "exact=true solves with the whole graph, which is factored once; it "
                       "needs sampling=none and no edge_dropout.");
    if (c->edge_dropout > 0 && s->feed.kind != FEED_THINNED)
        return gs_fail(GS_BAD_USAGE, "edge_dropout is for training on the whole graph; a sample "
                                     "leaves out edges anyway.");
    return GS_OK;
}

gs_status session_feed_open(session *s) {
    gs_status status = GS_OK;
    static const feed_kind kinds[] = {FEED_WHOLE, FEED_NEIGHBOURS, FEED_CLUSTERS, FEED_GRAPHS};
    s->feed.kind = s->by_rows ? FEED_ROWS : kinds[s->config.sampling];
    if (s->feed.kind == FEED_WHOLE && s->config.edge_dropout > 0)
        s->feed.kind = FEED_THINNED;
    GS_TRY(check_feed(s));
    GS_TRY(find_kinds(s));
    if (s->feed.kind == FEED_NEIGHBOURS)
        GS_TRY(open_neighbours(s));
    if (s->feed.kind == FEED_CLUSTERS || s->feed.kind == FEED_GRAPHS)
        GS_TRY(open_parts(s));
    if (session_feeds_parts(s) || s->feed.kind == FEED_THINNED)
        GS_TRY(gs_part_open(&s->feed.part, s->observed.adjacency));
    bool takes = s->feed.kind != FEED_WHOLE && s->feed.kind != FEED_THINNED;
    if (s->observed.x_sparse && takes)
        GS_TRY(gs_row_batch_new(s->observed.x_sparse, s->by_rows ? s->largest_batch : s->observed.n,
                                &s->batch));
    if (s->observed.x_sparse)
        GS_TRY(gs_csr_need_transpose(s->observed.x_sparse));
    gs_tape_varies(s->tape, s->feed.kind == FEED_NEIGHBOURS || session_feeds_parts(s));
done:
    return status;
}

bool session_feeds_parts(const session *s) {
    return s->feed.kind == FEED_CLUSTERS || s->feed.kind == FEED_GRAPHS;
}

void session_feed_close(session *s) {
    gs_sample_free(&s->feed.sample);
    gs_part_free(&s->feed.part);
    gs_free(s->feed.operators);
    gs_free(s->feed.part_ptr);
    gs_free(s->feed.part_node);
    gs_free(s->feed.batch);
    gs_row_batch_free(s->batch);
}

int64_t session_feed_parts(session *s, const int64_t *parts, int64_t count) {
    int64_t found = 0;
    for (int64_t k = 0; k < count; k++) {
        const int64_t *ptr = s->feed.part_ptr + parts[k];
        for (int64_t q = ptr[0]; q < ptr[1]; q++)
            s->feed.batch[found++] = s->feed.part_node[q];
    }
    return found;
}

/* The user's row numbers of the rows that go in, for random draws. */
static gs_status name_rows(session *s, const int64_t *nodes, int64_t count) {
    const int64_t *ids = nodes ? nodes : s->node_of;
    if (nodes && s->node_of) {
        int64_t *original = gs_tape_extra(s->tape, (size_t)(count + 1) * sizeof *original);
        if (!original)
            return gs_tape_status(s->tape);
        for (int64_t k = 0; k < count; k++)
            original[k] = s->node_of[nodes[k]];
        ids = original;
    }
    gs_tape_row_ids(s->tape, ids);
    return GS_OK;
}

gs_var *session_dense(session *s, bool same_operators) {
    return same_operators && !s->labels.x ? gs_tape_fixed(s->tape, &s->observed.x)
                                          : gs_tape_constant(s->tape, &s->observed.x);
}

/* The features of some nodes, or of all. */
static gs_var *features_of(session *s, const int64_t *nodes, int64_t count) {
    if (s->observed.x_sparse)
        return gs_tape_sparse(s->tape, nodes ? gs_row_batch_take(s->batch, nodes, count)
                                             : s->observed.x_sparse);
    gs_var *x = session_dense(s, s->feed.kind != FEED_THINNED);
    return nodes ? gs_take_rows(s->tape, x, nodes, count) : x;
}

gs_status session_feed(session *s, uint64_t step, const int64_t *nodes, int64_t count, gs_var **x) {
    gs_status status = GS_OK;
    feed_state *f = &s->feed;
    f->now = s->by_rows ? NULL : &s->operators;
    f->by_blocks = false;
    if (f->kind == FEED_NEIGHBOURS) {
        GS_TRY(gs_sample_take(&f->sample, s->seed, step, s->node_of, nodes, count));
        f->now = f->operators;
        f->by_blocks = true;
        nodes = f->sample.nodes;
        count = f->sample.reached[f->sample.hops];
    } else if (session_feeds_parts(s)) {
        GS_TRY(gs_part_induce(&f->part, nodes, count, f->kinds));
        f->now = &f->part.operators;
    } else if (f->kind == FEED_THINNED) {
        GS_TRY(gs_part_thin(&f->part, s->seed, step, s->node_of, s->config.edge_dropout, f->kinds));
        f->now = &f->part.operators;
    }
    GS_TRY(name_rows(s, nodes, count));
    *x = features_of(s, nodes, count);
done:
    return status;
}

gs_var *session_forward(session *s, gs_var *x, gs_tap *taps) {
    return s->feed.by_blocks ? gs_model_forward_blocks(s->model, s->tape, s->feed.now, x)
                             : gs_model_forward(s->model, s->tape, s->feed.now, x, taps);
}
