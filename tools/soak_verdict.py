#!/usr/bin/env python3
"""Counts how often the intervals of simulated reports held the truth. usage: tools/soak_verdict.py ANSWERS.jsonl

Exit code 1 when a count is too low to be chance: an interval that claims 95 % may miss more often only as far as a coin of 93 % would in
one of a thousand soaks (sums of few, skewed purchases: Welch's interval is known to fall a little short there), or when a promise broke.
"""
import json
import math
import sys

CLAIMED, CHANCE = 0.93, 0.001


def at_most(holds, runs, share):
    """P(X <= holds) of a binomial."""
    return sum(math.comb(runs, k) * share**k * (1 - share) ** (runs - k) for k in range(holds + 1))


def main():
    answers = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
    counts, broken = {}, 0
    for answer in answers:
        checks = answer["checks"]
        broken += checks["left_twice"] > 0 or checks["customers_written_to_twice"] > 0 or checks["over_budget_minor"] > 0
        for row in answer["truth"]["comparisons"]:
            if row["known"]:
                kinds = ["holds_truth"] + (["holds_zero"] if answer["effect"] == 0 else [])
                for kind in kinds:
                    key = (f"effect {answer['effect']:g}", row["metric"], row["compared"], kind)
                    held, runs = counts.get(key, (0, 0))
                    counts[key] = (held + row[kind], runs + 1)
    failed = broken > 0 or not answers
    print(f"soak: {len(answers)} worlds, {broken} with a broken promise (sent twice, over the budget)")
    for key, (held, runs) in sorted(counts.items()):
        chance = at_most(held, runs, CLAIMED)
        failed |= chance < CHANCE
        print(f"  {' · '.join(key):54} {held:5} of {runs:5} = {held / runs:6.1%}" + ("  TOO LOW" if chance < CHANCE else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
