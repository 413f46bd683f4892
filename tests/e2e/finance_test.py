"""The books of a month as an accountant takes them out of a simulated shop, beside the orders themselves. Usage: finance_test.py PATH_TO_BECKON"""
import csv
import glob
import json
import os
import subprocess
import sys
import tempfile
import unittest
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import e2e_test
from e2e_test import beckon, init, read, segment

ZONE = ZoneInfo("Europe/Berlin")


def cents(text):
    whole, _, part = str(text).partition(".")
    return int(whole) * 100 + int((part + "00")[:2])


def orders_of(folder):
    """Order lines of the shop's files: (month of the shop's calendar, code, discount in cents, paid in cents, order id)."""
    for path in sorted(glob.glob(os.path.join(folder, "files", "**", "*.jsonl"), recursive=True)):
        for line in read(path).splitlines():
            event = json.loads(line)
            if event.get("event") != "Order Completed":
                continue
            when = datetime.fromisoformat(event["timestamp"].replace("Z", "+00:00")).astimezone(ZONE)
            properties = event["properties"]
            for product in properties["products"]:
                pieces = product["quantity"]
                yield (when.strftime("%Y-%m"), properties.get("coupon", ""), cents(product.get("discount", "0")) * pieces,
                       cents(product["price"]) * pieces, properties["order_id"])


class Books(unittest.TestCase):
    def test_the_books_are_those_of_the_orders_to_the_last_cent_and_stay(self):
        # A campaign's discounts would not be found in the shop's own accounts.
        with tempfile.TemporaryDirectory() as folder:
            shop = os.path.join(folder, "sim")
            beckon("simulate", shop, "--customers", "600", "--days", "30", "--no-comparison", "--effect", "3")
            lines = list(orders_of(shop))
            months = sorted({line[0] for line in lines})
            self.assertGreater(sum(line[2] for line in lines), 0, "the world must have discounts")
            closed = {}
            for month in months:
                table = os.path.join(folder, month + ".csv")
                answer = beckon("report", "--finance", "--month", month, "--close", "--csv", table, shop=shop)
                closed[month] = (answer, read(table), read(answer["html"]))
                self.check_month(month, answer["finance"], lines)
                self.check_table(table, answer["finance"])
            self.check_total([answer["finance"] for answer, _, _ in closed.values()], lines)
            self.check_late(shop, folder, months, closed)

    def check_month(self, month, document, lines):
        mine = [line for line in lines if line[0] == month]
        rows = document["rows"]
        total = lambda column: sum(row[column] for row in rows)
        self.assertEqual(total("orders"), len({line[4] for line in mine}))
        self.assertEqual(total("sales_minor"), sum(line[3] for line in mine))
        self.assertEqual(total("order_discount_minor"), sum(line[2] for line in mine))
        with_code = sum(line[2] for line in mine if line[1])
        self.assertEqual(total("redeemed_minor") - total("redeemed_unstated_minor") + total("unaddressed_minor") + total("other_code_minor"), with_code)
        self.assertTrue(all(row["difference_minor"] == 0 for row in document["reconciliation"]))
        self.assertLessEqual(total("attributed_orders"), total("orders"))

    def check_table(self, table, document):
        with open(table, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(len(rows), len(document["rows"]) + len(document["corrections"]) + len(document["open"]))
        self.assertEqual(sum(int(row["redeemed_minor"] or 0) for row in rows if row["line"] == "month"), sum(row["redeemed_minor"] for row in document["rows"]))

    def check_total(self, documents, lines):
        total = lambda column: sum(row[column] for document in documents for row in document["rows"])
        self.assertGreater(total("issued"), 0)
        self.assertGreater(total("redeemed"), 0)
        left = sum(row["coupons"] for row in documents[-1]["open"])
        self.assertEqual(total("issued"), total("redeemed") + total("expired") + left)
        campaigns = [one for document in documents for one in document["campaigns"]]
        self.assertTrue(any(period["measured"]["grade"] == "randomised" and period["forecast"] for one in campaigns for period in one["periods"]))

    def check_late(self, shop, folder, months, closed):
        late = os.path.join(folder, "late.jsonl")
        with open(late, "w", encoding="utf-8") as out:
            out.write(segment("Order Completed", "somebody", 1, months[0] + "-20T10:00:00Z", order_id="late-1", currency="EUR", discount="2.34",
                                       products=[{"product_id": "x", "price": 7, "quantity": 1}, {"product_id": "y", "price": 3, "quantity": 1}]) + "\n")
        beckon("ingest", late, shop=shop)
        for month, (answer, table, page) in closed.items():
            again = beckon("report", "--finance", "--month", month, "--csv", os.path.join(folder, month + ".csv"), shop=shop)
            self.assertEqual(again, answer)
            self.assertEqual((read(os.path.join(folder, month + ".csv")), read(again["html"])), (table, page))
        last = months[-1]
        following = f"{int(last[:4]) + (last[5:] == '12')}-{int(last[5:]) % 12 + 1:02d}"
        document = beckon("report", "--finance", "--month", following, shop=shop)["finance"]
        corrections = [row for row in document["corrections"] if row["of"] == months[0]]
        self.assertEqual(sum(row["no_code_minor"] for row in corrections), 234)
        self.assertEqual(sum(row["sales_minor"] for row in corrections), 1000)
        self.assertNotIn("profit", closed[last][2].lower())

    def test_a_month_that_is_not_over_is_not_closed(self):
        # Half a month would be sealed for good.
        with tempfile.TemporaryDirectory() as folder:
            shop = init(folder, "shop", "segment")
            this_month = datetime.now(timezone.utc).strftime("%Y-%m")
            self.assertIn("can be closed from", beckon("report", "--finance", "--month", this_month, "--close", shop=shop, expect=None)["error"])
            self.assertIn("no month", beckon("report", "--finance", "--month", "march", shop=shop, expect=3)["error"])
            for wrong in (["--finance"], ["--month", "2026-03"], ["--close"], ["spring", "--finance", "--month", "2026-03"]):
                self.assertEqual(subprocess.run([e2e_test.BECKON, "report", *wrong, "--shop", shop], capture_output=True).returncode, 2, wrong)


if __name__ == "__main__":
    e2e_test.BECKON = os.path.abspath(sys.argv.pop(1))
    unittest.main()
