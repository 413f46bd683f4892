#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <set>

#include "beckon/base/rng.h"
#include "beckon/events/clean.h"
#include "beckon/features/features.h"

namespace beckon::features {
namespace {

std::optional<StepType> step_type(events::EventType type) {
  switch (type) {
    case events::EventType::kView:
      return StepType::kView;
    case events::EventType::kCart:
      return StepType::kCart;
    case events::EventType::kWishlist:
      return StepType::kWishlist;
    case events::EventType::kPurchase:
      return StepType::kPurchase;
    default:
      return std::nullopt;
  }
}

std::uint8_t channel_of(const std::string& channel) {
  return channel == "web" ? 1 : channel == "app" ? 2 : channel == "store" ? 3 : 0;
}

// Items get dense numbers while the data is read; frequencies decide afterwards which of them become tokens.
class Interner {
 public:
  std::int32_t number(const std::string& item) {
    const auto [found, added] = numbers_.try_emplace(item, static_cast<std::int32_t>(names_.size()));
    if (added) {
      names_.push_back(item);
      counts_.push_back(0);
    }
    ++counts_[static_cast<std::size_t>(found->second)];
    return found->second;
  }
  // By frequency; behind them, for new items, the goods of the shelf that nobody has met.
  Vocabulary make(const ItemFacts& facts, const DatasetOptions& options) const {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if ((counts_[i] >= options.item_events_min || options.new_items) && !facts.sensitive(names_[i])) {
        order.push_back(i);
      }
    }
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return counts_[a] != counts_[b] ? counts_[a] > counts_[b] : names_[a] < names_[b];
    });
    const auto most = static_cast<std::size_t>(options.items_max);
    order.resize(std::min(order.size(), most));
    std::int32_t warm = 0;
    std::vector<std::string> items;
    for (const std::size_t i : order) {
      items.push_back(names_[i]);
      warm += counts_[i] >= options.item_events_min ? 1 : 0;
    }
    for (std::size_t g = 0; options.new_items && g < facts.goods().size() && items.size() < most; ++g) {
      if (!numbers_.contains(facts.goods()[g])) {
        items.push_back(facts.goods()[g]);
      }
    }
    return Vocabulary(std::move(items), warm);
  }
  const std::vector<std::string>& names() const { return names_; }

 private:
  std::unordered_map<std::string, std::int32_t> numbers_;
  std::vector<std::string> names_;
  std::vector<std::int64_t> counts_;
};

std::uint64_t hash_or_none(const std::string& id) { return id.empty() ? 0 : base::stable_hash(id); }

// A click belongs to the delivery that it names, else to the last message before it.
void add_message(const events::Event& event, History& history) {
  const std::uint64_t delivery = hash_or_none(event.delivery);
  if (event.type == events::EventType::kDelivered) {
    history.messages.push_back({event.at.ms, delivery, hash_or_none(event.item), message_channel_of(event.channel), 0});
  } else if (event.type == events::EventType::kClick && !history.messages.empty()) {
    const auto named = std::find_if(history.messages.rbegin(), history.messages.rend(),
                                    [&](const Message& message) { return delivery != 0 && message.delivery_hash == delivery; });
    Message& message = named == history.messages.rend() ? history.messages.back() : *named;
    message.clicked_ms = message.clicked_ms == 0 ? event.at.ms : message.clicked_ms;
  }
}

struct Filling {
  const std::set<std::string>* services;
  const ItemFacts* facts;
  bool orders = false;
  bool as_recorded = false;
};

// With a coupon or campaign it is known at once; prices tell the rest when all of them have been seen.
Promotion stated_promotion(const events::Event& event, const ItemFacts& facts) {
  const bool stated = facts.words().promotion && (!event.coupon.empty() || !event.campaign.empty());
  return stated ? Promotion::kPromoted : Promotion::kUnknown;
}

