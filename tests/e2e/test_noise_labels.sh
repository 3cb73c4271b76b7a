# Labels of test nodes replaced by noise on disk: for every method and both kinds of student, all files but the
# scores are the same, byte by byte.
. "$(dirname "$0")/lib.sh"
need_h5py
"$gs" generate citation -o g.h5 nodes=150 features=60 >/dev/null
cp g.h5 noisy.h5
"$python" - <<'P'
import h5py
import numpy as np

with h5py.File("noisy.h5", "r+") as f:
    role, y = f["splits/default"][:], f["labels"][:]
    held = (role == 3) | (role == 0)
    y[held] = np.random.RandomState(1).randint(0, y.max() + 1, held.sum())
    f["labels"][:] = y
P
"$gs" train gcn -g g.h5 -o teacher --seeds 0 -q epochs=10 hidden=16 keep=all setting=inductive >/dev/null
"$gs" train gcn -g noisy.h5 -o noisy-teacher --seeds 0 -q epochs=10 hidden=16 keep=all setting=inductive >/dev/null
cat >same.py <<'P'
"""same.py A B: the folders of two runs differ in scores of test nodes alone."""
import csv
import json
import sys

import h5py

SCORES = ("metrics", "graph_hash", "hash")


def content(path):
    """Every dataset and attribute but scores, as bytes."""
    found = {}
    with h5py.File(path) as f:
        def take(name, item):
            if name.split("/")[0] in ("metrics", "strata"):
                return
            if isinstance(item, h5py.Dataset):
                value = item[()]
                found[name] = value.tobytes() if hasattr(value, "tobytes") else value
            for key, value in item.attrs.items():
                if key not in ("DIMENSION_LIST", "REFERENCE_LIST"):
                    found[f"{name}@{key}"] = str(value)
        f.visititems(take)
        for key, value in f.attrs.items():
            if key not in SCORES:
                found[f"@{key}"] = str(value)
    return found


UNLABELLED = ("test_agreement", "test_kl", "test_js", "test_cka", "test_hidden_cka")


def is_score(name):
    """Of test nodes, by their labels."""
    return name in ("strata", "ece", "teacher_ece") or (
        name.startswith(("test_", "teacher_test_")) and name not in UNLABELLED)


a, b = sys.argv[1:]
for file in ("seed-0.h5", "all.h5"):
    x, y = content(f"{a}/{file}"), content(f"{b}/{file}")
    assert x.keys() == y.keys() and len(x) > 3, (file, x.keys() ^ y.keys())
    for name in x:
        assert x[name] == y[name], (a, b, file, name)
m, n = (json.load(open(f"{r}/summary.json")) for r in (a, b))
assert m["test_nll"]["mean"] != n["test_nll"]["mean"], "the noise changed no score"
for r in (m, n):
    for name in [k for k in r if is_score(k) or k == "timings"]:
        del r[name]
    del r["origin"]["command"]  # it names the files
assert m == n, (a, b, "summary.json", [k for k in m if m[k] != n.get(k)])
rows = [list(csv.DictReader(open(f"{r}/nodes.csv"))) for r in (a, b)]
for left, right in zip(*rows):
    for column in ("label", "homophily", "test_right", "teacher_right"):
        left.pop(column), right.pop(column)
    assert left == right, (a, b, "nodes.csv")
assert open(f"{a}/recipe.yaml").read() == open(f"{b}/recipe.yaml").read()
P
"$python" same.py teacher noisy-teacher
"$gs" list methods --json >methods.json
methods=$("$python" -c 'import json
m = json.load(open("methods.json"))
m = m.get("methods", m) if isinstance(m, dict) else m
print(*[x["name"] if isinstance(x, dict) else x for x in m])')
[ -n "$methods" ] || fail "no methods are listed"
for method in $methods; do
    served=0
    for model in mlp gcn; do
        printf 'model: %s\nhidden: 16\nepochs: 4\nmethods: {hard: {}}\n' $model >student.yaml
        "$gs" distill student.yaml -g g.h5 -t teacher -o "$method-$model" -q "$method.weight=1" >/dev/null 2>err.txt ||
            continue
        served=1
        "$gs" distill student.yaml -g noisy.h5 -t noisy-teacher -o "noisy-$method-$model" -q "$method.weight=1" >/dev/null
        "$python" same.py "$method-$model" "noisy-$method-$model"
    done
    [ $served -eq 1 ] || { cat err.txt >&2; fail "no student learns by the method $method"; }
done
