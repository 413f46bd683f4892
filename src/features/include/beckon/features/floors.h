#pragma once
// What a model has to beat: three ways of counting (definitions: docs/model.md). Fitted on steps up to `as_of` only.

#include <cstdint>
#include <span>
#include <vector>

#include "beckon/features/chain.h"
#include "beckon/features/features.h"

namespace beckon::features {

class Floors {
 public:
  /// Only purchases count as wishes when there are any, else every step.
  static Floors fit(const Dataset& data, base::Instant as_of);

  /// Most frequent of the last 7 days (of the last 28, of all time, when a week is empty). Best first, at most `count`.
  const std::vector<Scored>& popular() const { return popular_; }
  /// His own items, by a count that halves every 60 days.
  std::vector<Scored> own(const History& history, base::Instant as_of) const;
  /// Decayed two-step chain: Σ_d 0.7^d · count(x_d → b) / √count(x_d → ·) over his last 10 items.
  std::vector<Scored> markov(const History& history, base::Instant as_of) const;
  double popularity(std::int32_t token) const;

 private:
  std::vector<Scored> popular_;
  std::vector<double> popularity_;
  Chain chain_;
};

/// How much a step says about what he wants: a purchase 1, everything else a tenth.
double wish_weight(StepType type);
/// Steps up to `as_of`.
std::span<const Step> seen(const History& history, base::Instant as_of);

}  // namespace beckon::features
