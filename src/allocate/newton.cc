#include "newton.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "dense.h"

namespace beckon::allocate {
namespace {

constexpr double kTolerance = 1e-4;       // complementarity relative to the dual
constexpr double kLastTolerance = 1e-6;   // at a level's last ridge
constexpr double kViolationFactor = 300;  // relative row violation allowed, in tolerances
constexpr double kArmijo = 1e-4;
constexpr double kGammaFactor = 0.3;
constexpr int kTriesMax = 8;
constexpr std::int64_t kDenseRowsMax = 3000;  // beyond, a factor would not pay: diagonal steps only

// A sample of the customers with its share of every capacity, at one ridge.
struct Stage {
  std::int64_t customers;
  double share;
  double gamma;
  double tolerance;
  int steps_max;
};

class Minimiser {
 public:
  Minimiser(const Instance& instance, Evaluator& evaluator, const Options& options)
      : in_(instance), eval_(evaluator), options_(options), rows_(static_cast<std::size_t>(instance.rows)) {}

  DualResult run(std::vector<double> start) {
    const bool warm = start.size() == rows_ && rows_ > 0;
    dual_ = warm ? std::move(start) : std::vector<double>(rows_, 0);
    typical_.assign(rows_, 0);
    const double mean_pick = mean_pick_value();
    if (rows_ == 0 || !(mean_pick > 0)) {
      return {std::vector<double>(rows_, 0), std::vector<double>(rows_, 0), true};
    }
    levels(mean_pick, warm);
    if (!result_.converged) {
      descend(mean_pick);
    }
    if (rows_ == 1) {
      bisect();
    }
    result_.smooth = dual_;
    return result_;
  }

 private:
  const Instance& in_;
  Evaluator& eval_;
  const Options& options_;
  std::size_t rows_;
  std::vector<double> dual_;
  std::vector<double> typical_;  // running maximum of the Hessian's diagonal
  double damping_ = 1e-3;
  double best_bound_ = std::numeric_limits<double>::infinity();
  DualResult result_;

  // State at dual_: value of the smoothed dual, its gradient and Hessian.
  double value_ = 0;
  std::vector<double> gradient_;
  std::vector<double> hessian_;

  bool may_go_on() const { return eval_.passes() < options_.passes_max; }

  double linear(const std::vector<double>& dual, double share) const {
    double sum = 0;
    for (std::size_t m = 0; m < rows_; ++m) {
      sum += share * in_.capacity[m] * dual[m];
    }
    return sum;
  }

