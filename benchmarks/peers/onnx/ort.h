/* ort.h - the few functions of ONNX Runtime's C interface that the comparison calls. Its Python
   package holds the library without headers; the interface is a table of functions whose positions
   are frozen since version 1 (onnxruntime_c_api.h, struct OrtApi). */
#ifndef ORT_H
#define ORT_H

#include <stddef.h>
#include <stdint.h>

typedef struct ort_base {
    void *const *(*table)(uint32_t version);
    const char *(*version)(void);
} ort_base;

/* Positions in the table. */
enum {
    ORT_ERROR_MESSAGE = 2,
    ORT_CREATE_ENV = 3,
    ORT_CREATE_SESSION = 7,
    ORT_RUN = 9,
    ORT_CREATE_OPTIONS = 10,
    ORT_SET_OPTIMIZATION = 23,
    ORT_SET_INTRA_THREADS = 24,
    ORT_SET_INTER_THREADS = 25,
    ORT_TENSOR_OF_DATA = 49,
    ORT_CREATE_CPU_MEMORY = 69
};

/* Each returns NULL or an error for ORT_ERROR_MESSAGE. */
typedef const char *ort_error_message(const void *error);
typedef void *ort_create_env(int severity, const char *id, void **env);
typedef void *ort_create_session(const void *env, const char *path, const void *options,
                                 void **out);
typedef void *ort_run(void *session, const void *options, const char *const *input_names,
                      const void *const *inputs, size_t input_count,
                      const char *const *output_names, size_t output_count, void **outputs);
typedef void *ort_create_options(void **options);
typedef void *ort_set_number(void *options, int number);
typedef void *ort_tensor_of_data(const void *memory, void *data, size_t bytes, const int64_t *shape,
                                 size_t rank, int type, void **out);
typedef void *ort_create_cpu_memory(int allocator, int kind, void **out);

#define ORT_WARNING 2
#define ORT_ALL_OPTIMIZATIONS 99
#define ORT_FLOAT 1
#define ORT_ARENA 1

#endif
