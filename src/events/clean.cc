#include "beckon/events/clean.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

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

// A midnight of some zone: files that know only the day put everything of it there, and it cannot be told apart by seconds.
bool is_day_only(std::int64_t at_ms) { return at_ms % (15 * base::kMinuteMs) == 0; }

void mark_early_opens(std::span<const Event> window, const MachineRules& rules, std::vector<std::uint8_t>& machine) {
  std::map<std::string_view, std::int64_t> delivered_ms;
  for (std::size_t i = 0; i < window.size(); ++i) {
    const Event& event = window[i];
    if (event.delivery.empty()) {
      continue;
    }
    if (event.type == EventType::kDelivered) {
      delivered_ms.emplace(event.delivery, event.at.ms);
    } else if (event.type == EventType::kOpen) {
      const auto delivered = delivered_ms.find(event.delivery);
      const bool judged = delivered != delivered_ms.end() && !(is_day_only(event.at.ms) && is_day_only(delivered->second));
      machine[i] = judged && event.at.ms - delivered->second < rules.open_after_min_ms ? 1 : 0;
    }
  }
}

// Clicks of one delivery, of which those that stand together before any person opened it are a scanner's.
void mark_scans(const std::vector<std::size_t>& clicks, std::span<const Event> window, const MachineRules& rules, std::vector<std::uint8_t>& machine) {
  for (std::size_t begin = 0, end = 0; begin < clicks.size(); begin = std::max(begin + 1, end)) {
    end = begin;
    while (end < clicks.size() && window[clicks[end]].at.ms - window[clicks[begin]].at.ms < rules.clicks_within_ms) {
      ++end;
    }
    if (static_cast<std::int64_t>(end - begin) < rules.clicks_at_once_min || is_day_only(window[clicks[begin]].at.ms)) {
      end = begin;
      continue;
    }
    std::for_each(clicks.begin() + static_cast<std::ptrdiff_t>(begin), clicks.begin() + static_cast<std::ptrdiff_t>(end),
                  [&](std::size_t i) { machine[i] = 1; });
  }
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

std::vector<std::uint8_t> machine_answers(std::span<const Event> window, const MachineRules& rules) {
  std::vector<std::uint8_t> machine(window.size(), 0);
  mark_early_opens(window, rules, machine);
  std::set<std::string_view> opened;
  std::map<std::string_view, std::vector<std::size_t>> unopened_clicks;
  for (std::size_t i = 0; i < window.size(); ++i) {
    if (window[i].delivery.empty() || machine[i] != 0) {
      continue;
    }
    if (window[i].type == EventType::kOpen || window[i].type == EventType::kImpression) {
      opened.insert(window[i].delivery);
    } else if (window[i].type == EventType::kClick && !opened.contains(window[i].delivery)) {
      unopened_clicks[window[i].delivery].push_back(i);
    }
  }
  for (const auto& [delivery, clicks] : unopened_clicks) {
    mark_scans(clicks, window, rules, machine);
  }
  return machine;
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
