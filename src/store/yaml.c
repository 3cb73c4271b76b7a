#include "store/yaml.h"

#include <math.h>
#include <string.h>

#include <yaml.h>

#include "base/alloc.h"

#define DEEPEST 32
#define MOST_VALUES 1000000

typedef struct reading {
    yaml_parser_t parser;
    const char *label;
    int64_t values;
} reading;

static int line_of(const yaml_event_t *e) { return (int)e->start_mark.line + 1; }

static gs_status next(reading *r, yaml_event_t *event) {
    if (yaml_parser_parse(&r->parser, event))
        return GS_OK;
    const char *problem = r->parser.problem ? r->parser.problem : "it cannot be read";
    memset(event, 0, sizeof *event);
    if (r->parser.error == YAML_MEMORY_ERROR)
        return gs_fail(GS_NO_MEMORY, "There is not enough memory to read %s.", r->label);
    return gs_fail(GS_BAD_USAGE, "%s, line %d is no valid YAML: %s.", r->label,
                   (int)r->parser.problem_mark.line + 1, problem);
}

/* Anchors and tags are refused wherever they may stand. */
static gs_status check_plain(const reading *r, const yaml_event_t *e) {
    const yaml_char_t *anchor = NULL, *tag = NULL;
    switch (e->type) {
    case YAML_SCALAR_EVENT:
        anchor = e->data.scalar.anchor;
        tag = e->data.scalar.tag;
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = e->data.sequence_start.anchor;
        tag = e->data.sequence_start.tag;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = e->data.mapping_start.anchor;
        tag = e->data.mapping_start.tag;
        break;
    case YAML_ALIAS_EVENT:
        anchor = e->data.alias.anchor;
        break;
    default:
        break;
    }
    if (anchor)
        return gs_fail(GS_BAD_USAGE,
                       "%s, line %d: anchors and aliases are not allowed; write the "
                       "values out.",
                       r->label, line_of(e));
    if (tag)
        return gs_fail(GS_BAD_USAGE, "%s, line %d: the tag %s is not allowed; leave it out.",
                       r->label, line_of(e), (const char *)tag);
    return GS_OK;
}

