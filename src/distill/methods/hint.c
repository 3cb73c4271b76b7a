/* hint.c - learning from a hidden layer of the teacher. */
#include "base/alloc.h"
#include "distill/hidden.h"

typedef struct hint_options {
    gs_hidden_options hidden;
    int projection;
    bool normalize;
} hint_options;

enum { LINEAR, NO_PROJECTION, BLOCK };

static const gs_option options[] = {
    GS_HIDDEN_ROWS,
    {"projection", GS_OPT_CHOICE, offsetof(hint_options, projection), "linear", 0, 0,
     "linear|none|block",
     "What is learned to take the student's layer to the teacher's width: a linear map, with batch "
     "norm and ReLU behind it (block), or nothing where the widths agree."},
    {"normalize", GS_OPT_BOOL, offsetof(hint_options, normalize), "false", 0, 0, NULL,
     "Compare directions: both sides' rows are divided by their length first."},
    {0}};

static gs_status declare(const void *given, const gs_method_place *place) {
    gs_status status = GS_OK;
    const hint_options *o = given;
    int64_t width;
    GS_TRY(gs_hidden_width(place->student, o->hidden.student_layer, NULL, &width));
    if (o->projection == NO_PROJECTION && width != place->widths[0])
        GS_FAIL(GS_BAD_USAGE,
                "projection=none compares layers of one width, but the student's is %lld wide and "
                "the teacher's %lld; leave it out or set hidden=%lld.",
                (long long)width, (long long)place->widths[0], (long long)place->widths[0]);
    if (o->projection != NO_PROJECTION)
        GS_TRY(gs_projection_declare(place, "student", width, place->widths[0],
                                     o->projection == BLOCK));
done:
    return status;
}

static gs_status prepare(const void *given, const gs_method_place *place, void **context) {
    const hint_options *o = given;
    if (o->projection == NO_PROJECTION)
        return GS_OK;
    *context = gs_calloc(1, sizeof(gs_projection));
    if (!*context)
        return GS_NO_MEMORY;
    return gs_projection_open(place, "student", o->projection == BLOCK, *context);
}

/* 1/(r d) sum over the r rows and the teacher's d columns of (g(h_s) - h_t)^2, g the projection;
   with `normalize` of (g(h_s)/|g(h_s)| - h_t/|h_t|)^2 */
static gs_var *loss(const void *given, const gs_view *view) {
    const hint_options *o = given;
    gs_tape *t = view->tape;
    gs_var *student = gs_hidden_student(view, &o->hidden), *teacher = gs_hidden_teacher(view);
    if (view->context)
        student = gs_project(t, view->context, student);
    if (o->normalize) {
        student = gs_unit_rows(t, student);
        teacher = gs_unit_rows(t, teacher);
    }
    return gs_mean_square(t, student, teacher);
}

const gs_method gs_method_hint = {
    .abi = GS_ABI,
    .name = "hint",
    .summary = "Learns from a hidden layer of the teacher through a learned projection.",
    .source = "Romero, Ballas, Kahou, Chassang, Gatta, Bengio, ICLR 2015 (FitNets, arXiv "
              "1412.6550); normalised as in Joshi, Liu, Xun, Lin, Foo, TNNLS 2022 (G-CRD).",
    .options = options,
    .options_bytes = sizeof(hint_options),
    .needs_of = gs_hidden_needs,
    .rows = gs_hidden_rows,
    .layer = gs_hidden_layer,
    .needs_taps = true,
    .declare = declare,
    .prepare = prepare,
    .release = gs_free,
    .loss = loss,
};
