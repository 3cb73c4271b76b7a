# GLNN's protocol on the nodes of its own code: the split, and that the student gains over the plain MLP.
. "$(dirname "$0")/lib.sh"
need_data gnnbench-cora
"$gs" import "$data/gnnbench-cora" -o cora.h5 --largest-component
"$gs" distill glnn-gcn-cora -g cora.h5 -o glnn --seeds 0-2 -q
"$gs" distill mlp-cora -t glnn/teacher -g cora.h5 -o plain --seeds 0-2 -q
"$gs" compare plain glnn --json >c.json
python3 - <<'P'
import json

runs = json.load(open("c.json"))["runs"]
assert runs[1]["difference"] > 0.15 and runs[1]["low"] > 0, runs
P
