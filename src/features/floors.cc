#include "beckon/features/floors.h"

#include <algorithm>
#include <cmath>

namespace beckon::features {
namespace {

constexpr std::size_t kNextMax = 200;   // strongest successors kept per item
constexpr double kHalfLifeMs = 60.0 * base::kDayMs;

void best_first(std::vector<Scored>& items) {
  std::sort(items.begin(), items.end(),
            [](const Scored& a, const Scored& b) { return a.score != b.score ? a.score > b.score : a.token < b.token; });
}

std::vector<double> counts_since(const Dataset& data, base::Instant as_of, std::int64_t since_ms) {
  std::vector<double> counts(static_cast<std::size_t>(data.vocabulary.size()), 0);
  for (const auto& history : data.histories) {
    for (const Step& step : seen(history, as_of)) {
      if (step.at_ms > since_ms && step.token > 0) {
        counts[static_cast<std::size_t>(step.token)] += step.type == StepType::kPurchase ? 1.0 : 0.1;
      }
    }
  }
  return counts;
}

}  // namespace

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
  std::unordered_map<std::int32_t, std::unordered_map<std::int32_t, double>> pairs;
  for (const auto& history : data.histories) {
    const auto steps = seen(history, as_of);
    for (std::size_t i = 0; i < steps.size(); ++i) {
      for (std::size_t gap = 1; gap <= 2 && i + gap < steps.size(); ++gap) {
        if (steps[i].token > 0 && steps[i + gap].token > 0) {
          pairs[steps[i].token][steps[i + gap].token] += gap == 1 ? 1.0 : 0.5;
        }
      }
    }
  }
  for (auto& [token, row] : pairs) {
    double total = 0;
    std::vector<Scored> next;
    for (const auto& [to, count] : row) {
      next.push_back({to, count});
    }
    best_first(next);
    for (const auto& entry : next) {
      total += entry.score;
    }
    next.resize(std::min(next.size(), kNextMax));
    for (auto& entry : next) {
      entry.score /= std::sqrt(total);
    }
    out.next_.emplace(token, std::move(next));
  }
  return out;
}

std::vector<Scored> Floors::own(const History& history, base::Instant as_of) const {
  std::unordered_map<std::int32_t, double> counts;
  for (const Step& step : seen(history, as_of)) {
    if (step.token > 0) {
      const double weight = step.type == StepType::kPurchase ? 1.0 : 0.1;
      counts[step.token] += weight * std::exp2(-static_cast<double>(as_of.ms - step.at_ms) / kHalfLifeMs);
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
  const auto steps = seen(history, as_of);
  std::unordered_map<std::int32_t, double> scores;
  double weight = 1;
  for (std::size_t back = 0; back < 10 && back < steps.size(); ++back, weight *= 0.7) {
    const auto row = next_.find(steps[steps.size() - 1 - back].token);
    if (row == next_.end()) {
      continue;
    }
    for (const auto& entry : row->second) {
      scores[entry.token] += weight * entry.score;
    }
  }
  std::vector<Scored> out;
  for (const auto& [token, score] : scores) {
    out.push_back({token, score});
  }
  best_first(out);
  return out;
}

double Floors::popularity(std::int32_t token) const { return popularity_.at(static_cast<std::size_t>(token)); }

}  // namespace beckon::features
