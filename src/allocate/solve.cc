#include <algorithm>
#include <cmath>

#include "newton.h"
#include "repair.h"

namespace beckon::allocate {
namespace {

// A second repair from other prices gains little on a large problem whose gap is small already.
constexpr std::size_t kSecondTryMax = 2'000'000;

// On a small problem whole picks matter: other starting points for repair and local search, around the best prices.
constexpr std::size_t kRestartCandidatesMax = 20'000;
constexpr std::size_t kRestarts = 30;

void add_restarts(const Problem& problem, const Options& options, std::vector<std::vector<double>>& prices) {
  if (problem.value.size() > kRestartCandidatesMax) {
    return;
  }
  base::Rng rng(options.seed, 2);
  const std::size_t tries = std::min(kRestarts, 200'000 / (problem.value.size() + 1));
  for (std::size_t i = 0; i < tries; ++i) {
    std::vector<double> price = prices[0];
    for (auto& p : price) {
      p *= std::exp(rng.normal() * (0.05 + 0.02 * static_cast<double>(i)));
    }
    prices.push_back(std::move(price));
  }
}

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
  BECKON_TRY_STATUS(validate(problem, options));
  if (!options.start_dual.empty() && options.start_dual.size() != problem.capacity.size()) {
    return base::invalid_argument("allocation: start_dual needs an entry per row");
  }
  const Context context = make_context(problem, options);
  Solution out;
  std::vector<std::vector<double>> prices;
  {
    const Instance instance = make_instance(context);
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
  add_restarts(problem, options, prices);
  for (const auto& price : prices) {
    const bool large = problem.value.size() > kSecondTryMax && static_cast<double>(best) >= out.upper_bound * (1 - 1e-4);
    if (static_cast<double>(best) >= target || large) {
      break;
    }
    Plan plan = repair(context, price);
    improve(plan, context, price, target);
    if (plan.value() > best) {
      best = plan.value();
      out.pick = plan.pick();
    }
  }
  out.value = best;
  tidy_slots(out.pick, problem.picks_max);
  out.gap = out.upper_bound > 0 ? std::max(0.0, (out.upper_bound - static_cast<double>(out.value)) / out.upper_bound) : 0;
  out.seconds = options.clock != nullptr ? static_cast<double>(options.clock->monotonic_ms() - started_ms) / 1000 : 0;
  return out;
}

}  // namespace beckon::allocate