static gs_value *scalar(const yaml_event_t *e) {
    const char *word = (const char *)e->data.scalar.value;
    if (e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return gs_string(word);
    if (strcmp(word, ".nan") == 0)
        return gs_float(NAN);
    if (strcmp(word, ".inf") == 0 || strcmp(word, "-.inf") == 0)
        return gs_float(word[0] == '-' ? -INFINITY : INFINITY);
    return gs_value_from_word(word);
}

static gs_status read_value(reading *r, const yaml_event_t *first, int depth, gs_value **out);

static gs_status read_list(reading *r, int depth, gs_value *list) {
    gs_status status = GS_OK;
    yaml_event_t event = {0};
    gs_value *item = NULL;
    for (;;) {
        GS_TRY(next(r, &event));
        if (event.type == YAML_SEQUENCE_END_EVENT)
            goto done;
        GS_TRY(read_value(r, &event, depth, &item));
        GS_TRY(gs_list_add(list, item));
        yaml_event_delete(&event);
    }
done:
    yaml_event_delete(&event);
    return status;
}

static gs_status read_map(reading *r, int depth, gs_value *map) {
    gs_status status = GS_OK;
    yaml_event_t key = {0}, event = {0};
    gs_value *item = NULL;
    for (;;) {
        GS_TRY(next(r, &key));
        if (key.type == YAML_MAPPING_END_EVENT)
            goto done;
        GS_TRY(check_plain(r, &key));
        if (key.type != YAML_SCALAR_EVENT)
            GS_FAIL(GS_BAD_USAGE, "%s, line %d: a key must be a word.", r->label, line_of(&key));
        const char *name = (const char *)key.data.scalar.value;
        if (strlen(name) != key.data.scalar.length)
            GS_FAIL(GS_BAD_USAGE, "%s, line %d: a key holds a NUL byte.", r->label, line_of(&key));
        if (gs_map_get(map, name))
            GS_FAIL(GS_BAD_USAGE, "%s, line %d: the key '%s' stands there twice.", r->label,
                    line_of(&key), name);
        GS_TRY(next(r, &event));
        GS_TRY(read_value(r, &event, depth, &item));
        GS_TRY(gs_map_set(map, name, item));
        yaml_event_delete(&event);
        yaml_event_delete(&key);
    }
done:
    yaml_event_delete(&event);
    yaml_event_delete(&key);
    return status;
}

static gs_status read_value(reading *r, const yaml_event_t *first, int depth, gs_value **out) {
    gs_status status = GS_OK;
    gs_value *v = NULL;
    *out = NULL;
    GS_TRY(check_plain(r, first));
    if (depth >= DEEPEST)
        GS_FAIL(GS_BAD_USAGE, "%s, line %d: values are nested deeper than %d levels.", r->label,
                line_of(first), DEEPEST);
    if (++r->values > MOST_VALUES)
        GS_FAIL(GS_BAD_USAGE, "%s holds more than %d values.", r->label, MOST_VALUES);
    if (first->type == YAML_SCALAR_EVENT) {
        if (strlen((const char *)first->data.scalar.value) != first->data.scalar.length)
            GS_FAIL(GS_BAD_USAGE, "%s, line %d: a text holds a NUL byte.", r->label,
                    line_of(first));
        v = scalar(first);
    } else {
        v = first->type == YAML_SEQUENCE_START_EVENT ? gs_list() : gs_map();
    }
    if (!v)
        GS_TRY(GS_NO_MEMORY);
    v->line = line_of(first);
    if (first->type == YAML_SEQUENCE_START_EVENT)
        GS_TRY(read_list(r, depth + 1, v));
    if (first->type == YAML_MAPPING_START_EVENT)
        GS_TRY(read_map(r, depth + 1, v));
    *out = v;
    v = NULL;
done:
    gs_value_free(v);
    return status;
}

/* Reads events up to the first one of a value, or the end of the stream. */
static gs_status skip_start(reading *r, yaml_event_t *event) {
    gs_status status = GS_OK;
    do {
        yaml_event_delete(event);
        GS_TRY(next(r, event));
    } while (event->type == YAML_STREAM_START_EVENT || event->type == YAML_DOCUMENT_START_EVENT ||
             event->type == YAML_DOCUMENT_END_EVENT);
done:
    return status;
}

gs_status gs_yaml_read(const char *text, int64_t bytes, const char *label, gs_value **out) {
    gs_status status = GS_OK;
    reading r = {.label = label};
    yaml_event_t event = {0};
    gs_value *v = NULL;
    bool begun = yaml_parser_initialize(&r.parser) == 1;
    *out = NULL;
    if (!begun)
        GS_FAIL(GS_NO_MEMORY, "There is not enough memory to read %s.", label);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, (size_t)bytes);
    GS_TRY(skip_start(&r, &event));
    if (event.type == YAML_STREAM_END_EVENT) { /* nothing but comments */
        v = gs_map();
        if (!v)
            GS_TRY(GS_NO_MEMORY);
    } else {
        GS_TRY(read_value(&r, &event, 0, &v));
        if (v->type != GS_MAP)
            GS_FAIL(GS_BAD_USAGE, "%s must hold keys with values, as in 'model: gcn'.", label);
        GS_TRY(skip_start(&r, &event));
        if (event.type != YAML_STREAM_END_EVENT)
            GS_FAIL(GS_BAD_USAGE, "%s, line %d: a second document begins; only one is allowed.",
                    label, line_of(&event));
    }
    *out = v;
    v = NULL;
done:
    yaml_event_delete(&event);
    if (begun)
        yaml_parser_delete(&r.parser);
    gs_value_free(v);
    return status;
}
