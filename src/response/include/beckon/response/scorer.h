#pragma once
// Scores of whole populations: candidates from every source, one calibrated probability each. Thread-safe after construction.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "beckon/base/executor.h"
#include "beckon/features/sequence.h"
#include "beckon/model/model.h"
#include "beckon/response/response.h"

namespace beckon::response {

struct ScoredItem {
  std::int32_t token = 0;
  double probability = 0;  ///< of buying it within the horizon, without any message
};

struct CandidateEvidence {
  std::int32_t token = 0;
  Evidence evidence;
};

class Scorer {
 public:
  /// `model` may be null: the scores then come from counting alone (degraded mode "recency").
  Scorer(const model::Model* model, const features::Floors* floors, ItemResponse response)
      : model_(model), floors_(floors), response_(std::move(response)) {}

  /// Candidates of each history with their evidence, as of a moment. `allowed` (by token; empty: all) limits them.
  std::vector<std::vector<CandidateEvidence>> evidence(std::span<const features::History* const> histories, base::Instant as_of,
                                                       const std::vector<bool>& allowed, base::Executor& executor) const;
  /// The best `count` of each history, best first.
  std::vector<std::vector<ScoredItem>> score(std::span<const features::History* const> histories, base::Instant as_of,
                                             const std::vector<bool>& allowed, std::size_t count, base::Executor& executor) const;
  /// What the average customer buys: popularity as a probability. Best first.
  std::vector<ScoredItem> popular(const std::vector<bool>& allowed, std::size_t count, std::int64_t customers) const;
  const ItemResponse& item_response() const { return response_; }

 private:
  const model::Model* model_;
  const features::Floors* floors_;
  ItemResponse response_;
};

struct FitPeriod {
  base::Instant from;
  std::int64_t horizon_ms = 0;
};
/// Weighs the evidence of everybody as of `from` by what he bought in the horizon after it: a period that `model` was not trained on.
base::Result<ItemResponse> fit_item_response(const features::Dataset& data, const model::Model& model, const FitPeriod& period,
                                             base::Executor& executor);

}  // namespace beckon::response
