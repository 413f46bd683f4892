#include "hats.h"

#include <algorithm>
#include <cmath>

#include "beckon/base/check.h"
#include "beckon/stats/symmetric.h"

namespace beckon::price {
namespace {

constexpr std::size_t kRowsForRobust = 20;  // rows per knot from which the spread of scores is believed
constexpr int kNewtonSteps = 40;

// Gram matrix, spread of the scores and product with the target of the hats with effects taken out.
struct Normal {
  std::size_t k = 0;
  std::vector<double> gram;
  std::vector<double> spread;
  std::vector<double> xy;
};

base::Result<std::vector<double>> pseudo_inverse(const std::vector<double>& matrix, std::size_t k) {
  BECKON_TRY(const stats::SymmetricAxes axes, stats::symmetric_axes(matrix, k));
  std::vector<double> out(k * k, 0);
  for (std::size_t e = 0; e < k; ++e) {
    if (axes.values[e] > 1e-9 * axes.values[0] && axes.values[e] > 0) {
      for (std::size_t i = 0; i < k; ++i) {
        for (std::size_t j = 0; j < k; ++j) {
          out[i * k + j] += axes.vectors[i * k + e] * axes.vectors[j * k + e] / axes.values[e];
        }
      }
    }
  }
  return out;
}

std::vector<double> product(const std::vector<double>& a, const std::vector<double>& b, std::size_t k) {
  std::vector<double> out(k * k, 0);
  for (std::size_t i = 0; i < k; ++i) {
    for (std::size_t l = 0; l < k; ++l) {
      for (std::size_t j = 0; j < k; ++j) {
        out[i * k + j] += a[i * k + l] * b[l * k + j];
      }
    }
  }
  return out;
}

std::vector<double> applied(const std::vector<double>& matrix, std::span<const double> x) {
  std::vector<double> out(x.size(), 0);
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = 0; j < x.size(); ++j) {
      out[i] += matrix[i * x.size() + j] * x[j];
    }
  }
  return out;
}

// The target in the units of the scale, its mean over the cell taken out.
std::vector<double> target_of(const Observations& data, const Codes& cells, Scale scale) {
  std::vector<double> y(data.quantity.begin(), data.quantity.end());
  const double mean = mean_of(y);
  std::ranges::transform(y, y.begin(), [&](double q) { return scale == Scale::kLogLog ? std::log(q) : q / mean; });
  return demeaned(y, cells);
}

// (rows, knots), row-major: hats with the mean of the cell, and what the columns predict, taken out.
std::vector<double> hats_within(const Knots& knots, const Codes& cells, const CrossRidge* columns) {
  const std::size_t n = knots.hats.size();
  const std::size_t k = knots.price.size();
  std::vector<double> out(n * k);
  std::vector<double> one(n);
  for (std::size_t j = 0; j < k; ++j) {
    for (std::size_t i = 0; i < n; ++i) {
      const Hat hat = knots.hats[i];
      one[i] = hat.knot == j ? 1 - hat.right : (hat.knot + 1 == j ? hat.right : 0);
    }
    std::vector<double> left = demeaned(one, cells);
    if (columns != nullptr) {
      left = columns->fit(left).residual;
    }
    for (std::size_t i = 0; i < n; ++i) {
      out[i * k + j] = left[i];
    }
  }
  return out;
}

void add_outer(std::vector<double>& matrix, const double* x, double weight, std::size_t k) {
  for (std::size_t i = 0; i < k; ++i) {
    for (std::size_t j = 0; j < k; ++j) {
      matrix[i * k + j] += weight * x[i] * x[j];
    }
  }
}

base::Result<Normal> least_squares(const Observations& data, const Knots& knots, const Codes& cells, const CurveOptions& options) {
  const std::size_t n = data.price.size();
  const std::size_t k = knots.price.size();
  const std::vector<double> x = hats_within(knots, cells, options.columns);
  std::vector<double> y = target_of(data, cells, options.scale);
  if (options.columns != nullptr) {
    y = options.columns->fit(y).residual;
  }
  Normal out{k, std::vector<double>(k * k, 0), std::vector<double>(k * k, 0), std::vector<double>(k, 0)};
  for (std::size_t i = 0; i < n; ++i) {
    add_outer(out.gram, &x[i * k], 1, k);
    for (std::size_t j = 0; j < k; ++j) {
      out.xy[j] += x[i * k + j] * y[i];
    }
  }
  BECKON_TRY(const std::vector<double> inverse, pseudo_inverse(out.gram, k));
  const std::vector<double> beta = applied(inverse, out.xy);
  const auto free_rows = static_cast<double>(n) - static_cast<double>(cells.count) - static_cast<double>(k) + 1;
  double squares = 0;
  for (std::size_t i = 0; i < n; ++i) {
    double left = y[i];
    for (std::size_t j = 0; j < k; ++j) {
      left -= beta[j] * x[i * k + j];
    }
    squares += left * left;
    add_outer(out.spread, &x[i * k], left * left, k);
  }
  if (free_rows < 1) {
    return base::failed_precondition("too few rows for a curve over the price: leave the group out, or name coarser cells");
  }
  const double fewer = static_cast<double>(n) / free_rows;
  for (std::size_t i = 0; i < k * k; ++i) {
    out.spread[i] = n >= kRowsForRobust * k ? out.spread[i] * fewer : out.gram[i] * squares / free_rows;
  }
  return out;
}

// exp(curve) under Poisson pseudo-likelihood with the cells maximised out, Newton's method.
class PoissonHats {
 public:
  PoissonHats(const Observations& data, const Knots& knots, const Codes& cells) : data_(data), knots_(knots), cells_(cells), k_(knots.price.size()) {
    quantity_.assign(cells.count, 0);
    for (std::size_t i = 0; i < data.quantity.size(); ++i) {
      quantity_[cells.code[i]] += data.quantity[i];
    }
  }

