#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/output.h"
#include "cli/paired.h"
#include "cli/sweep.h"
#include "distill/inputs.h"
#include "store/files.h"
#include "store/run_folder.h"

static const char *const controls[] = {"teacher", "plain", "smoothing", NULL};

/* "test_accuracy" of "val_accuracy". */
static void test_metric(const char *metric, char *out, size_t bytes) {
    const char *rest = strchr(metric, '_');
    snprintf(out, bytes, "test%s", rest ? rest : "_accuracy");
}

static char *control_folder(const gs_value *plan, const char *folder, const char *graph,
                            const gs_value *student, const char *control) {
    const char *name = gs_get_string(student, control, NULL);
    if (!name)
        return NULL;
    if (strcmp(control, "teacher") == 0)
        return sweep_teacher_folder(folder, graph, plan, name);
    return sweep_final_folder(folder, graph, name);
}

static gs_status add_difference(const gs_value *summary, const char *other_folder,
                                const char *control, const char *metric, gs_value *row) {
    gs_status status = GS_OK;
    gs_value *other = NULL, *map = NULL;
    gs_paired d = {0};
    if (gs_folder_exists(other_folder))
        GS_TRY(gs_run_summary_read(other_folder, &other));
    else if (strcmp(control, "teacher") == 0)
        GS_TRY(summary_told_teacher(summary, metric, &other));
    GS_TRY(summary_paired(summary, other, metric, &d));
    if (d.n == 0)
        goto done;
    GS_TRY(paired_map(&d, &map));
    gs_value *adopted = map;
    map = NULL;
    GS_TRY(gs_map_set(row, control, adopted));
done:
    gs_value_free(other);
    gs_value_free(map);
    return status;
}

static gs_status make_row(const gs_value *plan, const char *folder, const char *graph,
                          const char *name, const gs_value *student, gs_value *rows) {
    gs_status status = GS_OK;
    char metric[64], *path = sweep_final_folder(folder, graph, name), *other = NULL;
    gs_value *summary = NULL, *row = gs_map();
    if (!path || !row)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(gs_run_summary_read(path, &summary));
    if (!summary)
        goto done;
    const gs_value *recipe = gs_map_get(summary, "recipe");
    test_metric(gs_get_string(student, "metric", ""), metric, sizeof metric);
    const gs_value *scores = gs_map_get(summary, metric);
    GS_TRY(gs_map_set(row, "graph", gs_string(graph)));
    GS_TRY(gs_map_set(row, "student", gs_string(name)));
    GS_TRY(gs_map_set(row, "run", gs_string(path)));
    GS_TRY(summary_copy(recipe, "model", row, "model"));
    const char *inputs = gs_get_string(summary, "serving_inputs", NULL);
    GS_TRY(gs_map_set(row, "inputs", gs_string(inputs ? inputs : gs_serving_inputs(recipe))));
    GS_TRY(summary_copy(student, "teacher", row, "teacher_name"));
    GS_TRY(summary_copy(student, "plain", row, "plain_name"));
    GS_TRY(summary_copy(student, "smoothing", row, "smoothing_name"));
    GS_TRY(summary_copy(summary, "trials", row, "trials"));
    GS_TRY(summary_copy(summary, "tuning.best_trial", row, "best_trial"));
    GS_TRY(summary_copy(summary, "tuning.settings", row, "settings"));
    GS_TRY(gs_map_set(row, "metric", gs_string(metric)));
    GS_TRY(summary_copy(scores, "mean", row, "mean"));
    GS_TRY(summary_copy(scores, "std", row, "std"));
    GS_TRY(summary_copy(summary, "seeds", row, "seeds"));
    GS_TRY(summary_copy(scores, "values", row, "values"));
    GS_TRY(summary_copy(summary, "test_agreement.mean", row, "agreement"));
    for (int k = 0; controls[k]; k++) {
        other = control_folder(plan, folder, graph, student, controls[k]);
        if (other)
            GS_TRY(add_difference(summary, other, controls[k], metric, row));
        gs_free(other);
        other = NULL;
    }
    gs_value *adopted = row;
    row = NULL;
    GS_TRY(gs_list_add(rows, adopted));
done:
    gs_value_free(summary);
    gs_value_free(row);
    gs_free(path);
    gs_free(other);
    return status;
}

static void csv_number(FILE *out, double x) {
    if (isfinite(x))
        fprintf(out, ",%.17g", x);
    else
        fputc(',', out);
}

static void csv_list(FILE *out, const gs_value *list) {
    fputc(',', out);
    for (int64_t k = 0; list && k < list->count; k++) {
        const gs_value *v = list->items[k];
        if (v->type == GS_INT)
            fprintf(out, "%s%lld", k ? ";" : "", (long long)v->integer);
        else if (v->type == GS_FLOAT)
            fprintf(out, "%s%.17g", k ? ";" : "", v->number);
        else
            fprintf(out, "%s", k ? ";" : "");
    }
}

