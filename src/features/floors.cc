#include "beckon/features/floors.h"

#include <algorithm>
#include <cmath>

namespace beckon::features {
namespace {

constexpr std::size_t kNextMax = 200;   // strongest successors kept per item
constexpr double kHalfLifeMs = 60.0 * base::kDayMs;

std::vector<std::int32_t> tokens_of(std::span<const Step> steps) {
  std::vector<std::int32_t> out;
  for (const Step& step : steps) {
    out.push_back(step.token);
  }
  return out;
}

std::vector<double> counts_since(const Dataset& data, base::Instant as_of, std::int64_t since_ms) {
  std::vector<double> counts(static_cast<std::size_t>(data.vocabulary.size()), 0);
  for (const auto& history : data.histories) {
    for (const Step& step : seen(history, as_of)) {
      if (step.at_ms > since_ms && step.token > 0) {
        counts[static_cast<std::size_t>(step.token)] += wish_weight(step.type);
      }
    }
  }
  return counts;
}

}  // namespace

double wish_weight(StepType type) { return type == StepType::kPurchase ? 1.0 : 0.1; }

std::span<const Step> seen(const History& history, base::Instant as_of) {
  const auto end = std::upper_bound(history.steps.begin(), history.steps.end(), as_of.ms,
                                    [](std::int64_t at_ms, const Step& step) { return at_ms < step.at_ms; });
  return {history.steps.begin(), end};
}

Floors Floors::fit(const Dataset& data, base::Instant as_of) {
  Floors out;
  for (const std::int64_t days : {7, 28, 36500}) {
    out.popularity_ = counts_since(data, as_of, as_of.ms - days * base::kDayMs);
    if (std::any_of(out.popularity_.begin(), out.popularity_.end(), [](double c) { return c > 0; })) {
      break;
    }
  }
  for (std::size_t token = 1; token < out.popularity_.size(); ++token) {
    if (out.popularity_[token] > 0) {
      out.popular_.push_back({static_cast<std::int32_t>(token), out.popularity_[token]});
    }
  }
  best_first(out.popular_);
  for (const auto& history : data.histories) {
    out.chain_.add(tokens_of(seen(history, as_of)));
  }
  out.chain_.finish(kNextMax);
  return out;
}

std::vector<Scored> Floors::own(const History& history, base::Instant as_of) const {
  std::unordered_map<std::int32_t, double> counts;
  for (const Step& step : seen(history, as_of)) {
    if (step.token > 0) {
      counts[step.token] += wish_weight(step.type) * std::exp2(-static_cast<double>(as_of.ms - step.at_ms) / kHalfLifeMs);
    }
  }
  std::vector<Scored> out;
  for (const auto& [token, score] : counts) {
    out.push_back({token, score});
  }
  best_first(out);
  return out;
}

std::vector<Scored> Floors::markov(const History& history, base::Instant as_of) const {
  const auto scores = chain_.score(tokens_of(seen(history, as_of)));
  std::vector<Scored> out;
  for (const auto& [token, score] : scores) {
    out.push_back({token, score});
  }
  best_first(out);
  return out;
}

double Floors::popularity(std::int32_t token) const { return popularity_.at(static_cast<std::size_t>(token)); }

}  // namespace beckon::features
