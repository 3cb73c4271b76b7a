"""The peer's first answer: first.py MODEL.onnx FEATURES.npy NODE."""

import sys

import numpy as np
import onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
node = int(sys.argv[3])
x = np.load(sys.argv[2], mmap_mode="r")[node : node + 1]
print(node, session.run(None, {"x": x})[0].argmax())
