/* karate.c - W. W. Zachary, An information flow model for conflict and fission in small groups,
   Journal of Anthropological Research 33 (1977): who met whom outside the club, and whom they
   followed. */
#include <string.h>

#include "base/alloc.h"
#include "graph/dataset.h"

#define MEMBERS 34
#define TIES 78

/* Members are numbered from 1, as in the paper. */
static const uint8_t ties[TIES][2] = {
    {1, 2},   {1, 3},   {1, 4},   {1, 5},   {1, 6},   {1, 7},   {1, 8},   {1, 9},   {1, 11},
    {1, 12},  {1, 13},  {1, 14},  {1, 18},  {1, 20},  {1, 22},  {1, 32},  {2, 3},   {2, 4},
    {2, 8},   {2, 14},  {2, 18},  {2, 20},  {2, 22},  {2, 31},  {3, 4},   {3, 8},   {3, 9},
    {3, 10},  {3, 14},  {3, 28},  {3, 29},  {3, 33},  {4, 8},   {4, 13},  {4, 14},  {5, 7},
    {5, 11},  {6, 7},   {6, 11},  {6, 17},  {7, 17},  {9, 31},  {9, 33},  {9, 34},  {10, 34},
    {14, 34}, {15, 33}, {15, 34}, {16, 33}, {16, 34}, {19, 33}, {19, 34}, {20, 34}, {21, 33},
    {21, 34}, {23, 33}, {23, 34}, {24, 26}, {24, 28}, {24, 30}, {24, 33}, {24, 34}, {25, 26},
    {25, 28}, {25, 32}, {26, 32}, {27, 30}, {27, 34}, {28, 34}, {29, 32}, {29, 34}, {30, 33},
    {30, 34}, {31, 33}, {31, 34}, {32, 33}, {32, 34}, {33, 34}};

/* Those who stayed with the instructor, Mr. Hi; the others followed the officers. */
static const uint8_t with_instructor[] = {1,  2,  3,  4,  5,  6,  7,  8, 9,
                                          11, 12, 13, 14, 17, 18, 20, 22};
/* The two leaders and two of their nearest train; four more validate. */
static const uint8_t training[] = {1, 2, 33, 34};
static const uint8_t validating[] = {4, 8, 24, 30};

static gs_status fill_nodes(gs_dataset *d) {
    gs_status status = GS_OK;
    uint8_t role[MEMBERS];
    int64_t place[MEMBERS];
    memset(role, GS_TEST, sizeof role);
    GS_NEW(d->y, MEMBERS);
    GS_NEW(d->id, MEMBERS);
    GS_NEW(d->class_names, 2);
    d->class_names[0] = gs_strdup("instructor");
    d->class_names[1] = gs_strdup("officer");
    d->name = gs_strdup("karate");
    if (!d->class_names[0] || !d->class_names[1] || !d->name)
        GS_TRY(GS_NO_MEMORY);
    for (int64_t i = 0; i < MEMBERS; i++) {
        d->id[i] = i + 1;
        d->y[i] = 1;
        place[i] = i;
    }
    for (size_t k = 0; k < sizeof with_instructor; k++)
        d->y[with_instructor[k] - 1] = 0;
    for (size_t k = 0; k < sizeof training; k++)
        role[training[k] - 1] = GS_TRAIN;
    for (size_t k = 0; k < sizeof validating; k++)
        role[validating[k] - 1] = GS_VALIDATION;
    GS_TRY(gs_dataset_add_split(d, "default", role));
    GS_TRY(gs_csr_build(MEMBERS, MEMBERS, MEMBERS, place, place, NULL, false, &d->x_sparse));
done:
    return status;
}

gs_status gs_dataset_karate(gs_dataset **out) {
    gs_status status = GS_OK;
    int64_t from[2 * TIES], to[2 * TIES];
    gs_dataset *d = gs_dataset_new();
    *out = NULL;
    if (!d)
        return GS_NO_MEMORY;
    d->n = d->f = MEMBERS;
    d->c = 2;
    for (int64_t k = 0; k < TIES; k++) {
        from[2 * k] = to[2 * k + 1] = ties[k][0] - 1;
        to[2 * k] = from[2 * k + 1] = ties[k][1] - 1;
    }
    GS_TRY(fill_nodes(d));
    GS_TRY(gs_csr_build(MEMBERS, MEMBERS, 2 * TIES, from, to, NULL, false, &d->adjacency));
    d->provenance = gs_map();
    if (!d->provenance)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(gs_map_set(d->provenance, "source",
                      gs_string("Zachary, Journal of Anthropological Research 33 (1977)")));
    *out = d;
    d = NULL;
done:
    gs_dataset_free(d);
    return status;
}
