#!/usr/bin/env python3
"""Weights of the PyTorch opponent (a file like torch_seqrec.py: class Model with --arch sasrec|ligr|gru|lstm) to beckon's
safetensors and back, and a proof that both compute the same logits.

  python3 -m venv V && V/bin/pip install torch==2.15.0 numpy==2.4.6     # nothing is installed by this program
  V/bin/python tools/torch_parity.py fixtures  torch_seqrec.py src/model/tests/data
  V/bin/python tools/torch_parity.py to-beckon torch_seqrec.py model.pt model.safetensors
  V/bin/python tools/torch_parity.py to-torch  torch_seqrec.py model.safetensors model.pt
  V/bin/python tools/torch_parity.py logits    torch_seqrec.py model.safetensors histories.json

model.pt is torch.save({"args": {arch, dim, blocks, heads, maxlen}, "items": N, "state": model.state_dict()}). `fixtures` writes for each
architecture a small random model and the opponent's logits (the test `model` compares beckon's with them), after converting there and back
without a bit's difference. `logits` reads {"history": [[item, …], …]} and prints the opponent's logits after each. Names of tensors:
docs/formats/model.md."""
import argparse
import importlib.util
import json
import struct
import sys
from types import SimpleNamespace

import numpy as np
import torch

GATES = {"gru": 3, "lstm": 4}
LINEAR = [("qkv", "attention.qkv"), ("out", "attention.mix"), ("up", "feed_forward.up"), ("down", "feed_forward.down")]
GATED = [("g1", "gate1"), ("g2", "gate2")]


def load_opponent(path):
    spec = importlib.util.spec_from_file_location("opponent", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_safetensors(path, tensors, metadata):
    header, at = {"__metadata__": metadata}, 0
    for name, value in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [at, at + value.nbytes]}
        at += value.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % 64)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(v.tobytes() for v in tensors.values()))


def read_safetensors(path):
    raw = open(path, "rb").read()
    (length,) = struct.unpack("<Q", raw[:8])
    header, data = json.loads(raw[8:8 + length]), raw[8 + length:]
    metadata = header.pop("__metadata__")
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        tensors[name] = np.frombuffer(data[begin:end], np.float32).reshape(entry["shape"])
    return tensors, metadata


def config(args, items):
    transformer = args.arch not in GATES
    return {"arch": args.arch, "tokens": items + 1, "side_sizes": [], "heads": 0, "width": args.dim, "layers": args.blocks,
            "attention_heads": args.heads, "feed_forward_width": args.dim * (4 if args.arch == "ligr" else 1), "feed_forward_bias": True,
            "positions": "absolute" if transformer else "none", "time_bias": False, "final_norm": True, "token_bias": False,
            "length_max": args.maxlen, "dropout": 0.2, "loss": "full", "negatives": 0, "gbce_calibration": 0.75,
            "head_loss": "binary_cross_entropy", "head_weight": 1.0}


def tensor_map(args):
    """(name there, name here, turned): a Linear holds output x input, beckon input x output."""
    yield "item.weight", "token.embedding", False
    yield "norm.weight", "final_norm.gain", False
    yield "norm.bias", "final_norm.shift", False
    if args.arch in GATES:
        for l in range(args.blocks):
            yield f"rnn.weight_ih_l{l}", f"layers.{l}.{args.arch}.input.weight", True
            yield f"rnn.weight_hh_l{l}", f"layers.{l}.{args.arch}.recurrent.weight", True
        return
    yield "pos.weight", "position.embedding", False
    for l in range(args.blocks):
        for there, here in (("n1", "norm1"), ("n2", "norm2")):
            yield f"blocks.{l}.{there}.weight", f"layers.{l}.{here}.gain", False
            yield f"blocks.{l}.{there}.bias", f"layers.{l}.{here}.shift", False
        for there, here in LINEAR + (GATED if args.arch == "ligr" else []):
            yield f"blocks.{l}.{there}.weight", f"layers.{l}.{here}.weight", True
            yield f"blocks.{l}.{there}.bias", f"layers.{l}.{here}.bias", False


def to_beckon(state, args, items):
    out = {}
    for there, here, turned in tensor_map(args):
        value = state[there].detach().numpy().astype(np.float32)
        out[here] = np.ascontiguousarray(value.T if turned else np.atleast_2d(value))
    for l in range(args.blocks if args.arch in GATES else 0):
        # torch has two biases that are added; here there is one, but for the part of a GRU that its reset gate multiplies.
        b_in, b_hidden = (state[f"rnn.bias_{k}_l{l}"].detach().numpy().astype(np.float32).copy() for k in ("ih", "hh"))
        own = np.zeros_like(b_hidden)
        if args.arch == "gru":
            own[2 * args.dim:] = b_hidden[2 * args.dim:]
            out[f"layers.{l}.gru.recurrent.bias"] = np.atleast_2d(own)
        out[f"layers.{l}.{args.arch}.input.bias"] = np.atleast_2d(b_in + (b_hidden - own))
    out["heads.weight"] = np.zeros((args.dim, 0), np.float32)
    out["heads.bias"] = np.zeros((1, 0), np.float32)
    out["token.bias"] = np.zeros((1, items + 1), np.float32)
    return out


