#include "softmax_loss.h"

#include <algorithm>
#include <cmath>

namespace beckon::model::inner {
namespace {

using tensor::Into;

constexpr std::size_t kTileColumns = 1024;  // a tile of 128 rows is half a megabyte: it stays in L2
constexpr std::size_t kRowsMax = 128;
constexpr std::size_t kBlockFloatsMax = std::size_t{1} << 22U;  // 16 MB of exponentials a worker at most
constexpr float kMasked = -1e30F;

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

  std::size_t width() const { return input->network.width(); }
  std::size_t tiles() const { return (columns->count() + kTileColumns - 1) / kTileColumns; }
  std::size_t first(std::size_t tile) const { return tile * kTileColumns; }
  std::size_t size(std::size_t tile) const { return std::min(kTileColumns, columns->count() - first(tile)); }
  std::span<float> tile(std::size_t t) const { return scratch->tiles.span().subspan(rows * first(t), rows * size(t)); }
  tensor::MatrixView vectors() const { return tensor::view(input->vectors.subspan(begin * width()), rows, width()); }
  tensor::MatrixView table(std::size_t t) const {
    return tensor::view(columns->table.subspan(first(t) * width()), size(t), width());
  }
  bool has_memory() const { return input->recall.batch != nullptr; }
  std::span<const Recalled> recalled(std::size_t row) const {
    return input->recall.batch->row(static_cast<std::size_t>(input->recall.row[begin + row]));
  }
  GateBlock gates() const { return {input->network, input->vectors.subspan(begin * width(), rows * width()), rows}; }
  std::span<float> gate(std::size_t row) const { return scratch->gate.span().subspan(row * kMemoryFeatures, kMemoryFeatures); }
  std::span<float> dgate(std::size_t row) const { return scratch->dgate.span().subspan(row * kMemoryFeatures, kMemoryFeatures); }
  std::int32_t target(std::size_t row) const { return input->target[begin + row]; }
  std::span<const float> token_row(std::int32_t token) const {
    const auto& net = input->network;
    return net.at(net.layout->token).subspan(static_cast<std::size_t>(token) * width(), width());
  }
  float token_bias(std::int32_t token) const {
    return input->network.at(input->network.layout->token_bias)[static_cast<std::size_t>(token)];
  }
};

// Finds the row's own column in tile t, if it is there.
bool own_column(const Block& block, std::size_t t, std::size_t row, std::size_t& at) {
  const auto column = static_cast<std::size_t>(block.target(row)) - 1;
  if (column < block.first(t) || column >= block.first(t) + block.size(t)) {
    return false;
  }
  at = row * block.size(t) + column - block.first(t);
  return true;
}

// A negative that is the row's own target is no negative.
void mask_collisions(const Block& block, std::size_t t, std::span<float> logits) {
  const std::size_t count = block.size(t);
  const std::int32_t* token = block.columns->negatives->token.data() + block.first(t);
  for (std::size_t r = 0; r < block.rows; ++r) {
    const std::int32_t own = block.target(r);
    float* row = logits.data() + r * count;
    for (std::size_t c = 0; c < count; ++c) {
      row[c] = token[c] == own ? kMasked : row[c];
    }
  }
}

// visit(entry, place in the tile) for each column of tile t that the memory of a row speaks of.
template <class Visit>
void for_each_recalled(const Block& block, std::size_t t, std::size_t row, const Visit& visit) {
  const auto first = block.first(t);
  const auto end = first + block.size(t);
  if (block.columns->negatives == nullptr) {
    for (const Recalled& entry : tokens_between(block.recalled(row), static_cast<std::int32_t>(first) + 1, static_cast<std::int32_t>(end) + 1)) {
      visit(entry, row * block.size(t) + static_cast<std::size_t>(entry.token) - 1 - first);
    }
    return;
  }
  for (const Recalled& entry : block.recalled(row)) {
    const ColumnIndex& index = block.scratch->columns;
    for (std::int32_t c = index.first(entry.token); c >= 0; c = index.next(c)) {
      const auto column = static_cast<std::size_t>(c);
      if (column >= first && column < end) {
        visit(entry, row * block.size(t) + column - first);
      }
    }
  }
}

void add_recalled(const Block& block, std::size_t t, std::span<float> logits) {
  for (std::size_t r = 0; block.has_memory() && r < block.rows; ++r) {
    const auto gate = block.gate(r);
    for_each_recalled(block, t, r, [&](const Recalled& entry, std::size_t at) { logits[at] += recalled_logit(entry, gate); });
  }
}

void collect_gate_gradient(const Block& block, std::size_t t, std::span<const float> dlogits) {
  for (std::size_t r = 0; block.has_memory() && r < block.rows; ++r) {
    const auto dgate = block.dgate(r);
    for_each_recalled(block, t, r, [&](const Recalled& entry, std::size_t at) { add_recalled_gradient(entry, dlogits[at], dgate); });
  }
}

void exponentiate(const Block& block) {
  const bool sampled = block.columns->negatives != nullptr;
  auto& positive = block.scratch->positive;
  for (std::size_t t = 0; t < block.tiles(); ++t) {
    const auto tile = block.tile(t);
    const auto bias = block.columns->bias.subspan(block.first(t), block.size(t));
    tensor::gemm(block.vectors(), block.table(t).t(), tensor::mutable_view(tile, block.rows, block.size(t)));
    add_recalled(block, t, tile);
    if (sampled) {
      mask_collisions(block, t, tile);
    } else {
      for (std::size_t r = 0; r < block.rows; ++r) {
        if (std::size_t at = 0; own_column(block, t, r, at)) {
          positive[r] = tile[at] + bias[at % block.size(t)];
        }
      }
    }
    tensor::softmax_tile({tile, block.size(t), bias}, block.scratch->tile_max.span().subspan(t * block.rows, block.rows),
                         block.scratch->tile_sum.span().subspan(t * block.rows, block.rows));
  }
  for (std::size_t r = 0; sampled && r < block.rows; ++r) {
    const auto vector = block.input->vectors.subspan((block.begin + r) * block.width(), block.width());
    positive[r] = tensor::dot(vector, block.token_row(block.target(r))) + block.token_bias(block.target(r));
    if (const Recalled* own = block.has_memory() ? find_token(block.recalled(r), block.target(r)) : nullptr; own != nullptr) {
      positive[r] += recalled_logit(*own, block.gate(r));
    }
  }
}

// Log-sum-exp of a row over its tiles; turns tile_max into the factor that makes scaled probabilities of the tile's
// entries.
double reduce_row(const Block& block, std::size_t row) {
  const bool sampled = block.columns->negatives != nullptr;
  const auto positive = static_cast<double>(block.scratch->positive[row]);
  const auto top_of = [&](std::size_t t) { return static_cast<double>(block.scratch->tile_max[t * block.rows + row]); };
  double top = sampled ? positive : top_of(0);
  for (std::size_t t = 0; t < block.tiles(); ++t) {
    top = std::max(top, top_of(t));
  }
  double sum = sampled ? std::exp(positive - top) : 0;
  for (std::size_t t = 0; t < block.tiles(); ++t) {
    sum += static_cast<double>(block.scratch->tile_sum[t * block.rows + row]) * std::exp(top_of(t) - top);
  }
  const double log_sum = top + std::log(sum);
  for (std::size_t t = 0; t < block.tiles(); ++t) {
    block.scratch->factor[t * block.rows + row] = block.input->scale * static_cast<float>(std::exp(top_of(t) - log_sum));
  }
  return log_sum - positive;
}

void differentiate(const Block& block, std::span<float> dvectors) {
  const auto out = dvectors.subspan(block.begin * block.width(), block.rows * block.width());
  for (std::size_t t = 0; t < block.tiles(); ++t) {
    const auto tile = block.tile(t);
    tensor::scale_rows(block.scratch->factor.span().subspan(t * block.rows, block.rows), tile);
    for (std::size_t r = 0; block.columns->negatives == nullptr && r < block.rows; ++r) {
      if (std::size_t at = 0; own_column(block, t, r, at)) {
        tile[at] -= block.input->scale;
      }
    }
    collect_gate_gradient(block, t, tile);
    const auto d = tensor::view(tile, block.rows, block.size(t));
    const auto dtable = block.columns->dtable.subspan(block.first(t) * block.width(), block.size(t) * block.width());
    tensor::add_column_sums(tile, block.columns->dbias.subspan(block.first(t), block.size(t)));
    tensor::gemm(d, block.table(t), tensor::mutable_view(out, block.rows, block.width()),
                 t == 0 ? Into::kOverwrite : Into::kAdd);
    tensor::gemm(d.t(), block.vectors(), tensor::mutable_view(dtable, block.size(t), block.width()), Into::kAdd);
  }
}

// The positive's own share of the gradient, when it is not one of the columns.
void differentiate_positives(const Block& block, std::span<const double> row_loss, std::span<float> dvectors,
                             std::span<float> gradients) {
  const Layout& layout = *block.input->network.layout;
  const std::size_t width = block.width();
  for (std::size_t r = 0; r < block.rows; ++r) {
    const float g = block.input->scale * static_cast<float>(std::expm1(-row_loss[r]));
    const auto token = static_cast<std::size_t>(block.target(r));
    const std::size_t at = (block.begin + r) * width;
    tensor::add_scaled(block.token_row(block.target(r)), g, dvectors.subspan(at, width));
    tensor::add_scaled(block.input->vectors.subspan(at, width), g,
                       part_of(gradients, layout.token).subspan(token * width, width));
    part_of(gradients, layout.token_bias)[token] += g;
    if (const Recalled* own = block.has_memory() ? find_token(block.recalled(r), block.target(r)) : nullptr; own != nullptr) {
      add_recalled_gradient(*own, g, block.dgate(r));
    }
  }
}

Columns all_tokens(const LossInput& input, std::span<float> gradients) {
  const Layout& layout = *input.network.layout;
  const std::size_t width = input.network.width();
  return {input.network.at(layout.token).subspan(width), input.network.at(layout.token_bias).subspan(1),
          part_of(gradients, layout.token).subspan(width), part_of(gradients, layout.token_bias).subspan(1), nullptr};
}

Columns gather_negatives(const LossInput& input, LossScratch& scratch) {
  const std::size_t count = input.negatives->token.size();
  const std::size_t width = input.network.width();
  for (auto* buffer : {&scratch.negative_rows, &scratch.dnegative_rows}) {
    buffer->resize(count * width);
    buffer->zero();
  }
  scratch.negative_bias.resize(count);
  scratch.dnegative_bias.resize(count);
  scratch.dnegative_bias.zero();
  tensor::gather_add({input.negatives->token, 1, width, 1}, input.network.at(input.network.layout->token),
                     scratch.negative_rows.span());
  const auto bias = input.network.at(input.network.layout->token_bias);
  for (std::size_t i = 0; i < count; ++i) {
    scratch.negative_bias[i] = bias[static_cast<std::size_t>(input.negatives->token[i])] - input.negatives->log_expected[i];
  }
  return {scratch.negative_rows.span(), scratch.negative_bias.span(), scratch.dnegative_rows.span(),
          scratch.dnegative_bias.span(), input.negatives};
}

}  // namespace

