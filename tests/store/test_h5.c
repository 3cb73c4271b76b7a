/* The helpers over HDF5: numbers, texts, attributes, and what the walk refuses. */
#include "store/h5.h"

#include "h5_helpers.h"

static const h5_tag tag = {"test", "1", "record"};

static hid_t open_new(const char *path, h5_writer *w) {
    ck_ok(h5_create(path, w));
    return w->file;
}

static hid_t reopen(const char *path, h5_writer *w) {
    hid_t file;
    ck_ok(h5_commit(w));
    h5_abandon(w);
    ck_ok(h5_open(path, &file));
    return file;
}

START_TEST(numbers_come_back_in_any_type) {
    h5_writer w;
    const char *path = test_file("a.h5");
    hid_t f = open_new(path, &w);
    const int64_t many[2] = {1000, 300}, none[2] = {0, 5}, one = 3;
    float *x = gs_alloc(300000 * sizeof *x);
    const uint8_t bytes[3] = {0, 7, 255};
    const int64_t wide[3] = {INT64_MIN, -1, INT64_MAX};
    const double y = 1.0 / 3;
    for (int k = 0; k < 300000; k++)
        x[k] = (float)(k % 1013) * 0.37f;
    ck_ok(h5_write(f, "a/b/plain", NUMBER_F32, 2, many, x, LAYOUT_PLAIN, tag, NULL));
    ck_ok(h5_write(f, "a/packed", NUMBER_F32, 2, many, x, LAYOUT_PACKED, tag, NULL));
    ck_ok(h5_write(f, "none", NUMBER_F32, 2, none, NULL, LAYOUT_PLAIN, tag, NULL));
    ck_ok(h5_write(f, "empty", NUMBER_F32, 2, none, NULL, LAYOUT_PACKED, tag, NULL));
    ck_ok(h5_write(f, "bytes", NUMBER_U8, 1, &one, bytes, LAYOUT_PLAIN, tag, NULL));
    ck_ok(h5_write(f, "wide", NUMBER_I64, 1, &one, wide, LAYOUT_PACKED, tag, NULL));
    ck_ok(h5_write(f, "scalar", NUMBER_F64, 0, NULL, &y, LAYOUT_PLAIN, tag, NULL));
    f = reopen(path, &w);
    gs_matrix m;
    ck_ok(h5_read_matrix(f, "a/b/plain", &m));
    ck_assert(m.rows == 1000 && memcmp(m.data, x, 300000 * sizeof *x) == 0);
    gs_matrix_free(&m);
    ck_ok(h5_read_matrix(f, "a/packed", &m));
    ck_assert(m.cols == 300 && memcmp(m.data, x, 300000 * sizeof *x) == 0);
    gs_matrix_free(&m);
    ck_ok(h5_read_matrix(f, "none", &m));
    ck_assert(m.rows == 0 && m.cols == 5);
    gs_matrix_free(&m);
    ck_ok(h5_read_matrix(f, "empty", &m));
    gs_matrix_free(&m);
    int64_t *ints, count;
    ck_ok(h5_read_ints(f, "wide", INT64_MIN, INT64_MAX, &ints, &count));
    ck_assert(count == 3 && memcmp(ints, wide, sizeof wide) == 0);
    gs_free(ints);
    ck_fails(GS_BAD_INPUT, h5_read_ints(f, "wide", 0, INT64_MAX, &ints, &count));
    uint8_t *small;
    ck_ok(h5_read_bytes(f, "bytes", 255, 3, &small));
    ck_assert(memcmp(small, bytes, 3) == 0);
    gs_free(small);
    ck_fails(GS_BAD_INPUT, h5_read_bytes(f, "bytes", 254, 3, &small));
    ck_fails(GS_BAD_INPUT, h5_read_bytes(f, "bytes", 255, 4, &small));
    void *data;
    h5_shape s;
    ck_ok(h5_read(f, "scalar", 0, NUMBER_F64, &data, &s));
    ck_assert(*(double *)data == y && s.rank == 0 && s.count == 1);
    gs_free(data);
    ck_fails(GS_BAD_INPUT, h5_read_matrix(f, "bytes", &m));
    ck_fails(GS_BAD_INPUT, h5_read_matrix(f, "a", &m));
    ck_fails(GS_BAD_INPUT, h5_read_matrix(f, "a/c", &m));
    ck_fails(GS_BAD_INPUT, h5_read_ints(f, "scalar", 0, 1, &ints, &count));
    h5_close(&f);
    gs_free(x);
    remove_test_folder();
}
END_TEST

