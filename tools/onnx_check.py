#!/usr/bin/env python3
"""Does onnxruntime compute from an exported network what beckon computes? Prints the largest difference; more than 1e-4 fails.

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


def padded(rows, width):
    """Rows of `width` numbers a position, as an array (rows, longest, width) with zeros behind the shorter ones."""
    longest = max(len(row) // width for row in rows)
    out = np.zeros((len(rows), longest, width), dtype=np.int64)
    for i, row in enumerate(rows):
        out[i, : len(row) // width] = np.array(row, dtype=np.int64).reshape(-1, width)
    return out


def main():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[1], folder], check=True)
        with open(os.path.join(folder, "sample.json"), encoding="utf-8") as file:
            sample = json.load(file)
        session = onnxruntime.InferenceSession(os.path.join(folder, "network.onnx"), providers=["CPUExecutionProvider"])
        columns = len(sample["side"][0]) // len(sample["token"][0])
        inputs = {"tokens": padded(sample["token"], 1)[:, :, 0], "side": padded(sample["side"], columns),
                  "lengths": np.array([len(row) for row in sample["token"]], dtype=np.int64)}
        answers = dict(zip([output.name for output in session.get_outputs()], session.run(None, inputs)))
    answers["logits"][:, 0] = 0
    worst = 0.0
    for name, value in answers.items():
        expected = np.array(sample[name], dtype=np.float32).reshape(value.shape)
        difference = float(np.max(np.abs(value - expected) / np.maximum(1, np.abs(expected))))
        print(f"{name}: {value.shape}, largest difference {difference:.2e}")
        worst = max(worst, difference)
    return 0 if worst <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main())
