#include "beckon/response/scorer.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "beckon/model/ranking.h"

namespace beckon::response {
namespace {

constexpr std::size_t kFromModel = 100;
constexpr std::size_t kFromCounting = 100;
constexpr std::size_t kTile = 32;  // histories encoded and scored together

struct Tile {
  std::vector<float> logits;      // (histories, tokens)
  std::vector<float> heads;       // (histories, heads)
  std::vector<double> log_total;  // log Σ exp of a row
};

bool is_allowed(const std::vector<bool>& allowed, std::int32_t token) {
  return token > 0 && (allowed.empty() || allowed[static_cast<std::size_t>(token)]);
}

Tile score_tile(const model::Model& model, std::span<const features::History* const> histories, base::Instant as_of) {
  std::vector<model::Sequence> sequences;
  for (const auto* history : histories) {
    features::SequenceOptions options;
    options.as_of = options.target_until = as_of;
    options.targets_inside = false;
    sequences.push_back(features::make_sequence(*history, options));
  }
  base::SeededExecutor here(1);  // tiles are already spread over the workers
  const auto vectors = model.encode(sequences, here);
  Tile tile;
  tile.logits.resize(sequences.size() * model.tokens());
  tile.heads.resize(sequences.size() * model.heads());
  model.score_histories(sequences, vectors, tile.logits);
  model.head_logits(vectors, tile.heads);
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const std::span<const float> row(tile.logits.data() + i * model.tokens(), model.tokens());
    const float top = *std::max_element(row.begin() + 1, row.end());
    double total = 0;
    for (std::size_t token = 1; token < row.size(); ++token) {
      total += std::exp(static_cast<double>(row[token] - top));
    }
    tile.log_total.push_back(static_cast<double>(top) + std::log(total));
  }
  return tile;
}

// The strongest allowed tokens of one row of logits.
std::vector<std::int32_t> strongest(std::span<const float> row, const std::vector<bool>& allowed) {
  std::vector<std::int32_t> tokens;
  for (std::size_t token = 1; token < row.size(); ++token) {
    if (is_allowed(allowed, static_cast<std::int32_t>(token))) {
      tokens.push_back(static_cast<std::int32_t>(token));
    }
  }
  const auto middle = tokens.begin() + static_cast<std::ptrdiff_t>(std::min(kFromModel, tokens.size()));
  std::partial_sort(tokens.begin(), middle, tokens.end(), [&](std::int32_t a, std::int32_t b) {
    const float left = row[static_cast<std::size_t>(a)];
    const float right = row[static_cast<std::size_t>(b)];
    return left != right ? left > right : a < b;
  });
  tokens.erase(middle, tokens.end());
  return tokens;
}

using EvidenceMap = std::unordered_map<std::int32_t, Evidence>;

void add_counting(const features::Floors& floors, const features::History& history,
                  const std::pair<base::Instant, const std::vector<bool>*>& as_of_allowed, EvidenceMap& out) {
  const auto& [as_of, allowed] = as_of_allowed;
  const auto own = floors.own(history, as_of);
  for (std::size_t i = 0; i < own.size() && i < kFromCounting; ++i) {
    if (is_allowed(*allowed, own[i].token)) {
      Evidence& e = out[own[i].token];
      e.own = std::log1p(own[i].score);
      e.seen = 1;
    }
  }
  for (const auto& step : features::seen(history, as_of)) {
    if (const auto found = out.find(step.token); found != out.end() && found->second.seen > 0) {
      found->second.recency = -std::log1p(static_cast<double>(as_of.ms - step.at_ms) / base::kDayMs);
    }
  }
  const auto chain = floors.markov(history, as_of);
  for (std::size_t i = 0; i < chain.size() && i < kFromCounting; ++i) {
    if (is_allowed(*allowed, chain[i].token)) {
      out[chain[i].token].markov = std::log1p(chain[i].score);
    }
  }
  const auto& popular = floors.popular();
  for (std::size_t i = 0, taken = 0; i < popular.size() && taken < kFromCounting; ++i) {
    if (is_allowed(*allowed, popular[i].token)) {
      out.try_emplace(popular[i].token);
      ++taken;
    }
  }
}

}  // namespace

