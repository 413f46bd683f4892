// The answer of beckon evaluate price as JSON.
#include <cmath>

#include "answer.h"
#include "price_parts.h"

namespace beckon::study {
namespace {

constexpr std::size_t kGroupsMost = 5'000;

base::Json interval_json(const stats::Interval& interval) {
  return {{"value", number_or_null(interval.estimate)}, {"lo", number_or_null(interval.low)}, {"hi", number_or_null(interval.high)},
          {"std_error", number_or_null(interval.std_error)}};
}

base::Json variation_json(const price::Variation& variation) {
  return {{"residual_share", variation.residual_share}, {"rows", variation.rows}, {"distinct_prices", variation.distinct_prices}};
}

base::Json elasticity_json(const price::Elasticity& elasticity) {
  base::Json out = interval_json(elasticity.elasticity);
  out["p_value"] = elasticity.elasticity.p_value;
  out["slope"] = elasticity.slope;
  out["slope_std_error"] = elasticity.slope_std_error;
  out["mean_price"] = elasticity.mean_price;
  out["mean_quantity"] = elasticity.mean_quantity;
  out["variation"] = variation_json(elasticity.variation);
  return out;
}

base::Json groups_json(const PriceRequest& request, const PriceData& data, const PriceStudy& study) {
  base::Json out = base::Json::array();
  for (std::size_t g = 0; g < study.groups.size() && g < kGroupsMost; ++g) {
    const price::Elasticity& own = study.groups[g];
    const price::Shrunk& shrunk = study.shrinkage.groups[g];
    base::Json labels = base::Json::object();
    for (std::size_t b = 0; b < request.by.size(); ++b) {
      labels[request.by[b]] = data.groups[g].labels[b];
    }
    base::Json raw = nullptr;
    if (own.identified) {
      raw = interval_json(own.elasticity);
      raw["p_value"] = own.elasticity.p_value;
      raw["slope"] = own.slope;
    }
    base::Json pulled = {{"value", number_or_null(shrunk.value)}, {"lo", number_or_null(shrunk.low)}, {"hi", number_or_null(shrunk.high)},
                         {"std_error", number_or_null(shrunk.std_error)}, {"own_weight", shrunk.own_weight}};
    out.push_back({{"name", data.groups[g].name}, {"group", labels}, {"raw", raw}, {"shrunk", pulled}, {"grade", study.groups_grade},
                   {"mean_price", own.mean_price}, {"mean_quantity", own.mean_quantity}, {"variation", variation_json(own.variation)}});
  }
  return out;
}

base::Json predictability_json(const price::Predictability& predicted) {
  base::Json columns = base::Json::array();
  for (const auto& finding : predicted.columns) {
    columns.push_back({{"column", finding.column}, {"r2", finding.r2}, {"p_value", finding.p_value}, {"predicts", finding.predicts}});
  }
  return {{"r2", predicted.r2}, {"lo", predicted.r2_low}, {"hi", predicted.r2_high}, {"p_value", predicted.p_value},
          {"predicts", predicted.predicts}, {"rows", predicted.rows}, {"columns", columns}};
}

base::Json point_json(const price::CurvePoint& point) {
  return {{"price", point.price}, {"depth", point.depth}, {"quantity", point.quantity.estimate}, {"quantity_lo", point.quantity.low},
          {"quantity_hi", point.quantity.high}, {"relative", point.relative.estimate}, {"relative_lo", point.relative.low},
          {"relative_hi", point.relative.high}, {"revenue", point.revenue.estimate}, {"revenue_lo", point.revenue.low},
          {"revenue_hi", point.revenue.high}};
}

base::Json points_json(const price::DoseCurve& curve) {
  base::Json out = base::Json::array();
  for (const auto& point : curve.points) {
    out.push_back(point_json(point));
  }
  return out;
}

base::Json curve_json(const PriceRequest& request, const PriceData& data, const PriceStudy& study) {
  if (!study.curve.has_value()) {
    return nullptr;
  }
  base::Json depths = base::Json::array();
  for (const auto& value : study.depths) {
    const auto point = study.curve->at_depth(value.depth);
    base::Json one = point_json(*point);
    one["profit"] = value.profit.estimate;
    one["profit_lo"] = value.profit.low;
    one["profit_hi"] = value.profit.high;
    depths.push_back(one);
  }
  base::Json groups = base::Json::array();
  for (const auto& one : study.curves) {
    groups.push_back({{"name", data.groups[one.group].name}, {"public_price", one.curve.public_price}, {"bend", one.curve.bend},
                      {"points", points_json(one.curve)}});
  }
  return {{"public_price", study.curve->public_price}, {"unit_cost", request.unit_cost}, {"bend", study.curve->bend},
          {"points", points_json(*study.curve)}, {"depths", depths}, {"groups", groups}};
}

base::Json rows_json(const PriceData& data) {
  return {{"read", data.rows_read},
          {"used", static_cast<std::int64_t>(data.index.size())},
          {"rejected", data.table.rejected},
          {"outside_condition", data.outside_condition},
          {"price_missing", data.price_missing},
          {"price_not_positive", data.price_not_positive},
          {"quantity_missing", data.quantity_missing},
          {"quantity_negative", data.quantity_negative}};
}

}  // namespace

base::Json price_json(const PriceRequest& request, const PriceData& data, const PriceStudy& study) {
  base::Json pooled = elasticity_json(study.pooled);
  pooled["method"] = study.method;
  pooled["grade"] = study.grade;
  base::Json out = {{"command", "evaluate price"}, {"file", request.file}, {"price", request.price}, {"quantity", request.quantity},
                    {"by", request.by}, {"randomised_within", request.randomised_within}, {"features", request.features},
                    {"placebo", request.placebo}, {"level", request.level}, {"rows", rows_json(data)}, {"pooled", pooled}};
  if (study.plain.has_value()) {
    out["plain"] = elasticity_json(*study.plain);
  }
  if (!data.groups.empty()) {
    out["groups"] = groups_json(request, data, study);
    out["groups_total"] = data.groups.size();
    out["shrinkage"] = {{"towards", request.by.size() > 1 ? "mean of " + request.by.front() : "mean of the groups"},
                        {"mean", number_or_null(study.shrinkage.mean)},
                        {"mean_std_error", number_or_null(study.shrinkage.mean_std_error)},
                        {"between", study.shrinkage.between},
                        {"above", study.shrinkage.above}};
  }
  base::Json left_out = base::Json::array();
  for (const auto& one : study.left_out) {
    left_out.push_back({{"column", one.column}, {"why", one.why}});
  }
  out["price_predicted"] = predictability_json(study.predicted);
  if (study.predicted_in_groups.has_value()) {
    out["price_predicted_in_groups"] = predictability_json(*study.predicted_in_groups);
  }
  out["left_out"] = left_out;
  out["curve"] = curve_json(request, data, study);
  base::Json warnings = base::Json::array();
  for (const auto& warning : study.warnings) {
    warnings.push_back({{"kind", warning.kind}, {"columns", warning.columns}, {"text", warning.text}});
  }
  out["warnings"] = warnings;
  out["notes"] = study.notes;
  return out;
}

}  // namespace beckon::study
