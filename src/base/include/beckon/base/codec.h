#pragma once
// Bytes: varints, big-endian keys, length-prefixed strings, CRC-32C, hexadecimal and base64.

#include <cstdint>
#include <string>
#include <string_view>

#include "beckon/base/result.h"

namespace beckon::base {

/// Appends to a string. Varints are LEB128; signed numbers are zigzag-coded.
class Writer {
 public:
  void u8(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
  void varint(std::uint64_t value);
  void zigzag(std::int64_t value);
  void be64(std::uint64_t value);
  void raw(std::string_view bytes) { out_.append(bytes); }
  void text(std::string_view bytes);  ///< length as varint, then the bytes
  void real(double value);            ///< 8 bytes, IEEE 754 bits big-endian
  std::string take() { return std::move(out_); }
  const std::string& view() const { return out_; }

 private:
  std::string out_;
};

/// Reads what Writer wrote. Once a read runs past the end or meets an overlong varint, failed() stays true and every further
/// read returns 0 or an empty view: check once at the end.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  std::uint8_t u8();
  std::uint64_t varint();
  std::int64_t zigzag();
  std::uint64_t be64();
  std::string_view raw(std::size_t count);
  std::string_view text();
  double real();
  bool failed() const { return failed_; }
  bool at_end() const { return rest_.empty(); }
  std::size_t remaining() const { return rest_.size(); }

 private:
  bool need(std::size_t count);
  std::string_view rest_;
  bool failed_ = false;
};

/// CRC-32C (Castagnoli), as in RFC 3720.
std::uint32_t crc32c(std::string_view bytes);

/// Puts a CRC-32C in front; `open_sealed` returns the payload or data_loss.
std::string seal(std::string_view payload);
Result<std::string_view> open_sealed(std::string_view sealed);

std::string to_hex(std::string_view bytes);
Result<std::string> from_hex(std::string_view text);
std::string to_base64(std::string_view bytes);
Result<std::string> from_base64(std::string_view text);

/// True when the bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms).
bool is_utf8(std::string_view bytes);

}  // namespace beckon::base
