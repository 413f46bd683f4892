#include "beckon/base/json.h"

#include <cmath>

#include "beckon/report/report.h"
#include "text.h"

namespace beckon::report {
namespace {

using base::Json;

Json numbers(const std::vector<double>& values) {
  Json out = Json::array();
  for (const double value : values) {
    out.push_back(std::isfinite(value) ? Json(value) : Json(nullptr));
  }
  return out;
}

template <class Item, class Convert>
Json list(const std::vector<Item>& items, const Convert& convert) {
  Json out = Json::array();
  for (const auto& item : items) {
    out.push_back(convert(item));
  }
  return out;
}

Json text(const std::string& value) { return clean(value); }

Json figure_json(const Figure& figure) {
  const char* tone = figure.tone == Tone::kGood ? "good" : figure.tone == Tone::kWarning ? "warning" : "neutral";
  return {{"label", text(figure.label)}, {"value", text(figure.value)}, {"detail", text(figure.detail)}, {"tone", tone}};
}

Json table_json(const Table& table) {
  Json columns = list(table.columns, [](const Column& column) {
    return Json{{"name", text(column.name)}, {"unit", text(column.unit)}, {"align", column.align == Align::kRight ? "right" : "left"}};
  });
  Json rows = list(table.rows, [](const std::vector<std::string>& row) { return list(row, text); });
  return {{"title", text(table.title)}, {"columns", columns}, {"rows", rows}, {"note", text(table.note)}};
}

Json chart_json(const Chart& chart) {
  static constexpr const char* kKinds[] = {"bars", "lines", "points", "reliability"};
  Json series = list(chart.series, [](const Series& s) {
    return Json{{"name", text(s.name)}, {"y", numbers(s.y)}, {"low", numbers(s.low)}, {"high", numbers(s.high)}};
  });
  Json marks = list(chart.marks, [](const Mark& mark) { return Json{{"x", mark.x}, {"label", text(mark.label)}}; });
  return {{"kind", kKinds[static_cast<int>(chart.kind)]}, {"title", text(chart.title)}, {"x_label", text(chart.x_label)},
          {"y_label", text(chart.y_label)}, {"unit", text(chart.unit)}, {"categories", list(chart.categories, text)},
          {"x", numbers(chart.x)}, {"series", series}, {"note", text(chart.note)}, {"marks", marks}};
}

Json section_json(const Section& section) {
  Json callouts = list(section.callouts, [](const Callout& callout) {
    return Json{{"kind", callout.kind == CalloutKind::kWarning ? "warning" : "notice"}, {"text", text(callout.text)}};
  });
  return {{"heading", text(section.heading)}, {"paragraphs", list(section.paragraphs, text)}, {"callouts", callouts},
          {"figures", list(section.figures, figure_json)}, {"charts", list(section.charts, chart_json)},
          {"tables", list(section.tables, table_json)}};
}

}  // namespace

std::string to_json(const Page& page) {
  const Json out = {{"title", text(page.title)}, {"subtitle", text(page.subtitle)}, {"language", text(page.language)},
                    {"figures", list(page.figures, figure_json)}, {"sections", list(page.sections, section_json)},
                    {"footer", text(page.footer)}};
  return base::to_pretty(out);
}

}  // namespace beckon::report