  base::Result<Normal> fit() {
    beta_.assign(k_, 0);
    Normal out;
    for (int step = 0; step < kNewtonSteps; ++step) {
      out = at_beta();
      std::vector<double> held = out.gram;
      double trace = 0;
      for (std::size_t i = 0; i < k_; ++i) {
        trace += out.gram[i * k_ + i];
      }
      if (!(trace > 0)) {
        return base::failed_precondition("nothing was bought: there is no curve over the price");
      }
      for (std::size_t i = 0; i < k_; ++i) {  // a knot without any quantity would run away
        held[i * k_ + i] += 1e-6 * trace;
      }
      std::vector<double> move = out.xy;
      BECKON_CHECK(cholesky(held, k_));
      solve(held, k_, move);
      double largest = 0;
      for (std::size_t i = 0; i < k_; ++i) {
        beta_[i] += std::clamp(move[i], -2.0, 2.0);
        largest = std::max(largest, std::abs(move[i]));
      }
      if (largest < 1e-8) {
        break;
      }
    }
    out = at_beta();
    out.xy = applied(out.gram, beta_);  // as least squares would have it: gram · estimate
    return out;
  }

 private:
  double linear(std::size_t i) const {
    const Hat hat = knots_.hats[i];
    return beta_[hat.knot] * (1 - hat.right) + (hat.right > 0 ? beta_[hat.knot + 1] * hat.right : 0);
  }

  Normal at_beta() const {
    std::vector<double> weight(cells_.count, 0);
    std::vector<double> mean(cells_.count * k_, 0);
    for (std::size_t i = 0; i < data_.price.size(); ++i) {
      const double w = std::exp(linear(i));
      const Hat hat = knots_.hats[i];
      weight[cells_.code[i]] += w;
      mean[cells_.code[i] * k_ + hat.knot] += w * (1 - hat.right);
      if (hat.right > 0) {
        mean[cells_.code[i] * k_ + hat.knot + 1] += w * hat.right;
      }
    }
    Normal out{k_, std::vector<double>(k_ * k_, 0), std::vector<double>(k_ * k_, 0), std::vector<double>(k_, 0)};
    std::vector<double> x(k_);
    for (std::size_t i = 0; i < data_.price.size(); ++i) {
      const std::uint32_t c = cells_.code[i];
      const double expected = quantity_[c] * std::exp(linear(i)) / weight[c];
      for (std::size_t j = 0; j < k_; ++j) {
        x[j] = -mean[c * k_ + j] / weight[c];
      }
      const Hat hat = knots_.hats[i];
      x[hat.knot] += 1 - hat.right;
      if (hat.right > 0) {
        x[hat.knot + 1] += hat.right;
      }
      const double left = data_.quantity[i] - expected;
      add_outer(out.gram, x.data(), expected, k_);
      add_outer(out.spread, x.data(), left * left, k_);
      for (std::size_t j = 0; j < k_; ++j) {
        out.xy[j] += x[j] * left;
      }
    }
    return out;
  }

  const Observations& data_;
  const Knots& knots_;
  const Codes& cells_;
  std::size_t k_;
  std::vector<double> quantity_;
  std::vector<double> beta_;
};

}  // namespace

Hat Knots::place(double value) const {
  if (value <= price.front()) {
    return {0, 0};
  }
  if (value >= price.back()) {
    return {static_cast<std::uint32_t>(price.size() - 2), 1};
  }
  const auto next = static_cast<std::size_t>(std::ranges::upper_bound(price, value) - price.begin());
  return {static_cast<std::uint32_t>(next - 1), (value - price[next - 1]) / (price[next] - price[next - 1])};
}

Knots make_knots(std::span<const double> prices, Scale scale, std::size_t count) {
  std::vector<double> sorted(prices.begin(), prices.end());
  std::ranges::sort(sorted);
  Knots out;
  out.price = sorted;
  out.price.erase(std::unique(out.price.begin(), out.price.end()), out.price.end());
  if (out.price.size() > count) {
    out.price.clear();
    for (std::size_t i = 0; i < count; ++i) {
      out.price.push_back(quantile_of(sorted, 0.005 + 0.99 * static_cast<double>(i) / static_cast<double>(count - 1)));
    }
    out.price.erase(std::unique(out.price.begin(), out.price.end()), out.price.end());
  }
  if (out.price.size() < 2) {  // all but a few rows have one price
    out.price = {sorted.front(), sorted.back()};
  }
  const double mean = mean_of(prices);
  for (const double price : out.price) {
    out.at.push_back(scale == Scale::kLinearAtMean ? price / mean - 1 : std::log(price / mean));
  }
  out.mass.assign(out.price.size(), 0);
  for (const double price : prices) {
    const Hat hat = out.place(price);
    out.hats.push_back(hat);
    out.mass[hat.knot] += (1 - hat.right) / static_cast<double>(prices.size());
    out.mass[hat.knot + 1] += hat.right / static_cast<double>(prices.size());
  }
  return out;
}

base::Result<Response> response_at_knots(const Observations& data, const Knots& knots, const CurveOptions& options) {
  const Codes cells = combine(data.cell, {}, data.price.size());
  const bool poisson = options.scale == Scale::kPoisson;
  BECKON_TRY(const Normal normal, poisson ? PoissonHats(data, knots, cells).fit() : least_squares(data, knots, cells, options));
  BECKON_TRY(const std::vector<double> inverse, pseudo_inverse(normal.spread, normal.k));
  const std::vector<double> half = product(normal.gram, inverse, normal.k);
  return Response{product(half, normal.gram, normal.k), applied(half, normal.xy)};
}

}  // namespace beckon::price
