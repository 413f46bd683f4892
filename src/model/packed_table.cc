#include "packed_table.h"

namespace beckon::model::inner {

void PackedTable::begin(std::span<const float> table, std::size_t width) {
  BECKON_CHECK(width > 0 && table.size() % width == 0);
  table_ = table;
  width_ = width;
  turned_.resize(tensor::packed_right_size(width, rows()));
  plain_.resize(tensor::packed_right_size(rows(), width));
}

void PackedTable::pack(std::size_t tile) {
  const std::size_t count = rows_of(tile);
  const auto rows = tensor::view(table_.subspan(tile * kTileRows * width_), count, width_);
  tensor::pack_right(rows.t(), turned_.span().subspan(turned_begin(tile), tensor::packed_right_size(width_, count)));
  tensor::pack_right(rows, plain_.span().subspan(plain_begin(tile), tensor::packed_right_size(count, width_)));
}

tensor::PackedRight PackedTable::turned(std::size_t tile) const {
  return {turned_.data() + turned_begin(tile), width_, rows_of(tile)};
}

tensor::PackedRight PackedTable::plain(std::size_t tile) const {
  return {plain_.data() + plain_begin(tile), rows_of(tile), width_};
}

bool uses_packed_table(const Network& network) {
  return network.precision == tensor::Precision::kBf16 && tensor::has_bf16();
}

std::span<const float> table_of(const Network& network) {
  return network.at(network.layout->token).subspan(network.width());
}

}  // namespace beckon::model::inner
