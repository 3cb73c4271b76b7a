/* Real data in every format: the numbers that others count; and the splits that GLNN's code draws.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "check_main.h"
#include "distill/split.h"
#include "graph/build.h"
#include "store/importer.h"

static gs_dataset *import(const char *path) {
    gs_source *source = NULL;
    gs_dataset *d = NULL;
    ck_ok(gs_source_open(&path, 1, &source));
    ck_ok(gs_import(source, NULL, NULL, &d));
    gs_source_close(source);
    return d;
}

static const struct {
    const char *name;
    int64_t n, edges, f, c, entries; /* -1: not told */
    int64_t part_n, part_edges;      /* largest component, 0: not told */
} known[] = {
    {"planetoid-cora", 2708, 5278, 1433, 7, 49216, 2485, 5069},
    {"planetoid-citeseer", 3327, 4552, 3703, 6, -1, 2120, 3679},
    {"planetoid-pubmed", 19717, 44324, 500, 3, 988031, 19717, 44324},
    {"gnnbench-cora", 2708, 5278, 1433, 7, -1, 2485, 5069},
    {"gnnbench-citeseer", 3312, 4536, 3703, 6, -1, 2110, 3668},
    {"graphdata-amazon_photo", 7650, 119081, 745, 8, -1, 7487, 119043},
    {"graphdata-amazon_cs", 13752, 245861, 767, 10, -1, 13381, 245778},
    {"heterophilous-minesweeper", 10000, 39402, 7, 2, -1, 0, 0},
    {"heterophilous-chameleon_filtered", 890, 8854, 2325, 5, -1, 0, 0},
    {"geomgcn-film", 7600, 26659, 932, 5, 40977, 0, 0},
    {"geomgcn-texas", 183, 279, 1703, 5, 15266, 0, 0},
};
#define KNOWN ((int)(sizeof known / sizeof *known))

START_TEST(real_data_has_the_known_numbers) {
    char path[4096];
    if (!test_data(known[_i].name, path))
        return;
    gs_dataset *d = import(path), *part = NULL;
    ck_assert_int_eq(d->n, known[_i].n);
    ck_assert_int_eq(d->adjacency->nnz, 2 * known[_i].edges);
    ck_assert_int_eq(d->f, known[_i].f);
    ck_assert_int_eq(d->c, known[_i].c);
    if (known[_i].entries >= 0)
        ck_assert_int_eq(d->x_sparse->nnz, known[_i].entries);
    if (known[_i].part_n > 0) {
        ck_ok(gs_dataset_largest_component(d, &part));
        ck_ok(gs_dataset_check(part));
        ck_assert_int_eq(part->n, known[_i].part_n);
        ck_assert_int_eq(part->adjacency->nnz, 2 * known[_i].part_edges);
        gs_dataset_free(part);
    }
    gs_dataset_free(d);
}
END_TEST

START_TEST(the_public_split) {
    static const struct {
        const char *name;
        int64_t train;
    } sets[] = {{"planetoid-cora", 140}, {"planetoid-citeseer", 120}, {"planetoid-pubmed", 60}};
    char path[4096];
    if (!test_data(sets[_i].name, path))
        return;
    gs_dataset *d = import(path);
    const gs_split *s = gs_dataset_split(d, "public");
    int64_t by[5] = {0}, each[10] = {0};
    ck_assert_ptr_nonnull(s);
    for (int64_t i = 0; i < d->n; i++) {
        by[s->role[i]]++;
        if (s->role[i] == GS_TRAIN)
            each[d->y[i]]++;
    }
    ck_assert_int_eq(by[GS_TRAIN], sets[_i].train);
    ck_assert_int_eq(by[GS_VALIDATION], 500);
    ck_assert_int_eq(by[GS_TEST], 1000);
    for (int64_t k = 0; k < d->c; k++)
        ck_assert_int_eq(each[k], 20);
    gs_dataset_free(d);
}
END_TEST

/* Training, validation and test nodes of split k; of all ten where one row is given. */
static const int chameleon_parts[10][3] = {
    {409, 287, 194}, {427, 302, 161}, {422, 290, 178}, {412, 294, 184}, {440, 268, 182},
    {434, 292, 164}, {418, 284, 188}, {421, 310, 159}, {431, 287, 172}, {426, 278, 186}};
