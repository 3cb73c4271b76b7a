# A sweep: trials on validation alone, paired runs, two jobs at a time give the bytes of one, SIGKILL and --resume too.
. "$(dirname "$0")/lib.sh"
"$gs" generate citation -o g.h5 nodes=300 features=60 >/dev/null
cat >s.yaml <<'Y'
description: two students, one teacher
graphs: {small: g.h5}
teachers: {gcn: {recipe: gcn, set: {epochs: 30}}}
students:
  plain: {recipe: mlp, set: {epochs: 40}}
  glnn: {recipe: mlp, set: {epochs: 40, hard.weight: 0, soft.weight: 1}}
search: {random: {trials: 2, seed: 1, lr: {log_uniform: [0.001, 0.1]}}}
seeds: 0-2
tuning_seeds: 0-1
Y
# the files of a finished sweep, but for times: summaries are compared without timings
same_sweep() {
    (cd "$1" && find . -type f | sort) >a.txt
    (cd "$2" && find . -type f | sort) >b.txt
    cmp a.txt b.txt || fail "$1 and $2 hold other files: $(diff a.txt b.txt)"
    while read -r file; do
        case $file in
        *summary.json | *.jsonl | */results.json) ;;
        *) cmp "$1/$file" "$2/$file" || fail "$file differs between $1 and $2" ;;
        esac
    done <a.txt
    python3 - "$1" "$2" <<'P'
import json, pathlib, sys
one, two = map(pathlib.Path, sys.argv[1:])
for path in one.rglob("summary.json"):
    a, b = (json.loads((root / path.relative_to(one)).read_text()) for root in (one, two))
    a.pop("timings"), b.pop("timings")
    assert a == b, path
P
}
"$gs" sweep s.yaml -o one -q >table.txt
grep -q '^small *glnn *x *2 ' table.txt || { cat table.txt; fail "the table lacks a student"; }
"$gs" sweep s.yaml -o two -q --jobs 2 --threads 2 >/dev/null
same_sweep one two

python3 - <<'P'
import csv, json
final = json.load(open("one/small/glnn/final/summary.json"))
assert final["trials"] == 2 and final["seeds"] == [0, 1, 2], final["trials"]
tuning = final["tuning"]
assert tuning["metric"] == "val_accuracy" and tuning["seeds"] == [0, 1]
trials = [json.load(open(f"one/small/glnn/trials/{k}/summary.json")) for k in range(2)]
assert [t["val_accuracy"]["mean"] for t in trials] == tuning["scores"]
assert tuning["scores"][tuning["best_trial"]] == max(tuning["scores"])
assert final["recipe"]["lr"] == trials[tuning["best_trial"]]["recipe"]["lr"] == tuning["settings"]["lr"]
plain = json.load(open("one/small/plain/final/summary.json"))
assert plain["trials"] == 2
# the same draws for both: paired budgets see the same settings
for k in range(2):
    assert json.load(open(f"one/small/plain/trials/{k}/summary.json"))["recipe"]["lr"] == trials[k]["recipe"]["lr"]
rows = {row["student"]: row for row in csv.DictReader(open("one/results.csv", newline=""))}
ours, theirs = (json.load(open(f"one/small/{s}/final/summary.json"))["test_accuracy"]["values"] for s in ("glnn", "plain"))
assert abs(float(rows["glnn"]["minus_plain"]) - sum(a - b for a, b in zip(ours, theirs)) / 3) < 1e-12
assert rows["plain"]["minus_teacher"] == "" and rows["glnn"]["minus_teacher"] != ""
row = json.load(open("one/results.json"))["rows"][1]
assert row["student"] == "glnn" and row["plain"]["low"] <= row["plain"]["difference"] <= row["plain"]["high"]
P
# all students of a graph have the teacher's split
for run in plain glnn; do same one/small/teachers/gcn/seed-1.h5 one/small/$run/final/seed-1.h5 /nodes/split; done

