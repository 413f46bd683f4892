#include <cmath>

#include "beckon/base/money.h"
#include "beckon/base/progress.h"
#include "parts.h"

namespace beckon::sim {
namespace {

using report::Align;

std::string euros(double minor) { return base::Money(std::llround(minor), base::Currency::parse("EUR").value()).amount_string(); }
std::string count(std::int64_t value) { return base::with_thousands(value); }

std::string shown(const std::string& metric, double value) {
  if (metric != "conversion") {
    return euros(value);
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.2f %%", value * 100);
  return text;
}

std::string title_of(const base::Json& row) {
  const std::string metric = base::string_or(row, "metric");
  const std::string what = metric == "conversion" ? "customers who bought" : metric == "revenue" ? "sales per customer" : "margin per customer";
  return what + (base::string_or(row, "compared") == "audience" ? ", whole audience" : ", chosen");
}

report::Section truth_section(const base::Json& truth) {
  report::Section section;
  section.heading = "The report beside the truth";
  section.paragraphs = {
      "The world was played twice by the same dice, with and without exactly these messages. The difference is what the messages really "
      "changed; the report only sees the first of the two, and estimates it from the customers who were held out. 95 of 100 such intervals "
      "should hold the truth."};
  report::Table table;
  table.columns = {{"difference", Align::kLeft}, {"estimate", Align::kRight}, {"95 % interval", Align::kRight}, {"truth", Align::kRight},
                   {"holds it", Align::kLeft}};
  report::Chart chart;
  chart.kind = report::ChartKind::kPoints;
  chart.title = "Extra margin per customer: estimated, and true";
  chart.x_label = "compared";
  chart.y_label = "difference to the held-out";
  chart.unit = "EUR";
  report::Series estimate{"estimate with 95 % interval", {}, {}, {}};
  report::Series real{"truth", {}, {}, {}};
  for (const auto& row : truth["comparisons"]) {
    const std::string metric = base::string_or(row, "metric");
    const bool known = base::bool_or(row, "known");
    const double low = base::real_or(row, "low");
    const double high = base::real_or(row, "high");
    table.rows.push_back({title_of(row), known ? shown(metric, base::real_or(row, "estimate")) : "too few",
                          known ? shown(metric, low) + " … " + shown(metric, high) : "–", shown(metric, base::real_or(row, "truth")),
                          !known ? "–" : base::bool_or(row, "holds_truth") ? "yes" : "no"});
    if (metric == "margin" && known) {
      chart.categories.push_back(base::string_or(row, "compared") == "audience" ? "whole audience" : "chosen");
      estimate.y.push_back(base::real_or(row, "estimate") / 100);
      estimate.low.push_back(low / 100);
      estimate.high.push_back(high / 100);
      real.y.push_back(base::real_or(row, "truth") / 100);
    }
  }
  section.tables = {table};
  if (!chart.categories.empty()) {
    chart.series = {estimate, real};
    section.charts = {chart};
  }
  return section;
}

report::Section nature_section(const base::Json& truth) {
  report::Section section;
  section.heading = "Who really got the messages";
  section.paragraphs = {"What no shop can see: sure things buy anyway, persuadables buy because of a message, lost causes do not buy, sleeping dogs "
                        "buy less when they are disturbed. Expected extra margin: the mean of many futures, discounts and sending paid."};
  report::Table table;
  table.columns = {{"nature", Align::kLeft}, {"customers", Align::kRight}, {"messages", Align::kRight},
                   {"expected extra margin", Align::kRight, "EUR"}};
  for (const auto& row : truth["by_nature"]) {
    table.rows.push_back({base::string_or(row, "nature"), count(base::int_or(row, "customers")), count(base::int_or(row, "messages")),
                          euros(base::real_or(row, "expected_extra_margin_minor"))});
  }
  section.tables = {table};
  return section;
}

report::Section strategies_section(const base::Json& strategies) {
  report::Section section;
  section.heading = "What the strategies would have brought";
  section.paragraphs = {"Plans of the same morning under the same budget for the treated customers; the world's expected extra margin of each, "
                        "discounts and sending paid. Threshold and popular only know the first offer, and stop where its money ends; value also recommends "
                        "without a discount. One world: a ranking here is an example, not a law."};
  report::Table table;
  table.columns = {{"strategy", Align::kLeft}, {"messages", Align::kRight}, {"planned", Align::kRight, "EUR"},
                   {"expected extra margin", Align::kRight, "EUR"}};
  for (const auto& row : strategies) {
    table.rows.push_back({base::string_or(row, "strategy"), count(base::int_or(row, "messages")),
                          euros(static_cast<double>(base::int_or(row, "planned_minor"))),
                          euros(base::real_or(row, "expected_extra_margin_minor"))});
  }
  section.tables = {table};
  return section;
}

}  // namespace

report::Page simulation_page(const base::Json& answer) {
  const base::Json& truth = answer["truth"];
  const base::Json& totals = answer["report"]["totals"];
  char effect[32];
  std::snprintf(effect, sizeof effect, "%g", base::real_or(answer, "effect"));
  report::Page page;
  page.title = "Simulated shop, seed " + std::to_string(base::int_or(answer, "seed"));
  page.subtitle = count(base::int_or(answer, "customers")) + " customers, " + count(base::int_or(answer, "days")) + " days of history, strategy " +
                  base::string_or(answer, "strategy") + ", effect " + effect + ". The campaign's own report is " + kCampaign + ".html beside this page.";
  page.figures = {{"Messages", count(base::int_or(truth, "messages")), "left the shop"},
                  {"True extra margin", euros(base::real_or(truth, "extra_margin_minor")) + " EUR", "with these messages against without"},
                  {"Expected", euros(base::real_or(truth, "expected_extra_margin_minor")) + " EUR", "mean of many futures"},
                  {"Promotion cost", euros(static_cast<double>(base::int_or(totals, "promotion_minor"))) + " EUR", "discounts redeemed and sending"}};
  page.sections = {truth_section(truth), nature_section(truth)};
  if (answer.contains("strategies")) {
    page.sections.push_back(strategies_section(answer["strategies"]));
  }
  page.footer = "Simulated customers with known truth (beckon simulate). Figures say nothing about real shoppers.";
  return page;
}

}  // namespace beckon::sim
