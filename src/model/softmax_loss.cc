#include "softmax_loss.h"

#include <algorithm>
#include <cmath>

#include "softmax_tiles.h"

namespace beckon::model::inner {
namespace {

constexpr std::size_t kBlockFloatsMax = std::size_t{1} << 22U;  // exponentials a worker: 16 MB, in bfloat16 half of it
constexpr float kMasked = -1e30F;

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
  const std::size_t first = block.first(t);
  const std::size_t end = first + block.size(t);
  if (block.columns->negatives == nullptr) {
    for (const Recalled& entry : tokens_between(block.recalled(row), static_cast<std::int32_t>(first) + 1, static_cast<std::int32_t>(end) + 1)) {
      visit(entry, row * block.size(t) + static_cast<std::size_t>(entry.token) - 1 - first);
    }
    return;
  }
  const ColumnIndex& index = block.scratch->columns;
  for (const Recalled& entry : block.recalled(row)) {
    for (std::int32_t c = index.first(entry.token); c >= 0; c = index.next(c)) {
      if (const auto column = static_cast<std::size_t>(c); column >= first && column < end) {
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

template <class Tiles>
void exponentiate(const Block& block, Tiles& tiles, std::span<float> dvectors) {
  for (std::size_t t = 0; t < block.tiles(); ++t) {
    const auto tile = tiles.logits(block, t);
    add_recalled(block, t, tile);
    if (block.columns->negatives != nullptr) {
      mask_collisions(block, t, tile);
    }
    tiles.exponentiate(block, t, dvectors);
  }
  for (std::size_t r = 0; r < block.rows; ++r) {
    float& positive = block.scratch->positive[r];
    positive = tensor::dot(block.vector(r), block.token_row(block.target(r))) + block.token_bias(block.target(r));
    if (const Recalled* own = block.recalled_target(r); own != nullptr) {
      positive += recalled_logit(*own, block.gate(r));
    }
  }
}

// Log-sum-exp of a row over its tiles minus the positive's logit; finds the factor that makes scaled probabilities of a tile's
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
  double scale = 0;
  for (std::size_t t = 0; t < block.tiles(); ++t) {
    scale = t > 0 && top_of(t) == top_of(t - 1) ? scale : std::exp(top_of(t) - top);
    sum += static_cast<double>(block.scratch->tile_sum[t * block.rows + row]) * scale;
  }
  const double log_sum = top + std::log(sum);
  for (std::size_t t = 0; t < block.tiles(); ++t) {
    scale = t > 0 && top_of(t) == top_of(t - 1) ? scale : std::exp(top_of(t) - log_sum);
    block.scratch->factor[t * block.rows + row] = block.input->scale * static_cast<float>(scale);
  }
  return log_sum - positive;
}

template <class Tiles>
void collect_gate_gradient(const Block& block, std::size_t t, Tiles& tiles) {
  for (std::size_t r = 0; block.has_memory() && r < block.rows; ++r) {
    for_each_recalled(block, t, r, [&](const Recalled& entry, std::size_t at) {
      add_recalled_gradient(entry, block.factor(t)[r] * tiles.exponential(block, t, at), block.dgate(r));
    });
  }
}

// With p = factor · e: dvectors = p·table and dtable = pᵀ·vectors. The factors go into the narrow matrices, so that nothing but the
// products reads the exponentials again.
template <class Tiles>
void differentiate(const Block& block, Tiles& tiles, std::span<float> dvectors) {
  tiles.begin_gradient(block, dvectors);
  for (std::size_t t = 0; t < block.tiles(); ++t) {
    tiles.add_gradient(block, t, dvectors);
    collect_gate_gradient(block, t, tiles);
  }
}

// The positive's own share of the gradient: p - 1 when it is not one of the columns, else -1 beside its column's p.
void differentiate_positives(const Block& block, std::span<const double> row_loss, const LossGradients& out) {
  const Layout& layout = *block.input->network.layout;
  const std::size_t width = block.width();
  const bool alone = block.columns->negatives != nullptr;
  for (std::size_t r = 0; r < block.rows; ++r) {
    const float g = block.input->scale * (alone ? static_cast<float>(std::expm1(-row_loss[r])) : -1.0F);
    const auto token = static_cast<std::size_t>(block.target(r));
    tensor::add_scaled(block.token_row(block.target(r)), g, out.vectors.subspan((block.begin + r) * width, width));
    tensor::add_scaled(block.vector(r), g, part_of(out.weights, layout.token).subspan(token * width, width));
    part_of(out.weights, layout.token_bias)[token] += g;
    if (const Recalled* own = block.recalled_target(r); own != nullptr) {
      add_recalled_gradient(*own, g, block.dgate(r));
    }
  }
}

Columns all_tokens(const LossInput& input, std::span<float> gradients) {
  const Layout& layout = *input.network.layout;
  const std::size_t width = input.network.width();
  return {table_of(input.network), input.network.at(layout.token_bias).subspan(1),
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

template <class Tiles>
double run_blocks(const LossInput& input, const Columns& columns, LossScratch& scratch, const LossGradients& out) {
  const std::size_t rows = input.target.size();
  const std::size_t block_rows = Tiles::block_rows(rows, std::max<std::size_t>(kBlockFloatsMax / columns.count(), 16));
  Tiles tiles(input, columns, scratch);
  double loss = 0;
  std::vector<double> row_loss;
  for (std::size_t begin = 0; begin < rows; begin += block_rows) {
    const Block block{&input, &columns, &scratch, begin, std::min(block_rows, rows - begin), Tiles::kTileColumns};
    tiles.begin(block);
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
    const auto dvectors = out.vectors.subspan(begin * block.width(), block.rows * block.width());
    exponentiate(block, tiles, dvectors);
    row_loss.assign(block.rows, 0);
    for (std::size_t r = 0; r < block.rows; ++r) {
      row_loss[r] = reduce_row(block, r);
      loss += row_loss[r];
    }
    differentiate(block, tiles, dvectors);
    differentiate_positives(block, row_loss, out);
    if (block.has_memory()) {
      gates_backward(block.gates(), scratch.dgate.span(), dvectors, out.weights);
    }
  }
  return loss;
}

}  // namespace

double softmax_loss(const LossInput& input, LossScratch& scratch, const LossGradients& out) {
  const Layout& layout = *input.network.layout;
  const std::size_t width = input.network.width();
  const std::size_t rows = input.target.size();
  BECKON_CHECK(input.vectors.size() == rows * width && out.vectors.size() == rows * width);
  const Columns columns =
      input.negatives == nullptr ? all_tokens(input, out.weights) : gather_negatives(input, scratch);
  if (input.negatives != nullptr && input.recall.batch != nullptr) {
    scratch.columns.assign(input.negatives->token, static_cast<std::size_t>(input.network.options->tokens));
  }
  const double loss =
      uses_packed_table(input.network) ? run_blocks<Bf16Tiles>(input, columns, scratch, out) : run_blocks<Fp32Tiles>(input, columns, scratch, out);
  if (input.negatives != nullptr) {
    tensor::scatter_add({input.negatives->token, 1, width, 1}, columns.dtable, part_of(out.weights, layout.token));
    tensor::scatter_add({input.negatives->token, 1, 1, 1}, columns.dbias, part_of(out.weights, layout.token_bias));
  }
  return loss * static_cast<double>(input.scale);
}

}  // namespace beckon::model::inner
