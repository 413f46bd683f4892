#pragma once
// Columns of a table as numbers, and ridge regression whose every prediction comes from other rows: the nuisances of residual on
// residual (double machine learning, Chernozhukov et al. 2018) and the question who predicts the price.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "beckon/base/result.h"
#include "beckon/price/elasticity.h"
#include "beckon/table/table.h"

namespace beckon::price {

struct EncodeOptions {
  bool bends = true;            ///< numbers get hinges at thirteen quantiles, so that a bent effect fits; else their square
  bool products = false;        ///< pairs of numbers and categories get their products, as long as columns_max allows
  std::size_t labels_max = 100; ///< most frequent labels of a category; the rest is one label
  std::size_t label_rows_min = 20;
  std::size_t columns_max = 600;
  bool leave_out = false;       ///< leave out, with a note, what passes columns_max instead of refusing
};

/// (rows, columns) row-major. Numbers: pulled in where absurdly far out, one column and its hinges, or one for each value when there are
/// twelve or fewer, and a flag where missing; dates are numbers. Categories: one column a label.
struct Encoded {
  struct Block {
    std::string name;
    std::size_t source = 0;  ///< index of the column it was made from
    std::size_t first = 0;
    std::size_t count = 0;
  };
  std::vector<double> values;
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<Block> blocks;
  std::vector<std::string> notes;  ///< what was left out or merged, one line each
};
/// `rows`: indexes into the table, in the order wanted. resource_exhausted when rows · columns would pass 1.5e8.
base::Result<Encoded> encode(std::span<const table::Column* const> columns, std::span<const std::uint32_t> rows, const EncodeOptions& options = {});

/// Takes the mean of each cell out of every column, scales to variance 1 and drops what is constant.
void standardise(Encoded& encoded, std::span<const std::uint32_t> cell);

/// Folds are whole cells where cells are small (fewer than 50 rows on average), else rows: an effect taken out of two rows makes each
/// the mirror image of the other.
std::vector<std::uint32_t> folds_of(std::size_t rows, std::span<const std::uint32_t> cell, std::pair<std::uint32_t, std::uint64_t> count_and_seed);

/// Ridge regressions on one standardised matrix: Gram matrices and factors are made once, each further target costs O(rows · columns).
class CrossRidge {
 public:
  CrossRidge(const Encoded& x, std::vector<std::uint32_t> fold, std::uint32_t folds);

  struct Fit {
    double r2 = 0;                 ///< out of fold, of the best penalty of the grid; below 0: worse than the mean
    std::vector<double> residual;  ///< (rows), out of fold
  };
  Fit fit(std::span<const double> target) const;

  struct Scores {
    double all = 0;              ///< R² out of fold of all columns
    std::vector<double> blocks;  ///< of each block alone
  };
  /// `target` has mean 0 within cells.
  Scores scores(std::span<const double> target) const;

 private:
  struct Factor {
    double penalty = 0;
    std::vector<double> lower;
  };
  struct Fold {
    std::vector<double> gram;                  // (columns, columns), of this fold's rows
    std::vector<Factor> rest;                  // factors of all other rows, one a penalty
    std::vector<std::vector<double>> blocks;   // factors of all other rows, one a block
  };
  struct Products {
    std::vector<std::vector<double>> by_fold;  // Xᵀy
    std::vector<double> squares;               // Σ y²
    std::vector<double> all;
  };
  Products products(std::span<const double> target) const;
  double left_over(const Fold& fold, std::span<const double> beta, std::span<const double> xy) const;

  const Encoded& x_;
  std::vector<std::uint32_t> fold_;
  std::vector<Fold> folds_;
};

struct CrossFitOptions {
  std::uint32_t folds = 5;
  std::uint64_t seed = 1;
};
/// Price and quantity less what `x` (standardised within the same cells) predicts of them, each row by a fit without it.
Residuals cross_fitted_residuals(const Observations& data, const Encoded& x, Scale scale, const CrossFitOptions& options = {});

}  // namespace beckon::price
