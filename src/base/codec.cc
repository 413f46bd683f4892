#include "beckon/base/codec.h"

#include <array>
#include <bit>
#include <cstring>

namespace beckon::base {
namespace {

constexpr std::uint32_t kCastagnoli = 0x82F63B78U;  // reflected polynomial

std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value & 1U) != 0 ? (value >> 1U) ^ kCastagnoli : value >> 1U;
    }
    table[i] = value;
  }
  return table;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

void Writer::varint(std::uint64_t value) {
  while (value >= 0x80) {
    u8(static_cast<std::uint8_t>(value | 0x80U));
    value >>= 7U;
  }
  u8(static_cast<std::uint8_t>(value));
}

void Writer::zigzag(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  varint((bits << 1U) ^ (value < 0 ? ~0ULL : 0ULL));
}

void Writer::be64(std::uint64_t value) {
  for (unsigned shift = 64; shift > 0; shift -= 8) {
    u8(static_cast<std::uint8_t>(value >> (shift - 8)));
  }
}

void Writer::text(std::string_view bytes) {
  varint(bytes.size());
  raw(bytes);
}

void Writer::real(double value) { be64(std::bit_cast<std::uint64_t>(value)); }

bool Reader::need(std::size_t count) {
  if (failed_ || rest_.size() < count) {
    failed_ = true;
    rest_ = {};
    return false;
  }
  return true;
}

std::uint8_t Reader::u8() {
  if (!need(1)) {
    return 0;
  }
  const auto value = static_cast<std::uint8_t>(rest_.front());
  rest_.remove_prefix(1);
  return value;
}

std::uint64_t Reader::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const std::uint8_t byte = u8();
    if (shift == 63 && byte > 1) {
      break;  // would not fit 64 bits
    }
    value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
    if ((byte & 0x80U) == 0) {
      return failed_ ? 0 : value;
    }
  }
  failed_ = true;
  rest_ = {};
  return 0;
}

std::int64_t Reader::zigzag() {
  const std::uint64_t bits = varint();
  return static_cast<std::int64_t>(bits >> 1U) ^ -static_cast<std::int64_t>(bits & 1U);
}

std::uint64_t Reader::be64() {
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i) {
    value = (value << 8U) | u8();
  }
  return failed_ ? 0 : value;
}

std::string_view Reader::raw(std::size_t count) {
  if (!need(count)) {
    return {};
  }
  const auto bytes = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return bytes;
}

std::string_view Reader::text() {
  const std::uint64_t size = varint();
  return raw(size > rest_.size() ? rest_.size() + 1 : static_cast<std::size_t>(size));
}

double Reader::real() { return std::bit_cast<double>(be64()); }

std::uint32_t crc32c(std::string_view bytes) {
  static const auto kTable = make_crc_table();
  std::uint32_t crc = ~0U;
  for (const char c : bytes) {
    crc = kTable[(crc ^ static_cast<std::uint8_t>(c)) & 0xFFU] ^ (crc >> 8U);
  }
  return ~crc;
}

std::string seal(std::string_view payload) {
  std::string out(4, '\0');
  const std::uint32_t crc = crc32c(payload);
  for (unsigned i = 0; i < 4; ++i) {
    out[i] = static_cast<char>(crc >> (24 - 8 * i));
  }
  out.append(payload);
  return out;
}

Result<std::string_view> open_sealed(std::string_view sealed) {
  if (sealed.size() < 4) {
    return data_loss("record is shorter than its checksum: restore it from a backup");
  }
  std::uint32_t stored = 0;
  for (int i = 0; i < 4; ++i) {
    stored = (stored << 8U) | static_cast<std::uint8_t>(sealed[static_cast<std::size_t>(i)]);
  }
  const auto payload = sealed.substr(4);
  if (crc32c(payload) != stored) {
    return data_loss("record does not match its checksum: restore it from a backup");
  }
  return payload;
}

std::string to_hex(std::string_view bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    out.push_back(kDigits[byte >> 4U]);
    out.push_back(kDigits[byte & 15U]);
  }
  return out;
}

Result<std::string> from_hex(std::string_view text) {
  std::string out;
  if (text.size() % 2 != 0) {
    return invalid_argument("hexadecimal text has an odd length");
  }
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]);
    const int low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) {
      return invalid_argument("hexadecimal text has a character outside 0-9a-f");
    }
    out.push_back(static_cast<char>(high * 16 + low));
  }
  return out;
}

std::string to_base64(std::string_view bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = (group << 8U) | (i + j < bytes.size() ? static_cast<std::uint8_t>(bytes[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      out.push_back(i + j <= bytes.size() ? kBase64[(group >> (18 - 6 * j)) & 63U] : '=');
    }
  }
  return out;
}

Result<std::string> from_base64(std::string_view text) {
  while (!text.empty() && text.back() == '=') {
    text.remove_suffix(1);
  }
  std::string out;
  std::uint32_t group = 0;
  int bits = 0;
  for (const char c : text) {
    const auto digit = kBase64.find(c);
    if (digit == std::string_view::npos) {
      return invalid_argument("base64 text has a character outside its alphabet");
    }
    group = (group << 6U) | static_cast<std::uint32_t>(digit);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out.push_back(static_cast<char>(group >> bits));
    }
  }
  return out;
}

bool is_utf8(std::string_view bytes) {
  std::size_t i = 0;
  while (i < bytes.size()) {
    const auto lead = static_cast<std::uint8_t>(bytes[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || i + length > bytes.size()) {
      return false;
    }
    std::uint32_t code = lead & (0xFFU >> (length + 1));
    for (std::size_t j = 1; j < length; ++j) {
      const auto next = static_cast<std::uint8_t>(bytes[i + j]);
      if ((next & 0xC0U) != 0x80U) {
        return false;
      }
      code = (code << 6U) | (next & 0x3FU);
    }
    const std::uint32_t smallest = length == 2 ? 0x80U : length == 3 ? 0x800U : 0x10000U;
    if (code < smallest || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
      return false;
    }
    i += length;
  }
  return true;
}

}  // namespace beckon::base
