/* Teachers from any file: rows are matched by node, whatever their order and type, or refused. */
#include <math.h>
#include <zip.h>

#include "h5_helpers.h"
#include "store/graph_file.h"
#include "store/model_file.h"

#define N 40

/* What a stranger's program would write: plain calls, no attribute of ours. */
typedef struct stranger {
    hid_t logits_type, id_type;
    bool text_ids, no_ids, no_split, chunked, shuffled;
    const char *name; /* of the logits */
    int64_t extra;    /* rows for nodes that the graph does not have */
    int64_t missing;  /* graph nodes without a row, from the end */
    int64_t width;
    float poison; /* put into one entry if not 0 */
} stranger;

static const stranger plain = {.name = "outputs/full/logits", .width = 3};

static hid_t dataset(hid_t f, const char *name, hid_t type, int rank, const hsize_t *dims,
                     bool chunked) {
    hid_t links = H5Pcreate(H5P_LINK_CREATE), p = H5Pcreate(H5P_DATASET_CREATE);
    hid_t space = H5Screate_simple(rank, dims, NULL);
    const hsize_t chunk[2] = {7, 2};
    H5Pset_create_intermediate_group(links, 1);
    if (chunked) {
        H5Pset_chunk(p, rank, chunk);
        H5Pset_deflate(p, 4);
    }
    hid_t d = H5Dcreate2(f, name, type, space, links, p, H5P_DEFAULT);
    ck_assert(d >= 0);
    H5Pclose(links);
    H5Pclose(p);
    H5Sclose(space);
    return d;
}

static float value_of(int64_t node, int64_t k) { return (float)node + 0.25f * (float)k; }

/* Row r of the file belongs to this node. */
static int64_t node_of(const stranger *s, int64_t r, int64_t rows) {
    return s->shuffled ? (r * 17 + 5) % rows : r;
}

static void write_stranger(const char *path, const gs_dataset *d, const stranger *s) {
    int64_t rows = d->n + s->extra - s->missing;
    hsize_t dims[2] = {(hsize_t)rows, (hsize_t)s->width};
    float *x = gs_calloc((size_t)(rows * s->width), sizeof *x);
    int64_t *id = gs_calloc((size_t)rows, sizeof *id);
    int *role = gs_calloc((size_t)rows, sizeof *role);
    char **names = gs_calloc((size_t)rows, sizeof *names), buffer[32];
    h5_start();
    for (int64_t r = 0; r < rows; r++) {
        int64_t node = node_of(s, r, rows);
        id[r] = node < d->n ? (d->id ? d->id[node] : node) : 1000000 + node;
        names[r] = gs_strdup(node < d->n ? gs_dataset_id(d, node, buffer) : "stranger");
        role[r] = (int)(node % 4);
        for (int64_t k = 0; k < s->width; k++)
            x[r * s->width + k] = value_of(node, k);
        if (s->poison != 0 && node == 11)
            x[r * s->width] = s->poison;
    }
    hid_t f = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t l =
        dataset(f, s->name, s->logits_type ? s->logits_type : H5T_IEEE_F32LE, 2, dims, s->chunked);
    H5Dwrite(l, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, x);
    H5Dclose(l);
    if (!s->no_ids) {
        hid_t text = H5Tcopy(H5T_C_S1);
        H5Tset_size(text, H5T_VARIABLE);
        hid_t type = s->text_ids ? text : s->id_type ? s->id_type : H5T_STD_I64LE;
        hid_t i = dataset(f, "nodes/id", type, 1, dims, false);
        H5Dwrite(i, s->text_ids ? text : H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                 s->text_ids ? (void *)names : (void *)id);
        H5Dclose(i);
        H5Tclose(text);
    }
    if (!s->no_split) {
        hid_t r = dataset(f, "nodes/split", H5T_STD_I16BE, 1, dims, false);
        H5Dwrite(r, H5T_NATIVE_INT, H5S_ALL, H5S_ALL, H5P_DEFAULT, role);
        H5Dclose(r);
    }
    H5Fclose(f);
    for (int64_t r = 0; r < rows; r++)
        gs_free(names[r]);
    gs_free(names);
    gs_free(x);
    gs_free(id);
    gs_free(role);
}

