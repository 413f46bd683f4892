#pragma once
// The expected reward of an action for a context, for the estimators that need one. The learner is an interface: linear here, trees elsewhere.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "beckon/base/result.h"

namespace beckon::stats {

/// Ridge regression y ≈ intercept + x·coefficients; columns are centred and scaled inside, so that the penalty does not see their units.
struct LinearModel {
  std::vector<double> coefficients;
  double intercept = 0;
  double predict(std::span<const double> row) const;
};
/// `x` (n, columns) row-major. failed_precondition when a value is not finite or there are no rows. O(n·columns² + columns³).
base::Result<LinearModel> fit_ridge(std::span<const double> x, std::span<const double> y, double l2 = 1.0);

struct RewardRows {
  std::span<const double> context;             ///< (n, columns) row-major; may be empty with columns = 0
  std::size_t columns = 0;
  std::span<const std::uint32_t> action = {};  ///< (n) < action_count; empty: the model does not look at the action
  std::size_t action_count = 0;
  std::span<const double> reward;              ///< (n)
};
/// Thread-safe once fitted.
class RewardModel {
 public:
  virtual ~RewardModel() = default;
  virtual double predict(std::span<const double> context, std::uint32_t action) const = 0;
};
class RewardLearner {
 public:
  virtual ~RewardLearner() = default;
  virtual base::Result<std::unique_ptr<RewardModel>> fit(const RewardRows& rows) const = 0;
};
/// Logistic regression when every reward is 0 or 1, else ridge. Up to 64 actions get a column each, more get one column with the action's
/// mean reward, shrunk towards the mean of all as 20 more rows would. Rows that are all alike in reward: a constant.
class LinearRewardLearner final : public RewardLearner {
 public:
  explicit LinearRewardLearner(double l2 = 1.0) : l2_(l2) {}
  base::Result<std::unique_ptr<RewardModel>> fit(const RewardRows& rows) const override;

 private:
  double l2_;
};

struct CrossFitOptions {
  int folds = 5;
  std::uint64_t seed = 1;
};
/// target(row, action) of the policy to be judged; called for the actions of one row in a row.
using TargetProbability = std::function<double(std::size_t row, std::uint32_t action)>;
struct CrossFitted {
  std::vector<double> shown;   ///< q of the shown action
  std::vector<double> target;  ///< Σ_a target(a) q(a); equal to `shown` when the model does not look at the action
};
/// Models fitted on the other folds predict each row; customers stay in one fold (`customer` empty: each row its own).
base::Result<CrossFitted> cross_fit(const RewardLearner& learner,
                                    const RewardRows& rows,
                                    std::span<const std::uint32_t> customer,
                                    const TargetProbability& target,
                                    const CrossFitOptions& options = {});

}  // namespace beckon::stats
