#include "beckon/study/price.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "answer.h"
#include "beckon/base/progress.h"
#include "price_parts.h"

namespace beckon::study {
namespace {

constexpr double kLittleVariation = 0.01;   // share of the variance of log price
constexpr double kLittleMove = 0.002;       // deviation of log price: a fifth of a percent
constexpr double kManyDropped = 0.05;
constexpr std::size_t kGroupCurves = 8;
constexpr std::size_t kGroupsTried = 32;
constexpr std::int64_t kCurveRowsMin = 50;
constexpr double kDepths[] = {0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5};

bool among(const std::vector<std::string>& names, const std::string& name) { return std::ranges::find(names, name) != names.end(); }

// Columns known before the price, to be asked and perhaps adjusted for; the others with their reason.
struct Sorted {
  std::vector<const table::Column*> asked;
  std::vector<const table::Column*> features;
  std::vector<std::string> late_features;
  std::vector<std::string> cutting;  // each value has a range of the price for itself
};

base::Result<Sorted> sorted_columns(const PriceRequest& request, const PriceData& data, PriceStudy& study) {
  Sorted out;
  for (const auto& name : request.ignore) {
    BECKON_TRY(const table::Column* found, data.table.find(name));
    study.left_out.push_back({found->name, "named to be ignored"});
  }
  for (const auto& name : request.features) {
    BECKON_TRY(const table::Column* found, data.table.find(name));
    if (name == request.price || name == request.quantity) {
      return base::invalid_argument("--features names '" + name + "', which is the price or the quantity itself: leave it out");
    }
    out.features.push_back(found);
    // What cuts the price may be adjusted for: inside its ranges the price still moves.
    const price::Role role = price::role_of(*found, data.rows_in_use()).role;
    if (role != price::Role::kKnownBefore && role != price::Role::kCutsPrice) {
      out.late_features.push_back(name);
    }
  }
  for (const auto& column : data.table.columns()) {
    if (column.name == request.price || column.name == request.quantity || among(request.ignore, column.name) || among(request.features, column.name)) {
      continue;
    }
    const price::ColumnRole role = price::role_of(column, data.rows_in_use());
    if (role.role == price::Role::kKnownBefore) {
      out.asked.push_back(&column);
    } else {
      study.left_out.push_back({column.name, role.why});
      if (role.role == price::Role::kCutsPrice) {
        out.cutting.push_back(column.name);
      }
    }
  }
  return out;
}

// Residuals and the regressions behind them: kept together, since the curve needs the latter too.
struct Nuisance {
  price::Encoded x;
  std::optional<price::CrossRidge> ridge;
  std::optional<price::Residuals> residuals;
};

base::Status fit_nuisance(const PriceRequest& request, const PriceData& data, const Sorted& columns, std::pair<PriceStudy*, Nuisance*> study_and_out) {
  const auto [study, out] = study_and_out;
  if (columns.features.empty()) {
    return base::ok_status();
  }
  price::EncodeOptions options;
  options.products = true;
  options.columns_max = 400;
  BECKON_TRY(out->x, price::encode(columns.features, data.index, options));
  price::standardise(out->x, data.cell);
  study->notes.insert(study->notes.end(), out->x.notes.begin(), out->x.notes.end());
  if (out->x.columns == 0) {
    return base::failed_precondition("--features: none of these columns varies inside the cells: leave them out");
  }
  constexpr std::uint32_t kFolds = 5;
  out->ridge.emplace(out->x, price::folds_of(data.index.size(), data.cell, {kFolds, request.seed}), kFolds);
  out->residuals = price::cross_fitted_residuals(data.observations(), out->x, study->scale, {kFolds, request.seed});
  return base::ok_status();
}

std::string method_of(const PriceStudy& study, const PriceData& data, bool features) {
  std::string out(price::scale_name(study.scale, study.binary));
  if (!data.cell.empty()) {
    out += ", an effect for each of " + base::with_thousands(static_cast<std::int64_t>(data.cells)) + " cells";
  }
  return features ? "residual on residual (cross-fitted ridge), " + out : out;
}

base::Status estimate(const PriceRequest& request, const PriceData& data, const Nuisance& nuisance, PriceStudy& study) {
  price::ElasticityOptions options{study.scale, request.level, nuisance.residuals.has_value() ? &*nuisance.residuals : nullptr};
  study.method = method_of(study, data, nuisance.residuals.has_value());
  auto pooled = price::pooled_elasticity(data.observations(), options);
  if (!pooled.ok()) {
    return pooled.error().at(data.table.name());
  }
  study.pooled = *pooled;
  if (!data.cell.empty() || nuisance.residuals.has_value()) {
    price::Observations bare = data.observations();
    bare.cell = {};
    if (const auto plain = price::pooled_elasticity(bare, {price::scale_for(data.quantity), request.level, nullptr}); plain.ok()) {
      study.plain = *plain;
    }
  }
  if (data.group.empty()) {
    return base::ok_status();
  }
  study.groups = price::elasticities(data.observations(), data.groups.size(), options);
  std::vector<double> values;
  std::vector<double> errors;
  std::vector<std::uint32_t> parents;
  for (std::size_t g = 0; g < study.groups.size(); ++g) {
    values.push_back(study.groups[g].elasticity.estimate);
    errors.push_back(study.groups[g].identified ? study.groups[g].elasticity.std_error : 0);
    parents.push_back(data.groups[g].parent);
  }
  study.shrinkage = price::shrink({values, errors, parents}, {request.level, 0.5});
  return base::ok_status();
}

base::Result<price::Predictability> asked(const PriceRequest& request, const price::Rows& rows, const Sorted& columns, std::span<const double> left) {
  price::PredictabilityOptions options;
  options.permutations = request.permutations;
  options.seed = request.seed;
  options.executor = request.executor;
  return price::price_predictability(columns.asked, left, rows, options);
}

// All that are surely related to the price once one of them matters: the small ones help to see what the price followed.
std::vector<std::string> predictors(const price::Predictability& predicted) {
  constexpr double kSure = 0.01;
  std::vector<std::string> out;
  for (const auto& finding : predicted.columns) {
    if (finding.predicts || (finding.p_value <= kSure && finding.r2 > 0)) {
      out.push_back(finding.column);
    }
  }
  return out;
}

base::Status question_price(const PriceRequest& request, const PriceData& data, std::pair<const Sorted*, const Nuisance*> columns, PriceStudy& study) {
  std::vector<double> left(data.price.size());
  std::ranges::transform(data.price, left.begin(), [](double p) { return std::log(p); });
  if (columns.second->residuals.has_value()) {
    left = columns.second->residuals->price;
  }
  BECKON_TRY(study.predicted, asked(request, data.rows_in_use(), *columns.first, left));
  if (!data.group.empty() && !study.declared) {
    price::Rows rows = data.rows_in_use();
    rows.cell = data.group;
    BECKON_TRY(study.predicted_in_groups, asked(request, rows, *columns.first, left));
  }
  study.notes.insert(study.notes.end(), study.predicted.notes.begin(), study.predicted.notes.end());
  return base::ok_status();
}

std::string percent_of(double share) {
  char text[32];
  std::snprintf(text, sizeof text, share < 0.1 ? "%.1f" : "%.0f", 100 * share);
  return std::string(text) + " %";
}

void add_prediction_warning(const price::Predictability& predicted, const std::string& kind, const std::string& where, PriceStudy& study) {
  const std::vector<std::string> names = predictors(predicted);
  study.warnings.push_back({kind, names,
                            where + " can be predicted" + (names.empty() ? "" : " by " + listed(names, 40)) + ": together the columns explain " +
                                percent_of(std::max(0.0, predicted.r2)) + " of its variance out of fold, so whoever set it looked at something. " +
                                (study.declared ? "It was not drawn at random within the cells that were named."
                                                : "Name the cells it was drawn within (--randomised-within), or adjust for these columns (--features).")});
}

bool moves_little(const price::Elasticity& elasticity, std::span<const double> prices) {
  double mean = 0;
  for (const double p : prices) {
    mean += std::log(p) / static_cast<double>(prices.size());
  }
  double squares = 0;
  for (const double p : prices) {
    squares += (std::log(p) - mean) * (std::log(p) - mean) / static_cast<double>(prices.size());
  }
  return elasticity.variation.residual_share < kLittleVariation || std::sqrt(squares * elasticity.variation.residual_share) < kLittleMove;
}

// Nothing is left to ask when every other column is held constant, made from the price or missing altogether.
std::string grade_of(const PriceStudy& study, const price::Predictability& predicted, bool features) {
  if (predicted.predicts) {
    return "not credible";
  }
  if (study.declared) {
    return "randomised";
  }
  return features || !predicted.columns.empty() ? "adjusted" : "not credible";
}

void judge(const PriceRequest& request, const PriceData& data, const Sorted& columns, PriceStudy& study) {
  const bool features = !request.features.empty();
  study.grade = grade_of(study, study.predicted, features);
  study.groups_grade = study.predicted_in_groups.has_value() ? grade_of(study, *study.predicted_in_groups, features) : study.grade;
  if (study.predicted.predicts) {
    add_prediction_warning(study.predicted, "price_predicted", study.declared ? "Inside the cells the price" : "The price", study);
  }
  if (study.predicted_in_groups.has_value() && study.predicted_in_groups->predicts) {
    add_prediction_warning(*study.predicted_in_groups, "price_predicted_in_groups", "Inside the groups the price", study);
  }
  if (study.grade == "not credible" && !study.declared) {
    study.warnings.push_back({"randomisation_not_stated", {request.price},
                              "Nothing says that the prices were randomised, and " +
                                  std::string(study.predicted.predicts ? "they depend on other columns" : "no other column is there to be asked") +
                                  ": read the elasticities as associations."});
  } else if (!study.declared) {
    study.notes.push_back("no column that was asked predicts the price; nothing else says that it was drawn at random");
  }
  if (!study.declared && !columns.cutting.empty()) {
    study.grade = study.groups_grade = "not credible";
    study.warnings.push_back({"separate_price_ranges", columns.cutting,
                              "Each value of " + listed(columns.cutting, 8) +
                                  " has a range of the price for itself. Where it decided the price, the answer mixes it with the price: name it with "
                                  "--features or --randomised-within. Where it is made from the price, name it with --ignore."});
  }
  if (moves_little(study.pooled, data.price)) {
    study.grade = study.groups_grade = "not credible";
    study.warnings.push_back({"little_variation", {request.price},
                              "Only " + percent_of(study.pooled.variation.residual_share) +
                                  " of the variance of log price is left to learn from: small errors of the price column would decide the answer."});
  }
  if (!columns.late_features.empty()) {
    study.grade = study.groups_grade = "not credible";
    study.warnings.push_back({"feature_after_price", columns.late_features,
                              listed(columns.late_features, 8) +
                                  ": made from the price or filled in when something was bought, so adjusting for it hides the effect. "
                                  "Leave it out of --features."});
  }
}

void add_row_warnings(const PriceRequest& request, const PriceData& data, PriceStudy& study) {
  const auto many = [&](std::int64_t count) { return static_cast<double>(count) > kManyDropped * static_cast<double>(data.rows_read); };
  if (many(data.price_missing + data.price_not_positive)) {
    study.warnings.push_back({"rows_without_price", {request.price},
                              base::with_thousands(data.price_missing) + " rows have no price and " + base::with_thousands(data.price_not_positive) +
                                  " one of 0 or less: they are left out, and the answer holds for the others only."});
  }
  if (many(data.quantity_missing + data.quantity_negative)) {
    study.warnings.push_back({"rows_without_quantity", {request.quantity},
                              base::with_thousands(data.quantity_missing) + " rows have no quantity and " + base::with_thousands(data.quantity_negative) +
                                  " a negative one: they are left out, and the answer holds for the others only."});
  }
}

// The rows of one group, with its cells.
struct Part {
  std::vector<double> price;
  std::vector<double> quantity;
  std::vector<std::uint32_t> cell;
};

Part part_of(const PriceData& data, std::size_t group) {
  Part out;
  for (std::size_t i = 0; i < data.price.size(); ++i) {
    if (data.group[i] == group) {
      out.price.push_back(data.price[i]);
      out.quantity.push_back(data.quantity[i]);
      if (!data.cell.empty()) {
        out.cell.push_back(data.cell[i]);
      }
    }
  }
  return out;
}

void add_curves(const PriceRequest& request, const PriceData& data, const Nuisance& nuisance, PriceStudy& study) {
  price::CurveOptions options;
  options.scale = study.scale;
  options.level = request.level;
  options.public_price = request.public_amount;
  options.seed = request.seed;
  options.columns = nuisance.ridge.has_value() ? &*nuisance.ridge : nullptr;
  if (auto curve = price::dose_curve(data.observations(), options); curve.ok()) {
    study.curve = *curve;
    study.depths = price::depth_values(*curve, kDepths, request.unit_cost);
  } else {
    study.notes.push_back(curve.error().message);
  }
  if (nuisance.ridge.has_value()) {
    if (!data.groups.empty()) {
      study.notes.push_back("with --features the curve is drawn for all rows together only");
    }
    return;
  }
  // Groups come by rows, most first: the first thin one ends it, and only so many are tried (each is a pass over all rows).
  for (std::size_t g = 0; g < std::min(data.groups.size(), kGroupsTried) && study.curves.size() < kGroupCurves; ++g) {
    if (data.groups[g].rows < kCurveRowsMin) {
      break;
    }
    if (!study.groups[g].identified) {
      continue;
    }
    const Part part = part_of(data, g);
    options.prior_elasticity = study.shrinkage.groups[g].prior_mean;
    options.prior_std_error = std::clamp(study.shrinkage.groups[g].prior_std_error, 1e-3, 5.0);
    if (auto curve = price::dose_curve({part.price, part.quantity, part.cell, {}}, options); curve.ok()) {
      study.curves.push_back({g, *curve});
    }
  }
}

}  // namespace

std::string listed(const std::vector<std::string>& names, std::size_t most) {
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < most; ++i) {
    out += (i == 0 ? "" : ", ") + names[i];
  }
  return names.size() > most ? out + " and " + std::to_string(names.size() - most) + " more" : out;
}

