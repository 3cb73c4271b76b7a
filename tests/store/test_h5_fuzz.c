/* Damaged files: cut short, with flipped bits, with overwritten heaps. Each is refused with a
   sentence or read as something well-formed; nothing crashes or hangs. */
#include "h5_helpers.h"
#include "store/graph_file.h"
#include "store/model_file.h"

static int rounds(int full, int quick) { return getenv("GS_TEST_QUICK") ? quick : full; }

static uint64_t state = 88172645463325252u;
static uint64_t draw(uint64_t below) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 11) % below;
}

/* Tries to read the bytes; for a file of ours, what is read must be what was written. */
typedef void try_bytes(const char *bytes, int64_t size);
static char wanted_hash[17];
static int refused, accepted;

static void ck_refusal(gs_status status) {
    ck_assert_msg(status == GS_BAD_INPUT || status == GS_NO_MEMORY || status == GS_BAD_IO, "%d: %s",
                  (int)status, gs_reason());
    size_t length = strlen(gs_reason());
    ck_assert_msg(length > 10 && gs_reason()[length - 1] == '.', "no sentence: %s", gs_reason());
    refused++;
}

static void try_graph(const char *bytes, int64_t size) {
    const char *path = test_file("damaged.h5");
    gs_dataset *d = NULL;
    ck_ok(gs_file_write(path, bytes, size));
    int64_t before = gs_alloc_get_stats().live_blocks;
    gs_status status = gs_graph_read(path, &d);
    if (status == GS_OK) {
        char hash[17];
        ck_ok(gs_dataset_check(d));
        gs_dataset_hash(d, true, hash);
        ck_assert_msg(!wanted_hash[0] || strcmp(hash, wanted_hash) == 0, "silently changed");
        accepted++;
    } else {
        ck_assert_ptr_null(d);
        ck_refusal(status);
    }
    gs_dataset_free(d);
    ck_assert_int_eq(gs_alloc_get_stats().live_blocks, before);
}

static void try_model(const char *bytes, int64_t size) {
    const char *path = test_file("damaged.h5");
    gs_model_file *m = NULL;
    gs_model *model = NULL;
    gs_matrix logits = {0};
    ck_ok(gs_file_write(path, bytes, size));
    int64_t before = gs_alloc_get_stats().live_blocks;
    gs_status status = gs_model_read(path, &m);
    if (status == GS_OK)
        status = gs_model_read_output(path, "full", "logits", &logits);
    if (status == GS_OK) {
        ck_assert(m->recipe->type == GS_MAP && m->state->count > 0);
        /* f and c are not checked against the parameters by the file: the model does it */
        gs_status built = gs_run_rebuild(m->recipe, m->seed, m->f < 1000 ? m->f : 1000,
                                         m->c < 1000 ? m->c : 1000, m->state, &model);
        ck_assert(built == GS_OK || built == GS_BAD_INPUT || built == GS_BAD_USAGE);
        accepted++;
    } else {
        ck_refusal(status);
    }
    gs_model_free(model);
    gs_model_file_free(m);
    gs_matrix_free(&logits);
    ck_assert_int_eq(gs_alloc_get_stats().live_blocks, before);
}

static gs_dataset *teacher_data;

static void try_teacher(const char *bytes, int64_t size) {
    const char *path = test_file("damaged.h5");
    gs_teacher *t = NULL;
    gs_matrix m;
    ck_ok(gs_file_write(path, bytes, size));
    int64_t before = gs_alloc_get_stats().live_blocks;
    gs_status status = gs_teacher_open(path, NULL, teacher_data, &t);
    for (int64_t k = 0; status == GS_OK && k < t->array_count; k++) {
        const gs_rows *rows = &t->arrays[k].rows;
        ck_assert_int_eq(rows->n, teacher_data->n);
        ck_ok(gs_matrix_init(&m, rows->n, rows->width));
        status = gs_rows_read(rows, NULL, rows->n, &m);
        gs_matrix_free(&m);
    }
    if (status == GS_OK)
        accepted++;
    else
        ck_refusal(status);
    gs_teacher_free(t);
    ck_assert_int_eq(gs_alloc_get_stats().live_blocks, before);
}

static void damage(const char *path, try_bytes *try) {
    char *bytes;
    int64_t size;
    file_bytes(path, &bytes, &size);
    char *copy = gs_alloc((size_t)size);
    try(bytes, size);
    ck_assert_int_eq(accepted, 1);
    int64_t step = size / rounds(150, 30) + 1;
    for (int64_t cut = 0; cut < size; cut += step)
        try(bytes, cut);
    ck_assert_int_eq(accepted, 1); /* no shorter file is whole */
    for (int k = 0; k < rounds(500, 80); k++) {
        memcpy(copy, bytes, (size_t)size);
        for (uint64_t flips = 1 + draw(3); flips > 0; flips--)
            copy[draw((uint64_t)size)] ^= (char)(1 << draw(8));
        try(copy, size);
    }
    ck_assert_int_gt(refused, 10);
    gs_free(copy);
    gs_free(bytes);
}

