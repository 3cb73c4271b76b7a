"""Writes an MLP of graphstill as ONNX, and the features of a graph as .npy for the Python peer.

    export.py MODEL.h5 GRAPH.h5 MODEL.onnx FEATURES.npy
"""

import sys

import h5py
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def layers(path):
    """Weights [out, in] and biases, in order."""
    with h5py.File(path) as f:
        params = {name: d[:] for name, d in f["params"].items()}
    count = sum(name.endswith(".weight") and name.startswith("convs.") for name in params)
    return [(params[f"convs.{k}.weight"], params[f"convs.{k}.bias"]) for k in range(count)]


def model(parts):
    nodes, arrays, at = [], [], "x"
    for k, (weight, bias) in enumerate(parts):
        last = k == len(parts) - 1
        arrays.append(numpy_helper.from_array(np.ascontiguousarray(weight.T), f"w{k}"))
        arrays.append(numpy_helper.from_array(bias, f"b{k}"))
        out = "logits" if last else f"z{k}"
        nodes.append(helper.make_node("Gemm", [at, f"w{k}", f"b{k}"], [out]))
        if not last:
            nodes.append(helper.make_node("Relu", [out], [f"h{k}"]))
            at = f"h{k}"
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", parts[0][0].shape[1]])
    y = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", parts[-1][0].shape[0]])
    graph = helper.make_graph(nodes, "mlp", [x], [y], arrays)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def features(path):
    with h5py.File(path) as f:
        x = f["features"]
        ptr, col = x["pointers_to_1"][:], x["indices_1"][:]
        values = x["values"][:]
        width = int(f.attrs["features"]) if "features" in f.attrs else int(x.attrs["shape"][1])
    dense = np.zeros((len(ptr) - 1, width), np.float32)
    rows = np.repeat(np.arange(len(ptr) - 1), np.diff(ptr))
    dense[rows, col] = np.broadcast_to(values, col.shape)
    return dense


onnx.save(model(layers(sys.argv[1])), sys.argv[3])
np.save(sys.argv[4], features(sys.argv[2]))
