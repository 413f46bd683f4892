#include "beckon/price/crossfit.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "beckon/base/check.h"
#include "beckon/base/rng.h"
#include "dense.h"

namespace beckon::price {
namespace {

// Penalties as multiples of the number of columns: at 1, ridge expects the columns to explain about half of the variance together.
constexpr double kPenalties[] = {3e-5, 3e-4, 0.003, 0.03, 0.3, 3, 30};
constexpr double kSmallCells = 50;

}  // namespace

std::vector<std::uint32_t> folds_of(std::size_t rows, std::span<const std::uint32_t> cell, std::pair<std::uint32_t, std::uint64_t> count_and_seed) {
  const auto [count, seed] = count_and_seed;
  const Codes cells = combine(cell, {}, rows);
  base::Rng rng(seed, 17);
  const bool by_cell = cells.count >= 2 * count && static_cast<double>(rows) < kSmallCells * static_cast<double>(cells.count);
  std::vector<std::uint32_t> of_unit(by_cell ? cells.count : rows);
  for (std::size_t i = 0; i < of_unit.size(); ++i) {
    of_unit[i] = static_cast<std::uint32_t>(i % count);
  }
  rng.shuffle(of_unit);
  if (!by_cell) {
    return of_unit;
  }
  std::vector<std::uint32_t> out(rows);
  std::ranges::transform(cells.code, out.begin(), [&](std::uint32_t code) { return of_unit[code]; });
  return out;
}

CrossRidge::CrossRidge(const Encoded& x, std::vector<std::uint32_t> fold, std::uint32_t folds) : x_(x), fold_(std::move(fold)), folds_(folds) {
  BECKON_CHECK(fold_.size() == x_.rows && folds >= 2);
  const std::size_t k = x_.columns;
  for (auto& one : folds_) {
    one.gram.assign(k * k, 0);
  }
  for (std::size_t row = 0; row < x_.rows; ++row) {
    const double* values = x_.values.data() + row * k;
    double* gram = folds_[fold_[row]].gram.data();
    for (std::size_t i = 0; i < k; ++i) {
      const double value = values[i];
      if (value != 0) {
        for (std::size_t j = 0; j <= i; ++j) {
          gram[i * k + j] += value * values[j];
        }
      }
    }
  }
  std::vector<double> total(k * k, 0);
  for (const auto& one : folds_) {
    for (std::size_t i = 0; i < total.size(); ++i) {
      total[i] += one.gram[i];
    }
  }
  for (auto& one : folds_) {
    std::vector<double> rest(k * k);
    std::ranges::transform(total, one.gram, rest.begin(), [](double a, double b) { return a - b; });
    for (const double penalty : kPenalties) {
      Factor factor{penalty * static_cast<double>(k), rest};
      for (std::size_t i = 0; i < k; ++i) {
        factor.lower[i * k + i] += factor.penalty;
      }
      BECKON_CHECK(cholesky(factor.lower, k));
      one.rest.push_back(std::move(factor));
    }
    for (const auto& block : x_.blocks) {
      std::vector<double> part(block.count * block.count);
      for (std::size_t i = 0; i < block.count; ++i) {
        for (std::size_t j = 0; j <= i; ++j) {
          part[i * block.count + j] = rest[(block.first + i) * k + block.first + j];
        }
        part[i * block.count + i] += static_cast<double>(block.count);
      }
      BECKON_CHECK(cholesky(part, block.count));
      one.blocks.push_back(std::move(part));
    }
  }
}

CrossRidge::Products CrossRidge::products(std::span<const double> target) const {
  BECKON_CHECK(target.size() == x_.rows);
  const std::size_t k = x_.columns;
  Products out;
  out.by_fold.assign(folds_.size(), std::vector<double>(k, 0));
  out.squares.assign(folds_.size(), 0);
  out.all.assign(k, 0);
  for (std::size_t row = 0; row < x_.rows; ++row) {
    const double* values = x_.values.data() + row * k;
    double* sums = out.by_fold[fold_[row]].data();
    const double y = target[row];
    for (std::size_t j = 0; j < k; ++j) {
      sums[j] += y * values[j];
    }
    out.squares[fold_[row]] += y * y;
  }
  for (const auto& one : out.by_fold) {
    for (std::size_t j = 0; j < k; ++j) {
      out.all[j] += one[j];
    }
  }
  return out;
}

// Σ (y - x·beta)² of a fold less its Σ y²: from products alone, no pass over the rows.
double CrossRidge::left_over(const Fold& fold, std::span<const double> beta, std::span<const double> xy) const {
  const std::size_t k = x_.columns;
  double sum = 0;
  for (std::size_t i = 0; i < k; ++i) {
    double inner = 0.5 * fold.gram[i * k + i] * beta[i];
    for (std::size_t j = 0; j < i; ++j) {
      inner += fold.gram[i * k + j] * beta[j];
    }
    sum += beta[i] * (2 * inner - 2 * xy[i]);
  }
  return sum;
}

CrossRidge::Scores CrossRidge::scores(std::span<const double> target) const {
  const Products made = products(target);
  const double squares = sum_of(made.squares);
  Scores out{0, std::vector<double>(x_.blocks.size(), 0)};
  if (!(squares > 0) || x_.columns == 0) {
    return out;
  }
  std::vector<double> change(std::size(kPenalties), 0);
  for (std::size_t f = 0; f < folds_.size(); ++f) {
    std::vector<double> rest(x_.columns);
    std::ranges::transform(made.all, made.by_fold[f], rest.begin(), [](double a, double b) { return a - b; });
    for (std::size_t p = 0; p < change.size(); ++p) {
      std::vector<double> beta = rest;
      solve(folds_[f].rest[p].lower, x_.columns, beta);
      change[p] += left_over(folds_[f], beta, made.by_fold[f]);
    }
    for (std::size_t b = 0; b < x_.blocks.size(); ++b) {
      const Encoded::Block& block = x_.blocks[b];
      const auto from = rest.begin() + static_cast<std::ptrdiff_t>(block.first);
      std::vector<double> beta(from, from + static_cast<std::ptrdiff_t>(block.count));
      solve(folds_[f].blocks[b], block.count, beta);
      double sum = 0;
      for (std::size_t i = 0; i < block.count; ++i) {
        const std::size_t at = block.first + i;
        double inner = 0.5 * folds_[f].gram[at * x_.columns + at] * beta[i];
        for (std::size_t j = 0; j < i; ++j) {
          inner += folds_[f].gram[at * x_.columns + block.first + j] * beta[j];
        }
        sum += beta[i] * (2 * inner - 2 * made.by_fold[f][at]);
      }
      out.blocks[b] -= sum / squares;
    }
  }
  out.all = -*std::ranges::min_element(change) / squares;
  return out;
}

CrossRidge::Fit CrossRidge::fit(std::span<const double> target) const {
  const std::size_t k = x_.columns;
  Fit out{0, std::vector<double>(target.begin(), target.end())};
  const Products made = products(target);
  const double squares = sum_of(made.squares);
  if (k == 0 || !(squares > 0)) {
    return out;
  }
  double least = std::numeric_limits<double>::infinity();
  std::vector<std::vector<double>> best;
  for (std::size_t p = 0; p < std::size(kPenalties); ++p) {
    double change = 0;
    std::vector<std::vector<double>> betas;
    for (std::size_t f = 0; f < folds_.size(); ++f) {
      std::vector<double> beta(k);
      std::ranges::transform(made.all, made.by_fold[f], beta.begin(), [](double a, double b) { return a - b; });
      solve(folds_[f].rest[p].lower, k, beta);
      change += left_over(folds_[f], beta, made.by_fold[f]);
      betas.push_back(std::move(beta));
    }
    if (change < least) {
      least = change;
      best = std::move(betas);
    }
  }
  out.r2 = -least / squares;
  for (std::size_t row = 0; row < x_.rows; ++row) {
    const double* values = x_.values.data() + row * k;
    const std::vector<double>& beta = best[fold_[row]];
    double predicted = 0;
    for (std::size_t j = 0; j < k; ++j) {
      predicted += beta[j] * values[j];
    }
    out.residual[row] -= predicted;
  }
  return out;
}

Residuals cross_fitted_residuals(const Observations& data, const Encoded& x, Scale scale, const CrossFitOptions& options) {
  BECKON_CHECK(scale != Scale::kPoisson && data.price.size() == x.rows && data.quantity.size() == x.rows);
  std::vector<double> t(data.price.begin(), data.price.end());
  std::vector<double> y(data.quantity.begin(), data.quantity.end());
  for (std::size_t i = 0; i < x.rows; ++i) {
    t[i] = scale == Scale::kLinearAtMean ? t[i] : std::log(t[i]);
    y[i] = scale == Scale::kLogLog ? std::log(y[i]) : y[i];
  }
  const Codes cells = combine(data.cell, {}, x.rows);
  const CrossRidge ridge(x, folds_of(x.rows, data.cell, {options.folds, options.seed}), options.folds);
  return {ridge.fit(demeaned(t, cells)).residual, ridge.fit(demeaned(y, cells)).residual};
}

}  // namespace beckon::price
