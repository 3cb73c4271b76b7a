# Parameters that PyTorch Geometric made, under its own names, come in as safetensors and predict what it predicts.
. "$(dirname "$0")/lib.sh"
need_h5py
cat >golden.py <<'P'
import json
import struct
import subprocess
import sys

import h5py
import numpy as np

program, golden = sys.argv[1:]
models = {
    "gcn": "gcn hidden=8", "gat": "gat hidden=5 heads=4 activation=elu", "gatv2": "gatv2 hidden=5 heads=4 activation=elu",
    "sage": "sage hidden=8", "sage-gcn": "sage hidden=8 aggregator=gcn", "sage-pool": "sage hidden=8 aggregator=pool",
    "gin": "gin hidden=8 epsilon=0.3 norm=none", "sgc": "sgc layers=1 hops=3", "appnp": "appnp hidden=8 hops=5 alpha=0.2",
    "gcnii": "gcnii layers=4 hidden=8", "jump-cat": "gcn hidden=6 layers=3 jump=cat",
    "gcn-graphnorm": "gcn hidden=8 norm=graph",
}
split = ["normalize_features=false", "split=random", "train_fraction=0.5", "val_fraction=0.2"]
with h5py.File(golden) as file:
    for name, recipe in models.items():
        tensors = {}
        file[name + "/params"].visititems(
            lambda key, value: tensors.update({key.replace("/", "."): value[()]}) if isinstance(value, h5py.Dataset) else None)
        header, data = {}, b""
        for key, value in tensors.items():
            raw = np.ascontiguousarray(value, dtype="<f4").tobytes()
            header[key] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [len(data), len(data) + len(raw)]}
            data += raw
        text = json.dumps(header).encode()
        with open("w.safetensors", "wb") as out:
            out.write(struct.pack("<Q", len(text)) + text + data)
        kind, *settings = recipe.split()
        subprocess.run([program, "import", "--weights", "w.safetensors", "-g", "karate", "--recipe", kind, "-o", name, "-q",
                        *split, *settings], check=True, stdout=subprocess.DEVNULL)
        with h5py.File(name + "/seed-0.h5") as run:
            ours = run["outputs/full/logits"][()]
        theirs = file[name + "/logits"][()]
        away = abs(ours - theirs).max() / abs(theirs).max()
        assert away <= 1e-4, f"{name}: {away:g} away from PyTorch Geometric's logits"
P
"$python" golden.py "$gs" "$GRAPHSTILL_SOURCE/tests/goldens/karate.h5"
