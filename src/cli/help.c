#include <stdio.h>
#include <string.h>

#include "base/matrix.h"
#include "cli/args.h"
#include "graph/csr.h"
#include "store/version.h"

const gs_command *command_by_name(const char *name) {
    for (int k = 0; gs_commands[k]; k++)
        if (strcmp(gs_commands[k]->name, name) == 0)
            return gs_commands[k];
    return NULL;
}

gs_status command_unknown(const char *name) {
    const char *names[64] = {NULL};
    for (int k = 0; k < 63 && gs_commands[k]; k++)
        names[k] = gs_commands[k]->name;
    const char *near = gs_nearest(name, names);
    if (near)
        return gs_fail(GS_BAD_USAGE, "There is no command '%s'; the nearest is '%s'.", name, near);
    return gs_fail(GS_BAD_USAGE, "There is no command '%s'.", name);
}

void help_version(FILE *out) {
    char hdf5[64];
    gs_hdf5_name(hdf5, sizeof hdf5);
    fprintf(out, "graphstill %s (%s)\n", GS_VERSION, GS_GIT_COMMIT);
    fprintf(out, "%s, %s, %s\n", gs_graphblas_name(), hdf5, gs_blas_name());
}

void help_program(FILE *out) {
    fprintf(out,
            "graphstill trains deep graph neural networks and distills them into small models.\n"
            "\n"
            "Usage: graphstill COMMAND …\n\nCommands:\n");
    for (int k = 0; gs_commands[k]; k++)
        fprintf(out, "  %-9s %s\n", gs_commands[k]->name, gs_commands[k]->summary);
    fprintf(out, "\n'graphstill COMMAND --help' explains one; '--version' names the libraries.\n"
                 "A first run: graphstill demo\n");
}

static void flag_line(const gs_flag *f, FILE *out) {
    char left[64];
    if (f->letter)
        snprintf(left, sizeof left, "-%c, --%s%s%s", f->letter, f->name, f->value ? " " : "",
                 f->value ? f->value : "");
    else
        snprintf(left, sizeof left, "    --%s%s%s", f->name, f->value ? " " : "",
                 f->value ? f->value : "");
    fprintf(out, "  %-26s %s\n", left, f->help);
}

void help_command(const gs_command *command, FILE *out) {
    fprintf(out, "%s\n\nUsage: graphstill %s %s\n", command->summary, command->name,
            command->synopsis);
    if (command->details)
        fprintf(out, "\n%s\n", command->details);
    fprintf(out, "\nFlags:\n");
    for (const gs_flag *f = command->flags; f && f->name; f++)
        flag_line(f, out);
    for (const gs_flag *f = args_common_flags; f->name; f++)
        flag_line(f, out);
    fprintf(out,
            "\nExit codes: 0 done, 1 the run failed, 2 usage or recipe, 3 input data, 4 input or "
            "output,\n5 out of memory, 130 interrupted after a checkpoint.\n");
}
