# Every number of compare, of the fidelity and of the strata, computed again from the files by other means.
. "$(dirname "$0")/lib.sh"
need_h5py
"$gs" generate citation -o g.h5 nodes=900 -q
run() {
    local to=$1
    shift
    "$gs" "$@" -g g.h5 -o "$to" --seeds 0-5 --threads 1 -q patience=0 keep=all >/dev/null
}
run teacher train gcn epochs=40
run plain train mlp epochs=40
run smooth train mlp epochs=40 hard.smoothing=0.2
run student distill -t teacher epochs=40
run other distill -t teacher epochs=40 soft.temperature=4
"$gs" compare student other --teacher teacher --plain plain --smoothing smooth --fidelity --strata --json >c.json
"$python" - <<'P' || fail "compare does not say what the files hold"
import csv, itertools, json, math
from collections import deque
from functools import lru_cache

import h5py
import numpy as np

def summary(run):
    return json.load(open(run + "/summary.json"))

def close(a, b, tolerance=1e-9):
    assert abs(a - b) <= tolerance * max(1, abs(b)), (a, b)

# ---- the tests, from their definitions
def t_tail(t, df):  # P(|T| > t), by Simpson's rule in the angle atan(t / sqrt(df))
    angle, steps = math.atan(abs(t) / math.sqrt(df)), 2000
    h = angle / steps
    f = [math.cos(k * h) ** (df - 1) for k in range(steps + 1)]
    area = h / 3 * (f[0] + f[-1] + 4 * sum(f[1:-1:2]) + 2 * sum(f[2:-1:2]))
    return 1 - 2 * area * math.gamma((df + 1) / 2) / (math.sqrt(math.pi) * math.gamma(df / 2))

@lru_cache
def t_reach(df):
    low, high = 0, 100
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if t_tail(middle, df) > 0.05 else (low, middle)
    return low

def wilcoxon(d):
    d = [round(x, 12) for x in d if abs(x) > 1e-12]
    rank = [sum(abs(y) < abs(x) for y in d) + (sum(abs(y) == abs(x) for y in d) + 1) / 2 for x in d]
    own = sum(r for r, x in zip(rank, d) if x > 0)
    sums = [sum(itertools.compress(rank, signs)) for signs in itertools.product((0, 1), repeat=len(d))]
    below, above = sum(s <= own for s in sums), sum(s >= own for s in sums)
    return min(1, 2 * min(below, above) / len(sums))

def holm(p):
    adjusted, most = [0] * len(p), 0
    for k, i in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        most = max(most, min(1, (len(p) - k) * p[i]))
        adjusted[i] = most
    return adjusted

table = json.load(open("c.json"))
rows = {r["run"]: r for r in table["runs"]}
assert [r["run"] for r in table["runs"]] == ["student", "other", "teacher", "plain", "smooth"]
assert rows["teacher"]["inputs"] == "graph" and rows["student"]["inputs"] == "x"
named = ["student", "other"]
for name, to in (("baseline", "student"), ("teacher", "teacher"), ("plain", "plain"), ("smoothing", "smooth")):
    family = [r for r in named if r != to]
    ps, ws = [], []
    for run in family:
        got = rows[run]["comparisons"][name]
        x, y = summary(run)["test_accuracy"]["values"], summary(to)["test_accuracy"]["values"]
        d = np.array(x) - np.array(y)
        error = d.std(ddof=1) / math.sqrt(len(d))
        ps.append(t_tail(d.mean() / error, len(d) - 1))
        ws.append(wilcoxon(d))
        assert got["run"] == to and got["paired_seeds"] == 6
        close(got["difference"], d.mean())
        close(got["low"], d.mean() - t_reach(5) * error)
        close(got["high"], d.mean() + t_reach(5) * error)
        close(got["p"], ps[-1])
        close(got["wilcoxon_p"], ws[-1], 0)
    for run, p, w in zip(family, holm(ps), holm(ws)):
        got = rows[run]["comparisons"][name]
        close(got["p_holm"], p)
        close(got["wilcoxon_p_holm"], w, 0)
        assert got["significant"] == (p < 0.05)
for run, row in rows.items():
    values = np.array(summary(run)["test_accuracy"]["values"])
    close(row["mean"], values.mean())
    close(row["std"], values.std())

# ---- fidelity of a seed, from the logits of both
def soft(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)

def cka(a, b):
    a, b = a - a.mean(0), b - b.mean(0)
    k, l = a @ a.T, b @ b.T
    return (k * l).sum() / math.sqrt((k * k).sum() * (l * l).sum())

