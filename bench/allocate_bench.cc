// allocate_bench CUSTOMERS CANDIDATES BUDGETS QUANTITIES SLOTS PICKS WORKERS SEED GAP_TARGET: time and certified gap on a random problem.
#include <cstdlib>
#include <iostream>

#include "../src/allocate/tests/random_problem.h"
#include "beckon/base/clock.h"

int main(int argc, char** argv) {
  const auto number = [&](int i, std::int64_t fallback) { return argc > i ? std::atoll(argv[i]) : fallback; };
  beckon::allocate::Shape shape;
  shape.customers = number(1, 100'000);
  shape.candidates = number(2, 20);
  shape.budgets = number(3, 10);
  shape.quantities = number(4, 60);
  shape.slots = number(5, 30);
  shape.picks_max = static_cast<std::int32_t>(number(6, 1));
  shape.ragged = false;
  const auto problem = beckon::allocate::random_problem(shape, static_cast<std::uint64_t>(number(8, 1)));
  const beckon::base::SystemClock clock;
  beckon::base::ThreadExecutor executor(static_cast<std::size_t>(number(7, 2)));
  beckon::allocate::Options options;
  options.executor = &executor;
  options.clock = &clock;
  options.gap_target = argc > 9 ? std::atof(argv[9]) : options.gap_target;
  const auto solution = beckon::allocate::solve(problem, options);
  if (!solution.ok()) {
    std::cerr << solution.error().message << "\n";
    return 1;
  }
  const auto audit = beckon::allocate::verify(problem, solution->pick);
  std::cout << "customers " << shape.customers << " rows " << problem.rows() << " seconds " << solution->seconds << " passes "
            << solution->passes << " converged " << solution->converged << " value " << solution->value << " bound "
            << solution->upper_bound << " gap " << solution->gap << (audit.feasible ? " feasible" : " INFEASIBLE") << "\n";
  return audit.feasible && audit.value == solution->value ? 0 : 1;
}
