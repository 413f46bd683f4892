#include "ages_page.h"

#include <cmath>
#include <string_view>

#include "pages.h"

namespace beckon::engine {
namespace {

using report::Align;

std::string money_of(const base::Json& lift, const char* field, const std::string& currency) {
  return base::bool_or(lift, "known") ? amount(std::llround(base::real_or(lift, field)), currency) : "–";
}

std::string interval_of(const base::Json& lift, const std::string& currency) {
  return base::bool_or(lift, "known") ? money_of(lift, "low", currency) + " … " + money_of(lift, "high", currency) : "too few";
}

report::Series series_of(const char* name, const base::Json& weeks, const std::pair<const char*, double>& field_and_unit) {
  const auto& [field, unit] = field_and_unit;
  const double start = std::string_view(field_and_unit.first) == "so_far" ? 0 : NAN;  // before the first week nothing differs
  report::Series series{name, {start}, {start}, {start}};
  for (const auto& week : weeks) {
    const base::Json& lift = week[field];
    const bool known = base::bool_or(lift, "known");
    series.y.push_back(known ? base::real_or(lift, "difference") / unit : NAN);
    series.low.push_back(known ? base::real_or(lift, "low") / unit : NAN);
    series.high.push_back(known ? base::real_or(lift, "high") / unit : NAN);
  }
  return series;
}

report::Chart weekly_chart(const base::Json& weekly, const std::string& currency) {
  report::Chart chart;
  chart.kind = report::ChartKind::kLines;
  chart.title = "Lift per customer, week by week";
  chart.x_label = "weeks since the first treatment";
  chart.y_label = "difference to the held-out";
  chart.unit = currency;
  chart.x.push_back(0);
  for (const auto& week : weekly["weeks"]) {
    chart.x.push_back(static_cast<double>(base::int_or(week, "week")));
  }
  const double unit = std::pow(10.0, base::Currency::parse(currency).value_or({}).decimals());
  chart.series = {series_of("all weeks up to here, 95 % interval", weekly["weeks"], {"so_far", unit}),
                  series_of("this week alone, 95 % interval", weekly["weeks"], {"lift", unit})};
  chart.marks = {{base::real_or(weekly, "end_week"), "the campaign ends"}};
  chart.note = "The line of all weeks says what is left in the end: weeks below zero after those above it mean that sales were pulled forward.";
  return chart;
}

}  // namespace

report::Section lasting_section(const base::Json& ages, const std::string& currency) {
  const base::Json& weekly = ages["weekly"];
  const base::Json& weeks = weekly["weeks"];
  report::Section section;
  section.heading = "Does it last";
  const bool net = base::string_or(weekly, "metric") == "net_margin";
  section.paragraphs = {std::string(net ? "Profit, net of returns so far and expected" : "Profit, net of returns so far") +
                        ", whole audience by assignment, by week since each customer's first treatment. A week holds only customers whose week is over, so "
                        "that all are compared at equal age. Watched for as many weeks after the end as the campaign lasted (" +
                        std::to_string(weeks.size()) + " of " + std::to_string(base::int_or(weekly, "weeks_watched")) + " weeks so far). Grade: randomised."};
  if (weeks.empty()) {
    section.callouts.push_back({report::CalloutKind::kNotice, "No customer's first week is over yet."});
    return section;
  }
  section.charts = {weekly_chart(weekly, currency)};
  report::Table table;
  table.columns = {{"week", Align::kRight}, {"with", Align::kRight}, {"held out", Align::kRight}, {"waiting", Align::kRight}, {"lift of the week", Align::kRight, currency},
                   {"95 % interval", Align::kRight}, {"all weeks so far", Align::kRight, currency}, {"95 % interval", Align::kRight}};
  for (const auto& week : weeks) {
    const base::Json& lift = week["lift"];
    const base::Json& so_far = week["so_far"];
    const std::int64_t number = base::int_or(week, "week");
    const bool after = static_cast<double>(number) - 1 >= base::real_or(weekly, "end_week");
    table.rows.push_back({std::to_string(number) + (after ? " (after the end)" : ""), base::with_thousands(base::int_or(lift, "treated")),
                          base::with_thousands(base::int_or(lift, "control")), base::with_thousands(base::int_or(week, "waiting")),
                          money_of(lift, "difference", currency), interval_of(lift, currency), money_of(so_far, "difference", currency), interval_of(so_far, currency)});
  }
  section.tables = {table};
  return section;
}

report::Section restated_section(const base::Json& ages, const std::string& currency) {
  report::Section section;
  section.heading = "Profit after returns";
  const base::Json& returns = ages["returns"];
  if (returns.contains("unknown")) {
    section.callouts.push_back({report::CalloutKind::kWarning, "What will still come back is not foreseen (" + base::string_or(returns, "unknown") +
                                                                   "): recent sales look better than they may end."});
  } else {
    char text[200];
    std::snprintf(text, sizeof text, "Of all sales %.1f %% come back in the end, half of those within %.1f days and 95 %% within %.1f, learned from %lld returns. ",
                  100 * base::real_or(returns, "rate"), base::real_or(returns, "median_days"), base::real_or(returns, "ripe_days"),
                  static_cast<long long>(base::int_or(returns, "returns")));
    section.paragraphs.push_back(std::string(text) + "Expected returns go by category and by how old each purchase is.");
  }
  report::Table table;
  table.title = "Lift in profit per customer, whole audience, as it was known";
  table.columns = {{"known", Align::kLeft}, {"so far", Align::kRight, currency}, {"expected returns", Align::kRight, currency},
                   {"net of returns so far and expected", Align::kRight, currency}, {"95 % interval", Align::kRight}};
  for (const auto& row : ages["restated"]) {
    const std::int64_t days = base::int_or(row, "days_after_end");
    const base::Json& margin = row["margin"];
    const base::Json& net = row["net_margin"];
    const bool known = base::bool_or(row, "returns_known") && base::bool_or(margin, "known");
    table.rows.push_back({days < 0 ? std::string("now") : std::to_string(days) + " days after the end", money_of(margin, "difference", currency),
                          known ? amount(std::llround(base::real_or(net, "difference") - base::real_or(margin, "difference")), currency) : "not foreseen",
                          known ? money_of(net, "difference", currency) : "–", known ? interval_of(net, currency) : "–"});
  }
  table.note = "Restated 30, 60 and 90 days after the end, as time passes.";
  section.tables = {table};
  if (!returns.contains("unknown")) {
    report::Table by_category;
    by_category.title = "Returns by category";
    by_category.columns = {{"category", Align::kLeft}, {"lines sold in a year", Align::kRight}, {"returned so far", Align::kRight}, {"in the end", Align::kRight}};
    for (const auto& row : returns["categories"]) {
      by_category.rows.push_back({base::string_or(row, "category"), base::with_thousands(base::int_or(row, "lines")),
                                  base::with_thousands(base::int_or(row, "returned")), percent(base::real_or(row, "rate"))});
    }
    by_category.note = "Shrunk towards the whole shop by 20 lines.";
    section.tables.push_back(by_category);
  }
  return section;
}

}  // namespace beckon::engine
