#include <algorithm>
#include <cmath>

#include "world.h"

namespace beckon::market {
namespace {

constexpr std::array<double, 7> kWeekday{1.25, 0.9, 0.85, 0.9, 0.95, 1.1, 1.35};  // Sunday first

// Below 2^14 days and 10 million customers every (path, customer, day) has a stream of its own, clear of those of world.cc.
std::uint64_t stream_of(std::size_t customer, DayAndPath when) {
  return ((when.second * 10'000'019 + customer) << 14U) + static_cast<std::uint64_t>(when.first) + (std::uint64_t{1} << 40U);
}

// One local day of one customer.
class Day {
 public:
  Day(const World& world, std::size_t customer, DayAndPath when, Life& life, std::vector<Event>& out)
      : world_(world),
        who_(customer),
        hidden_(world.customers[customer]),
        day_(when.first),
        rng_(world.options.seed, stream_of(customer, when)),
        life_(life),
        out_(out) {
    const auto& starts = world.day_start_ms[hidden_.zone_index];
    start_ms_ = starts[static_cast<std::size_t>(day_)];
    end_ms_ = starts[static_cast<std::size_t>(day_) + 1];
  }

  void play() {
    const std::size_t first = out_.size();
    play_pending();
    const std::int64_t since_epoch = (start_ms_ + base::kDayMs / 2) / base::kDayMs;
    const double rate = hidden_.visits_per_day * kWeekday[static_cast<std::size_t>((since_epoch + 4) % 7)];  // 1970-01-01: Thursday
    for (std::int64_t visits = std::min<std::int64_t>(rng_.poisson(rate), 4); visits > 0; --visits) {
      play_visit();
    }
    std::stable_sort(out_.begin() + static_cast<std::ptrdiff_t>(first), out_.end(),
                     [](const Event& a, const Event& b) { return a.at < b.at; });
  }

 private:
  const World& world_;
  std::size_t who_;
  const HiddenCustomer& hidden_;
  std::int64_t day_;
  base::Rng rng_;
  Life& life_;
  std::vector<Event>& out_;
  std::int64_t start_ms_ = 0;
  std::int64_t end_ms_ = 0;
  std::int64_t orders_ = 0;

  void add(std::int64_t at_ms, EventKind kind, std::int32_t item, const char* channel) {
    Event event;
    event.at = {at_ms};
    event.kind = kind;
    event.customer = static_cast<std::int64_t>(who_);
    event.item = item;
    event.channel = channel;
    event.unit_price_minor = world_.items[static_cast<std::size_t>(item)].price_minor;
    out_.push_back(std::move(event));
  }

  void buy(std::int64_t at_ms, std::int32_t item, const char* channel) {
    add(at_ms, EventKind::kPurchase, item, channel);
    Event& event = out_.back();
    event.order = "o" + std::to_string(who_) + "-" + std::to_string(day_) + "-" + std::to_string(orders_);
    const HiddenItem& hidden = world_.hidden_items[static_cast<std::size_t>(item)];
    event.quantity = hidden.repeat_ms > 0 && rng_.chance(0.25) ? 2 : 1;
    if (hidden.companion >= 0 && rng_.chance(0.3)) {
      life_.pending.push_back({at_ms + static_cast<std::int64_t>((2 + 7 * rng_.uniform()) * base::kDayMs), hidden.companion});
    }
    if (hidden.repeat_ms > 0 && rng_.chance(0.5)) {
      const double spread = 0.85 + 0.3 * rng_.uniform();
      life_.pending.push_back({at_ms + static_cast<std::int64_t>(spread * static_cast<double>(hidden.repeat_ms)), item});
    }
  }

  // Follow-ups and repeats that fall on this day: a look, and the purchase minutes later.
  void play_pending() {
    std::vector<Pending> due;
    std::erase_if(life_.pending, [&](const Pending& p) {
      if (p.due_ms < end_ms_) {
        due.push_back(p);
        return true;
      }
      return false;
    });
    for (const auto& p : due) {
      const std::int64_t at = std::max(p.due_ms, start_ms_);
      const char* channel = rng_.uniform() < hidden_.shop_channel[0] ? "web" : "app";
      add(at, EventKind::kView, p.item, channel);
      buy(at + 30'000 + static_cast<std::int64_t>(rng_.below(240'000)), p.item, channel);
      ++orders_;
    }
  }

