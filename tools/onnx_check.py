#!/usr/bin/env python3
"""Does onnxruntime compute from exported networks what beckon computes? One line a network; a difference above 1e-4 fails.

  python3 -m venv build/onnx_venv && build/onnx_venv/bin/pip install onnxruntime==1.22.1 numpy==2.2.6
  cmake --build --preset dev --target onnx_sample
  build/onnx_venv/bin/python tools/onnx_check.py build/dev/bin/onnx_sample
"""
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import onnxruntime

TOLERANCE = 1e-4


def padded(rows, width=1, behind=True, longest=None):
    """Rows of `width` numbers a position, as an array (rows, longest, width) with zeros behind, or before, the shorter ones."""
    longest = longest or max(len(row) // width for row in rows)
    out = np.zeros((len(rows), longest, width), dtype=np.int64)
    for i, row in enumerate(rows):
        length = len(row) // width
        places = slice(0, length) if behind else slice(longest - length, longest)
        out[i, places] = np.array(row, dtype=np.int64).reshape(-1, width)
    return out


def inputs_of(sample, wanted):
    """What the graph asks for; histories without times have zeros."""
    longest = max(len(row) for row in sample["tokens"])
    inputs = {name: padded(sample[name], longest=longest)[:, :, 0] for name in ("tokens", "at_ms", "request_ms")}
    inputs["side"] = padded(sample["side"], max(sample["columns"], 1), longest=longest)
    inputs["lengths"] = np.array([len(row) for row in sample["tokens"]], dtype=np.int64)
    inputs["memory_tokens"] = padded(sample["memory_tokens"], behind=False)[:, :, 0]
    return {name: inputs[name] for name in wanted}


def compare(folder):
    """The largest difference of each output, relative where the number is above 1."""
    with open(os.path.join(folder, "sample.json"), encoding="utf-8") as file:
        sample = json.load(file)
    session = onnxruntime.InferenceSession(os.path.join(folder, "network.onnx"), providers=["CPUExecutionProvider"])
    inputs = inputs_of(sample, [one.name for one in session.get_inputs()])
    answers = dict(zip([output.name for output in session.get_outputs()], session.run(None, inputs)))
    answers["logits"][:, 0] = 0
    differences = {}
    for name, value in answers.items():
        expected = np.array(sample[name], dtype=np.float32).reshape(value.shape)
        differences[name] = float(np.max(np.abs(value - expected) / np.maximum(1, np.abs(expected))))
    return list(inputs), differences


def main():
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[1], folder], check=True)
        for name in sorted(os.listdir(folder)):
            inputs, differences = compare(os.path.join(folder, name))
            print(f"{name} ({' '.join(inputs)}): " + ", ".join(f"{output} {value:.1e}" for output, value in differences.items()))
            worst = max(worst, float(np.max([np.inf if np.isnan(value) else value for value in differences.values()])))
    return 0 if worst <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main())
