// Lines, scatters and reliability: x along the bottom, values up the side.
#include <algorithm>
#include <cmath>

#include "svg.h"
#include "text.h"

namespace beckon::report {
namespace {

constexpr int kWidth = 720;
constexpr int kHeight = 320;

int height_of(const Chart& chart) { return chart.x_label.empty() ? kHeight - 20 : kHeight; }

struct Frame {
  Scale x;
  Scale y;
  bool categories = false;
  double place_x(const Chart& chart, std::size_t i) const {
    return categories ? x.place(static_cast<double>(i)) : x.place(chart.x[i]);
  }
};

Frame make_frame(const Chart& chart, double top) {
  Frame frame;
  frame.categories = !chart.categories.empty();
  const bool reliability = chart.kind == ChartKind::kReliability;
  std::vector<double> ys = all_values(chart);
  if (reliability) {  // one range for both axes, so that the diagonal is one
    ys.insert(ys.end(), chart.x.begin(), chart.x.end());
  }
  // A line of values far from 0 would be flat with 0 in the picture; shares and money near 0 keep it.
  double low = INFINITY;
  double high = -INFINITY;
  for (const double value : ys) {
    if (std::isfinite(value)) {
      low = std::min(low, value);
      high = std::max(high, value);
    }
  }
  const bool far_from_zero = (low > 0 && low > 0.6 * high) || (high < 0 && high < 0.6 * low);
  frame.y = round_scale(ys, reliability || !far_from_zero, 5);
  if (frame.categories) {
    frame.x.from = 0;
    frame.x.to = std::max(1.0, static_cast<double>(chart.categories.size()) - 1);
  } else {
    frame.x = reliability ? frame.y : round_scale(chart.x, false, 7);
  }
  double widest = 0;
  for (const double tick : frame.y.ticks()) {
    widest = std::max(widest, text_width(number_text(tick, frame.y.decimals)));
  }
  frame.x.at_from = widest + 14;
  frame.x.at_to = kWidth - 24;
  frame.y.at_from = kHeight - 48;
  frame.y.at_to = top;
  return frame;
}

void category_ticks(Svg& svg, const Chart& chart, const Frame& frame) {
  double widest = 0;
  for (const auto& category : chart.categories) {
    widest = std::max(widest, text_width(category) + 14);
  }
  const double pitch = (frame.x.at_to - frame.x.at_from) / std::max(1.0, frame.x.to);
  const auto every = std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil(widest / pitch)));
  for (std::size_t i = 0; i < chart.categories.size(); i += every) {
    const double x = frame.x.place(static_cast<double>(i));
    svg.text({x, frame.y.at_from + 17}, chart.categories[i], "middle", "tick");
  }
}

void axes(Svg& svg, const Chart& chart, const Frame& frame) {
  for (const double tick : frame.y.ticks()) {
    const double y = frame.y.place(tick);
    svg.line({frame.x.at_from, y}, {frame.x.at_to, y}, tick == 0 ? "axis" : "grid");
    svg.text({frame.x.at_from - 8, y + 4}, number_text(tick, frame.y.decimals), "end", "tick");
  }
  if (frame.categories) {
    category_ticks(svg, chart, frame);
  } else {
    for (const double tick : frame.x.ticks()) {
      svg.text({frame.x.place(tick), frame.y.at_from + 17}, number_text(tick, frame.x.decimals), "middle", "tick");
    }
  }
  svg.text({(frame.x.at_from + frame.x.at_to) / 2, kHeight - 10}, chart.x_label, "middle", "label");
  std::string label = chart.y_label;
  if (!chart.unit.empty()) {
    label += label.empty() ? chart.unit : " (" + chart.unit + ")";
  }
  svg.text({0, 14}, label, "start", "label");
}