static const struct {
    const char *name;
    const int (*parts)[3];
    int step; /* 0: all ten alike */
} split_sets[] = {
    {"geomgcn-film", (const int[1][3]){{3648, 2432, 1520}}, 0},
    {"geomgcn-texas", (const int[1][3]){{87, 59, 37}}, 0},
    {"heterophilous-minesweeper", (const int[1][3]){{5000, 2500, 2500}}, 0},
    {"heterophilous-chameleon_filtered", chameleon_parts, 1},
};
#define SPLIT_SETS ((int)(sizeof split_sets / sizeof *split_sets))

START_TEST(ten_splits_come_along) {
    char path[4096], name[2] = "0";
    if (!test_data(split_sets[_i].name, path))
        return;
    gs_dataset *d = import(path);
    ck_assert_int_eq(d->split_count, 10);
    for (int k = 0; k < 10; k++) {
        int64_t by[5] = {0};
        name[0] = (char)('0' + k);
        const gs_split *s = gs_dataset_split(d, name);
        ck_assert_ptr_nonnull(s);
        for (int64_t i = 0; i < d->n; i++)
            by[s->role[i]]++;
        for (int m = 0; m < 3; m++)
            ck_assert_int_eq(by[GS_TRAIN + m], split_sets[_i].parts[k * split_sets[_i].step][m]);
    }
    gs_dataset_free(d);
}
END_TEST

/* Film's file is not in the order of its nodes: its first line is node 4873. */
START_TEST(film_goes_by_node_not_by_line) {
    static const int32_t features[] = {77, 92, 111, 521, 770};
    char path[4096];
    if (!test_data("geomgcn-film", path))
        return;
    gs_dataset *d = import(path);
    int64_t first = d->x_sparse->ptr[4873];
    ck_assert_str_eq(d->name, "film");
    ck_assert_int_eq(d->y[4873], 3);
    ck_assert_int_eq(d->x_sparse->ptr[4874] - first, 5);
    ck_assert_mem_eq(d->x_sparse->col + first, features, sizeof features);
    ck_assert_int_eq(gs_get_int(d->provenance, "edges_given", 0), 33391);
    ck_assert_int_eq(gs_get_int(d->provenance, "repeated_features_merged", 0), 10);
    gs_dataset_free(d);
}
END_TEST

/* Compares the splits of a graph's largest component with the hashes of a golden file, whose lines
   "<name> <seed> … <hash>" are read by `format`. */
static void check_splits(const char *data, const char *golden, const char *format, int setting) {
    char path[4096], line[256];
    if (!test_data(data, path))
        return;
    gs_dataset *d = import(path), *part = NULL;
    ck_ok(gs_dataset_largest_component(d, &part));
    uint8_t *role = gs_calloc((size_t)part->n, 1);
    snprintf(path, sizeof path, "%s/tests/goldens/%s", GS_SOURCE_DIR, golden);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    int found = 0;
    while (fgets(line, sizeof line, file)) {
        unsigned seed;
        unsigned long long want;
        if (sscanf(line, format, &seed, &want) != 2)
            continue;
        gs_split_config config = {.split = (char *)(uintptr_t) "per-class",
                                  .train_per_class = 20,
                                  .val_per_class = 30,
                                  .split_seed = -1,
                                  .setting = setting,
                                  .hidden_fraction = 0.2};
        ck_ok(gs_split_draw(&config, part, seed, role));
        uint64_t h = 0xcbf29ce484222325u;
        for (int64_t i = 0; i < part->n; i++)
            h = (h ^ role[i]) * 0x100000001b3u;
        ck_assert_msg(h == want, "the split of %s, seed %u, is not that of %s", data, seed, golden);
        found++;
    }
    fclose(file);
    ck_assert_int_eq(found, 10);
    gs_free(role);
    gs_dataset_free(part);
    gs_dataset_free(d);
}

/* Ten splits of gnnbench-cora's largest component, drawn by numpy itself and kept as hashes. */
START_TEST(splits_are_those_of_numpy) {
    check_splits("gnnbench-cora", "splits.txt", "cora %u %llx", GS_SETTING_AUTO);
}
END_TEST

/* The same with the nodes that GLNN's code hides, drawn by numpy and torch. */
START_TEST(hidden_nodes_are_those_of_torch) {
    check_splits("gnnbench-cora", "hidden.txt", "cora %u %*d %llx", GS_INDUCTIVE);
    check_splits("gnnbench-citeseer", "hidden.txt", "citeseer %u %*d %llx", GS_INDUCTIVE);
}
END_TEST

