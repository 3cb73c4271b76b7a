# distill --control says what the teacher was worth, and when it was worth nothing; generations teach each other; a
# defective teacher is one that stopped early; a small teacher teaches a large student.
. "$(dirname "$0")/lib.sh"
"$gs" generate citation -o g.h5 nodes=600 features=120 >/dev/null
"$gs" train gcn -g g.h5 -o teacher --seeds 0-3 -q epochs=60

# An MLP gains by its teacher.
"$gs" distill -g g.h5 -t teacher -o student --seeds 0-3 -q --control epochs=60 hidden=16 >out.txt
grep -q "gain by the teacher: +" out.txt || fail "no gain: $(cat out.txt)"
if grep -q "distillation gains nothing here" out.txt; then fail "it gains something: $(cat out.txt)"; fi
# The control is the same student on labels alone, on the teacher's split.
"$gs" train mlp -g g.h5 -o plain --seeds 0-3 -q epochs=60 hidden=16
for seed in 0 3; do
    same student/control/seed-$seed.h5 plain/seed-$seed.h5 /params /outputs /history /nodes/split
done
python3 - <<'P'
import json

summary, control = (json.load(open(f"student{part}/summary.json")) for part in ("", "/control"))
gain = summary["gain"]
a, b = summary["test_accuracy"]["values"], control["test_accuracy"]["values"]
d = [x - y for x, y in zip(a, b)]
mean = sum(d) / 4
reach = 3.182446 * (sum((x - mean) ** 2 for x in d) / 3 / 4) ** 0.5
assert gain["metric"] == "test_accuracy" and gain["seeds"] == 4
for key, want in (("mean", mean), ("low", mean - reach), ("high", mean + reach)):
    assert abs(gain[key] - want) < 1e-6, (key, gain, want)
assert 0 <= gain["p"] < 0.05, gain
teacher = json.load(open("teacher/summary.json"))["test_accuracy"]["mean"]
assert abs(gain["teacher"] - teacher) < 1e-9 and abs(gain["control"] - sum(b) / 4) < 1e-9, gain
assert control["queries"]["mean"] == 0 and summary["queries"]["mean"] == 600
P

# A student that does not listen to its teacher gains nothing.
"$gs" distill -g g.h5 -t teacher -o none --seeds 0-3 -q --control epochs=60 hidden=16 hard.weight=1 >out.txt
grep -q "distillation gains nothing here: the interval holds 0" out.txt || fail "a gain without a teacher: $(cat out.txt)"
"$gs" distill -g g.h5 -t teacher -o one --seeds 0 -q --control epochs=5 >out.txt
grep -q "no interval" out.txt || fail "one seed gives no interval: $(cat out.txt)"
"$gs" distill -g g.h5 -t teacher -o json --seeds 0,1 -q --control --json epochs=5 >out.json
python3 -c 'import json; assert json.load(open("out.json"))["gain"]["seeds"] == 2'

# Born again: three students of one kind, each taught by the one before it.
"$gs" distill gcn -g g.h5 -t teacher -o born --seeds 0 -q --generations 3 epochs=60
for part in generation-1 generation-2 .; do
    [ -e born/$part/seed-0.h5 ] || fail "generation $part is missing"
done
"$gs" distill gcn -g g.h5 -t born/generation-2 -o last --seeds 0 -q epochs=60 generation=3
same born/seed-0.h5 last/seed-0.h5 /params /outputs
"$gs" distill gcn -g g.h5 -t teacher -o born --seeds 0 -q --generations 3 --resume epochs=60
same born/seed-0.h5 last/seed-0.h5 /params /outputs
expect 2 "generations" "$gs" distill gcn -g g.h5 -t teacher -o r --generations 0

# A teacher at epoch 5 teaches less than one at epoch 60; and a small one teaches a large student.
cat >defective.yaml <<'Y'
teacher: {model: gcn, epochs: 60, select: last}
student: {model: mlp, epochs: 60, hidden: 16}
Y
"$gs" distill defective.yaml -g g.h5 -o early --seeds 0-3 -q teacher.epochs=2
"$gs" distill defective.yaml -g g.h5 -o late --seeds 0-3 -q
"$gs" distill gcn -g g.h5 -t teacher -o reverse --seeds 0 -q hidden=256 epochs=10
python3 - <<'P'
import json

early, late = (json.load(open(f"{r}/summary.json"))["test_accuracy"]["mean"] for r in ("early", "late"))
assert early < late, (early, late)
born = json.load(open("born/summary.json"))["test_accuracy"]["mean"]
assert born > 0.6, born
P

# A given teacher's score is known by every metric that can select.
"$gs" train gcn -g karate -o ranks --seeds 0-1 -q epochs=20 select=roc_auc >/dev/null
"$gs" distill mlp -g karate -t ranks -o ranked --seeds 0-1 -q epochs=20 select=roc_auc --control >/dev/null
"$gs" distill mlp -g karate -t ranks/seed-0.h5 -o filed --seeds 0-1 -q epochs=20 select=roc_auc --control >/dev/null
python3 - <<'P'
import json
filed = json.load(open("filed/summary.json"))["gain"]["teacher"]
assert abs(filed - json.load(open("ranks/summary.json"))["test_roc_auc"]["values"][0]) < 1e-9, filed
gain = json.load(open("ranked/summary.json"))["gain"]
theirs = json.load(open("ranks/summary.json"))["test_roc_auc"]["mean"]
assert gain["metric"] == "test_roc_auc" and abs(gain["teacher"] - theirs) < 1e-9, gain
P
