#include <algorithm>
#include <cmath>

#include "newton.h"
#include "repair.h"

namespace beckon::allocate {
namespace {

// -1 last, candidates ascending: the same answer whatever way a pick took into its slot.
void tidy_slots(std::vector<std::int64_t>& pick, std::int32_t width) {
  for (auto from = pick.begin(); from != pick.end(); from += width) {
    std::sort(from, from + width, [](std::int64_t a, std::int64_t b) {
      return static_cast<std::uint64_t>(a) < static_cast<std::uint64_t>(b);  // -1 becomes the largest
    });
  }
}

}  // namespace

base::Result<Solution> solve(const Problem& problem, const Options& options) {
  const std::int64_t started_ms = options.clock != nullptr ? options.clock->monotonic_ms() : 0;
  BECKON_TRY_STATUS(validate(problem));
  if (!options.start_dual.empty() && options.start_dual.size() != problem.capacity.size()) {
    return base::invalid_argument("allocation: start_dual needs an entry per row");
  }
  Solution out;
  std::vector<std::vector<double>> prices;
  {
    const Instance instance = make_instance(problem, options);
    Evaluator evaluator(instance, options.executor);
    std::vector<double> start = options.start_dual.empty() ? std::vector<double>{} : instance.dual_in(options.start_dual);
    const DualResult dual = minimise_dual(instance, evaluator, options, std::move(start));
    prices = {instance.dual_out(dual.best), instance.dual_out(dual.smooth)};
    out.converged = dual.converged;
    out.passes = static_cast<int>(std::lround(evaluator.passes()));
  }
  out.dual = prices[0];
  out.upper_bound = std::floor(dual_bound(problem, out.dual));  // values are whole
  const double target = out.upper_bound * (1 - options.gap_target);
  std::int64_t best = -1;
  for (std::size_t i = 0; i < prices.size(); ++i) {
    if (i > 0 && prices[i] == prices[0]) {
      continue;
    }
    Plan plan = repair(problem, prices[i], options);
    improve(plan, problem, prices[i], options, target);
    if (plan.value() > best) {
      best = plan.value();
      out.pick = plan.pick();
    }
    if (static_cast<double>(best) >= target) {
      break;
    }
  }
  out.value = best;
  tidy_slots(out.pick, problem.picks_max);
  out.gap = out.upper_bound > 0 ? std::max(0.0, (out.upper_bound - static_cast<double>(out.value)) / out.upper_bound) : 0;
  out.seconds = options.clock != nullptr ? static_cast<double>(options.clock->monotonic_ms() - started_ms) / 1000 : 0;
  return out;
}

}  // namespace beckon::allocate