# killed at some moment, with what it started; gone on with, it ends in the same files
for pause in 0.3 1; do
    rm -rf part
    (exec "$gs" sweep s.yaml -o part -q --jobs 2 --threads 2) >/dev/null 2>&1 &
    pid=$!
    for _ in $(seq 600); do
        [ ! -e part/small/teachers/gcn/recipe.yaml ] || break
        sleep 0.05
    done
    sleep $pause
    kill -KILL $pid 2>/dev/null || true
    wait $pid || true
    "$gs" sweep s.yaml -o part -q --resume --jobs 2 --threads 2 >/dev/null
    same_sweep one part
done
# what a killed process was writing goes, though nobody has asked for its end yet
python3 -c 'import os, time
child = os.fork() or os._exit(0)
print(child, flush=True)
time.sleep(60)' >gone.txt &
keeper=$!
until [ -s gone.txt ]; do sleep 0.05; done
touch part/small/teachers/gcn/recipe.yaml.$(cat gone.txt).tmp
"$gs" sweep s.yaml -o part -q --resume >/dev/null
[ -z "$(find part -name '*.tmp')" ] || fail "a dead process's temporary file stays"
kill $keeper
# Ctrl-C: 130, children are gone, and it can be gone on with
sed 's/epochs: 40/epochs: 300000, patience: 0/g' s.yaml >long.yaml
(exec "$gs" sweep long.yaml -o long -q --jobs 2 --threads 2) >/dev/null 2>err.txt &
pid=$!
for _ in $(seq 600); do
    ls long/small/*/trials/*/*.checkpoint.h5 >/dev/null 2>&1 && break
    sleep 0.05
done
kill -INT $pid
code=0
wait $pid || code=$?
[ $code -eq 130 ] || { cat err.txt; fail "Ctrl-C gave $code, not 130"; }
grep -q -- --resume err.txt || fail "nothing says how to go on"
ls long/small/*/trials/*/*.checkpoint.h5 >/dev/null || fail "no checkpoint after Ctrl-C"
[ ! -e long/results.csv ] || fail "an interrupted sweep has results"
flock -n long true || fail "something still works in the folder of an interrupted sweep"

# what a finished folder takes and refuses
"$gs" sweep s.yaml -o one -q --resume >/dev/null
same_sweep one two
expect 2 "resume" "$gs" sweep s.yaml -o one
sed 's/seed: 1/seed: 2/' s.yaml >other.yaml
expect 2 "another sweep than this file .* the trials of the student 'plain' on small differs" "$gs" sweep other.yaml -o one --resume
sed 's/seeds: 0-2/seeds: 0-3/' s.yaml >other.yaml
expect 2 "its seeds differ" "$gs" sweep other.yaml -o one --resume
sed 's/epochs: 30/epochs: 31/' s.yaml >other.yaml
expect 2 "the recipe of the teacher 'gcn' on small differs" "$gs" sweep other.yaml -o one --resume
"$gs" generate citation -o another.h5 nodes=310 features=60 >/dev/null
expect 2 "its graph 'small' is another" "$gs" sweep s.yaml -o one --resume -g small=another.h5
# one that gained a student goes on, and its runs are those of a sweep that had it from the start
cp -r one grown
sed 's/^search:/  wide: {recipe: mlp, set: {epochs: 40, hidden: 32}}\nsearch:/' s.yaml >grown.yaml
"$gs" sweep grown.yaml -o grown -q --resume >/dev/null 2>err.txt
"$gs" sweep grown.yaml -o afresh -q >/dev/null 2>&1
same_sweep grown afresh
"$gs" sweep s.yaml -o grown -q --resume >table.txt 2>/dev/null
grep -q wide table.txt && fail "a student that the file lost is in the table"
cp -r one moved
"$gs" results moved -o page.md 2>/dev/null
grep -q '^| glnn .*| 2 |' page.md || fail "the page has no row of glnn with its trials"
grep -q 'trials/' page.md && fail "the page shows trials"