START_TEST(texts_and_attributes_come_back) {
    h5_writer w;
    const char *path = test_file("a.h5");
    hid_t f = open_new(path, &w);
    char *words[3] = {(char *)(uintptr_t) "", (char *)(uintptr_t) "zwölf",
                      (char *)(uintptr_t) "with space"};
    gs_value *list = gs_list(), *yes = gs_bool(true), *map;
    ck_ok(gs_list_add(list, gs_int(1)));
    ck_ok(h5_write_text(f, "one", "a\nb", tag));
    ck_ok(h5_write_strings(f, "many", words, 3, tag, NULL));
    ck_ok(h5_write_strings(f, "no", words, 0, tag, NULL));
    ck_ok(h5_set_text(f, "text", "käse"));
    ck_ok(h5_set_int(f, "int", -5));
    ck_ok(h5_set_float(f, "float", 0.1));
    ck_ok(h5_set_value(f, "list", list));
    ck_ok(h5_set_value(f, "yes", yes));
    gs_value_free(list);
    gs_value_free(yes);
    f = reopen(path, &w);
    char *text, **many;
    int64_t count, i;
    double x;
    ck_ok(h5_read_text(f, "one", &text));
    ck_assert_str_eq(text, "a\nb");
    gs_free(text);
    ck_ok(h5_read_strings(f, "many", &many, &count));
    ck_assert(count == 3 && strcmp(many[1], "zwölf") == 0 && many[0][0] == '\0');
    h5_free_names(many, count);
    ck_ok(h5_read_strings(f, "no", &many, &count));
    ck_assert_int_eq(count, 0);
    h5_free_names(many, count);
    ck_fails(GS_BAD_INPUT, h5_read_text(f, "many", &text));
    ck_fails(GS_BAD_INPUT, h5_read_strings(f, "absent", &many, &count));
    ck_ok(h5_get_text(f, "text", &text));
    ck_assert_str_eq(text, "käse");
    gs_free(text);
    ck_ok(h5_get_text(f, "absent", &text));
    ck_assert_ptr_null(text);
    ck_ok(h5_get_text(f, "int", &text));
    ck_assert_ptr_null(text);
    ck_ok(h5_get_int(f, "int", 0, &i));
    ck_assert_int_eq(i, -5);
    ck_ok(h5_get_int(f, "absent", 9, &i));
    ck_assert_int_eq(i, 9);
    ck_ok(h5_get_float(f, "float", 0, &x));
    ck_assert(x == 0.1);
    ck_ok(h5_get_map(f, &map));
    ck_assert_str_eq(gs_get_string(map, "list", ""), "[1]");
    ck_assert_int_eq(gs_get_int(map, "yes", 0), 1);
    gs_value_free(map);
    h5_close(&f);
    remove_test_folder();
}
END_TEST

START_TEST(names_become_links_and_come_back) {
    static const char *const names[] = {"", ".", "..", "a", "a/b", "100%", "%2F", "a%/", "ä"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        char *link = h5_link_name(names[k]), *back = h5_unlink_name(link);
        ck_assert_ptr_null(strchr(link, '/'));
        ck_assert(link[0] != '\0' && strcmp(link, ".") != 0);
        ck_assert_str_eq(back, names[k]);
        gs_free(link);
        gs_free(back);
    }
}
END_TEST

/* ---- what the walk refuses ---- */

static hid_t foreign(const char *path) {
    h5_start();
    hid_t f = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert(f >= 0);
    return f;
}

static void refuse(const char *path, const char *words) {
    hid_t f;
    ck_fails(GS_BAD_INPUT, h5_open(path, &f));
    ck_assert_msg(strstr(gs_reason(), words), "'%s' lacks '%s'", gs_reason(), words);
    ck_assert(f < 0);
}

