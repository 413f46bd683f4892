#include "uplift_page.h"

#include <algorithm>
#include <cmath>

#include "answer.h"
#include "beckon/base/progress.h"

namespace beckon::study {
namespace {

using report::Align;

std::string fixed(const base::Json& object, const std::string& key, int decimals) {
  if (!object.contains(key) || !object[key].is_number()) {
    return "–";
  }
  char text[48];
  std::snprintf(text, sizeof text, "%.*f", decimals, object[key].get<double>());
  return text;
}

std::string range(const base::Json& object, int decimals) {
  return fixed(object, "lo", decimals) + " … " + fixed(object, "hi", decimals);
}

std::string learner_text(const base::Json& learner) {
  static const std::vector<std::pair<std::string, std::string>> kNames{
      {"response", "response alone"}, {"s", "S"},         {"t", "T"}, {"x", "X"}, {"r", "R"}, {"dr", "DR"}, {"to", "transformed outcome"},
      {"ct", "class transformation"}, {"ensemble", "mean of X, R, DR"}};
  const std::string name = base::string_or(learner, "name");
  const auto at = std::ranges::find(kNames, name, &std::pair<std::string, std::string>::first);
  return at == kNames.end() ? name : at->second;
}

std::string base_text(const base::Json& learner) {
  const std::string base = base::string_or(learner, "base");
  return base == "trees" ? "boosted trees" : base == "linear" ? "linear models" : base;
}

report::Table learners_table(const base::Json& arm, bool economics) {
  report::Table table;
  table.title = "Learners, each judged on customers that it had not seen";
  table.columns = {{"learner", Align::kLeft},         {"base", Align::kLeft},          {"Qini × 10⁴", Align::kRight}, {"95 % interval", Align::kRight},
                   {"behind the best", Align::kRight}, {"uplift, top 10 %", Align::kRight}, {"top 30 %", Align::kRight}};
  if (economics) {
    table.columns.push_back({"treats", Align::kRight});
    table.columns.push_back({"profit a customer", Align::kRight});
  }
  for (const base::Json& learner : arm["learners"]) {
    std::vector<std::string> row{learner_text(learner),      base::string_or(learner, "base"),
                                 fixed(learner, "qini_e4", 1), range(learner, 1),
                                 fixed(learner["behind_best_e4"], "value", 1) + " (" + range(learner["behind_best_e4"], 1) + ")",
                                 fixed(learner, "uplift@10", 4), fixed(learner, "uplift@30", 4)};
    if (economics) {
      row.push_back(percent(base::real_or(learner["policy"], "share_treated"), 0));
      row.push_back(fixed(learner["policy"], "profit_per_customer", 4));
    }
    table.rows.push_back(std::move(row));
  }
  table.note = "Qini: outcome a head that an order gains over a random one, averaged over how many are treated; intervals: bootstrap over customers, the same "
               "resamples for all learners. They do not hold the chance of training again. The best of " +
               std::to_string(arm["learners"].size()) + " learners reaches " + fixed(arm, "qini_needed_e4", 1) + " by chance in 5 of 100 cases.";
  return table;
}

const base::Json* best_of(const base::Json& arm) {
  for (const base::Json& learner : arm["learners"]) {
    if (learner["name"] == arm["best"]["name"] && learner["base"] == arm["best"]["base"]) {
      return &learner;
    }
  }
  return nullptr;
}

std::vector<double> reals(const base::Json& list) {
  std::vector<double> out;
  for (const base::Json& value : list) {
    out.push_back(value.is_number() ? value.get<double>() : std::nan(""));
  }
  return out;
}

report::Chart curve_chart(const base::Json& arm, const base::Json& best) {
  report::Chart chart;
  chart.kind = report::ChartKind::kLines;
  chart.title = "Outcome gained, by how many are treated";
  chart.x_label = "share treated, highest scores first";
  chart.y_label = "gained a head of all";
  const auto add = [&](const std::string& name, std::vector<double> y) {
    report::Series series;
    series.name = name;
    series.y = std::move(y);
    chart.series.push_back(std::move(series));
  };
  const std::vector<double> curve = reals(best["curve"]);
  for (std::size_t i = 0; i < curve.size(); ++i) {
    chart.x.push_back(static_cast<double>(i) / static_cast<double>(curve.size() - 1));
  }
  add(learner_text(best) + ", " + base::string_or(best, "base"), curve);
  for (const base::Json& learner : arm["learners"]) {
    if (learner["name"] == "response" && &learner != &best) {
      add("response alone, " + base::string_or(learner, "base"), reals(learner["curve"]));
      break;
    }
  }
  std::vector<double> random;
  for (const double share : chart.x) {
    random.push_back(share * curve.back());
  }
  add("random order", random);
  return chart;
}

report::Chart cost_chart(const base::Json& best, double value, double cost) {
  report::Chart chart;
  chart.kind = report::ChartKind::kLines;
  chart.title = "Profit, by how many are treated";
  chart.x_label = "share treated, highest scores first";
  chart.y_label = "profit a customer";
  report::Series series;
  series.name = learner_text(best);
  const std::vector<double> curve = reals(best["curve"]);
  const double share_of_treated = base::real_or(best, "treated_share", 0.5);
  for (std::size_t i = 0; i < curve.size(); ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(curve.size() - 1);
    chart.x.push_back(share);
    // g counts the treated of the trial alone: all customers are 1/share_of_treated times as many.
    series.y.push_back(value * curve[i] / share_of_treated - cost * share);
  }
  chart.series.push_back(std::move(series));
  return chart;
}

report::Chart tenths_chart(const base::Json& best) {
  report::Chart chart;
  chart.kind = report::ChartKind::kPoints;
  chart.title = "Effect in each tenth of the scores";
  chart.x_label = "tenth";
  chart.y_label = "outcome of the treated less that of the others";
  report::Series series;
  series.name = "observed, 95 % interval";
  report::Series score;
  score.name = "score";
  int tenth = 0;
  for (const base::Json& group : best["tenths"]) {
    chart.categories.push_back(std::to_string(++tenth));
    const double effect = group["effect"].is_number() ? group["effect"].get<double>() : std::nan("");
    const double half = 1.96 * base::real_or(group, "std_error");
    series.y.push_back(effect);
    series.low.push_back(effect - half);
    series.high.push_back(effect + half);
    score.y.push_back(base::real_or(group, "score"));
  }
  chart.series.push_back(std::move(series));
  if (best["name"] != "response") {
    chart.series.push_back(std::move(score));
  }
  return chart;
}

std::string verdict_text(const base::Json& arm) {
  const std::string verdict = base::string_or(arm, "verdict");
  if (verdict == "treat everybody") {
    return "Treat everybody: it works, and no order of the customers does better than chance.";
  }
  if (verdict == "treat nobody") {
    return "Treat nobody, or learn more: no effect that is worth its cost, and no order of the customers does better than chance.";
  }
  std::string out = "Rank by " + learner_text(arm["best"]) + (arm["best"]["base"] == "all" ? "." : " over " + base_text(arm["best"]) + ".");
  if (arm["best"]["name"] == "response") {
    out += " Who buys more anyway also gains more: ranking by response beats every learner of effects here.";
  } else if (base::bool_or(arm, "response_is_enough")) {
    out += " Ranking by response alone is not measurably worse, and simpler.";
  }
  return out;
}

report::Section arm_section(const base::Json& json, const base::Json& arm) {
  report::Section section;
  section.heading = "'" + base::string_or(arm, "arm") + "' against '" + base::string_or(json, "control_value") + "'";
  const bool randomised = base::string_or(arm, "grade") == "randomised";
  section.paragraphs.push_back(verdict_text(arm));
  if (!randomised) {
    section.callouts.push_back({report::CalloutKind::kWarning,
                                "The columns tell who was treated (z = " + fixed(arm, "treatment_predictable_z", 1) +
                                    "): nobody drew lots. Figures are adjusted for these columns and can still be wrong about what they do not hold."});
  }
  section.figures.push_back({randomised ? "effect of treating" : "adjusted difference", fixed(arm["effect"], "value", 4), "95 %: " + range(arm["effect"], 4)});
  section.figures.push_back({"Qini × 10⁴ of the best", fixed(arm, "best_qini_e4", 1), "needed against chance: " + fixed(arm, "qini_needed_e4", 1)});
  if (arm["nested_qini_e4"].is_number()) {
    section.figures.push_back({"the same, chosen inside each fold", fixed(arm, "nested_qini_e4", 1), "what the choice itself is worth"});
  }
  const bool economics = base::bool_or(json, "economics_given");
  if (economics) {
    const base::Json& policy = arm["policy"];
    section.figures.push_back({"profit a customer", fixed(policy, "profit_per_customer", 4), "95 %: " + range(policy, 4)});
    section.figures.push_back({"treated", percent(base::real_or(policy, "share_treated"), 1), "IRR " + fixed(policy, "irr", 4) + ", NIR " + fixed(policy, "nir", 2)});
  }
  if (const base::Json* best = best_of(arm)) {
    section.charts.push_back(curve_chart(arm, *best));
    section.charts.push_back(tenths_chart(*best));
    if (economics) {
      base::Json with_share = *best;
      with_share["treated_share"] = base::real_or(arm, "treated") / std::max(1.0, base::real_or(arm, "treated") + base::real_or(arm, "control"));
      section.charts.push_back(cost_chart(with_share, base::real_or(json, "value", 1), base::real_or(json, "cost")));
    }
  }
  section.tables.push_back(learners_table(arm, economics));
  return section;
}

// Each to the arm that learners of effects promise most of, valued by those who got it by chance.
report::Section which_arm_section(const base::Json& several) {
  report::Section section;
  section.heading = "Which one for whom";
  const std::string best = base::string_or(several, "best_arm");
  const bool best_gains = std::ranges::any_of(several["arms"], [](const auto& arm) { return base::real_or(arm, "gain") > 0; });
  const std::string rival = best_gains ? "'" + best + "' for everybody" : "treating nobody";
  section.paragraphs = {base::bool_or(several, "rule_is_better") ? "Giving each customer his own is better than " + rival + "."
                                                                 : "Giving each customer his own is not measurably better than " + rival + ": one answer for all is enough."};
  report::Table table;
  table.columns = {{"policy", Align::kLeft}, {"gain a customer over nothing", Align::kRight}, {"95 % interval", Align::kRight}, {"customers by the rule", Align::kRight}};
  table.rows.push_back({"each his own", fixed(several["rule"], "gain", 4), range(several["rule"], 4), ""});
  for (const auto& arm : several["arms"]) {
    table.rows.push_back({"'" + base::string_or(arm, "arm") + "' for everybody", fixed(arm, "gain", 4), range(arm, 4), percent(base::real_or(arm, "share_by_rule"), 1)});
  }
  table.rows.push_back({"each his own, over the best of these", fixed(several["over_best"], "gain", 4), range(several["over_best"], 4), ""});
  table.note = "Value of the outcome less the cost. Who got by chance what a policy wants stands for all (inverse probability, self-normalised); the rule was made "
               "without the customer it is applied to. Grade: " + base::string_or(several, "grade") + ".";
  section.tables = {table};
  return section;
}

}  // namespace

report::Page uplift_page(const base::Json& json) {
  report::Page page;
  page.title = "What '" + base::string_or(json, "treatment") + "' changes in '" + base::string_or(json, "outcome") + "'";
  page.subtitle = base::string_or(json, "file") + ", " + base::with_thousands(base::int_or(json["counts"], "rows")) + " rows, " +
                  std::to_string(base::int_or(json, "folds")) + " folds × " + std::to_string(json["seeds"].size()) + " seeds";
  if (json.contains("arms")) {
    for (const base::Json& arm : json["arms"]) {
      page.sections.push_back(arm_section(json, arm));
    }
    page.sections.push_back(which_arm_section(json["which_arm"]));
  } else {
    page.sections.push_back(arm_section(json, json));
  }
  report::Section columns;
  columns.heading = "What was used";
  std::string used;
  for (const base::Json& feature : json["features"]) {
    used += (used.empty() ? "" : ", ") + feature.get<std::string>();
  }
  columns.paragraphs.push_back("Learned from: " + used + ".");
  for (const base::Json& note : json["notes"]) {
    columns.callouts.push_back({report::CalloutKind::kNotice, note.get<std::string>()});
  }
  if (!json["left_out"].empty()) {
    report::Table table;
    table.title = "Columns left out";
    table.columns = {{"column", Align::kLeft}, {"why", Align::kLeft}};
    for (const base::Json& column : json["left_out"]) {
      table.rows.push_back({base::string_or(column, "column"), base::string_or(column, "reason")});
    }
    columns.tables.push_back(std::move(table));
  }
  page.sections.push_back(std::move(columns));
  page.footer = "Qini = " + base::string_or(json, "qini");
  return page;
}

}  // namespace beckon::study
