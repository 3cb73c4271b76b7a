/* Geom-GCN's texts and masks in memory: what is read, and how bad ones are named. */
#include "check_main.h"
#include "graph/csr.h"
#include "npz_helpers.h"
#include "store/importer.h"

#define HEAD "node_id\tfeature\tlabel\n"
#define LIST "node_id\tfeature(feature_amount:5)\tlabel\n"
#define NODES HEAD "2\t0,1,1\t1\n0\t1,0,0\t0\n1\t0,0,0\t1\n"
#define ARCS "node_id\tnode_id\n"
#define EDGES ARCS "0\t1\n1\t0\n1\t1\n2\t1\n"

typedef struct split_file {
    const char *name;
    uint8_t masks[3][4];
    int length; /* of the masks */
} split_file;

static char *archive_of_split(const split_file *s, int64_t *size) {
    static const char *const keys[] = {"train_mask", "val_mask", "test_mask"};
    array arrays[3];
    char shape[16];
    snprintf(shape, sizeof shape, "(%d,)", s->length);
    for (int m = 0; m < 3; m++)
        arrays[m] = array_of(keys[m], "|u1", shape, s->masks[m], (size_t)s->length);
    char *archive = archive_of(arrays, 3, size);
    for (int m = 0; m < 3; m++)
        free((char *)(uintptr_t)arrays[m].bytes);
    return archive;
}

/* Either text may be NULL: that file is absent. */
static gs_status read_files(const char *nodes, const char *edges, const split_file *splits,
                            int split_count, gs_dataset **out) {
    const char *names[4];
    const void *bytes[4];
    char *archives[2] = {NULL, NULL};
    int64_t sizes[4], count = 0;
    const char *texts[] = {nodes, edges};
    for (int k = 0; k < 2; k++)
        if (texts[k]) {
            names[count] = k ? "out1_graph_edges.txt" : "out1_node_feature_label.txt";
            bytes[count] = texts[k];
            sizes[count++] = (int64_t)strlen(texts[k]);
        }
    for (int k = 0; k < split_count; k++) {
        names[count] = splits[k].name;
        bytes[count] = archives[k] = archive_of_split(&splits[k], &sizes[count]);
        count++;
    }
    gs_source *source = NULL;
    ck_ok(gs_source_memory(names, bytes, sizes, count, &source));
    gs_status status = gs_import(source, NULL, NULL, out);
    gs_source_close(source);
    free(archives[0]);
    free(archives[1]);
    return status;
}

START_TEST(flags_labels_and_edges) {
    gs_dataset *d = NULL;
    ck_ok(read_files(NODES, EDGES, NULL, 0, &d));
    ck_assert_str_eq(gs_get_string(d->provenance, "importer", ""), "geomgcn");
    ck_assert(d->n == 3 && d->f == 3 && d->c == 2 && d->adjacency->nnz == 4 && !d->directed);
    ck_assert(d->y[0] == 0 && d->y[1] == 1 && d->y[2] == 1 && d->split_count == 0);
    ck_assert(d->x_sparse->nnz == 3 && !d->x_sparse->val && d->x_sparse->ptr[1] == 1);
    ck_assert(d->x_sparse->col[0] == 0 && d->x_sparse->col[1] == 1 && d->x_sparse->col[2] == 2);
    ck_assert_int_eq(gs_get_int(d->provenance, "self_loops_dropped", -1), 1);
    gs_dataset_free(d);
}
END_TEST

START_TEST(lists_of_features) {
    gs_dataset *d = NULL;
    ck_ok(read_files(LIST "1\t4,0,4\t1\r\n0\t\t0\r\n", ARCS, NULL, 0, &d));
    ck_assert(d->n == 2 && d->f == 5 && d->x_sparse->nnz == 2 && d->adjacency->nnz == 0);
    ck_assert(d->x_sparse->ptr[1] == 0 && d->x_sparse->col[0] == 0 && d->x_sparse->col[1] == 4);
    ck_assert_int_eq(gs_get_int(d->provenance, "repeated_features_merged", 0), 1);
    gs_dataset_free(d);
    /* film's own count is one too small */
    ck_ok(read_files(LIST "0\t5\t0\n", ARCS, NULL, 0, &d));
    ck_assert_int_eq(d->f, 6);
    gs_dataset_free(d);
    ck_ok(read_files(LIST "0\t\t0\n", ARCS, NULL, 0, &d));
    ck_assert(d->f == 0 && !d->x_sparse);
    gs_dataset_free(d);
}
END_TEST

START_TEST(splits_bear_the_numbers_of_their_files) {
    static const split_file splits[] = {
        {"toy_split_0.6_0.2_7.npz", {{1, 0, 0}, {0, 0, 1}, {0, 1, 0}}, 3},
        {"toy_split_0.6_0.2_3.npz", {{0, 0, 1}, {0, 0, 0}, {1, 0, 0}}, 3}};
    gs_dataset *d = NULL;
    ck_ok(read_files(NODES, EDGES, splits, 2, &d));
    ck_assert_str_eq(d->name, "toy");
    ck_assert_int_eq(d->split_count, 2);
    const uint8_t *seven = gs_dataset_split(d, "7")->role, *three = gs_dataset_split(d, "3")->role;
    ck_assert(seven[0] == GS_TRAIN && seven[1] == GS_TEST && seven[2] == GS_VALIDATION);
    ck_assert(three[0] == GS_TEST && three[1] == GS_UNUSED && three[2] == GS_TRAIN);
    gs_dataset_free(d);
}
END_TEST