std::vector<std::vector<CandidateEvidence>> Scorer::evidence(std::span<const features::History* const> histories,
                                                             base::Instant as_of, const std::vector<bool>& allowed,
                                                             base::Executor& executor) const {
  std::vector<std::vector<CandidateEvidence>> out(histories.size());
  const std::size_t tiles = (histories.size() + kTile - 1) / kTile;
  executor.run(tiles, [&](std::size_t t) {
    const std::size_t first = t * kTile;
    const auto members = histories.subspan(first, std::min(kTile, histories.size() - first));
    const Tile tile = model_ != nullptr ? score_tile(*model_, members, as_of) : Tile{};
    for (std::size_t i = 0; i < members.size(); ++i) {
      EvidenceMap found;
      add_counting(*floors_, *members[i], {as_of, &allowed}, found);
      if (model_ != nullptr) {
        const std::span<const float> row(tile.logits.data() + i * model_->tokens(), model_->tokens());
        for (const std::int32_t token : strongest(row, allowed)) {
          found.try_emplace(token);
        }
        for (auto& [token, e] : found) {
          e.model = static_cast<double>(row[static_cast<std::size_t>(token)]) - tile.log_total[i];
          e.purchase = static_cast<double>(tile.heads[i * model_->heads() + features::kPurchaseHead]);
        }
      }
      for (auto& [token, e] : found) {
        e.popular = std::log1p(floors_->popularity(token));
        out[first + i].push_back({token, e});
      }
      std::sort(out[first + i].begin(), out[first + i].end(),
                [](const auto& a, const auto& b) { return a.token < b.token; });
    }
  });
  return out;
}

std::vector<std::vector<ScoredItem>> Scorer::score(std::span<const features::History* const> histories, base::Instant as_of,
                                                   const std::vector<bool>& allowed, std::size_t count,
                                                   base::Executor& executor) const {
  const auto all = evidence(histories, as_of, allowed, executor);
  std::vector<std::vector<ScoredItem>> out(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (const auto& candidate : all[i]) {
      out[i].push_back({candidate.token, response_.predict(candidate.evidence)});
    }
    std::stable_sort(out[i].begin(), out[i].end(), [](const auto& a, const auto& b) { return a.probability > b.probability; });
    out[i].resize(std::min(out[i].size(), count));
  }
  return out;
}

std::vector<ScoredItem> Scorer::popular(const std::vector<bool>& allowed, std::size_t count, std::int64_t customers) const {
  std::vector<ScoredItem> out;
  for (const auto& entry : floors_->popular()) {
    if (out.size() == count) {
      break;
    }
    if (is_allowed(allowed, entry.token)) {
      // Purchases per customer of the last week, as a probability.
      out.push_back({entry.token, 1 - std::exp(-entry.score / static_cast<double>(std::max<std::int64_t>(1, customers)))});
    }
  }
  return out;
}

base::Result<ItemResponse> fit_item_response(const features::Dataset& data, const model::Model& model, const FitPeriod& period,
                                             base::Executor& executor) {
  const auto floors = features::Floors::fit(data, period.from);
  const Scorer scorer(&model, &floors, {});
  std::vector<const features::History*> histories;
  for (const auto& history : data.histories) {
    histories.push_back(&history);
  }
  const auto evidence = scorer.evidence(histories, period.from, {}, executor);
  ItemResponse::Rows rows;
  for (std::size_t i = 0; i < histories.size(); ++i) {
    if (features::seen(*histories[i], period.from).empty()) {
      continue;
    }
    const auto bought = features::bought_between(*histories[i], period.from, period.from.plus_ms(period.horizon_ms));
    for (const auto& candidate : evidence[i]) {
      rows.add(candidate.evidence, std::binary_search(bought.begin(), bought.end(), candidate.token));
    }
  }
  BECKON_TRY(ItemResponse fitted, ItemResponse::fit(rows));
  fitted.horizon_days = static_cast<double>(period.horizon_ms) / base::kDayMs;
  return fitted;
}

}  // namespace beckon::response