void judge_prices(const UsualPrices& prices, std::span<const UsualPrices::Point> points, History& history) {
  for (std::size_t i = 0; i < history.steps.size(); ++i) {
    Step& step = history.steps[i];
    if (step.promotion == Promotion::kUnknown && points[i].series >= 0) {
      step.promotion = prices.below_usual(points[i], {step.at_ms}) ? Promotion::kPromoted : Promotion::kUsualPrice;
    }
  }
}

// `token_of(item)` names the item, `price_of(event)` is called once a step; returns how many purchases had come back.
template <class TokenOf, class PriceOf>
std::int64_t fill_history(std::span<const events::Event> window, const std::pair<TokenOf, PriceOf>& token_and_price, const Filling& filling,
                          History& history) {
  const auto& [token_of, price_of] = token_and_price;
  const auto kept = events::pair_refunds(window).kept_quantity;
  const auto machine = events::machine_answers(window);
  std::array<std::int32_t, 24> hours{};
  std::int64_t refunded = 0;
  for (std::size_t i = 0; i < window.size(); ++i) {
    const events::Event& event = window[i];
    history.last_ms = std::max(history.last_ms, event.at.ms);
    ++history.events;
    if (machine[i] == 0) {
      add_message(event, history);
    }
    const auto type = step_type(event.type);
    if (!type.has_value() || event.item.empty() || filling.services->contains(event.item)) {
      continue;
    }
    if (*type == StepType::kPurchase && kept[i] <= 0 && !filling.as_recorded) {
      ++refunded;
      continue;
    }
    ++hours[static_cast<std::size_t>((event.at.ms / base::kHourMs) % 24)];
    history.steps.push_back({event.at.ms, token_of(event.item), *type, price_band_of(event.unit_price), channel_of(event.channel),
                             stated_promotion(event, *filling.facts), filling.facts->codes(event.item)});
    price_of(event);
    if (filling.orders) {
      history.orders.push_back(event.order.empty() ? 0 : base::stable_hash(event.order));
    }
  }
  if (!history.steps.empty()) {
    history.usual_hour = static_cast<std::int8_t>(std::max_element(hours.begin(), hours.end()) - hours.begin());
  }
  return refunded;
}

void count(Dataset& data) {
  for (const auto& history : data.histories) {
    for (const auto& step : history.steps) {
      ++data.steps;
      data.unknown_items += step.token == 0 ? 1 : 0;
      data.first_ms = data.first_ms == 0 ? step.at_ms : std::min(data.first_ms, step.at_ms);
      data.last_ms = std::max(data.last_ms, step.at_ms);
    }
  }
}

}  // namespace

MessageChannel message_channel_of(const std::string& channel) {
  constexpr std::array<const char*, kMessageChannels> kNames{"", "push", "email", "sms", "wechat", "inapp", "web", "store"};
  const auto found = std::find(kNames.begin() + 1, kNames.end(), channel);
  return found == kNames.end() ? MessageChannel::kOther : static_cast<MessageChannel>(found - kNames.begin());
}

Vocabulary::Vocabulary(std::vector<std::string> items, std::int32_t warm)
    : warm_size_(1 + (warm < 0 ? static_cast<std::int32_t>(items.size()) : warm)) {
  for (auto& item : items) {
    tokens_.emplace(item, static_cast<std::int32_t>(items_.size()));
    items_.push_back(std::move(item));
  }
}

std::int32_t Vocabulary::token(const std::string& item) const {
  const auto found = tokens_.find(item);
  return found == tokens_.end() ? 0 : found->second;
}

std::uint8_t price_band_of(const base::Money& money) {
  if (money.currency().empty() || money.minor() <= 0) {
    return 0;
  }
  const double major = static_cast<double>(money.minor()) / std::pow(10.0, money.currency().decimals());
  const double band = 7.0 + 2.0 * std::log2(major);  // half octaves, 1 below 12 cents … 23 above 250
  return static_cast<std::uint8_t>(std::clamp(band, 1.0, static_cast<double>(kPriceBands - 1)));
}

