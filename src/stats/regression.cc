#include "beckon/stats/regression.h"

#include <algorithm>
#include <cmath>

#include "beckon/base/check.h"
#include "cholesky.h"

namespace beckon::stats {
namespace {

// Parameters: the columns, then the intercept. Scratch of one fit.
struct Newton {
  const LogisticData& data;
  double l2;
  std::size_t n = 0;  // parameters
  std::vector<double> gradient;
  std::vector<double> hessian;

  Newton(const LogisticData& d, double penalty) : data(d), l2(penalty), n(d.columns + 1) {}

  double weight(std::size_t row) const { return data.weight.empty() ? 1 : data.weight[row]; }

  double score(const std::vector<double>& beta, std::size_t row) const {
    double sum = beta[data.columns];
    for (std::size_t c = 0; c < data.columns; ++c) {
      sum += beta[c] * data.x[row * data.columns + c];
    }
    return sum;
  }

  double loss(const std::vector<double>& beta) const {
    double sum = 0;
    for (std::size_t row = 0; row < data.outcome.size(); ++row) {
      const double signed_score = data.outcome[row] != 0 ? score(beta, row) : -score(beta, row);
      // log(1 + e^-s) without overflow
      sum += weight(row) * (std::log1p(std::exp(-std::abs(signed_score))) + (signed_score < 0 ? -signed_score : 0));
    }
    for (std::size_t c = 0; c < data.columns; ++c) {
      sum += 0.5 * l2 * beta[c] * beta[c];
    }
    return sum;
  }

  void derivatives(const std::vector<double>& beta) {
    gradient.assign(n, 0);
    hessian.assign(n * n, 0);
    std::vector<double> row_values(n, 1);
    for (std::size_t row = 0; row < data.outcome.size(); ++row) {
      std::copy_n(data.x.begin() + static_cast<std::ptrdiff_t>(row * data.columns), data.columns, row_values.begin());
      const double p = sigmoid(score(beta, row));
      const double residual = weight(row) * (p - data.outcome[row]);
      const double curvature = weight(row) * p * (1 - p);
      for (std::size_t i = 0; i < n; ++i) {
        gradient[i] += residual * row_values[i];
        for (std::size_t j = 0; j <= i; ++j) {
          hessian[i * n + j] += curvature * row_values[i] * row_values[j];
        }
      }
    }
    for (std::size_t c = 0; c < data.columns; ++c) {
      gradient[c] += l2 * beta[c];
      hessian[c * n + c] += l2;
    }
  }
};

base::Status check(const LogisticData& data) {
  BECKON_CHECK(data.columns >= 1 && data.x.size() == data.outcome.size() * data.columns);
  BECKON_CHECK(data.weight.empty() || data.weight.size() == data.outcome.size());
  bool seen[2] = {false, false};
  for (const auto outcome : data.outcome) {
    seen[outcome != 0 ? 1 : 0] = true;
  }
  if (!seen[0] || !seen[1]) {
    return base::failed_precondition("a logistic regression needs outcomes of both kinds: wait for more data");
  }
  for (const double value : data.x) {
    if (!std::isfinite(value)) {
      return base::failed_precondition("a logistic regression met a value that is not finite: clean the columns first");
    }
  }
  return base::ok_status();
}

}  // namespace

double sigmoid(double x) {
  if (x >= 0) {
    return 1 / (1 + std::exp(-x));
  }
  const double e = std::exp(x);
  return e / (1 + e);
}

double LogisticModel::predict(std::span<const double> row) const {
  BECKON_CHECK(row.size() == coefficients.size());
  double sum = intercept;
  for (std::size_t c = 0; c < row.size(); ++c) {
    sum += coefficients[c] * row[c];
  }
  return sigmoid(sum);
}

base::Result<LogisticModel> fit_logistic(const LogisticData& data, const LogisticOptions& options) {
  BECKON_TRY_STATUS(check(data));
  Newton newton(data, options.l2);
  const std::size_t n = newton.n;
  const auto singular = [] {
    return base::failed_precondition("a logistic regression is not determined: drop constant or doubled columns, or raise l2");
  };
  std::vector<double> beta(n, 0);
  double loss = newton.loss(beta);
  LogisticModel model;
  while (model.iterations < options.iterations_max && !model.converged) {
    ++model.iterations;
    newton.derivatives(beta);
    std::vector<double> step = newton.gradient;
    if (!cholesky(newton.hessian, n)) {
      return singular();
    }
    solve_in_place(newton.hessian, n, step);
    double fall = 0;  // twice the fall that the quadratic model predicts
    for (std::size_t i = 0; i < n; ++i) {
      fall += step[i] * newton.gradient[i];
    }
    model.converged = fall <= 1e-12 * (1 + std::abs(loss));
    for (double scale = 1; scale > 1e-6; scale /= 2) {
      std::vector<double> next = beta;
      for (std::size_t i = 0; i < n; ++i) {
        next[i] -= scale * step[i];
      }
      const double next_loss = newton.loss(next);
      if (next_loss <= loss) {
        beta = std::move(next);
        loss = next_loss;
        break;
      }
    }
  }
  newton.derivatives(beta);
  if (!cholesky(newton.hessian, n)) {
    return singular();
  }
  for (std::size_t i = 0; i < n; ++i) {
    std::vector<double> unit(n, 0);
    unit[i] = 1;
    solve_in_place(newton.hessian, n, unit);
    (i < data.columns ? model.std_error.emplace_back() : model.intercept_std_error) = std::sqrt(unit[i]);
  }
  model.intercept = beta.back();
  beta.pop_back();
  model.coefficients = std::move(beta);
  return model;
}

}  // namespace beckon::stats
