/* The safetensors reader: every type, what the format forbids, flipped and cut copies, and how the
   tensors of a file find their parameters. */
#include "store/safetensors.h"

#include <math.h>

#include "base/rng.h"
#include "h5_helpers.h"
#include "nn/model.h"
#include "store/weights.h"

typedef struct blob {
    char bytes[16384];
    int64_t size;
} blob;

/* A file of this header and `data` bytes, all of them `fill`. */
static blob blob_of(const char *header, int64_t data, int fill) {
    blob b = {0};
    uint64_t length = strlen(header);
    for (int k = 0; k < 8; k++)
        b.bytes[k] = (char)(length >> (8 * k));
    memcpy(b.bytes + 8, header, length);
    memset(b.bytes + 8 + length, fill, (size_t)data);
    b.size = 8 + (int64_t)length + data;
    ck_assert_int_le(b.size, (int64_t)sizeof b.bytes);
    return b;
}

static void put_words(blob *b, int64_t at_end, const uint64_t *words, int count, int width) {
    char *to = b->bytes + b->size - at_end;
    for (int k = 0; k < count; k++)
        for (int q = 0; q < width; q++)
            to[k * width + q] = (char)(words[k] >> (8 * q));
}

START_TEST(every_floating_type_is_converted) {
    static const struct {
        const char *type;
        int width;
        uint64_t words[4];
        double numbers[4];
    } cases[] = {
        {"F32", 4, {0x3f800000, 0xc0200000, 0x00000001, 0x80000000}, {1, -2.5, 0x1p-149, -0.0}},
        {"F64",
         8,
         {0x3ff0000000000000, 0xc004000000000000, 0x3fb999999999999a, 0x0000000000000001},
         {1, -2.5, 0.1, 0}},
        {"F16", 2, {0x3c00, 0xc100, 0x0001, 0x7bff}, {1, -2.5, 0x1p-24, 65504}},
        {"BF16", 2, {0x3f80, 0xc020, 0x0001, 0x7f7f}, {1, -2.5, 0x1p-133, 0x1.fep127}},
    };
    char header[128];
    float got[4];
    int64_t bytes = 4 * cases[_i].width;
    snprintf(header, sizeof header,
             "{\"a\":{\"dtype\":\"%s\",\"shape\":[2,2],\"data_offsets\":[0,%d]}}  ", cases[_i].type,
             (int)bytes);
    blob b = blob_of(header, bytes, 0);
    put_words(&b, bytes, cases[_i].words, 4, cases[_i].width);
    safetensors *s = NULL;
    ck_ok(safetensors_open(b.bytes, b.size, &s));
    ck_assert(s->count == 1 && s->list[0].dims == 2 && s->list[0].count == 4);
    ck_ok(safetensor_read(&s->list[0], got));
    for (int k = 0; k < 4; k++)
        ck_assert_msg(got[k] == (float)cases[_i].numbers[k] &&
                          !signbit(got[k]) == !signbit(cases[_i].numbers[k]),
                      "number %d of %s is %a", k, cases[_i].type, (double)got[k]);
    safetensors_close(s);
}
END_TEST

START_TEST(numbers_that_are_not_finite_are_refused) {
    static const struct {
        const char *type;
        int width;
        uint64_t word;
    } cases[] = {{"F32", 4, 0x7f800000},
                 {"F32", 4, 0x7fc00000},
                 {"F64", 8, 0x7ff0000000000000},
                 {"F64", 8, 0x47f0000000000000},
                 {"F16", 2, 0x7c00},
                 {"F16", 2, 0xfe00},
                 {"BF16", 2, 0xff80},
                 {"BF16", 2, 0x7fc0}};
    char header[128];
    float got[1];
    int width = cases[_i].width;
    snprintf(header, sizeof header,
             "{\"the.one\":{\"dtype\":\"%s\",\"shape\":[1],\"data_offsets\":[0,%d]}}",
             cases[_i].type, width);
    blob b = blob_of(header, width, 0);
    put_words(&b, width, &cases[_i].word, 1, width);
    safetensors *s = NULL;
    ck_ok(safetensors_open(b.bytes, b.size, &s));
    ck_fails(GS_BAD_INPUT, safetensor_read(&s->list[0], got));
    ck_assert_msg(strstr(gs_reason(), "'the.one' [1] is not finite") != NULL, "%s", gs_reason());
    safetensors_close(s);
}
END_TEST

