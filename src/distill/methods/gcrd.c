/* gcrd.c - learning to tell each node's hidden row of the teacher from other nodes' (contrastive).
 */
#include "base/alloc.h"
#include "distill/hidden.h"

typedef struct gcrd_options {
    gs_hidden_options hidden;
    double temperature;
    int64_t samples, width;
    bool norm;
} gcrd_options;

static const gs_option options[] = {
    GS_HIDDEN_ROWS,
    {"temperature", GS_OPT_FLOAT, offsetof(gcrd_options, temperature), "0.075", 1e-3, 1e3, NULL,
     "Cosines are divided by it before the softmax."},
    {"samples", GS_OPT_INT, offsetof(gcrd_options, samples), "16384", 1, 1 << 20, NULL,
     "Nodes a step, drawn anew in each; all of them where there are no more."},
    {"width", GS_OPT_INT, offsetof(gcrd_options, width), "256", 1, 65536, NULL,
     "Columns that both sides are projected to."},
    {"norm", GS_OPT_BOOL, offsetof(gcrd_options, norm), "true", 0, 0, NULL,
     "Batch norm and ReLU behind each projection's linear map; false: the linear map alone."},
    {0}};

static gs_status declare(const void *given, const gs_method_place *place) {
    gs_status status = GS_OK;
    const gcrd_options *o = given;
    int64_t width;
    GS_TRY(gs_hidden_width(place->student, o->hidden.student_layer, NULL, &width));
    GS_TRY(gs_projection_declare(place, "student", width, o->width, o->norm));
    GS_TRY(gs_projection_declare(place, "teacher", place->widths[0], o->width, o->norm));
done:
    return status;
}

typedef struct gcrd_context {
    gs_projection student, teacher;
} gcrd_context;

static gs_status prepare(const void *given, const gs_method_place *place, void **context) {
    const gcrd_options *o = given;
    gcrd_context *c = gs_calloc(1, sizeof *c);
    *context = c;
    if (!c)
        return GS_NO_MEMORY;
    gs_status status = gs_projection_open(place, "student", o->norm, &c->student);
    if (status == GS_OK)
        status = gs_projection_open(place, "teacher", o->norm, &c->teacher);
    return status;
}

/* -1/s sum over the s drawn nodes i of log softmax over the drawn nodes j of
   cos(P_s h_s,i, P_t h_t,j)/tau at j = i; P is a linear map, batch norm and ReLU, both learned */
static gs_var *loss(const void *given, const gs_view *view) {
    const gcrd_options *o = given;
    const gcrd_context *c = view->context;
    gs_tape *t = view->tape;
    gs_drawn d = gs_hidden_draw(view, "gcrd", o->samples);
    gs_var *student = gs_take_rows(t, gs_hidden_all(view, &o->hidden), d.row, d.count);
    gs_var *teacher = gs_take_rows(t, gs_hidden_teacher(view), d.pick, d.count);
    return gs_contrast(t, gs_unit_rows(t, gs_project(t, &c->student, student)),
                       gs_unit_rows(t, gs_project(t, &c->teacher, teacher)), o->temperature);
}

const gs_method gs_method_gcrd = {
    .abi = GS_ABI,
    .name = "gcrd",
    .summary = "Learns to tell a node's hidden row of the teacher from other nodes' (contrastive).",
    .source = "Joshi, Liu, Xun, Lin, Foo, TNNLS 2022 (G-CRD, arXiv 2111.04964).",
    .options = options,
    .options_bytes = sizeof(gcrd_options),
    .needs_of = gs_hidden_needs,
    .rows = gs_hidden_rows,
    .layer = gs_hidden_layer,
    .needs_taps = true,
    .declare = declare,
    .prepare = prepare,
    .release = gs_free,
    .loss = loss,
};
