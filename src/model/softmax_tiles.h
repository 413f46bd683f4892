#pragma once
// The products of the softmax loss in either precision: logits of a tile, exponentials, and the gradients from them.

#include <algorithm>
#include <span>

#include "softmax_loss.h"

namespace beckon::model::inner {

// The tokens that compete: all of them (column c is token c + 1), or the negatives, beside which the positive stands alone.
struct Columns {
  std::span<const float> table;  // count × width
  std::span<const float> bias;
  std::span<float> dtable;
  std::span<float> dbias;
  const NegativeSet* negatives = nullptr;
  std::size_t count() const { return bias.size(); }
};

struct Block {
  const LossInput* input;
  const Columns* columns;
  LossScratch* scratch;
  std::size_t begin = 0;
  std::size_t rows = 0;
  std::size_t tile_columns = 0;

  std::size_t width() const { return input->network.width(); }
  std::size_t tiles() const { return (columns->count() + tile_columns - 1) / tile_columns; }
  std::size_t first(std::size_t tile) const { return tile * tile_columns; }
  std::size_t size(std::size_t tile) const { return std::min(tile_columns, columns->count() - first(tile)); }
  tensor::MatrixView vectors() const { return tensor::view(input->vectors.subspan(begin * width()), rows, width()); }
  std::span<const float> vector(std::size_t row) const { return input->vectors.subspan((begin + row) * width(), width()); }
  std::span<const float> factor(std::size_t t) const { return scratch->factor.span().subspan(t * rows, rows); }
  std::span<float> dtable(std::size_t t) const { return columns->dtable.subspan(first(t) * width(), size(t) * width()); }
  std::span<const float> bias(std::size_t t) const { return columns->bias.subspan(first(t), size(t)); }
  std::span<float> dbias(std::size_t t) const { return columns->dbias.subspan(first(t), size(t)); }
  bool has_memory() const { return input->recall.batch != nullptr; }
  std::span<const Recalled> recalled(std::size_t row) const {
    return input->recall.batch->row(static_cast<std::size_t>(input->recall.row[begin + row]));
  }
  GateBlock gates() const { return {input->network, input->vectors.subspan(begin * width(), rows * width()), rows}; }
  std::span<float> gate(std::size_t row) const { return scratch->gate.span().subspan(row * kMemoryFeatures, kMemoryFeatures); }
  std::span<float> dgate(std::size_t row) const { return scratch->dgate.span().subspan(row * kMemoryFeatures, kMemoryFeatures); }
  /// What the memory says of the row's own target; nullptr: nothing.
  const Recalled* recalled_target(std::size_t row) const { return has_memory() ? find_token(recalled(row), target(row)) : nullptr; }
  std::int32_t target(std::size_t row) const { return input->target[begin + row]; }
  std::span<const float> token_row(std::int32_t token) const {
    const auto& net = input->network;
    return net.at(net.layout->token).subspan(static_cast<std::size_t>(token) * width(), width());
  }
  float token_bias(std::int32_t token) const {
    return input->network.at(input->network.layout->token_bias)[static_cast<std::size_t>(token)];
  }
};

/// fp32: the exponentials of a block are kept as floats and read again by both products of the gradient.
class Fp32Tiles {
 public:
  static constexpr std::size_t kTileColumns = 512;  // a tile of 128 rows is a quarter of a megabyte: it stays in L2
  static std::size_t block_rows(std::size_t rows, std::size_t most);
  Fp32Tiles(const LossInput& input, const Columns& columns, LossScratch& scratch);

  void begin(const Block& block);
  std::span<float> logits(const Block& block, std::size_t t);
  void exponentiate(const Block& block, std::size_t t, std::span<float> dvectors);
  /// Entry `at` of tile t, row by row.
  float exponential(const Block& block, std::size_t t, std::size_t at) const { return tile(block, t)[at]; }
  void begin_gradient(const Block& block, std::span<float> dvectors);
  void add_gradient(const Block& block, std::size_t t, std::span<float> dvectors);

 private:
  std::span<float> tile(const Block& block, std::size_t t) const;
  tensor::MatrixView table(const Block& block, std::size_t t) const;
  std::span<const float> table_;
  LossScratch& s_;
};

/// bfloat16 on a processor that has it: the table is packed once for both products that read it. Exponentials are relative to the
/// largest logit so far, so that dvectors can be summed at once, while the tile is in the cache (as Dao et al. 2022 do in attention); what is
/// kept for the sum over rows has half the size of floats.
class Bf16Tiles {
 public:
  static constexpr std::size_t kTileColumns = PackedTable::kTileRows;  // with 192 rows of logits and exponentials: a quarter of L2
  static std::size_t block_rows(std::size_t rows, std::size_t most);
  Bf16Tiles(const LossInput& input, const Columns& columns, LossScratch& scratch);

  void begin(const Block& block);
  std::span<float> logits(const Block& block, std::size_t t);
  void exponentiate(const Block& block, std::size_t t, std::span<float> dvectors);
  float exponential(const Block& block, std::size_t t, std::size_t at) const;
  void begin_gradient(const Block& block, std::span<float> dvectors);
  void add_gradient(const Block& block, std::size_t t, std::span<float> dvectors);

 private:
  std::span<std::uint16_t> kept(const Block& block, std::size_t t) const;
  LossScratch& s_;
  tensor::PackedLeft vectors_;
  const PackedTable* table_;
  tensor::PackedRight scaled_;
};

}  // namespace beckon::model::inner
