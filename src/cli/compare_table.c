#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/compare.h"
#include "cli/output.h"
#include "distill/strata.h"

static const char *const groups[] = {"x", "x+position", "x+hops", "graph"};
#define GROUPS (int)(sizeof groups / sizeof *groups)

/* The group that a row stands in; others come last. */
static int group_of(const gs_value *row) {
    const char *inputs = gs_get_string(row, "inputs", "");
    int k = 0;
    while (k < GROUPS && strcmp(groups[k], inputs) != 0)
        k++;
    return k;
}

static gs_status fraction_cell(grid *g, double x, bool percent) {
    if (!isfinite(x))
        return grid_cell(g, "-");
    return grid_cell(g, percent ? "%.2f" : "%.4f", percent ? 100 * x : x);
}

/* "0.012 (0.024)": as it is, and corrected. */
static gs_status p_cell(grid *g, const gs_value *one, const char *key) {
    char corrected[64];
    double p = gs_get_float(one, key, (double)NAN);
    snprintf(corrected, sizeof corrected, "%s_holm", key);
    if (!isfinite(p))
        return grid_cell(g, "-");
    return grid_cell(g, "%.3g (%.3g)", p, gs_get_float(one, corrected, (double)NAN));
}

static gs_status difference_cell(grid *g, const gs_value *one, bool percent) {
    double scale = percent ? 100 : 1, low = gs_get_float(one, "low", (double)NAN);
    double difference = scale * gs_get_float(one, "difference", (double)NAN);
    if (!isfinite(difference))
        return grid_cell(g, "no common seed");
    if (!isfinite(low))
        return grid_cell(g, percent ? "%+.2f" : "%+.4f", difference);
    return grid_cell(g, percent ? "%+.2f [%+.2f, %+.2f]%s" : "%+.4f [%+.4f, %+.4f]%s", difference,
                     scale * low, scale * gs_get_float(one, "high", 0),
                     gs_get_bool(one, "significant", false) ? "" : " (not significant)");
}

static gs_status comparison_titles(grid *g, const comparison *with) {
    gs_status status = GS_OK;
    GS_TRY(grid_cell(g, "difference to %s [95 %% interval]", with->name));
    GS_TRY(grid_cell(g, "t-test p (Holm)"));
    GS_TRY(grid_cell(g, "Wilcoxon p (Holm)"));
done:
    return status;
}

/* The cells of one comparison: the difference, and both tests. */
static gs_status comparison_cells(grid *g, const gs_value *row, const comparison *with,
                                  bool percent) {
    gs_status status = GS_OK;
    const gs_value *one = gs_map_get(gs_map_get(row, "comparisons"), with->name);
    bool itself = strcmp(gs_get_string(row, "run", ""), with->to->path) == 0;
    if (one)
        GS_TRY(difference_cell(g, one, percent));
    else
        GS_TRY(grid_cell(g, "%s", itself ? with->name : "-"));
    GS_TRY(p_cell(g, one, "p"));
    GS_TRY(p_cell(g, one, "wilcoxon_p"));
done:
    return status;
}

/* `wide`: with the cells of all comparisons. */
static gs_status heading(const comparing *c, grid *g, bool percent, bool wide) {
    gs_status status = GS_OK;
    static const char *const first[] = {"inputs", "run", "model", "seeds", "trials", NULL};
    GS_TRY(grid_row(g));
    for (int k = 0; first[k]; k++)
        GS_TRY(grid_cell(g, "%s", first[k]));
    GS_TRY(grid_cell(g, percent ? "%s, %%" : "%s", c->metric));
    for (int64_t k = 0; wide && k < c->with_count; k++)
        GS_TRY(comparison_titles(g, &c->with[k]));
    GS_TRY(grid_cell(g, "agreement, %%"));
    for (int k = 0; c->fidelity && compare_fidelity[k].metric; k++)
        GS_TRY(grid_cell(g, "%s", compare_fidelity[k].title));
    GS_TRY(grid_cell(g, "parameters"));
done:
    return status;
}

static gs_status table_row(const comparing *c, grid *g, const gs_value *row, bool percent,
                           bool wide) {
    gs_status status = GS_OK;
    double scale = percent ? 100 : 1;
    GS_TRY(grid_row(g));
    GS_TRY(grid_cell(g, "%s", gs_get_string(row, "inputs", "")));
    GS_TRY(grid_cell(g, "%s", gs_get_string(row, "run", "")));
    GS_TRY(grid_cell(g, "%s", gs_get_string(row, "model", "")));
    GS_TRY(grid_cell(g, "%lld", (long long)gs_get_int(row, "seeds", 0)));
    GS_TRY(grid_cell(g, "%lld", (long long)gs_get_int(row, "trials", 1)));
    GS_TRY(grid_cell(g, percent ? "%.2f ± %.2f" : "%.4f ± %.4f",
                     scale * gs_get_float(row, "mean", (double)NAN),
                     scale * gs_get_float(row, "std", (double)NAN)));
    for (int64_t k = 0; wide && k < c->with_count; k++)
        GS_TRY(comparison_cells(g, row, &c->with[k], percent));
    GS_TRY(fraction_cell(g, gs_get_float(row, "test_agreement", (double)NAN), true));
    const gs_value *fidelity = gs_map_get(row, "fidelity");
    for (int k = 0; c->fidelity && compare_fidelity[k].metric; k++)
        GS_TRY(fraction_cell(g, gs_get_float(fidelity, compare_fidelity[k].metric, (double)NAN),
                             compare_fidelity[k].percent));
    GS_TRY(grid_cell(g, "%.0f", gs_get_float(row, "parameters", 0)));
done:
    return status;
}

