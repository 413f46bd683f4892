#!/usr/bin/env python3
"""Turns the small men's version of the Open Bandit Dataset (ZOZO, Saito and others 2020; Apache-2.0) into files for `beckon evaluate ope`.

usage: tools/open_bandit.py FOLDER OUTPUT_FOLDER

FOLDER holds random_men.csv.gz and bts_men.csv.gz. Writes
  random_to_bts.csv  the random log; target = share of the shown item at that position in the BTS log
  bts_policy.csv     position, item_id, probability: the whole target, for --target-table
  bts_to_random.csv  the BTS log; target = 1 / 34
"""
import collections
import csv
import gzip
import os
import sys

KEPT = ["item_id", "position", "click", "propensity_score", "user_feature_0", "user_feature_1", "user_feature_2", "user_feature_3"]


def rows_of(path):
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(path, header, rows):
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    source, target = sys.argv[1:]
    os.makedirs(target, exist_ok=True)
    random = rows_of(os.path.join(source, "random_men.csv.gz"))
    bts = rows_of(os.path.join(source, "bts_men.csv.gz"))
    shown = collections.Counter((row["position"], row["item_id"]) for row in bts)
    at = collections.Counter(row["position"] for row in bts)
    items = sorted({row["item_id"] for row in random} | {row["item_id"] for row in bts}, key=int)
    policy = {(position, item): shown[position, item] / at[position] for position in at for item in items}
    write(os.path.join(target, "bts_policy.csv"), ["position", "item_id", "probability"],
          [[position, item, repr(policy[position, item])] for position in sorted(at) for item in items])
    write(os.path.join(target, "random_to_bts.csv"), KEPT + ["target"],
          [[row[name] for name in KEPT] + [repr(policy[row["position"], row["item_id"]])] for row in random])
    write(os.path.join(target, "bts_to_random.csv"), KEPT + ["target"], [[row[name] for name in KEPT] + [repr(1 / len(items))] for row in bts])


if __name__ == "__main__":
    main()