/* ---- tables of the user's own ---- */

static gs_status read_tables(const char *nodes, const char *edges, const char *options,
                             gs_dataset **out) {
    const char *names[] = {"edges.csv", "nodes.csv"};
    const void *bytes[] = {edges, nodes};
    int64_t sizes[] = {(int64_t)strlen(edges), nodes ? (int64_t)strlen(nodes) : 0};
    gs_source *source = NULL;
    gs_value *map = NULL;
    if (options)
        ck_ok(gs_json_read(options, (int64_t)strlen(options), &map));
    ck_ok(gs_source_memory(names, bytes, sizes, nodes ? 2 : 1, &source));
    gs_status status = gs_import(source, "csv", map, out);
    gs_source_close(source);
    gs_value_free(map);
    return status;
}

#define NODES                                                                                      \
    "id,age,\"si,ze\",label,split\nann,1,2.5,x,train\nbob,-3,1e2,y,val\n\"c\"\"c\",0,0,,test\n"
#define EDGES "source,target\nann,bob\nbob,\"c\"\"c\"\nann,ann\nbob,ann\n"

START_TEST(tables_with_names) {
    gs_dataset *d = NULL;
    ck_ok(read_tables(NODES, EDGES, NULL, &d));
    ck_assert(d->n == 3 && d->f == 2 && d->c == 2 && d->adjacency->nnz == 4);
    ck_assert_str_eq(d->id_text[2], "c\"c");
    ck_assert_str_eq(d->feature_names[1], "si,ze");
    ck_assert(gs_row(&d->x, 1)[1] == 100 && d->y[0] == 0 && d->y[1] == 1 && d->y[2] == -1);
    ck_assert_int_eq(gs_dataset_split(d, "default")->role[1], GS_VALIDATION);
    ck_assert_int_eq(gs_get_int(d->provenance, "self_loops_dropped", 0), 1);
    gs_dataset_free(d);
}
END_TEST

START_TEST(tables_in_other_dialects) {
    gs_dataset *d = NULL;
    ck_ok(read_tables("\xef\xbb\xbfid\tf\ty\r\n10\t1\t5\r\n7\t2\t-1\r\n\r\n# done\r\n3\t0\t5",
                      "10\t7\n7 \t3", NULL, &d));
    ck_assert(d->n == 3 && d->f == 1 && d->c == 2 && d->id[0] == 10 && d->adjacency->nnz == 4);
    ck_assert_str_eq(d->class_names[0], "-1");
    gs_dataset_free(d);
    ck_ok(read_tables("node_id;w\n1;2\n2;3\n", "1;2\n", "{\"directed\": true}", &d));
    ck_assert(d->directed && d->adjacency->nnz == 1 && d->adjacency->ptr[2] == 1);
    gs_dataset_free(d);
    ck_ok(read_tables("id w\n1 2\n2  3\n", "1   2\n", NULL, &d));
    ck_assert(d->n == 2 && gs_row(&d->x, 1)[0] == 3);
    gs_dataset_free(d);
    ck_ok(read_tables(NULL, "7 9\n9 8\n007 7\n", NULL, &d));
    ck_assert(d->n == 4 && d->f == 0 && d->id_text && strcmp(d->id_text[3], "007") == 0);
    gs_dataset_free(d);
    ck_ok(read_tables("id,f,note\n1,2,hello\n2,3,there\n", "1,2\n1,5\n",
                      "{\"ignore\": \"note\", \"unknown\": \"drop\"}", &d));
    ck_assert(d->f == 1 && gs_get_int(d->provenance, "edges_to_unknown_nodes_dropped", 0) == 1);
    gs_dataset_free(d);
}
END_TEST

