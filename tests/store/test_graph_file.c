/* graph.h5: round trips, foreign dialects, refusals, memory. */
#include "base/log.h"
#include "store/graph_file.h"

#include "h5_helpers.h"
#include "store/nodes.h"

static void ck_same_graph(const gs_dataset *a, const gs_dataset *b) {
    char x[17], y[17];
    gs_dataset_hash(a, true, x);
    gs_dataset_hash(b, true, y);
    ck_assert_str_eq(x, y);
    ck_assert(a->n == b->n && a->f == b->f && a->c == b->c && a->directed == b->directed);
    ck_assert(gs_csr_equal(a->adjacency, b->adjacency));
    ck_assert(!a->x_sparse == !b->x_sparse);
    if (a->x_sparse)
        ck_assert(gs_csr_equal(a->x_sparse, b->x_sparse));
    if (a->x.data)
        ck_assert(memcmp(a->x.data, b->x.data, (size_t)(a->n * a->f) * sizeof(float)) == 0);
    ck_assert(!a->y == !b->y);
    if (a->y)
        ck_assert(memcmp(a->y, b->y, (size_t)a->n * sizeof(int32_t)) == 0);
    ck_assert(!a->labels == !b->labels && !a->graph == !b->graph && a->graphs == b->graphs);
    if (a->labels) {
        ck_assert(memcmp(a->labels, b->labels, (size_t)(a->n * a->c)) == 0);
        ck_assert(memcmp(a->labelled, b->labelled, (size_t)a->n) == 0);
    }
    if (a->graph)
        ck_assert(memcmp(a->graph, b->graph, (size_t)a->n * sizeof *a->graph) == 0);
    ck_assert(!a->id == !b->id && !a->id_text == !b->id_text);
    for (int64_t i = 0; i < a->n; i++) {
        char p[32], q[32];
        ck_assert_str_eq(gs_dataset_id(a, i, p), gs_dataset_id(b, i, q));
        if (a->original_index)
            ck_assert(a->original_index[i] == b->original_index[i]);
    }
    for (int64_t k = 0; a->class_names && k < a->c; k++)
        ck_assert_str_eq(a->class_names[k], b->class_names[k]);
    for (int64_t k = 0; a->feature_names && k < a->f; k++)
        ck_assert_str_eq(a->feature_names[k], b->feature_names[k]);
    ck_assert_int_eq(a->split_count, b->split_count);
    for (int64_t k = 0; k < a->split_count; k++) {
        ck_assert_str_eq(a->splits[k].name, b->splits[k].name);
        ck_assert(memcmp(a->splits[k].role, b->splits[k].role, (size_t)a->n) == 0);
    }
    if (a->provenance)
        ck_assert(gs_value_equal(a->provenance, b->provenance));
}

static char **texts(int64_t count, const char *format) {
    char **list = gs_calloc((size_t)count + 1, sizeof *list);
    for (int64_t k = 0; k < count; k++)
        list[k] = gs_format("%s %lld", format, (long long)k);
    return list;
}

/* Everything that a graph can have. */
static gs_dataset *rich_graph(bool sparse, bool text_ids) {
    gs_dataset *d = small_graph(40, sparse);
    uint8_t role[40];
    small_split(40, false, role);
    /* names in no alphabetical order, and one that is no link name */
    ck_ok(gs_dataset_add_split(d, "public", role));
    ck_ok(gs_dataset_add_split(d, "by year/2010 100%", role));
    role[3] = GS_HIDDEN_TEST;
    ck_ok(gs_dataset_add_split(d, "0", role));
    ck_ok(gs_dataset_add_split(d, ".", role));
    d->class_names = texts(d->c, "Klasse ä");
    d->feature_names = texts(d->f, "word");
    if (text_ids)
        d->id_text = texts(d->n, "paper");
    else
        d->id = gs_calloc(41, sizeof *d->id);
    d->original_index = gs_calloc(41, sizeof *d->original_index);
    for (int64_t i = 0; i < d->n; i++) {
        if (d->id)
            d->id[i] = (int64_t)1 << 40 | (i * 7);
        d->original_index[i] = 2 * i;
    }
    d->y[5] = -1;
    if (!d->provenance)
        d->provenance = gs_map();
    ck_ok(gs_map_set(d->provenance, "importer", gs_string("made for \"this\" test")));
    ck_ok(gs_dataset_check(d));
    return d;
}

