#include <algorithm>

#include "beckon/base/check.h"
#include "style.h"
#include "svg.h"
#include "text.h"

namespace beckon::report {
namespace {

std::string element(std::string_view name_and_attributes, std::string_view text) {
  const std::string name(name_and_attributes.substr(0, name_and_attributes.find(' ')));
  return "<" + std::string(name_and_attributes) + ">" + escape(text) + "</" + name + ">\n";
}

std::string optional(std::string_view name_and_attributes, std::string_view text) {
  return text.empty() ? std::string() : element(name_and_attributes, text);
}

std::string figures_html(const std::vector<Figure>& figures) {
  if (figures.empty()) {
    return {};
  }
  std::string out = "<div class=\"figures\">\n";
  for (const auto& figure : figures) {
    const char* tone = figure.tone == Tone::kGood ? " good" : figure.tone == Tone::kWarning ? " caution" : "";
    out += "<div class=\"figure" + std::string(tone) + "\">\n";
    out += element("div class=\"figure-label\"", figure.label);
    out += element("div class=\"figure-value\"", figure.value);
    out += optional("div class=\"figure-detail\"", figure.detail);
    out += "</div>\n";
  }
  return out + "</div>\n";
}

std::string callout_html(const Callout& callout, std::string_view language) {
  const bool warning = callout.kind == CalloutKind::kWarning;
  const auto& own = words(language);
  return std::string("<div class=\"callout ") + (warning ? "warning" : "notice") + "\" role=\"note\"><strong>" +
         (warning ? own.warning : own.notice) + "</strong> " + escape(callout.text) + "</div>\n";
}

std::string table_html(const Table& table) {
  std::string out = "<div class=\"table-scroll\"><table>\n" + optional("caption", table.title) + "<thead><tr>";
  const auto css = [&](std::size_t c) { return table.columns[c].align == Align::kRight ? " class=\"right\"" : ""; };
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    const Column& column = table.columns[c];
    out += "<th scope=\"col\"" + std::string(css(c)) + ">" + escape(column.name);
    out += column.unit.empty() ? "" : " <span class=\"unit\">" + escape(column.unit) + "</span>";
    out += "</th>";
  }
  out += "</tr></thead>\n<tbody>\n";
  for (const auto& row : table.rows) {
    BECKON_CHECK(row.size() == table.columns.size());
    out += "<tr>";
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string open = c == 0 ? "th scope=\"row\"" : "td";
      out += "<" + open + css(c) + ">" + escape(row[c]) + (c == 0 ? "</th>" : "</td>");
    }
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n" + optional("p class=\"note\"", table.note);
}

void check_chart(const Chart& chart) {
  const std::size_t n = chart.categories.empty() ? chart.x.size() : chart.categories.size();
  for (const auto& series : chart.series) {
    BECKON_CHECK(series.y.size() == n);
    BECKON_CHECK(series.low.size() == series.high.size() && (series.low.empty() || series.low.size() == n));
  }
}

std::string chart_html(const Chart& chart, std::string_view language) {
  check_chart(chart);
  const bool rows = !chart.categories.empty() && (chart.kind == ChartKind::kBars || chart.kind == ChartKind::kPoints);
  BECKON_CHECK(rows || chart.kind != ChartKind::kBars);
  return "<figure>\n" + optional("figcaption", chart.title) + (rows ? rows_chart(chart, language) : xy_chart(chart, language)) +
         optional("p class=\"note\"", chart.note) + "</figure>\n";
}

std::string section_html(const Section& section, std::string_view language) {
  std::string out = "<section>\n" + optional("h2", section.heading);
  for (const auto& paragraph : section.paragraphs) {
    out += element("p", paragraph);
  }
  for (const auto& callout : section.callouts) {
    out += callout_html(callout, language);
  }
  out += figures_html(section.figures);
  for (const auto& chart : section.charts) {
    out += chart_html(chart, language);
  }
  for (const auto& table : section.tables) {
    out += table_html(table);
  }
  return out + "</section>\n";
}

}  // namespace

std::string to_html(const Page& page) {
  // The policy is a second lock behind escape(): even a mark-up that slipped through could not run or load anything.
  std::string out = "<!DOCTYPE html>\n<html lang=\"" + escape(page.language == "zh" ? "zh-CN" : page.language) +
                    "\">\n<head>\n<meta charset=\"utf-8\"/>\n"
                    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n"
                    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
                    "<meta name=\"color-scheme\" content=\"light dark\"/>\n" +
                    element("title", page.title) + "<style>\n" + kStyle + "</style>\n</head>\n<body>\n<main>\n<header>\n" +
                    element("h1", page.title) + optional("p class=\"subtitle\"", page.subtitle) + "</header>\n" +
                    figures_html(page.figures);
  for (const auto& section : page.sections) {
    out += section_html(section, page.language);
  }
  return out + optional("footer", page.footer) + "</main>\n</body>\n</html>\n";
}

}  // namespace beckon::report
