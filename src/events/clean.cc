#include "beckon/events/clean.h"

#include <algorithm>

namespace beckon::events {
namespace {

// Takes `wanted` pieces back for a refund from the latest purchases before it that `matches`; returns what is still missing.
template <class Matches>
std::int64_t take_back(std::span<const Event> window, std::pair<std::size_t, std::int64_t> refund_and_wanted, const Matches& matches,
                       RefundPairs& out) {
  auto [refund, wanted] = refund_and_wanted;
  for (std::size_t i = refund; i-- > 0 && wanted > 0;) {
    if (window[i].type == EventType::kPurchase && out.kept_quantity[i] > 0 && matches(window[i])) {
      const std::int64_t taken = std::min(wanted, out.kept_quantity[i]);
      out.kept_quantity[i] -= taken;
      out.taken.push_back({refund, i, taken});
      wanted -= taken;
    }
  }
  return wanted;
}

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
    std::int64_t missing = refund.quantity;
    if (refund.item.empty()) {  // the whole order
      const std::int64_t everything = std::int64_t{1} << 60;
      const bool found = take_back(window, {i, everything}, same_order, out) < everything;
      missing = found ? 0 : 1;
    } else {
      missing = take_back(window, {i, missing}, [&](const Event& e) { return same_order(e) && same_item(e); }, out);
      missing = take_back(window, {i, missing}, [&](const Event& e) { return same_item(e) && e.unit_price == refund.unit_price; }, out);
      missing = take_back(window, {i, missing}, same_item, out);
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
