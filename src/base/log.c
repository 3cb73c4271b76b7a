#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

static gs_log_sink *sink;
static void *sink_context;

void gs_log_to(gs_log_sink *to, void *context) {
    sink = to;
    sink_context = context;
}

void gs_log(gs_log_level level, const char *format, ...) {
    if (!sink)
        return;
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    sink(sink_context, level, text);
}