def ece(p, y):
    sure, right, total = p.max(1), p.argmax(1) == y, 0
    for b in range(15):
        here = np.minimum((sure * 15).astype(int), 14) == b
        total += abs((right[here] - sure[here]).sum())
    return total / len(y)

with h5py.File("g.h5") as f:
    y, ptr, col = f["labels"][:], f["adjacency/indptr"][:], f["adjacency/indices"][:]
n = len(y)
for seed in range(6):
    with h5py.File(f"student/seed-{seed}.h5") as s, h5py.File(f"teacher/seed-{seed}.h5") as t:
        z, g = s["outputs/full/logits"][:].astype(float), t["outputs/full/logits"][:].astype(float)
        hidden = [f["outputs/full/embeddings/0/post"][:].astype(float) for f in (s, t)]
        role, told, m = s["nodes/split"][:], s["teacher/prediction"][:], json.loads(s["metrics"].asstr()[()])
        strata = {by: {key: d[:] for key, d in group.items()} for by, group in s["strata"].items()}
    assert (told == g.argmax(1)).all()
    for prefix, at in (("", slice(None)), ("test_", role == 3)):
        p, q, truth = soft(g[at]), soft(z[at]), y[at]
        middle = (p + q) / 2
        close(m[prefix + "agreement"], (p.argmax(1) == q.argmax(1)).mean())
        close(m[prefix + "kl"], (p * np.log(p / q)).sum(1).mean())
        close(m[prefix + "js"], ((p * np.log(p / middle) + q * np.log(q / middle)) / 2).sum(1).mean())
        close(m[prefix + "cka"], cka(g[at], z[at]), 1e-5)
        close(m[prefix + "hidden_cka"], cka(hidden[0][at], hidden[1][at]), 1e-5)
        close(m[prefix + "ece"], ece(q, truth))
        close(m["teacher_" + prefix + "ece"], ece(p, truth))
    test = role == 3
    wrong = test & (g.argmax(1) != y)
    close(m["teacher_test_accuracy"], (g.argmax(1) == y)[test].mean())
    close(m["test_error_agreement"], (g.argmax(1) == z.argmax(1))[wrong].mean())
    close(m["test_error_accuracy"], (z.argmax(1) == y)[wrong].mean())

    # ---- strata of a seed: by what stands in their bounds
    degree = np.diff(ptr)
    alike = np.array([(y[col[ptr[i]:ptr[i + 1]]] == y[i]).mean() if degree[i] else math.nan for i in range(n)])
    hops, queue = np.where(role == 1, 0, -1), deque(np.flatnonzero(role == 1))
    while queue:
        i = queue.popleft()
        for j in col[ptr[i]:ptr[i + 1]]:
            if hops[j] < 0:
                hops[j] = hops[i] + 1
                queue.append(j)
    for by, x in (("degree", degree), ("homophily", alike), ("hops", hops)):
        group, seen = strata[by], 0
        for k, (low, high) in enumerate(zip(group["low"], group["high"])):
            if math.isnan(low):
                inside = np.isnan(x) | (x < 0)
            elif math.isnan(high):
                inside = x >= low
            elif by == "homophily":
                inside = (x >= low - 1e-7) & ((x < high - 1e-7) | ((high == 1) & (x == 1)))
            else:
                inside = (x >= low) & (x <= high)
            inside &= test
            seen += inside.sum()
            assert group["n"][k] == inside.sum(), (by, k)
            for key, what in (("accuracy", z.argmax(1) == y), ("teacher_accuracy", g.argmax(1) == y),
                              ("agreement", z.argmax(1) == g.argmax(1))):
                if inside.any():
                    close(group[key][k], what[inside].mean())
                else:
                    assert math.isnan(group[key][k])
            if (inside & wrong).any():
                close(group["error_accuracy"][k], (z.argmax(1) == y)[inside & wrong].mean())
        assert seen == test.sum()
for name, mean in rows["student"]["fidelity"].items():
    close(mean, np.mean(summary("student")[name]["values"]))
assert len(rows["student"]["fidelity"]) == 8 and rows["student"]["strata"] == summary("student")["strata"]