START_TEST(bad_tables_are_named) {
    static const struct {
        const char *nodes, *edges, *options, *must;
    } bad[] = {
        {"id,f\n1,2\n2,3,4\n", "1,2\n", NULL, "line 3"},
        {"id,f\n1,2\n2,3\n", "1,2\n1,9\n", NULL, "'9'"},
        {"id,f\n1,2\n2,3\n", "1,2\n1\n", NULL, "line 2"},
        {"id,f\n1,2\n1,3\n", "1,1\n", NULL, "second time"},
        {"id,f\n1,two\n2,3\n", "1,2\n", NULL, "'two'"},
        {"id,f\n1,nan\n2,3\n", "1,2\n", NULL, "line 2"},
        {"id,f\n1,\"2\n2,3\n", "1,2\n", NULL, "quote"},
        {"id,f,split\n1,2,trian\n2,3,\n", "1,2\n", NULL, "trian"},
        {"id,f\n1,2\n", "", NULL, "no row"},
        {"", "1,2\n", NULL, "no row"},
        {"id,f\n1,2\n2,3\n", "1,2\n", "{\"label_column\": \"topic\"}", "topic"},
        {"id,f\n1,2\n2,3\n", "1,2\n", "{\"label_colum\": \"topic\"}", "label_column"},
        {"id,f\n1,2\n2,3\n", "1\n", NULL, "two columns"},
    };
    gs_dataset *d = NULL;
    gs_status status = read_tables(bad[_i].nodes, bad[_i].edges, bad[_i].options, &d);
    ck_assert_msg(status == GS_BAD_INPUT || status == GS_BAD_USAGE, "case %d gave %d", _i, status);
    ck_assert_msg(strstr(gs_reason(), bad[_i].must) != NULL, "case %d: '%s' lacks '%s'", _i,
                  gs_reason(), bad[_i].must);
    ck_assert_ptr_null(d);
}
END_TEST

START_TEST(every_failed_allocation_is_survived) {
    gs_dataset *d = NULL;
    ck_ok(gs_graph_start());
    ck_ok(read_tables(NODES, EDGES, NULL, &d));
    gs_dataset_free(d);
    const char *names[] = {"edges.csv", "nodes.csv"};
    const void *bytes[] = {EDGES, NODES};
    int64_t sizes[] = {(int64_t)strlen(EDGES), (int64_t)strlen(NODES)};
    int64_t before = gs_alloc_get_stats().live_blocks, k = 0;
    for (bool done = false; !done; k++) {
        gs_source *source = NULL;
        gs_alloc_fail_at(k);
        gs_status status = gs_source_memory(names, bytes, sizes, 2, &source);
        if (status == GS_OK)
            status = gs_import(source, NULL, NULL, &d);
        gs_alloc_fail_at(-1);
        gs_source_close(source);
        done = status == GS_OK;
        ck_assert_msg(done || status == GS_NO_MEMORY, "allocation %lld: %s", (long long)k,
                      gs_reason());
        if (done)
            gs_dataset_free(d);
        ck_assert_int_eq(gs_alloc_get_stats().live_blocks, before);
    }
    ck_assert_int_gt(k, 30);
}
END_TEST

START_TEST(formats_are_recognised_or_refused) {
    const char *names[] = {"thing.bin"}, *path = "/no/such/folder";
    const void *bytes[] = {"\x01\x02"};
    int64_t sizes[] = {2};
    gs_source *source = NULL;
    gs_dataset *d = NULL;
    ck_ok(gs_source_memory(names, bytes, sizes, 1, &source));
    ck_fails(GS_BAD_INPUT, gs_import(source, NULL, NULL, &d));
    ck_fails(GS_BAD_USAGE, gs_import(source, "planetiod", NULL, &d));
    ck_assert_ptr_nonnull(strstr(gs_reason(), "planetoid"));
    gs_source_close(source);
    ck_fails(GS_BAD_IO, gs_source_open(&path, 1, &source));
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, real_data_has_the_known_numbers, 0, KNOWN);
    tcase_add_loop_test(tc, the_public_split, 0, 3);
    tcase_add_loop_test(tc, ten_splits_come_along, 0, SPLIT_SETS);
    tcase_add_test(tc, film_goes_by_node_not_by_line);
    tcase_add_test(tc, splits_are_those_of_numpy);
    tcase_add_test(tc, hidden_nodes_are_those_of_torch);
    tcase_add_test(tc, tables_with_names);
    tcase_add_test(tc, tables_in_other_dialects);
    tcase_add_loop_test(tc, bad_tables_are_named, 0, 13);
    tcase_add_test(tc, every_failed_allocation_is_survived);
    tcase_add_test(tc, formats_are_recognised_or_refused);
}

GS_TEST_MAIN("store importers", add_tests)
