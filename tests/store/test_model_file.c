/* model.h5: what is written, its PyG shapes, that it reads back and predicts the same. */
#include "store/model_file.h"

#include "base/parallel.h"
#include "h5_helpers.h"
#include "store/graph_file.h"
#include "store/yaml.h"

#define GCN                                                                                        \
    "{\"model\": \"gcn\", \"hidden\": 8, \"epochs\": 6, \"patience\": 0, \"norm\": \"batch\","     \
    " \"keep\": \"all\"}"
#define GAT                                                                                        \
    "{\"model\": \"gat\", \"hidden\": 4, \"heads\": 2, \"epochs\": 4, \"patience\": 0,"            \
    " \"keep\": \"all\"}"

static gs_value *provenance(void) {
    gs_value *p = gs_map();
    ck_ok(gs_map_set(p, "command", gs_string("graphstill train gcn")));
    ck_ok(gs_map_set(p, "threads", gs_int(2)));
    ck_ok(gs_map_set(p, "seed", gs_int(999))); /* ours stands */
    return p;
}

static void ck_same_state(const gs_state *run, const gs_state *file) {
    int64_t kept = 0;
    for (int64_t k = 0; k < run->count; k++) {
        const gs_entry *a = run->entries[k];
        const gs_entry *b = gs_state_find(file, a->name);
        if (a->kind == GS_SLOT) {
            ck_assert_ptr_null(b);
            continue;
        }
        kept++;
        ck_assert_msg(b && b->kind == a->kind, "%s", a->name);
        ck_assert(b->value.rows == a->value.rows && b->value.cols == a->value.cols);
        ck_assert(b->transposed == a->transposed && b->layer == a->layer);
        ck_assert(memcmp(a->disk_shape, b->disk_shape, sizeof a->disk_shape) == 0);
        ck_assert(memcmp(a->value.data, b->value.data,
                         (size_t)(a->value.rows * a->value.cols) * sizeof(float)) == 0);
    }
    ck_assert_int_eq(file->count, kept);
}

static void shape_of(hid_t file, const char *name, int rank, int64_t a, int64_t b, int64_t c) {
    void *data = NULL;
    h5_shape s;
    gs_status status = h5_read(file, name, rank, NUMBER_F32, &data, &s);
    ck_assert_msg(status == GS_OK, "%s", gs_reason());
    const int64_t wanted[3] = {a, b, c};
    for (int k = 0; k < rank; k++)
        ck_assert_int_eq(s.dim[k], wanted[k]);
    gs_free(data);
}

