#pragma once
// Base learners: what a learner of effects asks for "expected outcome, given the columns".

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "beckon/base/executor.h"
#include "beckon/base/result.h"
#include "beckon/uplift/matrix.h"

namespace beckon::uplift {

/// kProbability: outcomes 0 or 1, logistic loss, answers are probabilities. kAmount: squared loss.
enum class Response { kProbability, kAmount };

class Prepared;

/// `outcome` and `weight` (empty: all 1) stand beside `rows`, which index x. At least one row.
struct Lesson {
  const Matrix* x = nullptr;
  std::span<const std::uint32_t> rows;
  std::span<const float> outcome;
  std::span<const float> weight = {};
  Response response = Response::kAmount;
  std::uint64_t seed = 1;
  Prepared* prepared = nullptr;  ///< of the same base, x and rows; null: none. One lesson at a time
};

/// Columns of some rows as a base reads them, for lessons that share them.
class Prepared {
 public:
  virtual ~Prepared() = default;
};

class Fitted {
 public:
  virtual ~Fitted() = default;
  /// out: one for each of `rows`. Thread-safe. x has the columns of the lesson.
  virtual void predict(const Matrix& x, std::span<const std::uint32_t> rows, std::span<float> out) const = 0;
};

/// Thread-safe: fits may run beside one another, each in its caller's thread alone. Same lesson → same bits.
class Base {
 public:
  virtual ~Base() = default;
  virtual std::string_view name() const = 0;
  /// Whether sums of products of columns are found without being told: trees find them, a linear model needs them as columns.
  virtual bool finds_interactions() const = 0;
  /// Null where there is nothing to prepare.
  virtual base::Result<std::unique_ptr<Prepared>> prepare(const Matrix& x, std::span<const std::uint32_t> rows) const;
  /// A lesson of one class answers with its share. unavailable: the library failed, with its words.
  virtual base::Result<std::unique_ptr<Fitted>> fit(const Lesson& lesson) const = 0;
};

/// Defaults are those with which the notes' figures were measured; regression sees noisier targets, so it grows smaller trees.
struct TreeOptions {
  int probability_rounds = 80;
  int probability_leaves = 8;
  int probability_rows_min = 200;  ///< in a leaf
  int amount_rounds = 60;
  int amount_leaves = 6;
  int amount_rows_min = 300;
  double learning_rate = 0.05;
  double l2 = 10;
  int bins = 256;
  int depth_max = 0;   ///< 0: leaves alone bound a tree
  int threads = 1;     ///< of one fit
};
/// Gradient boosting over histograms: XGBoost (Chen and Guestrin 2016), leaf by leaf. boosted_trees.cc is its only user.
std::unique_ptr<Base> boosted_trees(const TreeOptions& options = {});

struct LinearOptions {
  double probability_l2 = 10;  ///< penalty l2/2 · |coefficients|² of standardised columns beside the summed loss
  double amount_l2 = 100;
  int iterations_max = 25;     ///< of Newton's method, for probabilities
  base::Executor* executor = nullptr;  ///< shares one fit among workers; null where fits run beside one another. Same bits for any
};
/// Ridge and penalised logistic regression of standardised columns; missing is the column's mean. O(rows · columns²).
std::unique_ptr<Base> linear(const LinearOptions& options = {});

}  // namespace beckon::uplift
