#!/usr/bin/env python3
"""Learners of effects beside causalml and econml: the same rows, rounds, depth, folds and threads; seconds and memory above the input. One
program at a time:

  python3 -m venv VENV && VENV/bin/pip install causalml econml xgboost
  cmake --preset release && cmake --build --preset release --target bench_uplift
  bench/compare_uplift.py --python VENV/bin/python [--rows 1000000] [--columns 20]

World: columns N(0, 1), half of the rows treated, y = x1 + x2·x3/2 + t·(1 + x0) + N(0, 1). Everybody fits on all rows and scores all rows. Trees: XGBoost's hist with
squared loss; linear: least squares (ours with its small ridge). X without folds, DR with three, as each package does it."""
import argparse
import os
import subprocess
import sys
import tempfile

THEIRS = r"""
import os, resource, sys, time
import numpy as np
path, columns, package, learner, base, rounds, depth, threads = sys.argv[1], int(sys.argv[2]), *sys.argv[3:6], *map(int, sys.argv[6:9])
data = np.fromfile(path, dtype=np.float32).reshape(-1, columns + 2)
X, t, y = np.ascontiguousarray(data[:, :columns]), data[:, columns].astype(int), data[:, columns + 1]
del data
from sklearn.linear_model import LinearRegression
from xgboost import XGBRegressor
def model():
    if base == "linear":
        return LinearRegression()
    return XGBRegressor(n_estimators=rounds, max_depth=depth, learning_rate=.1, tree_method="hist", n_jobs=threads, reg_lambda=1)
if package == "causalml":
    from causalml.inference.meta import BaseDRRegressor, BaseXRegressor
    learn = (BaseXRegressor if learner == "x" else BaseDRRegressor)(learner=model())
    p = np.full(len(y), .5)
    def run():
        if learner == "x":
            learn.fit(X=X, treatment=t, y=y, p=p)
            return learn.predict(X=X, p=p)
        learn.fit(X=X, treatment=t, y=y, p=p)
        return learn.predict(X=X)
else:
    from econml.dr import DRLearner
    from econml.metalearners import XLearner
    from sklearn.dummy import DummyClassifier
    if learner == "x":
        learn = XLearner(models=model(), propensity_model=DummyClassifier(), cate_models=model())
    else:
        learn = DRLearner(model_propensity=DummyClassifier(), model_regression=model(), model_final=model(), cv=3)
    def run():
        learn.fit(y, t, X=X)
        return learn.effect(X)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
started = time.monotonic()
effect = np.asarray(run()).ravel()
seconds = time.monotonic() - started
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(f"{package} {learner}/{base} {seconds:.2f} s, {after - before:.0f} MB above the input, correlation with the truth {np.corrcoef(effect, X[:, 0])[0, 1]:.3f}")
"""


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--python", required=True, help="a Python that has causalml, econml and xgboost")
    p.add_argument("--bench", default="build/release/bin/bench_uplift")
    p.add_argument("--rows", type=int, default=1_000_000)
    p.add_argument("--columns", type=int, default=20)
    p.add_argument("--rounds", default="60")
    p.add_argument("--depth", default="6")
    p.add_argument("--threads", default="2")
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "world.f32")
        make = (f"import numpy as np\nr = np.random.default_rng(1)\nX = r.standard_normal(({a.rows}, {a.columns}), dtype=np.float32)\n"
                f"t = r.integers(0, 2, {a.rows}).astype(np.float32)\n"
                "y = X[:, 1] + X[:, 2] * X[:, 3] / 2 + t * (1 + X[:, 0]) + r.standard_normal(len(t), dtype=np.float32)\n"
                f"np.column_stack([X, t, y]).astype(np.float32).tofile('{path}')\n")
        subprocess.run([a.python, "-c", make], check=True)
        script = os.path.join(folder, "theirs.py")
        with open(script, "w", encoding="utf-8") as out:
            out.write(THEIRS)
        environment = {**os.environ, "OMP_NUM_THREADS": a.threads, "OPENBLAS_NUM_THREADS": a.threads}
        failed = False
        for base in ("trees", "linear"):
            for learner in ("x", "dr"):
                print(f"load {open('/proc/loadavg').read().split()[0]}", flush=True)
                ours = [a.bench, path, "--columns", str(a.columns), "--learner", learner, "--base", base, "--rounds", a.rounds, "--depth", a.depth,
                        "--threads", a.threads]
                failed |= subprocess.run(ours).returncode != 0
                for package in ("causalml", "econml"):
                    done = subprocess.run([a.python, script, path, str(a.columns), package, learner, base, a.rounds, a.depth, a.threads],
                                          env=environment, stderr=subprocess.PIPE, text=True)
                    if done.returncode != 0:
                        print(f"{package} {learner}/{base} failed: {done.stderr.strip().splitlines()[-1] if done.stderr else ''}", flush=True)
                        failed = True
        sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
