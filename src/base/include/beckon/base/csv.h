#pragma once
// Comma- and tab-separated records (RFC 4180 quoting), in and out.

#include <string>
#include <string_view>
#include <vector>

namespace beckon::base {

/// Without blanks, tabs and line ends at either side.
std::string_view trimmed(std::string_view text);

/// `complete` is false when a quoted field runs past the end of `text`.
struct CsvRecord {
  std::vector<std::string> fields;
  bool complete = true;
};
CsvRecord split_csv(std::string_view text, char delimiter);

/// One field as it is written: quoted when it has to be. A field that a spreadsheet would run as a formula gets a leading
/// apostrophe (OWASP "CSV injection").
std::string csv_field(std::string_view text, char delimiter = ',');
std::string csv_line(const std::vector<std::string>& fields, char delimiter = ',');

}  // namespace beckon::base
