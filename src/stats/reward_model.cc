#include "beckon/stats/reward_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "beckon/base/check.h"
#include "beckon/base/rng.h"
#include "beckon/stats/intervals.h"
#include "beckon/stats/regression.h"
#include "cholesky.h"

namespace beckon::stats {
namespace {

constexpr std::size_t kColumnsOfActions = 64;
constexpr double kShrinkRows = 20;

// Centre and scale of columns; a constant column gets scale 0 and says nothing.
struct Scaling {
  std::vector<double> mean;
  std::vector<double> factor;

  static Scaling of(std::span<const double> x, std::size_t columns) {
    Scaling out;
    const std::size_t n = columns == 0 ? 0 : x.size() / columns;
    for (std::size_t c = 0; c < columns; ++c) {
      Moments moments;
      for (std::size_t i = 0; i < n; ++i) {
        moments.add(x[i * columns + c]);
      }
      const double deviation = std::sqrt(moments.variance());
      out.mean.push_back(moments.mean);
      out.factor.push_back(deviation > 1e-12 * (1 + std::abs(moments.mean)) ? 1 / deviation : 0);
    }
    return out;
  }
  void apply(std::span<double> row) const {
    for (std::size_t c = 0; c < row.size(); ++c) {
      row[c] = (row[c] - mean[c]) * factor[c];
    }
  }
};

// How an action looks to the linear model: a column each, one column with its mean, or nothing.
struct ActionView {
  std::size_t count = 0;
  std::vector<double> means;  // of more than kColumnsOfActions actions

  std::size_t columns() const { return count == 0 ? 0 : means.empty() ? count : 1; }
  void write(std::uint32_t action, std::span<double> into) const {
    if (count == 0) {
      return;
    }
    BECKON_CHECK(action < count);
    if (means.empty()) {
      std::fill(into.begin(), into.end(), 0.0);
      into[action] = 1;
    } else {
      into[0] = means[action];
    }
  }
  static ActionView of(const RewardRows& rows) {
    ActionView view;
    view.count = rows.action.empty() ? 0 : rows.action_count;
    if (view.count <= kColumnsOfActions) {
      return view;
    }
    const double overall = Moments::of(rows.reward).mean;
    std::vector<double> count(view.count, kShrinkRows);
    view.means.assign(view.count, kShrinkRows * overall);
    for (std::size_t i = 0; i < rows.reward.size(); ++i) {
      count[rows.action[i]] += 1;
      view.means[rows.action[i]] += rows.reward[i];
    }
    for (std::size_t a = 0; a < view.count; ++a) {
      view.means[a] /= count[a];
    }
    return view;
  }
};

class LinearRewardModel final : public RewardModel {
 public:
  ActionView view;
  Scaling scaling;
  LogisticModel logistic;
  LinearModel linear;
  bool is_logistic = false;
  bool is_constant = false;
  double constant = 0;

  double predict(std::span<const double> context, std::uint32_t action) const override {
    if (is_constant) {
      return constant;
    }
    std::vector<double> row(context.begin(), context.end());
    row.resize(context.size() + view.columns());
    view.write(action, std::span(row).subspan(context.size()));
    scaling.apply(row);
    return is_logistic ? logistic.predict(row) : linear.predict(row);
  }
};

std::vector<double> design(const RewardRows& rows, const ActionView& view) {
  const std::size_t columns = rows.columns + view.columns();
  std::vector<double> x(rows.reward.size() * columns);
  for (std::size_t i = 0; i < rows.reward.size(); ++i) {
    std::copy_n(rows.context.begin() + static_cast<std::ptrdiff_t>(i * rows.columns), rows.columns,
                x.begin() + static_cast<std::ptrdiff_t>(i * columns));
    view.write(rows.action.empty() ? 0 : rows.action[i], std::span(x).subspan(i * columns + rows.columns, view.columns()));
  }
  return x;
}

void check_rows(const RewardRows& rows) {
  BECKON_CHECK(rows.context.size() == rows.reward.size() * rows.columns);
  BECKON_CHECK(rows.action.empty() || (rows.action.size() == rows.reward.size() && rows.action_count > 0));
}

// Part of the rows, copied.
struct Subset {
  std::vector<double> context;
  std::vector<std::uint32_t> action;
  std::vector<double> reward;