base::Result<base::Json> evaluate_price(const PriceRequest& request) {
  BECKON_TRY_STATUS(price::check_allowed(request.features, request.audit ? price::Purpose::kAudit : price::Purpose::kStudy));
  BECKON_TRY(const PriceData data, read_prices(request));
  PriceStudy study;
  study.notes = data.reading;
  study.binary = price::is_binary(data.quantity);
  study.declared = request.randomised || !request.randomised_within.empty() || !request.placebo.empty();
  study.scale = price::scale_for(data.quantity);
  if (study.scale == price::Scale::kPoisson && !request.features.empty()) {
    study.scale = price::Scale::kLogPriceAtMean;
  }
  BECKON_TRY(const Sorted columns, sorted_columns(request, data, study));
  Nuisance nuisance;
  BECKON_TRY_STATUS(fit_nuisance(request, data, columns, {&study, &nuisance}));
  BECKON_TRY_STATUS(estimate(request, data, nuisance, study));
  BECKON_TRY_STATUS(question_price(request, data, {&columns, &nuisance}, study));
  judge(request, data, columns, study);
  add_row_warnings(request, data, study);
  add_curves(request, data, nuisance, study);
  return answer(price_json(request, data, study), price_page(request, data, study), request.out);
}

}  // namespace beckon::study