/* Every row of the teacher belongs to its node. */
static void ck_aligned(const gs_teacher *t, const char *name, int64_t width) {
    const gs_teacher_array *a = gs_teacher_array_find(t, name);
    gs_matrix all, some;
    const int64_t ids[5] = {39, 0, 7, 8, 7};
    ck_assert_msg(a != NULL, "no array %s", name);
    ck_assert(a->rows.n == N && a->rows.width == width);
    ck_ok(gs_matrix_init(&all, N, width));
    ck_ok(gs_matrix_init(&some, 5, width));
    ck_ok(gs_rows_read(&a->rows, NULL, N, &all));
    ck_ok(gs_rows_read(&a->rows, ids, 5, &some));
    for (int64_t i = 0; i < N; i++)
        for (int64_t k = 0; k < width; k++)
            ck_near(gs_row(&all, i)[k], value_of(i, k), 0);
    for (int64_t q = 0; q < 5; q++)
        for (int64_t k = 0; k < width; k++)
            ck_near(gs_row(&some, q)[k], value_of(ids[q], k), 0);
    gs_matrix_free(&all);
    gs_matrix_free(&some);
}

START_TEST(ten_lines_of_anybody) {
    gs_dataset *d = small_graph(N, false);
    stranger cases[9];
    for (int k = 0; k < 9; k++)
        cases[k] = plain;
    cases[1].shuffled = true;
    cases[2].logits_type = H5T_IEEE_F64BE;
    cases[2].id_type = H5T_STD_U16LE;
    cases[2].shuffled = true;
    cases[3].text_ids = cases[3].shuffled = true;
    cases[4].no_ids = cases[4].no_split = true;
    cases[5].chunked = cases[5].shuffled = true;
    cases[6].name = "outputs/logits";
    cases[7].name = "outputs/observed/logits";
    cases[7].id_type = H5T_STD_I8LE;
    cases[8].extra = 9;
    cases[8].shuffled = true;
    for (int k = 0; k < 9; k++) {
        gs_teacher *t = NULL;
        write_stranger(test_file("t.h5"), d, &cases[k]);
        ck_assert_str_eq(gs_file_kind(test_file("t.h5")), "outputs");
        gs_status status = gs_teacher_open(test_file("t.h5"), NULL, d, &t);
        ck_assert_msg(status == GS_OK, "case %d: %s", k, gs_reason());
        ck_assert_int_eq(gs_teacher_array_find(t, "logits")->kind, GS_LOGITS);
        ck_aligned(t, "logits", 3);
        ck_assert(!t->role == cases[k].no_split);
        for (int64_t i = 0; t->role && i < N; i++)
            ck_assert_int_eq(t->role[i], i % 4);
        ck_assert_ptr_null(t->recipe);
        gs_teacher_free(t);
    }
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

START_TEST(ids_of_the_graph_may_be_texts_or_large) {
    gs_dataset *d = small_graph(N, false);
    d->id = gs_calloc(N + 1, sizeof *d->id);
    for (int64_t i = 0; i < N; i++)
        d->id[i] = 5000000000 - 3 * i;
    stranger s = plain;
    s.shuffled = true;
    for (int k = 0; k < 2; k++) {
        gs_teacher *t = NULL;
        s.text_ids = k == 1;
        write_stranger(test_file("t.h5"), d, &s);
        ck_ok(gs_teacher_open(test_file("t.h5"), NULL, d, &t));
        ck_aligned(t, "logits", 3);
        gs_teacher_free(t);
    }
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

static void refuse(const gs_dataset *d, const stranger *s, gs_status code, const char *kind,
                   const char *words) {
    gs_teacher *t = NULL;
    write_stranger(test_file("t.h5"), d, s);
    ck_fails(code, gs_teacher_open(test_file("t.h5"), kind, d, &t));
    ck_assert_msg(strstr(gs_reason(), words), "'%s' lacks '%s'", gs_reason(), words);
    ck_assert_ptr_null(t);
}

START_TEST(rows_that_do_not_fit_are_refused) {
    gs_dataset *d = small_graph(N, false);
    stranger s = plain;
    s.missing = 3;
    refuse(d, &s, GS_BAD_INPUT, NULL, "no row for node '37' and 2 more");
    s = plain;
    s.no_ids = true;
    s.extra = 2;
    refuse(d, &s, GS_BAD_INPUT, NULL, "42 rows do not match the 40 nodes");
    s = plain;
    s.width = 4;
    refuse(d, &s, GS_BAD_INPUT, NULL, "4 classes, but the graph has 3");
    s = plain;
    s.name = "elsewhere/logits";
    refuse(d, &s, GS_BAD_INPUT, NULL, "outputs");
    s = plain;
    s.extra = 2;
    s.text_ids = true; /* both are called "stranger" */
    refuse(d, &s, GS_BAD_INPUT, NULL, "two rows");
    refuse(d, &plain, GS_BAD_USAGE, "feelings", "feelings");
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

/* Their files lie in memory side by side, each under a name of its own. */
START_TEST(two_teachers_are_open_at_once) {
    gs_dataset *d = small_graph(N, false);
    stranger other = plain;
    gs_teacher *a = NULL, *b = NULL;
    gs_matrix row;
    const int64_t node = 11;
    other.poison = 5;
    write_stranger(test_file("a.h5"), d, &plain);
    write_stranger(test_file("b.h5"), d, &other);
    ck_ok(gs_matrix_init(&row, 1, 3));
    ck_ok(gs_teacher_open(test_file("a.h5"), NULL, d, &a));
    ck_ok(gs_teacher_open(test_file("b.h5"), NULL, d, &b));
    ck_ok(gs_rows_read(&gs_teacher_array_find(b, "logits")->rows, &node, 1, &row));
    ck_near(row.data[0], 5, 0);
    ck_ok(gs_rows_read(&gs_teacher_array_find(a, "logits")->rows, &node, 1, &row));
    ck_near(row.data[0], value_of(11, 0), 0);
    gs_teacher_free(a);
    gs_teacher_free(b);
    gs_matrix_free(&row);
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

START_TEST(numbers_that_are_none_name_the_node) {
    gs_dataset *d = small_graph(N, false);
    const float poison[2] = {NAN, INFINITY};
    for (int k = 0; k < 2; k++) {
        gs_teacher *t = NULL;
        gs_matrix m;
        const int64_t good[2] = {10, 12}, bad[2] = {10, 11};
        stranger s = plain;
        s.shuffled = true;
        s.poison = poison[k];
        write_stranger(test_file("t.h5"), d, &s);
        ck_ok(gs_teacher_open(test_file("t.h5"), NULL, d, &t));
        const gs_teacher_array *a = gs_teacher_array_find(t, "logits");
        ck_ok(gs_matrix_init(&m, 2, 3));
        ck_ok(gs_rows_read(&a->rows, good, 2, &m));
        ck_fails(GS_BAD_INPUT, gs_rows_read(&a->rows, bad, 2, &m));
        ck_assert_msg(strstr(gs_reason(), "node '11'"), "%s", gs_reason());
        gs_matrix_free(&m);
        gs_teacher_free(t);
    }
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

START_TEST(kinds_are_said_or_given) {
    gs_dataset *d = small_graph(N, false);
    gs_teacher *t = NULL;
    const char *path = test_file("t.h5");
    write_stranger(path, d, &plain);
    ck_ok(gs_teacher_open(path, "log_probs", d, &t));
    ck_assert_int_eq(gs_teacher_array_find(t, "logits")->kind, GS_LOG_PROBS);
    gs_teacher_free(t);
    hid_t f = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t l = H5Dopen2(f, "outputs/full/logits", H5P_DEFAULT);
    ck_ok(h5_set_text(l, "kind", "probs"));
    H5Dclose(l);
    H5Fclose(f);
    ck_ok(gs_teacher_open(path, NULL, d, &t));
    ck_assert_int_eq(gs_teacher_array_find(t, "logits")->kind, GS_PROBS);
    gs_teacher_free(t);
    ck_ok(gs_teacher_open(path, "probs", d, &t));
    gs_teacher_free(t);
    ck_fails(GS_BAD_USAGE, gs_teacher_open(path, "logits", d, &t));
    /* probabilities under their own name serve as the prediction */
    stranger s = plain;
    s.name = "outputs/full/probs";
    write_stranger(path, d, &s);
    ck_ok(gs_teacher_open(path, NULL, d, &t));
    ck_assert_int_eq(gs_teacher_array_find(t, "logits")->kind, GS_PROBS);
    gs_teacher_free(t);
    /* embeddings alone are a teacher */
    s.name = "outputs/full/embeddings/0/post";
    s.width = 5;
    write_stranger(path, d, &s);
    ck_ok(gs_teacher_open(path, NULL, d, &t));
    ck_assert_ptr_null(gs_teacher_array_find(t, "logits"));
    ck_assert_int_eq(gs_teacher_array_find(t, "embeddings/0/post")->kind, GS_EMBEDDING);
    ck_aligned(t, "embeddings/0/post", 5);
    gs_teacher_free(t);
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

/* Larger than what is kept in memory: 64 MB = 2^24 floats. */
START_TEST(large_arrays_are_streamed) {
    gs_dataset *d = small_graph(N, false);
    const int64_t rows = 5000, width = 3600;
    const char *path = test_file("t.h5");
    hsize_t dims[2] = {(hsize_t)rows, (hsize_t)width}, one[2] = {1, (hsize_t)width};
    gs_teacher *t = NULL;
    float *row = gs_calloc((size_t)width, sizeof *row);
    int64_t *id = gs_calloc((size_t)rows, sizeof *id);
    h5_start();
    hid_t f = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t x = dataset(f, "outputs/full/embeddings/0/post", H5T_IEEE_F32LE, 2, dims, false);
    hid_t file_space = H5Dget_space(x), memory = H5Screate_simple(2, one, NULL);
    for (int64_t r = 0; r < rows; r++) {
        hsize_t start[2] = {(hsize_t)r, 0};
        id[r] = (r * 1237 + 11) % rows; /* 1237 and 5000 have no common factor */
        for (int64_t k = 0; k < width; k++)
            row[k] = value_of(id[r], k);
        H5Sselect_hyperslab(file_space, H5S_SELECT_SET, start, NULL, one, NULL);
        ck_assert(H5Dwrite(x, H5T_NATIVE_FLOAT, memory, file_space, H5P_DEFAULT, row) >= 0);
    }
    H5Sclose(file_space);
    H5Sclose(memory);
    H5Dclose(x);
    x = dataset(f, "nodes/id", H5T_STD_I32LE, 1, dims, false);
    H5Dwrite(x, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, id);
    H5Dclose(x);
    H5Fclose(f);
    gs_free(row);
    gs_free(id);
    int64_t before = gs_alloc_get_stats().live_bytes;
    ck_ok(gs_teacher_open(path, NULL, d, &t));
    ck_aligned(t, "embeddings/0/post", width);
    ck_assert_int_lt(gs_alloc_get_stats().live_bytes - before, 16 << 20);
    gs_teacher_free(t);
    ck_assert_int_eq(gs_alloc_get_stats().live_bytes, before);
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

/* A model of ours: hidden nodes come from the whole graph, all others from the training graph. */
START_TEST(our_own_models_teach) {
    gs_dataset *d = small_graph(N, true);
    gs_run *run = small_run(
        d, "{\"model\": \"gcn\", \"hidden\": 4, \"epochs\": 3, \"keep\": \"all\"}", 1, true);
    gs_teacher *t = NULL;
    gs_matrix m;
    ck_ok(gs_model_write(run, d, NULL, test_file("m.h5")));
    ck_ok(gs_teacher_open(test_file("m.h5"), NULL, d, &t));
    ck_assert(gs_value_equal(t->recipe, run->recipe));
    ck_assert(memcmp(t->role, run->role, N) == 0);
    ck_assert(gs_teacher_array_find(t, "embeddings/0/pre") != NULL);
    ck_assert(gs_teacher_array_find(t, "embeddings/1/post") != NULL);
    ck_ok(gs_matrix_init(&m, N, 3));
    ck_ok(gs_rows_read(&gs_teacher_array_find(t, "logits")->rows, NULL, N, &m));
    bool differs = false;
    for (int64_t i = 0; i < N; i++) {
        const gs_matrix *from =
            run->role[i] == GS_HIDDEN_TEST ? &run->full.logits : &run->observed.logits;
        ck_assert(memcmp(gs_row(&m, i), gs_row(from, i), 3 * sizeof(float)) == 0);
        differs |= run->role[i] != GS_HIDDEN_TEST &&
                   memcmp(gs_row(&m, i), gs_row(&run->full.logits, i), 3 * sizeof(float)) != 0;
    }
    ck_assert(differs);
    gs_matrix_free(&m);
    gs_teacher_free(t);
    gs_run_free(run);
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

START_TEST(our_own_models_answer) {
    gs_dataset *d = small_graph(60, false), other = *d;
    gs_run *run = small_run(d, "{\"model\": \"gcn\", \"hidden\": 8, \"epochs\": 5}", 3, true);
    gs_run *second = small_run(d, "{\"model\": \"gcn\", \"hidden\": 8, \"epochs\": 5}", 4, true);
    gs_teacher *t = NULL, *u = NULL, *stranger_of = NULL;
    gs_matrix said = {0}, x = {0};
    gs_outputs wanted = {0};
    ck_ok(gs_model_write(run, d, NULL, test_file("run.h5")));
    ck_ok(gs_model_write(second, d, NULL, test_file("second.h5")));
    ck_ok(gs_teacher_open(test_file("run.h5"), NULL, d, &t));
    ck_ok(gs_teacher_open(test_file("second.h5"), NULL, d, &u)); /* while the first is open */
    ck_assert_ptr_nonnull(t->answer);
    ck_ok(t->answer(t->answer_context, d, &said));
    ck_assert(gs_matrix_distance(&said, &run->full.logits) < 1e-6);
    gs_matrix_free(&said);
    ck_ok(u->answer(u->answer_context, d, &said));
    ck_assert(gs_matrix_distance(&said, &second->full.logits) < 1e-6);
    gs_matrix_free(&said);
    ck_ok(gs_matrix_copy(&x, &d->x));
    for (int64_t i = 0; i < x.rows * x.cols; i++)
        x.data[i] += (float)(i % 5) - 2;
    other.x = x;
    ck_ok(t->answer(t->answer_context, &other, &said));
    ck_ok(gs_predict(run->recipe, run->model, &other, NULL, NULL, &wanted));
    ck_assert(gs_matrix_distance(&said, &wanted.logits) < 1e-6);
    ck_assert(gs_matrix_distance(&said, &run->full.logits) > 1e-3);
    gs_matrix_free(&said);
    other.f = 5;
    ck_fails(GS_BAD_INPUT, t->answer(t->answer_context, &other, &said));
    gs_teacher_free(t);
    gs_teacher_free(u);
    stranger s = plain;
    gs_dataset *small = small_graph(N, false);
    write_stranger(test_file("t.h5"), small, &s);
    ck_ok(gs_teacher_open(test_file("t.h5"), NULL, small, &stranger_of));
    ck_assert(stranger_of->answer == NULL);
    gs_teacher_free(stranger_of);
    gs_outputs_free(&wanted);
    gs_matrix_free(&x);
    gs_run_free(run);
    gs_run_free(second);
    gs_dataset_free(small);
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

START_TEST(prepared_features_are_not_prepared_again) {
    gs_dataset *d = small_graph(60, false);
    gs_run *run =
        small_run(d, "{\"model\": \"gcn\", \"epochs\": 3, \"normalize_features\": true}", 3, true);
    gs_teacher *t = NULL;
    gs_matrix said = {0};
    ck_ok(gs_model_write(run, d, NULL, test_file("run.h5")));
    ck_ok(gs_teacher_open(test_file("run.h5"), NULL, d, &t));
    ck_ok(t->answer(t->answer_context, d, &said));
    ck_assert(gs_matrix_distance(&said, &run->full.logits) > 1e-3);
    gs_matrix_free(&said);
    ck_ok(gs_dataset_normalize_rows(d));
    ck_ok(t->answer(t->answer_context, d, &said));
    ck_assert(gs_matrix_distance(&said, &run->full.logits) < 1e-6);
    gs_matrix_free(&said);
    gs_teacher_free(t);
    gs_run_free(run);
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

START_TEST(tables_need_a_kind) {
    gs_dataset *d = small_graph(N, false);
    char plain_rows[4096] = "", with_ids[4096] = "a,b,c\r\n", headed[4096] = "id,x,y,z\n";
    for (int64_t i = 0; i < N; i++) {
        int64_t node = (i * 7 + 3) % N;
        char line[128];
        snprintf(line, sizeof line, "%g,%g, %g\n", (double)value_of(i, 0), (double)value_of(i, 1),
                 (double)value_of(i, 2));
        strcat(plain_rows, line);
        strcat(with_ids, line);
        snprintf(line, sizeof line, "\"%d\",%g,%g,%g\n", (int)node, (double)value_of(node, 0),
                 (double)value_of(node, 1), (double)value_of(node, 2));
        strcat(headed, line);
    }
    const char *const files[3] = {plain_rows, with_ids, headed};
    for (int k = 0; k < 3; k++) {
        gs_teacher *t = NULL;
        ck_ok(gs_file_write(test_file("t.csv"), files[k], (int64_t)strlen(files[k])));
        ck_fails(GS_BAD_USAGE, gs_teacher_open(test_file("t.csv"), NULL, d, &t));
        ck_ok(gs_teacher_open(test_file("t.csv"), "probs", d, &t));
        ck_assert_int_eq(gs_teacher_array_find(t, "logits")->kind, GS_PROBS);
        ck_assert_ptr_null(t->role);
        ck_aligned(t, "logits", 3);
        gs_teacher_free(t);
    }
    static const char *const wrong[][2] = {
        {"1,2,3\n1,2\n", "Line 2"}, {"1,2,3\n1,2,x\n", "'x'"}, {"1,2,3\n1,2,3,4\n", "Line 2"},
        {"1,2,3\n", "1 rows"},      {"", "first line"},        {"id\n1\n", "first line"}};
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        gs_teacher *t = NULL;
        ck_ok(gs_file_write(test_file("t.csv"), wrong[k][0], (int64_t)strlen(wrong[k][0])));
        ck_fails(GS_BAD_INPUT, gs_teacher_open(test_file("t.csv"), "logits", d, &t));
        ck_assert_msg(strstr(gs_reason(), wrong[k][1]), "%s", gs_reason());
    }
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

START_TEST(probabilities_are_such) {
    float sound[] = {0.2f, 0.3f, 0.5f, 0, 0.1f, 0.8f}, below[] = {-0.1f, 0.6f, 0.5f},
          above[] = {1.1f, 0, 0}, short_of[] = {0.2f, 0.2f, 0.2f}, log_of[] = {-1, -1, -2},
          no_log[] = {2, -1, -3};
    int64_t ids[] = {4, 7};
    gs_matrix rows = {2, 3, sound}, low = {1, 3, below}, high = {1, 3, above},
              little = {1, 3, short_of}, logs = {1, 3, log_of}, raw = {1, 3, no_log};
    gs_teacher_array probs = {.kind = GS_PROBS, .rows = {.n = 9, .width = 3}};
    gs_teacher_array log_probs = {.kind = GS_LOG_PROBS, .rows = {.n = 9, .width = 3}};
    gs_teacher_array logits = {.kind = GS_LOGITS, .rows = {.n = 9, .width = 3}};
    ck_ok(gs_teacher_check_rows(&probs, false, &rows, ids, 2));
    ck_ok(gs_teacher_check_rows(&logits, false, &raw, ids, 1));
    ck_ok(gs_teacher_check_rows(&log_probs, false, &logs, ids, 1));
    ck_fails(GS_BAD_INPUT, gs_teacher_check_rows(&probs, false, &low, ids, 1));
    ck_assert_ptr_nonnull(strstr(gs_reason(), "Row 4"));
    ck_fails(GS_BAD_INPUT, gs_teacher_check_rows(&probs, true, &high, ids, 1));
    ck_fails(GS_BAD_INPUT, gs_teacher_check_rows(&log_probs, false, &raw, ids, 1));
    ck_fails(GS_BAD_INPUT, gs_teacher_check_rows(&probs, false, &little, ids, 1));
    ck_ok(gs_teacher_check_rows(&probs, true, &little, ids, 1));
}
END_TEST

START_TEST(numpy_files_teach) {
    gs_dataset *d = small_graph(N, false);
    char bytes[128 + N * 3 * sizeof(float)];
    gs_teacher *t = NULL;
    memset(bytes, ' ', 128);
    memcpy(bytes, "\x93NUMPY\x01\x00\x76\x00", 10);
    const char *header = "{'descr': '<f4', 'fortran_order': False, 'shape': (40, 3), }";
    memcpy(bytes + 10, header, strlen(header));
    bytes[127] = '\n';
    for (int64_t i = 0; i < N; i++)
        for (int64_t k = 0; k < 3; k++) {
            float x = value_of(i, k);
            memcpy(bytes + 128 + (i * 3 + k) * 4, &x, 4);
        }
    ck_ok(gs_file_write(test_file("t.npy"), bytes, sizeof bytes));
    ck_ok(gs_teacher_open(test_file("t.npy"), "logits", d, &t));
    ck_aligned(t, "logits", 3);
    gs_teacher_free(t);
    ck_ok(gs_file_write(test_file("t.npy"), bytes, sizeof bytes - 8));
    ck_fails(GS_BAD_INPUT, gs_teacher_open(test_file("t.npy"), "logits", d, &t));
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

/* A .npy of the given element type, as one block of bytes. */
static int64_t npy(const char *descr, const char *shape, const void *data, size_t bytes,
                   char *out) {
    memset(out, ' ', 128);
    memcpy(out, "\x93NUMPY\x01\x00\x76\x00", 10);
    int n = snprintf(out + 10, 117, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr,
                     shape);
    out[10 + n] = ' ';
    out[127] = '\n';
    memcpy(out + 128, data, bytes);
    return (int64_t)(128 + bytes);
}

static void pack(const char *path, const char *const *names, char *const *bytes,
                 const int64_t *sizes, int count) {
    int error;
    unlink(path);
    zip_t *z = zip_open(path, ZIP_CREATE, &error);
    ck_assert(z != NULL);
    for (int k = 0; k < count; k++) {
        zip_source_t *s = zip_source_buffer(z, bytes[k], (zip_uint64_t)sizes[k], 0);
        ck_assert(zip_file_add(z, names[k], s, 0) >= 0);
    }
    ck_assert(zip_close(z) == 0);
}

START_TEST(archives_of_numpy_teach) {
    gs_dataset *d = small_graph(N, false);
    float x[N * 3];
    int64_t id[N], sizes[3];
    char a[4096], b[4096], c[4096], *bytes[3] = {a, b, c};
    gs_teacher *t = NULL;
    const char *path = test_file("t.npz");
    for (int64_t r = 0; r < N; r++) {
        id[r] = (r * 7 + 2) % N;
        for (int64_t k = 0; k < 3; k++)
            x[r * 3 + k] = value_of(id[r], k);
    }
    sizes[0] = npy("<f4", "(40, 3)", x, sizeof x, a);
    sizes[1] = npy("<i8", "(40,)", id, sizeof id, b);
    sizes[2] = npy("<f4", "(40, 3)", x, sizeof x, c);
    const char *const names[3] = {"logits.npy", "id.npy", "other.npy"};
    pack(path, names, bytes, sizes, 3);
    ck_ok(gs_teacher_open(path, "log_probs", d, &t));
    ck_assert_int_eq(gs_teacher_array_find(t, "logits")->kind, GS_LOG_PROBS);
    ck_aligned(t, "logits", 3);
    gs_teacher_free(t);
    const char *const strange[3] = {"a.npy", "b.npy", "c.npy"};
    pack(path, strange, bytes, sizes, 3);
    ck_fails(GS_BAD_INPUT, gs_teacher_open(path, "logits", d, &t));
    id[3] = id[4];
    sizes[1] = npy("<i8", "(40,)", id, sizeof id, b);
    pack(path, names, bytes, sizes, 2);
    ck_fails(GS_BAD_INPUT, gs_teacher_open(path, "logits", d, &t));
    ck_assert_msg(strstr(gs_reason(), "two rows"), "%s", gs_reason());
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

START_TEST(noise_in_tables_never_crashes) {
    gs_dataset *d = small_graph(3, false);
    const char *good = "id,a,b,c\n\"0\",1,2,3\r\n1,4,5e1,6\n2,7, 8,-9.5\n";
    const char noise[] = "\",\n\r\0 0a-e.\xff";
    char bytes[64];
    uint64_t state = 1;
    int accepted = 0;
    size_t length = strlen(good);
    for (int k = 0; k < (getenv("GS_TEST_QUICK") ? 300 : 3000); k++) {
        gs_teacher *t = NULL;
        memcpy(bytes, good, length);
        for (int q = 0; q < k % 4; q++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            bytes[(state >> 33) % length] = noise[(state >> 50) % (sizeof noise - 1)];
        }
        ck_ok(gs_file_write(test_file("t.csv"), bytes, (int64_t)length - (k % 7 == 6) * k % 40));
        int64_t before = gs_alloc_get_stats().live_blocks;
        gs_status status = gs_teacher_open(test_file("t.csv"), "logits", d, &t);
        ck_assert_msg(status == GS_OK || status == GS_BAD_INPUT, "%s", gs_reason());
        accepted += status == GS_OK;
        gs_teacher_free(t);
        ck_assert_int_eq(gs_alloc_get_stats().live_blocks, before);
    }
    ck_assert_int_gt(accepted, 50);
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

START_TEST(memory_runs_out) {
    gs_dataset *d = small_graph(N, false);
    stranger s = plain;
    s.shuffled = s.text_ids = true;
    write_stranger(test_file("t.h5"), d, &s);
    for (int64_t k = 0;; k++) {
        gs_teacher *t = NULL;
        gs_matrix m = {0};
        int64_t before = gs_alloc_get_stats().live_blocks;
        gs_alloc_fail_at(k);
        gs_status status = gs_teacher_open(test_file("t.h5"), NULL, d, &t);
        if (status == GS_OK)
            status = gs_matrix_init(&m, N, 3);
        if (status == GS_OK)
            status = gs_rows_read(&gs_teacher_array_find(t, "logits")->rows, NULL, N, &m);
        gs_alloc_fail_at(-1);
        gs_matrix_free(&m);
        gs_teacher_free(t);
        ck_assert_int_eq(gs_alloc_get_stats().live_blocks, before);
        if (status == GS_OK) {
            ck_assert_int_gt(k, 50);
            break;
        }
        ck_assert_msg(status == GS_NO_MEMORY, "%lld: %s", (long long)k, gs_reason());
    }
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, ten_lines_of_anybody);
    tcase_add_test(tc, ids_of_the_graph_may_be_texts_or_large);
    tcase_add_test(tc, rows_that_do_not_fit_are_refused);
    tcase_add_test(tc, two_teachers_are_open_at_once);
    tcase_add_test(tc, numbers_that_are_none_name_the_node);
    tcase_add_test(tc, kinds_are_said_or_given);
    tcase_add_test(tc, large_arrays_are_streamed);
    tcase_add_test(tc, our_own_models_teach);
    tcase_add_test(tc, our_own_models_answer);
    tcase_add_test(tc, prepared_features_are_not_prepared_again);
    tcase_add_test(tc, tables_need_a_kind);
    tcase_add_test(tc, probabilities_are_such);
    tcase_add_test(tc, numpy_files_teach);
    tcase_add_test(tc, archives_of_numpy_teach);
    tcase_add_test(tc, noise_in_tables_never_crashes);
    tcase_add_test(tc, memory_runs_out);
}
GS_TEST_MAIN("store teacher", add_tests)
