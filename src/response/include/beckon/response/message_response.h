#pragma once
// P(click | sent, candidate) from the shop's own messages: rates shrunk through offer, category, segment and customer while there are few of them, then
// a penalised logistic regression or boosted trees over what was known when the message left, whichever cross-fitted predictions show to
// be better. Learned in seconds, so it is learned anew for every plan and takes the newest feedback with it.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "beckon/catalog/config.h"
#include "beckon/response/candidate_response.h"
#include "beckon/uplift/base.h"

namespace beckon::response {

/// Rates of clicks: all messages → kind of offer → category of the item → segment of the customer; each level is drawn towards the one above
/// by so many messages' worth of it, the topmost towards what the shop states.
class ClickRates {
 public:
  struct Cell {
    catalog::OfferKind offer = catalog::OfferKind::kNone;
    std::uint16_t category = 0;  ///< 0: none or not known
    std::uint8_t segment = 0;    ///< segment_of
  };
  explicit ClickRates(const catalog::Shop& shop) : shop_(&shop) {}
  void add(const Cell& cell, bool clicked);
  double rate(const Cell& cell) const;

 private:
  struct Count {
    std::int64_t messages = 0;
    std::int64_t clicks = 0;
  };
  const catalog::Shop* shop_;
  std::map<std::array<std::uint32_t, 3>, Count> counts_;  ///< {1 + offer, 1 + category, 1 + segment}, 0 where the level sums over it
};

/// How often a customer had bought as of a moment: 0 never, 1 once to three times, 2 up to ten, 3 more often.
std::uint8_t segment_of(const features::History& history, base::Instant as_of);

struct MessageLesson {
  const features::Dataset* data = nullptr;
  std::span<const SentMessage> messages;
  CandidatePeriod period;                               ///< messages younger than the horizon as of then teach nothing; later clicks are none
  std::span<const std::uint16_t> category_of_token;     ///< top category of each token's item, 0: none
  std::span<const float> head = {};                     ///< calibrated answer of the network's click head to each message, -1 where the head has
                                                        ///< learned from it; empty: there is no head
  const catalog::Shop* shop = nullptr;
  base::Executor* executor = nullptr;
};

/// One learner, judged on customers it did not see.
struct LearnerFigure {
  std::string name;          ///< "rates", "linear", "trees", or "network": the click head alone
  std::int64_t messages = 0; ///< judged on; of the network only those that it has not learned from
  double log_loss = 0;
  double gain = 0;           ///< of log loss a message, over the learner chosen so far
  double gain_low = 0;       ///< 95 % interval, customers are the units
  double gain_high = 0;
};

class MessageResponse {
 public:
  /// Never fails for want of data: then it answers with rates. unavailable: the library of the trees failed.
  static base::Result<MessageResponse> fit(const MessageLesson& lesson);

  /// One probability an ask; `head` as in the lesson, empty when that was. Thread-safe.
  std::vector<float> clicks(std::span<const Ask> asks, std::span<const float> head) const;

  const std::string& chosen() const { return chosen_; }
  const std::vector<LearnerFigure>& figures() const { return figures_; }
  /// Cross-fitted, calibrated predictions of the lesson's messages and what came of them.
  std::span<const double> predicted() const { return predicted_; }
  std::span<const std::uint8_t> outcome() const { return outcome_; }
  bool uses_head() const { return uses_head_; }

 private:
  explicit MessageResponse(const catalog::Shop& shop) : rates_(shop) {}

  ClickRates rates_;
  std::vector<std::uint16_t> category_of_token_;
  std::shared_ptr<const uplift::Fitted> learner_;  ///< null: rates
  double calibrated(double p) const;

  stats::PlattCalibration platt_;
  std::optional<stats::IsotonicCalibration> isotonic_;  ///< with enough clicks to draw a map point by point
  std::string chosen_ = "rates";
  bool uses_head_ = false;
  std::vector<LearnerFigure> figures_;
  std::vector<double> predicted_;
  std::vector<std::uint8_t> outcome_;
};

}  // namespace beckon::response