START_TEST(a_run_comes_back) {
    gs_dataset *d = small_graph(60, true);
    gs_run *run = small_run(d, GCN, 7, true);
    gs_value *p = provenance();
    gs_model_file *m = NULL;
    const char *path = test_file("model.h5");
    char hash[17];
    ck_ok(gs_model_write(run, d, p, path));
    ck_assert_str_eq(gs_file_kind(path), "model");
    ck_ok(gs_model_read(path, &m));
    gs_dataset_hash(d, true, hash);
    ck_assert_str_eq(m->graph_hash, hash);
    ck_assert(m->seed == 7 && m->n == 60 && m->f == d->f && m->c == d->c);
    ck_assert(memcmp(m->role, run->role, 60) == 0);
    ck_assert(gs_value_equal(m->recipe, run->recipe));
    ck_assert(gs_value_equal(m->metrics, run->metrics));
    ck_assert_int_eq(gs_get_int(m->provenance, "seed", 0), 7);
    ck_assert_int_eq(gs_get_int(m->provenance, "threads", 0), 2);
    ck_assert_str_eq(gs_get_string(m->provenance, "command", ""), "graphstill train gcn");
    ck_same_state(run->state, m->state);
    gs_model_file_free(m);
    gs_value_free(p);
    gs_run_free(run);
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

/* What the score was taken apart into, and what the teacher said. */
START_TEST(strata_and_the_teacher_come_back) {
    gs_dataset *d = small_graph(60, false);
    gs_run *run = small_run(d, GCN, 7, true);
    gs_model_file *m = NULL;
    const char *path = test_file("model.h5");
    ck_ok(gs_model_write(run, d, NULL, path));
    ck_ok(gs_model_read(path, &m));
    ck_assert(run->strata && gs_value_equal(m->strata, run->strata));
    ck_assert_ptr_null(m->teacher_prediction);
    gs_model_file_free(m);
    run->teacher_prediction = gs_calloc(60, sizeof *run->teacher_prediction);
    for (int i = 0; i < 60; i++)
        run->teacher_prediction[i] = i % 3;
    ck_ok(gs_model_write(run, d, NULL, path));
    ck_ok(gs_model_read(path, &m));
    ck_assert(memcmp(m->teacher_prediction, run->teacher_prediction, 60 * sizeof(int32_t)) == 0);
    gs_model_file_free(m);
    run->teacher_prediction[4] = 3; /* a class that there is not */
    ck_ok(gs_model_write(run, d, NULL, path));
    ck_fails(GS_BAD_INPUT, gs_model_read(path, &m));
    run->teacher_prediction[4] = 0;
    ck_ok(gs_model_write(run, d, NULL, path));
    hid_t f = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    ck_assert(H5Ldelete(f, "strata/hops/accuracy", H5P_DEFAULT) >= 0);
    ck_assert(H5Lcreate_hard(f, "strata/degree/low", f, "strata/hops/accuracy", H5P_DEFAULT,
                             H5P_DEFAULT) >= 0);
    H5Fclose(f);
    ck_assert_int_lt(gs_map_get(run->strata, "degree")->count, 6); /* of hops there are 6 */
    ck_fails(GS_BAD_INPUT, gs_model_read(path, &m));
    gs_run_free(run);
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

START_TEST(several_labels_are_remembered) {
    gs_dataset *d = small_graphs(60, false), *single = small_graph(60, false);
    gs_run *run = small_run(d, GCN, 7, true), *other = small_run(single, GCN, 7, true);
    gs_model_file *m = NULL;
    ck_assert(run->multi_label && !other->multi_label);
    ck_ok(gs_model_write(run, d, NULL, test_file("model.h5")));
    ck_ok(gs_model_read(test_file("model.h5"), &m));
    ck_assert(m->multi_label && m->c == d->c);
    gs_model_file_free(m);
    ck_ok(gs_model_write(other, single, NULL, test_file("model.h5")));
    ck_ok(gs_model_read(test_file("model.h5"), &m));
    ck_assert(!m->multi_label);
    gs_model_file_free(m);
    gs_run_free(run);
    gs_run_free(other);
    gs_dataset_free(d);
    gs_dataset_free(single);
    remove_test_folder();
}
END_TEST

START_TEST(the_file_predicts_what_the_run_did) {
    gs_dataset *d = small_graph(60, true);
    gs_run *run = small_run(d, GCN, 3, false);
    gs_model_file *m = NULL;
    gs_model *model = NULL;
    gs_outputs out = {0};
    ck_ok(gs_model_write(run, d, NULL, test_file("model.h5")));
    ck_ok(gs_model_read(test_file("model.h5"), &m));
    ck_ok(gs_run_rebuild(m->recipe, m->seed, m->f, m->c, m->state, &model));
    ck_ok(gs_predict(m->recipe, model, d, m->role, NULL, &out));
    ck_assert(
        memcmp(out.logits.data, run->full.logits.data, (size_t)(d->n * d->c) * sizeof(float)) == 0);
    gs_outputs_free(&out);
    gs_model_free(model);
    gs_model_file_free(m);
    gs_run_free(run);
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

static void same_output(const char *path, const char *which, const char *name,
                        const gs_matrix *wanted) {
    gs_matrix m;
    gs_status status = gs_model_read_output(path, which, name, &m);
    ck_assert_msg(status == GS_OK, "%s", gs_reason());
    ck_assert(m.rows == wanted->rows && m.cols == wanted->cols);
    ck_assert(memcmp(m.data, wanted->data, (size_t)(m.rows * m.cols) * sizeof(float)) == 0);
    gs_matrix_free(&m);
}

START_TEST(outputs_and_history_stand_where_the_format_says) {
    gs_dataset *d = small_graph(50, false);
    gs_run *run = small_run(d, GCN, 1, true);
    const char *path = test_file("model.h5");
    gs_matrix none;
    ck_ok(gs_model_write(run, d, NULL, path));
    same_output(path, "full", "logits", &run->full.logits);
    same_output(path, "observed", "logits", &run->observed.logits);
    same_output(path, "full", "embeddings/0/pre", &run->full.pre[0]);
    same_output(path, "observed", "embeddings/0/post", &run->observed.post[0]);
    ck_fails(GS_BAD_INPUT, gs_model_read_output(path, "full", "nothing", &none));
    ck_assert_ptr_null(none.data);
    hid_t file;
    ck_ok(h5_open(path, &file));
    for (int64_t k = 0; k < run->history_count; k++) {
        char name[128];
        void *column = NULL;
        h5_shape s;
        snprintf(name, sizeof name, "history/%s", run->history_columns[k]);
        ck_ok(h5_read(file, name, 1, NUMBER_F64, &column, &s));
        ck_assert_int_eq(s.count, run->history.rows);
        double wanted = (double)gs_row(&run->history, 2)[k], got = ((double *)column)[2];
        ck_assert(got == wanted || (got != got && wanted != wanted));
        gs_free(column);
    }
    /* nothing that could give the labels of test nodes away */
    ck_assert(!h5_has(file, "labels"));
    h5_close(&file);
    gs_run_free(run);
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

START_TEST(parameters_have_the_shapes_of_pyg) {
    gs_dataset *d = small_graph(30, false);
    gs_run *gcn = small_run(d, GCN, 1, false), *gat = small_run(d, GAT, 1, false);
    hid_t file;
    ck_ok(gs_model_write(gcn, d, NULL, test_file("gcn.h5")));
    ck_ok(h5_open(test_file("gcn.h5"), &file));
    shape_of(file, "params/convs.0.lin.weight", 2, 8, d->f, 0);
    shape_of(file, "params/convs.0.bias", 1, 8, 0, 0);
    shape_of(file, "params/convs.1.lin.weight", 2, d->c, 8, 0);
    float *disk = NULL;
    h5_shape s;
    ck_ok(h5_read(file, "params/convs.0.lin.weight", 2, NUMBER_F32, (void **)&disk, &s));
    const gs_entry *e = gs_state_find(gcn->state, "convs.0.lin.weight");
    for (int64_t in = 0; in < d->f; in++)
        for (int64_t out = 0; out < 8; out++)
            ck_assert(disk[out * d->f + in] == gs_row(&e->value, in)[out]);
    gs_free(disk);
    h5_close(&file);
    ck_ok(gs_model_write(gat, d, NULL, test_file("gat.h5")));
    ck_ok(h5_open(test_file("gat.h5"), &file));
    shape_of(file, "params/convs.0.att_src", 3, 1, 2, 4);
    shape_of(file, "params/convs.0.lin.weight", 2, 8, d->f, 0);
    h5_close(&file);
    gs_run_free(gcn);
    gs_run_free(gat);
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

/* Weights into a node sum to 1; dst and src are rows of nodes/id, hidden ones absent while
 * training. */
START_TEST(attention_names_its_edges) {
    gs_dataset *d = small_graph(40, false);
    gs_run *run = small_run(d, GAT, 1, true);
    hid_t file;
    ck_ok(gs_model_write(run, d, NULL, test_file("gat.h5")));
    ck_ok(h5_open(test_file("gat.h5"), &file));
    for (int which = 0; which < 2; which++) {
        hid_t group;
        int64_t *dst, *src, count, other;
        gs_matrix weight;
        double sum[40][2] = {{0}};
        ck_ok(h5_group_open(
            file, which ? "outputs/observed/attention/0" : "outputs/full/attention/0", &group));
        ck_ok(h5_read_ints(group, "dst", 0, 39, &dst, &count));
        ck_ok(h5_read_ints(group, "src", 0, 39, &src, &other));
        ck_ok(h5_read_matrix(group, "weight", &weight));
        ck_assert(count == other && weight.rows == count && weight.cols == 2);
        for (int64_t e = 0; e < count; e++) {
            bool loop = dst[e] == src[e], edge = false;
            for (int64_t q = d->adjacency->ptr[dst[e]]; q < d->adjacency->ptr[dst[e] + 1]; q++)
                edge |= d->adjacency->col[q] == src[e];
            ck_assert_msg(loop || edge, "%lld-%lld is no edge", (long long)dst[e],
                          (long long)src[e]);
            if (which)
                ck_assert(run->role[dst[e]] != GS_HIDDEN_TEST &&
                          run->role[src[e]] != GS_HIDDEN_TEST);
            for (int h = 0; h < 2; h++)
                sum[dst[e]][h] += (double)gs_row(&weight, e)[h];
        }
        for (int i = 0; i < 40; i++)
            if (!which || run->role[i] != GS_HIDDEN_TEST)
                ck_near(sum[i][0] + sum[i][1], 2, 1e-5);
        gs_free(dst);
        gs_free(src);
        gs_matrix_free(&weight);
        h5_close(&group);
    }
    h5_close(&file);
    gs_run_free(run);
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

START_TEST(equal_runs_make_equal_files) {
    gs_dataset *d = small_graph(60, true);
    const char *a = test_file("a.h5"), *b = test_file("b.h5"), *c = test_file("c.h5");
    for (int k = 0; k < 3; k++) {
        gs_set_threads(k + 1);
        gs_run *run = small_run(d, GCN, k == 2, true);
        ck_ok(gs_model_write(run, d, NULL, k == 0 ? a : k == 1 ? b : c));
        gs_run_free(run);
    }
    ck_same_file(a, b);
    ck_no_times(a);
    char *x, *y;
    int64_t n, m;
    file_bytes(a, &x, &n);
    file_bytes(c, &y, &m);
    ck_assert_msg(n != m || memcmp(x, y, (size_t)n) != 0, "another seed made the same file");
    gs_free(x);
    gs_free(y);
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

START_TEST(labels_and_scales_are_there_for_others) {
    gs_dataset *d = small_graph(20, false);
    gs_run *run = small_run(d, GCN, 1, false);
    char *kind = NULL;
    ck_ok(gs_model_write(run, d, NULL, test_file("model.h5")));
    hid_t file = H5Fopen(test_file("model.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t logits = H5Dopen2(file, "outputs/full/logits", H5P_DEFAULT);
    ck_ok(h5_get_text(logits, "kind", &kind));
    ck_assert_str_eq(kind, "logits");
    gs_free(kind);
    ck_ok(h5_get_text(logits, "units", &kind));
    ck_assert_str_eq(kind, "nat");
    gs_free(kind);
    ck_ok(h5_get_text(logits, "role", &kind));
    ck_assert_str_eq(kind, "output");
    gs_free(kind);
    ck_assert(h5_has_attribute(logits, "DIMENSION_LIST"));
    ck_assert(h5_has_attribute(logits, "crc32"));
    H5Dclose(logits);
    h5_close(&file);
    gs_run_free(run);
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

START_TEST(wrong_models_are_refused) {
    gs_dataset *d = small_graph(20, false);
    gs_run *run = small_run(d, GCN, 1, false);
    gs_model_file *m = NULL;
    const char *path = test_file("model.h5");
    ck_ok(gs_graph_write(d, path));
    ck_fails(GS_BAD_INPUT, gs_model_read(path, &m));
    ck_assert(strstr(gs_reason(), "graphstill.graph") && strstr(gs_reason(), path));
    static const char *const parts[] = {"recipe", "metrics", "params", "params/convs.0.bias"};
    for (size_t k = 0; k < 4; k++) {
        gs_model *model = NULL;
        ck_ok(gs_model_write(run, d, NULL, path));
        hid_t f = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
        ck_assert(H5Ldelete(f, parts[k], H5P_DEFAULT) >= 0);
        H5Fclose(f);
        gs_status status = gs_model_read(path, &m);
        ck_assert_int_eq(status, GS_BAD_INPUT); /* a gap in the positions is noticed as well */
        ck_assert_ptr_null(m);
        ck_assert_ptr_null(model);
    }
    ck_ok(gs_model_write(run, d, NULL, path));
    hid_t f = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t bias = H5Dopen2(f, "params/convs.0.bias", H5P_DEFAULT);
    float other[8] = {1};
    H5Dwrite(bias, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, other);
    H5Dclose(bias);
    H5Fclose(f);
    ck_fails(GS_BAD_INPUT, gs_model_read(path, &m));
    ck_assert(strstr(gs_reason(), "checksum") != NULL);
    gs_run_free(run);
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

START_TEST(memory_runs_out) {
    gs_dataset *d = small_graph(20, false);
    gs_run *run = small_run(d, GAT, 1, true);
    gs_value *p = provenance();
    gs_model_file *m = NULL;
    const char *path = test_file("model.h5");
    for (int64_t k = 0;; k++) {
        int64_t before = gs_alloc_get_stats().live_blocks;
        gs_alloc_fail_at(k);
        gs_status status = gs_model_write(run, d, p, path);
        gs_alloc_fail_at(-1);
        ck_assert_int_eq(gs_alloc_get_stats().live_blocks, before);
        ck_no_leftovers();
        if (status == GS_OK)
            break;
        ck_assert_int_eq(status, GS_NO_MEMORY);
        ck_assert(!gs_file_exists(path));
    }
    ck_ok(gs_model_read(path, &m));
    gs_model_file_free(m);
    for (int64_t k = 0;; k++) {
        int64_t before = gs_alloc_get_stats().live_blocks;
        gs_alloc_fail_at(k);
        gs_status status = gs_model_read(path, &m);
        gs_alloc_fail_at(-1);
        if (status == GS_OK) {
            ck_assert_int_gt(k, 50);
            break;
        }
        ck_assert_msg(status == GS_NO_MEMORY, "%lld: %d %s", (long long)k, (int)status,
                      gs_reason());
        ck_assert_int_eq(gs_alloc_get_stats().live_blocks, before);
    }
    gs_model_file_free(m);
    gs_value_free(p);
    gs_run_free(run);
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, a_run_comes_back);
    tcase_add_test(tc, strata_and_the_teacher_come_back);
    tcase_add_test(tc, several_labels_are_remembered);
    tcase_add_test(tc, the_file_predicts_what_the_run_did);
    tcase_add_test(tc, outputs_and_history_stand_where_the_format_says);
    tcase_add_test(tc, parameters_have_the_shapes_of_pyg);
    tcase_add_test(tc, attention_names_its_edges);
    tcase_add_test(tc, equal_runs_make_equal_files);
    tcase_add_test(tc, labels_and_scales_are_there_for_others);
    tcase_add_test(tc, wrong_models_are_refused);
    tcase_add_test(tc, memory_runs_out);
}
GS_TEST_MAIN("store model file", add_tests)
