/* Run folders: what they refuse, the summary, the tables, and the view over all seeds. */
#include "store/run_folder.h"

#include <math.h>

#include "distill/statistics.h"
#include "h5_helpers.h"
#include "store/model_file.h"
#include "store/yaml.h"

#define RECIPE "{\"model\": \"gcn\", \"hidden\": 4, \"epochs\": 5, \"patience\": 0}"

/* Three seeds, written in no order. */
static void make_runs(const char *folder, gs_dataset *d, bool hidden, gs_run **runs) {
    static const uint64_t seeds[3] = {10, 2, 0};
    for (int k = 0; k < 3; k++) {
        runs[k] = small_run(d, RECIPE, seeds[k], hidden);
        if (k == 0)
            ck_ok(gs_run_folder_open(folder, runs[0]->recipe, false));
        char *path = gs_run_folder_seed(folder, seeds[k]);
        ck_ok(gs_model_write(runs[k], d, NULL, path));
        gs_free(path);
    }
}

/* The strata of the summary are the mean of those that the files of the seeds hold. */
static void ck_strata(const gs_value *summary, gs_run **runs) {
    for (int64_t by = 0; by < runs[0]->strata->count; by++) {
        const char *name = runs[0]->strata->keys[by];
        const gs_value *mean = gs_map_get(gs_map_get(summary, "strata"), name);
        ck_assert_int_eq(mean->count, runs[0]->strata->items[by]->count);
        for (int64_t q = 0; q < mean->count; q++) {
            double sum = 0, n = 0;
            int64_t seeds = 0;
            for (int k = 0; k < 3; k++) {
                const gs_value *one = gs_map_get(runs[k]->strata, name)->items[q];
                ck_assert_str_eq(gs_get_string(mean->items[q], "name", "?"),
                                 gs_get_string(one, "name", ""));
                if (gs_get_int(one, "n", 0) == 0)
                    continue;
                sum += gs_get_float(one, "accuracy", NAN);
                n += gs_get_float(one, "n", NAN);
                seeds++;
            }
            ck_assert_int_eq(gs_get_int(mean->items[q], "seeds", -1), seeds);
            if (seeds == 0)
                continue;
            ck_near(gs_get_float(mean->items[q], "accuracy", NAN), sum / (double)seeds, 1e-12);
            ck_near(gs_get_float(mean->items[q], "n", NAN), n / (double)seeds, 1e-12);
        }
    }
}