/* A dataset with these properties that is never written. */
static void claim(const char *path, int rank, const hsize_t *dims, hid_t properties) {
    hid_t f = foreign(path), space = H5Screate_simple(rank, dims, NULL);
    hid_t d = H5Dcreate2(f, "x", H5T_IEEE_F32LE, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    ck_assert(d >= 0);
    H5Dclose(d);
    H5Sclose(space);
    H5Fclose(f);
}

START_TEST(sizes_that_cannot_be_are_refused_at_once) {
    const hsize_t huge[2] = {1ull << 60, 2}, wide[2] = {1ull << 31, 1ull << 31}, one[2] = {1, 1};
    const hsize_t big[1] = {1ull << 40}, chunk[1] = {1 << 20};
    hid_t p = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(p, 2, one);
    claim(test_file("a.h5"), 2, huge, p);
    refuse(test_file("a.h5"), "claims");
    claim(test_file("a.h5"), 2, wide, p);
    refuse(test_file("a.h5"), "claims");
    H5Pset_chunk(p, 1, chunk);
    H5Pset_deflate(p, 1);
    claim(test_file("a.h5"), 1, big, p);
    refuse(test_file("a.h5"), "claims");
    claim(test_file("a.h5"), 1, big, H5P_DEFAULT);
    refuse(test_file("a.h5"), "claims");
    H5Pclose(p);
    remove_test_folder();
}
END_TEST

START_TEST(foreign_filters_and_storage_are_refused) {
    const hsize_t dims[1] = {100};
    const unsigned values[1] = {0};
    const char *path = test_file("a.h5");
    hid_t p = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(p, 1, dims);
    ck_assert(H5Pset_filter(p, 32004, H5Z_FLAG_OPTIONAL, 1, values) >= 0);
    claim(path, 1, dims, p);
    refuse(path, "filter 32004");
    H5Pclose(p);
    p = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(p, 1, dims);
    H5Pset_scaleoffset(p, H5Z_SO_FLOAT_DSCALE, 2);
    claim(path, 1, dims, p);
    refuse(path, "filter 6");
    H5Pclose(p);
    p = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(p, "/etc/passwd", 0, 400);
    claim(path, 1, dims, p);
    refuse(path, "another file");
    H5Pclose(p);
    p = H5Pcreate(H5P_DATASET_CREATE);
    hid_t space = H5Screate_simple(1, dims, NULL);
    H5Pset_virtual(p, space, "other.h5", "x", space);
    H5Sclose(space);
    claim(path, 1, dims, p);
    refuse(path, "view");
    H5Pclose(p);
    remove_test_folder();
}
END_TEST

START_TEST(links_out_and_in_circles_are_refused) {
    const char *path = test_file("a.h5");
    hid_t f = foreign(path);
    H5Lcreate_external("/etc/passwd", "/", f, "out", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(f);
    refuse(path, "another file");
    f = foreign(path);
    H5Lcreate_soft("/b", f, "a", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/a", f, "b", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(f);
    refuse(path, "circle");
    f = foreign(path);
    H5Lcreate_soft("/gone", f, "a", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(f);
    refuse(path, "nowhere");
    remove_test_folder();
}
END_TEST

START_TEST(links_within_are_followed) {
    const char *path = test_file("a.h5");
    const int64_t n = 2;
    const int32_t x[2] = {4, 5};
    int64_t *back, count;
    hid_t f = foreign(path), g = H5Gcreate2(f, "g", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    ck_ok(h5_write(f, "x", NUMBER_I32, 1, &n, x, LAYOUT_PLAIN, tag, NULL));
    H5Lcreate_soft("/x", g, "soft", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_hard(f, "/", g, "up", H5P_DEFAULT, H5P_DEFAULT); /* a circle of hard links */
    H5Gclose(g);
    H5Fclose(f);
    ck_ok(h5_open(path, &f));
    ck_ok(h5_read_ints(f, "g/up/g/soft", 0, 9, &back, &count));
    ck_assert(count == 2 && back[1] == 5);
    gs_free(back);
    h5_close(&f);
    remove_test_folder();
}
END_TEST

START_TEST(depth_and_attributes_have_limits) {
    const char *path = test_file("a.h5");
    hid_t f = foreign(path), at = f;
    for (int k = 0; k < 60; k++) {
        hid_t next = H5Gcreate2(at, "g", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        if (at != f)
            H5Gclose(at);
        at = next;
    }
    H5Gclose(at);
    H5Fclose(f);
    refuse(path, "nested");
    remove_test_folder();
}
END_TEST

/* Once a file has passed it is not walked again; once it changes it is. */
START_TEST(a_changed_file_is_walked_again) {
    const char *path = test_file("a.h5");
    hid_t f = foreign(path);
    H5Fclose(f);
    ck_ok(h5_open(path, &f));
    h5_close(&f);
    ck_ok(h5_open(path, &f));
    h5_close(&f);
    f = foreign(path);
    H5Lcreate_soft("/gone", f, "a", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(f);
    refuse(path, "nowhere");
    remove_test_folder();
}
END_TEST

START_TEST(an_abandoned_file_leaves_nothing) {
    h5_writer w;
    ck_ok(h5_create(test_file("a.h5"), &w));
    ck_ok(h5_set_int(w.file, "x", 1));
    h5_abandon(&w);
    h5_abandon(&w);
    ck_assert(!gs_file_exists(test_file("a.h5")));
    ck_no_leftovers();
    remove_test_folder();
}
END_TEST

/* Asked ahead or not, the same is read, and a missing file fails when it is read. */
START_TEST(reading_ahead_changes_nothing) {
    h5_writer w;
    const char *path = test_file("ahead.h5");
    const int64_t one = 3, values[3] = {4, 5, 6};
    int64_t *ints, count;
    hid_t f = open_new(path, &w);
    ck_ok(h5_write(f, "x", NUMBER_I64, 1, &one, values, LAYOUT_PLAIN, tag, NULL));
    ck_ok(h5_commit(&w));
    h5_abandon(&w);
    gs_read_ahead("no-such-file.h5");
    ck_fails(GS_BAD_IO, gs_context(h5_open("no-such-file.h5", &f), "no-such-file.h5"));
    gs_read_ahead(path);
    for (int k = 0; k < 3; k++) { /* the second and third are not ahead of anything */
        ck_ok(h5_open(path, &f));
        ck_ok(h5_read_ints(f, "x", 0, 10, &ints, &count));
        ck_assert(count == 3 && memcmp(ints, values, sizeof values) == 0);
        gs_free(ints);
        h5_close(&f);
    }
    gs_read_ahead(path);
    gs_read_ahead(path);
    gs_read_ahead("no-such-file.h5"); /* drops the one before */
    ck_assert_int_eq(gs_alloc_get_stats().live_blocks, 0);
}
END_TEST

/* A file is read while others are open, as a checkpoint is while a teacher is. */
START_TEST(files_open_at_once_are_not_mixed_up) {
    hid_t file[3];
    for (int64_t k = 0; k < 3; k++) {
        h5_writer w;
        const int64_t one = 1, value = 10 + k;
        char name[16];
        snprintf(name, sizeof name, "%d.h5", (int)k);
        hid_t f = open_new(test_file(name), &w);
        ck_ok(h5_write(f, "value", NUMBER_I64, 1, &one, &value, LAYOUT_PLAIN, tag, NULL));
        file[k] = reopen(test_file(name), &w);
    }
    for (int64_t k = 0; k < 3; k++) {
        int64_t *value, count;
        ck_ok(h5_read_ints(file[k], "value", 0, 100, &value, &count));
        ck_assert_int_eq(*value, 10 + k);
        gs_free(value);
    }
    for (int k = 0; k < 3; k++)
        h5_close(&file[k]);
    remove_test_folder();
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, files_open_at_once_are_not_mixed_up);
    tcase_add_test(tc, reading_ahead_changes_nothing);
    tcase_add_test(tc, numbers_come_back_in_any_type);
    tcase_add_test(tc, texts_and_attributes_come_back);
    tcase_add_test(tc, names_become_links_and_come_back);
    tcase_add_test(tc, sizes_that_cannot_be_are_refused_at_once);
    tcase_add_test(tc, foreign_filters_and_storage_are_refused);
    tcase_add_test(tc, links_out_and_in_circles_are_refused);
    tcase_add_test(tc, links_within_are_followed);
    tcase_add_test(tc, depth_and_attributes_have_limits);
    tcase_add_test(tc, a_changed_file_is_walked_again);
    tcase_add_test(tc, an_abandoned_file_leaves_nothing);
}
GS_TEST_MAIN("store h5", add_tests)
