// What messages change. Potential outcomes: the life without messages is played first, then each message edits it.
#include <algorithm>
#include <cmath>

#include "world.h"

namespace beckon::market {
namespace {

// Probabilities of one message, before chance.
struct Odds {
  double opened = 0;
  double clicked = 0;       // given opened
  double extra = 0;         // given opened: one more purchase of the item, unless he buys it anyway
  double stays_away = 0;    // given opened: drops all purchases of the window
  double unsubscribes = 0;  // given opened
};
constexpr double kDelivered = 0.98;

Odds odds_of(const World& world, const Treatment& treatment, double tired) {
  const auto who = static_cast<std::size_t>(treatment.customer);
  const HiddenCustomer& customer = world.customers[who];
  const double taste = world.affinity(who, static_cast<std::size_t>(treatment.item));
  const double depth = static_cast<double>(treatment.discount_bp) / 10'000;
  const double medium = treatment.channel == "email" ? 0 : treatment.channel == "push" ? 0.3 : 0.5;
  Odds odds;
  odds.opened = logistic(-0.5 + customer.opening + medium - 0.5 * tired);
  odds.clicked = logistic(-1.6 + 1.5 * taste + 3 * depth * customer.sensitivity - 0.2 * tired);
  odds.extra = std::min(0.9, world.options.effect_scale * customer.persuasion *
                                 logistic(-3.6 + 2.2 * taste + 5 * depth * customer.sensitivity - 0.3 * tired));
  const bool dog = customer.nature == Nature::kSleepingDog;
  odds.stays_away = std::min(0.9, world.options.effect_scale * (dog ? 0.45 : 0.0));
  odds.unsubscribes = (dog ? 0.05 : 0.003) * (1 + tired);
  return odds;
}

// The same draws for a customer, item and day, whatever the message says: outcomes of two offers are comparable one by one.
base::Rng draws_of(const World& world, const Treatment& treatment) {
  const std::int64_t day = treatment.at.ms / base::kDayMs;
  const std::string key = std::to_string(treatment.customer) + "/" + std::to_string(treatment.item) + "/" + std::to_string(day);
  return base::Rng(world.options.seed ^ 0x6d61726b6574U, base::stable_hash(key));
}

bool in_window(const Event& event, std::int64_t opened_ms, const Treatment& treatment) {
  return event.kind == EventKind::kPurchase && event.at.ms >= opened_ms && event.at.ms < treatment.at.ms + kWindowMs;
}

Event message_event(const Treatment& treatment, EventKind kind, std::int64_t at_ms) {
  Event event;
  event.at = {at_ms};
  event.kind = kind;
  event.customer = treatment.customer;
  event.item = treatment.item;
  event.channel = treatment.channel;
  event.campaign = treatment.campaign;
  event.delivery = treatment.delivery;
  return event;
}

// Minutes to hours: most open soon, some the next day.
std::int64_t opening_delay_ms(double uniform) {
  return 60'000 + static_cast<std::int64_t>(uniform * uniform * uniform * 36 * static_cast<double>(base::kHourMs));
}

void use_coupon(const World& world, const Treatment& treatment, Event& purchase) {
  purchase.unit_price_minor = discounted(world.items[static_cast<std::size_t>(treatment.item)].price_minor, treatment.discount_bp);
  purchase.coupon = treatment.coupon;
  purchase.campaign = treatment.campaign;
}

void apply_one(const World& world, const Treatment& treatment, double tired, std::vector<Event>& life) {
  const Odds odds = odds_of(world, treatment, tired);
  base::Rng rng = draws_of(world, treatment);
  // All draws first: a message that changes nothing must not shift those of the next question.
  const double delivered = rng.uniform();
  const double opened = rng.uniform();
  const double delay = rng.uniform();
  const double clicked = rng.uniform();
  const double away = rng.uniform();
  const double extra = rng.uniform();
  const double when = rng.uniform();
  const double leaves = rng.uniform();
  if (delivered >= kDelivered) {
    return;
  }
  std::vector<Event> added = {message_event(treatment, EventKind::kDelivered, treatment.at.ms + 1000)};
  if (opened < odds.opened) {
    const std::int64_t at = treatment.at.ms + opening_delay_ms(delay);
    added.push_back(message_event(treatment, EventKind::kOpened, at));
    if (clicked < odds.clicked) {
      added.push_back(message_event(treatment, EventKind::kClicked, at + 20'000));
      Event view = message_event(treatment, EventKind::kView, at + 25'000);
      view.channel = treatment.channel == "push" ? "app" : "web";
      view.delivery.clear();
      view.unit_price_minor = world.items[static_cast<std::size_t>(treatment.item)].price_minor;
      added.push_back(std::move(view));
    }
    if (leaves < odds.unsubscribes) {
      added.push_back(message_event(treatment, EventKind::kUnsubscribed, at + 40'000));
    }
    const auto buys_anyway = std::find_if(life.begin(), life.end(), [&](const Event& e) {
      return e.item == treatment.item && in_window(e, at, treatment);
    });
    if (away < odds.stays_away) {
      std::erase_if(life, [&](const Event& e) { return in_window(e, at, treatment); });
    } else if (buys_anyway != life.end()) {
      if (treatment.discount_bp > 0 && buys_anyway->coupon.empty()) {
        use_coupon(world, treatment, *buys_anyway);
      }
    } else if (extra < odds.extra) {
      const double room = static_cast<double>(treatment.at.ms + kWindowMs - at - 120'000);
      Event purchase = message_event(treatment, EventKind::kPurchase, at + 90'000 + static_cast<std::int64_t>(when * when * room));
      purchase.channel = treatment.channel == "push" ? "app" : "web";
      purchase.delivery.clear();
      purchase.campaign.clear();
      purchase.order = "x" + std::to_string(treatment.customer) + "-" + std::to_string(treatment.item) + "-" + std::to_string(treatment.at.ms);
      purchase.unit_price_minor = world.items[static_cast<std::size_t>(treatment.item)].price_minor;
      if (treatment.discount_bp > 0) {
        use_coupon(world, treatment, purchase);
      }
      added.push_back(std::move(purchase));
    }
  }
  life.insert(life.end(), std::make_move_iterator(added.begin()), std::make_move_iterator(added.end()));
  std::stable_sort(life.begin(), life.end(), [](const Event& a, const Event& b) { return a.at < b.at; });
}

struct Sums {
  bool buys_item = false;
  double purchases = 0;
  double margin_minor = 0;
};

Sums purchases_of(const World& world, const Treatment& treatment, std::int64_t opened_ms, const std::vector<Event>& life) {
  Sums sums;
  for (const auto& event : life) {
    if (in_window(event, opened_ms, treatment)) {
      const Item& item = world.items[static_cast<std::size_t>(event.item)];
      sums.buys_item |= event.item == treatment.item;
      sums.purchases += 1;
      sums.margin_minor += static_cast<double>(event.quantity * (event.unit_price_minor - item.cost_minor));
    }
  }
  return sums;
}

// Pieces bought of the item in the first such purchase: what the coupon is given away on.
std::int64_t pieces_anyway(const Treatment& treatment, std::int64_t opened_ms, const std::vector<Event>& life) {
  for (const auto& event : life) {
    if (event.item == treatment.item && in_window(event, opened_ms, treatment)) {
      return event.quantity;
    }
  }
  return 0;
}

}  // namespace

std::vector<Event> apply_messages(const World& world, std::vector<Event> life, const std::vector<const Treatment*>& messages) {
  std::vector<std::pair<std::string, std::int64_t>> gone;  // channel, since when
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const Treatment& message = *messages[i];
    const bool unsubscribed = std::any_of(gone.begin(), gone.end(), [&](const auto& g) {
      return g.first == message.channel && g.second <= message.at.ms;
    });
    if (unsubscribed) {
      continue;
    }
    double tired = 0;
    for (std::size_t j = 0; j < i; ++j) {
      const std::int64_t ago = message.at.ms - messages[j]->at.ms;
      tired += ago < kFatigueMs ? 1 - static_cast<double>(ago) / static_cast<double>(kFatigueMs) : 0;
    }
    apply_one(world, message, tired, life);
    const auto left = std::find_if(life.begin(), life.end(), [&](const Event& e) {
      return e.kind == EventKind::kUnsubscribed && e.channel == message.channel;
    });
    if (left != life.end()) {
      gone.emplace_back(message.channel, left->at.ms);
    }
  }
  return life;
}

Effect expected_effect(const World& world, const Treatment& treatment, int paths) {
  const auto who = static_cast<std::size_t>(treatment.customer);
  const Odds odds = odds_of(world, treatment, 0);
  const std::int64_t day = day_of(world, who, treatment.at);
  Life before;
  std::vector<Event> past;
  for (std::int64_t d = 0; d < day; ++d) {
    play_day(world, who, {d, 0}, before, past);
  }
  const Item& item = world.items[static_cast<std::size_t>(treatment.item)];
  const auto sold_minor = static_cast<double>(discounted(item.price_minor, treatment.discount_bp));
  const auto given_minor = static_cast<double>(item.price_minor) - sold_minor;
  Effect sum;
  base::Rng rng(world.options.seed, 0x7472757468U + who);
  for (int path = 1; path <= paths; ++path) {
    Life life = before;
    std::vector<Event> future;
    for (std::int64_t d = day; d <= std::min(day + 8, world.days); ++d) {
      play_day(world, who, {d, static_cast<std::uint64_t>(path)}, life, future);
    }
    const std::int64_t opened_ms = treatment.at.ms + opening_delay_ms(rng.uniform());
    const Sums without = purchases_of(world, treatment, opened_ms, future);
    const double stays = 1 - odds.stays_away;
    sum.purchases -= odds.stays_away * without.purchases;
    sum.margin_minor -= odds.stays_away * without.margin_minor;
    if (without.buys_item) {
      sum.margin_minor -= stays * given_minor * static_cast<double>(pieces_anyway(treatment, opened_ms, future));
    } else {
      sum.purchases += stays * odds.extra;
      sum.margin_minor += stays * odds.extra * (sold_minor - static_cast<double>(item.cost_minor));
    }
  }
  const double scale = kDelivered * odds.opened / paths;
  return {sum.purchases * scale, sum.margin_minor * scale};
}

}  // namespace beckon::market
