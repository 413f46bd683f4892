#include "beckon/base/csv.h"

namespace beckon::base {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r' || text.back() == '\n')) {
    text.remove_suffix(1);
  }
  return text;
}

CsvRecord split_csv(std::string_view text, char delimiter) {
  CsvRecord out;
  out.fields.emplace_back();
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    std::string& field = out.fields.back();
    if (quoted) {
      if (c != '"') {
        field.push_back(c);
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        field.push_back('"');
        ++i;
      } else {
        quoted = false;
      }
    } else if (c == '"' && trimmed(field).empty()) {
      field.clear();
      quoted = true;
    } else if (c == delimiter) {
      out.fields.emplace_back();
    } else if (c != '\r' && c != '\n') {
      field.push_back(c);
    }
  }
  out.complete = !quoted;
  return out;
}

void OpenQuote::see(char c) {
  if (delimiter_ == '\0') {
    return;
  }
  if (open_) {
    open_ = c != '"';
    closed_ = !open_;
    return;
  }
  open_ = c == '"' && (at_start_ || closed_);  // a doubled quote closes and opens again
  closed_ = false;
  at_start_ = c == delimiter_ || (at_start_ && !open_ && (c == ' ' || c == '\t'));
}

std::string csv_field(std::string_view text, char delimiter) {
  std::string out;
  const bool number = text.size() > 1 && text[0] == '-' && text[1] >= '0' && text[1] <= '9';
  if (!text.empty() && std::string_view("=+-@\t\r").find(text[0]) != std::string_view::npos && !number) {
    out.push_back('\'');
  }
  out.append(text);
  if (out.find_first_of(std::string("\"\r\n") + delimiter) == std::string::npos) {
    return out;
  }
  std::string quoted = "\"";
  for (const char c : out) {
    quoted.append(c == '"' ? 2 : 1, c);
  }
  return quoted + "\"";
}

std::string csv_line(const std::vector<std::string>& fields, char delimiter) {
  std::string out;
  for (const auto& field : fields) {
    if (&field != &fields.front()) {
      out.push_back(delimiter);
    }
    out += csv_field(field, delimiter);
  }
  return out + "\n";
}

}  // namespace beckon::base
