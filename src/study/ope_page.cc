#include "ope_page.h"

#include "answer.h"
#include "beckon/base/progress.h"

namespace beckon::study {
namespace {

using base::Json;
using report::Align;

struct Title {
  const char* name;
  const char* text;   // in charts
  const char* brief;  // in tables
};

const std::vector<Title>& estimator_titles() {
  static const std::vector<Title> kTitles{
      {"sndr", "doubly robust, self-normalised (SNDR)", "SNDR"}, {"dr", "doubly robust (DR)", "DR"}, {"snipw", "self-normalised weights (SNIPW)", "SNIPW"},
      {"ipw", "weights (IPW)", "IPW"}, {"ipw_clipped", "clipped weights", "clipped"}, {"dm", "reward model alone (DM)", "DM"},
      {"switch_dr", "Switch-DR", "Switch-DR"}, {"dr_os", "DR, shrunk weights (DRos)", "DRos"}, {"mipw", "weights of categories (MIPW)", "MIPW"}};
  return kTitles;
}

report::Table estimate_table(const Json& json, bool biased) {
  report::Table table;
  table.title = biased ? "Biased by construction: to compare, not to decide" : "Estimates";
  table.columns = {{"estimator", Align::kLeft}, {"value", Align::kRight}, {"interval", Align::kRight}, {"bootstrap", Align::kRight}};
  bool bernstein = false;
  for (const auto& [name, one] : json["estimates"].items()) {
    bernstein = bernstein || (!biased && one.contains("bernstein"));
  }
  if (bernstein) {
    table.columns.push_back({"Bernstein", Align::kRight});
  }
  table.columns.push_back({biased ? "limit" : "gain", Align::kRight});
  for (const Title& title : estimator_titles()) {
    if (!json["estimates"].contains(title.name) || base::bool_or(json["estimates"][title.name], "biased") != biased) {
      continue;
    }
    const Json& one = json["estimates"][title.name];
    const auto range = [&](const char* key) { return one.contains(key) ? shown_range(one[key], "lo", "hi") : std::string("–"); };
    std::vector<std::string> row{title.brief, shown(one, "value"), shown_range(one, "lo", "hi"), range("bootstrap")};
    if (bernstein) {
      row.push_back(range("bernstein"));
    }
    row.push_back(biased ? shown(one, "limit") : range("gain"));
    table.rows.push_back(std::move(row));
  }
  table.note = biased ? "Their intervals hold only the noise, not the bias."
                      : "Interval: errors by customer, corrected for skewness. Gain: over the log. Means per row of the log.";
  return table;
}

report::Chart estimate_chart(const Json& json) {
  report::Chart chart;
  chart.kind = report::ChartKind::kPoints;
  chart.title = "Value of the target policy per row";
  chart.y_label = base::string_or(json, "reward") + " per row";
  report::Series series{"", {}, {}, {}};
  for (const Title& title : estimator_titles()) {
    if (json["estimates"].contains(title.name) && json["estimates"][title.name]["lo"].is_number()) {
      const Json& one = json["estimates"][title.name];
      chart.categories.push_back(std::string(title.text) + (base::bool_or(one, "biased") ? ", biased" : ""));
      series.y.push_back(one["value"].get<double>());
      series.low.push_back(one["lo"].get<double>());
      series.high.push_back(one["hi"].get<double>());
    }
  }
  chart.series = {series};
  chart.note = "Points: estimate. Lines: " + percent(base::real_or(json, "level"), 0) + " interval. The log itself earned " + shown(json, "logged_value") + ".";
  return chart;
}

report::Section overlap_section(const Json& json) {
  report::Section section;
  section.heading = "Can the log say it?";
  section.paragraphs = {"Each row is weighted by how much more often the target would have done what was shown. The effective sample says how many "
                        "equally weighted rows that is worth; k-hat how heavy the tail of the weights is. An answer is refused below 100 or above 0.7."};
  for (const auto& warning : json["warnings"]) {
    section.callouts.push_back({report::CalloutKind::kWarning, warning.get<std::string>()});
  }
  report::Chart chart;
  chart.kind = report::ChartKind::kLines;
  chart.title = "How few rows decide";
  chart.x_label = "share of the rows, heaviest first (%)";
  chart.y_label = "share of all weight (%)";
  chart.unit = "%";
  report::Series series{"weight", {}, {}, {}};
  for (const auto& point : json["concentration"]) {
    chart.x.push_back(100 * base::real_or(point, "rows_share"));
    series.y.push_back(100 * base::real_or(point, "weight_share"));
  }
  chart.series = {series};
  section.charts = {chart};
  report::Table table;
  table.columns = {{"figure", Align::kLeft}, {"value", Align::kRight}, {"sound", Align::kLeft}};
  table.rows = {{"rows", base::with_thousands(base::int_or(json, "rows")), ""},
                {"customers", base::with_thousands(base::int_or(json, "customers")), ""},
                {"effective sample, rows", shown(json, "ess"), "100 or more"},
                {"effective sample, customers", shown(json, "ess_customers"), "100 or more"},
                {"k-hat", shown(json, "k_hat"), "0.7 or less"},
                {"largest weight", shown(json, "max_weight"), ""},
                {"mean weight", shown(json["mean_weight"], "value") + " (" + shown_range(json["mean_weight"], "lo", "hi") + ")", "1"}};
  section.tables = {table};
  return section;
}

report::Section slate_section(const Json& json) {
  report::Section section;
  section.heading = "Slates";
  report::Table table;
  table.title = "Reward per slate";
  table.columns = {{"estimator", Align::kLeft}, {"value", Align::kRight}, {"interval", Align::kRight}, {"effective sample", Align::kRight}};
  for (const auto& [name, title] : {std::pair{"sips", "weight of the whole slate"}, {"iips", "each position by itself (IIPS)"},
                                    {"cascade", "read from the first on (cascade)"}}) {
    const Json& one = json["slates"][name];
    const bool refused = base::bool_or(one, "refused");
    table.rows.push_back({title, refused ? "refused" : shown(one, "value"), shown_range(one, "lo", "hi"), shown(one, "ess")});
  }
  table.note = "IIPS is right when positions do not influence one another, cascade when the reader goes from first to last.";
  section.tables = {table};
  return section;
}

}  // namespace

report::Page ope_page(const Json& json) {
  report::Page page;
  page.title = "What the other policy would have earned: " + base::string_or(json, "data");
  page.subtitle = base::with_thousands(base::int_or(json, "rows")) + " rows" +
                  (base::bool_or(json, "by_customer") ? " of " + base::with_thousands(base::int_or(json, "customers")) + " customers" : "");
  const bool refused = base::bool_or(json, "refused");
  report::Section values;
  values.heading = "Value";
  if (refused) {
    page.figures = {{"Answer", "refused", "the log cannot say it", report::Tone::kWarning}};
    values.callouts = {{report::CalloutKind::kWarning, "Refused: " + base::string_or(json, "reason") + "."}};
  } else {
    const Json& best = json["estimates"][base::string_or(json, "headline")];
    const bool better = best["gain"]["lo"].is_number() && best["gain"]["lo"].get<double>() > 0;
    page.figures = {{"Value of the target", shown(best, "value"), shown_range(best, "lo", "hi")},
                    {"Of the log", shown(json, "logged_value"), ""},
                    {"Gain", shown(best["gain"], "value"), shown_range(best["gain"], "lo", "hi"), better ? report::Tone::kGood : report::Tone::kNeutral}};
    values.charts = {estimate_chart(json)};
    values.tables = {estimate_table(json, false), estimate_table(json, true)};
  }
  page.figures.push_back({"Effective sample", shown(json, "ess"), "of " + base::with_thousands(base::int_or(json, "rows")) + " rows",
                          refused ? report::Tone::kWarning : report::Tone::kNeutral});
  page.sections = {values};
  if (json.contains("slates")) {
    page.sections.push_back(slate_section(json));
  }
  page.sections.push_back(overlap_section(json));
  return page;
}

}  // namespace beckon::study
