#pragma once
// Axes, ticks and marks shared by the charts. Coordinates are user units of the viewBox; texts are escaped here.

#include <string>
#include <string_view>
#include <vector>

#include "beckon/report/report.h"

namespace beckon::report {

struct Scale {
  double from = 0;      ///< value at the start of the axis
  double to = 1;
  double step = 0.25;   ///< between ticks
  int decimals = 2;
  double at_from = 0;   ///< coordinate of `from`
  double at_to = 1;
  double place(double value) const { return at_from + (value - from) / (to - from) * (at_to - at_from); }
  std::vector<double> ticks() const;
};

/// A round range over all finite values given, with 0 in it when asked for.
Scale round_scale(const std::vector<double>& values, bool with_zero, int ticks_about);
/// Every y, low and high of a chart.
std::vector<double> all_values(const Chart& chart);

/// Collects SVG elements.
class Svg {
 public:
  Svg(int width, int height, std::string_view label);
  struct Point {
    double x;
    double y;
  };
  void line(Point a, Point b, std::string_view css);
  void rect(Point corner, Point size, std::string_view css, std::string_view tip);
  void circle(Point centre, double radius, std::string_view css, std::string_view tip);
  void path(const std::vector<Point>& points, bool closed, std::string_view css);
  /// anchor: "start", "middle" or "end".
  void text(Point at, std::string_view words, std::string_view anchor, std::string_view css);
  std::string take();

 private:
  std::string out_;
};

/// Names of the series with their colours, left-aligned in a row; answers its height (0 for a single series without name).
double legend(Svg& svg, const Chart& chart, Svg::Point at);
bool needs_legend(const Chart& chart);
/// Width of a text in user units, roughly, for the widest of our fonts at 12 px.
constexpr double kColumnWidth = 7.2;
double text_width(std::string_view text);
/// "s0" … "s5", repeating.
std::string series_class(std::size_t index);
/// "Name, category: 12 % (8 – 16)"
std::string tip(const Chart& chart, std::size_t series, std::size_t index);

/// The whole <svg> of a chart.
std::string rows_chart(const Chart& chart, std::string_view language);
std::string xy_chart(const Chart& chart, std::string_view language);

}  // namespace beckon::report