#define TENSOR(name, type, shape, from, to)                                                        \
    "\"" name "\":{\"dtype\":\"" type "\",\"shape\":" shape ",\"data_offsets\":[" #from "," #to "]}"
#define LONG_NAME                                                                                  \
    "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn" \
    "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn" \
    "nnnnnnnnnnnnnnnnnnnnn"

/* Headers over 16 bytes of data, and words that the reason must hold. */
static const char *const hostile[][2] = {
    {"{" TENSOR("a", "F32", "[4]", 0, 16) "," TENSOR("a", "F32", "[4]", 0, 16) "}", "duplicate"},
    {"{" TENSOR("a", "F32", "[2]", 0, 8) "," TENSOR("b", "F32", "[3]", 4, 16) "}", "share bytes"},
    {"{" TENSOR("a", "F32", "[4]", 0, 16) "," TENSOR("b", "F32", "[4]", 0, 16) "}", "share bytes"},
    {"{" TENSOR("a", "F32", "[1]", 0, 4) "," TENSOR("b", "F32", "[2]", 8, 16) "}", "4 to 8"},
    {"{" TENSOR("a", "F32", "[2]", 8, 16) "}", "0 to 8"},
    {"{" TENSOR("a", "F32", "[2]", 0, 8) "}", "last 8 bytes"},
    {"{}", "last 16 bytes"},
    {"{" TENSOR("a", "F32", "[5]", 0, 20) "}", "outside"},
    {"{" TENSOR("a", "F32", "[4]", -16, 0) "}", "outside"},
    {"{" TENSOR("a", "F32", "[4]", 16, 0) "}", "outside"},
    {"{" TENSOR("a", "F32", "[4]", 0, 9223372036854775807) "}", "outside"},
    {"{" TENSOR("a", "F32", "[4]", 0, 18446744073709551616) "}", "JSON"},
    {"{" TENSOR("a", "F32", "[4]", 0.0, 16) "}", "two numbers"},
    {"{" TENSOR("a", "F32", "[4]", 0, "16") "}", "two numbers"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,8,16]}}", "two numbers"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4]}}", "two numbers"},
    {"{" TENSOR("a", "F32", "[3]", 0, 16) "}", "do not fit"},
    {"{" TENSOR("a", "F64", "[4]", 0, 16) "}", "do not fit"},
    {"{" TENSOR("a", "F32", "[4611686018427387904]", 0, 16) "}", "do not fit"},
    {"{" TENSOR("a", "F32", "[4294967296,4294967296]", 0, 16) "}", "makes no sense"},
    {"{" TENSOR("a", "F32", "[-4]", 0, 16) "}", "makes no sense"},
    {"{" TENSOR("a", "F32", "[-2,-2]", 0, 16) "}", "makes no sense"},
    {"{" TENSOR("a", "F32", "[4.0]", 0, 16) "}", "makes no sense"},
    {"{" TENSOR("a", "F32", "[1,1,1,1,1,1,1,1,4]", 0, 16) "}", "at most 8"},
    {"{" TENSOR("a", "F32", "4", 0, 16) "}", "must be a list"},
    {"{" TENSOR("a", "F4", "[4]", 0, 16) "}", "'F4'"},
    {"{\"a\":{\"dtype\":4,\"shape\":[4],\"data_offsets\":[0,16]}}", "no dtype"},
    {"{\"a\":{\"shape\":[4],\"data_offsets\":[0,16]}}", "no dtype"},
    {"{\"a\":[0,16]}", "no object"},
    {"{" TENSOR("", "F32", "[4]", 0, 16) "}", "empty"},
    {"{" TENSOR("a\\u001b[2J", "F32", "[4]", 0, 16) "}", "control"},
    {"{" TENSOR("a\\u0000", "F32", "[4]", 0, 16) "}", "JSON"},
    {"{" TENSOR(LONG_NAME, "F32", "[4]", 0, 16) "}", "longer than"},
    {"{\"__metadata__\":{\"a\":1}," TENSOR("a", "F32", "[4]", 0, 16) "}", "__metadata__"},
    {"{\"__metadata__\":\"a\"," TENSOR("a", "F32", "[4]", 0, 16) "}", "__metadata__"},
    {"[" TENSOR("a", "F32", "[4]", 0, 16) "]", "'{'"},
    {" {" TENSOR("a", "F32", "[4]", 0, 16) "}", "'{'"},
    {"{" TENSOR("a", "F32", "[4]", 0, 16), "JSON"},
    {"{" TENSOR("a", "F32", "[4]", 0, 16) "}}", "JSON"},
    {"", "'{'"},
};
enum { HOSTILE = sizeof hostile / sizeof *hostile };

