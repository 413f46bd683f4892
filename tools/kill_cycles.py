#!/usr/bin/env python3
"""Kills `beckon ingest` and `beckon send` at random moments and looks whether anything was lost or done twice.

usage: tools/kill_cycles.py [--beckon PATH] [--cycles N] [--seconds S] [--seed N] [--keep]

A cycle of ingest: a new file of events, read with kill -9 in between, then to the end; the export must hold every event of every file
exactly once, and what was there before a kill must still be there after it. A cycle of send: a new campaign is planned and sent with
kill -9 in between, then to the end; every planned message must be in the outbox exactly once (e-mail, file) or at the receiver at least
once and always with the same id and bytes (push, webhook), and the budget must hold. Exit code 0: all of it held.
"""
import argparse
import base64
import collections
import datetime
import hashlib
import hmac
import http.server
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

CUSTOMERS = 1200
EVENTS_PER_FILE = 15_000
SECRET = b"kill cycles, not a secret at all"


class Receiver(http.server.ThreadingHTTPServer):
    """Counts what arrives; ids → bodies."""
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.bodies = collections.defaultdict(list)
        self.bad_signatures = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # the sender was killed in the middle of a request: that is what this is about


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        signed = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + body
        wanted = "v1," + base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
        with self.server.lock:
            self.server.bodies[self.headers["webhook-id"]].append(body)
            self.server.bad_signatures += self.headers["webhook-signature"] != wanted
        self.send_response(204)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


def stamp(at):
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


