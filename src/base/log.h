/* log.h - what the library has to say while it works. The program decides where it goes. */
#ifndef GS_BASE_LOG_H
#define GS_BASE_LOG_H

typedef enum { GS_LOG_DEBUG, GS_LOG_INFO, GS_LOG_WARNING } gs_log_level;
typedef void gs_log_sink(void *context, gs_log_level level, const char *sentence);
/* NULL (the default) drops everything. */
void gs_log_to(gs_log_sink *sink, void *context);
void gs_log(gs_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
