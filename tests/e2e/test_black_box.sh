# A query budget is exact: what the teacher says of nodes that are not asked about changes no byte of the model.
# Levels of a black box, several teachers, generations, the control without a teacher.
. "$(dirname "$0")/lib.sh"
need_h5py
"$gs" generate citation -o g.h5 nodes=600 features=120 >/dev/null
"$gs" train gcn -g g.h5 -o a --seeds 0,1 -q epochs=30
"$gs" train gcn -g g.h5 -o b --seeds 0,1 -q epochs=30 hidden=8

for by in random entropy density degree; do
    settings="epochs=20 hidden=16 query_budget=45 query_by=$by hard.weight=1 soft.weight=1"
    "$gs" distill -g g.h5 -t a/seed-0.h5 -o asked-$by --seeds 0 -q $settings
    GS_BY=$by "$python" - <<'P'
import json
import os

summary = json.load(open(f"asked-{os.environ['GS_BY']}/summary.json"))
assert summary["queries"]["mean"] == 45, summary["queries"]
assert summary["protocol"]["query_budget"] == 45 and summary["protocol"]["query_by"] == os.environ["GS_BY"]
P
done
# Which nodes those were: the ones whose rows change the model. Degree is told by the graph alone.
"$python" - <<'P'
import shutil

import h5py
import numpy as np

with h5py.File("g.h5") as f:
    pointers = f["adjacency/pointers_to_1"][:]
degree = np.diff(pointers)
asked = np.lexsort((np.arange(len(degree)), -degree))[:45]
for name, keep in (("others", True), ("one", False)):
    shutil.copy("a/seed-0.h5", f"{name}.h5")
    with h5py.File(f"{name}.h5", "r+") as f:
        z = f["outputs/full/logits"][:]
        hit = np.setdiff1d(np.arange(len(degree)), asked) if keep else asked[-1:]
        z[hit] = np.random.RandomState(0).normal(size=(len(hit), z.shape[1])) * 5
        f["outputs/full/logits"][:] = z
        if "crc32" in f["outputs/full/logits"].attrs:
            del f["outputs/full/logits"].attrs["crc32"]
P
for name in others one; do
    "$gs" distill -g g.h5 -t $name.h5 -o from-$name --seeds 0 -q $settings
done
same asked-degree/seed-0.h5 from-others/seed-0.h5 /params /outputs /history
if h5diff -q asked-degree/seed-0.h5 from-one/seed-0.h5 /params /params; then
    fail "an answer that was asked for changed nothing"
fi
expect 2 "query_by" "$gs" distill -g g.h5 -t a -o r query_budget=5 query_by=luck
expect 2 "top_k" "$gs" distill -g g.h5 -t a -o r teacher_access=topk

# Levels: each teaches, and differently; what was shown stands in the recipe of the run.
for level in probs top_k rounded noisy label; do
    "$gs" distill -g g.h5 -t a -o $level --seeds 0 -q epochs=20 hidden=16 teacher_access=$level access_digits=1 \
        access_top_k=1
    grep -q "teacher_access: $level" $level/recipe.yaml || fail "$level is not recorded"
    grep -q "\"teacher_access\": \"$level\"" $level/summary.json || fail "$level is not in the protocol"
done
for level in top_k rounded noisy label; do
    if h5diff -q probs/seed-0.h5 $level/seed-0.h5 /params /params; then fail "$level shows all"; fi
done

# Several teachers: the mean of one teacher and itself is that teacher.
"$gs" distill -g g.h5 -t a -t a -o twice --seeds 0 -q epochs=20 hidden=16
same probs/seed-0.h5 twice/seed-0.h5 /params
"$gs" distill -g g.h5 -t a -t b -o both --seeds 0,1 -q epochs=20 hidden=16 combine=confidence
if h5diff -q twice/seed-0.h5 both/seed-0.h5 /params /params; then fail "the second teacher says nothing"; fi
"$gs" train gcn -g g.h5 -o c --seeds 0 -q epochs=2 split=random
grep -q '"teachers": 2' both/summary.json || fail "the number of teachers is not recorded"
expect 2 "different splits" "$gs" distill -g g.h5 -t a -t c -o r --seeds 0
"$gs" distill -g g.h5 -t a -t c -o r --seeds 0 -q epochs=2 --allow-other-split
rm -r r
expect 4 "no teacher nowhere" "$gs" distill -g g.h5 -t a -t nowhere -o r --seeds 0
[ ! -e r ] || fail "an output was left behind"