# mistakes in the file: one sentence, nothing left behind
wrong() { # code words sed…
    local code=$1 words=$2
    shift 2
    sed "$@" s.yaml >w.yaml
    expect "$code" "$words" "$gs" sweep w.yaml -o w
    [ ! -e w ] || fail "'$words' left a folder behind"
}
wrong 2 "'students'" 's/^students:/studnets:/'
wrong 2 "'recipe'" 's/recipe: mlp/recipt: mlp/'
wrong 2 "'gcn'" 's/recipe: gcn/recipe: gcx/'
wrong 3 "'small'" 's/g\.h5/nowhere.h5/'
wrong 2 "no graphs" '/^graphs/d'
wrong 2 "empty" 's/random: {.*}}/grid: {}}/'
wrong 2 "'log_uniform'" 's/log_uniform/log_unifrom/'
wrong 2 "has no seeds" 's/^seeds: .*/seeds: []/'
wrong 2 "has no tuning_seeds" 's/^tuning_seeds: .*/tuning_seeds:/'
wrong 2 "'lr'" 's/lr: {log/lx: {log/'
wrong 2 "'plain' has a key of the method 'soft'" 's/lr: {log_uniform/soft.weight: {uniform/'
wrong 2 "'split_seed'" 's/lr: {log_uniform.*/split_seed: {choice: [1, 2]}}}/'
wrong 2 "none" 's/^teachers: .*//'
wrong 2 "split" 's/recipe: mlp, set: {epochs: 40}/recipe: mlp, set: {epochs: 40, split: random}/'
expect 2 "no sweep file" "$gs" sweep nothing.yaml -o w
# a teacher that is there already: of this graph, with all seeds, or refused before anything is trained
given() { sed "s|^teachers: .*|teachers: {gcn: {run: $1}}|" s.yaml; }
given one/small/teachers/gcn >w.yaml
"$gs" sweep w.yaml -o given -q >/dev/null
same given/small/glnn/final/seed-2.h5 one/small/glnn/final/seed-2.h5 /params /outputs /history
given one/small/teachers/gcn | sed 's/^tuning_seeds: .*/tuning_seeds: 3/' >w.yaml
expect 3 "no seed 3, which is one of the sweep's tuning_seeds" "$gs" sweep w.yaml -o w
"$gs" generate citation -o other.h5 nodes=300 features=50 >/dev/null
given one/small/teachers/gcn | sed 's/g\.h5/other.h5/' >w.yaml
expect 3 "on another graph than other.h5" "$gs" sweep w.yaml -o w
given one/nowhere >w.yaml
expect 3 "is not there" "$gs" sweep w.yaml -o w
[ ! -e w ] || fail "a refused teacher left a folder behind"
# unequal budgets are told
sed 's/  plain: {recipe: mlp,/  plain: {recipe: mlp, search: none,/' s.yaml >w.yaml
"$gs" sweep w.yaml --dry-run >out.txt 2>err.txt
grep -q "2 trials and plain.* 1;" err.txt || { cat err.txt; fail "unequal budgets pass in silence"; }
[ ! -e w ] || fail "a dry run left a folder"

# a recipe's own search; methods and teachers are crossed
printf 'model: mlp\nepochs: 5\nsearch: {grid: {lr: [0.1, 0.01, 0.001]}}\n' >tuned.yaml
cat >cross.yaml <<'Y'
graphs: [g.h5]
teachers: {a: gcn, b: {recipe: gcn, set: {hidden: 8}}}
methods: {soft: {soft: {temperature: 2}}, both: {hard: {weight: 0.5}, soft: {}}}
students: {mlp: {}, plain: {recipe: mlp, teachers: none}, tuned: {recipe: tuned.yaml, teachers: none}}
Y
"$gs" sweep cross.yaml --dry-run --json >cross.json
python3 - <<'P'
import json
place = json.load(open("cross.json"))["graphs"]["g"]
students = place["students"]
assert list(students) == ["mlp-soft-a", "mlp-soft-b", "mlp-both-a", "mlp-both-b", "plain", "tuned"], list(students)
assert students["mlp-soft-b"]["teacher"] == "b" and students["plain"]["teacher"] is None
assert students["mlp-soft-b"]["recipe"]["methods"] == {"soft": {"temperature": 2}}
assert place["teachers"]["b"]["recipe"]["hidden"] == 8
assert students["mlp-both-a"]["plain"] == "plain" and students["plain"]["plain"] is None
assert [t["lr"] for t in students["tuned"]["trials"]] == [0.1, 0.01, 0.001] and students["plain"]["trials"] == []
P

