# Deep and sampled teachers through the program, on real data.
. "$(dirname "$0")/lib.sh"
need_data gnnbench-cora
need_data heterophilous-minesweeper
# under the sanitizers a few epochs are enough: what they learn is checked without
quick=${GS_TEST_QUICK:-} epochs=150
[ -z "$quick" ] || epochs=6
"$gs" import "$data/gnnbench-cora" -o cora.h5 --largest-component
"$gs" import "$data/heterophilous-minesweeper" -o mine.h5

# every published recipe is one that the program accepts
for recipe in "$GRAPHSTILL_SOURCE"/models/published/*.yaml; do
    for part in teacher student; do
        grep -q "^$part:" "$recipe" || [ $part = student ] || continue
        "$gs" train "$recipe" --part $part -g cora.h5 -o none --dry-run >/dev/null 2>err.txt ||
            { cat err.txt >&2; fail "$recipe is refused"; }
    done
done

# sampled neighbours, and the same recipe on the whole graph; any number of threads
"$gs" train sage-glnn-cora -g cora.h5 -o sampled --seeds 0-1 -q epochs=$epochs
"$gs" train sage-glnn-cora -g cora.h5 -o whole --seeds 0-1 -q epochs=$epochs sampling=none batch_size=0
OMP_NUM_THREADS=1 "$gs" train sage-glnn-cora -g cora.h5 -o alone --seeds 0 -q epochs=$epochs
cmp sampled/seed-0.h5 alone/seed-0.h5 || fail "threads change a sampled run"
"$gs" distill -g cora.h5 -t sampled -o student --seeds 0-1 -q epochs=$epochs
"$gs" compare sampled whole student >/dev/null

# what was trained can be read back and asked, whatever its layers
for recipe in gcn gat gatv2 sage gcnii appnp sgc gin mlp; do
    "$gs" train $recipe -g cora.h5 -o back-$recipe --seeds 0 -q split=per-class epochs=2 >/dev/null
    "$gs" eval back-$recipe -g cora.h5 --json >eval.json
    "$gs" predict back-$recipe -g cora.h5 --nodes 3,5 -o two.csv -q
    python3 - back-$recipe <<'P' || fail "$recipe: eval differs from the run"
import json, sys
run = json.load(open(sys.argv[1] + "/summary.json"))["test_accuracy"]["mean"]
assert abs(json.load(open("eval.json"))["test_accuracy"]["mean"] - run) < 1e-9
P
done

# sixty-four layers learn
"$gs" train gcnii-cora -g cora.h5 -o deep --seeds 0 -q split=per-class hidden=16 lr=0.02 epochs=$epochs

# binary labels: ROC-AUC selects, seed s takes split s, residual connections, clusters
"$gs" train gcn-minesweeper -g mine.h5 -o mine --seeds 0-1 -q layers=3 epochs=${epochs}
cmp -s mine/seed-0.h5 mine/seed-1.h5 && fail "two seeds, one split"
"$gs" train gcn-minesweeper -g mine.h5 -o parts --seeds 0 -q layers=3 epochs=$((epochs / 3)) sampling=clusters parts=8 batch_parts=2
"$gs" eval mine -g mine.h5 --json >eval.json
[ -n "$quick" ] || python3 - <<'P' || fail "a teacher learned too little"
import json
def of(run, metric):
    return json.load(open(run + "/summary.json"))[metric]["mean"]
sampled, whole = of("sampled", "test_accuracy"), of("whole", "test_accuracy")
assert sampled > 0.77 and abs(sampled - whole) < 0.04, (sampled, whole)
assert of("student", "test_accuracy") > 0.75, of("student", "test_accuracy")
assert of("deep", "test_accuracy") > 0.75, of("deep", "test_accuracy")
assert of("mine", "test_roc_auc") > 0.85, of("mine", "test_roc_auc")
assert of("parts", "test_roc_auc") > 0.75, of("parts", "test_roc_auc")
assert abs(json.load(open("eval.json"))["test_roc_auc"]["mean"] - of("mine", "test_roc_auc")) < 1e-9
P

expect 2 "sampling=clusters" "$gs" train sgc-cora -g cora.h5 -o no split=per-class sampling=neighbours
expect 2 "roc_auc" "$gs" train gcn -g cora.h5 -o no select=roc_auc
expect 2 "fanout" "$gs" train sage-glnn-cora -g cora.h5 -o no fanout=1,2,3
expect 2 "fanout" "$gs" train sage-glnn-cora -g cora.h5 -o no fanout=1.5
expect 2 "before=linear" "$gs" train gcnii -g cora.h5 -o no before=none
expect 2 "split '17'" "$gs" train gcn-minesweeper -g mine.h5 -o no --seeds 17
[ ! -e no ] || fail "a refused run left something behind"
