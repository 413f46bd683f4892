// The independent half: includes nothing of the solver's own headers and repeats every sum from the problem.
#include <algorithm>
#include <cmath>
#include <limits>

#include "beckon/allocate/allocate.h"

namespace beckon::allocate {
namespace {

constexpr double kUnit = std::numeric_limits<double>::epsilon();

std::string at_customer(std::int64_t customer, const std::string& what) {
  return "customer " + std::to_string(customer) + ": " + what;
}

// First contradiction among one customer's picks, or empty.
std::string check_picks(const Problem& problem, std::int64_t customer, std::span<const std::int64_t> picks) {
  const auto begin = problem.customer_start[static_cast<std::size_t>(customer)];
  const auto end = problem.customer_start[static_cast<std::size_t>(customer) + 1];
  for (std::size_t i = 0; i < picks.size(); ++i) {
    if (picks[i] == -1) {
      continue;
    }
    if (picks[i] < begin || picks[i] >= end) {
      return at_customer(customer, "candidate " + std::to_string(picks[i]) + " is not one of his");
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (picks[j] == picks[i]) {
        return at_customer(customer, "candidate " + std::to_string(picks[i]) + " is picked twice");
      }
      if (picks[j] >= 0 && !problem.group.empty()) {
        const auto a = problem.group[static_cast<std::size_t>(picks[i])];
        const auto b = problem.group[static_cast<std::size_t>(picks[j])];
        if (a >= 0 && a == b) {
          return at_customer(customer, "two picks of group " + std::to_string(a));
        }
      }
    }
  }
  return {};
}

// Reduced value of a candidate, rounded upwards; negative when it can be in no feasible choice.
double reduced_upwards(const Problem& problem, std::int64_t candidate, std::span<const double> dual) {
  const auto worth = static_cast<double>(problem.value[static_cast<std::size_t>(candidate)]);
  double paid = 0;
  const auto uses = problem.uses_of(candidate);
  for (const auto& use : uses) {
    if (use.amount > problem.capacity[static_cast<std::size_t>(use.row)]) {
      return -1;
    }
    paid += static_cast<double>(use.amount) * dual[static_cast<std::size_t>(use.row)];
  }
  const double error = (std::abs(worth) + paid) * kUnit * static_cast<double>(uses.size() + 2);
  return worth <= 0 ? -1 : worth - paid + error;
}

// Sum with a running correction (Neumaier 1974): its error does not grow with the number of terms.
class ExactSum {
 public:
  void add(double x) {
    const double next = sum_ + x;
    correction_ += std::abs(sum_) >= std::abs(x) ? (sum_ - next) + x : (x - next) + sum_;
    sum_ = next;
  }
  double value() const { return sum_ + correction_; }

 private:
  double sum_ = 0;
  double correction_ = 0;
};

}  // namespace

Audit verify(const Problem& problem, std::span<const std::int64_t> pick) {
  Audit audit;
  audit.used.assign(problem.capacity.size(), 0);
  const auto width = static_cast<std::size_t>(problem.picks_max);
  if (pick.size() != static_cast<std::size_t>(problem.customers()) * width) {
    audit.problem = "picks have a wrong length";
    return audit;
  }
  for (std::int64_t customer = 0; customer < problem.customers(); ++customer) {
    const auto picks = pick.subspan(static_cast<std::size_t>(customer) * width, width);
    if (auto wrong = check_picks(problem, customer, picks); !wrong.empty()) {
      audit.problem = std::move(wrong);
      return audit;
    }
    for (const auto candidate : picks) {
      if (candidate >= 0) {
        audit.value += problem.value[static_cast<std::size_t>(candidate)];
        for (const auto& use : problem.uses_of(candidate)) {
          audit.used[static_cast<std::size_t>(use.row)] += use.amount;
        }
      }
    }
  }
  for (std::size_t m = 0; m < audit.used.size(); ++m) {
    if (audit.used[m] > problem.capacity[m]) {
      audit.problem = "row " + std::to_string(m) + " uses " + std::to_string(audit.used[m]) + " of " +
                      std::to_string(problem.capacity[m]);
      return audit;
    }
  }
  audit.feasible = true;
  return audit;
}

double dual_bound(const Problem& problem, std::span<const double> dual) {
  BECKON_CHECK(dual.size() == problem.capacity.size());
  ExactSum sum;
  for (std::size_t m = 0; m < dual.size(); ++m) {
    BECKON_CHECK(dual[m] >= 0 && std::isfinite(dual[m]));
    sum.add(static_cast<double>(problem.capacity[m]) * dual[m] * (1 + 2 * kUnit));
  }
  const auto width = static_cast<std::size_t>(problem.picks_max);
  const bool grouped = !problem.group.empty() && width > 1;
  std::vector<std::pair<double, std::int32_t>> positive;
  for (std::size_t i = 0; i + 1 < problem.customer_start.size(); ++i) {
    positive.clear();
    for (auto c = problem.customer_start[i]; c < problem.customer_start[i + 1]; ++c) {
      if (const double reduced = reduced_upwards(problem, c, dual); reduced > 0) {
        positive.emplace_back(reduced, grouped ? problem.group[static_cast<std::size_t>(c)] : -1);
      }
    }
    std::sort(positive.begin(), positive.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    std::size_t taken = 0;
    for (std::size_t j = 0; j < positive.size() && taken < width; ++j) {
      const auto group = positive[j].second;
      const bool again = group >= 0 && std::any_of(positive.begin(), positive.begin() + static_cast<std::ptrdiff_t>(j),
                                                   [&](const auto& other) { return other.second == group; });
      if (!again) {
        sum.add(positive[j].first);
        ++taken;
      }
    }
  }
  return sum.value() * (1 + 4 * kUnit);
}

}  // namespace beckon::allocate
