#include <algorithm>

#include "beckon/base/rng.h"
#include "beckon/events/clean.h"
#include "beckon/measure/measure.h"

namespace beckon::measure {
namespace {

std::int64_t piece_margin_minor(const events::Event& purchase, const OutcomeOptions& options) {
  const auto cost = options.cost_minor.find(purchase.item);
  if (cost != options.cost_minor.end()) {
    return purchase.unit_price.minor() - cost->second;
  }
  return purchase.unit_price.percent(options.margin_bp, base::Rounding::kHalfEven).value_or(base::Money()).minor();
}

bool belongs(const events::Event& event, const Outcome& outcome, std::span<const events::Delivery> deliveries) {
  if (!event.delivery.empty()) {
    return std::any_of(deliveries.begin(), deliveries.end(), [&](const auto& d) { return d.id == event.delivery; });
  }
  return event.campaign == outcome.decision.campaign;
}

// Opens, clicks and the like say which campaign they answer; without that they count for none.
void count_response(const events::Event& event, std::span<const events::Delivery> deliveries, Outcome& outcome) {
  if (!belongs(event, outcome, deliveries)) {
    return;
  }
  switch (event.type) {
    case events::EventType::kDelivered:
      outcome.delivered = true;
      break;
    case events::EventType::kOpen:
      outcome.opened = true;
      break;
    case events::EventType::kImpression:  // a push that was looked at; without a delivery it is a banner of the shop
      outcome.opened = outcome.opened || !event.delivery.empty();
      break;
    case events::EventType::kClick:
      outcome.clicked = true;
      break;
    case events::EventType::kComplaint:
      outcome.complained = true;
      break;
    case events::EventType::kUnsubscribe:
      outcome.unsubscribed = true;
      break;
    default:
      break;
  }
}

// Most shops report what was paid, the discount already gone from it: only what the price does not show is still a cost.
std::int64_t face_not_in_price_minor(const events::Event& purchase, const events::Decision& decision) {
  const std::int64_t shown_minor = std::max<std::int64_t>(0, decision.price_minor - purchase.unit_price.minor());
  return std::max<std::int64_t>(0, decision.face_minor - shown_minor);
}

std::int64_t divide_up(std::int64_t value, std::int64_t by) { return value <= 0 ? 0 : (value + by - 1) / by; }

}  // namespace

double assignment_draw(const privacy::Pseudonym& customer, std::string_view salt) {
  std::string text = customer.bytes();
  text.push_back('|');
  text.append(salt);
  return static_cast<double>(base::stable_hash(text, 0x67726f7570ULL) >> 11U) * 0x1.0p-53;
}

events::Group assign(const privacy::Pseudonym& customer, std::string_view salt, const Shares& shares) {
  const double draw = assignment_draw(customer, salt);
  if (draw < shares.holdout) {
    return events::Group::kHoldout;
  }
  return draw < shares.holdout + shares.random ? events::Group::kRandom : events::Group::kTreated;
}

Outcome observe(const events::Decision& decision, std::span<const events::Event> window,
                std::span<const events::Delivery> deliveries, const OutcomeOptions& options) {
  Outcome out;
  out.decision = decision;
  const auto kept = events::pair_refunds(window).kept_quantity;
  const base::Instant end = std::min(options.as_of, decision.at.plus_ms(options.attribution_ms));
  std::string code;
  for (const auto& delivery : deliveries) {
    out.sent = out.sent || delivery.state == events::DeliveryState::kAccepted;
    code = delivery.code.empty() ? code : delivery.code;
    if (delivery.state == events::DeliveryState::kAccepted) {
      out.promotion_minor += divide_up(decision.send_cost_micro, 1'000'000);
    }
    out.margin_minor = -out.promotion_minor;
  }
  for (std::size_t i = 0; i < window.size(); ++i) {
    const events::Event& event = window[i];
    if (event.at <= decision.at || event.at > end) {
      continue;
    }
    count_response(event, deliveries, out);
    if (event.type != events::EventType::kPurchase || kept[i] <= 0) {
      continue;
    }
    const std::int64_t paid = event.unit_price.times(kept[i]).value_or(base::Money()).minor();
    const bool by_coupon = out.sent && !code.empty() && event.coupon == code;
    const bool by_context = out.sent && belongs(event, out, deliveries);
    const bool promoted = event.item == decision.item && !decision.item.empty();
    ++out.purchases;
    out.revenue_minor += paid;
    out.margin_minor += piece_margin_minor(event, options) * kept[i];
    out.item_purchases += promoted ? kept[i] : 0;
    if (by_coupon && promoted && !out.redeemed) {
      out.redeemed = true;  // one coupon, one piece
      out.promotion_minor += decision.face_minor;
      out.margin_minor -= face_not_in_price_minor(event, decision);
    }
    if (by_coupon || by_context || (out.sent && out.clicked)) {
      out.attributed_minor += paid;
    }
  }
  return out;
}

}  // namespace beckon::measure
