#include "beckon/study/experiment.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "answer.h"
#include "beckon/base/check.h"
#include "beckon/base/rng.h"
#include "beckon/stats/experiment.h"
#include "experiment_data.h"
#include "experiment_page.h"

namespace beckon::study {
namespace {

using base::Json;

constexpr double kAlarm = 0.001;
constexpr std::size_t kBootstrapMost = 200'000;  // customers; above, a thousand resamples take minutes and say the same

// The values of one arm for one metric, and what is known of its customers.
struct Group {
  std::vector<double> value;
  std::vector<double> denominator;  // of a ratio, else empty
  std::vector<double> covariate;
  std::vector<std::uint32_t> stratum;
  std::int64_t missing = 0;
};

struct Metric {
  std::string name;
  std::string numerator;
  std::string denominator;  // empty: no ratio
};

Group group_of(const ExperimentData& data, const Metric& metric, std::uint32_t arm) {
  const auto& values = data.of(metric.numerator);
  const auto* denominators = metric.denominator.empty() ? nullptr : &data.of(metric.denominator);
  Group out;
  for (std::size_t i = 0; i < data.arm.size(); ++i) {
    if (data.arm[i] != arm) {
      continue;
    }
    if (!std::isfinite(values[i]) || (denominators != nullptr && !std::isfinite((*denominators)[i]))) {
      ++out.missing;
      continue;
    }
    out.value.push_back(values[i]);
    if (denominators != nullptr) {
      out.denominator.push_back((*denominators)[i]);
    }
    if (!data.covariate.empty()) {
      out.covariate.push_back(data.covariate[i]);
    }
    if (!data.stratum.empty()) {
      out.stratum.push_back(data.stratum[i]);
    }
  }
  return out;
}

bool is_share(const Group& a, const Group& b) {
  const auto binary = [](double v) { return v == 0 || v == 1; };
  return std::all_of(a.value.begin(), a.value.end(), binary) && std::all_of(b.value.begin(), b.value.end(), binary);
}

stats::Share share_of(const Group& group) {
  return {static_cast<std::int64_t>(std::count(group.value.begin(), group.value.end(), 1.0)), static_cast<std::int64_t>(group.value.size())};
}

double mean_of(const Group& group) {
  if (group.value.empty()) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  if (group.denominator.empty()) {
    return stats::Moments::of(group.value).mean;
  }
  const auto pairs = stats::PairMoments::of(group.denominator, group.value);
  return pairs.mean_x != 0 ? pairs.mean_y / pairs.mean_x : std::numeric_limits<double>::quiet_NaN();
}

// The difference by the method that its kind asks for: shares, means or ratios.
base::Result<stats::Interval> difference(const Group& treated, const Group& control, bool share, double level) {
  if (!treated.denominator.empty() || !control.denominator.empty()) {
    return stats::difference_of_ratios(stats::PairMoments::of(treated.denominator, treated.value),
                                       stats::PairMoments::of(control.denominator, control.value), level);
  }
  return share ? stats::difference_of_shares(share_of(treated), share_of(control), level)
               : stats::difference_of_means(stats::Moments::of(treated.value), stats::Moments::of(control.value), level);
}

void add_interval(Json& json, const stats::Interval& interval) {
  const bool known = interval.high > interval.low;  // shares of 0 have no deviation, yet an interval
  json["difference"] = number_or_null(interval.estimate);
  json["lo"] = known ? number_or_null(interval.low) : Json(nullptr);
  json["hi"] = known ? number_or_null(interval.high) : Json(nullptr);
  json["std_error"] = number_or_null(interval.std_error);
  json["p"] = known ? number_or_null(interval.p_value) : Json(nullptr);
}

void add_always_valid(Json& json, const stats::Interval& interval, std::int64_t customers, const ExperimentRequest& request) {
  if (!(interval.std_error > 0)) {
    json["always_valid_lo"] = json["always_valid_hi"] = json["always_valid_p"] = nullptr;
    return;
  }
  const auto always = stats::confidence_sequence(interval.estimate, interval.std_error, customers, {request.level, request.best_at});
  json["always_valid_lo"] = always.low;
  json["always_valid_hi"] = always.high;
  json["always_valid_p"] = always.p_value;
}

// Rows i < treated of both groups put one after the other.
Group joined(const Group& treated, const Group& control) {
  Group all = treated;
  all.value.insert(all.value.end(), control.value.begin(), control.value.end());
  all.denominator.insert(all.denominator.end(), control.denominator.begin(), control.denominator.end());
  return all;
}

Group picked(const Group& all, std::span<const std::uint32_t> order) {
  Group out;
  for (const auto i : order) {
    out.value.push_back(all.value[i]);
    if (!all.denominator.empty()) {
      out.denominator.push_back(all.denominator[i]);
    }
  }
  return out;
}

Json replay(const Group& treated, const Group& control, bool share, const ExperimentRequest& request) {
  const Group all = joined(treated, control);
  const std::size_t first = treated.value.size();
  const auto p_value = [&](std::span<const std::uint32_t> order) {
    const auto one = difference(picked(all, order.first(first)), picked(all, order.subspan(first)), share, request.level);
    return one.ok() && one->std_error > 0 ? one->p_value : -1.0;
  };
  const auto out = stats::aa_replay(all.value.size(), first, p_value,
                                    {.replays = std::max(100, request.replays), .level = request.level, .seed = request.seed, .executor = request.executor});
  if (!out.ok() || out->without_answer == out->replays) {
    return nullptr;
  }
  return {{"false_positives", out->false_positives.estimate}, {"lo", out->false_positives.low}, {"hi", out->false_positives.high},
          {"replays", out->replays}};
}

// Arms are resampled apart: the numbers of customers in them are not chance.
Json bootstrap_json(const Group& treated, const Group& control, const ExperimentRequest& request) {
  const std::size_t nt = treated.value.size();
  const std::size_t nc = control.value.size();
  if (request.resamples <= 0 || nt + nc > kBootstrapMost) {
    return nullptr;
  }
  const auto resampled = [](const Group& group, base::Rng& rng) {
    double y = 0;
    double x = 0;
    for (std::size_t i = 0; i < group.value.size(); ++i) {
      const auto k = static_cast<std::size_t>(rng.below(group.value.size()));
      y += group.value[k];
      x += group.denominator.empty() ? 1 : group.denominator[k];
    }
    return y / x;
  };
  const int resamples = std::max(100, request.resamples);
  std::vector<double> values(static_cast<std::size_t>(resamples));
  const std::function<void(std::size_t)> draw = [&](std::size_t r) {
    base::Rng rng(request.seed, r);
    values[r] = resampled(treated, rng) - resampled(control, rng);
  };
  if (request.executor != nullptr) {
    request.executor->run(values.size(), draw);
  } else {
    for (std::size_t r = 0; r < values.size(); ++r) {
      draw(r);
    }
  }
  const auto limits = stats::winsor_limits(values, (1 - request.level) / 2, (1 + request.level) / 2);
  return {{"lo", number_or_null(limits.low)}, {"hi", number_or_null(limits.high)}};
}

void add_adjusted(Json& json, const Group& treated, const Group& control, const ExperimentRequest& request) {
  const auto customers = static_cast<std::int64_t>(treated.value.size() + control.value.size());
  if (!treated.covariate.empty()) {
    if (const auto cuped = stats::cuped({treated.value, treated.covariate}, {control.value, control.covariate}, request.level); cuped.ok()) {
      add_interval(json["cuped"], cuped->difference);
      add_always_valid(json["cuped"], cuped->difference, customers, request);
      json["cuped"]["theta"] = cuped->theta;
      json["cuped"]["variance_kept"] = cuped->variance_kept_share;
      json["cuped"]["mde"] = stats::minimum_detectable_effect(cuped->difference.std_error, request.level, request.power);
    }
  }
  if (!treated.stratum.empty()) {
    if (const auto strata = stats::post_stratified({treated.value, treated.stratum}, {control.value, control.stratum}, request.level); strata.ok()) {
      add_interval(json["post_stratified"], strata->difference);
      json["post_stratified"]["variance_kept"] = strata->variance_kept_share;
      json["post_stratified"]["pooled_strata"] = strata->pooled_strata;
    }
  }
}

// One metric, one arm against the control; winsorised values come in already.
base::Result<Json> compare(const Metric& metric, const Group& treated, const Group& control, const ExperimentRequest& request) {
  const bool share = metric.denominator.empty() && is_share(treated, control);
  BECKON_TRY(const stats::Interval interval, difference(treated, control, share, request.level));
  Json json = {{"name", metric.name}, {"kind", !metric.denominator.empty() ? "ratio" : share ? "share" : "mean"},
               {"treated_value", number_or_null(mean_of(treated))}, {"control_value", number_or_null(mean_of(control))}};
  add_interval(json, interval);
  const auto customers = static_cast<std::int64_t>(treated.value.size() + control.value.size());
  add_always_valid(json, interval, customers, request);
  const double base_value = mean_of(control);
  const double mde = stats::minimum_detectable_effect(interval.std_error, request.level, request.power);
  json["mde"] = interval.std_error > 0 ? Json(mde) : Json(nullptr);
  json["mde_relative"] = interval.std_error > 0 && base_value > 0 ? Json(mde / base_value) : Json(nullptr);
  json["relative"] = base_value > 0 ? number_or_null(interval.estimate / base_value) : Json(nullptr);
  json["bootstrap"] = bootstrap_json(treated, control, request);
  json["aa"] = request.replays > 0 ? replay(treated, control, share, request) : Json(nullptr);
  if (metric.denominator.empty()) {
    add_adjusted(json, treated, control, request);
  }
  return json;
}

base::Result<std::vector<double>> expected_shares(const ExperimentRequest& request, const std::vector<std::string>& arms) {
  std::vector<double> out;
  std::size_t begin = 0;
  while (!request.expected.empty() && begin <= request.expected.size()) {
    const std::size_t end = std::min(request.expected.find(':', begin), request.expected.size());
    const std::string part = request.expected.substr(begin, end - begin);
    char* rest = nullptr;
    out.push_back(std::strtod(part.c_str(), &rest));
    if (part.empty() || *rest != '\0' || !(out.back() > 0) || !std::isfinite(out.back())) {
      return base::invalid_argument("--expected " + request.expected + ": '" + part + "' is no positive number; write shares as 1:1 or 90:10");
    }
    begin = end + 1;
  }
  if (out.empty()) {
    out.assign(arms.size(), 1);
  }
  if (out.size() != arms.size()) {
    std::string names;
    for (const auto& arm : arms) {
      names += (names.empty() ? "" : ":") + arm;
    }
    return base::invalid_argument("--expected " + request.expected + " has " + std::to_string(out.size()) + " shares for " +
                                  std::to_string(arms.size()) + " arms: give them in the order " + names);
  }
  return out;
}

void add_sample_ratio(const ExperimentData& data, const std::vector<double>& expected, Json& json) {
  std::vector<std::int64_t> counts(data.arms.size(), 0);
  for (const auto arm : data.arm) {
    ++counts[arm];
  }
  double whole = 0;
  for (const double share : expected) {
    whole += share;
  }
  const auto ratio = stats::sample_ratio(counts, expected, kAlarm);
  json["srm"] = {{"p", ratio.p_value}, {"warning", ratio.alarm}, {"statistic", ratio.statistic}};
  json["srm"]["message"] = ratio.alarm ? "The arms are not as large as they should be: customers were lost or assigned wrongly in one of them. "
                                         "Find the reason first; the differences below cannot be trusted."
                                       : "The arms are as large as expected.";
  for (std::size_t a = 0; a < data.arms.size(); ++a) {
    json["arms"][data.arms[a]] = {{"customers", counts[a]}, {"rows", data.rows_of_arm[a]},
                                  {"share", static_cast<double>(counts[a]) / static_cast<double>(std::max<std::size_t>(1, data.arm.size()))},
                                  {"expected_share", expected[a] / whole}, {"metrics", Json::object()}};
  }
}

// What was known before must not differ between the arms, and outcomes must not be missing more often in one.
void add_warnings(const ExperimentData& data, const Metric& metric, const std::pair<Group, Group>& groups, Json& json) {
  const auto& [treated, control] = groups;
  const auto share_missing = [](const Group& g) { return stats::Share{g.missing, g.missing + static_cast<std::int64_t>(g.value.size())}; };
  if (const auto missing = stats::difference_of_shares(share_missing(treated), share_missing(control)); missing.ok() && missing->p_value < kAlarm) {
    json["warnings"].push_back(metric.name + " is missing for " + percent(share_missing(treated).value()) + " of one arm and " +
                               percent(share_missing(control).value()) + " of the control: who is left cannot be compared.");
  }
  if (treated.missing + control.missing > 0) {
    json["warnings"].push_back(metric.name + ": " + rows_text(treated.missing + control.missing) + " (customers) without a value were left out.");
  }
  if (!data.covariate.empty()) {
    const auto before = stats::difference_of_means(stats::Moments::of(treated.covariate), stats::Moments::of(control.covariate));
    if (before.ok() && before->std_error > 0 && before->p_value < kAlarm) {
      json["warnings"].push_back("The arms differed in the covariate before the experiment (p < 0.001): the assignment was not random.");
    }
  }
}

void adjust_for_many(Json& metrics) {
  std::vector<double> p_values;
  for (const auto& metric : metrics) {
    p_values.push_back(metric["p"].is_number() ? metric["p"].get<double>() : 1);
  }
  const auto holm = stats::holm(p_values);
  const auto bh = stats::benjamini_hochberg(p_values);
  for (std::size_t i = 0; i < p_values.size(); ++i) {
    metrics[i]["p_holm"] = metrics[i]["p"].is_number() ? Json(holm[i]) : Json(nullptr);
    metrics[i]["p_bh"] = metrics[i]["p"].is_number() ? Json(bh[i]) : Json(nullptr);
  }
}

// Limits over all arms together; shares and ratios stay as they are.
void winsorise(std::vector<Group>& groups, double quantile) {
  std::vector<double> all;
  bool share = true;
  for (const Group& group : groups) {
    all.insert(all.end(), group.value.begin(), group.value.end());
    share = share && is_share(group, group);
  }
  if (all.empty() || share) {
    return;
  }
  const auto limits = stats::winsor_limits(all, 0, quantile);
  for (Group& group : groups) {
    group.value = stats::winsorise(group.value, limits);
  }
}

std::vector<Metric> metrics_of(const ExperimentRequest& request) {
  std::vector<Metric> out;
  for (const std::string& name : request.metrics) {
    out.push_back({name, name, ""});
  }
  for (const std::string& ratio : request.ratios) {
    const auto parts = split_ratio(ratio);
    BECKON_CHECK(parts.ok());  // read_experiment refused others
    out.push_back({ratio, parts->first, parts->second});
  }
  return out;
}

base::Status add_metric(const ExperimentData& data, const Metric& metric, std::uint32_t control, const ExperimentRequest& request, Json& json) {
  std::vector<Group> groups;
  for (std::uint32_t arm = 0; arm < data.arms.size(); ++arm) {
    groups.push_back(group_of(data, metric, arm));
  }
  if (request.winsor > 0 && metric.denominator.empty()) {
    winsorise(groups, request.winsor);
  }
  for (std::uint32_t arm = 0; arm < data.arms.size(); ++arm) {
    json["arms"][data.arms[arm]]["metrics"][metric.name] = {{"value", number_or_null(mean_of(groups[arm]))},
                                                            {"customers", static_cast<std::int64_t>(groups[arm].value.size())},
                                                            {"missing", groups[arm].missing}};
    if (arm == control) {
      continue;
    }
    auto compared = compare(metric, groups[arm], groups[control], request);
    if (!compared.ok()) {
      return compared.error().at(metric.name + ", " + data.arms[arm] + " against " + data.arms[control]);
    }
    Json one = std::move(compared).value();
    one["arm"] = data.arms[arm];
    one["control"] = data.arms[control];
    if (!one["lo"].is_number()) {
      json["warnings"].push_back(metric.name + " does not vary in " + data.arms[arm] + " and " + data.arms[control] + ": no interval can be given.");
    }
    json["metrics"].push_back(std::move(one));
    add_warnings(data, metric, {groups[arm], groups[control]}, json);
  }
  return base::ok_status();
}

}  // namespace

base::Result<Json> evaluate_experiment(const ExperimentRequest& request) {
  BECKON_TRY(const ExperimentData data, read_experiment(request));
  BECKON_TRY(const std::vector<double> expected, expected_shares(request, data.arms));
  const auto named = request.control.empty() ? data.arms.begin() : std::find(data.arms.begin(), data.arms.end(), request.control);
  if (named == data.arms.end()) {
    return base::invalid_argument("--control " + request.control + " is no arm of " + request.arm);
  }
  Json json = {{"data", request.file.substr(request.file.rfind('/') + 1)}, {"rows", data.rows},
               {"customers", static_cast<std::int64_t>(data.arm.size())}, {"control", *named}, {"level", request.level}, {"power", request.power}};
  json["srm"] = Json::object();
  json["arms"] = Json::object();
  json["metrics"] = Json::array();
  json["duplicates"] = {{"customers_in_several_arms", data.duplicates}};
  json["rows_without_arm"] = data.rows_without_arm;
  json["warnings"] = Json::array();
  for (const std::string& warning : data.warnings) {
    json["warnings"].push_back(warning);
  }
  add_sample_ratio(data, expected, json);
  for (const Metric& metric : metrics_of(request)) {
    BECKON_TRY_STATUS(add_metric(data, metric, static_cast<std::uint32_t>(named - data.arms.begin()), request, json));
  }
  adjust_for_many(json["metrics"]);
  if (request.winsor > 0) {
    json["winsor"] = request.winsor;
  }
  if (data.covariate_missing > 0) {
    json["warnings"].push_back(rows_text(data.covariate_missing) + " (customers) without " + request.covariate + " got its mean.");
  }
  const report::Page page = experiment_page(json);
  return answer(std::move(json), page, request.out);
}

}  // namespace beckon::study
