// stats_soak [RUNS] [PEEKING_RUNS] [WORKERS] [RESAMPLES]: how often the intervals of stats hold the truth, in worlds where it is known. Prints a table
// and exits with 1 when a promise is broken: 93-97 % for what is unbiased, at least 95 % for what must hold always, at most 5 % refusals
// where the effective sample is 1,000 or more, at most 5 % false alarms of a daily look.
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "../src/stats/tests/worlds_helper.h"

namespace {

using namespace beckon::stats;          // NOLINT: a program of one file
using namespace beckon::stats::worlds;  // NOLINT

int broken = 0;

// Half-width that chance explains in 999 of 1,000 counts.
double chance(std::int64_t runs) { return 3.3 * std::sqrt(0.95 * 0.05 / static_cast<double>(runs)); }

void judge(bool holds, const char* what) {
  std::printf("%s", holds ? "\n" : what);
  broken += holds ? 0 : 1;
}

bool starts(const std::string& name, const char* with) { return name.rfind(with, 0) == 0; }

// What each interval promises: 1 to hold 95 % (93-97), 2 at least 95 %, 0 nothing (biased by construction), 3 nothing because another
// interval is the one that is reported: corrected for skewness for policies, Welch's for differences.
int promise_of(const std::string& name) {
  if (name.find("bernstein") != std::string::npos || name.find("always") != std::string::npos) {
    return 2;
  }
  for (const char* biased : {"dm ", "ipw_clipped ", "switch_dr ", "dr_os ", "mipw ", "iips"}) {
    if (starts(name, biased)) {
      return 0;
    }
  }
  const bool shown_only = name.ends_with(" normal") || name.ends_with(" bootstrap") || name == "difference, bootstrap" || starts(name, "ipw ");
  return shown_only ? 3 : 1;
}

void row(const std::string& name, const Tally& tally, double truth) {
  const double coverage = tally.coverage();
  std::printf("  %-28s %6.1f %% %9.2f %% %12.5f", name.c_str(), 100 * coverage, 100 * tally.bias() / truth, tally.mean_width());
  switch (promise_of(name)) {
    case 1:
      judge(coverage >= 0.93 - (tally.runs < 2000 ? chance(tally.runs) : 0) && coverage <= 0.97 + (tally.runs < 2000 ? chance(tally.runs) : 0),
            "   NOT 93-97 %\n");
      break;
    case 2:
      judge(coverage >= 0.95 - (tally.runs < 2000 ? chance(tally.runs) : 0), "   BELOW 95 %\n");
      break;
    case 0:
      std::printf("   biased by construction\n");
      break;
    default:
      std::printf("\n");
  }
}

void heading(const std::string& world, double truth) {
  std::printf("\n%s (truth %.5f)\n  %-28s %8s %11s %12s\n", world.c_str(), truth, "interval", "holds", "bias", "mean width");
}

void log_world(const LogWorld& world, const RunOptions& options) {
  const Counts counts = run(world, options);
  heading(world.name, world.truth());
  for (const auto& [name, tally] : counts.by_interval) {
    row(name, tally, world.truth());
  }
  std::printf("  effective sample %.0f on average, refused %.1f %%", counts.ess, 100.0 * static_cast<double>(counts.refused) / options.runs);
  judge(counts.ess < 1000 || static_cast<double>(counts.refused) <= 0.05 * options.runs, "   MORE THAN 5 % REFUSED\n");
  std::fflush(stdout);
}

void peeking(int runs, beckon::base::Executor* executor) {
  std::printf("\ndaily looks for 30 days\n");
  for (const bool skewed : {false, true}) {
    const Peeking nothing = peek({.runs = runs, .skewed = skewed, .executor = executor});
    std::printf("  no effect, %-14s false alarms: always valid %5.2f %%, plain test %5.2f %%; width on the last day %.4f against %.4f",
                skewed ? "skewed spend" : "normal values", 100 * nothing.always_valid, 100 * nothing.plain, nothing.always_width, nothing.plain_width);
    judge(nothing.always_valid <= 0.05 && nothing.covered_all_days >= 0.95, "   MORE THAN 5 %\n");
    const int effects = std::max(100, runs / 5);
    const Peeking effect = peek({.runs = effects, .effect_errors = 4, .skewed = skewed, .executor = executor});
    std::printf("  effect of 4 final errors: found %5.1f %% of %d, held on all days %5.2f %%", 100 * effect.always_valid, effects,
                100 * effect.covered_all_days);
    judge(effect.always_valid >= 0.75 && effect.covered_all_days >= 0.95, "   TOO SELDOM\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto number = [&](int i, int fallback) { return argc > i ? std::atoi(argv[i]) : fallback; };
  beckon::base::ThreadExecutor executor(static_cast<std::size_t>(number(3, 2)));
  RunOptions options;
  options.runs = number(1, 2000);
  options.resamples = number(4, 400);  // 0: no bootstrap of policies, a third of the time
  options.executor = &executor;
  std::printf("%d runs a world; intervals of 95 %%; bias in %% of the truth\n", options.runs);
  for (const LogWorld& world : log_worlds()) {
    log_world(world, options);
  }
  const auto slates = run_slates(options);
  heading("slates of three, read from the first on", slates_truth());
  for (const auto& [name, tally] : slates) {
    row(name, tally, slates_truth());
  }
  for (const ExperimentWorld& world : experiment_worlds()) {
    heading("experiment: " + world.name, world.truth());
    for (const auto& [name, tally] : run(world, options)) {
      row(name, tally, starts(name, "ratio") ? world.ratio_truth() : world.truth());
    }
    std::fflush(stdout);
  }
  peeking(number(2, 10000), &executor);
  std::printf("\n%d promises broken\n", broken);
  return broken == 0 ? 0 : 1;
}
