#include "beckon/base/proto.h"

#include <bit>

namespace beckon::base {
namespace {
// https://protobuf.dev/programming-guides/encoding/
constexpr int kVarint = 0;
constexpr int kFixed64 = 1;
constexpr int kLengthDelimited = 2;
constexpr int kFixed32 = 5;
}  // namespace

std::string little_endian_bytes(std::uint64_t value, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) {
    out.push_back(static_cast<char>((value >> (8 * i)) & 0xFFU));
  }
  return out;
}

void ProtoWriter::varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7U) {
    out_.push_back(static_cast<char>((value & 0x7FU) | 0x80U));
  }
  out_.push_back(static_cast<char>(value));
}

void ProtoWriter::tag(int field, int wire_type) { varint(static_cast<std::uint64_t>(field) << 3U | static_cast<std::uint64_t>(wire_type)); }

void ProtoWriter::integer(int field, std::int64_t value) {
  tag(field, kVarint);
  varint(static_cast<std::uint64_t>(value));
}

void ProtoWriter::real(int field, double value) {
  tag(field, kFixed64);
  out_ += little_endian_bytes(std::bit_cast<std::uint64_t>(value), 8);
}

void ProtoWriter::real(int field, float value) {
  tag(field, kFixed32);
  out_ += little_endian_bytes(std::bit_cast<std::uint32_t>(value), 4);
}

void ProtoWriter::bytes(int field, std::string_view value) {
  tag(field, kLengthDelimited);
  varint(value.size());
  out_ += value;
}

}  // namespace beckon::base
