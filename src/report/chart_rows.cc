// Bars, and points with intervals: a row per category, values along the bottom.
#include <algorithm>
#include <cmath>

#include "svg.h"
#include "text.h"

namespace beckon::report {
namespace {

constexpr int kWidth = 720;
constexpr double kLabelMax = 240;
constexpr double kBar = 16;
constexpr double kGap = 12;

void value_axis(Svg& svg, const Chart& chart, const Scale& scale, Svg::Point top_and_bottom) {
  for (const double tick : scale.ticks()) {
    const double x = scale.place(tick);
    svg.line({x, top_and_bottom.x}, {x, top_and_bottom.y}, tick == 0 ? "axis" : "grid");
    svg.text({x, top_and_bottom.y + 17}, number_text(tick, scale.decimals), "middle", "tick");
  }
  std::string label = chart.y_label;
  if (!chart.unit.empty()) {
    label += label.empty() ? chart.unit : " (" + chart.unit + ")";
  }
  svg.text({(scale.at_from + scale.at_to) / 2, top_and_bottom.y + 36}, label, "middle", "label");
}

void interval(Svg& svg, const Scale& scale, Svg::Point low_and_high, double y) {
  const double a = scale.place(low_and_high.x);
  const double b = scale.place(low_and_high.y);
  svg.line({a, y}, {b, y}, "whisker");
  svg.line({a, y - 4}, {a, y + 4}, "whisker");
  svg.line({b, y - 4}, {b, y + 4}, "whisker");
}

void mark(Svg& svg, const Chart& chart, const Scale& scale, std::pair<std::size_t, std::size_t> series_and_index, double y) {
  const auto [s, i] = series_and_index;
  const Series& series = chart.series[s];
  if (!std::isfinite(series.y[i])) {
    return;
  }
  const double x = scale.place(series.y[i]);
  const bool has_interval = !series.low.empty();
  double end = x;
  if (chart.kind == ChartKind::kBars) {
    const double zero = scale.place(0);
    svg.rect({std::min(zero, x), y - kBar / 2}, {std::abs(x - zero), kBar}, "fill " + series_class(s), tip(chart, s, i));
  }
  if (has_interval) {
    interval(svg, scale, {series.low[i], series.high[i]}, y);
    end = std::max(x, scale.place(series.high[i]));
  }
  if (chart.kind == ChartKind::kPoints) {
    svg.circle({x, y}, 5, "fill dot " + series_class(s), tip(chart, s, i));
  }
  svg.text({std::max(end, scale.place(std::max(scale.from, 0.0))) + 8, y + 4}, value_text(series.y[i], chart.unit), "start", "value");
}

}  // namespace

std::string rows_chart(const Chart& chart, std::string_view language) {
  const bool bars = chart.kind == ChartKind::kBars;
  const std::size_t per_row = std::max<std::size_t>(1, chart.series.size());
  double label_width = 0;
  for (const auto& category : chart.categories) {
    label_width = std::max(label_width, text_width(category));
  }
  label_width = std::min(label_width + 6, kLabelMax);
  double value_width = 0;
  for (const auto& series : chart.series) {
    for (const double y : series.y) {
      value_width = std::max(value_width, text_width(value_text(y, chart.unit)));
    }
  }
  const double row = static_cast<double>(per_row) * (bars ? kBar + 2 : 20) + kGap;
  const double top = needs_legend(chart) ? 34 : 10;
  const double bottom = top + row * static_cast<double>(chart.categories.size());
  const bool labelled = !chart.y_label.empty() || !chart.unit.empty();
  Svg svg(kWidth, static_cast<int>(bottom + (labelled ? 46 : 26)), chart.title + " (" + words(language).chart + ")");
  legend(svg, chart, {label_width + 12, 14});
  Scale scale = round_scale(all_values(chart), true, 6);
  scale.at_from = label_width + 12;
  scale.at_to = kWidth - value_width - 16;
  value_axis(svg, chart, scale, {top, bottom});
  for (std::size_t i = 0; i < chart.categories.size(); ++i) {
    const double middle = top + row * (static_cast<double>(i) + 0.5);
    svg.text({label_width, middle + 4}, cut(clean(chart.categories[i]), static_cast<int>(kLabelMax / kColumnWidth)), "end", "category");
    for (std::size_t s = 0; s < chart.series.size(); ++s) {
      const double pitch = bars ? kBar + 2 : 20;
      const double offset = (static_cast<double>(s) - (static_cast<double>(per_row) - 1) / 2) * pitch;
      mark(svg, chart, scale, {s, i}, middle + offset);
    }
  }
  return svg.take();
}

}  // namespace beckon::report
