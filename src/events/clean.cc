#include "beckon/events/clean.h"

#include <algorithm>

namespace beckon::events {
namespace {

// Gives the pieces of one refund back to the latest purchases before it.
class Taker {
 public:
  Taker(std::span<const Event> window, std::size_t refund, RefundPairs& out) : window_(window), refund_(refund), out_(out) {}
  // At most `wanted` pieces of purchases that `matches`; returns what is still missing.
  template <class Matches>
  std::int64_t take(std::int64_t wanted, const Matches& matches) {
    for (std::size_t i = refund_; i-- > 0 && wanted > 0;) {
      std::int64_t& kept = out_.kept_quantity[i];
      if (window_[i].type == EventType::kPurchase && kept > 0 && matches(window_[i])) {
        const std::int64_t pieces = std::min(wanted, kept);
        kept -= pieces;
        wanted -= pieces;
        out_.taken.push_back({i, refund_, pieces});
      }
    }
    return wanted;
  }

 private:
  std::span<const Event> window_;
  std::size_t refund_;
  RefundPairs& out_;
};

}  // namespace

RefundPairs pair_refunds(std::span<const Event> window) {
  RefundPairs out;
  for (const auto& event : window) {
    out.kept_quantity.push_back(event.quantity);
  }
  for (std::size_t i = 0; i < window.size(); ++i) {
    const Event& refund = window[i];
    if (refund.type != EventType::kRefund) {
      continue;
    }
    const auto same_item = [&](const Event& e) { return e.item == refund.item; };
    const auto same_order = [&](const Event& e) { return !refund.order.empty() && e.order == refund.order; };
    Taker taker(window, i, out);
    std::int64_t missing = refund.quantity;
    if (refund.item.empty()) {  // the whole order
      const std::int64_t everything = std::int64_t{1} << 60;
      missing = taker.take(everything, same_order) < everything ? 0 : 1;
    } else {
      missing = taker.take(missing, [&](const Event& e) { return same_order(e) && same_item(e); });
      missing = taker.take(missing, [&](const Event& e) { return same_item(e) && e.unit_price == refund.unit_price; });
      missing = taker.take(missing, same_item);
    }
    ++(missing == 0 ? out.paired : out.unpaired);
  }
  return out;
}

std::string bot_reason(std::span<const Event> window, const BotRules& rules) {
  std::size_t minute_start = 0;
  std::size_t day_start = 0;
  std::vector<std::int64_t> times;
  for (const auto& event : window) {
    if (event.type == EventType::kView || event.type == EventType::kSearch || event.type == EventType::kVisit) {
      times.push_back(event.at.ms);
    }
  }
  std::int64_t run = 0;
  for (std::size_t i = 0; i < times.size(); ++i) {
    while (times[i] - times[minute_start] >= base::kMinuteMs) {
      ++minute_start;
    }
    while (times[i] - times[day_start] >= base::kDayMs) {
      ++day_start;
    }
    // Day-granular files put a whole day on one instant: the minute rule needs times that differ.
    const bool has_clock = times[i] != times[minute_start];
    if (has_clock && static_cast<std::int64_t>(i - minute_start) + 1 > rules.views_per_minute_max) {
      return "views_per_minute";
    }
    if (static_cast<std::int64_t>(i - day_start) + 1 > rules.events_per_day_max) {
      return "events_per_day";
    }
    const bool same_gap = i >= 2 && times[i] != times[i - 1] && times[i] - times[i - 1] == times[i - 1] - times[i - 2] &&
                          times[i] - times[i - 1] < base::kHourMs;
    run = same_gap ? run + 1 : 0;
    if (run >= rules.same_gap_run_max) {
      return "same_gap";
    }
  }
  return {};
}

}  // namespace beckon::events