START_TEST(hostile_headers_are_refused) {
    int64_t before = gs_alloc_get_stats().live_blocks;
    blob b = blob_of(hostile[_i][0], 16, 1);
    safetensors *s = NULL;
    ck_fails(GS_BAD_INPUT, safetensors_open(b.bytes, b.size, &s));
    ck_assert_msg(strstr(gs_reason(), hostile[_i][1]) != NULL, "'%s' for %s", gs_reason(),
                  hostile[_i][0]);
    ck_assert_ptr_null(s);
    ck_assert_int_eq(gs_alloc_get_stats().live_blocks, before);
}
END_TEST

START_TEST(lengths_are_not_believed) {
    static const uint64_t lengths[] = {
        0, 17, 1u << 30, UINT64_MAX, (uint64_t)INT64_MAX, (uint64_t)INT64_MAX - 7, 1ull << 63};
    blob b = blob_of("{}", 14, ' ');
    put_words(&b, b.size, &lengths[_i], 1, 8);
    safetensors *s = NULL;
    ck_fails(GS_BAD_INPUT, safetensors_open(b.bytes, b.size, &s));
}
END_TEST

START_TEST(long_headers_are_refused_unread) {
    int64_t size = 5 << 20;
    char *bytes = malloc((size_t)size);
    memset(bytes, '[', (size_t)size);
    uint64_t length = (uint64_t)size - 8;
    for (int k = 0; k < 8; k++)
        bytes[k] = (char)(length >> (8 * k));
    bytes[8] = '{';
    safetensors *s = NULL;
    int64_t calls = gs_alloc_get_stats().calls;
    ck_fails(GS_BAD_INPUT, safetensors_open(bytes, size, &s));
    ck_assert_int_eq(gs_alloc_get_stats().calls, calls);
    free(bytes);
}
END_TEST

/* What torch allows: no tensor at all, scalars, empty tensors, metadata, any order. */
START_TEST(odd_but_legal_files_are_read) {
    static const struct {
        const char *header;
        int64_t data;
    } legal[] = {
        {"{}", 0},
        {"{\"__metadata__\":{\"format\":\"pt\"}}   ", 0},
        {"{" TENSOR("s", "I64", "[]", 0, 8) "}", 8},
        {"{" TENSOR("b", "F32", "[1]", 4, 8) "," TENSOR("a", "F32", "[1]", 0, 4) "}", 8},
        {"{" TENSOR("e", "F32", "[0,7]", 4, 4) "," TENSOR("a", "F32", "[1]", 0, 4) "}", 4},
        {"{" TENSOR("k\xc3\xa9", "BOOL", "[3]", 0, 3) "," TENSOR("u", "U8", "[1]", 3, 4) "}", 4},
    };
    blob b = blob_of(legal[_i].header, legal[_i].data, 0);
    safetensors *s = NULL;
    ck_ok(safetensors_open(b.bytes, b.size, &s));
    safetensors_close(s);
}
END_TEST

