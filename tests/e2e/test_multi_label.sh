# Several labels a node in several graphs, as in PPI: from a made graph to a distilled student.
. "$(dirname "$0")/lib.sh"
"$gs" generate ppi -o g.h5 graphs=12 nodes=80 classes=12 features=20 seed=1 >made.txt
grep -q "12 graphs, .* multi-label, 12 classes" made.txt || fail "generate does not say what it made: $(cat made.txt)"
"$gs" info g.h5 | grep -q "split graphs: .* train, .* validation, .* test" || fail "info shows no split"
"$gs" info g.h5 --json | python3 -c '
import json, sys
d = json.load(sys.stdin)
assert d["graphs"] == 12 and d["multi_label"] and d["components"] >= 12 and d["labelled"] == d["nodes"], d
assert 2 < d["labels_per_node"] < 5, d
'
set="select=micro_f1 dropout=0 weight_decay=0 normalize_features=false patience=0"
# shellcheck disable=SC2086
"$gs" train gcn -g g.h5 -o teacher --seeds 0-1 model=sage hidden=48 epochs=80 sampling=graphs batch_parts=2 $set >t.txt 2>err.txt
grep -q "test micro F1" t.txt || fail "the table has no micro-F1"
# shellcheck disable=SC2086
"$gs" distill mlp -g g.h5 -t teacher -o mlp --seeds 0-1 epochs=120 $set -q >/dev/null
# shellcheck disable=SC2086
"$gs" distill gcn -g g.h5 -t teacher -o gnn --seeds 0-1 epochs=80 sampling=graphs $set -q >/dev/null
# shellcheck disable=SC2086
"$gs" train mlp -g g.h5 -o plain --seeds 0-1 epochs=120 $set -q >/dev/null
"$gs" eval teacher -g g.h5 --json >teacher.json
"$gs" eval gnn -g g.h5 -t teacher --json >gnn.json
"$gs" predict teacher -g g.h5 -o all.csv -q
"$gs" predict mlp -g g.h5 --nodes 0,5 -o some.csv -q
"$gs" compare plain mlp gnn --metric test_micro_f1 --json >compare.json
python3 - <<'P'
import csv, json

def metric(run, name):
    return json.load(open(run + "/summary.json"))[name]["mean"]

# yes to every class, of which three in ten are so, would give 2 * 0.3 / 1.3
assert metric("teacher", "test_micro_f1") > 0.65, metric("teacher", "test_micro_f1")
assert metric("gnn", "test_micro_f1") > 0.6, metric("gnn", "test_micro_f1")
assert metric("mlp", "test_micro_f1") < metric("teacher", "test_micro_f1")
assert metric("gnn", "test_agreement") > 0.8 and metric("teacher", "test_roc_auc") > 0.85
for run, file in (("teacher", "teacher.json"), ("gnn", "gnn.json")):
    again = json.load(open(file))
    for name in ("test_micro_f1", "test_macro_f1", "test_accuracy", "test_roc_auc", "val_nll"):
        assert abs(again[name]["mean"] - metric(run, name)) < 1e-9, (run, name)
summary = json.load(open("teacher/summary.json"))
best = summary["seeds"].index(summary["best_seed"])
assert summary["val_micro_f1"]["values"][best] == max(summary["val_micro_f1"]["values"]), summary

nodes = list(csv.DictReader(open("teacher/nodes.csv")))
predicted = {row["id"]: row for row in csv.DictReader(open("all.csv"))}
assert len(nodes) == len(predicted)
hit = said = is_so = right = 0
for row in nodes:
    mine = predicted[row["id"]]
    yes = {k for k in map(str, range(12)) if float(mine[k]) > 0.5}
    assert mine["label"] == (";".join(sorted(yes, key=int)) or "-") == row["prediction"], (row, mine)
    assert 0.5 <= float(mine["confidence"]) <= 1
    if row["split"] == "test":
        truth = set(row["label"].split(";")) - {"-"}
        hit, said, is_so = hit + len(yes & truth), said + len(yes), is_so + len(truth)
        right += 12 - len(yes ^ truth)
tests = sum(row["split"] == "test" for row in nodes)
assert abs(2 * hit / (said + is_so) - summary["test_micro_f1"]["values"][best]) < 1e-12
assert abs(right / (12 * tests) - summary["test_accuracy"]["values"][best]) < 1e-12
assert [row["id"] for row in csv.DictReader(open("some.csv"))] == ["0", "5"]
P
# The same bits for other threads, and after a stop.
# shellcheck disable=SC2086
for threads in 1 3; do
    "$gs" train gcn -g g.h5 -o t$threads --threads $threads -q epochs=6 sampling=graphs $set >/dev/null
done
cmp t1/seed-0.h5 t3/seed-0.h5 || fail "files differ between 1 and 3 threads"
# What cannot be done says so.
expect 2 "per-class" "$gs" train gcn -g g.h5 -o no split=per-class -q
expect 2 "norm=graph" "$gs" train gcn -g g.h5 -o no norm=graph -q
expect 3 "several" "$gs" bench epoch -g g.h5
"$gs" generate citation -o one.h5 nodes=300 features=20 classes=12 words=0 >/dev/null
expect 3 "" "$gs" eval teacher -g one.h5
[ ! -e no ] || fail "a refused run left a folder"
