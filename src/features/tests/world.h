#pragma once
// What the tests of features share: a store in memory, filled line by line.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "beckon/base/rng.h"
#include "beckon/features/floors.h"
#include "beckon/features/sequence.h"

namespace beckon::features {

constexpr std::int64_t kDay = base::kDayMs;
constexpr base::Instant kNow{20'000 * kDay};

struct World {
  store::MemoryKeyValue rows;
  std::uint64_t next_id = 0;

  static privacy::Pseudonym customer(const std::string& name) {
    static const auto kRing = privacy::KeyRing::make(std::string(32, 'f'), 1).value();
    return kRing.pseudonym(name);
  }
  events::Event make(const std::string& who, events::EventType type, const std::string& item, std::int64_t at_ms) {
    events::Event event;
    event.customer = customer(who);
    ++next_id;
    for (std::size_t i = 0; i < 8; ++i) {
      event.id[i] = static_cast<std::uint8_t>(next_id >> (8 * i));
    }
    event.at = {at_ms};
    event.type = type;
    event.item = item;
    event.channel = "web";
    event.unit_price = base::Money(990, base::Currency::parse("EUR").value());
    return event;
  }
  void add(const std::string& who, events::EventType type, const std::string& item, std::int64_t at_ms) {
    append({make(who, type, item, at_ms)});
  }
  void append(const std::vector<events::Event>& events) { ASSERT_TRUE(store::Timelines(rows).append(events).ok()); }
  Dataset dataset(const DatasetOptions& options, const ItemFacts& facts = {}) const {
    auto data = build_dataset(rows, facts, options);
    EXPECT_TRUE(data.ok());
    return std::move(data).value();
  }
};

inline catalog::Item item_of(const std::string& id, const std::string& category = "", const std::string& brand = "") {
  catalog::Item item;
  item.id = base::ItemId(id);
  item.title["en"] = id;
  item.category = category;
  item.brand = brand;
  return item;
}

inline DatasetOptions options_at(base::Instant as_of, std::int64_t item_events_min = 1) {
  DatasetOptions options;
  options.as_of = as_of;
  options.item_events_min = item_events_min;
  return options;
}

/// Item names of a history's steps, in order.
inline std::vector<std::string> items_of(const Dataset& data, const History& history) {
  std::vector<std::string> out;
  for (const auto& step : history.steps) {
    out.push_back(data.vocabulary.item(step.token));
  }
  return out;
}

inline const History* history_of(const Dataset& data, const std::string& who) {
  for (const auto& history : data.histories) {
    if (history.customer == World::customer(who)) {
      return &history;
    }
  }
  return nullptr;
}

/// A few customers who do things at random, some of them given back, some answering messages.
inline std::vector<events::Event> random_events(World& world, base::Rng& rng, std::int64_t from_ms, std::int64_t until_ms) {
  using events::EventType;
  constexpr EventType kTypes[] = {EventType::kView, EventType::kCart, EventType::kPurchase, EventType::kPurchase, EventType::kRefund,
                                  EventType::kDelivered, EventType::kClick, EventType::kWishlist, EventType::kSearch};
  std::vector<events::Event> out;
  for (int n = 0; n < 120; ++n) {
    const EventType type = kTypes[rng.below(std::size(kTypes))];
    const std::string item = type == EventType::kDelivered || type == EventType::kClick ? "" : "item" + std::to_string(rng.below(9));
    const auto span = static_cast<std::uint64_t>(until_ms - from_ms);
    out.push_back(world.make("user" + std::to_string(rng.below(6)), type, item, from_ms + static_cast<std::int64_t>(rng.below(span))));
    out.back().order = "order" + std::to_string(rng.below(20));
  }
  return out;
}

inline bool same_steps(const History& a, const History& b) {
  const auto equal = [](const Step& x, const Step& y) {
    return x.at_ms == y.at_ms && x.token == y.token && x.type == y.type && x.price_band == y.price_band && x.channel == y.channel &&
           x.promotion == y.promotion && x.codes == y.codes;
  };
  return a.customer == b.customer && std::equal(a.steps.begin(), a.steps.end(), b.steps.begin(), b.steps.end(), equal);
}

}  // namespace beckon::features
