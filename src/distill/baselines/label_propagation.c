/* label_propagation.c - labels passed on along the edges, without features or parameters. */
#include "distill/baseline.h"
#include "distill/propagate.h"

typedef struct label_propagation_options {
    int adjacency;
    double alpha;
    int64_t steps;
} label_propagation_options;

static const gs_option options[] = {
    {"adjacency", GS_OPT_CHOICE, offsetof(label_propagation_options, adjacency), "DAD", 0, 0,
     PROPAGATE_CHOICES,
     "What labels are multiplied by in each step: D^-1/2 A D^-1/2, D^-1 A or A D^-1."},
    {"alpha", GS_OPT_FLOAT, offsetof(label_propagation_options, alpha), "0.9", 0, 1, NULL,
     "Share of a node's new scores that comes from its neighbours; the rest is its own label."},
    {"steps", GS_OPT_INT, offsetof(label_propagation_options, steps), "50", 0, 1e6, NULL,
     "Times that labels are passed on."},
    {0}};

/* Y <- clip01(alpha S Y + (1-alpha) Y0), Y0 one-hot rows of known labels, zeros elsewhere; the
   logits are log(Y / its row sum). */
static gs_status answer(const void *given, const gs_baseline_view *view, const gs_state *state,
                        gs_matrix *logits) {
    const label_propagation_options *o = given;
    gs_status status = GS_OK;
    gs_matrix start = {0};
    const propagation p = {
        .operator_kind = o->adjacency, .alpha = o->alpha, .steps = o->steps, .low = 0, .high = 1};
    (void)state;
    GS_TRY(gs_matrix_init(&start, logits->rows, logits->cols));
    propagate_one_hot(view->shown, &start);
    GS_TRY(propagate(view->operators, &p, &start, logits));
    propagate_to_logits(logits);
done:
    gs_matrix_free(&start);
    return status;
}

const gs_baseline gs_baseline_label_propagation = {
    .abi = GS_ABI,
    .name = "label_propagation",
    .summary = "Passes the known labels on along the edges; reads no features and learns nothing.",
    .source = "Zhou et al., NIPS 2003 (Learning with local and global consistency), with the "
              "operators and clipping of Huang et al., ICLR 2021 (arXiv 2010.13993).",
    .inputs = "graph",
    .options = options,
    .options_bytes = sizeof(label_propagation_options),
    .reads_labels = true,
    .answer = answer,
};