def to_torch(tensors, args):
    state = {}
    for there, here, turned in tensor_map(args):
        value = tensors[here].T if turned else tensors[here]
        single = there.endswith("bias") or ".n1." in there or ".n2." in there or there.startswith("norm.")
        state[there] = torch.from_numpy(np.ascontiguousarray(value[0] if single else value).copy())
    for l in range(args.blocks if args.arch in GATES else 0):
        state[f"rnn.bias_ih_l{l}"] = torch.from_numpy(tensors[f"layers.{l}.{args.arch}.input.bias"][0].copy())
        own = tensors.get(f"layers.{l}.gru.recurrent.bias")
        state[f"rnn.bias_hh_l{l}"] = torch.zeros(GATES[args.arch] * args.dim) if own is None else torch.from_numpy(own[0].copy())
    return state


def args_of(cfg):
    """The opponent's arguments for a beckon configuration, or the reason why it has no such model."""
    args = SimpleNamespace(arch=cfg["arch"], dim=cfg["width"], blocks=cfg["layers"], heads=cfg["attention_heads"], maxlen=cfg["length_max"],
                           dropout=cfg["dropout"])
    want = config(args, cfg["tokens"] - 1)
    shape = [k for k in want if k not in ("dropout", "loss", "negatives", "gbce_calibration", "head_loss", "head_weight")]
    differs = [k for k in shape if cfg.get(k) != want[k]]
    if differs:
        sys.exit("torch_parity: the opponent has no such model: " + ", ".join(f"{k} is {cfg.get(k)}, not {want[k]}" for k in differs))
    return args


def opponent_logits(opponent, model, histories, maxlen):
    # One history at a time: in a batch the opponent's recurrent layers also step through the padding before a short history, so
    # that its answer depends on the longest neighbour.
    model.eval()
    with torch.no_grad():
        rows = [h[-maxlen:] for h in histories]
        hidden = torch.cat([model(opponent.pad([row], len(row)))[:, -1] for row in rows])
        return (hidden @ model.item.weight.t())[:, 1:]


def build(opponent, args, items, state):
    model = opponent.Model(items, args)
    model.load_state_dict(state)
    return model


def make_fixture(opponent, args, folder):
    items = 23
    torch.manual_seed(7)
    model = opponent.Model(items, args)
    with torch.no_grad():  # away from the start: gains that are not 1, biases that are not 0
        for p in model.parameters():
            p.add_(torch.randn_like(p) * 0.2)
        model.item.weight[0] = 0
    rng = np.random.default_rng(7)
    histories = [[int(x) for x in rng.integers(1, items + 1, n)] for n in (1, 2, 5, args.maxlen, args.maxlen + 4)]
    expected = opponent_logits(opponent, model, histories, args.maxlen)
    tensors = to_beckon(model.state_dict(), args, items)
    path = f"{folder}/parity_{args.arch}.safetensors"
    write_safetensors(path, tensors, {"format": "beckon-model-1", "config": json.dumps(config(args, items))})
    back, metadata = read_safetensors(path)
    again = build(opponent, args_of(json.loads(metadata["config"])), items, to_torch(back, args))
    difference = (opponent_logits(opponent, again, histories, args.maxlen) - expected).abs().max().item()
    there_and_back = to_beckon(again.state_dict(), args, items)
    same = all(np.array_equal(tensors[k], there_and_back[k]) for k in tensors)
    print(f"{args.arch}: there and back, largest difference of logits {difference:.1e}, same bits of weights: {same}")
    if difference > 1e-5 or not same:
        sys.exit("torch_parity: the conversion is not its own inverse")
    with open(f"{folder}/parity_{args.arch}.json", "w") as f:
        json.dump({"history": histories, "logits": [[float(f"{x:.9g}") for x in row] for row in expected.tolist()]}, f)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", choices=["fixtures", "to-beckon", "to-torch", "logits"])
    p.add_argument("opponent", help="the Python file with class Model")
    p.add_argument("source", help="fixtures: the folder to write to")
    p.add_argument("target", nargs="?")
    a = p.parse_args()
    opponent = load_opponent(a.opponent)
    torch.set_num_threads(1)
    if a.what == "fixtures":
        for arch, dim, heads, maxlen in (("ligr", 8, 1, 6), ("sasrec", 16, 2, 6), ("gru", 8, 1, 6), ("lstm", 8, 1, 6)):
            make_fixture(opponent, SimpleNamespace(arch=arch, dim=dim, blocks=2, heads=heads, maxlen=maxlen, dropout=0.2), a.source)
        return
    if a.what == "to-beckon":
        saved = torch.load(a.source, map_location="cpu", weights_only=True)
        args = SimpleNamespace(**saved["args"])
        write_safetensors(a.target, to_beckon(saved["state"], args, saved["items"]),
                          {"format": "beckon-model-1", "config": json.dumps(config(args, saved["items"]))})
        return
    tensors, metadata = read_safetensors(a.source)
    cfg = json.loads(metadata["config"])
    args = args_of(cfg)
    if np.abs(tensors["token.bias"]).max() > 0:
        sys.exit("torch_parity: the opponent has no bias a token, and this one is not 0")
    state = to_torch(tensors, args)
    if a.what == "to-torch":
        saved = {k: getattr(args, k) for k in ("arch", "dim", "blocks", "heads", "maxlen")}
        torch.save({"args": saved, "items": cfg["tokens"] - 1, "state": state}, a.target)
        return
    histories = json.load(open(a.target))["history"]
    print(json.dumps(opponent_logits(opponent, build(opponent, args, cfg["tokens"] - 1, state), histories, args.maxlen).tolist()))


if __name__ == "__main__":
    main()
