"""check.py COMPILER SOURCE WORDS INCLUDE… : SOURCE compiles; with -DBECKON_MISUSE it does not, and the compiler says one of WORDS."""
import re
import subprocess
import sys

compiler, source, words, *includes = sys.argv[1:]
command = [compiler, "-std=c++20", "-fsyntax-only", "-Werror", *includes, source]
good = subprocess.run(command, capture_output=True, text=True)
if good.returncode != 0:
    sys.exit(f"{source} must compile without the misuse, but:\n{good.stderr}")
bad = subprocess.run([*command, "-DBECKON_MISUSE"], capture_output=True, text=True)
if bad.returncode == 0:
    sys.exit(f"{source} compiles with the misuse: the type no longer prevents it")
if not re.search(words, bad.stderr):
    sys.exit(f"{source} fails for another reason than '{words}':\n{bad.stderr}")
