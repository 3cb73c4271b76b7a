/* safetensors.h - private to store: named arrays in the safetensors format, from bytes that may be
   hostile. */
#ifndef GS_STORE_SAFETENSORS_H
#define GS_STORE_SAFETENSORS_H

#include <stdint.h>

#include "base/value.h"

enum { SAFETENSORS_MOST_DIMS = 8, SAFETENSORS_LONGEST_NAME = 200 };

typedef struct safetensor {
    const char *name, *type; /* "F32"; borrowed from the header */
    int width;               /* bytes of one element */
    int dims;
    int64_t shape[SAFETENSORS_MOST_DIMS];
    int64_t count;       /* product of the shape */
    int64_t begin, end;  /* of its bytes, behind the header */
    const uint8_t *data; /* count * width bytes, borrowed; little endian, in C order */
} safetensor;

typedef struct safetensors {
    gs_value *header;
    safetensor *list; /* in the order of their bytes */
    int64_t count;
} safetensors;

/* The tensors of a whole file in memory, which is borrowed. Everything that the header claims is
   checked: types, shapes, that the offsets fit them, and that the bytes are covered without holes
   or overlap. GS_BAD_INPUT. */
gs_status safetensors_open(const char *bytes, int64_t size, safetensors **out);
void safetensors_close(safetensors *s);

/* safetensors_read.c: the numbers of a tensor as out[count]. GS_BAD_INPUT when it is of no floating
   type, or a number is not finite in float32. */
gs_status safetensor_read(const safetensor *t, float *out);
/* "[16, 1433]" into a buffer that is returned. */
enum { SHAPE_TEXT = 192 };
const char *shape_text(const int64_t *shape, int dims, char text[SHAPE_TEXT]);

#endif
