#!/usr/bin/env python3
"""beckon's trainer beside a PyTorch opponent (torch_seqrec.py) at equal architecture and loss, on one file of sequences: tokens/s, peak memory,
seconds to the opponent's best validation. Programs run in turn, never at the same time; the load before each run is printed, and
tokens a core-second beside the wall clock, since a busy machine distorts ratios.

  cmake --preset release && cmake --build --preset release --target bench_model
  bench/compare_torch.py --data Beauty.txt.gz --opponent torch_seqrec.py --python VENV/bin/python [--to-best] [--rounds 3]

The opponent runs with 1 and with 2 threads and its better one counts; ours with 2, in fp32 and in bf16. Nothing is installed: VENV needs
torch and numpy."""
import argparse
import gzip
import os
import re
import subprocess
import sys
import tempfile
import threading

SHAPE = ["--dim", "64", "--blocks", "1", "--heads", "1", "--maxlen", "50", "--dropout", "0.2", "--batch", "128"]
OURS = ["--opponents-block", "--width", "64", "--layers", "1", "--attention-heads", "1", "--length-max", "50", "--dropout", "0.2"]
# One number a line of either program's epochs.
EPOCH = re.compile(r"^epoch +(\d+) .*?([\d.]+)/([\d.]+) +([\d.]+) tokens/s \((\d+) a core-second\).*?(\d+) % of sgemm +training ([\d.]+) s"
                   r"|^epoch (\d+) train_s ([\d.]+) tokens/s (\d+) .*HR@10 ([\d.]+) NDCG@10 ([\d.]+)")


def run(command, log):
    """Runs it alone, echoes it to the log; returns epochs, lines, CPU seconds and peak memory in MB."""
    print(f"load {open('/proc/loadavg').read().split()[0]}: {' '.join(command)}", file=log, flush=True)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(process.stdout))
    reader.start()
    _, status, usage = os.wait4(process.pid, 0)
    reader.join()
    log.writelines(lines)
    log.flush()
    if status != 0:
        sys.exit(f"compare_torch: {command[0]} failed")
    epochs, spent = [], 0.0
    for m in filter(None, map(EPOCH.match, lines)):
        if m[1]:
            epochs.append({"ndcg": float(m[3]), "rate": float(m[4]), "core_rate": float(m[5]), "sgemm": int(m[6]), "at": float(m[7])})
        else:
            spent += float(m[9])
            epochs.append({"ndcg": float(m[12]), "rate": float(m[10]), "at": spent})
    return {"epochs": epochs, "lines": lines, "cpu": usage.ru_utime + usage.ru_stime, "mb": usage.ru_maxrss / 1024}


def best_rate(runs):
    return max(e["rate"] for r in runs for e in r["epochs"])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True)
    p.add_argument("--opponent", required=True)
    p.add_argument("--python", required=True, help="a Python that has torch")
    p.add_argument("--bench", default="build/release/bin/bench_model")
    p.add_argument("--arch", default="ligr", choices=["ligr", "sasrec", "gru", "lstm"])
    p.add_argument("--positions", default="768", help="a step of ours; 128 sequences of Beauty hold about so many")
    p.add_argument("--rounds", type=int, default=2)
    p.add_argument("--to-best", action="store_true", help="also train the opponent to its end and ours to the same validation")
    p.add_argument("--log", default="compare_torch.log")
    a = p.parse_args()
    log = open(a.log, "w", encoding="utf-8")
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as plain:
        opener = gzip.open if a.data.endswith(".gz") else open
        plain.write(opener(a.data, "rt").read())
        plain.flush()
        them = [a.python, a.opponent, a.data, "--arch", a.arch, *SHAPE]
        us = [a.bench, "--data", plain.name, "--arch", a.arch, "--batch", a.positions, "--loss", "full", *OURS]
        theirs, ours = {"1": [], "2": []}, {"fp32": [], "bf16": []}
        for _ in range(a.rounds):
            for threads in theirs:
                theirs[threads].append(run([*them, "--epochs", "1", "--threads", threads], log))
            for precision in ours:
                ours[precision].append(run([*us, "--epochs", "2", "--threads", "2", "--precision", precision], log))
        rates = {t: best_rate(r) for t, r in theirs.items()}
        threads = max(rates, key=rates.get)
        memory = min(r["mb"] for r in theirs[threads])
        print(f"opponent: {rates['1']:.0f} tokens/s with 1 thread, {rates['2']:.0f} with 2; peak memory {memory:.0f} MB")
        for precision, runs in ours.items():
            best = max((e for r in runs for e in r["epochs"]), key=lambda e: e["rate"])
            peak = max(r["mb"] for r in runs)
            print(f"beckon {precision}: {best['rate']:.0f} tokens/s ({best['core_rate']:.0f} a core-second), {best['rate'] / rates[threads]:.1f} x; "
                  f"{best['sgemm']} % of this machine's sgemm rate; peak memory {peak:.0f} MB, 1/{memory / peak:.0f}")
        if a.to_best:
            whole = run([*them, "--epochs", "100", "--patience", "6", "--threads", threads], log)
            goal = max(whole["epochs"], key=lambda e: e["ndcg"])
            print(f"opponent's best validation NDCG@10 {goal['ndcg']:.4f} after {goal['at']:.1f} s; {whole['lines'][-1].strip()}")
            defaults = [a.bench, "--data", plain.name]
            for name, command in (("equal architecture", [*us, "--precision", "auto"]), ("our defaults", defaults)):
                reached = run([*command, "--epochs", "60", "--patience", "60", "--threads", "2", "--stop-at", str(goal["ndcg"])], log)["epochs"]
                last = reached[-1]
                if last["ndcg"] < goal["ndcg"]:
                    print(f"{name}: not reached in {last['at']:.1f} s (best {max(e['ndcg'] for e in reached):.4f})")
                else:
                    print(f"{name}: reached {last['ndcg']:.4f} after {last['at']:.1f} s, {goal['at'] / last['at']:.1f} x")
    print(f"log: {a.log}")


if __name__ == "__main__":
    main()
