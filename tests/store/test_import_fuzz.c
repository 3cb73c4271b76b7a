/* Hostile pickles and archives; truncated, emptied and flipped copies of real files: refused by a
   sentence, or imported as a data set that keeps its promises. */
#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "check_main.h"
#include "graph/csr.h"
#include "npz_helpers.h"
#include "store/importer.h"
#include "store/pickle.h"

enum { MOST = 12 };

typedef struct files {
    char *name[MOST];
    char *bytes[MOST];
    int64_t size[MOST];
    int64_t count;
} files;

static void add_file(files *f, const char *path, const char *name) {
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    fseek(file, 0, SEEK_END);
    f->size[f->count] = ftell(file);
    rewind(file);
    f->bytes[f->count] = malloc((size_t)f->size[f->count] + 1);
    ck_assert_int_eq(fread(f->bytes[f->count], 1, (size_t)f->size[f->count], file),
                     f->size[f->count]);
    fclose(file);
    f->name[f->count++] = strdup(name);
}

/* The files of a folder that an importer would read. */
static files load(const char *folder, const char *part) {
    files f = {0};
    char path[8192];
    DIR *dir = opendir(folder);
    ck_assert_ptr_nonnull(dir);
    for (struct dirent *e; (e = readdir(dir)) != NULL && f.count < MOST;)
        if (e->d_name[0] != '.' && strstr(e->d_name, part)) {
            snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
            add_file(&f, path, e->d_name);
        }
    closedir(dir);
    ck_assert_int_gt(f.count, 0);
    return f;
}

static void unload(files *f) {
    for (int64_t k = 0; k < f->count; k++) {
        free(f->name[k]);
        free(f->bytes[k]);
    }
}

/* Imports the files with file `which` replaced; checks the outcome. Returns its status. */
static gs_status try_with(const files *f, int64_t which, const char *bytes, int64_t size) {
    const char *names[MOST];
    const void *contents[MOST];
    int64_t sizes[MOST], before = gs_alloc_get_stats().live_blocks;
    for (int64_t k = 0; k < f->count; k++) {
        names[k] = f->name[k];
        contents[k] = k == which ? bytes : f->bytes[k];
        sizes[k] = k == which ? size : f->size[k];
    }
    gs_source *source = NULL;
    gs_dataset *d = NULL;
    ck_ok(gs_source_memory(names, contents, sizes, f->count, &source));
    gs_status status = gs_import(source, NULL, NULL, &d);
    if (status == GS_OK) {
        ck_ok(gs_dataset_check(d));
        gs_dataset_free(d);
    } else {
        size_t length = strlen(gs_reason());
        ck_assert_msg(status == GS_BAD_INPUT || status == GS_NO_MEMORY, "%s: %s", f->name[which],
                      gs_reason());
        ck_assert(length > 10 && gs_reason()[length - 1] == '.');
        ck_assert_ptr_null(d);
    }
    gs_source_close(source);
    ck_assert_int_eq(gs_alloc_get_stats().live_blocks, before);
    return status;
}

static const struct {
    const char *name;
    const char *part;     /* of the names of its files */
    const char *unbroken; /* a file of which fewer lines are still a file, or NULL */
} sets[] = {{"planetoid-cora", "ind.", NULL},
            {"planetoid-citeseer", "ind.", NULL},
            {"gnnbench-cora", ".npz", NULL},
            {"graphdata-amazon_photo", ".npz", NULL},
            {"heterophilous-chameleon_filtered", ".npz", NULL},
            {"geomgcn-texas", "_", "out1_graph_edges.txt"},
            {"geomgcn-film", "_", "out1_graph_edges.txt"}};
enum { SETS = sizeof sets / sizeof *sets };

static int rounds(int full) { return getenv("GS_TEST_QUICK") ? full / 8 + 1 : full; }

START_TEST(truncated_and_empty_copies_are_refused) {
    char path[4096];
    if (!test_data(sets[_i].name, path))
        return;
    gs_alloc_set_limit((int64_t)2 << 30);
    ck_ok(gs_graph_start());
    files f = load(path, sets[_i].part);
    for (int64_t which = 0; which < f.count; which++) {
        ck_assert_int_ne(try_with(&f, which, "", 0), GS_OK);
        for (int k = 0; k < rounds(10); k++) {
            int64_t cut =
                (int64_t)(gs_uniform(gs_key_make(3, 0, "cut"), (uint64_t)which, (uint64_t)k) *
                          (double)(f.size[which] - 1));
            gs_status status = try_with(&f, which, f.bytes[which], cut);
            /* a text of node numbers may end early and be one of fewer: then the counts disagree,
               except of edges, which nothing counts */
            bool whole = sets[_i].unbroken && strcmp(f.name[which], sets[_i].unbroken) == 0 &&
                         cut > 0 && f.bytes[which][cut - 1] == '\n';
            ck_assert_msg(status != GS_OK || whole, "%s cut to %lld bytes was imported",
                          f.name[which], (long long)cut);
        }
    }
    unload(&f);
}
END_TEST

