#include "safetensors.h"

#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <limits>

#include "beckon/base/codec.h"
#include "beckon/base/json.h"

static_assert(std::endian::native == std::endian::little, "safetensors holds little-endian numbers");

namespace beckon::model::inner {
namespace {

constexpr std::uint64_t kHeaderBytesMax = 16U << 20U;
constexpr std::size_t kLengthBytes = 8;

std::string_view bytes_of(std::span<const float> data) {
  return {reinterpret_cast<const char*>(data.data()), data.size() * sizeof(float)};
}

base::Error damaged(const std::string& what) {
  return base::data_loss(what + ": take a backup or train again");
}

// Shape and offsets of one entry of the header; nothing in it is believed.
base::Result<SafeTensors::Tensor> read_entry(const std::string& name, const base::Json& entry, std::string_view data) {
  if (!entry.is_object() || base::string_or(entry, "dtype") != "F32") {
    return damaged("tensor " + name + " is not F32");
  }
  if (!entry.contains("shape") || !entry["shape"].is_array() || !entry.contains("data_offsets") ||
      !entry["data_offsets"].is_array() || entry["data_offsets"].size() != 2) {
    return damaged("tensor " + name + " has no shape or no data_offsets");
  }
  SafeTensors::Tensor tensor;
  std::uint64_t count = 1;
  for (const auto& dimension : entry["shape"]) {
    if (!dimension.is_number_unsigned()) {
      return damaged("tensor " + name + " has a dimension that is no count");
    }
    const auto size = dimension.get<std::uint64_t>();
    if (size != 0 && count > data.size() / size) {
      return damaged("tensor " + name + " is larger than the file");
    }
    count *= size;
    tensor.shape.push_back(static_cast<std::size_t>(size));
  }
  const auto& offsets = entry["data_offsets"];
  if (!offsets[0].is_number_unsigned() || !offsets[1].is_number_unsigned()) {
    return damaged("tensor " + name + " has offsets that are no counts");
  }
  const auto begin = offsets[0].get<std::uint64_t>();
  const auto end = offsets[1].get<std::uint64_t>();
  if (begin > end || end > data.size() || end - begin != count * sizeof(float)) {
    return damaged("tensor " + name + " does not lie within the file");
  }
  tensor.bytes = data.substr(begin, end - begin);
  return tensor;
}

base::Status check_sum(const SafeTensors& file, std::string_view data) {
  const auto found = file.metadata.find("crc32c");
  if (found == file.metadata.end()) {
    return base::ok_status();  // written by another program
  }
  std::uint32_t expected = 0;
  const char* end = found->second.data() + found->second.size();
  const auto parsed = std::from_chars(found->second.data(), end, expected);
  if (parsed.ec != std::errc() || parsed.ptr != end || expected != base::crc32c(data)) {
    return damaged("the numbers do not match their checksum");
  }
  return base::ok_status();
}

}  // namespace

std::string write_safetensors(std::span<const TensorEntry> tensors, std::map<std::string, std::string> metadata) {
  std::string data;
  base::Json header;
  base::Json entries;
  for (const auto& tensor : tensors) {
    const std::size_t begin = data.size();
    data.append(bytes_of(tensor.data));
    entries[tensor.name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {begin, data.size()}}};
  }
  metadata["crc32c"] = std::to_string(base::crc32c(data));
  header["__metadata__"] = metadata;
  header.update(entries);
  std::string text = header.dump();
  text.append((64 - (kLengthBytes + text.size()) % 64) % 64, ' ');
  std::string out(kLengthBytes, '\0');
  const std::uint64_t length = text.size();
  std::memcpy(out.data(), &length, kLengthBytes);
  out += text;
  out += data;
  return out;
}

base::Result<SafeTensors> read_safetensors(std::string_view bytes) {
  if (bytes.size() < kLengthBytes) {
    return damaged("the file has " + std::to_string(bytes.size()) + " bytes, too few for a header");
  }
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), kLengthBytes);
  if (length > kHeaderBytesMax || length > bytes.size() - kLengthBytes) {
    return damaged("the header says " + std::to_string(length) + " bytes, the file is shorter or no safetensors file");
  }
  const auto header = base::parse_json(bytes.substr(kLengthBytes, length));
  if (!header.ok() || !header->is_object()) {
    return damaged("the header is no JSON object");
  }
  const std::string_view data = bytes.substr(kLengthBytes + length);
  SafeTensors file;
  std::size_t covered = 0;
  for (const auto& [name, entry] : header->items()) {
    if (name == "__metadata__") {
      for (const auto& [key, value] : entry.items()) {
        if (!value.is_string()) {
          return damaged("metadata " + key + " is no text");
        }
        file.metadata[key] = value.get<std::string>();
      }
      continue;
    }
    BECKON_TRY(auto tensor, read_entry(name, entry, data));
    covered += tensor.bytes.size();
    file.tensors[name] = std::move(tensor);
  }
  if (covered != data.size()) {
    return damaged("the tensors cover " + std::to_string(covered) + " of " + std::to_string(data.size()) + " bytes");
  }
  BECKON_TRY_STATUS(check_sum(file, data));
  return file;
}

base::Status SafeTensors::copy(const std::string& name, const std::vector<std::size_t>& shape,
                               std::span<float> into) const {
  const auto found = tensors.find(name);
  if (found == tensors.end()) {
    return damaged("tensor " + name + " is missing");
  }
  if (found->second.shape != shape || found->second.bytes.size() != into.size() * sizeof(float)) {
    return damaged("tensor " + name + " has another shape than the configuration says");
  }
  if (!into.empty()) {
    std::memcpy(into.data(), found->second.bytes.data(), found->second.bytes.size());
  }
  return base::ok_status();
}

}  // namespace beckon::model::inner
