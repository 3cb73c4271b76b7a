# Baselines give run folders like every model: scored again, compared, predicted with, distilled from, smoothed.
. "$(dirname "$0")/lib.sh"
need_h5py
"$gs" generate citation -o g.h5 nodes=700 features=200 >/dev/null
"$gs" train mlp -g g.h5 -o mlp --seeds 0-1 -q epochs=30
"$gs" train label_propagation -g g.h5 -o lp --seeds 0-1 -q
"$gs" train linear_gnn -g g.h5 -o linear --seeds 0-1 -q
"$gs" distill correct_and_smooth -g g.h5 -t mlp -o cs --seeds 0-1 -q
for run in lp linear cs; do
    for file in summary.json metrics.csv nodes.csv all.h5 recipe.yaml seed-0.h5 seed-1.h5; do
        [ -s $run/$file ] || fail "$run lacks $file"
    done
    "$gs" eval $run -g g.h5 --json >again.json
    "$python" - $run again.json <<'P' || fail "$run: eval gives other numbers"
import json, sys
was, now = json.load(open(sys.argv[1] + "/summary.json")), json.load(open(sys.argv[2]))
for name in ("train_accuracy", "val_accuracy", "test_accuracy", "test_nll"):
    assert now[name]["values"] == was[name]["values"], name
assert was["trials"]["mean"] > 1, was["trials"]
assert was["serving_inputs"] == "graph", was["serving_inputs"]
P
    "$gs" predict $run -g g.h5 -o all.csv -q
    [ "$(wc -l <all.csv)" -eq 701 ] || fail "predict $run wrote $(wc -l <all.csv) lines"
    "$gs" predict $run -g g.h5 --nodes 7,3 -o two.csv -q
    { sed -n 1p all.csv; sed -n 9p all.csv; sed -n 5p all.csv; } | cmp - two.csv || fail "predict --nodes of $run"
done
"$gs" compare mlp lp linear cs --baseline mlp >table.txt
grep -q lp table.txt || fail "compare leaves out lp"
"$gs" results lp --json >rows.json
python3 -c 'import json; s = json.load(open("lp/summary.json"))["trials"]["mean"]; assert s > 1 and json.load(open("rows.json"))[0]["trials"] == s'
"$gs" results lp | grep -q "| $(python3 -c 'import json; print(int(json.load(open("lp/summary.json"))["trials"]["mean"]))') | split" || fail "the page leaves out the trials of lp"
"$gs" distill -g g.h5 -t lp -o student --seeds 0-1 -q epochs=20
"$gs" train label_propagation -g g.h5 -o lp2 --seeds 0 -q
cmp lp/seed-0.h5 lp2/seed-0.h5 || fail "label propagation twice gives two files"
"$gs" train label_propagation -g g.h5 -o lp2 --seeds 0-1 --resume -q || fail "resume"

# Noise in test labels changes nothing but the score.
"$python" - <<'P'
import h5py, numpy as np
import shutil
shutil.copy("g.h5", "noise.h5")
with h5py.File("noise.h5", "r+") as g, h5py.File("lp/seed-0.h5") as r:
    y, split = g["labels"], r["nodes/split"][:]
    v = y[:]
    v[split == 3] = np.random.RandomState(0).permutation(v[split == 3])
    y[...] = v
P
"$gs" train label_propagation -g noise.h5 -o noise --seeds 0 -q
"$gs" train linear_gnn -g noise.h5 -o noise-linear --seeds 0 -q
same lp/seed-0.h5 noise/seed-0.h5 /outputs /history
same linear/seed-0.h5 noise-linear/seed-0.h5 /outputs /params /history

"$gs" list baselines | grep -q correct_and_smooth || fail "list baselines"
expect 2 "alpha" "$gs" train label_propagation -g g.h5 -o r alpah=0.5
expect 2 "learns nothing from a teacher" "$gs" distill label_propagation -g g.h5 -t mlp -o r
expect 2 "-t RUN" "$gs" train correct_and_smooth --part student -g g.h5 -o r
"$python" -c 'import numpy; numpy.save("x.npy", numpy.zeros((2, 200), "f4"))'
expect 2 "graph" "$gs" predict lp --features x.npy
[ ! -e r ] || fail "a refused run left a folder"
