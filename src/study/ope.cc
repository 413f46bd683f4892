#include "beckon/study/ope.h"

#include <algorithm>
#include <cmath>

#include "answer.h"
#include "beckon/stats/off_policy.h"
#include "beckon/stats/overlap.h"
#include "beckon/stats/reward_model.h"
#include "ope_data.h"
#include "ope_page.h"

namespace beckon::study {
namespace {

using base::Json;

struct Nuisances {
  stats::CrossFitted model;
  bool given = false;
  bool knows_actions = false;
};

// With the target's distribution the model may look at the action; without it, only at the context, as a baseline.
base::Result<Nuisances> fit_model(const OpeRequest& request, const OpeData& data) {
  Nuisances out;
  out.knows_actions = data.distribution.actions > 0;
  out.given = out.knows_actions || data.features.columns > 0;
  if (!out.given) {
    return out;
  }
  stats::RewardRows rows{data.features.values, data.features.columns, {}, 0, data.reward};
  if (out.knows_actions) {
    rows.action = data.action;
    rows.action_count = data.distribution.actions;
  }
  const auto target = [&](std::size_t row, std::uint32_t action) { return data.distribution.at(row, action); };
  BECKON_TRY(out.model, stats::cross_fit(stats::LinearRewardLearner(), rows, data.customer, target, {.folds = 5, .seed = request.seed}));
  return out;
}

void add_range(Json& json, const std::string& name, const std::optional<stats::Interval>& interval) {
  if (interval.has_value()) {
    json[name] = {{"lo", number_or_null(interval->low)}, {"hi", number_or_null(interval->high)}};
  }
}

Json estimate_json(const stats::PolicyValue& value) {
  Json out = {{"value", number_or_null(value.value)}, {"lo", number_or_null(value.skewed.low)}, {"hi", number_or_null(value.skewed.high)},
              {"std_error", number_or_null(value.normal.std_error)}, {"biased", stats::is_biased(value.estimator)}};
  if (value.limit > 0) {
    out["limit"] = value.limit;
  }
  add_range(out, "normal", value.normal);
  add_range(out, "bootstrap", value.bootstrap);
  add_range(out, "bernstein", value.bernstein);
  out["gain"] = {{"value", number_or_null(value.gain.estimate)}, {"lo", number_or_null(value.gain.low)}, {"hi", number_or_null(value.gain.high)}};
  return out;
}

stats::OffPolicyOptions options_of(const OpeRequest& request) {
  stats::OffPolicyOptions options;
  options.level = request.level;
  options.clip = request.clip;
  options.switch_above = request.switch_above;
  options.shrinkage = request.shrinkage;
  options.weight_bound = request.weight_bound;
  options.reward_low = request.reward_low;
  options.reward_high = request.reward_high;
  options.resamples = request.resamples;
  options.seed = request.seed;
  options.executor = request.executor;
  return options;
}

base::Status add_estimates(const OpeRequest& request, const OpeData& data, Json& json) {
  BECKON_TRY(const Nuisances nuisances, fit_model(request, data));
  stats::OffPolicyInputs inputs;
  inputs.log = {data.reward, data.propensity, data.target, data.customer};
  inputs.category_weight = data.category_weight;
  if (nuisances.given) {
    inputs.model_shown = nuisances.model.shown;
    inputs.model_target = nuisances.model.target;
    inputs.model_knows_actions = nuisances.knows_actions;
  }
  BECKON_TRY(const auto values, stats::estimate_policy(inputs, options_of(request)));
  for (const stats::PolicyValue& value : values) {
    json["estimates"][std::string(stats::name_of(value.estimator))] = estimate_json(value);
  }
  json["headline"] = nuisances.given ? "sndr" : "snipw";
  json["reward_model"] = !nuisances.given ? "none" : nuisances.knows_actions ? "context and action" : "context";
  if (request.weight_bound > 0 && json["max_weight"].get<double>() > request.weight_bound) {
    json["warnings"].push_back("The largest weight is above the bound that was given: the empirical Bernstein intervals do not hold.");
  }
  return base::ok_status();
}

// A slate's weights are products, so its overlap is judged by itself.
base::Status add_slates(const OpeRequest& request, const OpeData& data, Json& json) {
  if (data.slate.empty()) {
    return base::ok_status();
  }
  BECKON_TRY(const auto values, stats::estimate_slates({data.slate, data.position, {data.reward, data.propensity, data.target, data.customer}},
                                                       request.level));
  const stats::OverlapLimits limits;
  for (const stats::SlateValue& value : values) {
    const bool refused = value.ess < limits.ess_min;
    Json one = {{"ess", value.ess}, {"max_weight", value.max_weight}, {"refused", refused}};
    if (!refused) {
      one["value"] = value.value.estimate;
      one["lo"] = value.value.low;
      one["hi"] = value.value.high;
    }
    json["slates"][std::string(value.name)] = std::move(one);
  }
  return base::ok_status();
}

void add_overlap(const stats::Overlap& overlap, Json& json) {
  json["customers"] = overlap.customers;
  json["ess"] = overlap.ess;
  json["ess_customers"] = overlap.ess_customers;
  json["max_weight"] = overlap.max_weight;
  json["mean_weight"] = {{"value", overlap.mean_weight.estimate}, {"lo", overlap.mean_weight.low}, {"hi", overlap.mean_weight.high}};
  json["k_hat"] = overlap.k_hat.has_value() ? Json(*overlap.k_hat) : Json(nullptr);
  json["refused"] = overlap.refused;
  json["reason"] = overlap.reason;
  const double z = overlap.mean_weight.std_error > 0 ? std::abs(overlap.mean_weight.estimate - 1) / overlap.mean_weight.std_error : 0;
  if (z > 3.3) {
    json["warnings"].push_back("The weights average " + shown(overlap.mean_weight.estimate) +
                               ", not 1: the logged probabilities are wrong, or the target plays what the log never shows.");
  }
}

// Twenty bars of the weights' share of the whole, so that one sees whether a few rows decide.
Json concentration(std::vector<double> weights) {
  std::sort(weights.begin(), weights.end(), std::greater<>());
  double whole = 0;
  for (const double weight : weights) {
    whole += weight;
  }
  Json out = Json::array();
  double sum = 0;
  std::size_t next = 0;
  for (int step = 1; step <= 20; ++step) {
    const std::size_t end = weights.size() * static_cast<std::size_t>(step) / 20;
    for (; next < end; ++next) {
      sum += weights[next];
    }
    out.push_back({{"rows_share", step / 20.0}, {"weight_share", whole > 0 ? sum / whole : 0}});
  }
  return out;
}

}  // namespace

base::Result<Json> evaluate_ope(const OpeRequest& request) {
  BECKON_TRY(const OpeData data, read_log(request));
  const stats::LoggedDecisions log{data.reward, data.propensity, data.target, data.customer};
  const std::vector<double> weights = stats::importance_weights(log);
  Json json = {{"data", request.file.substr(request.file.rfind('/') + 1)}, {"reward", request.reward},
               {"rows", static_cast<std::int64_t>(data.reward.size())}, {"rows_left_out", data.left_out}, {"level", request.level},
               {"by_customer", !request.customer.empty()}};
  json["warnings"] = Json::array();
  for (const std::string& warning : data.warnings) {
    json["warnings"].push_back(warning);
  }
  const stats::Moments rewards = stats::Moments::of(data.reward);
  json["logged_value"] = rewards.mean;
  const stats::Overlap overlap = stats::judge_overlap(weights, data.customer);
  add_overlap(overlap, json);
  json["concentration"] = concentration(weights);
  json["estimates"] = Json::object();
  if (!overlap.refused) {
    BECKON_TRY_STATUS(add_estimates(request, data, json));
  }
  BECKON_TRY_STATUS(add_slates(request, data, json));
  const report::Page page = ope_page(json);
  return answer(std::move(json), page, request.out);
}

}  // namespace beckon::study
