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
  Vocabulary make(const std::map<std::string, std::string>& category, const DatasetOptions& options) const {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      const auto own = category.find(names_[i]);
      const bool sensitive = own != category.end() &&
                             std::any_of(options.sensitive_categories.begin(), options.sensitive_categories.end(),
                                         [&](const auto& prefix) { return own->second.starts_with(prefix); });
      if (counts_[i] >= options.item_events_min && !sensitive) {
        order.push_back(i);
      }
    }
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return counts_[a] != counts_[b] ? counts_[a] > counts_[b] : names_[a] < names_[b];
    });
    order.resize(std::min(order.size(), static_cast<std::size_t>(options.items_max)));
    std::vector<std::string> items;
    for (const std::size_t i : order) {
      items.push_back(names_[i]);
    }
    return Vocabulary(std::move(items));
  }
  const std::vector<std::string>& names() const { return names_; }

 private:
  std::unordered_map<std::string, std::int32_t> numbers_;
  std::vector<std::string> names_;
  std::vector<std::int64_t> counts_;
};

void add_message(const events::Event& event, History& history) {
  if (event.type == events::EventType::kDelivered) {
    history.messages.push_back({event.at.ms, false});
  } else if (event.type == events::EventType::kClick && !history.messages.empty()) {
    history.messages.back().clicked = true;
  }
}

struct Filling {
  const std::set<std::string>* services;
  bool orders = false;
  bool as_recorded = false;
};

// `token_of(item)` names the item; returns how many purchases had come back.
template <class TokenOf>
std::int64_t fill_history(std::span<const events::Event> window, const TokenOf& token_of, const Filling& filling, History& history) {
  const auto kept = events::pair_refunds(window).kept_quantity;
  std::array<std::int32_t, 24> hours{};
  std::int64_t refunded = 0;
  for (std::size_t i = 0; i < window.size(); ++i) {
    const events::Event& event = window[i];
    history.last_ms = std::max(history.last_ms, event.at.ms);
    ++history.events;
    add_message(event, history);
    const auto type = step_type(event.type);
    if (!type.has_value() || event.item.empty() || filling.services->contains(event.item)) {
      continue;
    }
    if (*type == StepType::kPurchase && kept[i] <= 0 && !filling.as_recorded) {
      ++refunded;
      continue;
    }
    ++hours[static_cast<std::size_t>((event.at.ms / base::kHourMs) % 24)];
    history.steps.push_back({event.at.ms, token_of(event.item), *type, price_band_of(event.unit_price), channel_of(event.channel)});
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

Vocabulary::Vocabulary(std::vector<std::string> items) {
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

History build_history(const privacy::Pseudonym& customer, std::span<const events::Event> window, const Vocabulary& vocabulary) {
  History history;
  history.customer = customer;
  const std::set<std::string> services;  // their items have no token anyway
  const auto token_of = [&](const std::string& item) { return vocabulary.token(item); };
  fill_history(window, token_of, {&services}, history);
  return history;
}

base::Result<Dataset> build_dataset(const store::KeyValue& rows, const std::map<std::string, std::string>& item_category,
                                    const DatasetOptions& options, const Vocabulary* vocabulary) {
  Dataset data;
  const std::set<std::string> services(options.services.begin(), options.services.end());
  Interner interner;
  base::Status problem = base::ok_status();
  const store::People people(const_cast<store::KeyValue&>(rows));  // reads only
  BECKON_TRY_STATUS(store::for_each_person(rows, options.as_of, [&](const auto& customer, std::vector<events::Event>& window) {
    const auto flag = people.flag(customer);
    if (!flag.ok()) {
      problem = flag.error();
      return false;
    }
    if (!flag->empty() && !options.as_recorded) {
      ++data.flagged;
      return true;
    }
    History history;
    history.customer = customer;
    const auto by_vocabulary = [&](const std::string& item) { return vocabulary->token(item); };
    const auto by_interner = [&](const std::string& item) { return interner.number(item); };
    const Filling filling{&services, options.orders, options.as_recorded};
    data.refunded += vocabulary != nullptr ? fill_history(window, by_vocabulary, filling, history)
                                           : fill_history(window, by_interner, filling, history);
    data.histories.push_back(std::move(history));
    return true;
  }));
  BECKON_TRY_STATUS(problem);
  if (vocabulary != nullptr) {
    data.vocabulary = *vocabulary;
  } else {
    data.vocabulary = interner.make(item_category, options);
    for (auto& history : data.histories) {
      for (auto& step : history.steps) {
        step.token = data.vocabulary.token(interner.names()[static_cast<std::size_t>(step.token)]);
      }
    }
  }
  count(data);
  return data;
}

}  // namespace beckon::features
