#include "beckon/sim/sim.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "beckon/engine/holder.h"

namespace beckon::sim {
namespace {

class Folder {
 public:
  explicit Folder(const std::string& name)
      : path_(std::filesystem::temp_directory_path() / ("beckon_sim_" + std::to_string(::getpid()) + "_" + name)) {
    std::filesystem::remove_all(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

SimulateOptions small(const Folder& folder, std::uint64_t seed) {
  SimulateOptions options;
  options.folder = folder.path();
  options.seed = seed;
  options.customers = 200;
  options.days = 60;
  options.budget = "60.00";
  options.compare_strategies = false;
  return options;
}

base::Result<base::Json> run(const SimulateOptions& options) {
  BECKON_TRY(const Simulation simulation, prepare(options));
  engine::OpenOptions open;
  open.folder = options.folder;
  open.as_of = simulation.starts;
  open.simulated_clock = true;
  open.command = "simulate";
  open.quiet = true;
  BECKON_TRY(const auto context, engine::open_shop(open));
  return play(*context, simulation, [](const std::string&) {});
}

const base::Json& row_of(const base::Json& answer, const std::string& metric, const std::string& compared) {
  for (const auto& row : answer["truth"]["comparisons"]) {
    if (row["metric"] == metric && row["compared"] == compared) {
      return row;
    }
  }
  static const base::Json kNone;
  return kNone;
}

TEST(Simulate, TheWholeWayEndsWithAReportBesideTheTruth) {
  // The one command that shows that all rooms work together, and the only place where the report can be checked against what is true.
  const Folder folder("whole");
  const auto answer = run(small(folder, 3));
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_GT(base::int_or((*answer)["truth"], "messages"), 20);
  EXPECT_EQ(base::int_or((*answer)["checks"], "left_twice", -1), 0);
  EXPECT_EQ(base::int_or((*answer)["checks"], "customers_written_to_twice", -1), 0);
  EXPECT_LE(base::int_or((*answer)["checks"], "over_budget_minor", 1), 0);
  EXPECT_FALSE(base::bool_or((*answer)["report"], "replay", true));
  EXPECT_GT(base::int_or((*answer)["report"]["totals"], "opened"), 0);
  EXPECT_GT(base::int_or((*answer)["report"]["totals"], "clicked"), 0);
  const base::Json& ages = (*answer)["report"]["ages"];
  ASSERT_EQ(ages["weekly"]["weeks"].size(), 2U) << "as long after the end as it lasted, at least two weeks";
  const base::Json& weeks = ages["weekly"]["weeks"];
  EXPECT_EQ(base::int_or(weeks[1], "waiting", -1), 0);
  EXPECT_NEAR(base::real_or(weeks[0]["lift"], "difference") + base::real_or(weeks[1]["lift"], "difference"), base::real_or(weeks[1]["so_far"], "difference"), 1e-6);
  EXPECT_TRUE(ages["returns"].contains("unknown")) << "nobody returns anything in this world";
  EXPECT_TRUE(base::bool_or((*answer)["report"]["totals"], "complete"));
  EXPECT_EQ(base::int_or((*answer)["report"]["totals"], "machine_answers", -1), 0) << "its customers are people";
  EXPECT_GT(base::int_or((*answer)["report"]["budgets"][0], "settled_minor"), 0);
  EXPECT_EQ(base::int_or((*answer)["report"]["budgets"][0], "escrowed_minor", -1), 0) << "coupons that expired must give their money back";
  EXPECT_TRUE(std::filesystem::exists(folder.path() + "/reports/simulation.html"));
  EXPECT_TRUE(std::filesystem::exists(folder.path() + "/reports/promotion.html"));
}

TEST(Simulate, RunAgainNothingIsSentTwiceAndTheFiguresStay) {
  // Somebody who gives the command twice must not write to every customer twice, nor count every answer twice.
  const Folder folder("again");
  const auto first = run(small(folder, 4));
  ASSERT_TRUE(first.ok()) << first.error().message;
  const auto second = run(small(folder, 4));
  ASSERT_TRUE(second.ok()) << second.error().message;
  EXPECT_GT(base::int_or((*first)["send"], "accepted"), 0);
  EXPECT_EQ(base::int_or((*second)["send"], "accepted", -1), 0);
  EXPECT_EQ(base::int_or((*second)["ingest"], "accepted", -1), 0);
  EXPECT_EQ(base::int_or((*second)["answers"], "accepted", -1), 0);
  EXPECT_EQ((*first)["truth"], (*second)["truth"]);
  EXPECT_EQ((*first)["report"]["totals"], (*second)["report"]["totals"]);
}

TEST(Simulate, WithoutEffectTheReportClaimsNone) {
  // "We picked people who buy" shown as "we made them buy" is how promotion budgets get wasted. tools/soak counts many more worlds.
  constexpr int kSeeds = 10;
  int holds_zero = 0;
  int holds_truth = 0;
  for (int seed = 1; seed <= kSeeds; ++seed) {
    const Folder folder("none" + std::to_string(seed));
    SimulateOptions options = small(folder, static_cast<std::uint64_t>(seed));
    options.effect = 0;
    const auto answer = run(options);
    ASSERT_TRUE(answer.ok()) << answer.error().message;
    const base::Json& margin = row_of(*answer, "margin", "audience");
    holds_zero += base::bool_or(margin, "holds_zero") ? 1 : 0;
    holds_truth += base::bool_or(margin, "holds_truth") ? 1 : 0;
    EXPECT_EQ(base::real_or(row_of(*answer, "conversion", "audience"), "truth", 1), 0) << "seed " << seed;
  }
  EXPECT_GE(holds_zero, 8);
  EXPECT_GE(holds_truth, 8);
}

TEST(Simulate, PlanningByValueIsBetterThanDrawingLots) {
  // If a random plan of the same budget brings as much, the whole machinery is for nothing.
  double value_minor = 0;
  double random_minor = 0;
  for (const std::uint64_t seed : {5U, 6U, 7U}) {
    const Folder folder("value" + std::to_string(seed));
    SimulateOptions options = small(folder, seed);
    options.customers = 400;
    options.compare_strategies = true;
    const auto answer = run(options);
    ASSERT_TRUE(answer.ok()) << answer.error().message;
    for (const auto& row : (*answer)["strategies"]) {
      value_minor += row["strategy"] == "value" ? base::real_or(row, "expected_extra_margin_minor") : 0;
      random_minor += row["strategy"] == "random" ? base::real_or(row, "expected_extra_margin_minor") : 0;
    }
  }
  EXPECT_GT(value_minor, random_minor);
  EXPECT_GT(value_minor, 0);
}

TEST(Simulate, ARealShopIsNeverTouched) {
  // A simulation that writes a config or a key over a shop's own would lock it out of its data.
  const Folder folder("real");
  base::PosixFileSystem files;
  ASSERT_TRUE(engine::init_shop(files, {folder.path(), "csv", ""}).ok());
  const std::string config = files.read(folder.path() + "/beckon.toml").value();
  const auto simulation = prepare(small(folder, 1));
  ASSERT_FALSE(simulation.ok());
  EXPECT_EQ(simulation.error().code, base::ErrorCode::kAlreadyExists);
  EXPECT_EQ(files.read(folder.path() + "/beckon.toml").value(), config);
}

TEST(Simulate, AnotherWorldDoesNotGoIntoTheSameFolder) {
  // Half of one world and half of another has no truth at all.
  const Folder folder("other");
  ASSERT_TRUE(prepare(small(folder, 1)).ok());
  EXPECT_TRUE(prepare(small(folder, 1)).ok());
  EXPECT_FALSE(prepare(small(folder, 2)).ok());
  SimulateOptions options = small(folder, 1);
  options.strategy = "best";
  EXPECT_FALSE(prepare(options).ok());
  options = small(folder, 1);
  options.effect = -1;
  EXPECT_FALSE(prepare(options).ok());
}

}  // namespace
}  // namespace beckon::sim
