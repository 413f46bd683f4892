#include <algorithm>
#include <cmath>

#include "beckon/base/check.h"
#include "svg.h"
#include "text.h"

namespace beckon::report {
namespace {

class Terminal {
 public:
  explicit Terminal(const TerminalOptions& options) : options_(options) {
    options_.width = std::max(40, options_.width);
  }
  std::string take() { return std::move(out_); }

  void page(const Page& page) {
    language_ = page.language;
    heading(page.title, '=');
    paragraph(page.subtitle, "2");
    figures(page.figures);
    for (const auto& section : page.sections) {
      this->section(section);
    }
    if (!page.footer.empty()) {
      blank();
      paragraph(page.footer, "2");
    }
  }

  void table(const Table& table) {
    blank();
    if (!table.title.empty()) {
      paragraph(table.title, "1");
    }
    const std::vector<int> widths = column_widths(table);
    header(table, widths);
    std::string rule;
    for (std::size_t c = 0; c < widths.size(); ++c) {
      rule += (c == 0 ? "" : "  ") + repeat("─", widths[c]);
    }
    line(rule, "2");
    for (const auto& cells : table.rows) {
      BECKON_CHECK(cells.size() == table.columns.size());
      std::vector<std::string> cleaned;
      std::transform(cells.begin(), cells.end(), std::back_inserter(cleaned), [](const auto& cell) { return clean(cell); });
      line(row(table, cleaned, widths), "");
    }
    paragraph(table.note, "2");
  }

 private:
  TerminalOptions options_;
  std::string language_ = "en";
  std::string out_;

  static std::string repeat(std::string_view text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) {
      out += text;
    }
    return out;
  }

  // The only way out: whatever a caller forgot to clean or to cut is cleaned and cut here.
  void line(std::string_view raw, std::string_view ansi) {
    std::string text = cut(clean(raw), options_.width);
    while (text.ends_with(' ')) {
      text.pop_back();
    }
    out_ += options_.colour && !ansi.empty() ? "\x1b[" + std::string(ansi) + "m" + text + "\x1b[0m\n" : text + "\n";
  }

  void blank() {
    if (!out_.empty() && !out_.ends_with("\n\n")) {
      out_ += "\n";
    }
  }

  void paragraph(std::string_view text, std::string_view ansi) {
    if (!text.empty()) {
      for (const auto& part : wrap(clean(text), options_.width)) {
        line(part, ansi);
      }
    }
  }

  void heading(std::string_view text, char under) {
    if (text.empty()) {
      return;
    }
    blank();
    const std::string cleaned = clean(text);
    paragraph(cleaned, "1");
    line(std::string(static_cast<std::size_t>(std::min(options_.width, display_width(cleaned))), under), "2");
  }

  void figures(const std::vector<Figure>& figures) {
    if (figures.empty()) {
      return;
    }
    blank();
    int label_width = 0;
    int value_width = 0;
    for (const auto& figure : figures) {
      label_width = std::max(label_width, display_width(clean(figure.label)));
      value_width = std::max(value_width, display_width(clean(figure.value)));
    }
    label_width = std::min(label_width, options_.width / 2);
    for (const auto& figure : figures) {
      const std::string text = pad(cut(clean(figure.label), label_width), label_width, Align::kLeft) + "  " +
                               pad(clean(figure.value), value_width, Align::kRight) +
                               (figure.detail.empty() ? "" : "  " + clean(figure.detail));
      line(text, figure.tone == Tone::kWarning ? "33" : "");
    }
  }

  void section(const Section& section) {
    heading(section.heading, '-');
    for (const auto& text : section.paragraphs) {
      paragraph(text, "");
    }
    for (const auto& callout : section.callouts) {
      const bool warning = callout.kind == CalloutKind::kWarning;
      const auto& own = words(language_);
      paragraph(std::string(warning ? "! " : "> ") + (warning ? own.warning : own.notice) + ": " + callout.text, warning ? "33" : "");
    }
    figures(section.figures);
    for (const auto& each : section.charts) {
      chart(each);
    }
    for (const auto& each : section.tables) {
      table(each);
    }
  }

  static std::string name_of(const Column& column) {
    return clean(column.unit.empty() ? column.name : column.name + " (" + column.unit + ")");
  }

  // The widest columns give way until the table fits, but none below 6.
  std::vector<int> column_widths(const Table& table) const {
    std::vector<int> widths;
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      int width = display_width(name_of(table.columns[c]));
      for (const auto& cells : table.rows) {
        width = std::max(width, display_width(clean(cells[c])));
      }
      widths.push_back(width);
    }
    const auto total = [&] {
      int sum = 2 * (static_cast<int>(widths.size()) - 1);
      for (const int width : widths) {
        sum += width;
      }
      return sum;
    };
    while (!widths.empty() && total() > options_.width) {
      auto widest = std::max_element(widths.begin(), widths.end());
      if (*widest <= 6) {
        break;
      }
      --*widest;
    }
    return widths;
  }

