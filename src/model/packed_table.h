#pragma once
// The table of tokens in bfloat16, packed for the two products of the softmax loss that read it.

#include <algorithm>

#include "layer.h"

namespace beckon::model::inner {

/// In tiles of tokens, so that threads can share the packing. Grows only.
class PackedTable {
 public:
  // 64 times an odd number: rows of a tile of exponentials then start in different sets of the cache.
  static constexpr std::size_t kTileRows = 192;

  /// Room for rows × width numbers; pack() every tile before its products are read. Different tiles may be packed at the same time.
  void begin(std::span<const float> table, std::size_t width);
  std::size_t tiles() const { return (rows() + kTileRows - 1) / kTileRows; }
  void pack(std::size_t tile);

  /// width × tokens of the tile, for logits.
  tensor::PackedRight turned(std::size_t tile) const;
  /// Tokens of the tile × width, for the gradient of the vectors.
  tensor::PackedRight plain(std::size_t tile) const;

 private:
  std::size_t rows() const { return width_ == 0 ? 0 : table_.size() / width_; }
  std::size_t rows_of(std::size_t tile) const { return std::min(kTileRows, rows() - tile * kTileRows); }
  std::size_t plain_begin(std::size_t tile) const { return tensor::packed_right_size(tile * kTileRows, width_); }
  std::size_t turned_begin(std::size_t tile) const { return tensor::packed_right_size(width_, tile * kTileRows); }

  std::span<const float> table_;
  std::size_t width_ = 0;
  tensor::Bf16Storage turned_, plain_;
};

/// Whether the loss of a network with all tokens reads a packed table.
bool uses_packed_table(const Network& network);
/// All tokens but 0, which is no item.
std::span<const float> table_of(const Network& network);

}  // namespace beckon::model::inner
