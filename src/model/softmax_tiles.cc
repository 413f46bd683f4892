#include "softmax_tiles.h"

#include <array>
#include <cmath>
#include <limits>

namespace beckon::model::inner {

using tensor::Into;

namespace {

constexpr std::size_t kFp32RowsMax = 128;
constexpr std::size_t kBf16RowsMax = 192;
constexpr std::size_t kStripRows = 6;  // of the kernel: other counts leave a thin strip

std::span<float> of_tile(tensor::Buffer& all, const Block& block, std::size_t t) {
  return all.span().subspan(t * block.rows, block.rows);
}

// Row r · its factor of tile t.
std::span<float> scaled_vectors(const Block& block, std::size_t t) {
  auto& scaled = block.scratch->scaled;
  const auto vectors = block.input->vectors.subspan(block.begin * block.width(), block.rows * block.width());
  scaled.resize(vectors.size());
  std::ranges::copy(vectors, scaled.span().begin());
  tensor::scale_rows(block.factor(t), scaled.span());
  return scaled.span();
}

}  // namespace

std::size_t Fp32Tiles::block_rows(std::size_t, std::size_t most) {
  return std::min(most, kFp32RowsMax);
}

Fp32Tiles::Fp32Tiles(const LossInput&, const Columns& columns, LossScratch& scratch) : table_(columns.table), s_(scratch) {}

void Fp32Tiles::begin(const Block& block) {
  s_.tiles.resize(block.rows * block.columns->count());
}

std::span<float> Fp32Tiles::tile(const Block& block, std::size_t t) const {
  return s_.tiles.span().subspan(block.rows * block.first(t), block.rows * block.size(t));
}

tensor::MatrixView Fp32Tiles::table(const Block& block, std::size_t t) const {
  return tensor::view(table_.subspan(block.first(t) * block.width()), block.size(t), block.width());
}

std::span<float> Fp32Tiles::logits(const Block& block, std::size_t t) {
  tensor::gemm(block.vectors(), table(block, t).t(), tensor::mutable_view(tile(block, t), block.rows, block.size(t)));
  return tile(block, t);
}

void Fp32Tiles::exponentiate(const Block& block, std::size_t t, std::span<float>) {
  tensor::softmax_tile({tile(block, t), block.size(t), block.bias(t)}, of_tile(s_.tile_max, block, t), of_tile(s_.tile_sum, block, t));
}

void Fp32Tiles::begin_gradient(const Block&, std::span<float> dvectors) {
  s_.product.resize(dvectors.size());
  std::ranges::fill(dvectors, 0.0F);
}

// dvectors += factor · e·table, dtable += eᵀ·(factor · vectors), dbias += column sums of factor · e
void Fp32Tiles::add_gradient(const Block& block, std::size_t t, std::span<float> dvectors) {
  const auto scaled = tensor::view(scaled_vectors(block, t), block.rows, block.width());
  const auto e = tensor::view(tile(block, t), block.rows, block.size(t));
  tensor::gemm(e, table(block, t), tensor::mutable_view(s_.product.span(), block.rows, block.width()));
  tensor::gemm(e.t(), scaled, tensor::mutable_view(block.dtable(t), block.size(t), block.width()), Into::kAdd);
  tensor::add_weighted_column_sums(tile(block, t), block.factor(t), block.dbias(t));
  tensor::add_scaled_rows(block.factor(t), s_.product.span(), dvectors);
}

// Blocks of about the same size, in whole strips.
std::size_t Bf16Tiles::block_rows(std::size_t rows, std::size_t most) {
  const std::size_t limit = std::min(most, kBf16RowsMax);
  const std::size_t blocks = std::max<std::size_t>(1, (rows + limit - 1) / limit);
  const std::size_t share = (rows + blocks - 1) / blocks;
  return std::max<std::size_t>(1, std::min(limit, (share + kStripRows - 1) / kStripRows * kStripRows));
}

Bf16Tiles::Bf16Tiles(const LossInput& input, const Columns& columns, LossScratch& scratch) : s_(scratch), table_(input.table) {
  const std::size_t width = input.network.width();
  if (table_ == nullptr || columns.negatives != nullptr) {
    s_.table.begin(columns.table, width);
    for (std::size_t t = 0; t < s_.table.tiles(); ++t) {
      s_.table.pack(t);
    }
    table_ = &s_.table;
  }
  vectors_ = tensor::pack_left(tensor::view(input.vectors, input.target.size(), width), s_.vectors);
}

void Bf16Tiles::begin(const Block& block) {
  const std::size_t columns = std::min(kTileColumns, tensor::packed_columns(block.columns->count()));
  s_.tiles.resize(block.rows * columns);
  s_.by_row.resize(block.rows * columns);
  s_.kept.resize(tensor::even(block.rows) * tensor::packed_columns(block.columns->count()));
}

std::span<std::uint16_t> Bf16Tiles::kept(const Block& block, std::size_t t) const {
  const std::size_t rows = tensor::even(block.rows);
  return s_.kept.span().subspan(rows * block.first(t), rows * tensor::packed_columns(block.size(t)));
}

std::span<float> Bf16Tiles::logits(const Block& block, std::size_t t) {
  const auto tile = s_.tiles.span().first(block.rows * block.size(t));
  tensor::gemm(vectors_.some_rows(block.begin, block.rows), table_->turned(t),
               tensor::mutable_view(tile, block.rows, block.size(t)), {Into::kOverwrite, block.bias(t)});
  return tile;
}

void Bf16Tiles::exponentiate(const Block& block, std::size_t t, std::span<float> dvectors) {
  const auto top = of_tile(s_.tile_max, block, t);
  const auto before = t == 0 ? top : of_tile(s_.tile_max, block, t - 1);
  if (t == 0) {
    std::ranges::fill(top, -std::numeric_limits<float>::infinity());
  } else {
    std::ranges::copy(before, top.begin());
  }
  const std::size_t stride = tensor::packed_columns(block.size(t));
  const auto by_row = s_.by_row.span().first(block.rows * stride);
  tensor::packed_softmax_tile({s_.tiles.span().first(block.rows * block.size(t)), block.size(t), by_row, kept(block, t)}, top,
                       of_tile(s_.tile_sum, block, t));
  for (std::size_t r = 0; t > 0 && r < block.rows; ++r) {
    if (top[r] > before[r]) {
      tensor::scale_rows(std::array{std::exp(before[r] - top[r])}, dvectors.subspan(r * block.width(), block.width()));
    }
  }
  tensor::gemm(tensor::pairs_in_rows(by_row.data(), block.rows, block.size(t), stride), table_->plain(t),
               tensor::mutable_view(dvectors, block.rows, block.width()), t == 0 ? Into::kOverwrite : Into::kAdd);
}

float Bf16Tiles::exponential(const Block& block, std::size_t t, std::size_t at) const {
  const std::size_t row = at / block.size(t);
  const std::size_t column = at % block.size(t);
  return tensor::from_bf16(kept(block, t)[row / 2 * 2 * tensor::packed_columns(block.size(t)) + 2 * column + row % 2]);
}

// The last tile's factors are relative to the largest logit of all.
void Bf16Tiles::begin_gradient(const Block& block, std::span<float> dvectors) {
  tensor::scale_rows(block.factor(block.tiles() - 1), dvectors);
}

// dvectors is complete. The factors of most tiles are those of the tile before.
void Bf16Tiles::add_gradient(const Block& block, std::size_t t, std::span<float>) {
  if (t == 0 || !std::ranges::equal(block.factor(t), block.factor(t - 1))) {
    scaled_ = tensor::pack_right(tensor::view(scaled_vectors(block, t), block.rows, block.width()), s_.scaled_vectors);
  }
  const auto e = kept(block, t);
  tensor::gemm(tensor::interleaved_rows(e.data(), block.size(t), block.rows, tensor::packed_columns(block.size(t))), scaled_,
               tensor::mutable_view(block.dtable(t), block.size(t), block.width()), Into::kAdd);
  if (block.input->network.options->token_bias) {
    tensor::add_interleaved_column_sums(e, block.factor(t), block.dbias(t));
  }
}

}  // namespace beckon::model::inner
