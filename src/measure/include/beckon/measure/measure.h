#pragma once
// Who belongs to which group, what came back, and what the campaign changed. Reads records, decides nothing.
//
//   groups.h     who belongs to which group
//   measure.h    outcomes, lifts, slices
//   evidence.h   what own randomised groups say about the effect of an offer
//   verdict.h    what may be said of a campaign, and what its sizes can show
// Lift is always by assignment: whoever was put into a group stays in it, whatever happened to his message.

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "beckon/events/events.h"
#include "beckon/events/records.h"
#include "beckon/measure/groups.h"

namespace beckon::measure {

/// What one decided customer did in the window after the decision. A customer with several messages (slots) has one outcome for each,
/// standing together: what he bought is in each of them, what answers one message is in its own.
struct Outcome {
  events::Decision decision;
  bool ripe = false;        ///< the whole window was seen
  bool sent = false;        ///< a delivery was accepted by the transport
  bool delivered = false;
  bool opened = false;
  bool clicked = false;
  bool redeemed = false;
  bool complained = false;
  bool unsubscribed = false;
  bool leaked = false;      ///< held out, and yet he used a code of the campaign or answered one of its messages
  std::int64_t purchases = 0;         ///< order lines in the window, refunds taken back
  std::int64_t revenue_minor = 0;     ///< paid for them
  std::int64_t goods_margin_minor = 0;  ///< revenue less cost of the pieces
  std::int64_t margin_minor = 0;      ///< revenue less cost of the pieces and sending, less discounts that the price paid does not show
  std::int64_t promotion_minor = 0;   ///< discounts redeemed + send cost, rounded up
  std::int64_t item_purchases = 0;    ///< pieces of the promoted (or ghost) item
  std::int64_t attributed_minor = 0;  ///< revenue after a click or by coupon, last touch within the window
};

struct OutcomeOptions {
  std::int64_t attribution_ms = 7 * base::kDayMs;
  base::Instant as_of;                               ///< later events are not seen
  std::map<std::string, std::int64_t> cost_minor;    ///< item → cost of a piece; absent: margin_bp decides
  std::int64_t margin_bp = 3000;
  std::set<std::string> codes;                       ///< of the campaign's offers: who is held out should not have them
};

/// `decisions`: those of one person in one campaign period, a slot each; `window`: his events by time; `deliveries`: his of this
/// period, by slot. The observation starts at the decision and lasts attribution_ms, the same for every group, sent or not. A
/// purchase is attributed once: to the message whose code it carries, else whose context it names, else that was clicked last.
std::vector<Outcome> observe(std::span<const events::Decision> decisions, std::span<const events::Event> window,
                             std::span<const events::Delivery> deliveries, const OutcomeOptions& options);

/// Held-out customers who got the campaign all the same: what makes a lift too small.
struct Leakage {
  std::int64_t held_out = 0;  ///< customers
  std::int64_t leaked = 0;
};
Leakage leakage(std::span<const Outcome> outcomes);

/// Customers in a list of outcomes, in which those of one customer stand together.
std::int64_t count_customers(std::span<const Outcome> outcomes);

/// A difference per customer with its interval. All of `*_per_customer` in minor units.
struct Lift {
  std::string name;
  std::int64_t treated_count = 0;
  std::int64_t control_count = 0;
  double treated_mean = 0;
  double control_mean = 0;
  double difference = 0;
  double std_error = 0;  ///< of the difference (Welch)
  double low = 0;
  double high = 0;
  bool known = false;  ///< both sides have at least two customers
};

enum class Metric { kConversion, kPurchases, kRevenue, kMargin, kItemPurchases };
std::string_view to_text(Metric metric);
double value_of(const Outcome& outcome, Metric metric);

/// Whether the campaign meant him at all: known before his group was drawn, and so the same in every group. Who was out of the audience or
/// could not be written to is in no comparison; he would only dilute it.
bool is_addressed(const events::Decision& decision);

/// All comparisons are of addressed customers, not messages. Whole audience (treated and random) against the campaign's own holdout. Business as
/// usual and the shop's global holdout are in neither.
Lift audience_lift(std::span<const Outcome> outcomes, Metric metric);
/// The customers of one group against those of another, whatever they got.
Lift group_lift(std::span<const Outcome> outcomes, Metric metric, events::Group group, events::Group against);
/// Chosen among the treated against would-have-been-chosen among the held-out (ghost picks); `offer` empty: all offers.
Lift chosen_lift(std::span<const Outcome> outcomes, Metric metric, const std::string& offer = {});

/// Counts of one slice (offer, channel, day, segment): messages, but customers in `converted` and `revenue_minor`.
struct Slice {
  std::string name;
  std::int64_t planned = 0;
  std::int64_t sent = 0;
  std::int64_t delivered = 0;
  std::int64_t opened = 0;
  std::int64_t clicked = 0;
  std::int64_t converted = 0;
  std::int64_t revenue_minor = 0;
  std::int64_t attributed_minor = 0;
  std::int64_t promotion_minor = 0;
  std::int64_t unsubscribed = 0;
  double click_rate_low = 0, click_rate_high = 0;
};
/// Of customers with a message (not held out), grouped by `key(outcome)`; in order of the names.
std::vector<Slice> slices(std::span<const Outcome> outcomes, const std::function<std::string(const Outcome&)>& key);

/// Sample ratio mismatch: p-value that the groups have the shares that were asked for. Below 0.001 the split is broken.
double sample_ratio_p_value(std::span<const Outcome> outcomes, const Layers& layers);

}  // namespace beckon::measure
