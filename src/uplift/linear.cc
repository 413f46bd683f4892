#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "beckon/stats/regression.h"
#include "beckon/stats/symmetric.h"
#include "beckon/tensor/tensor.h"
#include "beckon/uplift/base.h"
#include "constant.h"

namespace beckon::uplift {
namespace {

constexpr std::size_t kBlock = 1024;       // rows of one product
constexpr std::size_t kTaskBlocks = 32;    // products that one worker adds up before the others' join: fixed, so that workers change no bit

// Rows of x less the mean of their column, missing cells 0, and a column of ones behind them.
class Centred {
 public:
  Centred(const Matrix& x, std::span<const float> mean) : x_(x), mean_(mean), values_(kBlock * (x.columns + 1)) {}

  std::size_t wide() const { return x_.columns + 1; }
  void read(std::span<const std::uint32_t> rows) {
    float* out = values_.data();
    for (const std::uint32_t r : rows) {
      const float* row = x_.values.data() + std::size_t{r} * x_.columns;
      for (std::size_t c = 0; c < x_.columns; ++c) {
        const float value = row[c] - mean_[c];
        out[c] = value == value ? value : 0;
      }
      out[x_.columns] = 1;
      out += wide();
    }
  }
  const float* row(std::size_t i) const { return values_.data() + i * wide(); }
  const tensor::Buffer& values() const { return values_; }

 private:
  const Matrix& x_;
  std::span<const float> mean_;
  tensor::Buffer values_;
};

float dot(const float* row, const std::vector<float>& beta) {
  float sums[4] = {0, 0, 0, 0};
  std::size_t c = 0;
  for (; c + 4 <= beta.size(); c += 4) {
    for (std::size_t k = 0; k < 4; ++k) {
      sums[k] += row[c + k] * beta[c + k];
    }
  }
  for (; c < beta.size(); ++c) {
    sums[0] += row[c] * beta[c];
  }
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

// Σ (x, 1)(x, 1)ᵀ·weight and, as one more column, Σ (x, 1)·side: (n, n + 1).
using Sums = std::vector<double>;

std::vector<float> narrowed(const std::vector<double>& values) {
  std::vector<float> out;
  for (const double value : values) {
    out.push_back(static_cast<float>(value));
  }
  return out;
}

void run_tasks(base::Executor* executor, std::size_t count, const std::function<void(std::size_t)>& task) {
  if (executor != nullptr) {
    executor->run(count, task);
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    task(i);
  }
}

class Fit final : public Fitted {
 public:
  Fit(std::vector<float> mean, const std::vector<double>& beta, Response response, base::Executor* executor)
      : mean_(std::move(mean)), beta_(narrowed(beta)), response_(response), executor_(executor) {}

  void predict(const Matrix& x, std::span<const std::uint32_t> rows, std::span<float> out) const override {
    const auto some = [&](std::size_t task) {
      Centred block(x, mean_);
      const std::size_t end = std::min(rows.size(), (task + 1) * kTaskBlocks * kBlock);
      for (std::size_t begin = task * kTaskBlocks * kBlock; begin < end; begin += kBlock) {
        const auto part = rows.subspan(begin, std::min(kBlock, end - begin));
        block.read(part);
        for (std::size_t i = 0; i < part.size(); ++i) {
          const float sum = dot(block.row(i), beta_);
          out[begin + i] = response_ == Response::kProbability ? static_cast<float>(stats::sigmoid(static_cast<double>(sum))) : sum;
        }
      }
    };
    run_tasks(executor_, (rows.size() + kTaskBlocks * kBlock - 1) / (kTaskBlocks * kBlock), some);
  }

 private:
  std::vector<float> mean_;
  std::vector<float> beta_;  // of centred columns; the last one: the intercept
  Response response_;
  base::Executor* executor_;
};

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
    std::vector<float> mean = means(lesson);
    BECKON_TRY(const std::vector<double> beta, lesson.response == Response::kAmount ? ridge(lesson, mean) : logistic(lesson, mean));
    return std::unique_ptr<Fitted>(std::make_unique<Fit>(std::move(mean), beta, lesson.response, options_.executor));
  }

 private:
  // What a row adds: weight of its square, and side beside it. `score`: the row's value under the coefficients so far.
  using Weigh = std::function<std::pair<float, float>(std::size_t i, float score)>;

  std::vector<float> means(const Lesson& lesson) const {
    const std::size_t columns = lesson.x->columns;
    std::vector<double> sum(columns, 0);
    std::vector<double> weight(columns, 0);
    for (std::size_t i = 0; i < lesson.rows.size(); ++i) {
      const auto row = lesson.x->row(lesson.rows[i]);
      const double w = lesson.weight.empty() ? 1 : static_cast<double>(lesson.weight[i]);
      for (std::size_t c = 0; c < columns; ++c) {
        const bool known = row[c] == row[c];
        sum[c] += known ? w * static_cast<double>(row[c]) : 0;
        weight[c] += known ? w : 0;
      }
    }
    std::vector<float> out;
    for (std::size_t c = 0; c < columns; ++c) {
      out.push_back(weight[c] > 0 ? static_cast<float>(sum[c] / weight[c]) : 0);
    }
    return out;
  }

