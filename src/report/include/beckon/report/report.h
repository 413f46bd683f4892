#pragma once
// Shows results; computes nothing. One Page, three forms: terminal text, one self-contained HTML file, JSON.
//
// All text is UTF-8 and is treated as data: markup, control and escape characters in it cannot do anything (bytes that are not
// UTF-8 become U+FFFD). The HTML has no script and refers to nothing outside itself; it is well-formed XML as well. Functions are
// pure and thread-safe. Numbers arrive as formatted text, except in charts, where doubles are needed to draw.

#include <string>
#include <string_view>
#include <vector>

namespace beckon::report {

enum class Align { kLeft, kRight };

struct Column {
  std::string name;
  Align align = Align::kLeft;
  std::string unit = {};  ///< shown beside the name, e.g. "EUR"
};

struct Table {
  std::string title = {};
  std::vector<Column> columns = {};
  std::vector<std::vector<std::string>> rows = {};  ///< each as long as `columns`
  std::string note = {};
};

/// kBars: a horizontal bar per category and series. kLines: over x or categories, low/high as a band. kPoints: with categories a row per
/// category with its interval and a line at 0 (where one cannot tell from 0, one sees it); with numbers a scatter.
/// kReliability: predicted (x) against observed (y) with the diagonal.
enum class ChartKind { kBars, kLines, kPoints, kReliability };

struct Series {
  std::string name;
  std::vector<double> y = {};     ///< NaN: a gap
  std::vector<double> low = {};   ///< empty, or as long as y
  std::vector<double> high = {};
};

/// A moment or value of the x axis that the reader should know, e.g. when a campaign ended: a dashed line in kLines and kPoints over numbers.
struct Mark {
  double x = 0;
  std::string label;
};

/// Either `categories` or `x` has one entry per value of y (else the chart is our bug and stops the program).
struct Chart {
  ChartKind kind = ChartKind::kBars;
  std::string title = {};
  std::string x_label = {};  ///< kBars and kPoints with categories: of the categories
  std::string y_label = {};  ///< of the values
  std::string unit = {};     ///< behind values, e.g. "%" or "EUR"
  std::vector<std::string> categories = {};
  std::vector<double> x = {};
  std::vector<Series> series = {};
  std::string note = {};
  std::vector<Mark> marks = {};
};

/// A key number on a card.
enum class Tone { kNeutral, kGood, kWarning };
struct Figure {
  std::string label;
  std::string value;
  std::string detail = {};
  Tone tone = Tone::kNeutral;
};

enum class CalloutKind { kNotice, kWarning };
struct Callout {
  CalloutKind kind = CalloutKind::kNotice;
  std::string text;
};

/// Shown in the order of its members.
struct Section {
  std::string heading = {};
  std::vector<std::string> paragraphs = {};
  std::vector<Callout> callouts = {};
  std::vector<Figure> figures = {};
  std::vector<Chart> charts = {};
  std::vector<Table> tables = {};
};

struct Page {
  std::string title;
  std::string subtitle = {};
  std::string language = "en";  ///< "en" or "zh": of the few words this room adds itself
  std::vector<Figure> figures = {};
  std::vector<Section> sections = {};
  std::string footer = {};
};

struct TerminalOptions {
  int width = 100;      ///< columns, at least 40
  bool colour = false;  ///< ANSI bold, dim, yellow
};

std::string to_terminal(const Page& page, const TerminalOptions& options = {});
/// A single table, as in a page: for commands that print nothing else.
std::string to_terminal(const Table& table, const TerminalOptions& options = {});
std::string to_html(const Page& page);
/// Indented, keys in a fixed order; NaN becomes null.
std::string to_json(const Page& page);

/// Columns a text takes on a terminal: East Asian wide characters two, combining marks none (Unicode 15 ranges, UAX #11).
int display_width(std::string_view text);

}  // namespace beckon::report