void band(Svg& svg, const Chart& chart, const Frame& frame, std::size_t s) {
  const Series& series = chart.series[s];
  std::vector<Svg::Point> outline;
  for (std::size_t i = 0; i < series.high.size(); ++i) {
    if (std::isfinite(series.high[i]) && std::isfinite(series.low[i])) {
      outline.push_back({frame.place_x(chart, i), frame.y.place(series.high[i])});
    }
  }
  for (std::size_t i = series.low.size(); i-- > 0;) {
    if (std::isfinite(series.high[i]) && std::isfinite(series.low[i])) {
      outline.push_back({frame.place_x(chart, i), frame.y.place(series.low[i])});
    }
  }
  svg.path(outline, true, "band " + series_class(s));
}

void whisker(Svg& svg, const Series& series, std::size_t i, std::pair<double, const Scale*> x_and_scale) {
  const auto [x, y] = x_and_scale;
  const double low = y->place(series.low[i]);
  const double high = y->place(series.high[i]);
  svg.line({x, low}, {x, high}, "whisker");
  svg.line({x - 4, low}, {x + 4, low}, "whisker");
  svg.line({x - 4, high}, {x + 4, high}, "whisker");
}

void draw_series(Svg& svg, const Chart& chart, const Frame& frame, std::size_t s) {
  const Series& series = chart.series[s];
  const bool lines = chart.kind == ChartKind::kLines;
  std::vector<Svg::Point> run;
  for (std::size_t i = 0; i < series.y.size(); ++i) {
    if (!std::isfinite(series.y[i])) {  // a gap stays a gap
      svg.path(run, false, "stroke " + series_class(s));
      run.clear();
      continue;
    }
    run.push_back({frame.place_x(chart, i), frame.y.place(series.y[i])});
  }
  if (lines) {
    svg.path(run, false, "stroke " + series_class(s));
  }
  for (std::size_t i = 0; i < series.y.size(); ++i) {
    if (!std::isfinite(series.y[i])) {
      continue;
    }
    const Svg::Point at{frame.place_x(chart, i), frame.y.place(series.y[i])};
    if (!lines && !series.low.empty()) {
      whisker(svg, series, i, {at.x, &frame.y});
    }
    svg.circle(at, lines ? (series.y.size() > 40 ? 1.5 : 3) : 5, "fill dot " + series_class(s), tip(chart, s, i));
  }
}

}  // namespace

std::string xy_chart(const Chart& chart, std::string_view language) {
  Svg svg(kWidth, height_of(chart), chart.title + " (" + words(language).chart + ")");
  const double below_label = chart.y_label.empty() && chart.unit.empty() ? 14 : 34;
  const double top = below_label + legend(svg, chart, {0, below_label}) - (needs_legend(chart) ? 6 : 8);
  const Frame frame = make_frame(chart, top);
  axes(svg, chart, frame);
  if (chart.kind == ChartKind::kReliability) {
    svg.line({frame.x.at_from, frame.y.at_from}, {frame.x.at_to, frame.y.at_to}, "ideal");
    svg.text({frame.x.at_to - 6, frame.y.place(frame.y.from + 0.93 * (frame.y.to - frame.y.from)) + 22}, words(language).ideal, "end", "tick");
  }
  for (std::size_t s = 0; s < chart.series.size(); ++s) {
    if (chart.kind == ChartKind::kLines && !chart.series[s].low.empty()) {
      band(svg, chart, frame, s);
    }
  }
  for (std::size_t s = 0; s < chart.series.size(); ++s) {
    draw_series(svg, chart, frame, s);
  }
  for (const Mark& mark : chart.marks) {
    if (!frame.categories && mark.x >= frame.x.from && mark.x <= frame.x.to) {
      const double x = frame.x.place(mark.x);
      const bool right = x > (frame.x.at_from + frame.x.at_to) / 2;  // the words stay inside the picture
      svg.line({x, frame.y.at_from}, {x, frame.y.at_to}, "ideal");
      svg.text({right ? x - 6 : x + 6, frame.y.at_to + 12}, mark.label, right ? "end" : "start", "tick");
    }
  }
  return svg.take();
}

}  // namespace beckon::report
