# A student that reads positions answers for a node that its graph did not have: from x and from the
# positions of the neighbours, found by their ids. What a model needs to be served is named.
. "$(dirname "$0")/lib.sh"
cat >graphs.py <<'P'
import random

random.seed(1)
n = 80
rows = [(f"p{i}", i % 4, [random.gauss(i % 4 == k, 0.7) for k in range(4)]) for i in range(n)]
edges = [(i, j) for i in range(n) for j in range(i) if random.random() < (0.3 if i % 4 == j % 4 else 0.01)]
def write(name, rows, edges):
    with open(name + ".nodes.csv", "w") as f:
        f.write("id,a,b,c,d,label\n")
        for id, label, x in rows:
            f.write(f"{id},{','.join(map(str, x))},{label}\n")
    with open(name + ".edges.csv", "w") as f:
        f.writelines(f"{rows[i][0]},{rows[j][0]}\n" for i, j in edges)
write("old", rows, edges)
new = rows + [("new", 2, [0.2, 0.1, 0.3, 0.2])]
write("near", new, edges + [(n, 2), (n, 6), (n, 10)])
write("far", new, edges + [(n, 1), (n, 5), (n, 9)])
write("alone", new, edges)
turn = list(range(n))
random.shuffle(turn)
write("turned", [rows[i] for i in turn], [(turn.index(i), turn.index(j)) for i, j in edges])
write("classes", rows + [("new", "00", [0.2, 0.1, 0.3, 0.2])], edges + [(n, 2), (n, 6), (n, 10)])
write("other", [("q" + id, label, x) for id, label, x in rows], edges)
P
python3 graphs.py
for name in old near far alone turned classes other; do
    mkdir $name
    mv $name.nodes.csv $name/nodes.csv
    mv $name.edges.csv $name/edges.csv
    "$gs" import $name/nodes.csv $name/edges.csv -o $name.h5 -q >/dev/null
done
split="split=per-class train_per_class=10 val_per_class=4"
"$gs" train mlp -g old.h5 -o run -q epochs=60 inputs=x+position position_size=8 $split >/dev/null
for name in old near far alone; do
    "$gs" predict run -g $name.h5 -o $name.csv -q
done
"$gs" predict run -g near.h5 --nodes new,p3 -o some.csv -q
cat >compare.py <<'P'
import csv

def read(name):
    return {row["id"]: row for row in csv.DictReader(open(name + ".csv"))}
old, near, far, alone, some = map(read, ("old", "near", "far", "alone", "some"))
for id, row in old.items():  # who was there is answered as before
    assert all(abs(float(row[k]) - float(near[id][k])) < 1e-4 for k in row if k not in ("id", "label")), id
new = [float(g["new"]["confidence"]) for g in (near, far, alone)]
assert len(set(new)) == 3, new  # the neighbours matter
for id in ("new", "p3"):
    assert abs(float(some[id]["confidence"]) - float(near[id]["confidence"])) < 1e-4, id
P
python3 compare.py || fail "answers about a node that is new"
printf 'a,b,c,d\n1,0,0,0\n' >rows.csv
expect 2 "serves from x+position; give a graph (-g), or rows of 12 numbers: the features, then the position. These have 4" "$gs" predict run --features rows.csv -q
"$gs" train mlp -g old.h5 -o hops -q epochs=5 inputs=x+hops $split >/dev/null
expect 2 "serves from x+hops; .* rows of 12 numbers" "$gs" predict hops --features rows.csv -q
# what stands beside the features may come with them, and is then all that is needed
h5dump -d "$(h5ls -r run/seed-0.h5 | sed -n 's/^\(\/.*position[^ ]*\) .*Dataset.*/\1/p' | head -1)" -b LE -o positions.bin run/seed-0.h5 >/dev/null
cat >beside.py <<'P'
import csv, struct

nodes = list(csv.DictReader(open("old/nodes.csv")))
x = [[float(r[k]) for k in "abcd"] for r in nodes]
n = len(x)
place = struct.unpack(f"<{8 * n}f", open("positions.bin", "rb").read())
index = {r["id"]: i for i, r in enumerate(nodes)}
near = [[i] for i in range(n)]
for a, b in csv.reader(open("old/edges.csv")):
    near[index[a]].append(index[b])
    near[index[b]].append(index[a])