double softmax_loss(const LossInput& input, LossScratch& scratch, std::span<float> dvectors, std::span<float> gradients) {
  const Layout& layout = *input.network.layout;
  const std::size_t width = input.network.width();
  const std::size_t rows = input.target.size();
  BECKON_CHECK(input.vectors.size() == rows * width && dvectors.size() == rows * width);
  const Columns columns = input.negatives == nullptr ? all_tokens(input, gradients) : gather_negatives(input, scratch);
  if (input.negatives != nullptr && input.recall.batch != nullptr) {
    scratch.columns.assign(input.negatives->token, static_cast<std::size_t>(input.network.options->tokens));
  }
  const std::size_t block_rows = std::clamp<std::size_t>(kBlockFloatsMax / columns.count(), 16, kRowsMax);
  double loss = 0;
  std::vector<double> row_loss;
  for (std::size_t begin = 0; begin < rows; begin += block_rows) {
    const Block block{&input, &columns, &scratch, begin, std::min(block_rows, rows - begin)};
    scratch.tiles.resize(block.rows * columns.count());
    scratch.positive.resize(block.rows);
    for (auto* buffer : {&scratch.tile_max, &scratch.tile_sum, &scratch.factor}) {
      buffer->resize(block.tiles() * block.rows);
    }
    if (block.has_memory()) {
      scratch.gate.resize(block.rows * kMemoryFeatures);
      scratch.dgate.resize(block.rows * kMemoryFeatures);
      scratch.dgate.zero();
      gates_forward(block.gates(), scratch.gate.span());
    }
    exponentiate(block);
    row_loss.assign(block.rows, 0);
    for (std::size_t r = 0; r < block.rows; ++r) {
      row_loss[r] = reduce_row(block, r);
      loss += row_loss[r];
    }
    differentiate(block, dvectors);
    if (input.negatives != nullptr) {
      differentiate_positives(block, row_loss, dvectors, gradients);
    }
    if (block.has_memory()) {
      gates_backward(block.gates(), scratch.dgate.span(), dvectors.subspan(begin * width, block.rows * width), gradients);
    }
  }
  if (input.negatives != nullptr) {
    tensor::scatter_add({input.negatives->token, 1, width, 1}, columns.dtable, part_of(gradients, layout.token));
    tensor::scatter_add({input.negatives->token, 1, 1, 1}, columns.dbias, part_of(gradients, layout.token_bias));
  }
  return loss * static_cast<double>(input.scale);
}

}  // namespace beckon::model::inner
