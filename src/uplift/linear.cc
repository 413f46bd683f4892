#include <algorithm>
#include <cmath>
#include <vector>

#include "beckon/stats/regression.h"
#include "beckon/stats/symmetric.h"
#include "beckon/uplift/base.h"
#include "constant.h"

namespace beckon::uplift {
namespace {

constexpr std::size_t kBlock = 512;  // rows whose sums are kept in fp32 before they join the others

// Standardises: weighted mean 0 and deviation 1; missing cells and constant columns are 0.
struct Scale {
  std::vector<float> mean;
  std::vector<float> inverse;

  static Scale of(const Lesson& lesson) {
    const std::size_t columns = lesson.x->columns;
    std::vector<double> sum(columns, 0);
    std::vector<double> squares(columns, 0);
    std::vector<double> weight(columns, 0);
    // Two passes: squares around the mean do not cancel.
    const auto visit = [&](auto&& add) {
      for (std::size_t i = 0; i < lesson.rows.size(); ++i) {
        const auto row = lesson.x->row(lesson.rows[i]);
        const double w = lesson.weight.empty() ? 1 : static_cast<double>(lesson.weight[i]);
        for (std::size_t c = 0; c < columns; ++c) {
          if (!std::isnan(row[c])) {
            add(c, static_cast<double>(row[c]), w);
          }
        }
      }
    };
    visit([&](std::size_t c, double x, double w) {
      sum[c] += w * x;
      weight[c] += w;
    });
    for (std::size_t c = 0; c < columns; ++c) {
      sum[c] = weight[c] > 0 ? sum[c] / weight[c] : 0;
    }
    visit([&](std::size_t c, double x, double w) { squares[c] += w * (x - sum[c]) * (x - sum[c]); });
    Scale out;
    for (std::size_t c = 0; c < columns; ++c) {
      const double deviation = weight[c] > 0 ? std::sqrt(squares[c] / weight[c]) : 0;
      out.mean.push_back(static_cast<float>(sum[c]));
      out.inverse.push_back(deviation > 1e-9 * (1 + std::abs(sum[c])) ? static_cast<float>(1 / deviation) : 0.0F);
    }
    return out;
  }

  void apply(std::span<const float> row, float* out) const {
    for (std::size_t c = 0; c < row.size(); ++c) {
      const float value = (row[c] - mean[c]) * inverse[c];
      out[c] = value == value ? value : 0;
    }
  }
};

// Sums over rows of (x, 1)(x, 1)ᵀ·weight and (x, 1)·right, of standardised x.
class Sums {
 public:
  explicit Sums(std::size_t columns) : n_(columns + 1), matrix(n_ * n_, 0), right(n_, 0), block_matrix_(n_ * n_, 0), block_right_(n_, 0) {}

  void add(const float* x, float weight, float side) {
    for (std::size_t i = 0; i < n_; ++i) {
      const float w = weight * x[i];
      float* out = block_matrix_.data() + i * n_;
      for (std::size_t j = 0; j <= i; ++j) {
        out[j] += w * x[j];
      }
      block_right_[i] += side * x[i];
    }
    if (++rows_ == kBlock) {
      fold();
    }
  }
  void fold() {
    const auto move = [](std::vector<float>& from, std::vector<double>& to) {
      for (std::size_t i = 0; i < from.size(); ++i) {
        to[i] += static_cast<double>(from[i]);
        from[i] = 0;
      }
    };
    move(block_matrix_, matrix);
    move(block_right_, right);
    rows_ = 0;
  }

 private:
  std::size_t n_;

 public:
  std::vector<double> matrix;
  std::vector<double> right;

 private:
  std::vector<float> block_matrix_;
  std::vector<float> block_right_;
  std::size_t rows_ = 0;
};

class Fit final : public Fitted {
 public:
  Fit(Scale scale, std::vector<double> beta, Response response) : scale_(std::move(scale)), beta_(std::move(beta)), response_(response) {}

  void predict(const Matrix& x, std::span<const std::uint32_t> rows, std::span<float> out) const override {
    std::vector<float> row(x.columns + 1, 1);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      scale_.apply(x.row(rows[i]), row.data());
      double sum = 0;
      for (std::size_t c = 0; c < beta_.size(); ++c) {
        sum += beta_[c] * static_cast<double>(row[c]);
      }
      out[i] = static_cast<float>(response_ == Response::kProbability ? stats::sigmoid(sum) : sum);
    }
  }

