// The page of beckon evaluate price.
#include <algorithm>
#include <cmath>

#include "answer.h"
#include "beckon/base/progress.h"
#include "price_parts.h"

namespace beckon::study {
namespace {

using report::Align;

constexpr std::size_t kGroupsShown = 30;
constexpr std::size_t kColumnsShown = 15;

std::string two(double value) {
  if (!std::isfinite(value)) {
    return "–";
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", value);
  return text;
}
std::string range(const stats::Interval& interval) { return two(interval.low) + " … " + two(interval.high); }
std::string range(const price::Shrunk& shrunk) { return two(shrunk.low) + " … " + two(shrunk.high); }
std::string shown_between(const stats::Interval& interval) { return shown(interval.low) + " … " + shown(interval.high); }

std::string grade_text(const std::string& grade) {
  return grade == "randomised" ? "the price was drawn" : grade == "adjusted" ? "as good as the columns adjusted for" : "the price follows something else";
}

std::vector<report::Figure> figures(const PriceRequest& request, const PriceData& data, const PriceStudy& study) {
  const price::Elasticity& pooled = study.pooled;
  return {{"Elasticity", two(pooled.elasticity.estimate), percent(request.level, 0) + ": " + range(pooled.elasticity)},
          {"Grade", study.grade, grade_text(study.grade), study.grade == "not credible" ? report::Tone::kWarning : report::Tone::kGood},
          {"Rows", base::with_thousands(static_cast<std::int64_t>(data.index.size())),
           base::with_thousands(pooled.variation.distinct_prices) + " different prices"},
          {"Variation used", percent(pooled.variation.residual_share, 0), "of the variance of log price"}};
}

report::Section warnings_section(const PriceStudy& study) {
  report::Section section;
  section.paragraphs.push_back("Elasticity: by how many percent the quantity changes when the price rises by one percent. Method: " + study.method + ".");
  for (const auto& warning : study.warnings) {
    section.callouts.push_back({report::CalloutKind::kWarning, warning.text});
  }
  if (study.plain.has_value()) {
    section.paragraphs.push_back("Without cells and columns the same rows would say " + two(study.plain->elasticity.estimate) + " (" +
                                 range(study.plain->elasticity) + ").");
  }
  return section;
}

report::Chart quantity_chart(const PriceRequest& request, const price::DoseCurve& curve) {
  report::Chart chart;
  chart.kind = report::ChartKind::kLines;
  chart.title = "Expected " + request.quantity + " over " + request.price;
  chart.x_label = request.price;
  chart.y_label = request.quantity + " per row, " + percent(request.level, 0) + " interval";
  report::Series series{request.quantity, {}, {}, {}};
  for (const auto& point : curve.points) {
    chart.x.push_back(point.price);
    series.y.push_back(point.quantity.estimate);
    series.low.push_back(point.quantity.low);
    series.high.push_back(point.quantity.high);
  }
  chart.series = {series};
  chart.note = "Falling and smooth by construction; only prices that were seen.";
  return chart;
}

report::Chart group_curve_chart(const PriceData& data, const PriceStudy& study) {
  report::Chart chart;
  chart.kind = report::ChartKind::kLines;
  chart.title = "Quantity over discount depth, by group";
  chart.x_label = "depth, % below the public price";
  chart.y_label = "times the quantity at depth 0 of the group";
  for (double depth = 0; depth <= 60; depth += 5) {
    chart.x.push_back(depth);
  }
  constexpr std::size_t kLinesMost = 5;  // names of more do not fit beside one another
  for (std::size_t c = 0; c < study.curves.size() && c < kLinesMost; ++c) {
    report::Series series{data.groups[study.curves[c].group].name, {}, {}, {}};
    for (const double depth : chart.x) {
      const auto point = study.curves[c].curve.at_depth(depth / 100);
      series.y.push_back(point.ok() ? point->relative.estimate : std::nan(""));
    }
    chart.series.push_back(std::move(series));
  }
  chart.note = "Each group has its own public price: its highest seen, or the one that was given.";
  return chart;
}

report::Table depth_table(const PriceRequest& request, const PriceStudy& study) {
  report::Table table;
  table.title = "What each depth is worth, per row";
  table.columns = {{"depth", Align::kRight}, {request.price, Align::kRight}, {request.quantity, Align::kRight}, {"interval", Align::kRight},
                   {"times depth 0", Align::kRight}, {request.unit_cost > 0 ? "profit" : "revenue", Align::kRight}, {"interval", Align::kRight}};
  for (const auto& value : study.depths) {
    const auto point = study.curve->at_depth(value.depth);
    table.rows.push_back({percent(value.depth, 0), shown(point->price), shown(point->quantity.estimate), shown_between(point->quantity),
                          two(point->relative.estimate), shown(value.profit.estimate), shown_between(value.profit)});
  }
  table.note = "Depth 0 is the public price of " + shown(study.curve->public_price) + "; nothing above it is offered. Unit cost " + shown(request.unit_cost) + ".";
  return table;
}

report::Chart group_chart(const PriceData& data, const PriceStudy& study) {
  report::Chart chart;
  chart.kind = report::ChartKind::kPoints;
  chart.title = "Elasticity by group";
  chart.y_label = "elasticity with interval";
  report::Series raw{"as measured", {}, {}, {}};
  report::Series shrunk{"shrunk", {}, {}, {}};
  for (std::size_t g = 0; g < study.groups.size() && g < kGroupsShown; ++g) {
    const bool measured = study.groups[g].identified;
    chart.categories.push_back(data.groups[g].name);
    raw.y.push_back(measured ? study.groups[g].elasticity.estimate : std::nan(""));
    raw.low.push_back(measured ? study.groups[g].elasticity.low : std::nan(""));
    raw.high.push_back(measured ? study.groups[g].elasticity.high : std::nan(""));
    shrunk.y.push_back(study.shrinkage.groups[g].value);
    shrunk.low.push_back(study.shrinkage.groups[g].low);
    shrunk.high.push_back(study.shrinkage.groups[g].high);
  }
  chart.series = {shrunk, raw};
  return chart;
}

report::Section groups_section(const PriceRequest& request, const PriceData& data, const PriceStudy& study) {
  report::Section section;
  section.heading = "By " + listed(request.by, 4);
  section.paragraphs.push_back("Shrunk: pulled towards the " + (request.by.size() > 1 ? "mean of its " + request.by.front() : std::string("mean of the groups")) +
                               " by as much as its noise deserves. The groups differ by " + two(study.shrinkage.between) + " around it (one deviation).");
  if (std::ranges::any_of(study.groups, [](const auto& group) { return group.identified; })) {
    section.charts.push_back(group_chart(data, study));
  }
  if (!study.curves.empty()) {
    section.charts.push_back(group_curve_chart(data, study));
  }
  report::Table table;
  table.columns = {{"group", Align::kLeft}, {"shrunk", Align::kRight}, {"as measured", Align::kRight}, {"rows", Align::kRight},
                   {"prices", Align::kRight}, {"variation used", Align::kRight}};
  for (std::size_t g = 0; g < study.groups.size() && g < kGroupsShown; ++g) {
    const price::Elasticity& own = study.groups[g];
    const price::Shrunk& shrunk = study.shrinkage.groups[g];
    table.rows.push_back({data.groups[g].name, two(shrunk.value) + " (" + range(shrunk) + ")",
                          own.identified ? two(own.elasticity.estimate) + " (" + range(own.elasticity) + ")" : "–", base::with_thousands(own.variation.rows),
                          base::with_thousands(own.variation.distinct_prices), percent(own.variation.residual_share, 0)});
  }
  if (study.groups.size() > kGroupsShown) {
    table.note = "The " + std::to_string(kGroupsShown) + " groups with most rows of " +
                 base::with_thousands(static_cast<std::int64_t>(study.groups.size())) + "; all are in report.json.";
  }
  section.tables.push_back(std::move(table));
  return section;
}

report::Table predictor_table(const price::Predictability& predicted, const std::string& title) {
  report::Table table;
  table.title = title;
  table.columns = {{"column", Align::kLeft}, {"R² alone", Align::kRight}, {"p, all columns", Align::kRight}, {"predicts", Align::kLeft}};
  for (std::size_t c = 0; c < predicted.columns.size() && c < kColumnsShown; ++c) {
    const price::Finding& finding = predicted.columns[c];
    char p[32];
    std::snprintf(p, sizeof p, "%.3f", finding.p_value);
    table.rows.push_back({finding.column, percent(std::max(0.0, finding.r2), 1), p, finding.predicts ? "yes" : "no"});
  }
  if (predicted.columns.size() > kColumnsShown) {
    table.note = "The first " + std::to_string(kColumnsShown) + " of " + std::to_string(predicted.columns.size()) + ".";
  }
  return table;
}

report::Section credibility_section(const PriceStudy& study) {
  report::Section section;
  section.heading = "Was the price set at random?";
  const price::Predictability& predicted = study.predicted;
  if (predicted.columns.empty()) {
    section.paragraphs.push_back("No other column is there to be asked.");
  } else {
    section.paragraphs.push_back("Columns that were known before the price are asked whether they predict it for rows that the prediction has not seen. Together they "
                                 "explain " + percent(std::max(0.0, predicted.r2), 1) + " of its variance (" + percent(std::max(0.0, predicted.r2_low), 1) + " … " +
                                 percent(std::max(0.0, predicted.r2_high), 1) + "); p-values come from permutations of the price and hold for all columns together.");
    section.tables.push_back(predictor_table(predicted, study.declared ? "Inside the cells" : "Over all rows"));
  }
  if (study.predicted_in_groups.has_value() && !study.predicted_in_groups->columns.empty()) {
    section.tables.push_back(predictor_table(*study.predicted_in_groups, "Inside the groups"));
  }
  if (!study.left_out.empty()) {
    report::Table table;
    table.title = "Not asked";
    table.columns = {{"column", Align::kLeft}, {"why", Align::kLeft}};
    for (const auto& one : study.left_out) {
      table.rows.push_back({one.column, one.why});
    }
    section.tables.push_back(std::move(table));
  }
  return section;
}

report::Section rows_section(const PriceData& data, const PriceStudy& study) {
  report::Section section;
  section.heading = "Rows and notes";
  const std::pair<const char*, std::int64_t> counts[] = {{"read", data.rows_read},
                                                         {"outside --where", data.outside_condition},
                                                         {"without a price", data.price_missing},
                                                         {"price of 0 or less", data.price_not_positive},
                                                         {"without a quantity", data.quantity_missing},
                                                         {"negative quantity", data.quantity_negative},
                                                         {"used", static_cast<std::int64_t>(data.index.size())}};
  report::Table table;
  table.columns = {{"rows", Align::kLeft}, {"count", Align::kRight}};
  for (const auto& [name, count] : counts) {
    if (count > 0) {
      table.rows.push_back({name, base::with_thousands(count)});
    }
  }
  section.tables.push_back(std::move(table));
  for (const auto& note : study.notes) {
    section.paragraphs.push_back(note + ".");
  }
  return section;
}

}  // namespace

report::Page price_page(const PriceRequest& request, const PriceData& data, const PriceStudy& study) {
  report::Page page;
  page.title = "What the price does to " + request.quantity;
  page.subtitle = data.table.name() + ": " + request.quantity + " over " + request.price;
  page.figures = figures(request, data, study);
  page.sections.push_back(warnings_section(study));
  if (study.curve.has_value()) {
    report::Section section;
    section.heading = "Price response";
    section.charts.push_back(quantity_chart(request, *study.curve));
    section.tables.push_back(depth_table(request, study));
    page.sections.push_back(std::move(section));
  }
  if (!data.groups.empty()) {
    page.sections.push_back(groups_section(request, data, study));
  }
  page.sections.push_back(credibility_section(study));
  page.sections.push_back(rows_section(data, study));
  return page;
}

}  // namespace beckon::study
