"""The whole way as a user walks it, on small shops, with the real program. Usage: e2e_test.py PATH_TO_BECKON [unittest arguments]"""
import gzip
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import unittest

BECKON = None
CANARIES = ["canary.person@example.test", "+441632960999", "canary-id-4711"]


def beckon(*arguments, shop=None, expect=0, stdin=None):
    """Runs a command with --json; returns the last line of its output. `expect`: exit code, or None for any."""
    command = [BECKON, *arguments, "--json", "--quiet"]
    if shop:
        command += ["--shop", shop]
    done = subprocess.run(command, capture_output=True, text=True, input=stdin, timeout=300)
    if expect is not None and done.returncode != expect:
        raise AssertionError(f"{' '.join(command)} exited with {done.returncode}, not {expect}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    lines = done.stdout.strip().splitlines()
    answer = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}
    answer["_stderr"] = done.stderr
    return answer


def read(path, mode="r"):
    with open(path, mode, encoding=None if "b" in mode else "utf-8") as file:
        return file.read()


def init(folder, name, template):
    """A shop with a fixed key: groups are drawn from it, and a test must not depend on who is held out."""
    key = os.path.join(folder, "key")
    if not os.path.exists(key):
        with open(key, "w", encoding="utf-8") as out:
            out.write("5e" * 32 + "\n")
    shop = os.path.join(folder, name)
    beckon("init", shop, "--template", template, "--key-file", key)
    return shop


def segment(kind, user, number, when, **properties):
    return json.dumps({"type": "track", "event": kind, "userId": user, "messageId": f"{user}-{kind}-{number}", "timestamp": when, "properties": properties})


def write_history(path, customers=120, days=60):
    """A shop with habits: every customer has two favourite items he comes back to. The canary customer is one of them."""
    rng = random.Random(7)
    lines = []
    for c in range(customers):
        user = CANARIES[2] if c == 0 else f"c-{c}"
        traits = {"email": CANARIES[0] if c == 0 else f"{user}@example.test", "phone": CANARIES[1] if c == 0 else "+44163296" + f"{c:04d}",
                  "language": "zh" if c % 4 == 0 else "en", "timezone": "Europe/Berlin", "country": "DE", "ip": "203.0.113.9"}
        lines.append(json.dumps({"type": "identify", "userId": user, "messageId": f"{user}-id", "timestamp": "2026-01-01T08:00:00Z", "traits": traits}))
        if c % 10 != 9:
            lines.append(segment("Consent Granted", user, 0, "2026-01-01T08:01:00Z", purposes=["marketing", "personalisation", "measurement"], channels=["email"]))
        favourites = [c % 20, (c * 7 + 3) % 20]
        for day in range(days):
            if rng.random() < 0.25:
                item = rng.choice(favourites) if rng.random() < 0.8 else rng.randrange(20)
                when = f"2026-{1 + (day // 28):02d}-{1 + day % 28:02d}T{10 + c % 8:02d}:{rng.randrange(60):02d}:00Z"
                lines.append(segment("Product Viewed", user, day, when, product_id=f"item-{item}", price=5 + item, currency="EUR"))
                lines.append(segment("Order Completed", user, day, when.replace(":00Z", ":30Z"), order_id=f"o-{c}-{day}", currency="EUR",
                                     products=[{"product_id": f"item-{item}", "quantity": 1, "price": 5 + item}]))
    with open(path, "w", encoding="utf-8") as out:
        out.write("\n".join(lines) + "\n")
    return len(lines)


def write_products(path):
    with open(path, "w", encoding="utf-8") as out:
        out.write("id,title,title_zh,category,price,cost,stock\n")
        for i in range(20):
            out.write(f"item-{i},Item {i},商品{chr(0x4e00 + i)},Group {i % 4},{5 + i}.00,{2 + i // 2}.00,{0 if i == 19 else 50}\n")