# ---- the tables that a run leaves behind
metrics = list(csv.DictReader(open("student/metrics.csv", newline="")))
mean = {s["name"]: s for s in summary("student")["strata"]["hops"]}["2"]
values = [float(r["accuracy[hops 2]"]) for r in metrics if r["accuracy[hops 2]"]]
assert mean["seeds"] == len(values) == 6
close(mean["accuracy"], np.mean(values))
nodes = list(csv.DictReader(open("student/nodes.csv", newline="")))
tested = right = theirs = 0
for seed in range(6):
    with h5py.File(f"student/seed-{seed}.h5") as s:
        test = s["nodes/split"][:] == 3
        tested += test.sum()
        right += (test & (s["outputs/full/logits"][:].argmax(1) == y)).sum()
        theirs += (test & (s["teacher/prediction"][:] == y)).sum()
for column, total in (("test_seeds", tested), ("test_right", right), ("teacher_right", theirs)):
    assert sum(int(r[column]) for r in nodes) == total, column
assert [int(r["degree"]) for r in nodes] == list(degree)
P

# The same in every format, grouped by what is read when serving.
all="student other --teacher teacher --plain plain --smoothing smooth --fidelity --strata"
"$gs" compare $all >c.txt
"$gs" compare $all --format csv >c.csv
"$gs" compare $all --format latex >c.tex
[ "$(tail -n +2 c.txt | cut -d' ' -f1 | sed '/^$/,$d' | uniq | tr '\n' ' ')" = "x graph " ] || fail "rows are not grouped"
"$python" - <<'P' || fail "the formats differ"
import csv, re

def cells(block):
    return [re.split(r"  +", line.rstrip()) for line in block.splitlines()]

# text: the runs, a block for each comparison, the strata; csv: comparisons stand beside the runs
blocks = open("c.txt").read().strip().split("\n\n")
table = [row for row in csv.reader(open("c.csv", newline="")) if row]
runs = cells(blocks[0])
wide, strata = table[: len(runs)], table[len(runs) :]
assert cells(blocks[-1]) == strata, "the strata differ"
alone = [k for k, title in enumerate(wide[0]) if title in runs[0]]
assert [[row[k] for k in alone] for row in wide] == runs, "the runs differ"
compared = [k for k, title in enumerate(wide[0]) if title.startswith("difference to ")]
assert len(compared) == len(blocks) - 2 == 4 and len(alone) + 3 * len(compared) == len(wide[0])
for block, k in zip(blocks[1:-1], compared):
    name, path = block.splitlines()[0].split(": ")
    assert wide[0][k] == f"difference to {name} [95 % interval]" and path in [row[1] for row in wide]
    rows = cells(block)[1:]
    wanted = [[row[1], *row[k : k + 3]] for row in wide if row is wide[0] or row[k][0] in "+-0123456789" and row[k] != "-"]
    assert rows == wanted, (rows, wanted)
tex = [line for line in open("c.tex").read().replace("$\\pm$", "±").split("\n") if " & " in line]
tex = [re.sub(r" \\\\( \\hline)?$", "", line).replace("\\", "").split(" & ") for line in tex]
assert tex == table, [a for a, b in zip(tex, table) if a != b][:1]
P

# Unlike budgets are said; runs that cannot be paired are refused.
"$python" - <<'P'
import json

s = json.load(open("student/summary.json"))
s["trials"] = 12
json.dump(s, open("student/summary.json", "w"))
P
"$gs" compare student --plain plain --json >c.json 2>err.txt
grep -q 'not equally tuned' err.txt || fail "12 trials against 1 are not noticed"
grep -q '"trials": 12' c.json || fail "the trials are not counted"
run random train mlp epochs=2 split=random
expect 2 'split the nodes differently' "$gs" compare plain random
"$gs" compare plain random --allow-other-split -q >/dev/null || fail "another split is not allowed"
run hidden train mlp epochs=2 setting=inductive
expect 2 'split the nodes differently' "$gs" compare plain hidden
run knows distill -t teacher epochs=2 knowledge=train
expect 0 'teacher_knowledge of knows is train' "$gs" compare student knows
"$gs" train mlp -g karate -o karate epochs=2 -q >/dev/null
expect 3 'runs of one graph' "$gs" compare plain karate
expect 2 'not among the runs' "$gs" compare plain student --baseline teacher
expect 3 'no metric' "$gs" compare plain student --metric nothing

# What hard cannot do with several labels is refused before anything is made.
"$gs" generate ppi -o ppi.h5 nodes=200 -q
expect 2 'several labels' "$gs" train mlp -g ppi.h5 -o no hard.smoothing=0.1
[ ! -e no ] || fail "a folder was left behind"
