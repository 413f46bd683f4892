#include "message_columns.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace beckon::response {
namespace {

double logit(double p) {
  const double inside = std::clamp(p, 1e-6, 1 - 1e-6);
  return std::log(inside / (1 - inside));
}

double log_days(std::int64_t ms) { return std::log1p(static_cast<double>(std::max<std::int64_t>(0, ms)) / static_cast<double>(base::kDayMs)); }

// What a customer had done and been sent before a moment.
struct Past {
  std::int64_t steps = 0, steps_of_month = 0, purchases = 0, of_item = 0, messages = 0, clicks = 0;
  std::int64_t last_step_ms = -1, last_purchase_ms = -1, last_message_ms = -1;
};

Past past_of(const features::History& history, base::Instant at, std::int32_t token) {
  constexpr std::int64_t kMonthMs = 30 * base::kDayMs;
  Past out;
  for (const auto& step : history.steps) {
    if (step.at_ms >= at.ms) {
      break;
    }
    const bool purchase = step.type == features::StepType::kPurchase;
    ++out.steps;
    out.steps_of_month += step.at_ms > at.ms - kMonthMs ? 1 : 0;
    out.purchases += purchase ? 1 : 0;
    out.of_item += purchase && token > 0 && step.token == token ? 1 : 0;
    out.last_step_ms = step.at_ms;
    out.last_purchase_ms = purchase ? step.at_ms : out.last_purchase_ms;
  }
  for (const auto& message : history.messages) {
    if (message.at_ms < at.ms) {
      ++out.messages;
      out.clicks += message.clicked_ms > 0 && message.clicked_ms < at.ms ? 1 : 0;
      out.last_message_ms = message.at_ms;
    }
  }
  return out;
}

constexpr int kOffers = 5;
constexpr double kOwnBelow = 20;

double own_rate(const Past& past, double rate) {
  return (static_cast<double>(past.clicks) + kOwnBelow * rate) / (static_cast<double>(past.messages) + kOwnBelow);
}

}  // namespace

double own_rate(const features::History& history, base::Instant at, double rate) { return own_rate(past_of(history, at, 0), rate); }

const std::vector<std::string>& message_column_names() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names{"rate", "head", "head_missing", "depth", "hour_sin", "hour_cos", "hour_missing"};
    for (int i = 0; i < kOffers; ++i) {
      names.push_back("offer_" + std::to_string(i));
    }
    for (int i = 0; i < features::kMessageChannels; ++i) {
      names.push_back("channel_" + std::to_string(i));
    }
    for (const char* name : {"steps", "steps_of_month", "purchases", "of_item", "since_step", "since_purchase", "never_bought", "messages", "clicks",
                             "click_share", "since_message"}) {
      names.emplace_back(name);
    }
    return names;
  }();
  return kNames;
}

void add_message_columns(const MessageFacts& facts, std::vector<float>& row) {
  const Past past = past_of(*facts.history, facts.at, facts.token);
  const auto add = [&](double value) { row.push_back(static_cast<float>(value)); };
  const auto count = [&](std::int64_t value) { add(std::log1p(static_cast<double>(value))); };
  const bool hour_known = facts.approach.hour >= 0;
  const double angle = 2 * std::numbers::pi * facts.approach.hour / 24;
  add(logit(facts.rate));
  add(facts.head < 0 ? 0 : logit(facts.head));
  add(facts.head < 0 ? 1 : 0);
  add(static_cast<double>(facts.approach.depth_bp) / 10'000);
  add(hour_known ? std::sin(angle) : 0);
  add(hour_known ? std::cos(angle) : 0);
  add(hour_known ? 0 : 1);
  for (int i = 0; i < kOffers; ++i) {
    add(static_cast<int>(facts.approach.offer) == i ? 1 : 0);
  }
  for (int i = 0; i < features::kMessageChannels; ++i) {
    add(static_cast<int>(facts.approach.channel) == i ? 1 : 0);
  }
  for (const std::int64_t value : {past.steps, past.steps_of_month, past.purchases, past.of_item}) {
    count(value);
  }
  add(past.last_step_ms < 0 ? log_days(3650 * base::kDayMs) : log_days(facts.at.ms - past.last_step_ms));
  add(past.last_purchase_ms < 0 ? 0 : log_days(facts.at.ms - past.last_purchase_ms));
  add(past.last_purchase_ms < 0 ? 1 : 0);
  count(past.messages);
  count(past.clicks);
  add(own_rate(past, facts.rate));
  add(past.last_message_ms < 0 ? log_days(3650 * base::kDayMs) : log_days(facts.at.ms - past.last_message_ms));
}

}  // namespace beckon::response