START_TEST(the_summary_holds_every_metric) {
    gs_dataset *d = small_graph(60, false);
    gs_run *runs[3];
    const char *folder = test_file("run");
    gs_value *summary = NULL, *file = NULL, *extra = gs_map();
    char *bytes = NULL, path[600];
    int64_t size = 0;
    ck_ok(gs_value_set_at(extra, "timings.train_seconds", gs_float(1.5)));
    make_runs(folder, d, false, runs);
    ck_ok(gs_run_folder_finish(folder, d, extra, &summary));
    ck_assert_str_eq(gs_get_string(summary, "schema", ""), "graphstill.summary/1");
    ck_assert_int_eq(gs_map_get(summary, "seeds")->count, 3);
    ck_assert_int_eq(gs_map_get(summary, "seeds")->items[0]->integer, 0);
    ck_assert_int_eq(gs_map_get(summary, "seeds")->items[2]->integer, 10);
    double x[3], best = -1;
    int64_t best_seed = -1;
    for (int k = 0; k < 3; k++) {
        const gs_run *r = runs[2 - k]; /* ascending seeds */
        x[k] = gs_get_float(r->metrics, "test_accuracy", NAN);
        if (gs_get_float(r->metrics, "val_accuracy", NAN) > best) {
            best = gs_get_float(r->metrics, "val_accuracy", NAN);
            best_seed = (int64_t)r->seed;
        }
        ck_near(gs_value_at(summary, "test_accuracy.values")->items[k]->number, x[k], 0);
    }
    ck_near(gs_get_float(summary, "test_accuracy.mean", NAN), gs_mean(x, 3), 1e-15);
    ck_near(gs_get_float(summary, "test_accuracy.std", NAN), gs_std(x, 3), 1e-15);
    ck_assert_int_eq(gs_get_int(summary, "best_seed", -1), best_seed);
    ck_near(gs_get_float(summary, "timings.train_seconds", 0), 1.5, 0);
    ck_strata(summary, runs);
    ck_assert(gs_value_equal(gs_map_get(summary, "recipe"), runs[0]->recipe));
    ck_assert_int_eq(gs_value_at(summary, "parameters.values")->items[1]->integer,
                     gs_get_int(runs[1]->metrics, "parameters", -1));
    snprintf(path, sizeof path, "%s/summary.json", folder);
    file_bytes(path, &bytes, &size);
    ck_ok(gs_json_read(bytes, size, &file));
    ck_assert(gs_map_get(file, "test_accuracy") != NULL);
    gs_free(bytes);
    gs_value_free(file);
    gs_value_free(summary);
    gs_value_free(extra);
    for (int k = 0; k < 3; k++)
        gs_run_free(runs[k]);
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

/* The next field of RFC 4180 text. */
static const char *field(const char **at, char *out) {
    char *to = out;
    bool quoted = **at == '"';
    *at += quoted;
    while (**at && (quoted ? **at != '"' || (*at)[1] == '"' : !strchr(",\r\n", **at))) {
        *at += quoted && **at == '"';
        *to++ = *(*at)++;
    }
    *to = '\0';
    *at += quoted;
    if (**at == ',')
        ++*at;
    else if (**at == '\r')
        *at += 2;
    return out;
}

/* The rest of a node's row: where it stands, and how often the seeds that test it are right. */
static void ck_place(const char **at, const gs_dataset *d, int64_t i, gs_run **runs) {
    const gs_csr *a = d->adjacency;
    int64_t known = 0, same = 0, tested = 0, right = 0;
    char word[256];
    for (int64_t e = a->ptr[i]; e < a->ptr[i + 1]; e++) {
        known += d->y[a->col[e]] >= 0;
        same += d->y[a->col[e]] == d->y[i];
    }
    for (int k = 0; k < 3; k++) {
        bool hidden = runs[k]->role[i] == GS_HIDDEN_TEST;
        const float *z = gs_row(hidden ? &runs[k]->full.logits : &runs[k]->observed.logits, i);
        if ((!hidden && runs[k]->role[i] != GS_TEST) || d->y[i] < 0)
            continue;
        tested++;
        right += z[d->y[i]] >= z[0] && z[d->y[i]] >= z[1] && z[d->y[i]] >= z[2];
    }
    ck_assert_int_eq(atoi(field(at, word)), (int)(a->ptr[i + 1] - a->ptr[i]));
    field(at, word);
    ck_assert_int_eq(word[0] == 0, known == 0 || d->y[i] < 0);
    if (word[0])
        ck_near(atof(word), (double)same / (double)known, 1e-6);
    field(at, word);
    if (runs[0]->role[i] == GS_TRAIN)
        ck_assert_str_eq(word, "0");
    else if (word[0])
        ck_assert_int_ge(atoi(word), 1);
    ck_assert_int_eq(atoi(field(at, word)), (int)tested);
    ck_assert_int_eq(atoi(field(at, word)), (int)right);
    ck_assert_str_eq(field(at, word), ""); /* there is no teacher */
}

START_TEST(tables_are_csv) {
    gs_dataset *d = small_graph(20, false);
    gs_run *runs[3];
    const char *folder = test_file("run");
    gs_value *summary = NULL;
    char *bytes = NULL, path[600], word[256];
    int64_t size = 0;
    d->id_text = gs_calloc(21, sizeof *d->id_text);
    for (int64_t i = 0; i < 20; i++)
        d->id_text[i] = gs_format(i == 3 ? "a \"quoted\", id %lld" : "n%lld", (long long)i);
    d->class_names = gs_calloc(4, sizeof *d->class_names);
    for (int64_t k = 0; k < 3; k++)
        d->class_names[k] = gs_format("class %lld", (long long)k);
    d->y[4] = -1;
    make_runs(folder, d, true, runs);
    ck_ok(gs_run_folder_finish(folder, d, NULL, &summary));
    const gs_run *best = NULL;
    for (int k = 0; k < 3; k++)
        if ((int64_t)runs[k]->seed == gs_get_int(summary, "best_seed", -1))
            best = runs[k];
    snprintf(path, sizeof path, "%s/nodes.csv", folder);
    file_bytes(path, &bytes, &size);
    const char *at = bytes;
    static const char *const columns[] = {"id",         "split",      "label",        "prediction",
                                          "confidence", "degree",     "homophily",    "hops",
                                          "test_seeds", "test_right", "teacher_right"};
    for (int k = 0; k < 11; k++)
        ck_assert_str_eq(field(&at, word), columns[k]);
    static const char *const roles[] = {"unused", "train", "validation", "test", "hidden_test"};
    for (int64_t i = 0; i < 20; i++) {
        const gs_matrix *z =
            best->role[i] == GS_HIDDEN_TEST ? &best->full.logits : &best->observed.logits;
        int64_t top = 0;
        double sum = 0;
        for (int64_t k = 1; k < 3; k++)
            top = gs_row(z, i)[k] > gs_row(z, i)[top] ? k : top;
        for (int64_t k = 0; k < 3; k++)
            sum += exp((double)gs_row(z, i)[k] - (double)gs_row(z, i)[top]);
        ck_assert_str_eq(field(&at, word), d->id_text[i]);
        ck_assert_str_eq(field(&at, word), roles[best->role[i]]);
        ck_assert_str_eq(field(&at, word), d->y[i] < 0 ? "" : d->class_names[d->y[i]]);
        ck_assert_str_eq(field(&at, word), d->class_names[top]);
        ck_near(atof(field(&at, word)), 1 / sum, 1e-12);
        ck_place(&at, d, i, runs);
    }
    ck_assert_int_eq(*at, 0);
    gs_free(bytes);
    snprintf(path, sizeof path, "%s/metrics.csv", folder);
    file_bytes(path, &bytes, &size);
    at = bytes;
    int width = 0, column = -1;
    for (const char *line = strstr(bytes, "\r\n"); at < line; width++)
        if (strcmp(field(&at, word), "test_accuracy") == 0)
            column = width;
    ck_assert_int_gt(column, 0);
    for (int k = 2; k >= 0; k--)
        for (int c = 0; c < width; c++) {
            field(&at, word);
            if (c == 0)
                ck_assert_int_eq(atoi(word), (int)runs[k]->seed);
            if (c == column)
                ck_near(atof(word), gs_get_float(runs[k]->metrics, "test_accuracy", NAN), 0);
        }
    ck_assert_int_eq(*at, 0);
    gs_free(bytes);
    gs_value_free(summary);
    for (int k = 0; k < 3; k++)
        gs_run_free(runs[k]);
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

static void ck_view(const char *folder, const char *name, gs_run **runs, bool observed) {
    char path[600];
    hsize_t dims[3];
    float *x = gs_calloc(3 * 20 * 3, sizeof *x);
    snprintf(path, sizeof path, "%s/all.h5", folder);
    h5_start();
    hid_t f = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    ck_assert(f >= 0);
    hid_t l = H5Dopen2(f, name, H5P_DEFAULT);
    ck_assert(l >= 0);
    hid_t space = H5Dget_space(l);
    ck_assert_int_eq(H5Sget_simple_extent_dims(space, dims, NULL), 3);
    ck_assert(dims[0] == 3 && dims[1] == 20 && dims[2] == 3);
    ck_assert(H5Dread(l, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) >= 0);
    for (int s = 0; s < 3; s++) {
        const gs_outputs *o = observed ? &runs[2 - s]->observed : &runs[2 - s]->full;
        ck_assert(memcmp(x + s * 60, o->logits.data, 60 * sizeof(float)) == 0);
    }
    gs_free(x);
    H5Sclose(space);
    H5Dclose(l);
    H5Fclose(f);
}

START_TEST(all_seeds_are_one_array_wherever_the_folder_goes) {
    gs_dataset *d = small_graph(20, false);
    gs_run *runs[3];
    gs_value *summary = NULL;
    const char *folder = test_file("run"), *moved = test_file("elsewhere");
    char *before, *after, path[600];
    int64_t size, other;
    make_runs(folder, d, true, runs);
    ck_ok(gs_run_folder_finish(folder, d, NULL, &summary));
    gs_value_free(summary);
    ck_view(folder, "outputs/full/logits", runs, false);
    ck_view(folder, "outputs/observed/logits", runs, true);
    ck_assert(rename(folder, moved) == 0);
    ck_view(moved, "outputs/full/logits", runs, false);
    /* and it is the same file every time */
    snprintf(path, sizeof path, "%s/all.h5", moved);
    ck_no_times(path);
    file_bytes(path, &before, &size);
    ck_ok(gs_run_folder_finish(moved, d, NULL, &summary));
    gs_value_free(summary);
    file_bytes(path, &after, &other);
    ck_assert(size == other && memcmp(before, after, (size_t)size) == 0);
    gs_free(before);
    gs_free(after);
    /* a view is no teacher: it reaches into other files */
    gs_matrix m;
    ck_fails(GS_BAD_INPUT, gs_model_read_output(path, "full", "logits", &m));
    ck_assert_msg(strstr(gs_reason(), "view"), "%s", gs_reason());
    for (int k = 0; k < 3; k++)
        gs_run_free(runs[k]);
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

START_TEST(other_results_are_not_overwritten) {
    gs_dataset *d = small_graph(20, false);
    gs_run *run = small_run(d, RECIPE, 0, false);
    gs_value *other = gs_value_clone(run->recipe);
    const char *folder = test_file("a/b/run");
    char *path = gs_run_folder_seed(folder, 0);
    ck_ok(gs_map_set(other, "hidden", gs_int(5)));
    ck_ok(gs_run_folder_open(folder, other, false));
    ck_ok(gs_run_folder_open(folder, run->recipe, false)); /* there are no results yet */
    ck_ok(gs_model_write(run, d, NULL, path));
    ck_ok(gs_run_folder_open(folder, run->recipe, false));
    ck_ok(gs_run_folder_open(folder, run->recipe, true));
    ck_fails(GS_BAD_USAGE, gs_run_folder_open(folder, other, false));
    ck_assert(strstr(gs_reason(), folder) != NULL);
    ck_fails(GS_BAD_USAGE, gs_run_folder_open(folder, other, true));
    gs_free(path);
    gs_value_free(other);
    gs_run_free(run);
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

START_TEST(seeds_of_another_graph_do_not_mix) {
    gs_dataset *d = small_graph(20, false), *other = small_graph(21, false);
    gs_run *runs[3];
    gs_value *summary = NULL;
    make_runs(test_file("run"), d, false, runs);
    ck_fails(GS_BAD_INPUT, gs_run_folder_finish(test_file("run"), other, NULL, &summary));
    ck_assert(strstr(gs_reason(), "another graph") && !summary);
    ck_ok(gs_folder_make(test_file("nothing")));
    ck_fails(GS_BAD_INPUT, gs_run_folder_finish(test_file("nothing"), d, NULL, &summary));
    for (int k = 0; k < 3; k++)
        gs_run_free(runs[k]);
    gs_dataset_free(d);
    gs_dataset_free(other);
    remove_test_folder();
}
END_TEST

START_TEST(runs_are_found_by_folder_and_by_file) {
    gs_dataset *d = small_graph(20, false);
    gs_run *runs[3];
    gs_run_list list;
    gs_value *summary = NULL;
    const char *folder = test_file("run");
    make_runs(folder, d, false, runs);
    ck_ok(gs_run_list_open(folder, &list)); /* not finished: no summary yet */
    ck_assert(list.count == 3 && !list.summary && list.seeds[0] == 0 && list.seeds[2] == 10);
    int64_t best = list.best;
    gs_run_list_free(&list);
    ck_ok(gs_run_folder_finish(folder, d, NULL, &summary));
    ck_ok(gs_run_list_open(folder, &list));
    ck_assert(list.summary && list.best == best);
    ck_assert((int64_t)list.seeds[list.best] == gs_get_int(summary, "best_seed", -1));
    char file[600];
    snprintf(file, sizeof file, "%s", list.files[2]);
    gs_run_list_free(&list);
    ck_ok(gs_run_list_open(file, &list));
    ck_assert(list.count == 1 && list.seeds[0] == 10 && !list.folder && list.best == 0);
    ck_assert_str_eq(list.files[0], file);
    gs_run_list_free(&list);
    ck_fails(GS_BAD_IO, gs_run_list_open(test_file("absent"), &list));
    ck_ok(gs_folder_make(test_file("nothing")));
    ck_fails(GS_BAD_INPUT, gs_run_list_open(test_file("nothing"), &list));
    gs_value_free(summary);
    for (int k = 0; k < 3; k++)
        gs_run_free(runs[k]);
    gs_dataset_free(d);
    remove_test_folder();
}
END_TEST

START_TEST(the_log_grows_by_lines) {
    gs_value *line = gs_map();
    char *bytes;
    int64_t size;
    const char *folder = test_file("run");
    char path[600];
    ck_ok(gs_map_set(line, "epoch", gs_int(1)));
    ck_ok(gs_folder_make(folder));
    ck_ok(gs_run_folder_log(folder, line));
    ck_ok(gs_map_set(line, "epoch", gs_int(2)));
    ck_ok(gs_run_folder_log(folder, line));
    snprintf(path, sizeof path, "%s/metrics.jsonl", folder);
    file_bytes(path, &bytes, &size);
    ck_assert_str_eq(bytes, "{\"epoch\": 1}\n{\"epoch\": 2}\n");
    gs_free(bytes);
    gs_value_free(line);
    remove_test_folder();
}
END_TEST

static void add_tests(TCase *tc) {
    tcase_add_test(tc, the_summary_holds_every_metric);
    tcase_add_test(tc, tables_are_csv);
    tcase_add_test(tc, all_seeds_are_one_array_wherever_the_folder_goes);
    tcase_add_test(tc, other_results_are_not_overwritten);
    tcase_add_test(tc, seeds_of_another_graph_do_not_mix);
    tcase_add_test(tc, runs_are_found_by_folder_and_by_file);
    tcase_add_test(tc, the_log_grows_by_lines);
}
GS_TEST_MAIN("store run folder", add_tests)
