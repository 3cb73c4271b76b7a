/* yaml.h - recipes as YAML. */
#ifndef GS_STORE_YAML_H
#define GS_STORE_YAML_H

#include "base/value.h"

/* One document: a map. Anchors, tags, duplicate keys, several documents, and nesting beyond 32
   levels are refused. GS_BAD_USAGE with `label` and line. Plain scalars are typed by
   gs_value_from_word. */
gs_status gs_yaml_read(const char *text, int64_t bytes, const char *label, gs_value **out);
gs_status gs_yaml_write(const gs_value *v, char **text); /* caller frees */

/* Finds a recipe: a path to a .yaml file, or a name: NAME.yaml in models/ and models/published/ of
   the source tree, of $GRAPHSTILL_MODELS, or of the installation. GS_BAD_USAGE naming the nearest.
 */
gs_status gs_recipe_load(const char *name, gs_value **out);
/* All recipes that can be named, as a list of maps {name, path, description}. */
gs_status gs_recipe_list(gs_value **out);

#endif
