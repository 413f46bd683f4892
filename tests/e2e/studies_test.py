"""The four studies of a file as a user runs them: JSON with the promised keys, pages, refusals. Usage: studies_test.py PATH_TO_BECKON"""
import gzip
import json
import os
import random
import subprocess
import sys
import tempfile
import unittest

BECKON = None


def study(kind, *arguments, expect=0, as_json=True):
    command = [BECKON, "evaluate", kind, *arguments, "--quiet"] + (["--json"] if as_json else [])
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode != expect:
        raise AssertionError(f"{' '.join(command)} exited with {done.returncode}, not {expect}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return (json.loads(done.stdout.strip().splitlines()[-1]) if as_json and expect == 0 else done.stdout + done.stderr)


class Studies(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.rng = random.Random(11)

    def write(self, name, header, rows):
        path = os.path.join(self.folder.name, name)
        with gzip.open(path, "wt", encoding="utf-8") as out:
            out.write(",".join(header) + "\n")
            out.writelines(",".join(str(cell) for cell in row) + "\n" for row in rows)
        return path

    def trial(self, name, count):
        def row():
            age, mail = self.rng.randrange(20, 60), self.rng.random() < .5
            bought = self.rng.random() < .1 + (.01 * (age - 20) if mail else 0)
            return age, self.rng.choice(["Rome", "Oslo"]), "mail" if mail else "none", int(bought), round(self.rng.gammavariate(2, 10), 2)
        return self.write(name, ["age", "city", "group", "bought", "before"], [row() for _ in range(count)])

    def test_uplift_finds_whom_to_treat_and_the_other_file_judges(self):
        # The way from two exports to "mail those": what the guide promises.
        out = os.path.join(self.folder.name, "page")
        answer = study("uplift", self.trial("a.csv.gz", 3000), "--treatment", "group", "--outcome", "bought", "--value", "10", "--cost", "2", "--seeds", "1",
                       "--folds", "3", "--resamples", "100", "--test", self.trial("b.csv.gz", 3000), "--out", out)
        self.assertEqual(answer["verdict"], "rank")
        for key in ("name", "base", "qini_e4", "lo", "hi", "uplift@10", "uplift@20", "uplift@30", "uplift@50"):
            self.assertIn(key, answer["learners"][0])
        for key in ("share_treated", "irr", "nir", "profit_per_customer", "lo", "hi"):
            self.assertIsInstance(answer["policy"][key], float, key)
        self.assertGreater(answer["policy"]["profit_per_customer"], 0)
        self.assertIsInstance(answer["nested_qini_e4"], float)
        self.assertTrue(answer["chosen"] and answer["chosen_qini_e4"] > 0)
        with open(os.path.join(out, "report.html"), encoding="utf-8") as page:
            self.assertIn("<svg", page.read())
        text = study("uplift", os.path.join(self.folder.name, "a.csv.gz"), "--treatment", "group", "--outcome", "agee", expect=3, as_json=False)
        self.assertIn("'agee'", text)

    def test_experiment_prints_every_interval_and_finds_a_broken_draw(self):
        # Groups of the wrong sizes must be noticed before anybody reads a lift.
        path = self.trial("a.csv.gz", 3000)
        answer = study("experiment", path, "--arm", "group", "--metric", "bought", "--covariate", "before", "--control", "none")
        metric = answer["metrics"][0]
        self.assertFalse(answer["srm"]["warning"])
        self.assertGreater(metric["lo"], 0)
        for key in ("name", "difference", "lo", "hi", "always_valid_lo", "always_valid_hi", "p"):
            self.assertIn(key, metric)
        self.assertLess(metric["always_valid_lo"], metric["lo"])
        self.assertTrue(study("experiment", path, "--arm", "group", "--metric", "bought", "--expected", "3:1")["srm"]["warning"])

    def test_ope_answers_or_refuses(self):
        # A log that cannot say it must be refused, not answered with a number.
        def rows(target_of_shown):
            for _ in range(2000):
                good = self.rng.random() < .5
                yield int(self.rng.random() < (.4 if good else .2)), .5, target_of_shown(good)
        header = ["click", "propensity", "target"]
        answer = study("ope", self.write("log.csv.gz", header, rows(lambda good: .8 if good else .2)), "--reward", "click", "--propensity", "propensity",
                       "--target", "target")
        self.assertFalse(answer["refused"])
        self.assertLess(answer["estimates"]["snipw"]["lo"], .36)
        self.assertGreater(answer["estimates"]["snipw"]["hi"], .36)
        lonely = self.write("lonely.csv.gz", header, ((int(i % 3 == 0), .0001 if i == 0 else .9, .9 if i == 0 else .0001) for i in range(500)))
        refused = study("ope", lonely, "--reward", "click", "--propensity", "propensity", "--target", "target")
        self.assertTrue(refused["refused"])
        self.assertIn("reason", refused)

    def test_price_tells_a_drawn_price_from_a_chosen_one(self):
        # Dear where people buy anyway: without the design the answer is wrong, and must be called so.
        def rows():
            for _ in range(4000):
                risk = self.rng.randrange(3)
                price = 10 + 4 * risk + self.rng.uniform(-2, 2)
                yield risk, round(price, 3), int(self.rng.random() < .5 - .1 * risk - .01 * (price - 10 - 4 * risk))
        path = self.write("loans.csv.gz", ["risk", "price", "taken"], rows())
        plain = study("price", path, "--price", "price", "--quantity", "taken")
        cells = study("price", path, "--price", "price", "--quantity", "taken", "--randomised-within", "risk")
        self.assertEqual(cells["pooled"]["grade"], "randomised")
        self.assertEqual(plain["pooled"]["grade"], "not credible")
        self.assertIn("risk", [c for warning in plain["warnings"] for c in warning["columns"]])
        self.assertLess(plain["pooled"]["value"], cells["pooled"]["value"])
        study("price", path, "--price", "price", "--quantity", "taken", "--features", "age", expect=3, as_json=False)


if __name__ == "__main__":
    BECKON = sys.argv.pop(1)
    unittest.main()
