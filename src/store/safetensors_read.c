/* safetensors_read.c - the numbers of a tensor, from whatever floating type, as float32. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "store/safetensors.h"

static uint64_t word_at(const uint8_t *bytes, int width) {
    uint64_t word = 0;
    for (int k = 0; k < width; k++)
        word |= (uint64_t)bytes[k] << (8 * k);
    return word;
}

static float from_single(uint64_t word) {
    uint32_t bits = (uint32_t)word;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* A number beyond float32 becomes infinite, and is refused as such. */
static float from_double(uint64_t word) {
    double x;
    memcpy(&x, &word, sizeof x);
    return (float)x;
}

/* bfloat16 is the upper half of a float32. */
static float from_brain(uint64_t word) { return from_single(word << 16); }

/* 1 bit sign, 5 of exponent (bias 15), 10 of fraction. */
static float from_half(uint64_t word) {
    int exponent = (int)(word >> 10 & 31);
    float fraction = (float)(word & 1023), x;
    if (exponent == 31)
        x = fraction > 0 ? NAN : INFINITY;
    else if (exponent == 0)
        x = ldexpf(fraction, -24);
    else
        x = ldexpf(fraction + 1024, exponent - 25);
    return word >> 15 & 1 ? -x : x;
}

static const struct {
    const char *type;
    float (*decode)(uint64_t word);
} decoders[] = {
    {"F32", from_single}, {"F64", from_double}, {"F16", from_half}, {"BF16", from_brain}, {0}};

gs_status safetensor_read(const safetensor *t, float *out) {
    char text[SHAPE_TEXT];
    int k = 0;
    while (decoders[k].type && strcmp(decoders[k].type, t->type) != 0)
        k++;
    if (!decoders[k].type)
        return gs_fail(GS_BAD_INPUT,
                       "The tensor '%s' %s holds numbers of the type %s, but F32 is expected (F64, "
                       "F16 and BF16 are converted); save it as F32.",
                       t->name, shape_text(t->shape, t->dims, text), t->type);
    for (int64_t i = 0; i < t->count; i++) {
        out[i] = decoders[k].decode(word_at(t->data + i * t->width, t->width));
        if (!isfinite(out[i]))
            return gs_fail(GS_BAD_INPUT,
                           "Number %lld of the tensor '%s' %s is not finite in float32; the model "
                           "that was saved has diverged, or the file is damaged.",
                           (long long)i, t->name, shape_text(t->shape, t->dims, text));
    }
    return GS_OK;
}

const char *shape_text(const int64_t *shape, int dims, char text[SHAPE_TEXT]) {
    size_t at = 0;
    for (int k = 0; k < dims && at < SHAPE_TEXT; k++)
        at += (size_t)snprintf(text + at, SHAPE_TEXT - at, k > 0 ? ", %lld" : "[%lld",
                               (long long)shape[k]);
    if (at < SHAPE_TEXT)
        snprintf(text + at, SHAPE_TEXT - at, dims > 0 ? "]" : "[]");
    return text;
}
