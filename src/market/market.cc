#include "beckon/market/market.h"

#include <algorithm>
#include <functional>
#include <mutex>

#include "world.h"

namespace beckon::market {
namespace {

constexpr std::size_t kPartCustomers = 64;

std::size_t parts_of(const World& world) { return (world.customers.size() + kPartCustomers - 1) / kPartCustomers; }

void check(const World& world, const Treatment& treatment) {
  BECKON_CHECK(treatment.customer >= 0 && treatment.customer < world.options.customers);
  BECKON_CHECK(treatment.item >= 0 && treatment.item < world.options.items);
  BECKON_CHECK(treatment.discount_bp >= 0 && treatment.discount_bp <= 9'000);
}

// Runs a task over parts of the customers: task(part, first, last).
template <class Task>
void over_customers(const World& world, const Task& task) {
  const std::function<void(std::size_t)> work = [&](std::size_t part) {
    const std::size_t first = part * kPartCustomers;
    task(part, first, std::min(world.customers.size(), first + kPartCustomers));
  };
  const std::size_t parts = parts_of(world);
  if (world.options.executor != nullptr) {
    world.options.executor->run(parts, work);
    return;
  }
  for (std::size_t part = 0; part < parts; ++part) {
    work(part);
  }
}

using Messages = std::vector<const Treatment*>;

// A customer's messages in the order in which they were sent.
std::vector<Messages> by_customer(const World& world, std::span<const Treatment> treatments, base::Instant to) {
  std::vector<Messages> messages(world.customers.size());
  for (const auto& treatment : treatments) {
    check(world, treatment);
    if (treatment.at < to) {
      messages[static_cast<std::size_t>(treatment.customer)].push_back(&treatment);
    }
  }
  for (auto& mine : messages) {
    std::stable_sort(mine.begin(), mine.end(), [](const Treatment* a, const Treatment* b) {
      return a->at != b->at ? a->at < b->at : a->delivery < b->delivery;
    });
  }
  return messages;
}

}  // namespace

struct Market::Mornings {
  std::once_flag played;
  std::vector<Morning> of;  // (customers)
};

Market::Market(std::shared_ptr<const World> world) : world_(std::move(world)), mornings_(std::make_shared<Mornings>()) {}

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
  const std::vector<Messages> messages = by_customer(world, treatments, to);
  const bool past_needed = from < history_end() || std::any_of(treatments.begin(), treatments.end(), [&](const Treatment& t) {
    return t.at < history_end();
  });
  if (!past_needed) {
    prepare_mornings();
  }
  std::vector<std::vector<Event>> results(parts_of(world));
  over_customers(world, [&](std::size_t part, std::size_t first, std::size_t last) {
    for (std::size_t customer = first; customer < last; ++customer) {
      const Messages& mine = messages[customer];
      // A message works for a week: whether he buys anyway may be decided after `to`.
      const base::Instant horizon = mine.empty() ? to : to.plus_ms(kWindowMs);
      auto life = play_life(world, customer, past_needed ? Morning{} : mornings_->of[customer], horizon);
      for (auto& event : apply_messages(world, std::move(life), mine)) {
        if (event.at >= from && event.at < to) {
          results[part].push_back(std::move(event));
        }
      }
    }
  });
  std::vector<Event> all;
  for (auto& part : results) {
    all.insert(all.end(), std::make_move_iterator(part.begin()), std::make_move_iterator(part.end()));
  }
  std::stable_sort(all.begin(), all.end(), [](const Event& a, const Event& b) {
    return a.at != b.at ? a.at < b.at : a.customer < b.customer;
  });
  return all;
}

void Market::prepare_mornings() const {
  std::call_once(mornings_->played, [&] {
    mornings_->of.resize(world_->customers.size());
    over_customers(*world_, [&](std::size_t, std::size_t first, std::size_t last) {
      for (std::size_t customer = first; customer < last; ++customer) {
        mornings_->of[customer] = last_morning(*world_, customer);
      }
    });
  });
}

Effect Market::true_effect(const Treatment& treatment, int paths) const {
  check(*world_, treatment);
  BECKON_CHECK(paths >= 1);
  Morning from;
  if (treatment.at >= history_end()) {
    prepare_mornings();
    from = mornings_->of[static_cast<std::size_t>(treatment.customer)];
  }
  return expected_effect(*world_, treatment, paths, std::move(from));
}

}  // namespace beckon::market