/* Overwrites bytes behind every occurrence of a signature: heaps, headers, trees. */
static void damage_structures(const char *path, try_bytes *try) {
    static const char *const signatures[] = {"GCOL", "HEAP", "OHDR", "FRHP", "FHDB", "SNOD",
                                             "TREE", "BTHD", "BTLF", "FAHD", "OCHK"};
    char *bytes;
    int64_t size;
    file_bytes(path, &bytes, &size);
    char *copy = gs_alloc((size_t)size);
    for (size_t s = 0; s < sizeof signatures / sizeof *signatures; s++) {
        int64_t left = rounds(40, 6);
        for (int64_t at = 0; at + 64 < size && left > 0; at++) {
            if (memcmp(bytes + at, signatures[s], 4) != 0)
                continue;
            for (int k = 0; k < 12 && left > 0; k++, left--) {
                memcpy(copy, bytes, (size_t)size);
                int64_t place = at + 4 + (int64_t)draw(60);
                int width = 1 << draw(4);
                for (int q = 0; q < width && place + q < size; q++)
                    copy[place + q] = (char)(k % 3 == 0 ? 0xff : k % 3 == 1 ? 0 : draw(256));
                try(copy, size);
            }
        }
    }
    gs_free(copy);
    gs_free(bytes);
}

static gs_dataset *named_graph(void) {
    gs_dataset *d = small_graph(24, true);
    uint8_t role[24];
    small_split(24, false, role);
    ck_ok(gs_dataset_add_split(d, "public", role));
    d->id_text = gs_calloc(25, sizeof *d->id_text);
    d->class_names = gs_calloc(4, sizeof *d->class_names);
    for (int64_t i = 0; i < 24; i++)
        d->id_text[i] = gs_format("node-%lld", (long long)i);
    for (int64_t k = 0; k < 3; k++)
        d->class_names[k] = gs_format("class %lld", (long long)k);
    return d;
}

START_TEST(damaged_graphs) {
    gs_dataset *d = _i ? small_graphs(24, false) : named_graph();
    ck_ok(gs_graph_write(d, test_file("whole.h5")));
    gs_dataset_hash(d, true, wanted_hash);
    gs_dataset *warm = NULL;
    ck_ok(gs_graph_read(test_file("whole.h5"), &warm)); /* GraphBLAS keeps some memory */
    gs_dataset_free(warm);
    damage(test_file("whole.h5"), try_graph);
    damage_structures(test_file("whole.h5"), try_graph);
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

START_TEST(damaged_models) {
    gs_dataset *d = named_graph();
    gs_run *run = small_run(
        d, "{\"model\": \"gcn\", \"hidden\": 4, \"epochs\": 3, \"keep\": \"all\"}", 1, true);
    ck_ok(gs_model_write(run, d, NULL, test_file("whole.h5")));
    damage(test_file("whole.h5"), try_model);
    damage_structures(test_file("whole.h5"), try_model);
    gs_run_free(run);
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

/* The oldest format, which strangers write by default: symbol tables, local heaps, no checksums. */
START_TEST(damaged_teachers_of_strangers) {
    teacher_data = named_graph();
    const char *path = test_file("whole.h5");
    h5_start();
    hid_t f = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t g = H5Gcreate2(f, "outputs", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t full = H5Gcreate2(g, "full", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t nodes = H5Gcreate2(f, "nodes", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t text = H5Tcopy(H5T_C_S1);
    hsize_t dims[2] = {24, 3}, chunk[2] = {5, 3};
    float x[24 * 3];
    for (int k = 0; k < 24 * 3; k++)
        x[k] = (float)k;
    hid_t space = H5Screate_simple(2, dims, NULL), p = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(p, 2, chunk);
    H5Pset_deflate(p, 4);
    hid_t l = H5Dcreate2(full, "logits", H5T_IEEE_F32LE, space, H5P_DEFAULT, p, H5P_DEFAULT);
    H5Dwrite(l, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, x);
    ck_ok(h5_set_text(l, "kind", "logits"));
    H5Dclose(l);
    l = H5Dcreate2(full, "hidden", H5T_IEEE_F64BE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(l, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, x);
    H5Dclose(l);
    H5Sclose(space);
    space = H5Screate_simple(1, dims, NULL);
    H5Tset_size(text, H5T_VARIABLE);
    l = H5Dcreate2(nodes, "id", text, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(l, text, H5S_ALL, H5S_ALL, H5P_DEFAULT, teacher_data->id_text);
    H5Dclose(l);
    H5Sclose(space);
    H5Pclose(p);
    H5Tclose(text);
    H5Gclose(full);
    H5Gclose(nodes);
    H5Gclose(g);
    H5Fclose(f);
    damage(path, try_teacher);
    damage_structures(path, try_teacher);
    gs_dataset_free(teacher_data);
    remove_test_folder();
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, damaged_graphs, 0, 2);
    tcase_add_test(tc, damaged_models);
    tcase_add_test(tc, damaged_teachers_of_strangers);
}
GS_TEST_MAIN("store damaged files", add_tests)
