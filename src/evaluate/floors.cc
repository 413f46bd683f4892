#include "beckon/evaluate/floors.h"

#include <algorithm>
#include <cmath>

#include "beckon/features/floors.h"

namespace beckon::evaluate {
namespace {

constexpr std::size_t kNearest = 200;
constexpr std::size_t kItemsOfOneMax = 500;  // a reseller's ten thousand items say little about one another
constexpr std::int64_t kWeekMs = 7 * base::kDayMs;

std::span<const features::Step> known(const Data& data, const Split& split, std::size_t history) {
  return std::span(data.set.histories[history].steps).first(split.known_until[history]);
}

std::vector<float> counts_since(const Data& data, const Split& split, std::int64_t since_ms) {
  std::vector<double> counts(static_cast<std::size_t>(data.set.vocabulary.size()), 0);
  for (std::size_t h = 0; h < data.set.histories.size(); ++h) {
    for (const auto& step : known(data, split, h)) {
      if (step.at_ms >= since_ms) {
        counts[static_cast<std::size_t>(step.token)] += features::wish_weight(step.type);
      }
    }
  }
  return {counts.begin(), counts.end()};
}

// Popularity in [-1, 0): below everything that has a score of its own, so that lists fill up.
std::vector<float> fill_of(const std::vector<float>& counts) {
  const float most = *std::max_element(counts.begin(), counts.end()) + 1;
  std::vector<float> fill;
  for (const float count : counts) {
    fill.push_back(count / most - 1);
  }
  return fill;
}

class Filled : public Ranker {
 public:
  explicit Filled(std::vector<float> fill) : fill_(std::move(fill)) {}
  void score(std::span<const Case> cases, std::span<float> scores) const override {
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const auto row = scores.subspan(i * fill_.size(), fill_.size());
      std::ranges::copy(fill_, row.begin());
      score_one(cases[i], row);
    }
  }

 protected:
  virtual void score_one(const Case& one, std::span<float> row) const = 0;
  const std::vector<float>& fill() const { return fill_; }
  // Counts are small and often equal: a floor that lost all ties would be easy to beat, so the more popular stands first among them.
  void set_score(std::int32_t token, double score, std::span<float> row) const {
    const auto t = static_cast<std::size_t>(token);
    row[t] = static_cast<float>(score * (1 + 1e-4 * (1 + static_cast<double>(fill_[t]))));
  }

 private:
  std::vector<float> fill_;
};

class Popular final : public Filled {
 public:
  Popular(std::vector<float> counts, std::vector<float> fill) : Filled(std::move(fill)), counts_(std::move(counts)) {}

 private:
  void score_one(const Case& /*one*/, std::span<float> row) const override {
    for (std::size_t t = 1; t < row.size(); ++t) {
      row[t] = counts_[t] > 0 ? counts_[t] + 1 + row[t] : row[t];  // among equals the more popular of all time
    }
  }
  std::vector<float> counts_;
};

class Own final : public Filled {
 public:
  Own(std::vector<float> fill, bool popular_first) : Filled(std::move(fill)), popular_first_(popular_first) {}

 private:
  void score_one(const Case& one, std::span<float> row) const override {
    std::vector<std::pair<std::int32_t, double>> counts;  // in the order he met them
    std::unordered_map<std::int32_t, std::size_t> place;
    for (std::size_t i = 0; i < one.seen; ++i) {
      const auto& step = one.history->steps[i];
      const auto [found, added] = place.try_emplace(step.token, counts.size());
      if (added) {
        counts.emplace_back(step.token, 0);
      }
      counts[found->second].second += features::wish_weight(step.type);
    }
    for (std::size_t i = 0; i < counts.size(); ++i) {
      const auto [token, count] = counts[i];
      const auto t = static_cast<std::size_t>(token);
      // What breaks ties stays below the smallest step between two counts.
      const double tie = popular_first_ ? 1 + static_cast<double>(fill()[t]) : 1 - static_cast<double>(i) / static_cast<double>(counts.size());
      row[t] = static_cast<float>(count + 0.09 * tie);
    }
  }
  bool popular_first_;
};

std::vector<std::int32_t> tokens_of(std::span<const features::Step> steps) {
  std::vector<std::int32_t> tokens;
  for (const auto& step : steps) {
    tokens.push_back(step.token);
  }
  return tokens;
}

class Markov final : public Filled {
 public:
  Markov(const Data& data, const Split& split, std::vector<float> fill) : Filled(std::move(fill)) {
    for (std::size_t h = 0; h < data.set.histories.size(); ++h) {
      chain_.add(tokens_of(known(data, split, h)));
    }
    chain_.finish(0);
  }

