/* nodes.csv: what the best seed says of every node, where the node stands, and how often the seeds
   that tested it were right. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "distill/multi_label.h"
#include "distill/strata.h"
#include "store/files.h"
#include "store/model_parts.h"
#include "store/run_seeds.h"
#include "store/text.h"

static void add_class(text *t, const gs_dataset *d, int64_t k) {
    if (k < 0)
        return;
    if (d->class_names && k < d->c)
        text_csv(t, d->class_names[k]);
    else
        text_add(t, "%lld", (long long)k);
}

/* The largest entry (the first among equals) and its softmax. */
static int64_t predict(const float *z, int64_t c, double *confidence) {
    int64_t top = 0;
    double sum = 0;
    for (int64_t k = 1; k < c; k++)
        if (z[k] > z[top])
            top = k;
    for (int64_t k = 0; k < c; k++)
        sum += exp((double)z[k] - (double)z[top]);
    *confidence = 1 / sum;
    return c > 0 ? top : -1;
}

/* The names of the classes that `labels` has (NULL: whose logit is above 0), between semicolons, as
   one field; "-" if there is none. */
static void add_classes(text *t, const gs_dataset *d, const uint8_t *labels, const float *z,
                        int64_t c) {
    text field = {0};
    for (int64_t k = 0; k < c; k++) {
        if (labels ? !labels[k] : !(z[k] > 0))
            continue;
        if (field.length > 0)
            text_add(&field, ";");
        if (d->class_names && k < d->c)
            text_add(&field, "%s", d->class_names[k]);
        else
            text_add(&field, "%lld", (long long)k);
    }
    text_csv(t, field.length > 0 ? field.data : "-");
    if (t->status == GS_OK)
        t->status = field.status;
    text_free(&field);
}

/* Several labels a node: those it has, if they are known; those predicted; how sure that is. */
static void add_decisions(text *t, const gs_dataset *d, int64_t i, const float *z, int64_t c) {
    if (d->labelled[i])
        add_classes(t, d, d->labels + i * d->c, NULL, d->c);
    text_add(t, ",");
    add_classes(t, d, NULL, z, c);
    text_add(t, ",");
    text_number(t, gs_multi_confidence(z, c));
}

static void add_node(text *t, const gs_dataset *d, int64_t i, int role, const float *z, int64_t c) {
    static const char *const roles[] = {"unused", "train", "validation", "test", "hidden_test"};
    char buffer[32];
    double confidence = 0;
    int64_t predicted = predict(z, c, &confidence);
    text_csv(t, gs_dataset_id(d, i, buffer));
    text_add(t, ",%s,", roles[role]);
    if (d->labels) {
        add_decisions(t, d, i, z, c);
        return;
    }
    add_class(t, d, d->y ? d->y[i] : -1);
    text_add(t, ",");
    add_class(t, d, predicted);
    text_add(t, ",");
    if (predicted >= 0)
        text_number(t, confidence);
}

/* Degree, homophily and hops, empty where there are none; then the counts. */
static void add_place(text *t, const gs_surroundings *s, int64_t i, const node_count *counts,
                      bool teacher) {
    text_add(t, ",%lld,", (long long)s->degree[i]);
    if (s->homophily && !isnan(s->homophily[i]))
        text_number(t, (double)s->homophily[i]);
    text_add(t, ",");
    if (s->hops[i] >= 0)
        text_add(t, "%d", s->hops[i]);
    text_add(t, ",%d,%d,", counts[i].tested, counts[i].right);
    if (teacher)
        text_add(t, "%d", counts[i].teacher_right);
    text_add(t, "\r\n");
}

static gs_status add_nodes(const gs_dataset *d, const gs_model_file *m, const model_logits *logits,
                           const node_count *counts, text *t) {
    gs_status status = GS_OK;
    gs_surroundings s = {0};
    GS_TRY(gs_surroundings_of(d, m->role, &s));
    text_add(t, "id,split,label,prediction,confidence,degree,homophily,hops,test_seeds,test_right,"
                "teacher_right\r\n");
    for (int64_t i = 0; i < d->n; i++) {
        add_node(t, d, i, m->role[i], model_logits_row(logits, m, i), m->c);
        add_place(t, &s, i, counts, m->teacher_prediction != NULL);
    }
    status = t->status;
done:
    gs_surroundings_free(&s);
    return status;
}

gs_status run_write_nodes(const char *folder, const run_seeds *r, const gs_dataset *data) {
    gs_status status = GS_OK;
    hid_t file = H5I_INVALID_HID;
    gs_model_file *m = NULL;
    model_logits logits = {0};
    text t = {0};
    char *path = gs_format("%s/nodes.csv", folder);
    if (!path)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(h5_open(r->list[r->best].path, &file));
    GS_TRY(model_read_open(file, &m));
    GS_TRY(model_logits_read(file, m, &logits));
    GS_TRY(add_nodes(data, m, &logits, r->nodes, &t));
    GS_TRY(gs_file_write(path, t.data, (int64_t)t.length));
done:
    h5_close(&file);
    text_free(&t);
    model_logits_free(&logits);
    gs_model_file_free(m);
    gs_free(path);
    return status;
}
