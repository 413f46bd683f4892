#include "experiment_page.h"

#include "answer.h"
#include "beckon/base/progress.h"

namespace beckon::study {
namespace {

using base::Json;
using report::Align;

std::string p_text(const Json& object, const std::string& key) {
  if (!object.contains(key) || !object[key].is_number()) {
    return "–";
  }
  const double p = object[key].get<double>();
  return p < 0.0001 ? "< 0.0001" : shown(p);
}

std::string title_of(const Json& metric) {
  return base::string_or(metric, "name") + ": " + base::string_or(metric, "arm") + " less " + base::string_or(metric, "control");
}

void add_point(const Json& object, const std::pair<std::string, std::string>& ends, const std::string& title, report::Chart& chart) {
  if (!object.contains(ends.first) || !object[ends.first].is_number()) {
    return;
  }
  chart.categories.push_back(title);
  chart.series[0].y.push_back(object["difference"].get<double>());
  chart.series[0].low.push_back(object[ends.first].get<double>());
  chart.series[0].high.push_back(object[ends.second].get<double>());
}

report::Chart chart_of(const Json& metric) {
  report::Chart chart;
  chart.kind = report::ChartKind::kPoints;
  chart.title = title_of(metric);
  chart.y_label = "difference";
  chart.series = {{"", {}, {}, {}}};
  add_point(metric, {"lo", "hi"}, "difference", chart);
  if (metric.contains("cuped")) {
    add_point(metric["cuped"], {"lo", "hi"}, "with the covariate (CUPED)", chart);
  }
  if (metric.contains("post_stratified")) {
    add_point(metric["post_stratified"], {"lo", "hi"}, "by stratum", chart);
  }
  add_point(metric, {"always_valid_lo", "always_valid_hi"}, "may be looked at daily", chart);
  return chart;
}

report::Table result_table(const Json& json) {
  report::Table table;
  table.title = "Differences to the control";
  table.columns = {{"metric", Align::kLeft}, {"arm", Align::kLeft}, {"control", Align::kRight}, {"arm's value", Align::kRight},
                   {"difference", Align::kRight}, {"interval", Align::kRight}, {"daily looks", Align::kRight}};
  for (const auto& m : json["metrics"]) {
    table.rows.push_back({base::string_or(m, "name"), base::string_or(m, "arm"), shown(m, "control_value"), shown(m, "treated_value"),
                          shown(m, "difference"), shown_range(m, "lo", "hi"), shown_range(m, "always_valid_lo", "always_valid_hi")});
  }
  table.note = "Interval: for one look at the end. Daily looks: holds however often one looks before.";
  return table;
}

report::Table p_table(const Json& json) {
  report::Table table;
  table.title = "How surprising without any effect";
  table.columns = {{"metric", Align::kLeft}, {"arm", Align::kLeft}, {"p", Align::kRight}, {"p, Holm", Align::kRight}, {"p, BH", Align::kRight},
                   {"p, daily looks", Align::kRight}};
  for (const auto& m : json["metrics"]) {
    table.rows.push_back({base::string_or(m, "name"), base::string_or(m, "arm"), p_text(m, "p"), p_text(m, "p_holm"), p_text(m, "p_bh"),
                          p_text(m, "always_valid_p")});
  }
  table.note = "Holm and BH (Benjamini and Hochberg): for asking several questions at once.";
  return table;
}

report::Table adjusted_table(const Json& json) {
  report::Table table;
  table.title = "The same with what was known before";
  table.columns = {{"metric", Align::kLeft}, {"arm", Align::kLeft}, {"method", Align::kLeft}, {"difference", Align::kRight}, {"interval", Align::kRight},
                   {"p", Align::kRight}, {"variance kept", Align::kRight}};
  for (const auto& m : json["metrics"]) {
    for (const auto& [key, name] : {std::pair{"cuped", "CUPED"}, {"post_stratified", "post-stratified"}}) {
      if (m.contains(key)) {
        table.rows.push_back({base::string_or(m, "name"), base::string_or(m, "arm"), name, shown(m[key], "difference"), shown_range(m[key], "lo", "hi"),
                              p_text(m[key], "p"), percent(base::real_or(m[key], "variance_kept"))});
      }
    }
  }
  return table;
}

report::Table reach_table(const Json& json) {
  report::Table table;
  table.title = "What could have been found";
  table.columns = {{"metric", Align::kLeft}, {"arm", Align::kLeft}, {"smallest effect", Align::kRight}, {"of the control", Align::kRight},
                   {"bootstrap", Align::kRight}, {"false alarms", Align::kRight}};
  for (const auto& m : json["metrics"]) {
    const bool replayed = m["aa"].is_object();
    table.rows.push_back({base::string_or(m, "name"), base::string_or(m, "arm"), shown(m, "mde"),
                          m["mde_relative"].is_number() ? percent(m["mde_relative"].get<double>()) : "–",
                          m["bootstrap"].is_object() ? shown_range(m["bootstrap"], "lo", "hi") : "–",
                          replayed ? percent(base::real_or(m["aa"], "false_positives")) + " of " + std::to_string(base::int_or(m["aa"], "replays"))
                                   : "–"});
  }
  table.note = "Smallest effect: found in " + percent(base::real_or(json, "power"), 0) + " of such experiments. False alarms: share of replays with drawn labels "
               "in which the test found an effect that cannot be there; should be " + percent(1 - base::real_or(json, "level"), 0) + ".";
  return table;
}

report::Section arms_section(const Json& json) {
  report::Section section;
  section.heading = "Arms";
  report::Table table;
  table.columns = {{"arm", Align::kLeft}, {"customers", Align::kRight}, {"rows", Align::kRight}, {"share", Align::kRight}, {"expected", Align::kRight}};
  for (const auto& [label, arm] : json["arms"].items()) {
    table.rows.push_back({label, base::with_thousands(base::int_or(arm, "customers")), base::with_thousands(base::int_or(arm, "rows")),
                          percent(base::real_or(arm, "share"), 2), percent(base::real_or(arm, "expected_share"), 2)});
  }
  table.note = "Sample ratio: p = " + p_text(json["srm"], "p") + ". Customers in several arms: " +
               base::with_thousands(base::int_or(json["duplicates"], "customers_in_several_arms")) + ".";
  section.tables = {table};
  return section;
}

}  // namespace

report::Page experiment_page(const Json& json) {
  report::Page page;
  page.title = "What the experiment showed: " + base::string_or(json, "data");
  page.subtitle = base::with_thousands(base::int_or(json, "customers")) + " customers in " + std::to_string(json["arms"].size()) + " arms, control: " +
                  base::string_or(json, "control");
  const bool alarm = base::bool_or(json["srm"], "warning");
  page.figures = {{"Sample ratio", alarm ? "broken" : "sound", "p = " + p_text(json["srm"], "p"), alarm ? report::Tone::kWarning : report::Tone::kGood}};
  report::Section results;
  results.heading = "Results";
  if (alarm) {
    results.callouts.push_back({report::CalloutKind::kWarning, base::string_or(json["srm"], "message")});
  }
  for (const auto& warning : json["warnings"]) {
    results.callouts.push_back({report::CalloutKind::kWarning, warning.get<std::string>()});
  }
  bool adjusted = false;
  for (const auto& metric : json["metrics"]) {
    if (page.figures.size() < 4) {
      page.figures.push_back({title_of(metric), shown(metric, "difference"), shown_range(metric, "lo", "hi")});
    }
    report::Chart chart = chart_of(metric);
    if (!chart.categories.empty()) {
      results.charts.push_back(std::move(chart));
    }
    adjusted = adjusted || metric.contains("cuped") || metric.contains("post_stratified");
  }
  results.tables = {result_table(json), p_table(json)};
  if (adjusted) {
    results.tables.push_back(adjusted_table(json));
  }
  results.tables.push_back(reach_table(json));
  page.sections = {results, arms_section(json)};
  return page;
}

}  // namespace beckon::study
