#include <algorithm>

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

// One message of the customer while his events are read.
struct Slot {
  Outcome out;
  base::Instant end;
  std::vector<const events::Delivery*> deliveries;
  std::string code;
  base::Instant clicked_at;
};

bool belongs(const events::Event& event, const Slot& slot) {
  if (!event.delivery.empty()) {
    return std::any_of(slot.deliveries.begin(), slot.deliveries.end(), [&](const auto* d) { return d->id == event.delivery; });
  }
  return event.campaign == slot.out.decision.campaign;
}

// Opens, clicks and the like say which campaign they answer; without that they count for none.
void count_response(const events::Event& event, Slot& slot) {
  if (!belongs(event, slot)) {
    return;
  }
  Outcome& outcome = slot.out;
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
      slot.clicked_at = event.at;
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

Slot make_slot(const events::Decision& decision, std::span<const events::Delivery> deliveries, const OutcomeOptions& options) {
  Slot slot;
  slot.out.decision = decision;
  slot.end = std::min(options.as_of, decision.at.plus_ms(options.attribution_ms));
  slot.out.ripe = decision.at.plus_ms(options.attribution_ms) <= options.as_of;
  for (const auto& delivery : deliveries) {
    if (delivery.slot != decision.slot) {
      continue;
    }
    slot.deliveries.push_back(&delivery);
    slot.code = delivery.code.empty() ? slot.code : delivery.code;
    if (delivery.state == events::DeliveryState::kAccepted) {
      slot.out.sent = true;
      slot.out.promotion_minor += divide_up(decision.send_cost_micro, 1'000'000);
    }
  }
  slot.out.margin_minor = -slot.out.promotion_minor;
  return slot;
}

bool has_code(const events::Event& purchase, const Slot& slot) {
  return slot.out.sent && !slot.code.empty() && purchase.coupon == slot.code;
}

// A held-out customer with a code of the campaign, or one who answers it, was reached by a friend, a forward or a mistake.
void count_leak(const events::Event& event, const OutcomeOptions& options, Slot& slot) {
  if (!events::is_held_out(slot.out.decision.group)) {
    return;
  }
  const bool used_code = event.type == events::EventType::kPurchase && options.codes.contains(event.coupon);
  const bool answered = event.campaign == slot.out.decision.campaign && !event.campaign.empty();
  slot.out.leaked = slot.out.leaked || used_code || answered;
}

void count_purchase(const events::Event& purchase, std::int64_t pieces, const OutcomeOptions& options, Slot& slot) {
  Outcome& out = slot.out;
  const bool promoted = purchase.item == out.decision.item && !out.decision.item.empty();
  ++out.purchases;
  out.revenue_minor += purchase.unit_price.times(pieces).value_or(base::Money()).minor();
  out.goods_margin_minor += piece_margin_minor(purchase, options) * pieces;
  out.margin_minor += piece_margin_minor(purchase, options) * pieces;
  out.item_purchases += promoted ? pieces : 0;
  if (promoted && has_code(purchase, slot) && !out.redeemed) {
    out.redeemed = true;  // one coupon, one piece
    out.promotion_minor += out.decision.face_minor;
    out.margin_minor -= face_not_in_price_minor(purchase, out.decision);
  }
}

// How surely a purchase answers a message: its code, its context, a click before; 0: not at all.
int strength(const events::Event& purchase, const Slot& slot) {
  if (!slot.out.sent) {
    return 0;
  }
  return has_code(purchase, slot) ? 3 : belongs(purchase, slot) ? 2 : slot.out.clicked ? 1 : 0;
}

// The stronger of the two, the later click among equals; nullptr when neither was a touch.
Slot* stronger_touch(const events::Event& purchase, Slot* best, Slot& slot) {
  const int mine = strength(purchase, slot);
  if (mine == 0) {
    return best;
  }
  const int other = best == nullptr ? 0 : strength(purchase, *best);
  return mine > other || (mine == other && best->clicked_at < slot.clicked_at) ? &slot : best;
}

}  // namespace

std::vector<Outcome> observe(std::span<const events::Decision> decisions, std::span<const events::Event> window,
                             std::span<const events::Delivery> deliveries, const OutcomeOptions& options) {
  const auto kept = events::pair_refunds(window).kept_quantity;
  std::vector<Slot> slots;
  for (const auto& decision : decisions) {
    slots.push_back(make_slot(decision, deliveries, options));
  }
  for (std::size_t i = 0; i < window.size(); ++i) {
    Slot* touched = nullptr;
    for (Slot& slot : slots) {
      if (window[i].at <= slot.out.decision.at || window[i].at > slot.end) {
        continue;
      }
      count_response(window[i], slot);
      count_leak(window[i], options, slot);
      if (window[i].type == events::EventType::kPurchase && kept[i] > 0) {
        count_purchase(window[i], kept[i], options, slot);
        touched = stronger_touch(window[i], touched, slot);
      }
    }
    if (touched != nullptr) {
      touched->out.attributed_minor += window[i].unit_price.times(kept[i]).value_or(base::Money()).minor();
    }
  }
  std::vector<Outcome> out;
  std::transform(slots.begin(), slots.end(), std::back_inserter(out), [](Slot& slot) { return std::move(slot.out); });
  return out;
}

}  // namespace beckon::measure