#define MODEL                                                                                      \
    "{" TENSOR("convs.0.lin.weight", "F32", "[4,3]", 0, 48) "," TENSOR(                            \
        "convs.0.bias", "F16", "[4]", 48,                                                          \
        56) "," TENSOR("convs.1.lin.weight", "BF16", "[2,4]", 56,                                  \
                       72) "," TENSOR("convs.1.bias", "F64", "[2]", 72,                            \
                                      88) ","                                                      \
                                          "\"__metadata__\":{\"format\":\"pt\"}}"

/* Opens, reads all that can be read, and accepts either outcome: a sentence, or sound numbers. */
static void try_bytes(const char *bytes, int64_t size) {
    int64_t before = gs_alloc_get_stats().live_blocks;
    safetensors *s = NULL;
    /* a block of its own, so that a byte read beyond its end is seen by sanitizers */
    char *own = malloc((size_t)size + (size == 0));
    memcpy(own, bytes, (size_t)size);
    gs_status status = safetensors_open(own, size, &s);
    if (status != GS_OK)
        ck_assert_msg(status == GS_BAD_INPUT && gs_reason()[strlen(gs_reason()) - 1] == '.', "%s",
                      gs_reason());
    for (int64_t k = 0; s && k < s->count; k++) {
        ck_assert_int_le(s->list[k].count, size);
        float *numbers = malloc((size_t)s->list[k].count * sizeof *numbers + 1);
        status = safetensor_read(&s->list[k], numbers);
        ck_assert(status == GS_OK || status == GS_BAD_INPUT);
        for (int64_t i = 0; status == GS_OK && i < s->list[k].count; i++)
            ck_assert(isfinite(numbers[i]));
        free(numbers);
    }
    safetensors_close(s);
    free(own);
    ck_assert_int_eq(gs_alloc_get_stats().live_blocks, before);
}

START_TEST(cut_copies_are_refused) {
    blob b = blob_of(MODEL, 88, 0x11);
    safetensors *s = NULL;
    ck_ok(safetensors_open(b.bytes, b.size, &s));
    safetensors_close(s);
    for (int64_t size = 0; size < b.size; size++) {
        try_bytes(b.bytes, size);
        ck_fails(GS_BAD_INPUT, safetensors_open(b.bytes, size, &s));
    }
}
END_TEST

START_TEST(flipped_copies_are_refused_or_sound) {
    int rounds = getenv("GS_TEST_QUICK") ? 4000 : 40000;
    gs_key key = gs_key_make(5, 0, "flip");
    blob whole = blob_of(MODEL, 88, 0x11);
    for (int64_t at = 0; at < 8 * whole.size; at++) { /* each bit alone */
        blob b = whole;
        b.bytes[at / 8] = (char)(b.bytes[at / 8] ^ (1 << at % 8));
        try_bytes(b.bytes, b.size);
    }
    for (int k = 0; k < rounds; k++) {
        blob b = whole;
        int flips = 2 + k % 7;
        for (int q = 0; q < flips; q++) {
            uint64_t word = gs_word(key, (uint64_t)k, (uint64_t)q);
            int64_t at = (int64_t)(word % (uint64_t)b.size);
            if (k % 2) /* another character of JSON, which reaches further in */
                b.bytes[at] = "0123456789-{}[],:\"eF."[word >> 16 & 15];
            else
                b.bytes[at] = (char)(b.bytes[at] ^ (1 << (word >> 16 & 7)));
        }
        try_bytes(b.bytes, b.size);
    }
}
END_TEST

