# The main job as the README types it, on real Cora.
. "$(dirname "$0")/lib.sh"
need_data planetoid-cora
"$gs" import "$data/planetoid-cora" -o cora.h5
"$gs" train gcn -g cora.h5 -o teacher --seeds 0-2 -q
"$gs" distill -g cora.h5 -t teacher -o student --seeds 0-2 -q
"$gs" compare teacher student >table.txt
grep -q student table.txt || fail "no table"
for run in teacher student; do
    [ -s $run/summary.json ] || fail "$run has no summary"
    for s in 0 1 2; do [ -s $run/seed-$s.h5 ] || fail "$run lacks seed $s"; done
done
h5ls teacher/seed-0.h5/nodes | grep -q '^split' || fail "no split"
h5ls teacher/seed-0.h5/outputs/full | grep -q '^logits' || fail "no logits"
h5ls teacher/seed-0.h5/params | grep -q 'convs.0.lin.weight' || fail "no parameters"
same teacher/seed-0.h5 student/seed-0.h5 /nodes/split
"$gs" compare teacher student --json | grep -q '"difference"' || fail "no difference"
"$gs" compare teacher student --format latex | grep -q tabular || fail "no LaTeX"
"$gs" eval student -g cora.h5 -t teacher | grep -q agreement || fail "no agreement"
"$gs" predict student -g cora.h5 --nodes 5,7 -o two.csv -q
[ "$(wc -l <two.csv)" -eq 3 ] || fail "two nodes were asked for"
"$gs" info cora.h5 | grep -q '2708 nodes' || fail "info"
"$gs" info teacher/seed-0.h5 | grep -q 'convs.0.lin.weight' || fail "info of a model"
"$gs" info student | grep -q 'test accuracy' || fail "info of a run"
python3 - <<'P' || fail "the student learned nothing"
import json
t = json.load(open("teacher/summary.json"))["test_accuracy"]["mean"]
s = json.load(open("student/summary.json"))["test_accuracy"]["mean"]
assert t > 0.78 and s > 0.70, (t, s)
P
# without -t the teacher is trained first
"$gs" distill -g cora.h5 -o alone --seeds 0 -q epochs=20
[ -s alone/teacher/seed-0.h5 ] && [ -s alone/seed-0.h5 ] || fail "distill without -t"
# the same command again gives the same bytes
"$gs" train gcn -g cora.h5 -o again --seeds 0 -q
cmp again/seed-0.h5 teacher/seed-0.h5 || fail "equal runs give different files"
