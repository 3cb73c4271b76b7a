/* importer.h - what an importer is: one file in src/store/importers that defines one gs_importer.
 */
#ifndef GS_STORE_IMPORTER_H
#define GS_STORE_IMPORTER_H

#include "base/option.h"
#include "graph/dataset.h"
#include "store/source.h"

typedef struct gs_importer {
    uint32_t abi;             /* GS_ABI of nn/layer.h: 1 */
    const char *name;         /* --format NAME */
    const char *summary;      /* one sentence */
    const char *files;        /* how its files are called, as in
                                 "ind.NAME.{x,y,tx,ty,allx,ally,graph,test.index}" */
    const gs_option *options; /* may be NULL */
    size_t options_bytes;
    /* 0: not this format; higher is surer. Looks at names and first bytes only. */
    int (*recognise)(gs_source *s);
    /* Makes a data set that passes gs_dataset_check. Adjacency is symmetrised and loses its loops
       unless the format says otherwise; what was dropped is counted in provenance. */
    gs_status (*read)(gs_source *s, const void *options, gs_dataset **out);
} gs_importer;

extern const gs_importer *const gs_importers[]; /* generated, NULL-terminated */
/* Recognises (format NULL) or looks up the importer, reads the options map (NULL: defaults),
   imports, checks, and names the data set after its source. */
gs_status gs_import(gs_source *s, const char *format, const gs_value *options, gs_dataset **out);

#endif
