# setting=inductive reaches teacher and student; both record it; eval scores a run as the run scored itself; a
# student inherits its teacher's hidden nodes, and another setting is an error unless allowed by name.
. "$(dirname "$0")/lib.sh"
"$gs" generate citation -o g.h5 nodes=400 features=80 >/dev/null
cat >both.yaml <<'Y'
setting: transductive
split: per-class
train_per_class: 10
val_per_class: 10
teacher: {model: gcn, hidden: 16, epochs: 15}
student: {model: mlp, hidden: 16, epochs: 15}
Y
"$gs" distill both.yaml -g g.h5 -o tran --seeds 0-1 -q >/dev/null
"$gs" distill both.yaml -g g.h5 -o ind --seeds 0-1 -q setting=inductive hidden_fraction=0.3 >table.txt
grep -q "production" table.txt || fail "the table does not show the production score"
"$gs" distill mlp -g g.h5 -t ind/teacher -o heir --seeds 0-1 -q epochs=3 >/dev/null
for run in ind ind/teacher heir; do
    "$gs" eval $run -g g.h5 -t ind/teacher --json >again.json
    python3 - $run <<'P'
import json
import sys

s, e = json.load(open(sys.argv[1] + "/summary.json")), json.load(open("again.json"))
for name in ("train", "val", "test"):
    for metric in ("accuracy", "macro_f1", "nll", "ece"):
        for setting in ("", "_inductive", "_cold") if name == "test" else ("",):
            key = f"{name}_{metric}{setting}"
            assert s[key]["values"] == e[key]["values"], (sys.argv[1], key, s[key], e[key])
assert s["test_accuracy_production"]["values"] == e["test_accuracy_production"]["values"]
if "agreement" in s:
    assert s["agreement"]["values"] == e["agreement"]["values"], (s["agreement"], e["agreement"])
    assert s["test_agreement"]["values"] == e["test_agreement"]["values"]
else:
    assert set(e["agreement"]["values"]) == {1.0}
p = s["protocol"]
assert p["setting"] == "inductive" and p["hidden"] > 0 and abs(p["hidden_fraction"] - 0.3) < 0.01, p
assert p["split"] == "per-class", p
P
done
for seed in 0 1; do
    same ind/teacher/seed-$seed.h5 ind/seed-$seed.h5 /nodes/split
    same ind/teacher/seed-$seed.h5 heir/seed-$seed.h5 /nodes/split
done
python3 - <<'P'
import json

s = {r: json.load(open(r + "/summary.json")) for r in ("tran", "tran/teacher", "ind", "ind/teacher", "heir")}
assert "test_accuracy_inductive" not in s["tran"] and s["tran"]["protocol"]["setting"] == "transductive"
know = {r: s[r]["protocol"]["teacher_knowledge"] for r in s}
assert know == {"tran": "all", "tran/teacher": "none", "ind": "observed", "ind/teacher": "none",
                "heir": "observed"}, know
assert s["ind"]["protocol"]["teacher_saw_hidden"] is False
# A perceptron reads no graph; the teacher falls when its new nodes have no edges.
assert s["ind"]["test_accuracy_cold"] == s["ind"]["test_accuracy_inductive"]
assert s["ind/teacher"]["test_accuracy_cold"]["mean"] < s["ind/teacher"]["test_accuracy_inductive"]["mean"]
P
expect 2 "allow-other-split" "$gs" distill both.yaml -g g.h5 -t tran/teacher -o r -q setting=inductive
expect 2 "allow-other-split" "$gs" distill both.yaml -g g.h5 -t ind/teacher -o r -q
expect 2 "transductive" "$gs" distill both.yaml -g g.h5 -o r -q setting=inductve
expect 2 "hidden_fraction" "$gs" train gcn -g g.h5 -o r -q setting=inductive hidden_fraction=0
[ ! -e r ] || fail "an output was left behind"
"$gs" distill both.yaml -g g.h5 -t tran/teacher -o seen -q setting=inductive --allow-other-split >/dev/null
grep -q '"teacher_saw_hidden": true' seen/summary.json || fail "it is not recorded that the teacher saw hidden nodes"
