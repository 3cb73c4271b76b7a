#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char reason[1024] = "Nothing has failed.";

gs_status gs_fail(gs_status code, const char *format, ...) {
    char text[sizeof reason]; /* an argument may be the old reason itself */
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    memcpy(reason, text, sizeof reason);
    return code;
}

gs_status gs_context(gs_status code, const char *format, ...) {
    if (code == GS_OK)
        return GS_OK;
    char prefix[512], text[sizeof reason];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(prefix, sizeof prefix, format, arguments);
    va_end(arguments);
    size_t used = (size_t)snprintf(text, sizeof text, "%s: ", prefix);
    size_t rest = strlen(reason), room = sizeof text - used - 1;
    rest = rest < room ? rest : room;
    memcpy(text + used, reason, rest);
    text[used + rest] = 0;
    memcpy(reason, text, sizeof reason);
    return code;
}

const char *gs_reason(void) { return reason; }

const char *gs_status_name(gs_status code) {
    switch (code) {
    case GS_OK:
        return "ok";
    case GS_FAILED:
        return "the run failed";
    case GS_BAD_USAGE:
        return "bad usage";
    case GS_BAD_INPUT:
        return "bad input";
    case GS_BAD_IO:
        return "input or output failed";
    case GS_NO_MEMORY:
        return "out of memory";
    case GS_INTERRUPTED:
        return "interrupted";
    }
    return "unknown";
}
