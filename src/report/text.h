#pragma once
// Texts on their way out: cleaned, escaped, measured, cut and wrapped.

#include <string>
#include <string_view>
#include <vector>

#include "beckon/report/report.h"

namespace beckon::report {

/// Control characters become blanks, bytes that are not UTF-8 and marks that turn the writing direction become U+FFFD.
std::string clean(std::string_view text);
/// clean(), then & < > " ' as character references: safe as text and inside a quoted attribute, in HTML and XML.
std::string escape(std::string_view text);

/// Of cleaned text. Cut to `width` columns, with … at the end when something was lost.
std::string cut(std::string_view text, int width);
std::string pad(std::string_view text, int width, Align align);
/// Lines of at most `width` columns; breaks at blanks and between wide characters.
std::vector<std::string> wrap(std::string_view text, int width);

/// "1,234.50" with so many decimals; a minus sign for negatives.
std::string number_text(double value, int decimals);
/// About four significant digits, without trailing zeros, and the unit behind it.
std::string value_text(double value, std::string_view unit);

/// The few words of our own, in the page's language.
struct Words {
  const char* notice;
  const char* warning;
  const char* ideal;
  const char* interval;
  const char* chart;
};
const Words& words(std::string_view language);

}  // namespace beckon::report
