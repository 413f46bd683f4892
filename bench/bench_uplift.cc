// One learner of effects on one file, timed: what bench/compare_uplift.py sets beside causalml and econml.
//
// FILE: rows × (columns + 2) floats, row-major: the columns, treated (0 or 1), outcome. Fits on all rows and scores all rows.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <numeric>

#include "beckon/uplift/uplift.h"

using namespace beckon;

namespace {

struct Arguments {
  std::string file;
  std::size_t columns = 20;
  std::string learner = "x";
  std::string base = "trees";
  int rounds = 60;
  int depth = 6;
  int folds = 3;
  int threads = 2;
};

uplift::Trial read(const Arguments& arguments) {
  std::ifstream file(arguments.file, std::ios::binary | std::ios::ate);
  const std::size_t wide = arguments.columns + 2;
  const std::size_t rows = static_cast<std::size_t>(file.tellg()) / sizeof(float) / wide;
  file.seekg(0);
  uplift::Trial trial;
  trial.x.rows = rows;
  trial.x.columns = arguments.columns;
  trial.x.values.reserve(rows * arguments.columns);
  std::vector<float> row(wide);
  for (std::size_t r = 0; r < rows; ++r) {
    file.read(reinterpret_cast<char*>(row.data()), static_cast<std::streamsize>(wide * sizeof(float)));
    trial.x.values.insert(trial.x.values.end(), row.begin(), row.end() - 2);
    trial.treated.push_back(row[wide - 2] > 0 ? 1 : 0);
    trial.outcome.push_back(row[wide - 1]);
  }
  trial.propensity.assign(rows, 0.5F);
  return trial;
}

double peak_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app{"one learner of effects on one file"};
  app.add_option("FILE", arguments.file)->required();
  app.add_option("--columns", arguments.columns);
  app.add_option("--learner", arguments.learner)->check(CLI::IsMember({"x", "dr"}));
  app.add_option("--base", arguments.base)->check(CLI::IsMember({"trees", "linear"}));
  app.add_option("--rounds", arguments.rounds);
  app.add_option("--depth", arguments.depth);
  app.add_option("--folds", arguments.folds);
  app.add_option("--threads", arguments.threads);
  CLI11_PARSE(app, argc, argv);
  const uplift::Trial trial = read(arguments);
  const double before_mb = peak_mb();
  uplift::TreeOptions trees;
  trees.amount_rounds = arguments.rounds;
  trees.amount_leaves = 0;  // depth bounds a tree, as in the opponents
  trees.depth_max = arguments.depth;
  trees.amount_rows_min = 1;
  trees.l2 = 1;
  trees.learning_rate = 0.1;
  trees.threads = arguments.threads;
  base::ThreadExecutor executor(static_cast<std::size_t>(arguments.threads));
  uplift::LinearOptions lines;
  lines.executor = &executor;
  const auto base = arguments.base == "trees" ? uplift::boosted_trees(trees) : uplift::linear(lines);
  uplift::Ask ask{&trial.x, std::vector<std::uint32_t>(trial.x.rows), trial.propensity};
  std::iota(ask.rows.begin(), ask.rows.end(), 0U);
  const auto learner = arguments.learner == "x" ? uplift::Learner::kCross : uplift::Learner::kDoublyRobust;
  const auto started = std::chrono::steady_clock::now();
  const auto scores = uplift::learn_and_score(trial, ask.rows, {{learner, 0}}, ask, {{base.get()}, arguments.folds, 1});
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  if (!scores.ok()) {
    std::fprintf(stderr, "bench_uplift: %s\n", scores.error().message.c_str());
    return 1;
  }
  // The effect of the committed world is its first column: the scores must follow it.
  double both = 0;
  double own = 0;
  double truth = 0;
  for (std::size_t r = 0; r < trial.x.rows; ++r) {
    const double t = static_cast<double>(trial.x.row(r)[0]);
    const double s = static_cast<double>((*scores)[0][r]) - 1;
    both += t * s;
    own += s * s;
    truth += t * t;
  }
  std::printf("%s/%s %.2f s, %.0f MB above the input, correlation with the truth %.3f\n", arguments.learner.c_str(), arguments.base.c_str(), seconds,
              peak_mb() - before_mb, both / std::sqrt(own * truth));
  return 0;
}
