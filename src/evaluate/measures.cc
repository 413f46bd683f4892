#include "beckon/evaluate/measures.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <limits>
#include <numeric>

#include "beckon/model/ranking.h"
#include "beckon/tensor/tensor.h"

namespace beckon::evaluate {
namespace {

constexpr std::array<std::size_t, 4> kCutoffs{1, 5, 10, 20};
constexpr std::size_t kShown = 10;  // recall, precision and coverage look at so many
constexpr std::size_t kTaskCases = 64;

double ideal_gain(std::size_t wanted, std::size_t k) {
  double gain = 0;
  for (std::size_t rank = 1; rank <= std::min(wanted, k); ++rank) {
    gain += model::ndcg_at(k, rank);
  }
  return gain;
}

// In the order of measure_names().
void write_figures(std::span<const std::size_t> ranks, std::size_t wanted, std::span<double> out) {
  std::size_t at = 0;
  for (const std::size_t k : kCutoffs) {
    out[at++] = ranks.empty() ? 0 : model::hit_at(k, ranks.front());
  }
  for (const std::size_t k : kCutoffs) {
    double gain = 0;
    for (const std::size_t rank : ranks) {
      gain += model::ndcg_at(k, rank);
    }
    out[at++] = gain / ideal_gain(wanted, k);
  }
  for (const std::size_t k : kCutoffs) {
    out[at++] = ranks.empty() ? 0 : model::reciprocal_rank_at(k, ranks.front());
  }
  if (at < out.size()) {
    const auto found = static_cast<double>(std::count_if(ranks.begin(), ranks.end(), [](std::size_t r) { return r <= kShown; }));
    out[at++] = found / static_cast<double>(wanted);
    out[at++] = found / static_cast<double>(kShown);
  }
}

void hide_seen(const Case& one, std::span<float> scores) {
  for (std::size_t i = 0; i < one.seen; ++i) {
    scores[static_cast<std::size_t>(one.history->steps[i].token)] = -std::numeric_limits<float>::infinity();
  }
}

void mark_shown(std::span<const float> scores, std::vector<std::uint8_t>& shown) {
  for (const std::int32_t token : model::top_k(scores, kShown)) {
    const float score = scores[static_cast<std::size_t>(token)];
    if (score > -std::numeric_limits<float>::infinity()) {
      std::atomic_ref(shown[static_cast<std::size_t>(token)]).store(1, std::memory_order_relaxed);
    }
  }
}

}  // namespace

std::vector<std::string> measure_names(bool baskets) {
  std::vector<std::string> names;
  for (const char* what : {"hr@", "ndcg@", "mrr@"}) {
    for (const std::size_t k : kCutoffs) {
      names.push_back(what + std::to_string(k));
    }
  }
  if (baskets) {
    names.insert(names.end(), {"recall@10", "precision@10"});
  }
  return names;
}

std::size_t Figures::column(const std::string& name) const {
  const auto found = std::find(names.begin(), names.end(), name);
  BECKON_CHECK(found != names.end());
  return static_cast<std::size_t>(found - names.begin());
}

std::vector<double> Figures::values(const std::string& name) const {
  const std::size_t c = column(name);
  std::vector<double> out;
  for (std::size_t i = 0; i < cases; ++i) {
    out.push_back(each[i * names.size() + c]);
  }
  return out;
}

std::vector<std::size_t> ranks_of(std::span<const float> scores, std::span<const std::int32_t> wanted, std::size_t rank_max) {
  std::vector<float> goals;
  for (const std::int32_t token : wanted) {
    const float score = token > 0 ? scores[static_cast<std::size_t>(token)] : -std::numeric_limits<float>::infinity();
    if (score > -std::numeric_limits<float>::infinity()) {  // false for what is not a number, too
      goals.push_back(score);
    }
  }
  std::ranges::sort(goals, std::greater<>());
  std::vector<std::size_t> ranks;
  for (std::size_t i = 0; i < goals.size(); ++i) {
    // Everything with the same score stands before it, but not what is wanted as well: that takes the places after.
    std::size_t wanted_level = 0;
    while (wanted_level < goals.size() && goals[wanted_level] >= goals[i]) {
      ++wanted_level;
    }
    const std::size_t rank = tensor::count_at_least(scores, goals[i]) - wanted_level + i + 1;
    if (rank > rank_max) {
      break;
    }
    ranks.push_back(rank);
  }
  return ranks;
}

Figures measure(const Ranker& ranker, std::span<const Case> cases, const MeasureOptions& options, base::Executor& executor) {
  Figures out;
  out.names = measure_names(options.baskets);
  out.cases = cases.size();
  const std::size_t columns = out.names.size();
  out.each.resize(cases.size() * columns);
  const std::size_t tasks = (cases.size() + kTaskCases - 1) / kTaskCases;
  std::vector<std::uint8_t> shown(options.tokens, 0);
  executor.run(tasks, [&](std::size_t task) {
    const std::size_t first = task * kTaskCases;
    const auto mine = cases.subspan(first, std::min(kTaskCases, cases.size() - first));
    std::vector<float> scores(mine.size() * options.tokens);
    ranker.score(mine, scores);
    for (std::size_t i = 0; i < mine.size(); ++i) {
      const auto row = std::span(scores).subspan(i * options.tokens, options.tokens);
      row[0] = -std::numeric_limits<float>::infinity();
      if (options.filter_seen) {
        hide_seen(mine[i], row);
      }
      write_figures(ranks_of(row, mine[i].wanted, kCutoffs.back()), mine[i].wanted.size(),
                    std::span(out.each).subspan((first + i) * columns, columns));
      if (options.coverage) {
        mark_shown(row, shown);
      }
    }
  });
  out.items_shown = std::accumulate(shown.begin(), shown.end(), std::int64_t{0});
  out.coverage = options.tokens > 1 ? static_cast<double>(out.items_shown) / static_cast<double>(options.tokens - 1) : 0;
  out.mean.assign(columns, 0);
  for (std::size_t i = 0; i < out.each.size(); ++i) {
    out.mean[i % columns] += out.each[i];
  }
  for (double& value : out.mean) {
    value /= static_cast<double>(std::max<std::size_t>(1, cases.size()));
  }
  return out;
}

}  // namespace beckon::evaluate
