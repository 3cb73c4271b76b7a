/* import_weights.h - `import --weights`: a run from a state_dict of PyTorch Geometric. */
#ifndef GS_CLI_IMPORT_WEIGHTS_H
#define GS_CLI_IMPORT_WEIGHTS_H

#include "cli/args.h"

gs_status import_weights(const gs_args *args);

#endif
