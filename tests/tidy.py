"""The rules of the house as a test. Usage: tidy.py SOURCE_DIR BUILD_DIR. Each finding is one line: file:line: what, how to mend it."""
import os
import re
import subprocess
import sys

FILE_LINES = {".cc": 600, ".h": 350, "test": 900}
FUNCTION_LINES = 70
BLOB_KIB, BIG_BLOB_KIB = 256, 1024
# Functions over the limit, by name; this list may only shrink.
LONG_FUNCTIONS = set()
NUMERIC_ROOMS = ("stats", "price", "response", "allocate", "tensor")

BANNED = [  # (pattern, where it is allowed, what to use instead)
    (r"std::cout", ("src/cli/", "apps/", "bench/", "tests/", "fuzz/"), "beckon/base/log.h"),
    (r"system_clock::now", (), "base::Clock (or mark the one adapter line with `tidy: allow`)"),
    (r"(?<![\w:])s?rand\(", (), "base::Rng"),
    (r"catch \(\.\.\.\)", (), "the adapter's own exception type"),
    (r"\b(FIXME|TODO|XXX)\b", (), "an issue, or the work itself"),
]
MONEY_AS_DOUBLE = re.compile(r"\b(?:double|float)\s+\w*(?:price|budget|spend)\w*")
ALLOWED_SUFFIX = re.compile(r"_(?:log|ratio|elasticity|dual)$")
INCLUDE = re.compile(r'#include "beckon/(\w+)/')
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)\)")


def strip_comment(line):
    return line.split("//", 1)[0]


def check_banned(path, lines):
    for number, line in enumerate(lines, 1):
        if "tidy: allow" in line:
            continue
        for pattern, allowed, instead in BANNED:
            if re.search(pattern, line) and not path.startswith(allowed if allowed else ("\0",)):
                yield f"{path}:{number}: '{re.search(pattern, line).group(0)}' is banned: use {instead}"
        room = path.split("/")[1] if path.startswith("src/") else ""
        match = MONEY_AS_DOUBLE.search(strip_comment(line))
        if match and room not in NUMERIC_ROOMS and not ALLOWED_SUFFIX.search(match.group(0)):
            yield f"{path}:{number}: '{match.group(0)}': amounts are base::Money, or int64 `_minor`"


def check_sizes(path, lines):
    kind = "test" if "/tests/" in path else os.path.splitext(path)[1]
    limit = FILE_LINES.get(kind, 600)
    if len(lines) > limit:
        yield f"{path}:{limit}: {len(lines)} lines, the limit is {limit}: split it by what it does"
    if "/tests/" in path:
        return
    start = None
    for number, line in enumerate(lines, 1):
        if start is None and line and not line[0].isspace() and line.rstrip().endswith("{"):
            start = (number, line)
        elif start is not None and line.startswith("}"):
            name = re.search(r"([\w:~]+)\(", start[1])
            long = number - start[0] + 1 > FUNCTION_LINES
            if name and long and not re.match(r"(namespace|class|struct|enum)\b", start[1]):
                if name.group(1) not in LONG_FUNCTIONS:
                    yield f"{path}:{start[0]}: {name.group(1)} has {number - start[0] + 1} lines, the limit is {FUNCTION_LINES}"
            start = None


def check_includes(path, lines, deps):
    parts = path.split("/")
    if parts[0] != "src" or parts[1] not in deps:
        return
    allowed = deps[parts[1]] | {parts[1]}
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if match and match.group(1) not in allowed and "/tests/" not in path:
            yield f"{path}:{number}: includes {match.group(1)}, which is not in the DEPS of {parts[1]}"


def check_markdown(root, path, lines):
    for number, line in enumerate(lines, 1):
        for target in LINK.findall(line):
            if not re.match(r"[a-z]+:", target) and not os.path.exists(os.path.join(root, os.path.dirname(path), target)):
                yield f"{path}:{number}: link to {target}, which does not exist"


def check_table(root, build):
    table = open(os.path.join(build, "library_table.md"), encoding="utf-8").read()
    if table not in open(os.path.join(root, "ARCHITECTURE.md"), encoding="utf-8").read():
        yield "ARCHITECTURE.md:1: the library table has drifted: paste build/<preset>/library_table.md"


def check_built(build, path):
    commands = os.path.join(build, "compile_commands.json")
    if path.endswith("_test.cc") or os.path.basename(path).startswith("fuzz_"):
        if path not in open(commands, encoding="utf-8").read():
            yield f"{path}:1: is not in the build: add it to its CMakeLists.txt"


def findings(root, build, files):
    deps = {}
    for line in open(os.path.join(build, "library_deps.txt"), encoding="utf-8"):
        name, rest = line.split(":", 1)
        deps[name] = set(rest.split())
    yield from check_table(root, build)
    for path in files:
        full = os.path.join(root, path)
        kib = os.path.getsize(full) / 1024
        big = path.endswith((".lock", "package-lock.json", "openapi.json")) or path.startswith("docs/images/")
        if kib > (BIG_BLOB_KIB if big else BLOB_KIB):
            yield f"{path}:1: {kib:.0f} KiB: keep large files out of the repository"
        if not path.endswith((".cc", ".h", ".md")):
            continue
        lines = open(full, encoding="utf-8").read().split("\n")
        if path.endswith(".md"):
            yield from check_markdown(root, path, lines)
            continue
        yield from check_banned(path, lines)
        yield from check_sizes(path, lines)
        yield from check_includes(path, lines, deps)
        yield from check_built(build, path)


def tracked(root):
    out = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True, check=True)
    return [path for path in out.stdout.split("\n") if path and os.path.exists(os.path.join(root, path))]


if __name__ == "__main__":
    found = list(findings(sys.argv[1], sys.argv[2], tracked(sys.argv[1])))
    print("\n".join(found) if found else "tidy: nothing to mend")
    sys.exit(1 if found else 0)
