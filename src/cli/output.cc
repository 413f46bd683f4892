#include "output.h"

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <vector>

#include "beckon/base/progress.h"

namespace beckon::cli {
namespace {

// Columns that a terminal gives a text: wide East Asian characters take two.
std::size_t display_width(const std::string& text) {
  std::size_t width = 0;
  for (const unsigned char c : text) {
    if ((c & 0xC0U) != 0x80U) {  // a lead byte
      width += c >= 0xE3U && c <= 0xEDU ? 2 : 1;
    }
  }
  return width;
}

std::string padded(const std::string& text, std::size_t width, bool right) {
  const std::size_t own = display_width(text);
  const std::string blanks(width > own ? width - own : 0, ' ');
  return right ? blanks + text : text + blanks;
}

std::string scalar(const base::Json& value) {
  if (value.is_number_integer()) {
    return base::with_thousands(value.get<std::int64_t>());
  }
  if (value.is_number_float()) {
    char text[40];
    const double number = value.get<double>();
    std::snprintf(text, sizeof text, number != 0 && number < 0.1 && number > -0.1 ? "%.4f" : "%.2f", number);
    return text;
  }
  if (value.is_string()) {
    return value.get<std::string>();
  }
  return value.is_null() ? "–" : value.is_boolean() ? (value.get<bool>() ? "yes" : "no") : value.dump();
}

bool is_flat(const base::Json& row) {
  return row.is_object() && std::none_of(row.begin(), row.end(), [](const auto& cell) { return cell.is_structured() && !cell.empty(); });
}

bool is_table(const base::Json& value) {
  return value.is_array() && !value.empty() && std::all_of(value.begin(), value.end(), is_flat);
}

std::string words(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

void add_table(const base::Json& rows, const std::string& indent, std::string& out) {
  constexpr std::size_t kRowsShown = 30;
  std::vector<std::string> names;
  for (const auto& row : rows) {
    for (const auto& [name, value] : row.items()) {
      if (std::find(names.begin(), names.end(), name) == names.end() && !value.is_structured()) {
        names.push_back(name);
      }
    }
  }
  std::vector<std::vector<std::string>> cells{{}};
  std::vector<bool> right;
  for (const auto& name : names) {
    cells[0].push_back(words(name));
    right.push_back(std::all_of(rows.begin(), rows.end(), [&](const auto& row) { return !row.contains(name) || row[name].is_number(); }));
  }
  for (std::size_t i = 0; i < rows.size() && i < kRowsShown; ++i) {
    cells.emplace_back();
    for (const auto& name : names) {
      cells.back().push_back(rows[i].contains(name) ? scalar(rows[i][name]) : "");
    }
  }
  std::vector<std::size_t> widths(names.size(), 0);
  for (const auto& row : cells) {
    for (std::size_t c = 0; c < names.size(); ++c) {
      widths[c] = std::max(widths[c], display_width(row[c]));
    }
  }
  for (const auto& row : cells) {
    std::string line = indent;
    for (std::size_t c = 0; c < names.size(); ++c) {
      line += (c == 0 ? "" : "  ") + padded(row[c], widths[c], right[c]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  if (rows.size() > kRowsShown) {
    out += indent + "… and " + std::to_string(rows.size() - kRowsShown) + " more (use --json for all)\n";
  }
}

void add_object(const base::Json& object, const std::string& indent, std::string& out) {
  std::size_t width = 0;
  for (const auto& [name, value] : object.items()) {
    width = std::max(width, value.is_structured() ? 0 : display_width(words(name)));
  }
  for (const auto& [name, value] : object.items()) {
    if (!value.is_structured()) {
      out += indent + padded(words(name), width, false) + "  " + scalar(value) + "\n";
    } else if (!value.empty()) {
      out += indent + words(name) + "\n";
      if (is_table(value)) {
        add_table(value, indent + "  ", out);
      } else if (value.is_object()) {
        add_object(value, indent + "  ", out);
      } else {
        for (const auto& entry : value) {
          if (entry.is_object()) {
            add_object(entry, indent + "  ", out);
            out += "\n";
          } else {
            out += indent + "  - " + scalar(entry) + "\n";
          }
        }
      }
    }
  }
}

}  // namespace

std::string layout(const base::Json& value) {
  std::string out;
  if (is_table(value)) {
    add_table(value, "", out);
  } else if (value.is_object()) {
    add_object(value, "", out);
  } else {
    out = scalar(value) + "\n";
  }
  return out;
}

int finish(const base::Result<base::Json>& answer, bool json) {
  if (!answer.ok()) {
    const int code = base::error_traits(answer.error().code).exit_code;
    if (json) {
      std::cout << base::to_line({{"error", answer.error().message}, {"code", std::string(base::error_traits(answer.error().code).name)}})
                << std::endl;
    }
    std::cerr << "beckon: " << answer.error().message << std::endl;
    return code;
  }
  base::Json shown = *answer;
  const auto code = static_cast<int>(base::int_or(shown, "exit", 0));
  if (shown.is_object()) {
    shown.erase("exit");
  }
  const std::string text = base::string_or(shown, "text");
  if (!json && !text.empty()) {
    std::cout << text << std::flush;  // the step laid its answer out itself (report)
    return code;
  }
  shown.erase("text");
  std::cout << (json ? base::to_line(shown) + "\n" : layout(shown)) << std::flush;
  if (shown.contains("error")) {
    std::cerr << "beckon: " << base::string_or(shown, "error") << std::endl;
  }
  return code;
}

}  // namespace beckon::cli