 private:
  void score_one(const Case& one, std::span<float> row) const override {
    for (const auto& [token, score] : chain_.score(tokens_of(std::span(one.history->steps).first(one.seen)))) {
      set_score(token, score, row);
    }
  }
  features::Chain chain_;
};

// Different items, the latest first, at most kItemsOfOneMax.
std::vector<std::int32_t> different(std::span<const features::Step> steps) {
  std::vector<std::int32_t> out;
  std::unordered_map<std::int32_t, bool> met;
  for (std::size_t i = steps.size(); i-- > 0 && out.size() < kItemsOfOneMax;) {
    if (steps[i].token > 0 && met.try_emplace(steps[i].token, true).second) {
      out.push_back(steps[i].token);
    }
  }
  return out;
}

class ItemKnn final : public Filled {
 public:
  ItemKnn(const Data& data, const Split& split, std::vector<float> fill) : Filled(std::move(fill)) {
    const auto tokens = static_cast<std::size_t>(data.set.vocabulary.size());
    std::vector<std::vector<std::int32_t>> items;               // per customer
    std::vector<std::vector<std::uint32_t>> customers(tokens);  // per item
    for (std::size_t h = 0; h < data.set.histories.size(); ++h) {
      items.push_back(different(known(data, split, h)));
      for (const std::int32_t token : items.back()) {
        customers[static_cast<std::size_t>(token)].push_back(static_cast<std::uint32_t>(h));
      }
    }
    nearest_.resize(tokens);
    std::vector<float> together(tokens, 0);
    std::vector<std::int32_t> met;
    for (std::size_t a = 1; a < tokens; ++a) {
      met.clear();
      for (const std::uint32_t customer : customers[a]) {
        for (const std::int32_t b : items[customer]) {
          if (together[static_cast<std::size_t>(b)] == 0) {
            met.push_back(b);
          }
          together[static_cast<std::size_t>(b)] += 1;
        }
      }
      for (const std::int32_t b : met) {
        const auto at = static_cast<std::size_t>(b);
        if (at != a) {
          const double norm = std::sqrt(static_cast<double>(customers[a].size()) * static_cast<double>(customers[at].size()));
          nearest_[a].push_back({b, static_cast<double>(together[at]) / norm});
        }
        together[at] = 0;
      }
      features::best_first(nearest_[a]);
      nearest_[a].resize(std::min(nearest_[a].size(), kNearest));
      nearest_[a].shrink_to_fit();
    }
  }

 private:
  void score_one(const Case& one, std::span<float> row) const override {
    std::unordered_map<std::int32_t, double> scores;
    for (const std::int32_t token : different(std::span(one.history->steps).first(one.seen))) {
      for (const auto& entry : nearest_[static_cast<std::size_t>(token)]) {
        scores[entry.token] += entry.score;
      }
    }
    for (const auto& [token, score] : scores) {
      set_score(token, score, row);
    }
  }
  std::vector<std::vector<features::Scored>> nearest_;
};

// Start of the last week that may be counted.
std::int64_t week_start(const Data& data, const Split& split) {
  if (split.test_at.ms != 0) {
    return split.test_at.ms - kWeekMs;
  }
  std::int64_t last_ms = 0;
  for (std::size_t h = 0; h < data.set.histories.size(); ++h) {
    const auto steps = known(data, split, h);
    last_ms = steps.empty() ? last_ms : std::max(last_ms, steps.back().at_ms);
  }
  return last_ms - kWeekMs;
}

}  // namespace

std::vector<Floor> fit_floors(const Data& data, const Split& split) {
  const auto all_time = counts_since(data, split, std::numeric_limits<std::int64_t>::min());
  const auto fill = fill_of(all_time);
  std::vector<Floor> floors;
  floors.push_back({"popular", std::make_unique<Popular>(all_time, fill)});
  floors.push_back({"popular_7d", data.timed ? std::make_unique<Popular>(counts_since(data, split, week_start(data, split)), fill) : nullptr});
  floors.push_back({"markov", std::make_unique<Markov>(data, split, fill)});
  floors.push_back({"item_knn", std::make_unique<ItemKnn>(data, split, fill)});
  floors.push_back({"own_history", std::make_unique<Own>(fill, false)});
  floors.push_back({"own_history_popular", std::make_unique<Own>(fill, true)});
  return floors;
}

}  // namespace beckon::evaluate
