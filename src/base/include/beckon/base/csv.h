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

/// Whether the bytes seen of a record end inside a quoted field, by the rule of split_csv: a quote opens only where a field begins
/// (12" is no open quote). With delimiter '\0' nothing is ever open.
class OpenQuote {
 public:
  explicit OpenQuote(char delimiter) : delimiter_(delimiter) {}
  void see(char c);
  bool open() const { return open_; }

 private:
  char delimiter_;
  bool open_ = false;
  bool closed_ = false;   // the byte before ended a quoted field
  bool at_start_ = true;  // only blanks since the field began
};

/// One field as it is written: quoted when it has to be. A field that a spreadsheet would run as a formula gets a leading
/// apostrophe (OWASP "CSV injection").
std::string csv_field(std::string_view text, char delimiter = ',');
std::string csv_line(const std::vector<std::string>& fields, char delimiter = ',');

}  // namespace beckon::base