START_TEST(failed_allocations_are_survived) {
    blob b = blob_of(MODEL, 88, 0x11);
    for (int64_t k = 0;; k++) {
        int64_t before = gs_alloc_get_stats().live_blocks;
        safetensors *s = NULL;
        gs_alloc_fail_at(k);
        gs_status status = safetensors_open(b.bytes, b.size, &s);
        gs_alloc_fail_at(-1);
        safetensors_close(s);
        ck_assert_int_eq(gs_alloc_get_stats().live_blocks, before);
        ck_assert(status == GS_OK || status == GS_NO_MEMORY);
        if (status == GS_OK) {
            ck_assert_int_gt(k, 10);
            break;
        }
    }
}
END_TEST

/* A state of a two-layer GCN, 3 features, 4 hidden, 2 classes. */
static gs_state *state_of(const char *norm) {
    gs_state *state = gs_state_new();
    gs_model *model = NULL;
    gs_value *recipe = gs_map();
    ck_ok(gs_map_set(recipe, "hidden", gs_int(4)));
    ck_ok(gs_map_set(recipe, "norm", gs_string(norm)));
    ck_ok(gs_model_new(recipe, 3, 2, state, 0, &model));
    gs_model_free(model);
    gs_value_free(recipe);
    return state;
}

/* What reading a file of this header and data gives, on that model. */
static gs_status read_into(const char *header, int64_t data, gs_state *state) {
    const char *path = test_file("w.safetensors");
    blob b = blob_of(header, data, 0x11);
    uint64_t numbers[12];
    for (int k = 0; k < 12; k++) { /* the first tensor: 0, 1, … */
        float x = (float)k;
        uint32_t bits;
        memcpy(&bits, &x, sizeof bits);
        numbers[k] = bits;
    }
    if (data >= 48)
        put_words(&b, data, numbers, 12, 4);
    ck_ok(gs_file_write(path, b.bytes, b.size));
    int64_t before = gs_alloc_get_stats().live_blocks;
    gs_status status = gs_weights_read(path, state);
    ck_assert_int_eq(gs_alloc_get_stats().live_blocks, before);
    remove_test_folder();
    return status;
}

START_TEST(weights_are_turned_and_found_by_name) {
    gs_state *state = state_of("none");
    ck_ok(read_into(MODEL, 88, state));
    const gs_matrix *w = &gs_state_find(state, "convs.0.lin.weight")->value;
    ck_assert(w->rows == 3 && w->cols == 4);
    for (int64_t i = 0; i < 3; i++)
        for (int64_t k = 0; k < 4; k++)
            ck_assert(w->data[i * 4 + k] == (float)(k * 3 + i));
    gs_state_free(state);
}
END_TEST

#define PREFIXED(p, norm)                                                                                                    \
    "{" TENSOR(p "convs.0.lin.weight", "F32", "[4,3]", 0, 48) "," TENSOR(p "convs.0.bias", "F32", "[4]", 48, 64) "," TENSOR( \
        p norm "weight", "F32", "[4]", 64,                                                                                   \
        80) "," TENSOR(p norm "bias", "F32", "[4]", 80,                                                                      \
                       96) "," TENSOR(p norm "running_mean", "F32", "[4]", 96,                                               \
                                      112) "," TENSOR(p norm "running_var", "F32", "[4]", 112,                               \
                                                      128) "," TENSOR(p norm                                                 \
                                                                      "num_batches_tracked",                                 \
                                                                      "I64", "[]", 128,                                      \
                                                                      136) "," TENSOR(p "convs.1."                           \
                                                                                        "lin."                               \
                                                                                        "weight",                            \
                                                                                      "F32",                                 \
                                                                                      "[2,4]",                               \
                                                                                      136,                                   \
                                                                                      168) "," TENSOR(p                      \
                                                                                                      "convs.1.bias",        \
                                                                                                      "F32",                 \
                                                                                                      "[2]",                 \
                                                                                                      168,                   \
                                                                                                      176) "}"

START_TEST(prefixes_and_wrapped_norms_are_understood) {
    static const char *const headers[] = {
        PREFIXED("", "norms.0."), PREFIXED("", "norms.0.module."), PREFIXED("model.", "norms.0."),
        PREFIXED("module.", "norms.0.module."), PREFIXED("a.b.c.", "norms.0.")};
    gs_state *state = state_of("batch");
    ck_ok(read_into(headers[_i], 176, state));
    ck_assert(gs_state_find(state, "norms.0.running_var")->value.data[0] < 1e-20f);
    gs_state_free(state);
}
END_TEST