  Subset(const RewardRows& rows, const std::vector<std::size_t>& picked) {
    for (const std::size_t i : picked) {
      context.insert(context.end(), rows.context.begin() + static_cast<std::ptrdiff_t>(i * rows.columns),
                     rows.context.begin() + static_cast<std::ptrdiff_t>((i + 1) * rows.columns));
      if (!rows.action.empty()) {
        action.push_back(rows.action[i]);
      }
      reward.push_back(rows.reward[i]);
    }
  }
  RewardRows view(const RewardRows& like) const { return {context, like.columns, action, like.action_count, reward}; }
};

// A fold per customer, drawn from his number alone.
std::vector<int> folds_of(std::size_t rows, std::span<const std::uint32_t> customer, const CrossFitOptions& options) {
  std::vector<int> fold(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    base::Rng rng(options.seed, customer.empty() ? i : customer[i]);
    fold[i] = static_cast<int>(rng.below(static_cast<std::uint64_t>(options.folds)));
  }
  return fold;
}

}  // namespace

double LinearModel::predict(std::span<const double> row) const {
  BECKON_CHECK(row.size() == coefficients.size());
  return std::inner_product(row.begin(), row.end(), coefficients.begin(), intercept);
}

base::Result<LinearModel> fit_ridge(std::span<const double> x, std::span<const double> y, double l2) {
  BECKON_CHECK(l2 > 0 && (y.empty() || x.size() % y.size() == 0));
  if (y.empty()) {
    return base::failed_precondition("a ridge regression needs rows: wait for more data");
  }
  const auto finite = [](double value) { return std::isfinite(value); };
  if (!std::all_of(x.begin(), x.end(), finite) || !std::all_of(y.begin(), y.end(), finite)) {
    return base::failed_precondition("a ridge regression met a value that is not finite: clean the columns first");
  }
  const std::size_t d = x.size() / y.size();
  const Scaling scaling = Scaling::of(x, d);
  const double mean = Moments::of(y).mean;
  std::vector<double> gram(d * d, 0);
  std::vector<double> solution(d, 0);
  std::vector<double> row(d);
  for (std::size_t i = 0; i < y.size(); ++i) {
    std::copy_n(x.begin() + static_cast<std::ptrdiff_t>(i * d), d, row.begin());
    scaling.apply(row);
    for (std::size_t a = 0; a < d; ++a) {
      solution[a] += row[a] * (y[i] - mean);
      for (std::size_t b = 0; b <= a; ++b) {
        gram[a * d + b] += row[a] * row[b];
      }
    }
  }
  for (std::size_t a = 0; a < d; ++a) {
    gram[a * d + a] += l2;
  }
  BECKON_CHECK(cholesky(gram, d));  // l2 > 0
  solve_in_place(gram, d, solution);
  LinearModel model{std::move(solution), mean};
  for (std::size_t a = 0; a < d; ++a) {
    model.coefficients[a] *= scaling.factor[a];
    model.intercept -= model.coefficients[a] * scaling.mean[a];
  }
  return model;
}

base::Result<std::unique_ptr<RewardModel>> LinearRewardLearner::fit(const RewardRows& rows) const {
  check_rows(rows);
  if (rows.reward.empty()) {
    return base::failed_precondition("a reward model needs rows: wait for more data");
  }
  auto model = std::make_unique<LinearRewardModel>();
  const auto [least, most] = std::minmax_element(rows.reward.begin(), rows.reward.end());
  model->view = ActionView::of(rows);
  model->is_constant = *least == *most || rows.columns + model->view.columns() == 0;
  model->constant = Moments::of(rows.reward).mean;
  if (model->is_constant) {
    return std::unique_ptr<RewardModel>(std::move(model));
  }
  std::vector<double> x = design(rows, model->view);
  const std::size_t columns = rows.columns + model->view.columns();
  model->scaling = Scaling::of(x, columns);
  for (std::size_t i = 0; i < rows.reward.size(); ++i) {
    model->scaling.apply(std::span(x).subspan(i * columns, columns));
  }
  model->is_logistic = std::all_of(rows.reward.begin(), rows.reward.end(), [](double r) { return r == 0 || r == 1; });
  if (model->is_logistic) {
    const std::vector<std::uint8_t> outcome(rows.reward.begin(), rows.reward.end());
    BECKON_TRY(model->logistic, fit_logistic({x, outcome, columns}, {.l2 = l2_}));
  } else {
    BECKON_TRY(model->linear, fit_ridge(x, rows.reward, l2_));
  }
  return std::unique_ptr<RewardModel>(std::move(model));
}

base::Result<CrossFitted> cross_fit(const RewardLearner& learner, const RewardRows& rows, std::span<const std::uint32_t> customer,
                                    const TargetProbability& target, const CrossFitOptions& options) {
  check_rows(rows);
  BECKON_CHECK(options.folds >= 2 && (customer.empty() || customer.size() == rows.reward.size()));
  const std::size_t n = rows.reward.size();
  const std::vector<int> fold = folds_of(n, customer, options);
  CrossFitted out{std::vector<double>(n), std::vector<double>(n)};
  for (int held = 0; held < options.folds; ++held) {
    std::vector<std::size_t> others;
    for (std::size_t i = 0; i < n; ++i) {
      if (fold[i] != held) {
        others.push_back(i);
      }
    }
    if (others.size() == n) {
      continue;  // nobody fell into this fold
    }
    const Subset training(rows, others);
    BECKON_TRY(const auto model, learner.fit(training.view(rows)));
    for (std::size_t i = 0; i < n; ++i) {
      if (fold[i] != held) {
        continue;
      }
      const auto context = rows.context.subspan(i * rows.columns, rows.columns);
      out.shown[i] = model->predict(context, rows.action.empty() ? 0 : rows.action[i]);
      if (rows.action.empty()) {
        out.target[i] = out.shown[i];
        continue;
      }
      for (std::uint32_t a = 0; a < rows.action_count; ++a) {
        const double probability = target(i, a);
        out.target[i] += probability > 0 ? probability * model->predict(context, a) : 0;
      }
    }
  }
  return out;
}

}  // namespace beckon::stats
