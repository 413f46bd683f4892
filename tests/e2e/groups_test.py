"""Who is kept out, who gets what the old tool chose, and what the sizes can show: read off the plan as a user reads it. Usage: groups_test.py PATH_TO_BECKON"""
import collections
import json
import os
import sys
import tempfile
import unittest

import e2e_test
from e2e_test import beckon, make_shop, read

AS_OF = ["--as-of", "2026-03-02T12:00:00Z"]
USUAL = """
[usual]
share = 0.4
list = "old_tool.csv"
[measure]
metric = "revenue"
horizon_days = 14
"""


def receipts(plan):
    lines = read(plan["file"]).splitlines()
    return [json.loads(line) for line in lines[1:-1]]


class Groups(unittest.TestCase):
    def test_the_old_tools_list_is_business_as_usual_and_what_it_gets_wrong_is_said(self):
        with tempfile.TemporaryDirectory() as folder:
            shop = make_shop(folder)
            campaign = os.path.join(shop, "campaigns", "spring.toml")
            with open(campaign, "a", encoding="utf-8") as out:
                out.write(USUAL)
            with open(os.path.join(shop, "old_tool.csv"), "w", encoding="utf-8") as out:
                out.write("customer,item,offer\n")
                for c in range(1, 80):
                    out.write(f"c-{c},item-{c % 5},{'ten' if c % 2 else 'recommend'}\n")
                out.write("nobody,item-1,ten\nc-90,no-item,ten\nc-91,item-1,no-offer\n")
            beckon("catalog", "import", os.path.join(shop, "products.csv"), shop=shop)
            beckon("ingest", os.path.join(shop, "events.jsonl"), shop=shop)
            plan = beckon("plan", campaign, *AS_OF, shop=shop)
            usual = [r for r in receipts(plan) if r["group"] == "usual"]
            self.assertGreater(len(usual), 25)
            chosen = [r for r in usual if r["chosen"]]
            self.assertGreater(len(chosen), 5)
            for receipt in chosen:
                self.assertEqual(receipt["strategy"], "usual list")
                number = int(receipt["item"].split("-")[1])
                self.assertLess(number, 5, "only what the list names")
            reasons = collections.Counter(r["reason"] for r in usual if not r["chosen"])
            self.assertIn("not_in_list", reasons)
            notes = " ".join(plan["assumptions"])
            for wrong in ("1 of 82 rows left out, naming no customer", "1 of 82 rows left out, naming no item", "1 of 82 rows left out, naming no offer"):
                self.assertIn(wrong, notes)
            sizes = plan["sizes"]
            self.assertEqual((sizes["metric"], sizes["horizon_days"]), ("revenue", 14))
            self.assertEqual([row["compared"] for row in sizes["comparisons"]], ["treated and random / holdout", "treated / business as usual"])
            self.assertTrue(all(row["smallest_effect"] > 0 for row in sizes["comparisons"]))

    def test_the_global_holdout_gets_nothing_from_any_campaign_and_stays_who_it_is(self):
        with tempfile.TemporaryDirectory() as folder:
            shop = make_shop(folder)
            with open(os.path.join(shop, "beckon.toml"), "a", encoding="utf-8") as out:
                out.write("[groups]\nholdout_share = 0.3\n")
            beckon("catalog", "import", os.path.join(shop, "products.csv"), shop=shop)
            beckon("ingest", os.path.join(shop, "events.jsonl"), shop=shop)
            held = []
            for name, period in (("spring", "1"), ("spring", "2"), ("summer", "1")):
                text = read(os.path.join(shop, "campaigns", "spring.toml")).replace('id = "spring"', f'id = "{name}"\nperiod = "{period}"', 1)
                text = text.replace("random_share = 0.1\n", "")
                path = os.path.join(shop, "campaigns", f"{name}-{period}.toml")
                with open(path, "w", encoding="utf-8") as out:
                    out.write(text)
                plan = beckon("plan", path, *AS_OF, shop=shop)
                self.assertAlmostEqual(plan["shares"]["random"], 0.2, msg="a shop without randomised data starts with a fifth at random")
                groups = {r["customer"]: r["group"] for r in receipts(plan)}
                held.append(groups)
                out_of_all = [r for r in receipts(plan) if r["group"] == "global_holdout"]
                self.assertGreater(len(out_of_all), 20)
                self.assertFalse(any(r["chosen"] for r in out_of_all))
            self.assertEqual(held[0], held[1], "a new period changes nobody's group")
            kept_out = [{c for c, g in groups.items() if g == "global_holdout"} for groups in held]
            self.assertEqual(kept_out[0], kept_out[2], "one holdout for the whole shop")
            self.assertNotEqual(held[0], held[2], "the campaign's own holdout is its own")


if __name__ == "__main__":
    e2e_test.BECKON = sys.argv[1]
    unittest.main(argv=sys.argv[:1], verbosity=2)
