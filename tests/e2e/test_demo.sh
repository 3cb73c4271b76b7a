# The demo: no data, no network.
. "$(dirname "$0")/lib.sh"
"$gs" demo -o d --seeds 0-1 -q >table.txt
cat table.txt
grep -q 'distilled MLP' table.txt || fail "no table"
[ -s d/graph.h5 ] && [ -s d/teacher/seed-1.h5 ] && [ -s d/student/seed-0.h5 ] || fail "no files"
"$gs" demo -o d --seeds 0-1 -q --json | python3 -c 'import json,sys; assert len(json.load(sys.stdin)) == 3'
"$gs" train gcn -g karate -o k --seeds 0-2 -q epochs=30
"$gs" distill -g karate -o k2 --seeds 0 -q epochs=30 --json | python3 -c 'import json,sys; json.load(sys.stdin)'
"$gs" train gcn -g karate --dry-run >dry.txt
grep -q 'estimated memory' dry.txt || fail "no estimate"
"$gs" list --json | python3 -c 'import json,sys; d=json.load(sys.stdin); assert d["layers"] and d["recipes"]'
"$gs" bench epoch -g d/graph.h5 --runs 5 --json | python3 -c '
import json, sys
for line in sys.stdin:
    row = json.loads(line)
    assert row["allocations"] == 0 and row["median_ms"] > 0
'
# the karate club as tables is the built-in one
"$gs" import "$GRAPHSTILL_SOURCE/graphs/karate" -o tables.h5 >/dev/null
for value in nodes edges classes components; do
    a=$("$gs" info tables.h5 --json | grep -m1 "\"$value\"") b=$("$gs" info karate --json | grep -m1 "\"$value\"")
    [ "$a" = "$b" ] || fail "the tables of the karate club differ in $value"
done
"$gs" train gcn -g tables.h5 -o k3 -q epochs=20 normalize_features=false >/dev/null