static void round_trip(const gs_dataset *d) {
    gs_dataset *back = NULL;
    ck_ok(gs_graph_write(d, test_file("a.h5")));
    ck_ok(gs_graph_write(d, test_file("b.h5")));
    ck_same_file(test_file("a.h5"), test_file("b.h5"));
    ck_no_times(test_file("a.h5"));
    ck_ok(gs_graph_read(test_file("a.h5"), &back));
    ck_same_graph(d, back);
    /* what was read writes the same bytes again */
    ck_ok(gs_graph_write(back, test_file("c.h5")));
    ck_same_file(test_file("a.h5"), test_file("c.h5"));
    ck_assert_str_eq(gs_file_kind(test_file("a.h5")), "graph");
    ck_no_leftovers();
    gs_dataset_free(back);
}

START_TEST(round_trips) {
    for (int k = 0; k < 4; k++) {
        gs_dataset *d = rich_graph(k & 1, k & 2);
        round_trip(d);
        gs_dataset_free(d);
    }
    gs_dataset *karate = NULL;
    ck_ok(gs_dataset_karate(&karate));
    round_trip(karate);
    gs_dataset_free(karate);
    remove_test_folder();
}
END_TEST

START_TEST(several_labels_and_graphs_round_trip) {
    for (int k = 0; k < 4; k++) {
        gs_dataset *d = small_graphs(20, false);
        if (k & 1)
            d->class_names = texts(d->c, "label");
        for (int64_t i = 0; (k & 2) && i < 20; i += 3) { /* some are not known */
            d->labelled[i] = 0;
            memset(d->labels + i * d->c, 0, (size_t)d->c);
        }
        round_trip(d);
        gs_dataset_free(d);
    }
    remove_test_folder();
}
END_TEST