START_TEST(flipped_copies_are_refused_or_sound) {
    char path[4096];
    if (!test_data(sets[_i].name, path))
        return;
    gs_alloc_set_limit((int64_t)2 << 30);
    ck_ok(gs_graph_start());
    files f = load(path, sets[_i].part);
    gs_key key = gs_key_make(11, (uint64_t)_i, "flip");
    for (int64_t which = 0; which < f.count; which++) {
        char *copy = malloc((size_t)f.size[which]);
        for (int k = 0; k < rounds(24); k++) {
            memcpy(copy, f.bytes[which], (size_t)f.size[which]);
            /* half of the flips near the beginning, where the structure is */
            for (int flips = 0; flips < 1 + k % 3; flips++) {
                double u = gs_uniform(key, (uint64_t)(which * 100 + k), (uint64_t)flips);
                int64_t range = k % 2 && f.size[which] > 600 ? 600 : f.size[which];
                int64_t at = (int64_t)(u * (double)range);
                copy[at] = (char)(copy[at] ^ (1 << (gs_word(key, (uint64_t)k, 7) % 8)));
            }
            try_with(&f, which, copy, f.size[which]);
        }
        free(copy);
    }
    unload(&f);
}
END_TEST

/* Each of the first allocations of an import failed in turn, then samples of the many that follow.
 */
START_TEST(failed_allocations_are_survived) {
    char path[4096];
    if (!test_data(sets[_i].name, path))
        return;
    ck_ok(gs_graph_start());
    files f = load(path, sets[_i].part);
    ck_assert_int_eq(try_with(&f, 0, f.bytes[0], f.size[0]), GS_OK);
    int64_t step = 1, failed = 0, stride = rounds(200);
    for (int64_t k = 0;; k += step) {
        const char *names[MOST];
        const void *contents[MOST];
        int64_t before = gs_alloc_get_stats().live_blocks;
        for (int64_t q = 0; q < f.count; q++) {
            names[q] = f.name[q];
            contents[q] = f.bytes[q];
        }
        gs_source *source = NULL;
        gs_dataset *d = NULL;
        ck_ok(gs_source_memory(names, contents, f.size, f.count, &source));
        gs_alloc_fail_at(k);
        gs_status status = gs_import(source, NULL, NULL, &d);
        gs_alloc_fail_at(-1);
        gs_source_close(source);
        gs_dataset_free(d);
        ck_assert_msg(status == GS_OK || status == GS_NO_MEMORY, "allocation %lld: %s",
                      (long long)k, gs_reason());
        ck_assert_int_eq(gs_alloc_get_stats().live_blocks, before);
        if (status == GS_OK)
            break;
        failed++;
        if (failed % stride == 0)
            step *= 4;
    }
    ck_assert_int_gt(failed, 20);
    unload(&f);
}
END_TEST

START_TEST(pickles_that_call_are_refused) {
    static const struct {
        const char *bytes;
        int64_t size;
    } hostile[] = {
        {"cos\nsystem\n(S'echo hi'\ntR.", 27},
        {"\x80\x02"
         "cposix\nsystem\nq\x01U\x07"
         "echo hi\x85R.",
         29},
        {"\x80\x02"
         "c__builtin__\neval\nU\x03"
         "1+1\x85R.",
         27},
        {"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.", 24},
        {"\x80\x02", 2},
        {"\x80\x02.", 3},
        {"\x80\x02((((t.", 8},
        {"\x80\x02h\x05.", 5},
        {"\x80\x02U\xff"
         "abc.",
         8},
        {"\x80\x02T\xff\xff\xff\x7f"
         "abc.",
         11},
        {"\x80\x02]q\x01(K\x01K\x02u.", 12},
        {"\x80\x02}q\x01(K\x01u.", 10},
        {"i__main__\nX\n.", 13},
        {"", 0},
    };
    pickle *p = NULL;
    gs_status status = pickle_open(hostile[_i].bytes, hostile[_i].size, "the file", &p);
    ck_assert_msg(status == GS_BAD_INPUT, "pickle %d gave %d", _i, status);
    if (_i < 4)
        ck_assert_msg(strstr(gs_reason(), "nothing was run") != NULL, "'%s'", gs_reason());
    ck_assert_ptr_null(p);
}
END_TEST

START_TEST(arrays_that_claim_too_much_are_refused) {
    static const char *const shapes[] = {"(1152921504606846976,)",
                                         "(4294967296, 4294967296)",
                                         "(-1,)",
                                         "(3",
                                         "(1, 2, 3, 4, 5)",
                                         "(99,)"};
    char npy[256], header[128];
    snprintf(header, sizeof header, "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }\n",
             shapes[_i]);
    size_t length = strlen(header);
    memcpy(npy, "\x93NUMPY\x01\x00", 8);
    npy[8] = (char)length;
    npy[9] = 0;
    memcpy(npy + 10, header, length);
    npy_array a;
    ck_fails(GS_BAD_INPUT, npy_open(npy, (int64_t)length + 10, "adj_indptr.npy", &a));
    int64_t size;
    const array alone = {"adj_indptr", npy, (int64_t)length + 10};
    char *zip = archive_of(&alone, 1, &size);
    files f = {.count = 1};
    f.name[0] = strdup("x.npz");
    f.bytes[0] = zip;
    f.size[0] = size;
    ck_assert_int_eq(try_with(&f, 0, zip, size), GS_BAD_INPUT);
    unload(&f);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, truncated_and_empty_copies_are_refused, 0, SETS);
    tcase_add_loop_test(tc, flipped_copies_are_refused_or_sound, 0, SETS);
    tcase_add_loop_test(tc, failed_allocations_are_survived, 0, SETS);
    tcase_add_loop_test(tc, pickles_that_call_are_refused, 0, 14);
    tcase_add_loop_test(tc, arrays_that_claim_too_much_are_refused, 0, 6);
}

GS_TEST_MAIN("store import fuzz", add_tests)
