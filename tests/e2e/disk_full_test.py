"""A disk that fills up, for real: the shop lies on a small tmpfs. Usage: disk_full_test.py PATH_TO_BECKON. Without the right to mount
(neither root nor user namespaces) it says so and is skipped (exit code 77)."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import e2e_test
from e2e_test import beckon, make_shop, outbox, segment

NAMESPACES = (["unshare", "--mount"], ["unshare", "--mount", "--map-root-user"])
INSIDE = "BECKON_TEST_MOUNTS"


class FullDisk(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", self.folder], check=True)
        self.outside = tempfile.TemporaryDirectory()

    def tearDown(self):
        subprocess.run(["umount", self.folder], check=True)
        os.rmdir(self.folder)
        self.outside.cleanup()

    def fill(self, left):
        """Leaves about `left` bytes on the disk."""
        room = os.statvfs(self.folder)
        size = room.f_bavail * room.f_frsize - left
        with open(os.path.join(self.folder, "ballast"), "wb") as out:
            out.write(b"x" * max(0, size))

    def make_room(self):
        os.remove(os.path.join(self.folder, "ballast"))

    def test_ingest_says_so_and_what_was_acknowledged_survives(self):
        # The night the disk fills up must cost the shop nothing but a message: what was counted as accepted is there.
        events = os.path.join(self.outside.name, "events.jsonl")
        count = 60_000
        with open(events, "w", encoding="utf-8") as out:
            for i in range(count):
                out.write(segment("Product Viewed", f"c-{i % 997}", i, "2026-01-05T10:00:00Z", product_id=f"tea-{i % 50}") + "\n")
        shop = e2e_test.init(self.folder, "shop", "segment")
        self.fill(6 << 20)
        stopped = beckon("ingest", events, shop=shop, expect=4)
        self.assertRegex(stopped["error"].lower(), "no space|disk is full")
        self.assertIn("run again", stopped["error"])
        self.make_room()
        held = beckon("doctor", shop=shop, expect=None)["events"]
        self.assertGreaterEqual(held, stopped.get("accepted", 0))
        done = beckon("ingest", events, shop=shop)
        self.assertEqual((done["accepted"] + done["duplicates"], done["duplicates"] >= held), (count, True))
        self.assertEqual(beckon("doctor", shop=shop, expect=None)["events"], count)

    def test_a_send_stops_and_goes_on_without_doubling(self):
        # Half a line in the outbox, or a message twice after somebody made room, would reach a customer.
        shop = make_shop(self.folder)
        as_of = ["--as-of", "2026-03-02T12:00:00Z"]
        beckon("catalog", "import", os.path.join(shop, "products.csv"), shop=shop)
        beckon("ingest", os.path.join(shop, "events.jsonl"), shop=shop)
        plan = beckon("plan", os.path.join(shop, "campaigns", "spring.toml"), *as_of, shop=shop)
        self.fill(4096)
        stopped = beckon("send", plan["file"], *as_of, shop=shop, expect=4)
        self.assertIn("error", stopped)
        self.make_room()
        sent = beckon("send", plan["file"], *as_of, shop=shop)
        messages = outbox(shop)
        self.assertEqual(len(messages), len({message["id"] for message in messages}))
        self.assertGreater(len(messages), 20)
        ledger = beckon("deliveries", shop=shop)["by_state"]
        self.assertEqual(ledger.get("accepted", 0), len(messages), (ledger, sent))
        self.assertEqual(ledger.get("claimed", 0) + ledger.get("unknown", 0), 0)

    def test_a_plan_or_a_page_that_does_not_fit_is_refused_whole(self):
        # Half a plan that looks like a plan would be sent.
        shop = make_shop(self.folder)
        beckon("catalog", "import", os.path.join(shop, "products.csv"), shop=shop)
        beckon("ingest", os.path.join(shop, "events.jsonl"), shop=shop)
        self.fill(0)
        stopped = beckon("plan", os.path.join(shop, "campaigns", "spring.toml"), "--as-of", "2026-03-02T12:00:00Z", shop=shop, expect=4)
        self.assertRegex(stopped["error"].lower(), "no space|disk is full")
        plans = os.path.join(shop, "plans")
        left = [name for name in os.listdir(plans)] if os.path.exists(plans) else []
        self.assertEqual([name for name in left if name.endswith(".jsonl") and self.is_cut(os.path.join(plans, name))], [])

    def is_cut(self, path):
        lines = e2e_test.read(path).splitlines()
        try:
            json.loads(lines[-1])
        except (IndexError, ValueError):
            return True
        return False


def main():
    if INSIDE not in os.environ:
        for namespace in NAMESPACES:
            if subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode == 0:
                os.environ[INSIDE] = "yes"
                os.execvp(namespace[0], [*namespace, sys.executable, *sys.argv])
        print("skipped: no right to mount a small disk here (needs root, or user namespaces)")
        sys.exit(77)
    e2e_test.BECKON = os.path.abspath(sys.argv.pop(1))
    unittest.main()


if __name__ == "__main__":
    main()