CAMPAIGN = """
[campaign]
id = "spring"
name = "Spring"
starts = "2026-03-02"
ends = "2026-03-20"
channels = ["email"]
holdout_share = 0.2
random_share = 0.1
[audience]
active_within_days = 60
[[offer]]
id = "recommend"
kind = "none"
[[offer]]
id = "ten"
kind = "percent_off"
percent = 10
code = "SPRING10"
quantity = 60
[[budget]]
id = "main"
amount = "30.00"
"""


def make_shop(folder, template="segment"):
    shop = init(folder, "shop", template)
    write_products(os.path.join(shop, "products.csv"))
    write_history(os.path.join(shop, "events.jsonl"))
    with open(os.path.join(shop, "campaigns", "spring.toml"), "w", encoding="utf-8") as out:
        out.write(CAMPAIGN)
    text = read(os.path.join(shop, "beckon.toml"))
    text = text[: text.index("[run]")] + text[text.index("[key]"):]
    text += '\n[train]\nepochs_max = 3\n[model]\nwidth = 16\nlayers = 1\n[run]\ncatalog = ["products.csv"]\nevents = ["events.jsonl"]\ncampaigns = ["campaigns/spring.toml"]\n'
    with open(os.path.join(shop, "beckon.toml"), "w", encoding="utf-8") as out:
        out.write(text)
    return shop


def files_with(folder, needle, skip=()):
    found = []
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            if any(part in path for part in skip):
                continue
            with open(path, "rb") as file:
                if needle.encode() in file.read():
                    found.append(path)
    return found


def outbox(shop):
    path = os.path.join(shop, "outbox", "email.jsonl")
    return [json.loads(line) for line in read(path).splitlines()] if os.path.exists(path) else []


