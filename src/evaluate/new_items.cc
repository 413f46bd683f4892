#include "new_items.h"

#include <algorithm>

#include "beckon/features/chain.h"

namespace beckon::evaluate {
namespace {

constexpr std::array<std::size_t, 2> kDepths{10, 50};

using Recalls = std::array<double, kDepths.size()>;

// Shares of `wanted` among the first 10 and 50 of the new items; ties by token.
Recalls recalls(std::span<const std::int32_t> fresh, std::span<const std::int32_t> wanted, std::span<const float> scores) {
  std::vector<features::Scored> order;
  for (const std::int32_t token : fresh) {
    order.push_back({token, static_cast<double>(scores[static_cast<std::size_t>(token)])});
  }
  features::best_first(order);
  Recalls out{};
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    const bool hit = std::ranges::binary_search(wanted, order[rank].token);
    for (std::size_t d = 0; d < kDepths.size(); ++d) {
      out[d] += hit && rank < kDepths[d] ? 1.0 / static_cast<double>(wanted.size()) : 0.0;
    }
  }
  return out;
}

// What was met after training and before the test: all that popularity can know of new items.
std::vector<float> counts_between(const Data& data, const Split& cut) {
  std::vector<float> out(static_cast<std::size_t>(data.set.vocabulary.size()), 0.0F);
  for (std::size_t h = 0; h < cut.train_until.size(); ++h) {
    for (std::size_t i = cut.train_until[h]; i < cut.known_until[h]; ++i) {
      out[static_cast<std::size_t>(data.set.histories[h].steps[i].token)] += 1;
    }
  }
  return out;
}

struct Sums {
  double cases = 0;
  Recalls ranker{};
  Recalls popular{};
};

base::Json part_json(const Sums& sums, std::size_t items, bool with_popular) {
  base::Json out = {{"cases", static_cast<std::int64_t>(sums.cases)}};
  for (std::size_t d = 0; d < kDepths.size(); ++d) {
    const std::string at = "@" + std::to_string(kDepths[d]);
    out["recall" + at] = sums.cases > 0 ? sums.ranker[d] / sums.cases : 0.0;
    out["random" + at] = std::min(1.0, static_cast<double>(kDepths[d]) / static_cast<double>(items));
    if (with_popular) {
      out["popular" + at] = sums.cases > 0 ? sums.popular[d] / sums.cases : 0.0;
    }
  }
  return out;
}

}  // namespace

base::Json new_item_figures(const NewItems& of, const Ranker& ranker) {
  std::vector<std::int32_t> fresh;
  for (std::size_t token = 1; token < of.counts.size(); ++token) {
    if (of.counts[token] == 0) {
      fresh.push_back(static_cast<std::int32_t>(token));
    }
  }
  if (fresh.empty()) {
    return {};
  }
  const auto popular = counts_between(*of.data, *of.cut);
  std::vector<float> scores(of.counts.size());
  base::Json out = {{"items", static_cast<std::int64_t>(fresh.size())}};
  for (const auto& [name, cases] : {std::pair{"validation", &of.cut->validation}, {"test", &of.cut->test}}) {
    Sums sums;
    for (const Case& one : *cases) {
      std::vector<std::int32_t> wanted;
      std::ranges::copy_if(one.wanted, std::back_inserter(wanted), [&](std::int32_t token) { return token > 0 && of.counts[static_cast<std::size_t>(token)] == 0; });
      if (wanted.empty()) {
        continue;
      }
      ranker.score({&one, 1}, scores);
      const Recalls by_ranker = recalls(fresh, wanted, scores);
      const Recalls by_count = recalls(fresh, wanted, popular);
      sums.cases += 1;
      for (std::size_t d = 0; d < kDepths.size(); ++d) {
        sums.ranker[d] += by_ranker[d];
        sums.popular[d] += by_count[d];
      }
    }
    out[name] = part_json(sums, fresh.size(), std::string(name) == "test");
  }
  return out;
}

}  // namespace beckon::evaluate
