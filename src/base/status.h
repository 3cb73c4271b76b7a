/* status.h - what a call returns, and the sentence that says why it failed. */
#ifndef GS_BASE_STATUS_H
#define GS_BASE_STATUS_H

/* Every function that can fail returns one of these; the values are the exit codes of the program.
 */
typedef enum gs_status {
    GS_OK = 0,
    GS_FAILED = 1,       /* the run failed (diverged, a check did not hold) */
    GS_BAD_USAGE = 2,    /* wrong arguments, options or recipe */
    GS_BAD_INPUT = 3,    /* a file or data set is wrong */
    GS_BAD_IO = 4,       /* the operating system refused to read or write */
    GS_NO_MEMORY = 5,    /* an allocation failed, or would exceed the limit */
    GS_INTERRUPTED = 130 /* stopped by the user after a checkpoint */
} gs_status;

/* Records the reason of a failure for this thread and returns `code`, so that a caller can write
   `return gs_fail(GS_BAD_INPUT, "…")`. The text is one sentence that says what is wrong, where, and
   what to do, and ends with a full stop; it is cut at 1023 bytes. It replaces an earlier reason. */
gs_status gs_fail(gs_status code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "<prefix>: " before the recorded reason and returns `code` unchanged. GS_OK does nothing. */
gs_status gs_context(gs_status code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The reason of this thread's last failure; never NULL, valid until the next failure. */
const char *gs_reason(void);

/* A short name of the code, such as "bad input". */
const char *gs_status_name(gs_status code);

/* In a function with `gs_status status = GS_OK;` and a label `done:` that frees and returns. */
#define GS_TRY(call)                                                                               \
    do {                                                                                           \
        status = (call);                                                                           \
        if (status != GS_OK)                                                                       \
            goto done;                                                                             \
    } while (0)

#define GS_FAIL(...)                                                                               \
    do {                                                                                           \
        status = gs_fail(__VA_ARGS__);                                                             \
        goto done;                                                                                 \
    } while (0)

#endif
