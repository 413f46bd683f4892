#include "svg.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "text.h"

namespace beckon::report {
namespace {

std::string number(double value) {
  std::array<char, 40> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.1f", std::isfinite(value) ? value : 0.0);
  std::string text = buffer.data();
  if (text.size() > 2 && text.ends_with(".0")) {
    text.resize(text.size() - 2);
  }
  return text == "-0" ? "0" : text;
}

}  // namespace

std::vector<double> Scale::ticks() const {
  std::vector<double> out;
  const auto count = static_cast<int>(std::lround((to - from) / step));
  for (int i = 0; i <= count; ++i) {
    const double value = from + i * step;
    out.push_back(std::abs(value) < step * 1e-9 ? 0 : value);
  }
  return out;
}

Scale round_scale(const std::vector<double>& values, bool with_zero, int ticks_about) {
  double low = with_zero ? 0 : std::numeric_limits<double>::infinity();
  double high = with_zero ? 0 : -low;
  for (const double value : values) {
    if (std::isfinite(value)) {
      low = std::min(low, value);
      high = std::max(high, value);
    }
  }
  if (!(low <= high)) {
    low = 0;
    high = 1;
  }
  if (low == high) {
    low -= low == 0 ? 0 : std::abs(low) / 2;
    high += high == 0 ? 1 : std::abs(high) / 2;
  }
  Scale scale;
  const double raw = (high - low) / ticks_about;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  const double lead = raw / power;
  const double nice = lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 2.5 ? 2.5 : lead <= 5 ? 5 : 10;
  scale.step = nice * power;
  scale.from = std::floor(low / scale.step + 1e-9) * scale.step;
  scale.to = std::ceil(high / scale.step - 1e-9) * scale.step;
  scale.decimals = std::clamp(static_cast<int>(-std::floor(std::log10(scale.step) + 1e-9)) + (nice == 2.5 ? 1 : 0), 0, 9);
  return scale;
}

std::vector<double> all_values(const Chart& chart) {
  std::vector<double> values;
  for (const auto& series : chart.series) {
    for (const auto* part : {&series.y, &series.low, &series.high}) {
      values.insert(values.end(), part->begin(), part->end());
    }
  }
  return values;
}

Svg::Svg(int width, int height, std::string_view label) {
  out_ = "<svg viewBox=\"0 0 " + std::to_string(width) + " " + std::to_string(height) + "\" role=\"img\" aria-label=\"" +
         escape(label) + "\">\n";
}

void Svg::line(Point a, Point b, std::string_view css) {
  out_ += "<line class=\"" + std::string(css) + "\" x1=\"" + number(a.x) + "\" y1=\"" + number(a.y) + "\" x2=\"" + number(b.x) +
          "\" y2=\"" + number(b.y) + "\"/>\n";
}

void Svg::rect(Point corner, Point size, std::string_view css, std::string_view tip_text) {
  out_ += "<rect class=\"" + std::string(css) + "\" x=\"" + number(corner.x) + "\" y=\"" + number(corner.y) + "\" width=\"" +
          number(size.x) + "\" height=\"" + number(size.y) + "\" rx=\"2\"><title>" + escape(tip_text) + "</title></rect>\n";
}

void Svg::circle(Point centre, double radius, std::string_view css, std::string_view tip_text) {
  out_ += "<circle class=\"" + std::string(css) + "\" cx=\"" + number(centre.x) + "\" cy=\"" + number(centre.y) + "\" r=\"" +
          number(radius) + "\"><title>" + escape(tip_text) + "</title></circle>\n";
}

void Svg::path(const std::vector<Point>& points, bool closed, std::string_view css) {
  if (points.empty()) {
    return;
  }
  std::string d;
  for (const auto& point : points) {
    d += (d.empty() ? "M" : "L") + number(point.x) + " " + number(point.y);
  }
  out_ += "<path class=\"" + std::string(css) + "\" d=\"" + d + (closed ? "Z" : "") + "\"/>\n";
}

void Svg::text(Point at, std::string_view words_to_show, std::string_view anchor, std::string_view css) {
  out_ += "<text class=\"" + std::string(css) + "\" x=\"" + number(at.x) + "\" y=\"" + number(at.y) + "\" text-anchor=\"" +
          std::string(anchor) + "\">" + escape(words_to_show) + "</text>\n";
}

std::string Svg::take() { return std::move(out_) + "</svg>\n"; }

bool needs_legend(const Chart& chart) { return chart.series.size() > 1; }

double text_width(std::string_view text) { return kColumnWidth * display_width(text); }

std::string series_class(std::size_t index) { return "s" + std::to_string(index % 6); }

double legend(Svg& svg, const Chart& chart, Svg::Point at) {
  if (!needs_legend(chart)) {
    return 0;
  }
  double x = at.x;
  for (std::size_t s = 0; s < chart.series.size(); ++s) {
    svg.rect({x, at.y - 9}, {10, 10}, "fill " + series_class(s), chart.series[s].name);
    svg.text({x + 16, at.y}, chart.series[s].name, "start", "legend");
    x += 16 + text_width(chart.series[s].name) + 22;
  }
  return 24;
}

std::string tip(const Chart& chart, std::size_t series, std::size_t index) {
  const Series& s = chart.series[series];
  std::string text = s.name;
  const std::string where = !chart.categories.empty() ? chart.categories[index] : value_text(chart.x[index], "");
  text += (text.empty() ? "" : ", ") + where + ": " + value_text(s.y[index], chart.unit);
  if (!s.low.empty()) {
    text += " (" + value_text(s.low[index], "") + " – " + value_text(s.high[index], chart.unit) + ")";
  }
  return text;
}

}  // namespace beckon::report