static gs_status stratum_row(grid *g, const gs_value *row, const char *by, const gs_value *s) {
    gs_status status = GS_OK;
    GS_TRY(grid_row(g));
    GS_TRY(grid_cell(g, "%s", gs_get_string(row, "inputs", "")));
    GS_TRY(grid_cell(g, "%s", gs_get_string(row, "run", "")));
    GS_TRY(grid_cell(g, "%s", by));
    GS_TRY(grid_cell(g, "%s", gs_get_string(s, "name", "")));
    GS_TRY(grid_cell(g, "%.1f", gs_get_float(s, "n", 0)));
    for (int k = 0; gs_stratum_scores[k]; k++)
        GS_TRY(fraction_cell(g, gs_get_float(s, gs_stratum_scores[k], (double)NAN), true));
done:
    return status;
}

/* Every stratum that has nodes, of every run that has strata. */
static gs_status print_strata(const gs_value *rows, const char *format) {
    gs_status status = GS_OK;
    static const char *const titles[] = {"inputs",
                                         "run",
                                         "by",
                                         "stratum",
                                         "nodes",
                                         "accuracy, %",
                                         "teacher's, %",
                                         "agreement, %",
                                         "where the teacher errs, %",
                                         NULL};
    grid g = {0};
    GS_TRY(grid_open(&g));
    GS_TRY(grid_row(&g));
    for (int k = 0; titles[k]; k++)
        GS_TRY(grid_cell(&g, "%s", titles[k]));
    for (int group = 0; group <= GROUPS; group++)
        for (int64_t k = 0; k < rows->count; k++) {
            const gs_value *strata = gs_map_get(rows->items[k], "strata");
            for (int64_t q = 0; strata && group_of(rows->items[k]) == group && q < strata->count;
                 q++)
                for (int64_t s = 0; s < strata->items[q]->count; s++)
                    if (gs_get_float(strata->items[q]->items[s], "n", 0) > 0)
                        GS_TRY(stratum_row(&g, rows->items[k], strata->keys[q],
                                           strata->items[q]->items[s]));
        }
    printf("\n");
    GS_TRY(grid_print(&g, format));
done:
    grid_close(&g);
    return status;
}

/* One comparison of all runs that have it, as a table of its own. */
static gs_status print_comparison(const comparison *with, const gs_value *rows, bool percent) {
    gs_status status = GS_OK;
    grid g = {0};
    GS_TRY(grid_open(&g));
    GS_TRY(grid_row(&g));
    GS_TRY(grid_cell(&g, "run"));
    GS_TRY(comparison_titles(&g, with));
    for (int group = 0; group <= GROUPS; group++)
        for (int64_t k = 0; k < rows->count; k++) {
            const gs_value *row = rows->items[k];
            bool has = gs_map_get(gs_map_get(row, "comparisons"), with->name) != NULL;
            if (!has || group_of(row) != group)
                continue;
            GS_TRY(grid_row(&g));
            GS_TRY(grid_cell(&g, "%s", gs_get_string(row, "run", "")));
            GS_TRY(comparison_cells(&g, row, with, percent));
        }
    if (g.rows->count > 1) {
        printf("\n%s: %s\n", with->name, with->to->path);
        GS_TRY(grid_print(&g, "text"));
    }
done:
    grid_close(&g);
    return status;
}

gs_status compare_print(const comparing *c, const gs_value *table, const char *format) {
    gs_status status = GS_OK;
    const gs_value *rows = gs_map_get(table, "runs");
    grid g = {0};
    bool percent =
        strstr(c->metric, "accuracy") || strstr(c->metric, "f1") || strstr(c->metric, "agreement");
    GS_TRY(grid_open(&g));
    bool text = !format || strcmp(format, "text") == 0; /* lines that a terminal can show */
    GS_TRY(heading(c, &g, percent, !text));
    for (int group = 0; group <= GROUPS; group++)
        for (int64_t k = 0; k < rows->count; k++)
            if (group_of(rows->items[k]) == group)
                GS_TRY(table_row(c, &g, rows->items[k], percent, !text));
    GS_TRY(grid_print(&g, format));
    for (int64_t k = 0; text && k < c->with_count; k++)
        GS_TRY(print_comparison(&c->with[k], rows, percent));
    if (c->strata)
        GS_TRY(print_strata(rows, format));
done:
    grid_close(&g);
    return status;
}