  // A name that does not fit goes over several lines, the last of them next to the rule.
  void header(const Table& table, const std::vector<int>& widths) {
    std::vector<std::vector<std::string>> names;
    std::size_t height = 1;
    for (std::size_t c = 0; c < widths.size(); ++c) {
      names.push_back(wrap(name_of(table.columns[c]), std::max(1, widths[c])));
      height = std::max(height, names.back().size());
    }
    for (std::size_t l = 0; l < height; ++l) {
      std::vector<std::string> cells;
      for (const auto& name : names) {
        const std::size_t blank_above = height - name.size();
        cells.push_back(l < blank_above ? std::string() : name[l - blank_above]);
      }
      line(row(table, cells, widths), "1");
    }
  }

  std::string row(const Table& table, const std::vector<std::string>& cells, const std::vector<int>& widths) const {
    std::string text;
    for (std::size_t c = 0; c < cells.size(); ++c) {
      text += (c == 0 ? "" : "  ") + pad(cut(cells[c], widths[c]), widths[c], table.columns[c].align);
    }
    return text;
  }

  void chart(const Chart& chart) {
    blank();
    std::string title = chart.title;
    if (!chart.y_label.empty()) {
      title += (title.empty() ? "" : " – ") + chart.y_label;
    }
    paragraph(title, "1");
    if (chart.kind == ChartKind::kLines) {
      sparklines(chart);
    } else {
      bars(chart);
    }
    paragraph(chart.note, "2");
  }

  // One line of eighths per series: first, last, lowest and highest value beside it.
  void sparklines(const Chart& chart) {
    static constexpr const char* kLevels[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    int name_width = 0;
    for (const auto& series : chart.series) {
      name_width = std::max(name_width, display_width(clean(series.name)));
    }
    const Scale scale = round_scale(all_values(chart), false, 5);
    for (const auto& series : chart.series) {
      const std::size_t columns = std::min(series.y.size(), static_cast<std::size_t>(std::max(8, options_.width - name_width - 40)));
      std::string line_text;
      for (std::size_t i = 0; i < columns; ++i) {
        const double y = series.y[i * series.y.size() / columns];
        const auto level = static_cast<std::size_t>(std::clamp((y - scale.from) / (scale.to - scale.from) * 7.99, 0.0, 7.0));
        line_text += std::isfinite(y) ? kLevels[level] : " ";
      }
      const std::string ends = series.y.empty() ? "" : value_text(series.y.front(), "") + " → " + value_text(series.y.back(), chart.unit);
      line(pad(clean(series.name), name_width, Align::kLeft) + "  " + line_text + "  " + ends, "");
    }
  }

  // A bar per category (or x) and series, with the value and its interval behind it.
  void bars(const Chart& chart) {
    const std::vector<double> values = all_values(chart);
    double largest = 0;
    for (const double value : values) {
      largest = std::isfinite(value) ? std::max(largest, std::abs(value)) : largest;
    }
    int label_width = 0;
    const std::size_t count = chart.categories.empty() ? chart.x.size() : chart.categories.size();
    const auto label = [&](std::size_t i, std::size_t s) {
      const std::string where = chart.categories.empty() ? value_text(chart.x[i], "") : clean(chart.categories[i]);
      return chart.series.size() > 1 ? where + " · " + clean(chart.series[s].name) : where;
    };
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t s = 0; s < chart.series.size(); ++s) {
        label_width = std::max(label_width, display_width(label(i, s)));
      }
    }
    label_width = std::min(label_width, options_.width / 3);
    const int room = std::max(8, options_.width - label_width - 34);
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t s = 0; s < chart.series.size(); ++s) {
        const Series& series = chart.series[s];
        const double share = largest > 0 && std::isfinite(series.y[i]) ? std::abs(series.y[i]) / largest : 0;
        std::string text = pad(cut(label(i, s), label_width), label_width, Align::kLeft) + "  ";
        text += repeat(series.y[i] < 0 ? "░" : "█", static_cast<int>(std::lround(share * room)));
        text += (share > 0 ? " " : "") + value_text(series.y[i], chart.unit);
        if (!series.low.empty()) {
          text += " (" + value_text(series.low[i], "") + " – " + value_text(series.high[i], "") + ")";
        }
        line(text, "");
      }
    }
  }
};

}  // namespace

std::string to_terminal(const Page& page, const TerminalOptions& options) {
  Terminal terminal(options);
  terminal.page(page);
  return terminal.take();
}

std::string to_terminal(const Table& table, const TerminalOptions& options) {
  Terminal terminal(options);
  terminal.table(table);
  return terminal.take();
}

}  // namespace beckon::report