class Shop:
    """A shop in a scratch folder, the commands on it, and what must be true of it."""

    def __init__(self, beckon, folder, receiver, rng):
        self.beckon, self.folder, self.receiver, self.rng = beckon, folder, receiver, rng
        self.now = datetime.datetime.now(datetime.timezone.utc)
        self.expected = set()   # times of events: each its own millisecond
        self.seen = 0           # events in the export after the last look
        self.kills = 0
        self.messages = 0
        self.repeated = 0
        self.problems = []
        self.durations = {"ingest": 1.0, "send": 1.0}

    def run(self, *arguments, kill=None):
        """Parsed JSON of the command; None when it was killed."""
        started = time.monotonic()
        child = subprocess.Popen([self.beckon, *arguments, "--shop", self.folder, "--json", "--quiet"], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, env={**os.environ, "KILL_CYCLES_SECRET": "whsec_" + base64.b64encode(SECRET).decode()})
        try:
            out, err = child.communicate(timeout=kill if kill is not None else 600)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            self.kills += kill is not None
            return None
        self.durations[arguments[0]] = time.monotonic() - started
        if child.returncode != 0:
            raise RuntimeError(f"beckon {arguments[0]} ended with {child.returncode}: {err.decode().strip()}")
        return json.loads(out)

    def moment(self, command):
        return self.rng.uniform(0, 1.1 * self.durations.get(command, 1.0))

    def check(self, holds, text):
        if not holds:
            self.problems.append(text)
            print("kill_cycles: " + text, file=sys.stderr)

    def make(self):
        subprocess.run([self.beckon, "init", self.folder, "--template", "segment", "--quiet", "--json"], check=True, stdout=subprocess.DEVNULL)
        path = os.path.join(self.folder, "beckon.toml")
        key = open(path, encoding="utf-8").read().split("\n[key]")[1]
        with open(path, "w", encoding="utf-8") as out:
            out.write(f'''[shop]
name = "Kill cycles"
currency = "EUR"
zone = "Europe/Berlin"
quiet_from = "00:00"
quiet_until = "00:00"
[channel.email]
send_cost = "0.002"
per_day_max = 1000
per_week_max = 1000
[channel.push]
transport = "webhook"
url = "http://127.0.0.1:{self.receiver.server_address[1]}/hook"
secret_env = "KILL_CYCLES_SECRET"
allow_private_addresses = true
per_day_max = 1000
per_week_max = 1000

[key]{key}''')
        with open(os.path.join(self.folder, "people.jsonl"), "w", encoding="utf-8") as out:
            for i in range(CUSTOMERS):
                at = stamp(self.now - datetime.timedelta(days=40))
                channel = "email" if i % 2 else "push"
                out.write(json.dumps({"type": "identify", "userId": f"u{i}", "messageId": f"i{i}", "timestamp": at,
                                      "traits": {"email": f"u{i}@example.test", "timezone": "Europe/Berlin"}}) + "\n")
                out.write(json.dumps({"type": "track", "event": "Consent Granted", "userId": f"u{i}", "messageId": f"c{i}", "timestamp": at,
                                      "properties": {"purposes": ["marketing", "personalisation", "measurement"], "channels": [channel]}}) + "\n")
        with open(os.path.join(self.folder, "products.csv"), "w", encoding="utf-8") as out:
            out.write("id,title,category,price,cost,stock\n" + "".join(f"p{j},Thing {j},Things,{5 + j}.00,2.00,100000\n" for j in range(40)))
        self.run("catalog", "import", os.path.join(self.folder, "products.csv"))
        self.run("ingest", os.path.join(self.folder, "people.jsonl"))

    def events_file(self, cycle):
        path = os.path.join(self.folder, f"events-{cycle}.jsonl")
        start = self.now - datetime.timedelta(days=30) + datetime.timedelta(milliseconds=cycle * EVENTS_PER_FILE)
        with open(path, "w", encoding="utf-8") as out:
            for i in range(EVENTS_PER_FILE):
                at = stamp(start + datetime.timedelta(milliseconds=i))
                self.expected.add(at)
                out.write(json.dumps({"type": "track", "event": "Product Viewed", "userId": f"u{self.rng.randrange(CUSTOMERS)}",
                                      "messageId": f"e{cycle}-{i}", "timestamp": at,
                                      "properties": {"product_id": f"p{self.rng.randrange(40)}"}}) + "\n")
        return path

    def stored(self):
        """Times of all views in the export; a time twice is an event twice."""
        text = subprocess.run([self.beckon, "export", "--table", "events", "--shop", self.folder, "--quiet"], check=True,
                              capture_output=True, text=True).stdout
        rows = (json.loads(line) for line in text.splitlines() if line.startswith("{\"customer\""))
        times = [row["at"] for row in rows if row["type"] == "view"]
        return [at if "." in at else at[:-1] + ".000Z" for at in times]

    def ingest_cycle(self, cycle):
        path = self.events_file(cycle)
        for _ in range(self.rng.randint(1, 4)):
            answer = self.run("ingest", path, kill=self.moment("ingest"))
            now = self.stored()
            floor = len(self.expected) if answer else self.seen  # an answer acknowledges the whole file
            self.check(len(now) >= floor, f"cycle {cycle}: {floor} events were acknowledged, {len(now)} are stored")
            self.check(len(now) == len(set(now)), f"cycle {cycle}: {len(now) - len(set(now))} events are stored twice")
            self.seen = max(self.seen, len(now))
        answer = self.run("ingest", path)
        self.check(answer["accepted"] + answer["duplicates"] == EVENTS_PER_FILE, f"cycle {cycle}: ingest lost rows of its file: {answer}")
        now = self.stored()
        self.check(collections.Counter(now) == collections.Counter(self.expected),
                   f"cycle {cycle}: {len(self.expected - set(now))} events lost, {len(now) - len(set(now))} twice")
        self.seen = len(now)
        os.remove(path)

    def campaign_file(self, name):
        path = os.path.join(self.folder, "campaigns", name + ".toml")
        day = datetime.timedelta(days=1)
        with open(path, "w", encoding="utf-8") as out:
            out.write(f'''[campaign]
id = "{name}"
name = "{name}"
starts = "{stamp(self.now - day)}"
ends = "{stamp(self.now + 30 * day)}"
channels = ["email", "push"]
[[offer]]
id = "ten"
kind = "percent_off"
percent = 5
code = "TEN"
[[budget]]
id = "main"
amount = "1000.00"
''')
        return path

    def send_cycle(self, cycle):
        name = f"kill{cycle}"
        plan = self.run("plan", self.campaign_file(name))
        for _ in range(self.rng.randint(1, 4)):
            self.run("send", plan["file"], kill=self.moment("send"))
        self.run("send", plan["file"])
        last = self.run("send", plan["file"])
        self.check(last["accepted"] == 0, f"{name}: a send after the last one sent {last['accepted']} more")
        ledger = self.run("deliveries", "--campaign", name)
        states = collections.Counter(row["state"] for row in ledger["deliveries"])
        self.check(set(states) <= {"accepted", "dropped"}, f"{name}: messages left in {dict(states)}")
        wanted = {channel: {row["id"] for row in ledger["deliveries"] if row["state"] == "accepted" and row["channel"] == channel}
                  for channel in ("email", "push")}
        with open(os.path.join(self.folder, "outbox", "email.jsonl"), encoding="utf-8") as lines:
            outbox = collections.Counter(row["id"] for row in map(json.loads, lines) if row["campaign"] == name)
        self.check(set(outbox) == wanted["email"], f"{name}: the outbox holds {len(outbox)} messages, the ledger {len(wanted['email'])}")
        self.check(all(count == 1 for count in outbox.values()), f"{name}: messages written twice to the outbox")
        with self.receiver.lock:
            arrived = {key: bodies for key, bodies in self.receiver.bodies.items() if json.loads(bodies[0])["data"]["campaign"] == name}
            self.receiver.bodies.clear()
        self.check(set(arrived) == wanted["push"], f"{name}: {len(arrived)} messages reached the receiver, the ledger has {len(wanted['push'])}")
        self.check(all(len(set(bodies)) == 1 for bodies in arrived.values()), f"{name}: a repeat had other bytes")
        self.check(self.receiver.bad_signatures == 0, f"{name}: a signature did not fit")
        self.repeated += sum(len(bodies) - 1 for bodies in arrived.values())
        self.messages += len(outbox) + len(arrived)
        for budget in self.run("report", name)["campaigns"][0]["budgets"]:
            self.check(budget["escrowed_minor"] + budget["settled_minor"] <= budget["limit_minor"], f"{name}: over the budget: {budget}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--beckon", default="build/dev/bin/beckon")
    parser.add_argument("--cycles", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=120, help="stops after the cycle in which they are over")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="leaves the scratch folder")
    arguments = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="beckon-kill-")
    started = time.monotonic()
    shop = Shop(os.path.abspath(arguments.beckon), os.path.join(folder, "shop"), Receiver(), random.Random(arguments.seed))
    done = 0
    try:
        shop.make()
        while done < arguments.cycles and time.monotonic() - started < arguments.seconds:
            shop.ingest_cycle(done)
            shop.send_cycle(done)
            done += 1
    finally:
        if arguments.keep:
            print(f"kill_cycles: the shop is in {folder}")
        else:
            shutil.rmtree(folder)
    print(f"kill_cycles: {done} cycles, {shop.kills} kills, {len(shop.expected):,} events, {shop.messages:,} messages "
          f"({shop.repeated} repeated with the same bytes), {len(shop.problems)} problems, {time.monotonic() - started:.0f} s")
    return 1 if shop.problems or done == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
