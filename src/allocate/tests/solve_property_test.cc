// A budget could be overrun, or money left on the table unnoticed, if one of these broke.
#include <gtest/gtest.h>

#include <limits>

#include "random_problem.h"

namespace beckon::allocate {
namespace {

// Solves and holds every promise of the header against the verifier.
Solution solve_checked(const Problem& problem, const Options& options = {}) {
  const auto solution = solve(problem, options);
  EXPECT_TRUE(solution.ok()) << solution.error().message;
  const Audit audit = verify(problem, solution->pick);
  EXPECT_TRUE(audit.feasible) << audit.problem;
  EXPECT_EQ(audit.value, solution->value);
  EXPECT_LE(static_cast<double>(solution->value), solution->upper_bound);
  EXPECT_GE(solution->gap, 0);
  EXPECT_LE(solution->gap, 1);
  EXPECT_EQ(solution->dual.size(), problem.capacity.size());
  for (const double price : solution->dual) {
    EXPECT_GE(price, 0);
  }
  for (const auto c : solution->pick) {
    EXPECT_TRUE(c < 0 || problem.value[static_cast<std::size_t>(c)] > 0) << "a worthless candidate was picked";
  }
  return *solution;
}

// Largest value by trying everything.
class BruteForce {
 public:
  explicit BruteForce(const Problem& problem)
      : problem_(problem), left_(problem.capacity), picked_(static_cast<std::size_t>(problem.picks_max)) {}
  std::int64_t best() {
    customer(0, 0);
    return best_;
  }

 private:
  void customer(std::int64_t i, std::int64_t value) {
    if (i == problem_.customers()) {
      best_ = std::max(best_, value);
      return;
    }
    pick(i, {problem_.customer_start[static_cast<std::size_t>(i)], value}, 0);
  }
  void pick(std::int64_t i, std::pair<std::int64_t, std::int64_t> from_and_value, std::size_t count) {
    const auto [from, value] = from_and_value;
    customer(i + 1, value);
    for (auto c = from; c < problem_.customer_start[static_cast<std::size_t>(i) + 1] && count < picked_.size(); ++c) {
      if (problem_.value[static_cast<std::size_t>(c)] <= 0 || !take(c, count)) {
        continue;
      }
      // The recursion into the next customers uses its own prefix of picked_, so it is restored afterwards.
      const auto saved = picked_;
      picked_[count] = c;
      pick(i, {c + 1, value + problem_.value[static_cast<std::size_t>(c)]}, count + 1);
      picked_ = saved;
      for (const auto& use : problem_.uses_of(c)) {
        left_[static_cast<std::size_t>(use.row)] += use.amount;
      }
    }
  }
  bool take(std::int64_t c, std::size_t count) {
    for (std::size_t p = 0; p < count && !problem_.group.empty(); ++p) {
      const auto group = problem_.group[static_cast<std::size_t>(c)];
      if (group >= 0 && problem_.group[static_cast<std::size_t>(picked_[p])] == group) {
        return false;
      }
    }
    for (const auto& use : problem_.uses_of(c)) {
      if (use.amount > left_[static_cast<std::size_t>(use.row)]) {
        return false;
      }
    }
    for (const auto& use : problem_.uses_of(c)) {
      left_[static_cast<std::size_t>(use.row)] -= use.amount;
    }
    return true;
  }
  const Problem& problem_;
  std::vector<std::int64_t> left_;
  std::vector<std::int64_t> picked_;
  std::int64_t best_ = 0;
};

TEST(Solve, TinyProblemsComeCloseToBruteForceAndNeverAboveIt) {
  double lost = 0;
  double total = 0;
  int exact = 0;
  constexpr int kSeeds = 300;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Shape shape{.customers = 6, .candidates = 4, .budgets = 1 + static_cast<std::int64_t>(seed % 2), .quantities = 2, .slots = 1};
    shape.picks_max = 1 + static_cast<std::int32_t>(seed % 3);
    shape.groups = seed % 5 == 0 ? 2 : 0;
    const Problem problem = random_problem(shape, seed);
    const Solution solution = solve_checked(problem);
    const std::int64_t best = BruteForce(problem).best();
    EXPECT_LE(solution.value, best);
    EXPECT_GE(solution.upper_bound, static_cast<double>(best));
    lost += static_cast<double>(best - solution.value);
    total += static_cast<double>(best);
    exact += best == solution.value ? 1 : 0;
  }
  RecordProperty("exact", exact);
  EXPECT_LE(lost / total, 0.01);
  EXPECT_GE(exact, 0.93 * kSeeds) << exact << ' ' << lost / total;
}

TEST(Solve, RandomShapesHoldEveryPromise) {
  for (std::uint64_t seed = 1; seed <= 80; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    base::Rng rng(seed, 9);
    Shape shape;
    shape.customers = 1 + static_cast<std::int64_t>(rng.below(300));
    shape.candidates = 1 + static_cast<std::int64_t>(rng.below(15));
    shape.budgets = static_cast<std::int64_t>(rng.below(5));
    shape.quantities = static_cast<std::int64_t>(rng.below(20));
    shape.slots = static_cast<std::int64_t>(rng.below(6));
    shape.picks_max = 1 + static_cast<std::int32_t>(rng.below(4));
    shape.groups = static_cast<std::int32_t>(rng.below(4));
    shape.tightness = rng.chance(0.2) ? 0.02 : rng.uniform() * 1.5;
    shape.round_to = rng.chance(0.3) ? 500'000 : 1;
    solve_checked(random_problem(shape, seed));
  }
}

TEST(Solve, OneRowIsExactUpToIntegrality) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Problem problem = random_problem({.customers = 3000, .budgets = 1, .quantities = 0, .slots = 0}, seed);
    const Solution solution = solve_checked(problem);
    const auto largest = *std::max_element(problem.value.begin(), problem.value.end());
    EXPECT_LE(solution.upper_bound - static_cast<double>(solution.value), static_cast<double>(largest));
    EXPECT_LE(solution.gap, 1e-3);
  }
}