#define FIRST TENSOR("convs.0.lin.weight", "F32", "[4,3]", 0, 48) ","
#define REST                                                                                       \
    "," TENSOR("convs.1.lin.weight", "F32", "[2,4]", 64, 96) "," TENSOR("convs.1.bias", "F32",     \
                                                                        "[2]", 96, 104) "}"

START_TEST(what_does_not_fit_is_named) {
    static const struct {
        const char *header;
        int64_t data;
        const char *words[3];
    } cases[] = {
        {"{}", 0, {"'convs.0.lin.weight' [4, 3]", "among the 0", "recipe"}},
        {"{" FIRST TENSOR("convs.0.biass", "F32", "[4]", 48, 64) REST,
         104,
         {"'convs.0.bias' [4]", "nearest is 'convs.0.biass' [4]", "save it"}},
        {"{" FIRST TENSOR("convs.0.bias", "F32", "[1,4]", 48, 64) REST,
         104,
         {"'convs.0.bias' has the shape [1, 4]", "needs [4]", "hidden"}},
        {"{" TENSOR("convs.0.lin.weight", "F32", "[3,4]", 0, 48) "," TENSOR("convs.0.bias", "F32",
                                                                            "[4]", 48, 64) REST,
         104,
         {"[3, 4]", "needs [4, 3]", "save its transpose"}},
        {"{" FIRST TENSOR("convs.0.bias", "I32", "[4]", 48, 64) REST,
         104,
         {"'convs.0.bias' [4]", "I32", "save it as F32"}},
        {"{" FIRST TENSOR("convs.0.bias", "F32", "[4]", 48, 64) "," TENSOR("convs.2.bias", "F32",
                                                                           "[2]", 104, 112) REST,
         112,
         {"'convs.2.bias' [2]", "no place", "leave the tensor out"}},
        {"{" FIRST TENSOR("convs.0.bias", "F32", "[4]", 48, 64) "," TENSOR("x.convs.0.bias", "F32",
                                                                           "[2]", 104, 112) REST,
         112,
         {"'x.convs.0.bias' [2]", "no place", "leave the tensor out"}},
        {"{" FIRST TENSOR("model.convs.0.bias", "F32", "[4]", 48, 64) REST,
         104,
         {"'convs.0.bias' [4]", "nearest is", "save it"}},
    };
    gs_state *state = state_of("none");
    ck_fails(GS_BAD_INPUT, read_into(cases[_i].header, cases[_i].data, state));
    for (int k = 0; k < 3; k++)
        ck_assert_msg(strstr(gs_reason(), cases[_i].words[k]) != NULL, "no '%s' in: %s",
                      cases[_i].words[k], gs_reason());
    gs_state_free(state);
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_loop_test(tc, every_floating_type_is_converted, 0, 4);
    tcase_add_loop_test(tc, numbers_that_are_not_finite_are_refused, 0, 8);
    tcase_add_loop_test(tc, hostile_headers_are_refused, 0, HOSTILE);
    tcase_add_loop_test(tc, lengths_are_not_believed, 0, 7);
    tcase_add_test(tc, long_headers_are_refused_unread);
    tcase_add_loop_test(tc, odd_but_legal_files_are_read, 0, 6);
    tcase_add_test(tc, cut_copies_are_refused);
    tcase_add_test(tc, flipped_copies_are_refused_or_sound);
    tcase_add_test(tc, failed_allocations_are_survived);
    tcase_add_test(tc, weights_are_turned_and_found_by_name);
    tcase_add_loop_test(tc, prefixes_and_wrapped_norms_are_understood, 0, 5);
    tcase_add_loop_test(tc, what_does_not_fit_is_named, 0, 8);
}

GS_TEST_MAIN("store safetensors", add_tests)
