#pragma once
// The safetensors container: 8 bytes little-endian header length, a JSON header, then the numbers. Only F32 is written and
// read.

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "beckon/base/result.h"

namespace beckon::model::inner {

struct TensorEntry {
  std::string name;
  std::vector<std::size_t> shape;
  std::span<const float> data;
};

/// Metadata keys and values are texts; "crc32c" of the data is added. The header is padded with blanks to 64 bytes.
std::string write_safetensors(std::span<const TensorEntry> tensors, std::map<std::string, std::string> metadata);

/// Numbers are copied out of the file, since they need not be aligned there.
struct SafeTensors {
  struct Tensor {
    std::vector<std::size_t> shape;
    std::string_view bytes;  ///< into the file's bytes
  };
  std::map<std::string, std::string> metadata;
  std::map<std::string, Tensor, std::less<>> tensors;

  /// data_loss when the tensor is missing or has another shape.
  base::Status copy(const std::string& name, const std::vector<std::size_t>& shape, std::span<float> into) const;
};
/// data_loss for anything that is cut off, overlaps or contradicts itself. `bytes` must outlive the result.
base::Result<SafeTensors> read_safetensors(std::string_view bytes);

}  // namespace beckon::model::inner