def passed(v):  # D^-1/2 (A + I) D^-1/2 v
    return [[sum(v[j][k] / (len(near[i]) * len(near[j])) ** 0.5 for j in near[i]) for k in range(4)] for i in range(n)]
def write(name, rows):
    with open(name, "w") as f:
        f.write(",".join(f"c{k}" for k in range(len(rows[0]))) + "\n")
        f.writelines(",".join(map(repr, r)) + "\n" for r in rows)
write("places.csv", [x[i] + list(place[8 * i : 8 * i + 8]) for i in range(n)])
one = passed(x)
two = passed(one)
write("passed.csv", [x[i] + one[i] + two[i] for i in range(n)])
P
python3 beside.py
"$gs" predict run --features places.csv -o places.out.csv -q
"$gs" predict hops --features passed.csv -o passed.out.csv -q
"$gs" predict hops -g old.h5 -o hops.csv -q
cat >rows.py <<'P'
import csv, sys

a, b = (list(csv.reader(open(name)))[1:] for name in sys.argv[1:])
assert len(a) == len(b) == 80
for p, q in zip(a, b):
    assert p[1] == q[1] and all(abs(float(x) - float(y)) < 1e-4 for x, y in zip(p[2:], q[2:])), (p, q)
P
python3 rows.py old.csv places.out.csv || fail "positions that come with the features answer otherwise"
python3 rows.py hops.csv passed.out.csv || fail "hops that come with the features answer otherwise"
expect 2 "leave out inputs" "$gs" bench epoch -g old.h5 inputs=x+hops -q
"$gs" train mlp -g old.h5 -o plain -q epochs=5 $split >/dev/null
"$gs" train gcn -g old.h5 -o graph -q epochs=5 inputs=x+hops $split >/dev/null
for pair in run:x+position hops:x+hops plain:x graph:graph; do
    name=${pair%%:*} word=${pair#*:}
    "$gs" info $name/seed-0.h5 | grep -qx "serving_inputs: $word" || fail "info does not say '$word'"
    "$gs" info $name | grep -q "must be at hand: $word\$" || fail "info of the run does not say '$word'"
    grep -q "\"serving_inputs\": \"$word\"" $name/summary.json || fail "the summary does not say '$word'"
done

# models that read labels beside the graph find their training nodes by the ids, whatever the order of the nodes
"$gs" train gcn -g old.h5 -o gcn -q epochs=20 $split >/dev/null
"$gs" distill cpf -g old.h5 -t gcn -o cpf -q epochs=20 >/dev/null
"$gs" distill cpf -g old.h5 -t gcn -o tra -q epochs=20 weights=tra >/dev/null
"$gs" train gcn -g old.h5 -o labels -q epochs=20 label_input=0.5 $split >/dev/null
"$gs" train label_propagation -g old.h5 -o lp -q $split >/dev/null
"$gs" distill correct_and_smooth -g old.h5 -t gcn -o cs -q >/dev/null
cat >turned.py <<'P'
import csv, sys

def read(name):
    return {row["id"]: row for row in csv.DictReader(open(name))}
a, b = map(read, sys.argv[1:])
assert a.keys() <= b.keys()
far = sys.argv[2].endswith("near.csv")  # one node more, with three edges, moves its neighbourhood
moved = [id for id in a if abs(float(a[id]["confidence"]) - float(b[id]["confidence"])) > (0.2 if far else 1e-3)]
assert not moved, moved
P
for model in cpf tra labels lp cs; do
    for name in old turned near classes; do
        [ $model-$name = cs-near ] || [ $model-$name = cs-classes ] || "$gs" predict $model -g $name.h5 -o $model.$name.csv -q
    done
    python3 turned.py $model.old.csv $model.turned.csv || fail "$model answers by the order of the nodes"
    # the new node's class moves the others' numbers, and is none that the model knows
    [ $model = cs ] || cmp $model.near.csv $model.classes.csv || fail "$model mistakes the classes of another graph"
    [ $model = cs ] || python3 turned.py $model.old.csv $model.near.csv || fail "$model loses its labels with a node more"
    expect 3 "needs the graph that it was" "$gs" predict $model -g other.h5 -o no.csv
    [ ! -e no.csv ] || fail "a refused prediction left a file"
done
expect 3 "needs the graph that it was made for" "$gs" predict cs -g near.h5 -o no.csv