# Test labels choose nothing: with noise for them, scores, choice and parameters stay, and only the test score moves.
need_h5py
cp g.h5 noise.h5
"$python" - <<'P'
import h5py, numpy as np
with h5py.File("noise.h5", "r+") as f:
    role, y = f["splits/default"][:], f["labels"][:]
    y[role == 3] = np.random.default_rng(0).integers(0, y.max() + 1, (role == 3).sum())
    f["labels"][...] = y
P
"$gs" sweep s.yaml -o noisy -q -g small=noise.h5 >/dev/null 2>&1
for run in plain glnn; do
    same one/small/$run/final/seed-2.h5 noisy/small/$run/final/seed-2.h5 /params /outputs /history
done
python3 - <<'P'
import json
a, b = (json.load(open(f"{root}/small/glnn/final/summary.json")) for root in ("one", "noisy"))
assert a["tuning"] == b["tuning"] and a["val_accuracy"] == b["val_accuracy"]
assert b["test_accuracy"]["mean"] < a["test_accuracy"]["mean"] - 0.2
P

# teachers that answer together: the sweep gives a student what -t A -t B does
cat >both.yaml <<'Y'
graphs: {small: g.h5}
teachers:
  both: {together: [gcn, sgc]}
  gcn: {recipe: gcn, set: {epochs: 20}}
  sgc: {recipe: sgc, set: {epochs: 20}}
students: {taught: {recipe: mlp, set: {epochs: 20, hard.weight: 0, soft.weight: 1}, teachers: both}}
seeds: 0-1
Y
"$gs" sweep both.yaml -o both -q --jobs 2 >/dev/null
"$gs" distill both/small/taught/final/recipe.yaml -g g.h5 -t both/small/teachers/gcn -t both/small/teachers/sgc -o byhand --seeds 0-1 -q >/dev/null
for s in 0 1; do same both/small/taught/final/seed-$s.h5 byhand/seed-$s.h5 /outputs /params; done
python3 - <<'P'
import json
row = json.load(open("both/results.json"))["rows"][0]
told = json.load(open("both/small/taught/final/summary.json"))
theirs, ours = (told[k]["values"] for k in ("teacher_test_accuracy", "test_accuracy"))
assert row["teacher_name"] == "both"
assert abs(row["teacher"]["difference"] - sum(a - b for a, b in zip(ours, theirs)) / 2) < 1e-12
single = json.load(open("both/small/teachers/gcn/summary.json"))["test_accuracy"]["values"]
assert theirs != single, "the first teacher answers alone"
assert told["compared"]["teacher"] is None
P
[ ! -e both/small/teachers/both ] || fail "a folder for teachers that are others together"
"$gs" sweep both.yaml -o both --dry-run | grep -q '^3 runs' || fail "the dry run counts wrongly"
refuse() {
    printf 'graphs: {small: g.h5}\nteachers: {gcn: gcn, sgc: sgc, both: %s}\nstudents: [mlp]\n' "$1" >bad.yaml
    expect 2 "$2" "$gs" sweep bad.yaml -o bad
    [ ! -e bad ] || fail "a refused sweep left a folder"
}
refuse '{together: [gcn]}' "must put 2 to 16 others together"
refuse '{together: gcn}' "must put 2 to 16 others together"
refuse '{together: [gcn, nobody]}' "puts 'nobody' together"
refuse '{together: [gcn, both]}' "puts 'both' together"
refuse '{together: [gcn, gcn]}' "names 'gcn' twice"
refuse '{together: [gcn, sgc], set: {lr: 1}}' "can have no other key"
refuse '{together: [gcn, 3]}' "puts '' together"

