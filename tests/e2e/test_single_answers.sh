# One node's answer is its line of the whole prediction, whatever the model reads.
. "$(dirname "$0")/lib.sh"
"$gs" generate citation -o g.h5 -q nodes=600 >/dev/null
cat >compare.py <<'P'
import csv, sys

whole = {row["id"]: row for row in csv.DictReader(open(sys.argv[1]))}
some = list(csv.DictReader(open(sys.argv[2])))
assert [row["id"] for row in some] == ["7", "599", "0", "7"], some
for row in some:
    for name, value in row.items():
        expected = whole[row["id"]][name]
        if name in ("id", "label"):
            assert value == expected, (name, value, expected)
        else:
            assert abs(float(value) - float(expected)) < 1e-4, (name, value, expected)
P
for model in mlp gcn gat; do
    for normalize in false true; do
        "$gs" train $model -g g.h5 -o $model-$normalize -q epochs=20 normalize_features=$normalize >/dev/null
        "$gs" predict $model-$normalize -g g.h5 -o whole.csv -q
        "$gs" predict $model-$normalize -g g.h5 --nodes 7,599,0,7 -o some.csv -q
        python3 compare.py whole.csv some.csv || fail "$model, normalize_features=$normalize"
    done
done
expect 2 "no node '600'" "$gs" predict gcn-true -g g.h5 --nodes 600 -q
"$gs" bench inference -g g.h5 --runs 3 --threads 1 --json | python3 -c '
import json, sys
rows = [json.loads(line) for line in sys.stdin]
forms = {(row["bench"], row["form"]) for row in rows}
for form in ("sparse hot", "sparse cold", "dense hot", "dense cold"):
    assert ("mlp_row", form) in forms, form
for bench in ("mlp_batch", "mlp_graph", "gcn_row", "gcn_graph", "gat_row"):
    assert bench in {row["bench"] for row in rows}, bench
for row in rows:
    assert 0 < row["p50_us"] <= row["p99_us"], row
    assert row["bench"] != "mlp_row" or row["allocations"] == 0, row
'
