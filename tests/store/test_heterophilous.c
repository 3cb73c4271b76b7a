/* Archives in the manner of the heterophilous graphs, in memory: what is read, and how bad ones are
   named. */
#include "check_main.h"
#include "graph/csr.h"
#include "npz_helpers.h"
#include "store/importer.h"

/* What of a sound archive of three nodes is replaced. */
typedef struct change {
    const char *features_shape, *edges_shape, *masks_shape, *val_shape;
    int64_t edge_end;   /* the last number of the edges */
    int64_t label;      /* of the last node */
    bool two_roles;     /* node 0 of split 1 trains and tests */
    const char *absent; /* array left out */
    const char *must;   /* in the reason */
} change;

static gs_status read_archive(const change *c, gs_dataset **out) {
    static const float x[6] = {1, 2, 3, 4, 5, 6};
    int64_t edges[4] = {0, 1, 1, c->edge_end}, y[3] = {0, 1, c->label}, size = 0;
    uint8_t masks[3][6] = {{1, 0, 0, 0, 1, 0}, {0, 1, 0, 0, 0, 1}, {0, 0, 1, 1, 0, 0}};
    const char *rows = c->masks_shape ? c->masks_shape : "(2, 3)";
    masks[0][3] = c->two_roles;
    array all[6] = {
        array_of("node_features", "<f4", c->features_shape ? c->features_shape : "(3, 2)", x,
                 sizeof x),
        array_of("node_labels", "<i8", "(3,)", y, sizeof y),
        array_of("edges", "<i8", c->edges_shape ? c->edges_shape : "(2, 2)", edges, sizeof edges),
        array_of("train_masks", "|b1", rows, masks[0], 6),
        array_of("val_masks", "|b1", c->val_shape ? c->val_shape : rows, masks[1], 6),
        array_of("test_masks", "|b1", rows, masks[2], 6),
    };
    array kept[6];
    int count = 0;
    for (int k = 0; k < 6; k++)
        if (!c->absent || strcmp(c->absent, all[k].name) != 0)
            kept[count++] = all[k];
    char *archive = archive_of(kept, count, &size);
    const char *name = "toy.npz";
    const void *bytes = archive;
    gs_source *source = NULL;
    ck_ok(gs_source_memory(&name, &bytes, &size, 1, &source));
    gs_status status = gs_import(source, NULL, NULL, out);
    gs_source_close(source);
    free(archive);
    for (int k = 0; k < 6; k++)
        free((char *)(uintptr_t)all[k].bytes);
    return status;
}

START_TEST(masks_become_splits) {
    gs_dataset *d = NULL;
    ck_ok(read_archive(&(change){.edge_end = 1}, &d)); /* a loop */
    ck_assert(d->n == 3 && d->f == 2 && d->c == 2 && d->adjacency->nnz == 2);
    ck_assert(gs_row(&d->x, 2)[0] == 5 && d->y[1] == 1);
    ck_assert_int_eq(gs_get_int(d->provenance, "self_loops_dropped", 0), 1);
    ck_assert_int_eq(d->split_count, 2);
    const uint8_t *zero = gs_dataset_split(d, "0")->role, *one = gs_dataset_split(d, "1")->role;
    ck_assert(zero[0] == GS_TRAIN && zero[1] == GS_VALIDATION && zero[2] == GS_TEST);
    ck_assert(one[0] == GS_TEST && one[1] == GS_TRAIN && one[2] == GS_VALIDATION);
    gs_dataset_free(d);
}
END_TEST

static const change bad[] = {
    {.edge_end = 3, .must = "Row 1 of 'edges' names node 3"},
    {.edge_end = -1, .must = "Row 1 of 'edges' names node -1"},
    {.edges_shape = "(4, 1)", .must = "two columns"},
    {.edges_shape = "(3, 2)", .must = "edges.npy"},
    {.label = 3, .must = "label"},
    {.features_shape = "(2, 3)", .must = "3 labels for 2 nodes"},
    {.features_shape = "(2000000000, 0)", .must = "labels for 2000000000 nodes"},
    {.masks_shape = "(3, 2)", .must = "'train_masks' is 3 x 2, but must be 3 x 3"},
    {.val_shape = "(1, 3)", .must = "'val_masks' is 1 x 3, but must be 2 x 3"},
    {.two_roles = true, .must = "Node 0 stands in two masks of split '1'"},
    {.absent = "val_masks", .must = "'val_masks' is missing"},
    {.absent = "train_masks", .must = "'train_masks' is missing"},
    {.absent = "node_labels", .must = "'node_labels' is missing"},
    {.absent = "edges", .must = "none of the known sets"},
};

START_TEST(bad_archives_are_named) {
    gs_dataset *d = NULL;
    ck_fails(GS_BAD_INPUT, read_archive(&bad[_i], &d));
    ck_assert_msg(strstr(gs_reason(), bad[_i].must) != NULL, "case %d: '%s' lacks '%s'", _i,
                  gs_reason(), bad[_i].must);
    ck_assert_ptr_null(d);
}
END_TEST

/* Without nodes, an array of no bytes may claim masks without end. */
START_TEST(masks_of_no_node_are_not_counted_out) {
    static const char shape[] = "(1000000000000, 0)";
    array all[6] = {array_of("node_features", "<f4", "(0, 2)", NULL, 0),
                    array_of("node_labels", "<i8", "(0,)", NULL, 0),
                    array_of("edges", "<i8", "(0, 2)", NULL, 0),
                    array_of("train_masks", "|b1", shape, NULL, 0),
                    array_of("val_masks", "|b1", shape, NULL, 0),
                    array_of("test_masks", "|b1", shape, NULL, 0)};
    int64_t size = 0;
    char *archive = archive_of(all, 6, &size);
    const char *name = "toy.npz";
    const void *bytes = archive;
    gs_source *source = NULL;
    gs_dataset *d = NULL;
    ck_ok(gs_source_memory(&name, &bytes, &size, 1, &source));
    ck_fails(GS_BAD_INPUT, gs_import(source, NULL, NULL, &d));
    ck_assert_ptr_nonnull(strstr(gs_reason(), "1000000000000 masks"));
    gs_source_close(source);
    free(archive);
    for (int k = 0; k < 6; k++)
        free((char *)(uintptr_t)all[k].bytes);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, masks_become_splits);
    tcase_add_loop_test(tc, bad_archives_are_named, 0, (int)(sizeof bad / sizeof *bad));
    tcase_add_test(tc, masks_of_no_node_are_not_counted_out);
}

GS_TEST_MAIN("store heterophilous", add_tests)