static const struct {
    const char *nodes, *edges, *must;
} bad[] = {
    {"", EDGES, "label.txt holds no row"},
    {HEAD, EDGES, "no node"},
    {"0\t1,0\t0\n", ARCS, "line 1 must be a header"},
    {"node_id\tfeatures\tlabel\n0\t1\t0\n", ARCS, "'features'"},
    {"node_id\tfeature(feature_amount:x)\tlabel\n0\t1\t0\n", ARCS, "feature_amount:x"},
    {"node_id\tfeature(feature_amount:999999999)\tlabel\n0\t1\t0\n", ARCS, "at most"},
    {HEAD "0\t1,0\n", ARCS, "line 2 has 2 cells"},
    {HEAD "0\t1,0\t0\n2\t1,0\t0\n", ARCS, "line 3 has the node id '2'"},
    {HEAD "0\t1,0\t0\n0\t1,0\t0\n", ARCS, "second time"},
    {HEAD "-0\t1,0\t0\n", ARCS, "'-0'"},
    {HEAD "0\t1,0\tblue\n", ARCS, "line 2 has the label 'blue'"},
    {HEAD "0\t1,0\t99999999999999999999\n", ARCS, "label"},
    {HEAD "0\t1,0\t0\n1\t1\t0\n", ARCS, "line 3 has 1 features, but line 2 has 2"},
    {HEAD "0\t1,2\t0\n", ARCS, "line 2: the feature '2'"},
    {HEAD "0\t1,,0\t0\n", ARCS, "line 2: the feature ''"},
    {HEAD "0\t1,0,\t0\n", ARCS, "line 2: the feature ''"},
    {LIST "0\t1,6\t0\n", ARCS, "line 2: the feature '6'"},
    {LIST "0\t1,x4,2\t0\n", ARCS, "line 2: the feature 'x4'"},
    {LIST "0\t1,\t0\n", ARCS, "line 2: the feature '1'"},
    {LIST "0\t12345678901234567890\t0\n", ARCS, "line 2: the feature '1234567890"},
    {NODES, "", "edges.txt holds no row"},
    {NODES, "0\t1\n", "line 1 must be a header"},
    {NODES, ARCS "0\t1\n1\n", "line 3 has 1 cells"},
    {NODES, ARCS "0\t1\n1\t3\n", "line 3 names the node '3'"},
    {NODES, ARCS "0\tone\n", "line 2 names the node 'one'"},
    {NODES, ARCS "0\t1\n1\t2", "middle of a line"},
    {HEAD "0\t1,0\t0", ARCS, "middle of a line"},
};

START_TEST(bad_texts_are_named) {
    gs_dataset *d = NULL;
    ck_fails(GS_BAD_INPUT, read_files(bad[_i].nodes, bad[_i].edges, NULL, 0, &d));
    ck_assert_msg(strstr(gs_reason(), bad[_i].must) != NULL, "case %d: '%s' lacks '%s'", _i,
                  gs_reason(), bad[_i].must);
    ck_assert_ptr_null(d);
}
END_TEST

START_TEST(bad_splits_are_named) {
    static const split_file twice[] = {
        {"a_split_0.6_0.2_0.npz", {{1, 0, 0}, {0, 0, 1}, {0, 1, 0}}, 3},
        {"b_split_0.6_0.2_0.npz", {{1, 0, 0}, {0, 0, 1}, {0, 1, 0}}, 3}};
    static const split_file longer = {
        "a_split_0.6_0.2_0.npz", {{1, 0, 0, 0}, {0, 0, 1, 0}, {0, 1, 0, 0}}, 4};
    static const split_file shared = {
        "a_split_0.6_0.2_0.npz", {{1, 0, 0}, {0, 0, 1}, {0, 0, 1}}, 3};
    gs_dataset *d = NULL;
    ck_fails(GS_BAD_INPUT, read_files(NODES, EDGES, twice, 2, &d));
    ck_assert_ptr_nonnull(strstr(gs_reason(), "b_split_0.6_0.2_0.npz: Split 0 stands in another"));
    ck_fails(GS_BAD_INPUT, read_files(NODES, EDGES, &longer, 1, &d));
    ck_assert_ptr_nonnull(strstr(gs_reason(), "'train_mask' has 4 elements for 3 nodes"));
    ck_fails(GS_BAD_INPUT, read_files(NODES, EDGES, &shared, 1, &d));
    ck_assert_ptr_nonnull(strstr(gs_reason(), "Node 2 stands in two masks"));
}
END_TEST

/* Splits beside one of the texts: the other is asked for, rather than the format. */
START_TEST(a_missing_file_is_named) {
    static const split_file split = {"a_split_0.6_0.2_0.npz", {{1, 0, 0}, {0, 0, 1}, {0, 1, 0}}, 3};
    gs_dataset *d = NULL;
    ck_fails(GS_BAD_INPUT, read_files(NULL, EDGES, &split, 1, &d));
    ck_assert_ptr_nonnull(strstr(gs_reason(), "out1_node_feature_label.txt is missing"));
    ck_fails(GS_BAD_INPUT, read_files(NODES, NULL, &split, 1, &d));
    ck_assert_ptr_nonnull(strstr(gs_reason(), "out1_graph_edges.txt is missing"));
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, flags_labels_and_edges);
    tcase_add_test(tc, lists_of_features);
    tcase_add_test(tc, splits_bear_the_numbers_of_their_files);
    tcase_add_loop_test(tc, bad_texts_are_named, 0, (int)(sizeof bad / sizeof *bad));
    tcase_add_test(tc, bad_splits_are_named);
    tcase_add_test(tc, a_missing_file_is_named);
}

GS_TEST_MAIN("store geomgcn", add_tests)
