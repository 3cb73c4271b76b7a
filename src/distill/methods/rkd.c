/* rkd.c - learning distances and angles between the teacher's hidden rows. */
#include "distill/hidden.h"

typedef struct rkd_options {
    gs_hidden_options hidden;
    double distance, angle;
    int64_t pairs, triplets;
} rkd_options;

static const gs_option options[] = {
    GS_HIDDEN_ROWS,
    {"distance", GS_OPT_FLOAT, offsetof(rkd_options, distance), "1", 0, 1e9, NULL,
     "Factor of the part that compares distances of pairs; 0 turns it off."},
    {"angle", GS_OPT_FLOAT, offsetof(rkd_options, angle), "2", 0, 1e9, NULL,
     "Factor of the part that compares angles of triplets; 0 turns it off."},
    {"pairs", GS_OPT_INT, offsetof(rkd_options, pairs), "4096", 1, 1 << 24, NULL,
     "Pairs of nodes a step, drawn anew in each; all of them where there are no more."},
    {"triplets", GS_OPT_INT, offsetof(rkd_options, triplets), "4096", 1, 1 << 24, NULL,
     "Triplets of nodes a step, in the same way."},
    {0}};

/* Ends of pairs or triplets: places of the student's rows [0] and the teacher's [1]. */
typedef struct ends {
    int64_t *at[3][2], count;
} ends;

static bool make_room(gs_tape *t, ends *e, int parts, int64_t most) {
    for (int part = 0; part < parts; part++)
        for (int side = 0; side < 2; side++)
            if (!(e->at[part][side] = gs_tape_extra(t, (size_t)(most + 1) * sizeof(int64_t))))
                return false;
    return true;
}

static void put(ends *e, const gs_drawn *d, int part, int64_t k) {
    e->at[part][0][e->count] = d->row[k % d->count];
    e->at[part][1][e->count] = d->pick[k % d->count];
}

/* Nodes stand around a circle in the order of the draw; pairs are those 1 apart, then those 2 apart
   and so on: every pair once, no node more often than another. */
static ends draw_pairs(const gs_view *view, int64_t most) {
    gs_drawn d = gs_hidden_draw(view, "rkd/pairs", most);
    ends e = {.count = 0};
    int64_t all = d.count * (d.count - 1) / 2;
    most = all < most ? all : most;
    if (!make_room(view->tape, &e, 2, most))
        return e;
    for (int64_t apart = 1; e.count < most; apart++)
        for (int64_t k = 0; k < d.count && e.count < most; k++, e.count++) {
            put(&e, &d, 0, k);
            put(&e, &d, 1, k + apart);
        }
    return e;
}

/* The same of triplets: a vertex (part 1) and two others, `near` and `far` steps behind it. */
static ends draw_triplets(const gs_view *view, int64_t most) {
    gs_drawn d = gs_hidden_draw(view, "rkd/triplets", most);
    ends e = {.count = 0};
    int64_t n = d.count;
    double all = 0.5 * (double)n * (double)(n - 1) * (double)(n - 2);
    most = all < (double)most ? (int64_t)all : most;
    if (!make_room(view->tape, &e, 3, most))
        return e;
    for (int64_t far = 2; far < n && e.count < most; far++)
        for (int64_t near = 1; near < far; near++)
            for (int64_t k = 0; k < n && e.count < most; k++, e.count++) {
                put(&e, &d, 0, k + near);
                put(&e, &d, 1, k);
                put(&e, &d, 2, k + far);
            }
    return e;
}

/* h_part0 - h_part1 */
static gs_var *difference(gs_tape *t, gs_var *h, const ends *e, int from, int to, int side) {
    return gs_blend(t, gs_take_rows(t, h, e->at[from][side], e->count), 1,
                    gs_take_rows(t, h, e->at[to][side], e->count), -1);
}

static gs_var *distances(gs_tape *t, gs_var *h, const ends *e, int side) {
    gs_var *away = difference(t, h, e, 0, 1, side);
    gs_var *d = gs_power(t, gs_row_dot(t, away, away), 0, 0.5);
    return gs_divide(t, d, gs_scale(t, gs_sum(t, d), 1 / (double)e->count));
}

static gs_var *angles(gs_tape *t, gs_var *h, const ends *e, int side) {
    return gs_row_dot(t, gs_unit_rows(t, difference(t, h, e, 0, 1, side)),
                      gs_unit_rows(t, difference(t, h, e, 2, 1, side)));
}

/* distance * mean over the pairs (i,j) of h(d_s,ij/mean d_s - d_t,ij/mean d_t), d_ij = |h_i - h_j|,
   the means over these pairs, + angle * mean over the triplets (i,j,k) of h(a_s,ijk - a_t,ijk),
   a_ijk the cosine of the angle at j; h is Huber's loss with delta 1 */
static gs_var *loss(const void *given, const gs_view *view) {
    const rkd_options *o = given;
    gs_tape *t = view->tape;
    gs_var *student = gs_hidden_all(view, &o->hidden), *teacher = gs_hidden_teacher(view);
    ends pairs = draw_pairs(view, o->pairs), triplets = draw_triplets(view, o->triplets);
    gs_var *sum = NULL;
    if (o->distance > 0 && pairs.count > 0)
        sum = gs_scale(
            t, gs_mean_huber(t, distances(t, student, &pairs, 0), distances(t, teacher, &pairs, 1)),
            o->distance);
    if (o->angle > 0 && triplets.count > 0) {
        gs_var *part =
            gs_mean_huber(t, angles(t, student, &triplets, 0), angles(t, teacher, &triplets, 1));
        sum = sum ? gs_blend(t, sum, 1, part, o->angle) : gs_scale(t, part, o->angle);
    }
    return sum ? sum : gs_scale(t, gs_sum(t, student), 0); /* a single node has no other */
}

const gs_method gs_method_rkd = {
    .abi = GS_ABI,
    .name = "rkd",
    .summary = "Learns distances and angles between the teacher's hidden rows (relational).",
    .source = "Park, Kim, Lu, Cho, CVPR 2019 (RKD, arXiv 1904.05068).",
    .options = options,
    .options_bytes = sizeof(rkd_options),
    .needs_of = gs_hidden_needs,
    .rows = gs_hidden_rows,
    .layer = gs_hidden_layer,
    .needs_taps = true,
    .declare = gs_hidden_declare,
    .loss = loss,
};