TEST(Solve, GapsShrinkWithSize) {
  EXPECT_LE(solve_checked(random_problem({.customers = 2000}, 3)).gap, 2e-3);
  EXPECT_LE(solve_checked(random_problem({.customers = 20'000, .budgets = 5, .quantities = 20, .slots = 10}, 3)).gap, 3e-4);
  EXPECT_LE(solve_checked(random_problem({.customers = 20'000, .picks_max = 3, .groups = 5}, 3)).gap, 3e-4);
}

TEST(Solve, TheAnswerDoesNotDependOnWorkersOrTheirOrder) {
  Problem problem = random_problem({.customers = 5000, .candidates = 10, .budgets = 3, .quantities = 12, .slots = 5, .picks_max = 2,
                                    .groups = 3}, 8);
  const Solution alone = solve_checked(problem);
  base::ThreadExecutor threads(4);
  base::SeededExecutor seeded(5);
  for (base::Executor* executor : {static_cast<base::Executor*>(&threads), static_cast<base::Executor*>(&seeded)}) {
    Options options;
    options.executor = executor;
    const Solution other = solve_checked(problem, options);
    EXPECT_EQ(alone.pick, other.pick);
    EXPECT_EQ(alone.dual, other.dual);
    EXPECT_EQ(alone.upper_bound, other.upper_bound);
  }
}

TEST(Solve, NoCapacityMeansNoPicksAndABoundOfZero) {
  Problem problem = random_problem({.customers = 50}, 1);
  for (auto& use : problem.uses) {
    use.amount += 1;
  }
  std::fill(problem.capacity.begin(), problem.capacity.end(), 0);
  const Solution solution = solve_checked(problem);
  EXPECT_EQ(solution.value, 0);
  EXPECT_EQ(solution.upper_bound, 0);
  EXPECT_EQ(solution.gap, 0);
}

TEST(Solve, NothingWorthwhileNothingPicked) {
  Problem problem = random_problem({.customers = 50}, 1);
  for (auto& value : problem.value) {
    value = -std::abs(value);
  }
  const Solution solution = solve_checked(problem);
  EXPECT_TRUE(std::all_of(solution.pick.begin(), solution.pick.end(), [](std::int64_t c) { return c == -1; }));
}

TEST(Solve, EmptyAndSingleProblemsWork) {
  EXPECT_TRUE(solve_checked({.customer_start = {0}, .value = {}, .use_start = {0}, .uses = {}, .capacity = {}}).pick.empty());
  EXPECT_EQ(solve_checked({.customer_start = {0, 0}, .value = {}, .use_start = {0}, .uses = {}, .capacity = {3}}).pick,
            std::vector<std::int64_t>{-1});
  const Solution one = solve_checked({.customer_start = {0, 3}, .value = {5, 9, 7}, .use_start = {0, 1, 2, 3},
                                      .uses = {{0, 1}, {0, 4}, {0, 2}}, .capacity = {3}});
  EXPECT_EQ(one.pick, std::vector<std::int64_t>{2});
  EXPECT_EQ(one.upper_bound, 7);  // the 9 can never fit, so it does not raise the bound
}

TEST(Solve, TiesBetweenIdenticalCustomersFillTheBudgetExactly) {
  Problem problem{.customer_start = {0}, .value = {}, .use_start = {0}, .uses = {}, .capacity = {370, 100}};
  for (std::int64_t i = 0; i < 500; ++i) {
    problem.value.insert(problem.value.end(), {1000, 1000});
    problem.uses.insert(problem.uses.end(), {{0, 1}, {0, 1}, {1, 1}});
    problem.use_start.insert(problem.use_start.end(), {static_cast<std::int64_t>(3 * i + 1), static_cast<std::int64_t>(3 * i + 3)});
    problem.customer_start.push_back(2 * (i + 1));
  }
  const Solution solution = solve_checked(problem);
  EXPECT_EQ(solution.value, 370'000);
  EXPECT_NEAR(solution.upper_bound, 370'000, 100);
}

TEST(Solve, AWarmStartReachesTheSameBound) {
  const Problem problem = random_problem({.customers = 4000}, 12);
  const Solution cold = solve_checked(problem);
  Options options;
  options.start_dual = cold.dual;
  const Solution warm = solve_checked(problem, options);
  EXPECT_NEAR(warm.upper_bound, cold.upper_bound, 1e-5 * cold.upper_bound);
  options.start_dual = {1};
  EXPECT_FALSE(solve(problem, options).ok());
}

TEST(Solve, ContradictoryArraysAreRefusedWithTheirPlace) {
  const Problem good{.customer_start = {0, 2}, .value = {5, 6}, .use_start = {0, 1, 2}, .uses = {{0, 1}, {0, 1}}, .capacity = {1}};
  EXPECT_TRUE(solve(good).ok());
  const auto refused = [&](auto change, const std::string& words) {
    Problem bad = good;
    change(bad);
    const auto out = solve(bad);
    ASSERT_FALSE(out.ok()) << words;
    EXPECT_EQ(out.error().code, base::ErrorCode::kInvalidArgument);
    EXPECT_NE(out.error().message.find(words), std::string::npos) << out.error().message;
  };
  refused([](Problem& p) { p.uses[1].row = 1; }, "candidate 1 uses a row that does not exist: 1");
  refused([](Problem& p) { p.uses[0].amount = -1; }, "negative");
  refused([](Problem& p) { p.capacity[0] = -1; }, "capacity of row 0");
  refused([](Problem& p) { p.customer_start = {0, 1}; }, "customer_start");
  refused([](Problem& p) { p.use_start = {0, 2, 1}; }, "use_start");
  refused([](Problem& p) { p.use_start = {0, 0, 2}; p.uses = {{0, 1}, {0, 2}}; }, "lists twice row 0");
  refused([](Problem& p) { p.picks_max = 0; }, "picks_max");
  refused([](Problem& p) { p.group = {1}; }, "group");
  refused([](Problem& p) { p.value[0] = p.value[1] = std::int64_t{1} << 61; p.value[0] += 1; p.value[1] += 1; }, "2^62");
}

TEST(Verify, FindsEveryKindOfWrongPlan) {
  Problem problem{.customer_start = {0, 2, 4}, .value = {5, 6, 7, 8}, .use_start = {0, 1, 2, 3, 4},
                  .uses = {{0, 1}, {0, 2}, {0, 1}, {0, 2}}, .capacity = {3}, .picks_max = 2};
  using Picks = std::vector<std::int64_t>;
  EXPECT_TRUE(verify(problem, Picks{0, -1, 3, -1}).feasible);
  EXPECT_EQ(verify(problem, Picks{0, -1, 3, -1}).value, 13);
  EXPECT_EQ(verify(problem, Picks{0, -1, 3, -1}).used[0], 3);
  EXPECT_NE(verify(problem, Picks{1, -1, 3, -1}).problem.find("row 0 uses 4 of 3"), std::string::npos);
  EXPECT_NE(verify(problem, Picks{2, -1, -1, -1}).problem.find("customer 0"), std::string::npos);
  EXPECT_NE(verify(problem, Picks{0, 0, -1, -1}).problem.find("twice"), std::string::npos);
  EXPECT_NE(verify(problem, Picks{0}).problem.find("length"), std::string::npos);
  EXPECT_NE(verify(problem, Picks{-2, -1, -1, -1}).problem.find("not one of his"), std::string::npos);
  problem.group = {4, 4, -1, -1};
  EXPECT_NE(verify(problem, Picks{0, 1, -1, -1}).problem.find("group 4"), std::string::npos);
}

TEST(DualBound, HoldsForAnyPricesAndIsTightAtTheRightOnes) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const Problem problem = random_problem({.customers = 5, .candidates = 3, .picks_max = 2, .groups = seed % 2 == 0 ? 2 : 0}, seed);
    const auto best = static_cast<double>(BruteForce(problem).best());
    base::Rng rng(seed, 3);
    for (int i = 0; i < 20; ++i) {
      std::vector<double> prices;
      for (std::size_t m = 0; m < problem.capacity.size(); ++m) {
        prices.push_back(rng.chance(0.3) ? 0 : 1e5 * rng.exponential());
      }
      EXPECT_GE(dual_bound(problem, prices), best);
    }
  }
  const Problem shop{.customer_start = {0, 1, 2}, .value = {10, 4}, .use_start = {0, 1, 2}, .uses = {{0, 1}, {0, 1}}, .capacity = {1}};
  EXPECT_NEAR(dual_bound(shop, std::vector{4.0}), 10, 1e-9);
  EXPECT_NEAR(dual_bound(shop, std::vector{0.0}), 14, 1e-9);
}

}  // namespace
}  // namespace beckon::allocate