 private:
  Scale scale_;
  std::vector<double> beta_;  // the last one: the intercept
  Response response_;
};

// Penalises all coefficients but the intercept.
void add_penalty(std::vector<double>& matrix, std::size_t n, double l2) {
  for (std::size_t c = 0; c + 1 < n; ++c) {
    matrix[c * n + c] += l2;
  }
  matrix.back() += 1e-9;  // a lesson whose weights are all 0 still has an answer
}

class Linear final : public Base {
 public:
  explicit Linear(const LinearOptions& options) : options_(options) {}
  std::string_view name() const override { return "linear"; }
  bool finds_interactions() const override { return false; }

  base::Result<std::unique_ptr<Fitted>> fit(const Lesson& lesson) const override {
    check(lesson);
    if (auto constant = fit_constant(lesson)) {
      return std::unique_ptr<Fitted>(std::move(constant));
    }
    Scale scale = Scale::of(lesson);
    BECKON_TRY(std::vector<double> beta, lesson.response == Response::kAmount ? ridge(lesson, scale) : logistic(lesson, scale));
    return std::unique_ptr<Fitted>(std::make_unique<Fit>(std::move(scale), std::move(beta), lesson.response));
  }

 private:
  base::Result<std::vector<double>> ridge(const Lesson& lesson, const Scale& scale) const {
    const std::size_t n = lesson.x->columns + 1;
    Sums sums(n - 1);
    std::vector<float> row(n, 1);
    for (std::size_t i = 0; i < lesson.rows.size(); ++i) {
      scale.apply(lesson.x->row(lesson.rows[i]), row.data());
      const float weight = lesson.weight.empty() ? 1 : lesson.weight[i];
      sums.add(row.data(), weight, weight * lesson.outcome[i]);
    }
    sums.fold();
    add_penalty(sums.matrix, n, options_.amount_l2);
    return stats::solve_positive(sums.matrix, sums.right);
  }

  // Newton's method. The penalised loss is convex with a bounded third derivative; from a start at the share of successes a full step
  // has always lowered it, and the step is bounded so that it cannot run off.
  base::Result<std::vector<double>> logistic(const Lesson& lesson, const Scale& scale) const {
    const std::size_t n = lesson.x->columns + 1;
    std::vector<double> beta(n, 0);
    const double share = std::clamp(weighted_mean(lesson), 1e-9, 1 - 1e-9);
    beta.back() = std::log(share / (1 - share));
    std::vector<float> row(n, 1);
    for (int iteration = 0; iteration < options_.iterations_max; ++iteration) {
      Sums sums(n - 1);
      for (std::size_t i = 0; i < lesson.rows.size(); ++i) {
        scale.apply(lesson.x->row(lesson.rows[i]), row.data());
        double score = 0;
        for (std::size_t c = 0; c < n; ++c) {
          score += beta[c] * static_cast<double>(row[c]);
        }
        const double p = stats::sigmoid(score);
        const double weight = lesson.weight.empty() ? 1 : static_cast<double>(lesson.weight[i]);
        sums.add(row.data(), static_cast<float>(weight * p * (1 - p)), static_cast<float>(weight * (static_cast<double>(lesson.outcome[i]) - p)));
      }
      sums.fold();
      for (std::size_t c = 0; c + 1 < n; ++c) {
        sums.right[c] -= options_.probability_l2 * beta[c];
      }
      add_penalty(sums.matrix, n, options_.probability_l2);
      BECKON_TRY(std::vector<double> step, stats::solve_positive(sums.matrix, sums.right));
      double longest = 0;
      for (const double s : step) {
        longest = std::max(longest, std::abs(s));
      }
      const double scale_down = longest > 4 ? 4 / longest : 1;
      for (std::size_t c = 0; c < n; ++c) {
        beta[c] += scale_down * step[c];
      }
      if (longest < 1e-5) {
        break;
      }
    }
    return beta;
  }

  LinearOptions options_;
};

}  // namespace

std::unique_ptr<Base> linear(const LinearOptions& options) {
  return std::make_unique<Linear>(options);
}

}  // namespace beckon::uplift
