#include "text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

namespace beckon::report {
namespace {

struct Decoded {
  char32_t code = 0xFFFD;
  std::size_t bytes = 1;
};

// One code point; anything that is not well-formed UTF-8 (RFC 3629) is U+FFFD of one byte.
Decoded decode(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  if (first < 0x80) {
    return {first, 1};
  }
  const std::size_t length = first >= 0xF0 && first < 0xF5 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
  if (length == 0 || first >= 0xF5 || at + length > text.size()) {
    return {};
  }
  char32_t code = first & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0U) != 0x80U) {
      return {};
    }
    code = (code << 6U) | (byte(at + i) & 0x3FU);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  if (overlong || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
    return {};
  }
  return {code, length};
}

struct Range {
  char32_t from;
  char32_t to;
};

template <std::size_t N>
bool in(const std::array<Range, N>& ranges, char32_t code) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const Range& r) { return code >= r.from && code <= r.to; });
}

int width_of(char32_t code) {
  static constexpr std::array<Range, 6> kNone = {{{0x300, 0x36F}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F},
                                                  {0x1AB0, 0x1AFF}, {0xE0100, 0xE01EF}}};
  static constexpr std::array<Range, 12> kWide = {{{0x1100, 0x115F}, {0x2E80, 0x303E}, {0x3041, 0x33FF}, {0x3400, 0x4DBF},
                                                   {0x4E00, 0x9FFF}, {0xA000, 0xA4CF}, {0xAC00, 0xD7A3}, {0xF900, 0xFAFF},
                                                   {0xFE30, 0xFE6F}, {0xFF00, 0xFF60}, {0xFFE0, 0xFFE6}, {0x1F300, 0x1FAFF}}};
  if (code < 0x300) {
    return 1;
  }
  return in(kNone, code) ? 0 : in(kWide, code) || (code >= 0x20000 && code <= 0x3FFFD) ? 2 : 1;
}

// Code points that would not be shown but act: C0 and C1 controls, direction marks and overrides, XML's non-characters.
bool acts(char32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0);
}
bool misleads(char32_t code) {
  return (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) || code == 0x200E || code == 0x200F ||
         (code & 0xFFFEU) == 0xFFFEU || (code >= 0xFDD0 && code <= 0xFDEF);
}

}  // namespace

std::string clean(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Decoded next = decode(text, at);
    if (acts(next.code)) {
      out.push_back(' ');
    } else if (next.code == 0xFFFD || misleads(next.code)) {
      out.append("\xEF\xBF\xBD");
    } else {
      out.append(text.substr(at, next.bytes));
    }
    at += next.bytes;
  }
  return out;
}

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : clean(text)) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out.push_back(c);
    }
  }
  return out;
}

int display_width(std::string_view text) {
  int width = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Decoded next = decode(text, at);
    width += width_of(next.code);
    at += next.bytes;
  }
  return width;
}

std::string cut(std::string_view text, int width) {
  if (display_width(text) <= width) {
    return std::string(text);
  }
  std::string out;
  int used = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Decoded next = decode(text, at);
    if (used + width_of(next.code) > width - 1) {
      break;
    }
    used += width_of(next.code);
    out.append(text.substr(at, next.bytes));
    at += next.bytes;
  }
  return width > 0 ? out + "…" : std::string();
}

std::string pad(std::string_view text, int width, Align align) {
  const auto blanks = static_cast<std::size_t>(std::max(0, width - display_width(text)));
  return align == Align::kRight ? std::string(blanks, ' ') + std::string(text) : std::string(text) + std::string(blanks, ' ');
}

std::vector<std::string> wrap(std::string_view text, int width) {
  // Pieces that stay together: a word, or one wide character.
  std::vector<std::string> lines(1);
  int used = 0;
  std::string piece;
  int piece_width = 0;
  bool blank_before = false;
  const auto flush = [&] {
    if (piece.empty()) {
      return;
    }
    const int gap = blank_before && used > 0 ? 1 : 0;
    if (used + gap + piece_width > width && used > 0) {
      lines.emplace_back();
      used = 0;
    } else if (gap == 1) {
      lines.back().push_back(' ');
      ++used;
    }
    lines.back() += piece;
    used += piece_width;
    piece.clear();
    piece_width = 0;
    blank_before = false;
  };
  for (std::size_t at = 0; at < text.size();) {
    const Decoded next = decode(text, at);
    const int columns = width_of(next.code);
    if (next.code == ' ') {
      flush();
      blank_before = true;
    } else {
      if (columns == 2 || piece_width + columns > width) {
        flush();
      }
      piece.append(text.substr(at, next.bytes));
      piece_width += columns;
      if (columns == 2) {
        flush();
      }
    }
    at += next.bytes;
  }
  flush();
  return lines;
}

std::string number_text(double value, int decimals) {
  if (!std::isfinite(value)) {
    return "–";
  }
  std::array<char, 400> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.*f", decimals, std::abs(value));
  std::string digits = buffer.data();
  const std::size_t point = std::min(digits.find('.'), digits.size());
  for (std::size_t at = point; at > 3; at -= 3) {
    digits.insert(at - 3, ",");
  }
  const bool zero = digits.find_first_of("123456789") == std::string::npos;
  return value < 0 && !zero ? "\xE2\x88\x92" + digits : digits;  // U+2212
}

std::string value_text(double value, std::string_view unit) {
  const double size = std::abs(value);
  const int decimals = !(size > 0) || size >= 1000 ? 0 : std::clamp(3 - static_cast<int>(std::floor(std::log10(size))), 0, 6);
  std::string text = number_text(value, decimals);
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') {
      text.pop_back();
    }
  }
  return unit.empty() ? text : text + " " + std::string(unit);
}

const Words& words(std::string_view language) {
  static constexpr Words kEnglish = {"Note", "Caution", "ideal", "interval", "chart"};
  static constexpr Words kChinese = {"提示", "注意", "理想", "区间", "图表"};
  return language.substr(0, 2) == "zh" ? kChinese : kEnglish;
}

}  // namespace beckon::report
