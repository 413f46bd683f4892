#pragma once
// Protocol Buffers wire format, writing only: enough for formats of others (TensorBoard, ONNX) without their compiler.

#include <cstdint>
#include <string>
#include <string_view>

namespace beckon::base {

/// Appends fields in the order of the calls. Nested messages: write them with a writer of their own and hand over bytes().
class ProtoWriter {
 public:
  void integer(int field, std::int64_t value);  ///< int32, int64, uint64, bool, enum
  void real(int field, double value);           ///< double
  void real(int field, float value);            ///< float
  void bytes(int field, std::string_view value);  ///< string, bytes, message, packed list
  const std::string& view() const { return out_; }

 private:
  void varint(std::uint64_t value);
  void tag(int field, int wire_type);
  std::string out_;
};

/// Little-endian bytes of an integer, `count` of them.
std::string little_endian_bytes(std::uint64_t value, int count);

}  // namespace beckon::base
