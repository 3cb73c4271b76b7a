# Whose number stands in a row: the paper's stays with the paper's student of the paper's teacher alone, in single runs,
# sweeps, controls and generations.
. "$(dirname "$0")/lib.sh"
"$gs" generate citation -o g.h5 nodes=300 features=60 >/dev/null
cat >row.yaml <<'Y'
published: {test_accuracy: 50, std: 1}
teacher: {model: gcn, epochs: 10}
student: {model: mlp, epochs: 10, methods: {soft: {weight: 1}}}
Y
# RUN yes|no: whether its recipe still holds the number
holds() {
    python3 - "$1" "$2" <<'P' || fail "the paper's number in $1: wanted $2"
import json, sys
sys.exit(("published" in json.load(open(sys.argv[1] + "/summary.json"))["recipe"]) != (sys.argv[2] == "yes"))
P
}
distill() { "$gs" distill ./row.yaml -g g.h5 -q "$@" >/dev/null; }
distill -o own --control
holds own yes
holds own/control no
"$gs" train gcn -g g.h5 -o other -q epochs=10 hidden=8 >/dev/null
distill -t own/teacher -o again epochs=10
holds again yes
distill -t other -o taught
holds taught no
distill -t own/teacher -t other -o both
holds both no
distill -t own/teacher/seed-0.h5 -o file
holds file no
distill -o deeper layers=3
holds deeper no
distill -o gcn --to gcn
holds gcn no
distill -t own/teacher -o chain --generations 2
holds chain no
cat >s.yaml <<'Y'
graphs: {small: g.h5}
teachers: {own: ./row.yaml, other: {recipe: gcn, set: {epochs: 10, hidden: 8}}, run: {run: own/teacher}, both: {together: [own, other]}}
students: {row: {recipe: ./row.yaml}, wide: {recipe: ./row.yaml, set: {hidden: 128}, teachers: own}}
seeds: [0]
tuning_seeds: [0]
Y
"$gs" sweep s.yaml -o sweep -q -g small=g.h5 >/dev/null
holds sweep/small/row-own/final yes
holds sweep/small/row-run/final yes
holds sweep/small/row-other/final no
holds sweep/small/row-both/final no
holds sweep/small/wide/final no
"$gs" results own taught sweep -o page.md -q
grep -q '^| own/own | 50.00 ± 1.00 | ' page.md || { cat page.md; fail "the page lost the number of the paper"; }
grep -q '^| row-own | 50.00 ± 1.00 | ' page.md || { cat page.md; fail "a sweep with -g loses the number of the paper"; }
grep -q '^| taught | – | ' page.md || { cat page.md; fail "the page gives the number to another teacher's student"; }
# a part of an experiment has the numbers of its own
"$gs" train ./row.yaml --part teacher -g g.h5 -o part -q >/dev/null
"$gs" results part | grep -q '^| part | – | ' || fail "a teacher has the student's number"
"$gs" train ./row.yaml --part teacher -g g.h5 -o hidden -q setting=inductive >/dev/null
distill -t hidden -o crossed --allow-other-split setting=transductive
holds crossed no
# another split, settings that a search chose, and another graph make another row too
sed 's/^tuning_seeds.*/&\nsplit: per-class\ntrain_per_class: 3\nval_per_class: 3/; s/, run: {run: own\/teacher}//' s.yaml >split.yaml
"$gs" sweep split.yaml -o imposed -q >/dev/null
holds imposed/small/row-own/final no
holds imposed/small/teachers/own no
printf 'graphs: {small: g.h5}\nteachers: {own: ./row.yaml}\nseeds: [0]\ntuning_seeds: [0]\nstudents:\n  tuned: {recipe: ./row.yaml, search: {grid: {hidden: [8]}}}\n  same: {recipe: ./row.yaml, search: {grid: {epochs: [10]}}}\n' >tuned.yaml
"$gs" sweep tuned.yaml -o tuned -q >/dev/null
holds tuned/small/tuned/final no
holds tuned/small/same/final yes
sed 's/^published/graph: gnnbench-cora\n&/' row.yaml >cora.yaml
"$gs" distill ./cora.yaml -g g.h5 -o elsewhere -q >/dev/null
"$gs" results elsewhere | grep -q '^| elsewhere | – | ' || fail "the number of another graph is on the page"
"$gs" reproduce ./row.yaml -g g.h5 -o rep --seeds 0 -q epochs=5 --json >r.json
python3 - <<'P'
import json
r = json.load(open("r.json"))
assert r["rows"][0]["published"] == 50 and r["changed_settings"] == 1, r
P
holds rep no
# rows of one name bear the folder that they come from, and rows with a name of their own do not
mkdir -p one/a two
cp -r own one/a/same
cp -r taught two/same
cp -r again two/again
"$gs" results one two --json >rows.json
python3 - <<'P'
import json
names = sorted(r["name"] for r in json.load(open("rows.json")) if r["inputs"] == "x")
assert names == ["again", "one/same", "same, control", "two/same"], names
P
