#pragma once
// Everything about the simulated shop that never changes.

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "beckon/base/rng.h"
#include "beckon/market/market.h"

namespace beckon::market {

constexpr std::size_t kTasteDims = 8;
constexpr std::int64_t kWindowMs = 7 * base::kDayMs;    ///< in which a message works
constexpr std::int64_t kFatigueMs = 14 * base::kDayMs;  ///< in which earlier messages tire
constexpr std::int64_t kDaysAhead = 365;
using Taste = std::array<double, kTasteDims>;

struct HiddenItem {
  Taste taste{};
  double popularity = 1;
  double drift = 0;            ///< amplitude of the slow change of popularity, in logarithms
  double drift_phase = 0;
  std::int64_t first_day = 0;  ///< not for sale before
  std::int32_t next_viewed = 0;    ///< often looked at after this one
  std::int32_t companion = -1;     ///< often bought some days after this one, or -1
  std::int64_t repeat_ms = 0;      ///< typical time to the next purchase of a consumable, or 0
};

struct HiddenCustomer {
  Nature nature = Nature::kLostCause;
  Taste taste{};
  double sensitivity = 1;  ///< to prices and discounts, 0.2 – 3
  double visits_per_day = 0.2;
  double buying = 0;              ///< added to the purchase utility
  double opening = 0;             ///< added to the opening utility
  double persuasion = 0;          ///< scale of what a message can do
  std::array<double, 3> shop_channel{};  ///< cumulative: web, app, store
  std::int32_t peak_hour = 20;
  std::size_t zone_index = 0;
  std::vector<double> category_weight;
};

struct World {
  MarketOptions options;
  base::Currency currency;
  std::vector<Item> items;
  std::vector<HiddenItem> hidden_items;
  std::vector<std::vector<std::int32_t>> by_category;
  std::vector<double> mean_log_price;  ///< per category
  std::vector<Person> people;
  std::vector<HiddenCustomer> customers;
  std::vector<std::vector<std::int64_t>> day_start_ms;  ///< (zones, days + 1) local midnights
  std::int64_t days = 0;

  double affinity(std::size_t customer, std::size_t item) const;
};

base::Result<World> make_world(const MarketOptions& options);

double logistic(double x);

/// What a customer carries from day to day.
struct Pending {
  std::int64_t due_ms;
  std::int32_t item;
};
struct Life {
  std::vector<Pending> pending;  ///< follow-up and repeat purchases to come
  std::int32_t last_category = -1;
};

/// Which day, and which of the possible futures: path 0 is what really happens.
using DayAndPath = std::pair<std::int64_t, std::uint64_t>;
/// Plays one local day of a customer and appends its events in time order.
void play_day(const World& world, std::size_t customer, DayAndPath when, Life& life, std::vector<Event>& out);

/// All of a customer's days up to `to`, without messages.
std::vector<Event> play_life(const World& world, std::size_t customer, base::Instant to);

/// First day whose events can be at or after `at`.
std::int64_t day_of(const World& world, std::size_t customer, base::Instant at);

/// The events of a life changed by the customer's messages (sorted by time).
std::vector<Event> apply_messages(const World& world, std::vector<Event> life, const std::vector<const Treatment*>& messages);

Effect expected_effect(const World& world, const Treatment& treatment, int paths);

std::int64_t discounted(std::int64_t amount_minor, std::int64_t discount_bp);

}  // namespace beckon::market
