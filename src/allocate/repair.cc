#include "repair.h"

#include <algorithm>
#include <limits>

namespace beckon::allocate {
namespace {

constexpr std::size_t kParts = 64;

struct Move {
  double key;  // sorted by it, ascending
  std::uint64_t tie;
  std::int64_t slot;
  std::int64_t candidate;
};

bool before(const Move& a, const Move& b) {
  return a.key != b.key ? a.key < b.key : a.tie != b.tie ? a.tie < b.tie : a.candidate < b.candidate;
}

// The exact best choice of one customer at the prices: candidates by reduced value, the first of each group.
void choose(const Context& context, std::span<const double> dual, std::int64_t customer, std::span<std::int64_t> picks) {
  const Problem& problem = context.problem;
  std::vector<std::pair<double, std::int64_t>> positive;
  const auto i = static_cast<std::size_t>(customer);
  for (auto c = problem.customer_start[i]; c < problem.customer_start[i + 1]; ++c) {
    if (context.can(c)) {
      if (const double r = reduced_value(problem, c, dual); r > 0) {
        positive.emplace_back(-r, c);
      }
    }
  }
  std::sort(positive.begin(), positive.end());
  std::size_t taken = 0;
  for (const auto& [key, c] : positive) {
    if (taken == picks.size()) {
      break;
    }
    const std::int32_t group = problem.group.empty() ? -1 : problem.group[static_cast<std::size_t>(c)];
    const bool again = group >= 0 && std::any_of(picks.begin(), picks.begin() + static_cast<std::ptrdiff_t>(taken),
                                                 [&](std::int64_t p) { return problem.group[static_cast<std::size_t>(p)] == group; });
    if (!again) {
      picks[taken++] = c;
    }
  }
}

std::vector<std::int64_t> best_choice(const Context& context, std::span<const double> dual) {
  const Problem& problem = context.problem;
  const auto width = static_cast<std::size_t>(problem.picks_max);
  std::vector<std::int64_t> pick(static_cast<std::size_t>(problem.customers()) * width, -1);
  run_tasks(context.options.executor, kParts, [&](std::size_t part) {
    const auto end = part_begin(problem.customers(), part + 1, kParts);
    for (auto i = part_begin(problem.customers(), part, kParts); i < end; ++i) {
      choose(context, dual, i, std::span(pick).subspan(static_cast<std::size_t>(i) * width, width));
    }
  });
  return pick;
}

// Best other candidate by reduced value that may take the slot; fits, when asked for. (-1, 0) when nothing has a positive one.
std::pair<std::int64_t, double> alternative(const Context& context, const Plan& plan, std::span<const double> dual,
                                            std::pair<std::int64_t, bool> slot_and_fits) {
  const Problem& problem = context.problem;
  const auto [slot, must_fit] = slot_and_fits;
  std::pair<std::int64_t, double> best{-1, 0};
  const auto i = static_cast<std::size_t>(plan.customer_of(slot));
  for (auto c = problem.customer_start[i]; c < problem.customer_start[i + 1]; ++c) {
    if (c == plan.at(slot) || !context.can(c) || !plan.allowed(slot, c)) {
      continue;
    }
    const double r = reduced_value(problem, c, dual);
    if (r > best.second && (!must_fit || plan.fits(c, -1))) {
      best = {c, r};
    }
  }
  return best;
}

// What giving a pick up costs per share of the violation it cures; picks are given up in that order.
double regret_rate(const Context& context, const Plan& plan, std::span<const double> dual, std::int64_t slot) {
  const Problem& problem = context.problem;
  const std::int64_t c = plan.at(slot);
  double cured = 0;
  for (const auto& use : problem.uses_of(c)) {
    if (plan.remaining(use.row) < 0) {
      cured += std::min(1.0, static_cast<double>(use.amount) / static_cast<double>(-plan.remaining(use.row)));
    }
  }
  const double regret = reduced_value(problem, c, dual) - alternative(context, plan, dual, {slot, false}).second;
  return std::max(0.0, regret) / std::max(cured, 1e-300);
}

template <class Gather>
std::vector<Move> gather(std::int64_t slots, const Options& options, const Gather& visit) {
  std::vector<std::vector<Move>> parts(kParts);
  run_tasks(options.executor, kParts, [&](std::size_t part) {
    for (auto s = part_begin(slots, part, kParts); s < part_begin(slots, part + 1, kParts); ++s) {
      visit(s, parts[part]);
    }
  });
  std::vector<Move> all;
  for (const auto& part : parts) {
    all.insert(all.end(), part.begin(), part.end());
  }
  std::sort(all.begin(), all.end(), before);
  return all;
}

void drop(Plan& plan, const Context& context, std::span<const double> dual) {
  const Options& options = context.options;
  const auto slots = static_cast<std::int64_t>(plan.pick().size());
  const auto moves = gather(slots, options, [&](std::int64_t slot, std::vector<Move>& out) {
    if (plan.at(slot) >= 0 && plan.touches_violated(plan.at(slot))) {
      out.push_back({regret_rate(context, plan, dual, slot), mixed(options.seed, slot), slot, plan.at(slot)});
    }
  });
  for (const auto& move : moves) {
    if (plan.violated_rows() == 0) {
      return;
    }
    if (plan.touches_violated(move.candidate)) {
      plan.set(move.slot, -1);
      if (const auto [other, reduced] = alternative(context, plan, dual, {move.slot, true}); other >= 0) {
        plan.set(move.slot, other);
      }
    }
  }
  BECKON_CHECK(plan.violated_rows() == 0);  // every pick that touched a violated row has been given up
}

// Adds candidates to free slots, best reduced value first; those below `least` are left out.
void fill(Plan& plan, const Context& context, std::span<const double> dual, double least) {
  const Problem& problem = context.problem;
  const auto slots = static_cast<std::int64_t>(plan.pick().size());
  const auto moves = gather(slots, context.options, [&](std::int64_t slot, std::vector<Move>& out) {
    if (plan.at(slot) >= 0) {
      return;
    }
    const auto i = static_cast<std::size_t>(plan.customer_of(slot));
    for (auto c = problem.customer_start[i]; c < problem.customer_start[i + 1]; ++c) {
      if (context.can(c) && plan.fits(c, -1) && plan.allowed(slot, c)) {
        if (const double r = reduced_value(problem, c, dual); r >= least) {
          out.push_back({-r, mixed(context.options.seed, slot), slot, c});
        }
      }
    }
  });
  for (const auto& move : moves) {
    if (plan.at(move.slot) < 0 && plan.fits(move.candidate, -1) && plan.allowed(move.slot, move.candidate)) {
      plan.set(move.slot, move.candidate);
    }
  }
}

}  // namespace

std::uint64_t mixed(std::uint64_t seed, std::int64_t index) {
  std::uint64_t z = seed + static_cast<std::uint64_t>(index) * 0x9e3779b97f4a7c15U;  // SplitMix64 (Steele et al. 2014)
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

double reduced_value(const Problem& problem, std::int64_t candidate, std::span<const double> dual) {
  auto r = static_cast<double>(problem.value[static_cast<std::size_t>(candidate)]);
  for (const auto& use : problem.uses_of(candidate)) {
    r -= static_cast<double>(use.amount) * dual[static_cast<std::size_t>(use.row)];
  }
  return r;
}

Plan::Plan(const Problem& problem, std::vector<std::int64_t> pick)
    : problem_(problem), pick_(std::move(pick)), remaining_(problem.capacity) {
  for (const auto candidate : pick_) {
    if (candidate >= 0) {
      move(candidate, 1);
    }
  }
}

void Plan::move(std::int64_t candidate, std::int64_t sign) {
  value_ += sign * problem_.value[static_cast<std::size_t>(candidate)];
  for (const auto& use : problem_.uses_of(candidate)) {
    auto& left = remaining_[static_cast<std::size_t>(use.row)];
    violated_ -= left < 0 ? 1 : 0;
    left -= sign * use.amount;
    violated_ += left < 0 ? 1 : 0;
  }
}

void Plan::set(std::int64_t slot, std::int64_t candidate) {
  auto& held = pick_[static_cast<std::size_t>(slot)];
  if (held >= 0) {
    move(held, -1);
  }
  held = candidate;
  if (held >= 0) {
    move(held, 1);
  }
}

bool Plan::fits(std::int64_t candidate, std::int64_t without) const {
  for (const auto& use : problem_.uses_of(candidate)) {
    std::int64_t left = remaining_[static_cast<std::size_t>(use.row)];
    if (use.amount > left && without >= 0) {
      for (const auto& freed : problem_.uses_of(without)) {
        left += freed.row == use.row ? freed.amount : 0;
      }
    }
    if (use.amount > left) {
      return false;
    }
  }
  return true;
}

bool Plan::allowed(std::int64_t slot, std::int64_t candidate) const {
  const std::int64_t first = customer_of(slot) * problem_.picks_max;
  const std::int32_t group = problem_.group.empty() ? -1 : problem_.group[static_cast<std::size_t>(candidate)];
  for (std::int64_t s = first; s < first + problem_.picks_max; ++s) {
    const std::int64_t held = at(s);
    if (s == slot || held < 0) {
      continue;
    }
    if (held == candidate || (group >= 0 && problem_.group[static_cast<std::size_t>(held)] == group)) {
      return false;
    }
  }
  return true;
}

bool Plan::touches_violated(std::int64_t candidate) const {
  const auto uses = problem_.uses_of(candidate);
  return std::any_of(uses.begin(), uses.end(), [&](const Use& use) { return use.amount > 0 && remaining(use.row) < 0; });
}

Plan repair(const Context& context, std::span<const double> dual) {
  Plan plan(context.problem, best_choice(context, dual));
  if (plan.violated_rows() > 0) {
    drop(plan, context, dual);
  }
  const double mean = static_cast<double>(plan.value()) / static_cast<double>(std::max<std::size_t>(1, plan.pick().size()));
  fill(plan, context, dual, -0.25 * mean);  // cheap ones first: the list stays short
  fill(plan, context, dual, -std::numeric_limits<double>::infinity());
  return plan;
}

}  // namespace beckon::allocate