  double mean_pick_value() {
    const std::int64_t customers = std::min<std::int64_t>(in_.customers(), 20'000);
    if (customers == 0) {
      return 0;
    }
    const auto& all = eval_.run(std::vector<double>(rows_, 0), {customers, 0, false});
    return all.value / static_cast<double>(customers * in_.picks_max);
  }

  void levels(double mean_pick, bool warm) {
    const std::int64_t all = in_.customers();
    std::int64_t customers = std::max<std::int64_t>(20'000, 100 * in_.rows);
    if (warm) {
      customers = all;
    }
    bool first = true;
    while (may_go_on()) {
      if (customers > all / 2) {
        customers = all;
      }
      const bool last = customers == all;
      double gamma = (first && !warm ? 0.5 : 0.03) * mean_pick;
      const double gamma_last = (last ? 0.0005 : 0.01) * mean_pick;
      const double share = static_cast<double>(customers) / static_cast<double>(all);
      while (true) {
        gamma = std::max(gamma, gamma_last);
        const bool final_stage = gamma <= gamma_last;
        result_.converged = minimise({customers, share, gamma, final_stage ? kLastTolerance : kTolerance, first ? 25 : 6});
        if (last) {
          note_bound(dual_);
        }
        if (final_stage || !may_go_on()) {
          break;
        }
        gamma *= kGammaFactor;
      }
      if (last) {
        return;
      }
      first = false;
      customers *= 8;
    }
  }

  // Exact dual at `dual` over all customers; keeps the best. Its usage is a subgradient's.
  const Evaluation& note_bound(const std::vector<double>& dual) {
    const auto& exact = eval_.run(dual, {in_.customers(), 0, false});
    const double bound = exact.value + linear(dual, 1);
    if (bound < best_bound_) {
      best_bound_ = bound;
      result_.best = dual;
    }
    return exact;
  }

  void evaluate(const Stage& stage, const std::vector<double>& dual, bool hessian) {
    const auto& e = eval_.run(dual, {stage.customers, stage.gamma, hessian});
    value_ = e.value + linear(dual, stage.share);
    gradient_.resize(rows_);
    for (std::size_t m = 0; m < rows_; ++m) {
      gradient_[m] = stage.share * in_.capacity[m] - e.usage[m];
    }
    if (hessian) {
      hessian_ = e.hessian;
    }
  }

  bool finished(const Stage& stage) const {
    double slack = 0;
    double violation = 0;
    for (std::size_t m = 0; m < rows_; ++m) {
      slack += std::abs(gradient_[m]) * dual_[m];
      violation = std::max(violation, -gradient_[m] / std::max(1.0, stage.share * in_.capacity[m]));
    }
    return slack <= stage.tolerance * std::max(value_, 1e-300) && violation <= kViolationFactor * stage.tolerance;
  }

  // Halved on entering a stage: a row whose customers are all integral has no curvature of its own, and would take a huge step.
  void refresh_typical(bool entering) {
    double mean = 0;
    for (std::size_t m = 0; m < rows_; ++m) {
      typical_[m] = std::max(entering ? typical_[m] / 2 : typical_[m], hessian_[m * rows_ + m]);
      mean += typical_[m] / static_cast<double>(rows_);
    }
    for (auto& diagonal : typical_) {
      diagonal = std::max(diagonal, 1e-3 * mean + 1e-9);
    }
  }

  // The next point of damping_, or dual_ itself when the system cannot be solved.
  std::vector<double> trial(const Stage& stage) const {
    std::vector<std::size_t> free;
    std::vector<double> next = dual_;
    for (std::size_t m = 0; m < rows_; ++m) {
      const bool fixed = gradient_[m] > 0 && dual_[m] <= std::min(0.01 * stage.gamma, gradient_[m] / typical_[m]);
      fixed ? static_cast<void>(next[m] = 0) : free.push_back(m);
    }
    const std::size_t n = free.size();
    std::vector<double> step(n);
    std::vector<double> matrix(n * n, 0);
    for (std::size_t i = 0; i < n; ++i) {
      step[i] = -gradient_[free[i]];
      for (std::size_t j = 0; j <= i; ++j) {
        matrix[i * n + j] = hessian_[free[i] * rows_ + free[j]];
      }
      matrix[i * n + i] += (damping_ + 1e-10) * typical_[free[i]];
    }
    if (!factorise(matrix, n)) {
      return dual_;
    }
    solve_factorised(matrix, n, step);
    for (std::size_t i = 0; i < n; ++i) {
      next[free[i]] = std::max(0.0, dual_[free[i]] + step[i]);
    }
    return next;
  }

  // One damped Newton step; false when no trial was good enough.
  bool step(const Stage& stage) {
    const double before = value_;
    const std::vector<double> gradient = gradient_;
    const std::vector<double> hessian = hessian_;
    for (int tries = 0; tries < kTriesMax && may_go_on(); ++tries) {
      const std::vector<double> next = trial(stage);
      double predicted = 0;
      for (std::size_t m = 0; m < rows_; ++m) {
        predicted += gradient[m] * (next[m] - dual_[m]);
      }
      if (predicted < 0) {
        evaluate(stage, next, true);
        const double ratio = (before - value_) / (-0.5 * predicted);
        if (value_ <= before + kArmijo * predicted) {
          damping_ = std::clamp(damping_ * (ratio > 0.6 ? 0.2 : ratio < 0.2 ? 4 : 1), 1e-12, 1e6);
          dual_ = next;
          return true;
        }
        value_ = before;
        gradient_ = gradient;
        hessian_ = hessian;
      }
      damping_ = std::min(damping_ * 8, 1e6);
    }
    return false;
  }

  bool minimise(const Stage& stage) {
    if (in_.rows > kDenseRowsMax) {
      return false;
    }
    evaluate(stage, dual_, true);
    refresh_typical(true);
    for (int steps = 0; steps < stage.steps_max; ++steps) {
      if (finished(stage)) {
        return true;
      }
      if (!step(stage)) {
        return false;
      }
      refresh_typical(false);
    }
    return finished(stage);
  }

  // Accelerated projected gradient with a scale per row and restarts (O'Donoghue and Candès 2015): slower, but needs neither a
  // factor nor curvature everywhere. Used where Newton stalls and for very many rows.
  void descend(double mean_pick) {
    const Stage stage{in_.customers(), 1, 0.001 * mean_pick, kLastTolerance, 0};
    std::vector<double> scale = row_scales(stage.gamma);
    std::vector<double> previous = dual_;
    std::vector<double> ahead = dual_;
    double rate = 1;
    double momentum = 1;
    for (int round = 0; round < 100 && may_go_on(); ++round) {
      evaluate(stage, ahead, false);
      const double at_ahead = value_;
      const std::vector<double> gradient = gradient_;
      std::vector<double> next(rows_);
      for (int tries = 0; tries < 20; ++tries) {
        double model = at_ahead;
        for (std::size_t m = 0; m < rows_; ++m) {
          next[m] = std::max(0.0, ahead[m] - rate / scale[m] * gradient[m]);
          const double d = next[m] - ahead[m];
          model += gradient[m] * d + d * d * scale[m] / (2 * rate);
        }
        evaluate(stage, next, false);
        if (value_ <= model + 1e-12 * std::abs(model)) {
          break;
        }
        rate /= 2;
      }
      double uphill = 0;
      for (std::size_t m = 0; m < rows_; ++m) {
        uphill += gradient[m] * (next[m] - previous[m]);
      }
      const double grown = uphill > 0 ? 1 : (1 + std::sqrt(1 + 4 * momentum * momentum)) / 2;
      const double pull = uphill > 0 ? 0 : (momentum - 1) / grown;
      for (std::size_t m = 0; m < rows_; ++m) {
        ahead[m] = std::max(0.0, next[m] + pull * (next[m] - previous[m]));
      }
      momentum = grown;
      rate *= 1.1;
      previous = next;
      dual_ = next;
      if (round % 10 == 9) {
        note_bound(dual_);
        if (finished(stage)) {
          result_.converged = true;
          return;
        }
      }
    }
    note_bound(dual_);
  }

  // A guess of each row's curvature: what Newton saw, or amounts over the ridge.
  std::vector<double> row_scales(double gamma) const {
    std::vector<double> scale(rows_, 0);
    if (in_.rows <= kDenseRowsMax) {
      scale = typical_;
    }
    for (std::size_t m = 0; m < rows_; ++m) {
      scale[m] = std::max(scale[m], 0.01 * (1 + in_.capacity[m]) / gamma);
    }
    return scale;
  }

  // One row: the exact dual is a convex function of one price, and its slope says on which side the minimum lies.
  void bisect() {
    const auto too_low = [&](double price) {
      return note_bound({price}).usage[0] > in_.capacity[0];
    };
    double low = 0;
    double high = std::max(dual_[0] * 1.01, 1e-9);
    if (!too_low(0)) {
      dual_ = {0};
      return;
    }
    if (dual_[0] > 0 && too_low(dual_[0] * 0.99)) {
      low = dual_[0] * 0.99;
    }
    while (too_low(high) && may_go_on()) {
      low = high;
      high *= 4;
    }
    while (high - low > 1e-9 * high && may_go_on()) {
      const double middle = (low + high) / 2;
      (too_low(middle) ? low : high) = middle;
    }
    dual_ = {high};
  }
};

}  // namespace

DualResult minimise_dual(const Instance& instance, Evaluator& evaluator, const Options& options, std::vector<double> start) {
  DualResult result = Minimiser(instance, evaluator, options).run(std::move(start));
  if (result.best.empty()) {
    result.best = result.smooth;
  }
  return result;
}

}  // namespace beckon::allocate
