#pragma once
// Cleaning as pure functions over one customer's window, ordered by time.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "beckon/events/events.h"

namespace beckon::events {

/// Pieces of a purchase that a refund took back.
struct TakenBack {
  std::size_t purchase = 0;  ///< index into the window
  std::size_t refund = 0;
  std::int64_t pieces = 0;
};

struct RefundPairs {
  std::vector<std::int64_t> kept_quantity;  ///< per event: pieces of a purchase that were not given back; others unchanged
  std::vector<TakenBack> taken;             ///< in the order of the refunds
  std::int64_t paired = 0;                  ///< refunds whose pieces were all found in earlier purchases
  std::int64_t unpaired = 0;
};

/// Each refund takes back pieces of the same order and item, else of the latest earlier purchases of the same item and price,
/// else of the same item.
RefundPairs pair_refunds(std::span<const Event> window);

/// Programs that answer messages in a person's name: mail proxies that load pictures on arrival, scanners that follow every link.
struct MachineRules {
  std::int64_t open_after_min_ms = 5000;  ///< an open sooner after its delivery: nobody reads that fast
  std::int64_t clicks_within_ms = 1000;   ///< so many clicks of one delivery in less than this, with no open by a person before them
  std::int64_t clicks_at_once_min = 2;
};
/// Per event of a window by time: 1 for an open or a click that no person made. An open needs the delivery's own "delivered" event to be
/// judged by, a click the id of its delivery. Times that know only the day (whole quarters of an hour: a midnight of some zone) are not judged.
std::vector<std::uint8_t> machine_answers(std::span<const Event> window, const MachineRules& rules = {});

struct BotRules {
  std::int64_t views_per_minute_max = 60;   ///< sustained over one minute: nobody reads that fast
  std::int64_t events_per_day_max = 5000;
  std::int64_t same_gap_run_max = 50;       ///< so many events at exactly the same distance: a timer, not a person
};

/// Empty, or the rule that was broken: "views_per_minute", "events_per_day", "same_gap". Purchases alone never make a bot.
std::string bot_reason(std::span<const Event> window, const BotRules& rules = {});

}  // namespace beckon::events
