#include "beckon/market/market.h"

#include <algorithm>

#include "world.h"

namespace beckon::market {
namespace {

constexpr std::int64_t kPartCustomers = 64;

void check(const World& world, const Treatment& treatment) {
  BECKON_CHECK(treatment.customer >= 0 && treatment.customer < world.options.customers);
  BECKON_CHECK(treatment.item >= 0 && treatment.item < world.options.items);
  BECKON_CHECK(treatment.discount_bp >= 0 && treatment.discount_bp <= 9'000);
}

}  // namespace

base::Result<Market> Market::make(const MarketOptions& options) {
  BECKON_TRY(auto world, make_world(options));
  return Market(std::make_shared<const World>(std::move(world)));
}

const MarketOptions& Market::options() const { return world_->options; }
const std::vector<Item>& Market::items() const { return world_->items; }
const std::vector<Person>& Market::people() const { return world_->people; }
base::Instant Market::history_end() const {
  return world_->options.start.plus_ms(world_->options.history_days * base::kDayMs);
}
Nature Market::nature(std::int64_t customer) const { return world_->customers.at(static_cast<std::size_t>(customer)).nature; }

std::vector<Event> Market::history(base::Instant from, base::Instant to) const { return respond({}, from, to); }

std::vector<Event> Market::respond(std::span<const Treatment> treatments, base::Instant from, base::Instant to) const {
  const World& world = *world_;
  std::vector<std::vector<const Treatment*>> messages(world.customers.size());
  for (const auto& treatment : treatments) {
    check(world, treatment);
    if (treatment.at < to) {
      messages[static_cast<std::size_t>(treatment.customer)].push_back(&treatment);
    }
  }
  const auto parts = static_cast<std::size_t>((world.options.customers + kPartCustomers - 1) / kPartCustomers);
  std::vector<std::vector<Event>> results(parts);
  const std::function<void(std::size_t)> work = [&](std::size_t part) {
    const std::size_t first = part * kPartCustomers;
    const std::size_t last = std::min(world.customers.size(), first + kPartCustomers);
    for (std::size_t customer = first; customer < last; ++customer) {
      auto& mine = messages[customer];
      std::stable_sort(mine.begin(), mine.end(), [](const Treatment* a, const Treatment* b) {
        return a->at != b->at ? a->at < b->at : a->delivery < b->delivery;
      });
      // A message works for a week: purchases after `to` decide nothing before it, except whether he buys anyway.
      const base::Instant horizon = mine.empty() ? to : to.plus_ms(kWindowMs);
      for (auto& event : apply_messages(world, play_life(world, customer, horizon), mine)) {
        if (event.at >= from && event.at < to) {
          results[part].push_back(std::move(event));
        }
      }
    }
  };
  if (world.options.executor != nullptr) {
    world.options.executor->run(parts, work);
  } else {
    for (std::size_t part = 0; part < parts; ++part) {
      work(part);
    }
  }
  std::vector<Event> all;
  for (auto& part : results) {
    all.insert(all.end(), std::make_move_iterator(part.begin()), std::make_move_iterator(part.end()));
  }
  std::stable_sort(all.begin(), all.end(), [](const Event& a, const Event& b) {
    return a.at != b.at ? a.at < b.at : a.customer < b.customer;
  });
  return all;
}

Effect Market::true_effect(const Treatment& treatment, int paths) const {
  check(*world_, treatment);
  BECKON_CHECK(paths >= 1);
  return expected_effect(*world_, treatment, paths);
}

}  // namespace beckon::market
