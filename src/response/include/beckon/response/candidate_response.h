#pragma once
// P(buys this item within the horizon) and P(clicks this message) for a given customer, item, offer, channel and hour, from the behaviour
// model's heads with attention to the candidate. Learned on past moments, calibrated on the horizon after them.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "beckon/base/executor.h"
#include "beckon/catalog/campaign.h"
#include "beckon/features/features.h"
#include "beckon/features/floors.h"
#include "beckon/model/candidate_heads.h"
#include "beckon/stats/calibration.h"

namespace beckon::response {

/// How an item is offered. The defaults are: no message, it is only there to be bought.
struct Approach {
  catalog::OfferKind offer = catalog::OfferKind::kNone;
  std::int64_t depth_bp = 0;
  features::MessageChannel channel = features::MessageChannel::kOther;
  int hour = -1;         ///< local; -1: not known
  bool message = false;
};

/// One message whose end is known or open.
struct SentMessage {
  std::size_t history = 0;   ///< index into Dataset::histories
  base::Instant at;
  std::int32_t token = 0;    ///< of the item it shows; 0: none
  Approach approach;
  std::int64_t clicked_ms = 0;  ///< of the first click; 0: none so far
};

enum CandidateHead : std::size_t { kBuysItem = 0, kClicks = 1 };
constexpr std::size_t kCandidateHeads = 2;

/// Const members are thread-safe.
struct CandidateResponse {
  model::CandidateHeads heads;
  /// By head; nullopt: too little was known to calibrate, then the head is not to be used.
  std::array<std::optional<stats::PlattCalibration>, kCandidateHeads> calibration;
  std::array<std::int64_t, kCandidateHeads> positives{};  ///< it has learned from
  model::CandidateReport report;

  bool knows(CandidateHead head) const { return calibration[head].has_value(); }
};

/// Whether its heads answer the questions of this version.
bool fits(const CandidateResponse& response);

struct Ask {
  const features::History* history = nullptr;
  base::Instant as_of;
  std::int32_t token = 0;
  Approach approach;
};
/// One calibrated probability an ask. The head must be known. Asks about one history and moment should stand together: they are answered
/// together.
struct AskedHead {
  const model::Model* model = nullptr;
  CandidateHead head = kBuysItem;
};
std::vector<float> probabilities(const CandidateResponse& response, const AskedHead& asked, std::span<const Ask> asks, base::Executor& executor);

/// `horizon_ms`: until when an answer counts. A message younger than that teaches nothing, clicked or not: left in, those that click fast would
/// be "yes" and the others a "no" that is none; a later click counts for none, or old messages would click more.
struct CandidatePeriod {
  base::Instant as_of;
  std::int64_t horizon_ms = 0;
};
/// Learns from everybody as of a few moments, the last of them 2 horizons before `as_of`, and from the messages up to then; calibrates on the
/// horizon before `as_of`; nothing after it is seen. failed_precondition when there is nothing to learn from.
base::Result<CandidateResponse> fit_candidate_response(const features::Dataset& data, const model::Model& model,
                                                       std::span<const SentMessage> messages, const CandidatePeriod& period,
                                                       base::Executor& executor);

/// What came of the calibrated heads in the horizon after `as_of`: predictions and outcomes by head, on candidates and messages.
struct CandidateJudgement {
  std::array<std::vector<double>, kCandidateHeads> predicted;
  std::array<std::vector<std::uint8_t>, kCandidateHeads> outcome;
};
CandidateJudgement judge_candidate_response(const CandidateResponse& response, const features::Dataset& data, const model::Model& model,
                                            std::span<const SentMessage> messages, const CandidatePeriod& period, base::Executor& executor);

}  // namespace beckon::response