# a given teacher of another split is refused before anything is trained: its students could not be paired
"$gs" train gcn -g g.h5 -o elsewhere --seeds 0-2 -q epochs=5 split=random >/dev/null
"$gs" train gcn -g g.h5 -o here --seeds 0-2 -q epochs=5 >/dev/null
cat >mixed.yaml <<'Y'
graphs: {small: g.h5}
teachers: {a: {recipe: gcn, set: {epochs: 3}}, b: {run: elsewhere}}
students: {plain: {recipe: mlp, set: {epochs: 3}}, s: {recipe: mlp, set: {epochs: 3, hard.weight: 0, soft.weight: 1}}}
seeds: 0-2
tuning_seeds: 0
Y
expect 2 "The teacher 'b' of the sweep, elsewhere, was trained on other nodes than the sweep's runs of seed 0" "$gs" sweep mixed.yaml -o mixed
[ ! -e mixed ] || fail "a refused sweep left a folder"
sed 's/elsewhere/here/' mixed.yaml >alike.yaml
"$gs" sweep alike.yaml -o alike -q >/dev/null
# the setting of a recipe that says nothing of it is the others'
printf 'graphs: {small: g.h5}\nteachers: {t: {recipe: gcn, set: {epochs: 3}}}\nstudents: {s: {recipe: mlp, set: {epochs: 3, setting: transductive, soft.weight: 1}}}\nseeds: 0\ntuning_seeds: 0\n' >settings.yaml
"$gs" sweep settings.yaml -o settings -q >/dev/null

# what is taken in no case
wrong_file() {
    printf "$1" >bad.yaml
    expect 2 "$2" "$gs" sweep bad.yaml -o bad
    [ ! -e bad ] || fail "a refused sweep left a folder"
}
head='graphs: {small: g.h5}\nstudents: {m: {recipe: mlp'
wrong_file "$head, search: {random: {trials: 2, seed: x, lr: {choice: [0.1]}}}}}" "seed of a random search must be a whole number"
wrong_file "$head, search: {grid: {lr: [0.1, 0.1]}}}}" "lists a value of 'lr' twice"
wrong_file "$head, plain: 3}}" "'plain' must be a name"
wrong_file "$head}}\nteachers: {t: {run: here, recipe: gcn}}" "is a run already"
wrong_file "$head}}\nsplit: nope" "nope"
wrong_file "$head}}\nseeds: 1.5" "seeds of the sweep must be whole numbers"

# a teacher that was exchanged under its name, and a graph that was, even if it was lost in between
cp -r here lent
printf 'graphs: {a: g.h5, b: another.h5}\nteachers: {t: {run: lent}}\nstudents: {s: {recipe: mlp, set: {epochs: 3, soft.weight: 1}}}\nseeds: 0\ntuning_seeds: 0\n' >exchange.yaml
"$gs" sweep exchange.yaml -o exchange -q -g a=g.h5 >/dev/null
rm -r lent
"$gs" train gcn -g g.h5 -o lent --seeds 0 -q epochs=7 >/dev/null
expect 2 "the hash of the teacher 't' on a differs" "$gs" sweep exchange.yaml -o exchange -g a=g.h5 --resume
printf 'graphs: {a: g.h5, b: another.h5}\nstudents: {s: {recipe: mlp, set: {epochs: 3}}}\nseeds: 0\ntuning_seeds: 0\n' >lost.yaml
"$gs" sweep lost.yaml -o lost -q >/dev/null
"$gs" sweep lost.yaml -o lost -q --resume -g a=g.h5 >/dev/null
expect 2 "holds a run of another graph" "$gs" sweep lost.yaml -o lost --resume -q -g a=g.h5 -g b=g.h5
