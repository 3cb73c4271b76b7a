# A teacher by ten lines of h5py distills to the same student, bit for bit; shuffled rows with ids too; without
# ids and with a wrong number of rows it is refused. Noise in held-out labels changes nothing but the score.
. "$(dirname "$0")/lib.sh"
need_h5py
"$gs" generate citation -o g.h5 nodes=800 features=200 >/dev/null
"$gs" train gcn -g g.h5 -o teacher --seeds 0 -q epochs=40
"$gs" distill -g g.h5 -t teacher -o student --seeds 0 -q epochs=40
"$python" - <<'P'
import h5py
import numpy as np

with h5py.File("teacher/seed-0.h5") as f:
    logits, split, ids = f["outputs/full/logits"][:], f["nodes/split"][:], f["nodes/id"][:]
order = np.random.RandomState(0).permutation(len(ids))
with h5py.File("plain.h5", "w") as f:
    f["outputs/full/logits"] = logits
    f["nodes/split"] = split
with h5py.File("shuffled.h5", "w") as f:
    f["outputs/full/logits"] = logits[order]
    f["nodes/id"] = ids[order]
    f["nodes/split"] = split[order]
with h5py.File("short.h5", "w") as f:
    f["outputs/full/logits"] = logits[:-1]
with h5py.File("missing.h5", "w") as f:
    f["outputs/full/logits"] = logits[:-1]
    f["nodes/id"] = ids[:-1]
bad = logits.copy()
bad[3, 1] = np.nan
with h5py.File("nan.h5", "w") as f:
    f["outputs/full/logits"] = bad
np.save("teacher.npy", logits)
P
for file in plain shuffled; do
    "$gs" distill -g g.h5 -t $file.h5 -o from-$file --seeds 0 -q epochs=40
    same student/seed-0.h5 from-$file/seed-0.h5 /outputs /params /nodes/split
done
"$gs" distill -g g.h5 -t teacher.npy --teacher-kind logits -o from-npy --seeds 0 -q epochs=40 split=default
same student/seed-0.h5 from-npy/seed-0.h5 /outputs /params
expect 3 "799" "$gs" distill -g g.h5 -t short.h5 -o r
expect 3 "" "$gs" distill -g g.h5 -t missing.h5 -o r
expect 3 "" "$gs" distill -g g.h5 -t nan.h5 -o r
expect 2 "split" "$gs" distill -g g.h5 -t teacher -o r split=random
[ ! -e r ] || fail "an output was left behind"
"$gs" distill -g g.h5 -t teacher -o r split=random --allow-other-split -q epochs=3

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
"$gs" train gcn -g noisy.h5 -o noisy --seeds 0 -q epochs=40
same teacher/seed-0.h5 noisy/seed-0.h5 /outputs /params /history
"$python" - <<'P'
import json

a, b = (json.load(open(f"{r}/summary.json")) for r in ("teacher", "noisy"))
assert a["val_accuracy"] == b["val_accuracy"]
assert a["test_accuracy"]["mean"] > b["test_accuracy"]["mean"] + 0.1
P
