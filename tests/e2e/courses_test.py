"""The online school of examples/courses, with nothing but its configuration. Usage: courses_test.py PATH_TO_BECKON SOURCE_DIR"""
import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

BECKON, SOURCE = None, None
UNTIL = "2026-03-01"


def beckon(*arguments):
    done = subprocess.run([BECKON, *arguments, "--json", "--quiet"], capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise AssertionError(f"beckon {' '.join(arguments)} exited with {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def school(folder, config):
    """A shop made of the example alone."""
    shop = os.path.join(folder, config.replace(".", "-"))
    beckon("init", shop)
    for name in ("samples", "campaigns"):
        shutil.rmtree(os.path.join(shop, name))
    shutil.copytree(os.path.join(SOURCE, "examples", "courses"), shop, dirs_exist_ok=True)
    os.replace(os.path.join(shop, config), os.path.join(shop, "beckon.toml"))
    subprocess.run([sys.executable, os.path.join(SOURCE, "tools", "make_courses.py"), os.path.join(shop, "files"), "--learners", "400",
                    "--until", UNTIL], check=True, stdout=subprocess.DEVNULL)
    return shop


class Courses(unittest.TestCase):
    def run_school(self, config):
        with tempfile.TemporaryDirectory() as folder:
            shop = school(folder, config)
            answer = beckon("run", "--as-of", UNTIL, "--shop", shop)
            messages = []
            for name in os.listdir(os.path.join(shop, "outbox")):
                with open(os.path.join(shop, "outbox", name), encoding="utf-8") as lines:
                    messages += [json.loads(line) for line in lines]
            return answer, messages

    def test_a_school_goes_the_whole_way_with_nothing_but_config(self):
        # No stock, no cost, no basket: a shop of another trade must not need a line of code.
        answer, messages = self.run_school("beckon.toml")
        self.assertEqual(answer["ingest"]["rejected"], 0)
        self.assertGreater(answer["ingest"]["refunds"]["paired"], 0)
        self.assertIn("model", answer["train"])
        self.assertGreater(len(messages), 100)
        self.assertGreater(len({message["offer"] for message in messages}), 1, "the depth of an offer follows what is known of the learner")
        self.assertIn("zh", {message["language"] for message in messages})

    def test_a_regulated_school_has_one_depth_for_everybody(self):
        # A personal discount on a financial service is what the rules forbid; a course about debts names who has them.
        answer, messages = self.run_school("beckon.regulated.toml")
        self.assertEqual(set(collections.Counter(message["offer"] for message in messages)), {"ten_percent"})
        self.assertFalse([message for message in messages if message["item"].startswith("debt")])
        self.assertGreater(len(messages), 10)
        self.assertEqual(answer["campaigns"][0]["plan"]["offers"].keys(), {"ten_percent"})


if __name__ == "__main__":
    BECKON, SOURCE = os.path.abspath(sys.argv.pop(1)), os.path.abspath(sys.argv.pop(1))
    unittest.main()
