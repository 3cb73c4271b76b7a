# The weights of a model, written as PyTorch Geometric's state_dict in a safetensors file, come back as the same
# model: eval, predict, compare and distill take it. What does not fit is named and leaves no run behind.
. "$(dirname "$0")/lib.sh"
need_h5py
split="split=random train_fraction=0.5 val_fraction=0.2"

# st FILE RUN [prefix=P] [wrap] [half] [change]: the parameters of a run as safetensors, perhaps changed.
cat >st.py <<'P'
import json
import struct
import sys

import h5py
import numpy as np

path, run, words = sys.argv[1], sys.argv[2], sys.argv[3:]
prefix = next((w[7:] for w in words if w.startswith("prefix=")), "")
with h5py.File(f"{run}/seed-0.h5") as f:
    params = sorted(f["params"], key=lambda name: f["params"][name].attrs["position"])
    tensors = {name: f["params"][name][:] for name in params}
if "wrap" in words:
    tensors = {k.replace("norms.0.", "norms.0.module."): v for k, v in tensors.items()}
    tensors["norms.0.module.num_batches_tracked"] = np.array(9, "<i8")
if "half" in words:
    tensors = {k: v.astype("<f2") for k, v in tensors.items()}
if "turned" in words:
    tensors["convs.0.lin.weight"] = tensors["convs.0.lin.weight"].T
if "missing" in words:
    del tensors["convs.1.bias"]
if "surplus" in words:
    tensors["convs.7.bias"] = np.zeros(3, "<f4")
if "integers" in words:
    tensors["convs.0.bias"] = tensors["convs.0.bias"].astype("<i4")
if "nan" in words:
    tensors["convs.0.bias"][1] = np.nan
kinds = {"<f4": "F32", "<f8": "F64", "<f2": "F16", "<i4": "I32", "<i8": "I64"}
header, data = {"__metadata__": {"format": "pt"}}, b""
for name, value in tensors.items():
    raw = np.ascontiguousarray(value).tobytes()
    header[prefix + name] = {"dtype": kinds[value.dtype.str], "shape": list(value.shape),
                             "data_offsets": [len(data), len(data) + len(raw)]}
    data += raw
text = json.dumps(header).encode()
if "twice" in words:
    text = text[:-1] + b', "__metadata__": {}}'
with open(path, "wb") as f:
    f.write(struct.pack("<Q", len(text)) + text + data)
P
st() { "$python" st.py "$@"; }
# near A B TOLERANCE: the numbers of two prediction files differ by no more.
cat >near.py <<'P'
import csv
import sys

a, b = (list(csv.reader(open(path)))[1:] for path in sys.argv[1:3])
assert len(a) == len(b) > 0
for x, y in zip(a, b):
    assert x[:2] == y[:2], (x, y)
    assert all(abs(float(p) - float(q)) <= float(sys.argv[3]) for p, q in zip(x[2:], y[2:])), (x, y)
P
near() { "$python" near.py "$@" || fail "$1 and $2 differ by more than $3"; }

for model in gcn gat; do
    # shellcheck disable=SC2086
    "$gs" train $model -g karate -o $model -q epochs=30 hidden=5 norm=batch $split
    "$gs" predict $model -g karate -o $model.csv
    n=0
    for how in "" "prefix=model. wrap" "prefix=module. wrap"; do
        # shellcheck disable=SC2086
        st w.safetensors $model $how
        # shellcheck disable=SC2086
        "$gs" import --weights w.safetensors -g karate --recipe $model -o $model-$n -q hidden=5 norm=batch $split >out.txt
        "$gs" predict $model-$n -g karate -o again.csv
        near $model.csv again.csv 1e-4
        same $model/seed-0.h5 $model-$n/seed-0.h5 /params /nodes/split /outputs
        n=$((n + 1))
    done
done
grep -q 'test accuracy' out.txt || fail "no scores are printed"
st half.safetensors gcn half
# shellcheck disable=SC2086
"$gs" import -w half.safetensors -g karate --recipe gcn -o half -q hidden=5 norm=batch $split >/dev/null
"$gs" predict half -g karate -o half.csv
near gcn.csv half.csv 1e-2

# It serves like a run that was trained here.
"$gs" eval gcn -g karate >trained.txt
"$gs" eval gcn-0 -g karate >imported.txt
cmp trained.txt imported.txt || fail "eval scores the imported run otherwise"
"$gs" compare gcn gcn-0 >out.txt
"$gs" distill mlp -g karate -t gcn-0 -o student -q epochs=20
"$gs" distill mlp -g karate -t gcn -o other -q epochs=20
same student/seed-0.h5 other/seed-0.h5 /params /nodes/split
# An own seed has its own split, and stands beside the first.
# shellcheck disable=SC2086
"$gs" import --weights w.safetensors -g karate --recipe gat -o gat-0 --seed 4 --json -q hidden=5 norm=batch $split >out.txt
"$python" -c 'import json; assert json.load(open("out.txt"))["seeds"] == [0, 4]'

# refuse CODE WORDS FILE settings…
refuse() {
    local code=$1 words=$2 file=$3
    shift 3
    # shellcheck disable=SC2086
    expect "$code" "$words" "$gs" import --weights "$file" -g karate --recipe gcn -o r -q hidden=5 norm=batch $split "$@"
    [ ! -e r ] || fail "an output was left behind by '$file $*'"
}
st w.safetensors gcn
refuse 3 "'convs.0.lin.weight' has the shape \[5, 34\].*needs \[6, 34\]" w.safetensors hidden=6
refuse 3 "'norms.0.weight' \[5\] has no place" w.safetensors norm=none
refuse 3 "no tensor 'convs.2.lin.weight'\|'convs.1.lin.weight' has the shape" w.safetensors layers=3
st bad.safetensors gcn turned
refuse 3 "has the shape \[34, 5\].*needs \[5, 34\].*transpose" bad.safetensors
st bad.safetensors gcn missing prefix=model.
refuse 3 "no tensor 'model.convs.1.bias' \[" bad.safetensors
st bad.safetensors gcn surplus
refuse 3 "'convs.7.bias' \[3\] has no place" bad.safetensors
st bad.safetensors gcn integers
refuse 3 "'convs.0.bias' \[5\].*I32.*save it as F32" bad.safetensors
st bad.safetensors gcn nan
refuse 3 "'convs.0.bias' \[5\] is not finite" bad.safetensors
st bad.safetensors gcn twice
refuse 3 "duplicate" bad.safetensors
size=$(stat -c %s w.safetensors)
for cut in 0 7 8 9 100 $((size - 1)); do
    head -c "$cut" w.safetensors >cut.safetensors
    refuse 3 "cut.safetensors: " cut.safetensors
done
printf 'PK\003\004 and the rest of a .pt file' >model.pt
refuse 3 "no safetensors file" model.pt
refuse 4 "nowhere.safetensors cannot be opened" nowhere.safetensors
refuse 2 "the nearest is 'hidden'" w.safetensors hiden=5
expect 2 "needs --recipe" "$gs" import --weights w.safetensors -g karate -o r
expect 2 "needs -g" "$gs" import --weights w.safetensors --recipe gcn -o r
expect 2 "goes with --weights only" "$gs" import nodes.csv --recipe gcn -o r
expect 2 "needs a PATH" "$gs" import -o r
expect 2 "does not go with --weights" "$gs" import --weights w.safetensors -g karate --recipe gcn -o r --format csv
[ ! -e r ] || fail "an output was left behind"