/* Names are of letters that a CSV needs no quotes for. */
static void csv_row(FILE *out, const gs_value *row) {
    static const char *const words[] = {"graph",  "student",      "model",
                                        "inputs", "teacher_name", "metric"};
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        fprintf(out, "%s%s", k ? "," : "", gs_get_string(row, words[k], ""));
    fprintf(out, ",%lld", (long long)gs_get_int(row, "trials", 0));
    csv_number(out, gs_get_float(row, "mean", (double)NAN));
    csv_number(out, gs_get_float(row, "std", (double)NAN));
    csv_list(out, gs_map_get(row, "seeds"));
    csv_list(out, gs_map_get(row, "values"));
    csv_number(out, gs_get_float(row, "agreement", (double)NAN));
    for (int k = 0; controls[k]; k++) {
        const gs_value *d = gs_map_get(row, controls[k]);
        csv_number(out, gs_get_float(d, "difference", (double)NAN));
        csv_number(out, gs_get_float(d, "low", (double)NAN));
        csv_number(out, gs_get_float(d, "high", (double)NAN));
        csv_number(out, gs_get_float(d, "p", (double)NAN));
    }
    fprintf(out, "\r\n");
}

static gs_status write_csv(const char *folder, const gs_value *rows) {
    gs_status status = GS_OK;
    char *text = NULL, *path = gs_format("%s/results.csv", folder);
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (!out || !path)
        GS_TRY(GS_NO_MEMORY);
    fprintf(out,
            "graph,student,model,inputs,teacher,metric,trials,mean,std,seeds,values,agreement");
    for (int k = 0; controls[k]; k++)
        fprintf(out, ",minus_%s,minus_%s_low,minus_%s_high,minus_%s_p", controls[k], controls[k],
                controls[k], controls[k]);
    fprintf(out, "\r\n");
    for (int64_t k = 0; k < rows->count; k++)
        csv_row(out, rows->items[k]);
    int failed = fclose(out);
    out = NULL;
    GS_TRY(failed ? GS_NO_MEMORY : gs_file_write(path, text, (int64_t)length));
done:
    if (out)
        fclose(out);
    free(text);
    gs_free(path);
    return status;
}

gs_status sweep_results_write(const gs_value *plan, const char *folder, gs_value **out) {
    gs_status status = GS_OK;
    char *json = NULL, *path = gs_format("%s/results.json", folder);
    gs_value *results = gs_map();
    *out = NULL;
    if (!results || !path)
        GS_TRY(GS_NO_MEMORY);
    GS_TRY(gs_map_set(results, "schema", gs_string("graphstill.sweep/1")));
    GS_TRY(summary_copy(plan, "description", results, "description"));
    GS_TRY(gs_map_set(results, "tool_version", gs_string(GS_VERSION)));
    GS_TRY(summary_copy(plan, "tuning_seeds", results, "tuning_seeds"));
    GS_TRY(gs_map_set(results, "rows", gs_list()));
    gs_value *rows = gs_map_get(results, "rows");
    const gs_value *graphs = gs_map_get(plan, "graphs");
    for (int64_t k = 0; k < graphs->count; k++) {
        const gs_value *students = gs_map_get(graphs->items[k], "students");
        for (int64_t q = 0; q < students->count; q++)
            GS_TRY(make_row(plan, folder, graphs->keys[k], students->keys[q], students->items[q],
                            rows));
    }
    GS_TRY(gs_json_write(results, 2, &json));
    GS_TRY(gs_file_write(path, json, (int64_t)strlen(json)));
    GS_TRY(write_csv(folder, rows));
    *out = results;
    results = NULL;
done:
    gs_value_free(results);
    gs_free(json);
    gs_free(path);
    return status;
}

static gs_status difference_cell(grid *g, const gs_value *d) {
    double low = gs_get_float(d, "low", (double)NAN), high = gs_get_float(d, "high", (double)NAN);
    if (!d)
        return grid_cell(g, "-");
    if (!isfinite(low))
        return grid_cell(g, "%+.2f", 100 * gs_get_float(d, "difference", (double)NAN));
    return grid_cell(g, "%+.2f [%+.2f, %+.2f]%s", 100 * gs_get_float(d, "difference", 0), 100 * low,
                     100 * high, low > 0 || high < 0 ? "*" : "");
}

gs_status sweep_results_print(const gs_value *results) {
    gs_status status = GS_OK;
    grid g = {0};
    static const char *const titles[] = {"graph",   "student",   "serves from", "trials",
                                         "test, %", "- teacher", "- plain",     "- smoothing"};
    const gs_value *rows = gs_map_get(results, "rows");
    GS_TRY(grid_open(&g));
    GS_TRY(grid_row(&g));
    for (size_t k = 0; k < sizeof titles / sizeof *titles; k++)
        GS_TRY(grid_cell(&g, "%s", titles[k]));
    for (int64_t k = 0; k < rows->count; k++) {
        const gs_value *row = rows->items[k];
        GS_TRY(grid_row(&g));
        GS_TRY(grid_cell(&g, "%s", gs_get_string(row, "graph", "")));
        GS_TRY(grid_cell(&g, "%s", gs_get_string(row, "student", "")));
        GS_TRY(grid_cell(&g, "%s", gs_get_string(row, "inputs", "")));
        GS_TRY(grid_cell(&g, "%lld", (long long)gs_get_int(row, "trials", 0)));
        GS_TRY(grid_cell(&g, "%.2f ± %.2f", 100 * gs_get_float(row, "mean", (double)NAN),
                         100 * gs_get_float(row, "std", (double)NAN)));
        for (int q = 0; controls[q]; q++)
            GS_TRY(difference_cell(&g, gs_map_get(row, controls[q])));
    }
    GS_TRY(grid_print(&g, "text"));
    printf("* the paired 95 %% interval does not hold 0; settings were chosen on validation nodes "
           "alone\n");
done:
    grid_close(&g);
    return status;
}
