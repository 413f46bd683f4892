#include "holdout.h"

#include <algorithm>

#include "beckon/model/ranking.h"
#include "beckon/stats/stats.h"
#include "heads.h"

namespace beckon::engine {
namespace {

using Relevant = std::vector<std::vector<std::int32_t>>;

std::vector<const features::History*> pointers(const features::Dataset& data) {
  std::vector<const features::History*> out;
  for (const auto& history : data.histories) {
    out.push_back(&history);
  }
  return out;
}

std::vector<std::int32_t> first_ten(const std::vector<features::Scored>& scored) {
  std::vector<std::int32_t> out;
  for (std::size_t i = 0; i < scored.size() && i < 10; ++i) {
    out.push_back(scored[i].token);
  }
  return out;
}

base::Json figures_json(const RankingFigures& figures) {
  return {{"name", figures.name}, {"ndcg10", figures.ndcg10}, {"hit10", figures.hit10}, {"customers", figures.customers}};
}

// Calibration on the test period: predicted against bought, for the ten best items of each customer.
base::Json calibration(const TestInput& in, const std::vector<std::vector<response::ScoredItem>>& scored) {
  std::vector<double> predicted;
  std::vector<std::uint8_t> outcome;
  for (std::size_t i = 0; i < scored.size(); ++i) {
    const auto bought =
        features::bought_between(in.data->histories[i], in.split.test_from, in.split.test_from.plus_ms(in.horizon_ms));
    for (const auto& item : scored[i]) {
      predicted.push_back(item.probability);
      outcome.push_back(std::binary_search(bought.begin(), bought.end(), item.token) ? 1 : 0);
    }
  }
  const auto table = stats::reliability_table(predicted, outcome);
  return {{"expected_calibration_error", stats::expected_calibration_error(table)},
          {"auc", stats::auc(predicted, outcome)},
          {"bins", reliability_json(predicted, outcome)}};
}

base::Json compare(const RankingFigures& ours, const std::vector<RankingFigures>& floors) {
  const auto best = std::max_element(floors.begin(), floors.end(), [](const auto& a, const auto& b) { return a.ndcg10 < b.ndcg10; });
  base::Json out = {{"best_floor", best->name}, {"beats_floors", false}};
  const auto gain = stats::paired_bootstrap(ours.each_ndcg, best->each_ndcg);
  if (gain.ok()) {
    out["gain_ndcg10"] = gain->estimate;
    out["gain_low"] = gain->low;
    out["gain_high"] = gain->high;
    out["beats_floors"] = gain->low > 0;
  }
  out["verdict"] = gain.ok() && gain->low > 0   ? "beats every floor (95 % interval above 0)"
                   : gain.ok() && gain->high < 0 ? "does NOT beat the floor '" + best->name + "'"
                                                 : "is level with the floor '" + best->name + "' (95 % interval holds 0)";
  return out;
}

std::vector<std::int32_t> tokens_of(const std::vector<response::ScoredItem>& items) {
  std::vector<std::int32_t> list;
  for (const auto& item : items) {
    list.push_back(item.token);
  }
  return list;
}

// The same test answered by the weights before the newest steps were learned.
base::Json fine_tuning_json(const TestInput& in, const RankingFigures& current, const RankingFigures& chosen) {
  base::Json row = {{"ndcg10_with", current.ndcg10}, {"ndcg10_without", chosen.ndcg10}};
  const auto gain = stats::paired_bootstrap(current.each_ndcg, chosen.each_ndcg);
  if (gain.ok()) {
    row["gain_ndcg10"] = gain->estimate;
    row["gain_low"] = gain->low;
    row["gain_high"] = gain->high;
  }
  row["learned_from"] = base::format_time(in.split.validation_from);
  row["learned_until"] = base::format_time(in.split.test_from);
  return row;
}

// What the shop would show: network, own history, chain and popularity, weighed.
RankingFigures judge_mixture(const char* name, const std::vector<std::vector<response::ScoredItem>>& scored, const Relevant& relevant) {
  return judge(name, relevant, [&](std::size_t i) { return tokens_of(scored[i]); });
}

RankingFigures judge_network(const std::vector<std::vector<response::CandidateEvidence>>& evidence, const Relevant& relevant) {
  return judge("transformer alone", relevant, [&](std::size_t i) {
    auto by_model = evidence[i];
    std::stable_sort(by_model.begin(), by_model.end(), [](const auto& a, const auto& b) { return a.evidence.model > b.evidence.model; });
    std::vector<std::int32_t> list;
    for (std::size_t k = 0; k < by_model.size() && k < 10; ++k) {
      list.push_back(by_model[k].token);
    }
    return list;
  });
}

std::vector<RankingFigures> judge_floors(const features::Floors& floors, const TestInput& in, const Relevant& relevant) {
  const auto& histories = in.data->histories;
  const base::Instant now = in.split.test_from;
  const auto popular = first_ten(floors.popular());
  return {judge("popular, last 7 days", relevant, [&](std::size_t) { return popular; }),
          judge("own history", relevant, [&](std::size_t i) { return first_ten(floors.own(histories[i], now)); }),
          judge("two-step Markov", relevant, [&](std::size_t i) { return first_ten(floors.markov(histories[i], now)); })};
}

}  // namespace

base::Json measure_on_test(const TestInput& in, base::Executor& executor) {
  const base::Instant now = in.split.test_from;
  const auto floors = features::Floors::fit(*in.data, now);
  const auto histories = pointers(*in.data);
  Relevant relevant;
  for (const auto* history : histories) {
    const bool had_past = !features::seen(*history, now).empty();
    relevant.push_back(had_past ? features::next_basket(*history, now, in.split.as_of) : std::vector<std::int32_t>());
  }
  const response::Scorer scorer(in.current, &floors, *in.item_response);
  const auto scored = scorer.score(histories, now, {}, 10, executor);
  std::vector<RankingFigures> all{judge_mixture("beckon", scored, relevant), judge_network(scorer.evidence(histories, now, {}, executor), relevant)};
  if (in.chosen != in.current) {
    const response::Scorer before(in.chosen, &floors, *in.item_response);
    all.push_back(judge_mixture("beckon before the newest steps", before.score(histories, now, {}, 10, executor), relevant));
  }
  auto counted = judge_floors(floors, in, relevant);
  base::Json out = {{"protocol", "next basket after " + base::format_date(now) + ", whole catalogue, repeats allowed"},
                    {"comparison", compare(all.front(), counted)},
                    {"calibration", calibration(in, scored)},
                    {"heads", head_figures({in.data, in.chosen, in.current},
                                           {in.split.validation_from, now, in.split.as_of, in.horizon_ms}, executor)}};
  if (in.candidates != nullptr) {
    const auto judged = response::judge_candidate_response(*in.candidates, *in.data, *in.current, in.messages, {now, in.horizon_ms}, executor);
    out["candidate_heads"] = candidate_figures(judged);
  }
  if (in.chosen != in.current) {
    out["fine_tuning"] = fine_tuning_json(in, all[0], all[2]);
  }
  all.insert(all.end(), std::make_move_iterator(counted.begin()), std::make_move_iterator(counted.end()));
  out["ranking"] = base::Json::array();
  for (const auto& figures : all) {
    out["ranking"].push_back(figures_json(figures));
  }
  return out;
}

}  // namespace beckon::engine