  Sums sums_of(const Lesson& lesson, std::span<const float> mean, const std::vector<double>& coefficients, const Weigh& weigh) const {
    const std::size_t n = lesson.x->columns + 1;
    const std::vector<float> beta = narrowed(coefficients);
    const std::size_t tasks = (lesson.rows.size() + kTaskBlocks * kBlock - 1) / (kTaskBlocks * kBlock);
    std::vector<Sums> parts(tasks);
    run_tasks(options_.executor, tasks, [&](std::size_t task) {
      Centred block(*lesson.x, mean);
      tensor::Buffer right(kBlock * (n + 1));
      tensor::Buffer product(n * (n + 1));
      Sums& sums = parts[task];
      sums.assign(n * (n + 1), 0);
      const std::size_t end = std::min(lesson.rows.size(), (task + 1) * kTaskBlocks * kBlock);
      for (std::size_t begin = task * kTaskBlocks * kBlock; begin < end; begin += kBlock) {
        const auto rows = lesson.rows.subspan(begin, std::min(kBlock, end - begin));
        block.read(rows);
        for (std::size_t i = 0; i < rows.size(); ++i) {
          const float* row = block.row(i);
          const auto [weight, side] = weigh(begin + i, beta.empty() ? 0 : dot(row, beta));
          float* out = right.data() + i * (n + 1);
          for (std::size_t c = 0; c < n; ++c) {
            out[c] = weight * row[c];
          }
          out[n] = side;
        }
        tensor::gemm(tensor::view(block.values().span(), rows.size(), n).t(), tensor::view(right.span(), rows.size(), n + 1),
                     {product.data(), n, n + 1, n + 1});
        for (std::size_t k = 0; k < sums.size(); ++k) {
          sums[k] += static_cast<double>(product[k]);
        }
      }
    });
    Sums total(n * (n + 1), 0);
    for (const Sums& part : parts) {
      for (std::size_t k = 0; k < total.size(); ++k) {
        total[k] += part[k];
      }
    }
    return total;
  }

  // Solves the penalised equations. The penalty is on coefficients of columns with deviation 1: of centred ones it is l2 times the variance.
  static base::Result<std::vector<double>> solve(const Sums& sums, const std::vector<double>& variance, double l2, const std::vector<double>& at) {
    const std::size_t n = variance.size() + 1;
    std::vector<double> matrix(n * n);
    std::vector<double> right(n);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        matrix[i * n + j] = sums[i * (n + 1) + j];
      }
      right[i] = sums[i * (n + 1) + n];
      if (i + 1 < n) {
        // A column that never moves has no variance and gets a penalty of 1, which leaves it at 0.
        const double penalty = variance[i] > 0 ? l2 * variance[i] : 1;
        matrix[i * n + i] += penalty;
        right[i] -= penalty * at[i];
      }
    }
    matrix.back() += 1e-9;  // a lesson whose weights are all 0 still has an answer
    return stats::solve_positive(matrix, right);
  }

  static std::vector<double> variances(const Sums& sums, std::span<const float> mean) {
    const std::size_t n = mean.size() + 1;
    const double weight = sums[(n - 1) * (n + 1) + n - 1];
    std::vector<double> out;
    for (std::size_t c = 0; c + 1 < n; ++c) {
      const double variance = weight > 0 ? sums[c * (n + 1) + c] / weight : 0;
      // What is left of a constant column by rounding is no variance.
      out.push_back(variance > 1e-12 * (1 + static_cast<double>(mean[c]) * static_cast<double>(mean[c])) ? variance : 0);
    }
    return out;
  }

  base::Result<std::vector<double>> ridge(const Lesson& lesson, std::span<const float> mean) const {
    const Sums sums = sums_of(lesson, mean, {}, [&](std::size_t i, float) {
      const float weight = lesson.weight.empty() ? 1 : lesson.weight[i];
      return std::pair{weight, weight * lesson.outcome[i]};
    });
    return solve(sums, variances(sums, mean), options_.amount_l2, std::vector<double>(mean.size() + 1, 0));
  }

  // Newton's method from the share of successes. The loss is convex, and a step is bounded so that it cannot run off.
  base::Result<std::vector<double>> logistic(const Lesson& lesson, std::span<const float> mean) const {
    const std::size_t n = mean.size() + 1;
    std::vector<double> beta(n, 0);
    const double share = std::clamp(weighted_mean(lesson), 1e-9, 1 - 1e-9);
    beta.back() = std::log(share / (1 - share));
    std::vector<double> variance;
    for (int iteration = 0; iteration < options_.iterations_max; ++iteration) {
      const Sums sums = sums_of(lesson, mean, beta, [&](std::size_t i, float score) {
        const double p = stats::sigmoid(static_cast<double>(score));
        const double weight = lesson.weight.empty() ? 1 : static_cast<double>(lesson.weight[i]);
        return std::pair{static_cast<float>(weight * p * (1 - p)), static_cast<float>(weight * (static_cast<double>(lesson.outcome[i]) - p))};
      });
      if (variance.empty()) {
        variance = variances(sums, mean);  // at the start every row weighs p(1-p): the same as plain variances
      }
      BECKON_TRY(const std::vector<double> step, solve(sums, variance, options_.probability_l2, beta));
      double longest = 0;
      for (std::size_t c = 0; c < n; ++c) {
        longest = std::max(longest, std::abs(step[c]) * (c + 1 < n ? std::sqrt(variance[c]) : 1));
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
