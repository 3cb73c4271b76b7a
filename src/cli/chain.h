/* chain.h - students that teach each other, and the control without a teacher. */
#ifndef GS_CLI_CHAIN_H
#define GS_CLI_CHAIN_H

#include "cli/runner.h"

/* Trains `generations` students of one recipe, each taught by the one before it: all but the last
   into <folder>/generation-<k>, the last into the folder itself; 0: one, with its recipe as it is.
   `control`: then the last one on labels alone as well (control_run). *summary is the last one's.
 */
gs_status chain_run(runner r, int64_t generations, bool control, gs_value **summary);

#endif