class TheWholeWay(unittest.TestCase):
    """One shop, walked through once; the steps build on one another, so they are one test with many claims."""

    def test_from_files_to_a_measured_promotion(self):
        with tempfile.TemporaryDirectory() as folder:
            shop = make_shop(folder)
            beckon("catalog", "import", os.path.join(shop, "products.csv"), shop=shop)
            first = beckon("ingest", os.path.join(shop, "events.jsonl"), shop=shop)
            self.assertGreater(first["accepted"], 1000)
            self.assertEqual(first["rejected"], 0)
            again = beckon("ingest", os.path.join(shop, "events.jsonl"), shop=shop)
            self.assertEqual(again["accepted"], 0, "a file read twice adds nothing")
            self.assertEqual(again["duplicates"], first["accepted"])
            trained = beckon("train", "--as-of", "2026-03-02", shop=shop)
            names = [row["name"] for row in trained["test"]["ranking"]]
            self.assertEqual(names[:2], ["beckon", "transformer alone"])
            self.assertIn("own history", names)
            self.check_replay(shop)
            self.check_privacy(shop)

    def check_replay(self, shop):
        as_of = ["--as-of", "2026-03-02T12:00:00Z"]
        campaign = os.path.join(shop, "campaigns", "spring.toml")
        dry = beckon("plan", campaign, "--dry-run", *as_of, shop=shop)
        self.assertFalse(os.path.exists(os.path.join(shop, "plans")), "a dry run writes nothing")
        plan = beckon("plan", campaign, *as_of, shop=shop)
        self.assertEqual(plan["offers"], dry["offers"], "the same input gives the same plan")
        for budget in plan["budgets"]:
            self.assertLessEqual(budget["planned_minor"] + budget["ghost_minor"], budget["limit_minor"])
        self.assertGreaterEqual(plan["certificate"]["upper_bound_minor"], plan["certificate"]["value_minor"])
        self.assertEqual(sum(plan["groups"].values()), 120)
        shown = beckon("preview", plan["file"], "--extremes", *as_of, shop=shop)
        self.assertGreater(len(shown["shown"]), 1)
        refused = beckon("send", plan["file"], shop=shop, expect=3)
        self.assertIn("--as-of", refused["error"])
        sent = beckon("send", plan["file"], *as_of, shop=shop)
        self.assertGreater(sent["accepted"], 20)
        messages = outbox(shop)
        self.assertEqual(len(messages), sent["accepted"])
        self.assertTrue(all(message["replay"] for message in messages))
        self.assertTrue(any(message["language"] == "zh" and "商品" in message["body"] for message in messages))
        self.assertEqual(beckon("send", plan["file"], *as_of, shop=shop)["accepted"], 0, "run twice sends nothing twice")
        self.assertEqual(len(outbox(shop)), len(messages))
        ledger = beckon("deliveries", "--state", "accepted", shop=shop)
        self.assertEqual(len(ledger["deliveries"]), len(messages))
        report = beckon("report", "spring", *as_of, shop=shop)["campaigns"][0]
        self.assertEqual([row["strategy"] for row in report["strategies"]], ["value", "threshold", "popular", "random"])
        self.assertNotIn('"randomised"', json.dumps(report).replace('"randomised":', ""), "past data that nobody drew lots for proves nothing")
        self.assertNotIn("lift", report, "a replay shows no lift")
        with open(report["html"], encoding="utf-8") as page:
            text = page.read()
        self.assertIn("replay", text)
        self.assertNotIn("src=", text)
        edited = read(plan["file"]).replace('"hour":-1', '"hour":3', 1)
        with open(plan["file"] + ".edited", "w", encoding="utf-8") as out:
            out.write(edited)
        self.assertIn("changed", beckon("send", plan["file"] + ".edited", *as_of, shop=shop, expect=3)["error"])
        os.remove(plan["file"] + ".edited")

    def check_privacy(self, shop):
        skip = ("outbox", "events.jsonl")
        for canary in CANARIES:
            self.assertEqual(files_with(shop, canary, skip), [], f"{canary} stands in clear outside the outbox")
        why = beckon("explain", CANARIES[2], shop=shop)
        self.assertEqual(len(why["decisions"]), 1)
        pseudonym = why["customer"]
        mine = beckon("export", CANARIES[2], shop=shop)
        self.assertEqual(mine["profile"]["email"], CANARIES[0], "the person gets his own data")
        erased = beckon("erase", CANARIES[2], shop=shop)
        self.assertGreater(erased["rows_erased"], 10)
        for needle in [*CANARIES, pseudonym]:
            self.assertEqual(files_with(shop, needle, ("events.jsonl",)), [], f"{needle} is still there after erase")
        back = beckon("ingest", os.path.join(shop, "events.jsonl"), shop=shop, expect=5)
        self.assertEqual(back["accepted"], 0, "an old file does not bring an erased customer back")
        self.assertGreater(back["rejected_by_reason"]["erased_customer"], 0)
        for table in ("events", "decisions", "deliveries", "outcomes"):
            done = subprocess.run([BECKON, "export", "--table", table, "--shop", shop, "--format", "csv", "--quiet"], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertGreater(len(done.stdout.splitlines()), 1, table)


class BadInput(unittest.TestCase):
    """Whatever a user's file is like: an answer that says what, where and how to mend, and nothing acknowledged is lost."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.shop = init(self.folder.name, "shop", "segment")

    def tearDown(self):
        self.folder.cleanup()

    def write(self, name, data):
        path = os.path.join(self.folder.name, name)
        with open(path, "wb") as out:
            out.write(data)
        return path

    def line(self, number):
        return (segment("Product Viewed", "c-1", number, "2026-01-05T10:00:00Z", product_id="tea-1") + "\n").encode()

    def test_truncated_gzip_keeps_what_came_before(self):
        # Half a download must not look like the whole file, nor lose what could be read.
        data = gzip.compress(b"".join(self.line(i) for i in range(5000)))
        answer = beckon("ingest", self.write("cut.jsonl.gz", data[: len(data) // 2]), shop=self.shop, expect=3)
        self.assertIn("cut off", answer["error"])
        self.assertGreater(beckon("doctor", shop=self.shop, expect=None)["events"], 0)

    def test_rows_that_cannot_be_read_are_reported_with_their_line(self):
        # One bad row among good ones: the good ones are in, the bad one can be found and mended.
        data = self.line(1) + b"{not json\n" + b"\xff\xfe{}\n" + self.line(2) + segment(
            "Order Completed", "c-1", 3, "2026-01-05T10:00:00Z", order_id="o", currency="EUR", products=[{"product_id": "x", "quantity": 1, "price": -4}]).encode() + b"\n" + segment(
            "Product Viewed", "c-1", 4, "2026-01-05T10:00:00Z", product_id="x", price=1, currency="XXQ").encode() + b"\n"
        answer = beckon("ingest", self.write("bad.jsonl", data), shop=self.shop, expect=5)
        self.assertEqual(answer["accepted"], 2)
        self.assertEqual(answer["rejected"], 4)
        rejects = [json.loads(line) for line in read(os.path.join(self.shop, "data", "rejects.jsonl")).splitlines()]
        self.assertEqual([reject["line"] for reject in rejects], [2, 3, 5, 6])
        self.assertEqual(rejects[2]["reason"], "impossible_value")
        self.assertEqual(rejects[3]["reason"], "unknown_currency")

    def test_a_line_without_end_is_skipped_in_flat_memory(self):
        # A gigabyte on one line would otherwise take the machine down.
        middle = gzip.compress(b"x" * (16 << 20))  # members of one gzip file: 1 GiB without a line end
        path = self.write("long.jsonl.gz", gzip.compress(self.line(1)) + middle * 64 + gzip.compress(b"\n" + self.line(2)))
        answer = beckon("ingest", path, shop=self.shop, expect=5)
        self.assertEqual((answer["accepted"], answer["rejected_by_reason"]), (2, {"line_too_long": 1}))
        self.assertLess(self.peak_kib_of_children(), 1 << 20, "the line was held in memory")

    @staticmethod
    def peak_kib_of_children():
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss

    def test_a_wrong_column_names_the_nearest(self):
        # "CustomerId" for "CustomerID" must not read as "no customers".
        shop = os.path.join(self.folder.name, "csv")
        beckon("init", shop, "--template", "csv")
        path = self.write("orders.csv", b"costumer,time,event,sku,quantity,price,order,coupon\nc,2026-01-01,view,a,1,1,o,\n")
        self.assertIn("did you mean 'costumer'", beckon("ingest", path, shop=shop, expect=3)["error"])

    def test_a_typing_error_in_the_config_is_named(self):
        # A misspelt key that is ignored is a setting that silently does not hold.
        with open(os.path.join(self.shop, "beckon.toml"), "a", encoding="utf-8") as out:
            out.write("\n[trian]\nwidth = 32\n")
        answer = beckon("doctor", shop=self.shop, expect=3)
        self.assertIn("'train'", answer["error"])

    def test_a_damaged_model_is_refused(self):
        # Scores from half a file would be plausible nonsense.
        os.makedirs(self.folder.name + "/m")
        shop = make_shop(self.folder.name + "/m")
        beckon("ingest", os.path.join(shop, "events.jsonl"), shop=shop)
        beckon("catalog", "import", os.path.join(shop, "products.csv"), shop=shop)
        beckon("train", "--as-of", "2026-03-02", shop=shop)
        weights = os.path.join(shop, "model", "model.safetensors")
        data = read(weights, "rb")
        with open(weights, "wb") as out:
            out.write(data[: len(data) // 2])
        answer = beckon("plan", os.path.join(shop, "campaigns", "spring.toml"), "--as-of", "2026-03-02T12:00:00Z", shop=shop, expect=None)
        self.assertIn("error", answer)

    def test_usage_errors_exit_with_2(self):
        # Scripts tell a typing error from bad data by the exit code.
        self.assertEqual(subprocess.run([BECKON, "plan"], capture_output=True).returncode, 2)
        self.assertEqual(subprocess.run([BECKON, "nonsense"], capture_output=True).returncode, 2)
        self.assertEqual(subprocess.run([BECKON, "ingest", "x", "--shop", "/nonexistent"], capture_output=True).returncode, 3)


class Templates(unittest.TestCase):
    def test_every_template_goes_the_whole_way(self):
        # The first thing a newcomer does with his kind of export must work.
        for template in ("csv", "segment", "ga4", "shopify", "woocommerce", "pos", "zh-orders"):
            with self.subTest(template), tempfile.TemporaryDirectory() as folder:
                shop = init(folder, "shop", template)
                campaign = os.path.join(shop, "campaigns", "welcome.toml")
                text = read(campaign).replace("holdout_share = 0.10", "holdout_share = 0")  # one or two customers must not all be held out
                with open(campaign, "w", encoding="utf-8") as out:
                    out.write(text)
                with open(os.path.join(shop, "beckon.toml"), "a", encoding="utf-8") as out:
                    out.write('\n[[consent_import]]\nbasis = "opt_in"\nsource = "form"\ndate = "2026-01-01"\npurposes = ["marketing"]\nchannels = ["email"]\n')
                answer = beckon("run", "--as-of", "2026-01-07T12:00:00Z", shop=shop, expect=None)
                self.assertNotIn("error", answer, answer)
                self.assertGreater(answer["ingest"]["accepted"], 1)
                self.assertGreater(len(outbox(shop)), 0, template)


class Killed(unittest.TestCase):
    def test_ingest_and_send_survive_kill_9(self):
        # The power cut in the middle: run again, nothing lost, nothing twice, the same bytes.
        with tempfile.TemporaryDirectory() as folder:
            shop = make_shop(folder)
            events = os.path.join(shop, "events.jsonl")
            beckon("catalog", "import", os.path.join(shop, "products.csv"), shop=shop)
            rng = random.Random(3)
            for _ in range(6):
                self.kill_after(rng.uniform(0.005, 0.15), "ingest", events, "--shop", shop)
            total = beckon("ingest", events, shop=shop)
            self.assertEqual(total["accepted"] + total["duplicates"], beckon("ingest", events, shop=shop)["duplicates"])
            as_of = ["--as-of", "2026-03-02T12:00:00Z"]
            plan = beckon("plan", os.path.join(shop, "campaigns", "spring.toml"), *as_of, shop=shop)
            for _ in range(6):
                self.kill_after(rng.uniform(0.005, 0.2), "send", plan["file"], *as_of, "--shop", shop)
            beckon("send", plan["file"], *as_of, shop=shop)
            ids = [message["id"] for message in outbox(shop)]
            self.assertEqual(len(ids), len(set(ids)), "a message left twice")
            states = beckon("deliveries", shop=shop)["by_state"]
            self.assertEqual(states.get("accepted", 0), len(ids))
            self.assertEqual(states.get("claimed", 0) + states.get("unknown", 0), 0)

    def kill_after(self, seconds, *arguments):
        process = subprocess.Popen([BECKON, *arguments, "--quiet", "--json"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.wait()


class OneHolder(unittest.TestCase):
    def test_others_read_through_the_process_that_holds_the_shop(self):
        # Looking at a running send must neither wait for hours nor disturb it.
        with tempfile.TemporaryDirectory() as folder:
            shop = os.path.join(folder, "shop")
            beckon("init", shop, "--template", "segment")
            holder = subprocess.Popen([BECKON, "ingest", "-", "--shop", shop, "--quiet", "--json"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
            try:
                for _ in range(100):
                    if os.path.exists(os.path.join(shop, "beckon.sock")):
                        break
                    time.sleep(0.05)
                self.assertIn("problems", beckon("doctor", shop=shop, expect=4))
                refused = beckon("train", shop=shop, expect=4)
                self.assertIn(str(holder.pid), refused["error"])
            finally:
                holder.stdin.close()
                holder.wait(timeout=30)


if __name__ == "__main__":
    BECKON = os.path.abspath(sys.argv.pop(1))
    unittest.main()
