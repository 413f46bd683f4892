#!/usr/bin/env python3
"""Next basket of a shop: beckon beside `implicit` ALS and RecTools' SASRec at their defaults, same split, same questions, same measure, and the
seconds that each trained. One command, one program at a time:

  python3 -m venv VENV && VENV/bin/pip install implicit==0.7.3 'rectools[torch]==0.19.0'
  bench/compare_libraries.py --shop DIR --python VENV/bin/python [--split-time 2011-11-21] [--seeds 1,2,3]

NDCG@10 with binary gains, repeats allowed, the whole catalogue ranked; a customer that a library refuses to answer counts as 0. Intervals:
bootstrap over customers."""
import argparse
import csv
import json
import math
import os
import subprocess
import sys
import tempfile
import time


def ndcg10(shown, wanted):
    gain = sum(1 / math.log2(rank + 2) for rank, item in enumerate(shown[:10]) if item in wanted)
    return gain / sum(1 / math.log2(rank + 2) for rank in range(min(10, len(wanted))))


def judged(name, seconds, answers, tests):
    """answers: customer → items, best first. tests: customer → wanted items, a list with '' for what nobody could know."""
    each = [ndcg10(answers.get(customer, []), wanted) for customer, wanted in tests.items()]
    hits = [1.0 if value > 0 else 0.0 for value in each]
    return {"name": name, "train_seconds": seconds, "ndcg@10": sum(each) / len(each), "hr@10": sum(hits) / len(hits), "each": each}


def implicit_als(history, tests):
    import implicit
    import numpy
    from scipy.sparse import csr_matrix
    customers = {c: i for i, c in enumerate(dict.fromkeys(r[0] for r in history))}
    items = list(dict.fromkeys(r[1] for r in history if r[1]))
    place = {item: i for i, item in enumerate(items)}
    rows = [(customers[r[0]], place[r[1]]) for r in history if r[1]]
    matrix = csr_matrix((numpy.ones(len(rows), dtype=numpy.float32), tuple(zip(*rows))), shape=(len(customers), len(items)))
    started = time.monotonic()
    model = implicit.als.AlternatingLeastSquares(random_state=1)
    model.fit(matrix, show_progress=False)
    seconds = time.monotonic() - started
    asked = [c for c in tests if c in customers]
    numbers = [customers[c] for c in asked]
    shown, _ = model.recommend(numbers, matrix[numbers], N=10, filter_already_liked_items=False)
    return judged("implicit ALS", seconds, {c: [items[i] for i in row] for c, row in zip(asked, shown)}, tests)


def rectools_sasrec(history, tests):
    import pandas
    from pytorch_lightning import seed_everything
    from rectools import Columns
    from rectools.dataset import Dataset
    from rectools.models import SASRecModel
    seed_everything(1)
    frame = pandas.DataFrame([r for r in history if r[1]], columns=[Columns.User, Columns.Item, Columns.Datetime])
    frame[Columns.Datetime] = pandas.to_datetime(frame[Columns.Datetime].astype("int64"), unit="ms")
    frame[Columns.Weight] = 1
    dataset = Dataset.construct(frame)
    started = time.monotonic()
    model = SASRecModel(verbose=0)
    model.fit(dataset)
    seconds = time.monotonic() - started
    known = set(frame[Columns.User])
    out = model.recommend(users=[c for c in tests if c in known], dataset=dataset, k=10, filter_viewed=False, on_unsupported_targets="ignore")
    answers = out.sort_values([Columns.User, Columns.Rank]).groupby(Columns.User)[Columns.Item].apply(list).to_dict()
    return judged("RecTools SASRec", seconds, answers, tests)


def read_split(folder):
    with open(os.path.join(folder, "history.csv"), newline="", encoding="utf-8") as f:
        history = [tuple(r) for r in list(csv.reader(f))[1:]]
    tests = {}
    with open(os.path.join(folder, "test.csv"), newline="", encoding="utf-8") as f:
        for customer, item in list(csv.reader(f))[1:]:
            tests.setdefault(customer, []).append(item)
    return history, {c: [i if i else f"unknown {n}" for n, i in enumerate(w)] for c, w in tests.items()}


def interval(each):
    import numpy
    rng = numpy.random.default_rng(1)
    means = [numpy.mean(rng.choice(each, len(each))) for _ in range(1000)]
    return [float(numpy.quantile(means, .025)), float(numpy.quantile(means, .975))]


def libraries(folder):
    """In a process of its own, under the other Python: prints JSON lines."""
    history, tests = read_split(folder)
    for library in (implicit_als, rectools_sasrec):
        row = library(history, tests)
        row["interval"] = interval(row.pop("each"))
        print("row " + json.dumps(row), flush=True)


def beckon_rows(report):
    runs = report["runs"]
    seconds = sum(r["train_seconds"] + r.get("fine_tuning", {}).get("seconds", 0) for r in runs) / len(runs)
    rows = [("beckon, network and counting", "test", "model"), ("beckon, network alone", "network", "network")]
    for title, part, of in rows:
        if part in report["mean"]:
            figures = report["mean"][part]
            yield {"name": title, "train_seconds": seconds, "ndcg@10": figures["ndcg@10"], "hr@10": figures["hr@10"],
                   "interval": report["intervals"][of]["ndcg@10"]}
    best = report["gain"]["best_floor"]
    yield {"name": f"best floor ({best})", "train_seconds": 0.0, "ndcg@10": report["floors"][best]["ndcg@10"],
           "hr@10": report["floors"][best]["hr@10"], "interval": report["intervals"][best]["ndcg@10"]}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--shop", help="a folder made by beckon init, with its events")
    p.add_argument("--python", help="a Python that has implicit and rectools[torch]")
    p.add_argument("--beckon", default="build/release/bin/beckon")
    p.add_argument("--split-time", help="default: the 0.9 quantile of the events' times")
    p.add_argument("--seeds", default="1")
    p.add_argument("--threads", default=str(os.cpu_count()))
    p.add_argument("--json", action="store_true")
    p.add_argument("--libraries", help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.libraries:
        libraries(a.libraries)
        return
    if not a.shop or not a.python:
        p.error("--shop and --python are needed")
    with tempfile.TemporaryDirectory() as folder:
        cut = ["--split-time", a.split_time] if a.split_time else []
        subprocess.run([a.beckon, "evaluate", "sequences", "--shop", a.shop, "--protocol", "next-basket", "--repeats", "allow", *cut, "--seeds",
                        a.seeds, "--threads", a.threads, "--out", folder, "--export-split", folder, "--quiet", "--json"],
                       check=True, stdout=subprocess.DEVNULL)
        with open(os.path.join(folder, "report.json"), encoding="utf-8") as f:
            rows = list(beckon_rows(json.load(f)))
        done = subprocess.run([a.python, os.path.abspath(__file__), "--libraries", folder], cwd=folder, stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit("compare_libraries: the libraries' run failed; its message is above")
        rows += [json.loads(line[4:]) for line in done.stdout.splitlines() if line.startswith("row ")]
    if a.json:
        print(json.dumps(rows))
        return
    print(f"{'method':<34}{'NDCG@10':>9}{'95 % interval':>18}{'HR@10':>9}{'training s':>12}")
    for r in rows:
        low, high = r["interval"]
        print(f"{r['name']:<34}{r['ndcg@10']:>9.4f}{f'{low:.4f} … {high:.4f}':>18}{r['hr@10']:>9.4f}{r['train_seconds']:>12.1f}")


if __name__ == "__main__":
    main()
