# A student learns from a teacher file that is larger than the memory it may use: rows are read in blocks.
. "$(dirname "$0")/lib.sh"
need_h5py
nodes=20000
"$gs" generate sbm -o g.h5 nodes=$nodes classes=16 features=8 degree=4 >/dev/null
"$python" - $nodes <<'P'
import sys

import h5py
import numpy as np

n, rows, c, block = int(sys.argv[1]), 2_500_000, 16, 1 << 17
rs = np.random.RandomState(0)
with h5py.File("g.h5") as g:
    y = g["labels"][:]
ids = np.arange(rows)
ids[:n], ids[n:2 * n] = np.arange(n, 2 * n), np.arange(n)   # of many more nodes, in another order
ids[n:2 * n:7], ids[-len(ids[n:2 * n:7]):] = ids[-len(ids[n:2 * n:7]):].copy(), ids[n:2 * n:7].copy()
ours = np.empty((n, c), "f4")
with h5py.File("teacher.h5", "w") as f:
    z = f.create_dataset("outputs/full/logits", (rows, c), "f4")
    f["nodes/id"] = ids
    for a in range(0, rows, block):
        part = rs.standard_normal((min(block, rows - a), c)).astype("f4")
        known = ids[a:a + block] < n
        part[known, y[ids[a:a + block][known]]] += 4
        z[a:a + block] = part
        ours[ids[a:a + block][known]] = part[known]
with h5py.File("small.h5", "w") as f:
    f["outputs/full/logits"] = ours
    f["nodes/id"] = np.arange(n)
P
size=$(stat -c %s teacher.h5)
[ "$size" -gt 160000000 ] || fail "the teacher's file has only $size bytes"
# peak BYTES command…: the largest resident memory of a command stays below.
peak() {
    "$python" - "$@" <<'P'
import resource
import subprocess
import sys

code = subprocess.call(sys.argv[2:])
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
print(f"peak memory {peak / 1e6:.0f} MB", file=sys.stderr)
sys.exit(code or (peak > int(sys.argv[1])))
P
}
most=140000000
[ -z "${GS_TEST_QUICK:-}" ] || most=1000000000 # a sanitizer needs much memory of its own
for batch in 0 512; do
    peak $most "$gs" distill mlp -g g.h5 -t teacher.h5 -o "r$batch" --max-memory 100M -q --threads 1 \
        split=random epochs=20 lr=0.05 hidden=16 batch_size=$batch >/dev/null || fail "it took too much memory"
done
# the same bits as from a file that holds the graph's nodes alone, in their order
for batch in 0 512; do
    "$gs" distill mlp -g g.h5 -t small.h5 -o "s$batch" -q --threads 1 split=random epochs=20 lr=0.05 hidden=16 batch_size=$batch >/dev/null
    same r$batch/seed-0.h5 s$batch/seed-0.h5 /params /outputs /history /teacher
done
expect 5 "memory" "$gs" distill mlp -g g.h5 -t teacher.h5 -o r --max-memory 10M -q