/* A file of ours, with one dataset of bytes put in the place of another. */
static void refuse_changed(const char *name, int rank, const hsize_t *dims, const int8_t *bytes) {
    gs_dataset *d = small_graphs(20, false), *back = NULL;
    ck_ok(gs_graph_write(d, test_file("a.h5")));
    hid_t f = H5Fopen(test_file("a.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
    H5Ldelete(f, name, H5P_DEFAULT);
    hid_t space = H5Screate_simple(rank, dims, NULL);
    hid_t set = H5Dcreate2(f, name, H5T_STD_I8LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert(set >= 0 &&
              H5Dwrite(set, H5T_NATIVE_INT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes) >= 0);
    H5Dclose(set);
    H5Sclose(space);
    H5Fclose(f);
    ck_fails(GS_BAD_INPUT, gs_graph_read(test_file("a.h5"), &back));
    ck_assert_ptr_null(back);
    gs_dataset_free(d);
}

START_TEST(broken_labels_and_graphs_are_refused) {
    int8_t bytes[80] = {0};
    refuse_changed("labels", 2, (hsize_t[]){19, 3}, bytes);
    refuse_changed("labels", 2, (hsize_t[]){20, 4}, bytes);
    refuse_changed("labels", 3, (hsize_t[]){20, 3, 1}, bytes);
    refuse_changed("nodes/graph", 1, (hsize_t[]){19}, bytes);
    bytes[7] = -1; /* not known, in other people's files; here the mask says so */
    refuse_changed("labels", 2, (hsize_t[]){20, 3}, bytes);
    refuse_changed("nodes/graph", 1, (hsize_t[]){20}, bytes);
    bytes[7] = 2;
    refuse_changed("labels", 2, (hsize_t[]){20, 3}, bytes);
    refuse_changed("nodes/graph", 1, (hsize_t[]){20}, bytes); /* there is no graph 1 */
    bytes[7] = 100;
    refuse_changed("nodes/graph", 1, (hsize_t[]){20}, bytes);
    bytes[7] = 1; /* an edge leaves its graph */
    refuse_changed("nodes/graph", 1, (hsize_t[]){20}, bytes);
    remove_test_folder();
}
END_TEST

static gs_dataset *tiny(int64_t n, int64_t edges, bool directed) {
    gs_dataset *d = gs_dataset_new();
    int64_t row[2] = {0, 1}, col[2] = {1, 0};
    d->n = n;
    d->directed = directed;
    ck_ok(gs_csr_build(n, n, edges, row, col, NULL, false, &d->adjacency));
    return d;
}

START_TEST(bare_graphs) {
    const struct {
        int64_t n, edges;
        bool directed;
    } cases[] = {{0, 0, false}, {1, 0, false}, {3, 0, false}, {2, 1, true}, {2, 2, false}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        gs_dataset *d = tiny(cases[k].n, cases[k].edges, cases[k].directed);
        round_trip(d);
        gs_dataset_free(d);
    }
    remove_test_folder();
}
END_TEST

/* ---- foreign files, made with the library's plain calls ---- */

static void put(hid_t at, const char *name, hid_t type, int64_t count, hid_t memory,
                const void *data) {
    hsize_t dim = (hsize_t)count;
    hid_t space = H5Screate_simple(1, &dim, NULL);
    hid_t d = H5Dcreate2(at, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert(d >= 0 && H5Dwrite(d, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
    H5Dclose(d);
    H5Sclose(space);
}

static void put_fixed_text(hid_t object, const char *name, const char *value) {
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, strlen(value));
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    hid_t a = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert(a >= 0 && H5Awrite(a, type, value) >= 0);
    H5Aclose(a);
    H5Sclose(space);
    H5Tclose(type);
}

static hid_t foreign(const char *path) {
    return H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
}

/* The path 0-1-2 in a dialect: nested or flat descriptor, variable or fixed text, format and index
   type as given. */
static void write_path(const char *path, const char *descriptor, bool fixed, const char *outer,
                       int64_t outer_count, const int *outer_data, hid_t type, int64_t nnz,
                       const int *inner, int64_t values, const float *value) {
    hid_t f = foreign(path);
    hid_t g = H5Gcreate2(f, "adjacency", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (fixed)
        put_fixed_text(g, "binsparse", descriptor);
    else
        ck_ok(h5_set_text(g, "binsparse", descriptor));
    put(g, outer, type, outer_count, H5T_NATIVE_INT, outer_data);
    put(g, "indices_1", type, nnz, H5T_NATIVE_INT, inner);
    put(g, "values", H5T_IEEE_F64LE, values, H5T_NATIVE_FLOAT, value);
    H5Gclose(g);
    H5Fclose(f);
}

#define KEYS(format, more)                                                                         \
    "\"version\":\"0.1\",\"format\":\"" format "\",\"shape\":[3,3],\"number_of_stored_values\":4"  \
    ",\"data_types\":{}" more

START_TEST(binsparse_dialects) {
    const int ptr[4] = {0, 1, 3, 4}, col[4] = {1, 0, 2, 1}, row[4] = {0, 1, 1, 2};
    const int lower_row[2] = {1, 2}, lower_col[2] = {0, 1};
    const float one[4] = {1, 1, 1, 1};
    const char *path = test_file("foreign.h5");
    for (int k = 0; k < 6; k++) {
        gs_dataset *d = NULL;
        h5_start();
        if (k == 0)
            write_path(path, "{\"binsparse\":{" KEYS("CSR", "") "}}", false, "pointers_to_1", 4,
                       ptr, H5T_STD_U16BE, 4, col, 4, one);
        if (k == 1)
            write_path(path, "{" KEYS("CSR", "") "}", true, "pointers_to_1", 4, ptr, H5T_STD_I8LE,
                       4, col, 1, one);
        if (k == 2)
            write_path(path, "{" KEYS("CSC", "") "}", false, "pointers_to_1", 4, ptr, H5T_STD_U64LE,
                       4, col, 4, one);
        if (k == 3)
            write_path(path, "{" KEYS("COOR", "") "}", false, "indices_0", 4, row, H5T_STD_I32LE, 4,
                       col, 4, one);
        if (k == 4)
            write_path(path, "{" KEYS("COO", ",\"structure\":\"symmetric_lower\"") "}", false,
                       "indices_0", 2, lower_row, H5T_STD_I32LE, 2, lower_col, 2, one);
        if (k == 5) { /* the matrix is the root of the file */
            hid_t f = foreign(path);
            ck_ok(h5_set_text(f, "binsparse", "{\"binsparse\":{" KEYS("CSR", "") "}}"));
            put(f, "pointers_to_1", H5T_STD_I32LE, 4, H5T_NATIVE_INT, ptr);
            put(f, "indices_1", H5T_STD_I32LE, 4, H5T_NATIVE_INT, col);
            H5Fclose(f);
        }
        ck_assert_str_eq(gs_file_kind(path), "graph");
        ck_ok(gs_graph_read(path, &d));
        ck_assert(d->n == 3 && d->adjacency->nnz == 4 && d->f == 0 && d->c == 0 && !d->y);
        ck_assert(d->adjacency->ptr[1] == 1 && d->adjacency->col[2] == 2);
        gs_dataset_free(d);
    }
    remove_test_folder();
}
END_TEST

START_TEST(an_anndata_group_with_labels_and_masks) {
    const int ptr[4] = {0, 1, 3, 4}, col[4] = {1, 0, 2, 1}, y[3] = {1, 0, -1}, role[3] = {1, 2, 3};
    const float one[4] = {2, 1, 1, 1};
    const int64_t shape[2] = {3, 3};
    const char *path = test_file("anndata.h5");
    gs_dataset *d = NULL;
    h5_start();
    hid_t f = foreign(path);
    for (int k = 0; k < 2; k++) {
        hid_t g =
            H5Gcreate2(f, k ? "features" : "adjacency", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        ck_ok(h5_set_text(g, "encoding-type", k ? "csc_matrix" : "csr_matrix"));
        ck_ok(h5_set_ints(g, "shape", shape, 2));
        put(g, "indptr", H5T_STD_I32LE, 4, H5T_NATIVE_INT, ptr);
        put(g, "indices", H5T_STD_I32LE, 4, H5T_NATIVE_INT, col);
        put(g, "data", H5T_IEEE_F32LE, 4, H5T_NATIVE_FLOAT, one);
        H5Gclose(g);
    }
    put(f, "labels", H5T_STD_I8LE, 3, H5T_NATIVE_INT, y);
    hid_t s = H5Gcreate2(f, "splits", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    put(s, "mine", H5T_STD_I64BE, 3, H5T_NATIVE_INT, role);
    H5Gclose(s);
    H5Fclose(f);
    ck_ok(gs_graph_read(path, &d));
    ck_assert(d->c == 2 && d->f == 3 && d->y[0] == 1 && d->y[2] == -1);
    ck_assert(d->splits[0].role[1] == GS_VALIDATION);
    /* CSC: the entry 2 stands in column 0, row 1 */
    gs_matrix x;
    ck_ok(gs_csr_to_dense(d->x_sparse, &x));
    ck_near(gs_row(&x, 1)[0], 2, 0);
    gs_matrix_free(&x);
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

/* ---- files that are wrong ---- */

static void refuse(const char *path, const char *words) {
    gs_dataset *d = NULL;
    ck_fails(GS_BAD_INPUT, gs_graph_read(path, &d));
    ck_assert_msg(strstr(gs_reason(), words) && strstr(gs_reason(), path), "'%s' lacks '%s'",
                  gs_reason(), words);
    ck_assert_ptr_null(d);
}

START_TEST(wrong_sparse_groups_are_refused) {
    const int ptr[4] = {0, 1, 3, 4}, bad_ptr[4] = {0, 3, 1, 4}, short_ptr[3] = {0, 1, 4};
    const int col[4] = {1, 0, 2, 1}, far[4] = {1, 0, 3, 1}, loop[4] = {0, 0, 2, 1};
    const float one[4] = {1, 1, 1, 1};
    const char *path = test_file("wrong.h5"), *good = "{" KEYS("CSR", "") "}";
    h5_start();
    write_path(path, good, false, "pointers_to_1", 4, bad_ptr, H5T_STD_I32LE, 4, col, 4, one);
    refuse(path, "pointers");
    write_path(path, good, false, "pointers_to_1", 3, short_ptr, H5T_STD_I32LE, 4, col, 4, one);
    refuse(path, "pointers");
    write_path(path, good, false, "pointers_to_1", 4, ptr, H5T_STD_I32LE, 4, far, 4, one);
    refuse(path, "outside 0 to 2");
    write_path(path, good, false, "pointers_to_1", 4, ptr, H5T_STD_I32LE, 4, loop, 4, one);
    refuse(path, "loop");
    write_path(path, good, false, "pointers_to_2", 4, ptr, H5T_STD_I32LE, 4, col, 4, one);
    refuse(path, "pointers_to_1");
    write_path(path, good, false, "pointers_to_1", 4, ptr, H5T_IEEE_F32LE, 4, col, 4, one);
    refuse(path, "integers");
    write_path(path, "{\"format\":\"DMATR\"}", false, "pointers_to_1", 4, ptr, H5T_STD_I32LE, 4,
               col, 4, one);
    refuse(path, "DMATR");
    write_path(path, "{\"format\":", false, "pointers_to_1", 4, ptr, H5T_STD_I32LE, 4, col, 4, one);
    refuse(path, "descriptor");
    write_path(path, "{\"format\":\"CSR\",\"shape\":[1152921504606846976,3]}", false,
               "pointers_to_1", 4, ptr, H5T_STD_I32LE, 4, col, 4, one);
    refuse(path, "rows");
    remove_test_folder();
}
END_TEST

START_TEST(other_files_are_refused) {
    gs_dataset *d = NULL;
    ck_fails(GS_BAD_IO, gs_graph_read(test_file("absent.h5"), &d));
    refuse(test_folder(), "folder");
    ck_ok(gs_file_write(test_file("text.h5"), "id,label\n", 9));
    refuse(test_file("text.h5"), "not an HDF5 file");
    ck_ok(gs_file_write(test_file("empty.h5"), "", 0));
    refuse(test_file("empty.h5"), "not an HDF5 file");
    ck_assert_ptr_null(gs_file_kind(test_file("text.h5")));
    h5_start();
    hid_t f = foreign(test_file("other.h5"));
    ck_ok(h5_set_text(f, "format", "graphstill.model"));
    H5Fclose(f);
    refuse(test_file("other.h5"), "graphstill.model");
    f = foreign(test_file("future.h5"));
    ck_ok(h5_set_text(f, "format", "graphstill.graph"));
    ck_ok(h5_set_int(f, "version", 99));
    H5Fclose(f);
    refuse(test_file("future.h5"), "version 99");
    remove_test_folder();
}
END_TEST

static void keep_warning(void *context, gs_log_level level, const char *sentence) {
    if (level == GS_LOG_WARNING)
        snprintf(context, 256, "%s", sentence);
}

/* Labels may be edited by any tool; the reader says so. */
START_TEST(a_changed_part_is_noticed) {
    gs_dataset *d = rich_graph(true, false), *again = NULL;
    const char *path = test_file("changed.h5");
    char warning[256] = "";
    int32_t other[40];
    ck_ok(gs_graph_write(d, path));
    gs_log_to(keep_warning, warning);
    ck_ok(gs_graph_read(path, &again));
    ck_assert_str_eq(warning, "");
    gs_dataset_free(again);
    memcpy(other, d->y, sizeof other);
    other[0] = (other[0] + 1) % 3;
    hid_t f = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t y = H5Dopen2(f, "labels", H5P_DEFAULT);
    H5Dwrite(y, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, other);
    H5Dclose(y);
    H5Fclose(f);
    ck_ok(gs_graph_read(path, &again));
    ck_assert_int_eq(again->y[0], other[0]);
    ck_assert_ptr_nonnull(strstr(warning, "changed"));
    gs_log_to(NULL, NULL);
    gs_dataset_free(again);
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

START_TEST(writing_into_nowhere) {
    gs_dataset *d = small_graph(10, false);
    ck_fails(GS_BAD_IO, gs_graph_write(d, test_file("no/such/folder/a.h5")));
    mkdir(test_file("taken"), 0777);
    ck_fails(GS_BAD_IO, gs_graph_write(d, test_file("taken")));
    ck_no_leftovers();
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

/* Every allocation fails once: no leak, no file, a clear status. */
START_TEST(memory_runs_out) {
    gs_dataset *d = rich_graph(true, true), *back = NULL;
    const char *path = test_file("memory.h5");
    int64_t failed = 0;
    ck_ok(gs_graph_write(d, path));
    ck_ok(gs_file_remove(path));
    for (int64_t k = 0;; k++) {
        int64_t before = gs_alloc_get_stats().live_blocks;
        gs_alloc_fail_at(k);
        gs_status status = gs_graph_write(d, path);
        gs_alloc_fail_at(-1);
        ck_assert_int_eq(gs_alloc_get_stats().live_blocks, before);
        ck_no_leftovers();
        if (status == GS_OK)
            break;
        ck_assert_int_eq(status, GS_NO_MEMORY);
        ck_assert(!gs_file_exists(path));
        failed++;
    }
    ck_assert_int_gt(failed, 5);
    ck_ok(gs_graph_read(path, &back)); /* GraphBLAS starts, the file is known */
    gs_dataset_free(back);
    for (int64_t k = 0;; k++) {
        int64_t before = gs_alloc_get_stats().live_blocks;
        gs_alloc_fail_at(k);
        gs_status status = gs_graph_read(path, &back);
        gs_alloc_fail_at(-1);
        if (status == GS_OK)
            break;
        ck_assert_msg(status == GS_NO_MEMORY, "%lld: %d %s", (long long)k, (int)status,
                      gs_reason());
        ck_assert_ptr_null(back);
        ck_assert_int_eq(gs_alloc_get_stats().live_blocks, before);
        failed++;
    }
    ck_assert_int_gt(failed, 50);
    gs_dataset_free(back);
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, several_labels_and_graphs_round_trip);
    tcase_add_test(tc, broken_labels_and_graphs_are_refused);
    tcase_add_test(tc, round_trips);
    tcase_add_test(tc, bare_graphs);
    tcase_add_test(tc, binsparse_dialects);
    tcase_add_test(tc, an_anndata_group_with_labels_and_masks);
    tcase_add_test(tc, wrong_sparse_groups_are_refused);
    tcase_add_test(tc, other_files_are_refused);
    tcase_add_test(tc, a_changed_part_is_noticed);
    tcase_add_test(tc, writing_into_nowhere);
    tcase_add_test(tc, memory_runs_out);
}
GS_TEST_MAIN("store graph file", add_tests)
