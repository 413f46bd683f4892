"""Each rule of tidy.py must refuse a file that breaks it, and pass one that does not: a lint that finds nothing is worse than none."""
import os
import tempfile
import unittest

import tidy


class Rules(unittest.TestCase):
    def refused(self, checker, *args):
        return list(checker(*args))

    def test_banned_words(self):
        for line in ["std::cout << 1;", "auto t = std::chrono::system_clock::now();", "int x = rand();", "} catch (...) {",
                     "// TODO: later", "double price = 1;", "float budget_left = 0;"]:  # tidy: allow
            self.assertTrue(self.refused(tidy.check_banned, "src/decide/a.cc", [line]), line)
        for line in ["double price_log = 1;", "int operand(int x);", "// a double price is a bug", "std::int64_t price_minor = 1;"]:
            self.assertFalse(self.refused(tidy.check_banned, "src/decide/a.cc", [line]), line)
        self.assertFalse(self.refused(tidy.check_banned, "src/stats/a.cc", ["double price = 1;"]))

    def test_sizes(self):
        self.assertTrue(self.refused(tidy.check_sizes, "src/a/a.cc", [""] * 601))
        self.assertFalse(self.refused(tidy.check_sizes, "src/a/a.cc", [""] * 600))
        body = ["int f(int x) {"] + ["  x += 1;"] * 69 + ["}"]
        self.assertTrue(self.refused(tidy.check_sizes, "src/a/a.cc", body))
        self.assertFalse(self.refused(tidy.check_sizes, "src/a/a.cc", body[1:] + [""]))

    def test_includes(self):
        line = ['#include "beckon/store/store.h"']
        self.assertTrue(self.refused(tidy.check_includes, "src/decide/a.cc", line, {"decide": {"base"}}))
        self.assertFalse(self.refused(tidy.check_includes, "src/decide/a.cc", line, {"decide": {"store"}}))

    def test_links_table_and_build(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertTrue(self.refused(tidy.check_markdown, folder, "a.md", ["[x](gone.md)"]))
            self.assertFalse(self.refused(tidy.check_markdown, folder, "a.md", ["[x](https://example.org)"]))
            for name, text in [("library_table.md", "| 0 |"), ("ARCHITECTURE.md", "old"), ("compile_commands.json", "b_test.cc")]:
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.write(text)
            self.assertTrue(self.refused(tidy.check_table, folder, folder))
            self.assertTrue(self.refused(tidy.check_built, folder, "src/a/tests/a_test.cc"))
            self.assertFalse(self.refused(tidy.check_built, folder, "b_test.cc"))


if __name__ == "__main__":
    unittest.main()