  std::int64_t visit_start() {
    const double hour = rng_.chance(0.7) ? hidden_.peak_hour + 1.5 * rng_.normal() : 9 + 13 * rng_.uniform();
    const double clamped = std::clamp(hour, 6.0, 23.4);
    return start_ms_ + static_cast<std::int64_t>(clamped * static_cast<double>(base::kHourMs) + 60'000 * rng_.uniform());
  }

  std::int32_t weighted(const std::vector<double>& weights) {
    double total = 0;
    for (const double w : weights) {
      total += w;
    }
    double left = rng_.uniform() * total;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      left -= weights[i];
      if (left < 0) {
        return static_cast<std::int32_t>(i);
      }
    }
    return static_cast<std::int32_t>(weights.size()) - 1;
  }

  // A session's interest: the customer's own, or the category after the last one (order matters).
  std::int32_t choose_category() {
    if (life_.last_category >= 0 && rng_.chance(0.3)) {
      return (life_.last_category + 1) % static_cast<std::int32_t>(world_.options.categories);
    }
    return weighted(hidden_.category_weight);
  }

  bool on_sale(std::int32_t item) const { return world_.hidden_items[static_cast<std::size_t>(item)].first_day <= day_; }

  std::int32_t choose_item(std::int32_t category) {
    const auto& members = world_.by_category[static_cast<std::size_t>(category)];
    std::vector<double> weights;
    for (const auto j : members) {
      const HiddenItem& item = world_.hidden_items[static_cast<std::size_t>(j)];
      const double drift = item.drift * std::sin(static_cast<double>(day_) / 25 + item.drift_phase);
      const double taste = 2 * world_.affinity(who_, static_cast<std::size_t>(j));
      weights.push_back(on_sale(j) ? item.popularity * std::exp(drift + taste) : 0);
    }
    return members[static_cast<std::size_t>(weighted(weights))];
  }

  double utility(std::int32_t item) const {
    const auto j = static_cast<std::size_t>(item);
    const auto k = static_cast<std::size_t>(world_.items[j].category_index);
    const double dear = std::log(static_cast<double>(world_.items[j].price_minor)) - world_.mean_log_price[k];
    return hidden_.buying + 1.2 * world_.affinity(who_, j) - hidden_.sensitivity * dear;
  }

  void play_visit() {
    std::int64_t at = visit_start();
    const double u = rng_.uniform();
    const bool store = u >= hidden_.shop_channel[1];
    const char* channel = u < hidden_.shop_channel[0] ? "web" : store ? "store" : "app";
    const std::int32_t category = choose_category();
    life_.last_category = category;
    std::int32_t item = choose_item(category);
    bool bought = false;
    for (std::int64_t views = 1 + std::min<std::int64_t>(rng_.poisson(2.2), 15); views > 0; --views) {
      const double wish = utility(item);
      if (!store) {  // nobody records looks in a store
        add(at, EventKind::kView, item, channel);
        at += 15'000 + static_cast<std::int64_t>(rng_.below(150'000));
      }
      if (rng_.chance(logistic(wish - 3.0))) {
        if (!store) {
          add(at, EventKind::kCart, item, channel);
          at += 20'000 + static_cast<std::int64_t>(rng_.below(100'000));
        }
        if (rng_.chance(logistic(wish - (store ? 0.6 : 1.0)))) {
          buy(at, item, channel);
          bought = true;
          at += 5'000;
        }
      }
      const std::int32_t next = world_.hidden_items[static_cast<std::size_t>(item)].next_viewed;
      item = on_sale(next) && rng_.chance(0.4) ? next : choose_item(category);
    }
    orders_ += bought ? 1 : 0;
  }
};

}  // namespace

void play_day(const World& world, std::size_t customer, DayAndPath when, Life& life, std::vector<Event>& out) {
  Day(world, customer, when, life, out).play();
}

std::int64_t day_of(const World& world, std::size_t customer, base::Instant at) {
  const auto& starts = world.day_start_ms[world.customers[customer].zone_index];
  const auto after = std::upper_bound(starts.begin(), starts.end(), at.ms);
  return std::clamp<std::int64_t>(after - starts.begin() - 1, 0, world.days);
}

std::vector<Event> play_life(const World& world, std::size_t customer, base::Instant to) {
  std::vector<Event> events;
  Life life;
  const std::int64_t last = day_of(world, customer, to);
  for (std::int64_t day = 0; day <= last; ++day) {
    play_day(world, customer, {day, 0}, life, events);
  }
  // A late visit may run past midnight.
  std::stable_sort(events.begin(), events.end(), [](const Event& a, const Event& b) { return a.at < b.at; });
  return events;
}

}  // namespace beckon::market