std::size_t moment_end(std::span<const Step> steps, std::size_t i) {
  std::size_t end = i + 1;
  while (end < steps.size() && steps[end].at_ms - steps[end - 1].at_ms < kMomentGapMs) {
    ++end;
  }
  return end;
}

History build_history(const privacy::Pseudonym& customer, std::span<const events::Event> window, const Reading& reading) {
  History history;
  history.customer = customer;
  const std::set<std::string> services;  // their items have no token anyway
  std::vector<UsualPrices::Point> points;
  const auto token_of = [&](const std::string& item) { return reading.vocabulary->token(item); };
  const auto price_of = [&](const events::Event& event) {
    points.push_back(reading.prices == nullptr ? UsualPrices::Point{} : reading.prices->point(event.item, event.unit_price));
  };
  fill_history(window, std::pair{token_of, price_of}, {&services, reading.facts}, history);
  if (reading.prices != nullptr) {
    judge_prices(*reading.prices, points, history);
  }
  return history;
}

namespace {

// The pass over the store: histories, the words and prices met on the way.
class Builder {
 public:
  Builder(const ItemFacts& facts, const DatasetOptions& options, const Vocabulary* vocabulary)
      : facts_(facts), options_(options), vocabulary_(vocabulary), services_(options.services.begin(), options.services.end()) {}

  void add(const privacy::Pseudonym& customer, std::span<const events::Event> window) {
    History history;
    history.customer = customer;
    auto& points = points_.emplace_back();
    const auto token_of = [&](const std::string& item) {
      return vocabulary_ != nullptr ? vocabulary_->token(item) : interner_.number(item);
    };
    const auto price_of = [&](const events::Event& event) {
      if (facts_.words().promotion) {
        points.push_back(prices_.add(event.item, event.unit_price, event.at));
      }
    };
    const Filling filling{&services_, &facts_, options_.orders, options_.as_recorded};
    data_.refunded += fill_history(window, std::pair{token_of, price_of}, filling, history);
    data_.histories.push_back(std::move(history));
  }
  void leave_out() { ++data_.flagged; }

  Dataset finish() {
    data_.words = facts_.words();
    data_.vocabulary = vocabulary_ != nullptr ? *vocabulary_ : interner_.make(facts_, options_);
    for (std::size_t h = 0; vocabulary_ == nullptr && h < data_.histories.size(); ++h) {
      for (auto& step : data_.histories[h].steps) {
        step.token = data_.vocabulary.token(interner_.names()[static_cast<std::size_t>(step.token)]);
      }
    }
    if (facts_.words().promotion) {
      prices_.finish();
      for (std::size_t h = 0; h < data_.histories.size(); ++h) {
        judge_prices(prices_, points_[h], data_.histories[h]);
      }
      data_.prices = std::make_shared<const UsualPrices>(std::move(prices_));
    }
    count(data_);
    return std::move(data_);
  }

 private:
  const ItemFacts& facts_;
  const DatasetOptions& options_;
  const Vocabulary* vocabulary_;
  std::set<std::string> services_;
  Dataset data_;
  Interner interner_;
  UsualPrices prices_;
  std::vector<std::vector<UsualPrices::Point>> points_;  // per history and step, until the usual prices are known
};

}  // namespace

base::Result<Dataset> build_dataset(const store::KeyValue& rows, const ItemFacts& facts, const DatasetOptions& options,
                                    const Vocabulary* vocabulary) {
  Builder builder(facts, options, vocabulary);
  base::Status problem = base::ok_status();
  const store::People people(const_cast<store::KeyValue&>(rows));  // reads only
  BECKON_TRY_STATUS(store::for_each_person(rows, options.as_of, [&](const auto& customer, std::vector<events::Event>& window) {
    const auto flag = people.flag(customer);
    if (!flag.ok()) {
      problem = flag.error();
      return false;
    }
    if (!flag->empty() && !options.as_recorded) {
      builder.leave_out();
    } else {
      builder.add(customer, window);
    }
    return true;
  }));
  BECKON_TRY_STATUS(problem);
  return builder.finish();
}

}  // namespace beckon::features
