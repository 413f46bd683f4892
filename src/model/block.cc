#include <algorithm>

#include "trunk.h"

// The derivation: with m = drop(branch), g = sigmoid(x·G + c), y = x + g·m the gradient of y flows unchanged into x, and
// beside it through the gate (x·G) and through the branch. So one buffer dx starts as dy and collects the rest in place.
namespace beckon::model::inner {
namespace {

using tensor::Into;

// y = x·W (+ bias)
void linear(const Network& net, std::span<const float> x, const Part& weight, const Part* bias, tensor::Buffer& y) {
  const std::size_t rows = x.size() / weight.rows;
  y.resize(rows * weight.columns);
  tensor::gemm(tensor::view(x, rows, weight.rows), tensor::view(net.at(weight), weight.rows, weight.columns),
               tensor::mutable_view(y.span(), rows, weight.columns));
  if (bias != nullptr) {
    tensor::add_bias(net.at(*bias), y.span());
  }
}

struct LinearBackward {
  const Network* net;
  std::span<float> gradients;
  // dW += xᵀ·dy, dbias += Σ dy, dx (+)= dy·Wᵀ
  void run(std::span<const float> x, const Part& weight, const Part* bias, std::span<const float> dy) const {
    const std::size_t rows = x.size() / weight.rows;
    tensor::gemm(tensor::view(x, rows, weight.rows).t(), tensor::view(dy, rows, weight.columns),
                 tensor::mutable_view(part_of(gradients, weight), weight.rows, weight.columns), Into::kAdd);
    if (bias != nullptr) {
      tensor::add_column_sums(dy, part_of(gradients, *bias));
    }
  }
  void input(std::span<const float> dy, const Part& weight, std::span<float> dx, Into into) const {
    const std::size_t rows = dx.size() / weight.rows;
    tensor::gemm(tensor::view(dy, rows, weight.columns), tensor::view(net->at(weight), weight.rows, weight.columns).t(),
                 tensor::mutable_view(dx, rows, weight.rows), into);
  }
};

// Visits the sequences of a batch with the attention shape and the place of their probabilities.
template <class Visit>
void for_sequences(const Pass& pass, Visit visit) {
  const auto& options = *pass.network.options;
  std::size_t probability_at = 0;
  for (std::size_t s = 0; s < pass.batch->sequences(); ++s) {
    const std::size_t begin = pass.batch->start[s];
    const tensor::AttentionShape shape{pass.batch->start[s + 1] - begin, pass.network.width(),
                                       static_cast<std::size_t>(options.attention_heads),
                                       static_cast<std::size_t>(options.length_max)};
    visit(shape, begin, probability_at);
    probability_at += shape.heads * shape.length * shape.length;
  }
}

void attend(const BlockPass& block, BlockCache& cache, TrunkCache& work, bool last_only) {
  const Network& net = block.pass->network;
  const LayerParts& p = *block.parts;
  norm_forward(net, {&p.norm1_gain, &p.norm1_shift}, block.x, cache.norm1);
  linear(net, cache.norm1.y.span(), p.qkv, &p.qkv_bias, cache.qkv);
  const std::size_t width = block.pass->network.width();
  std::size_t total = 0;
  std::size_t scratch = 0;
  for_sequences(*block.pass, [&](const tensor::AttentionShape& shape, std::size_t, std::size_t at) {
    total = at + shape.heads * shape.length * shape.length;
    scratch = std::max(scratch, tensor::attention_scratch_size(shape));
  });
  cache.probabilities.resize(total);
  cache.mixed.resize(block.pass->batch->rows() * width);
  work.scratch.resize(scratch);
  for_sequences(*block.pass, [&](const tensor::AttentionShape& shape, std::size_t begin, std::size_t at) {
    tensor::attention_forward({shape, cache.qkv.span().subspan(begin * 3 * width, shape.length * 3 * width),
                               block.pass->network.at(block.parts->distance_bias),
                               cache.probabilities.span().subspan(at, shape.heads * shape.length * shape.length),
                               cache.mixed.span().subspan(begin * width, shape.length * width), work.scratch.span(),
                               last_only ? shape.length - 1 : 0});
  });
}

// From the attention's output (cache.mixed) to the block's.
void finish(const BlockPass& block, BlockCache& cache, std::span<float> y) {
  const Network& net = block.pass->network;
  const LayerParts& p = *block.parts;
  const auto x = block.x;
  const std::size_t inside = p.down.rows;
  const auto dropout = [&](std::uint32_t site, std::size_t width) {
    return block.pass->dropout.at(block.site + site, width);
  };
  linear(net, cache.mixed.span(), p.mix, &p.mix_bias, cache.branch1);
  linear(net, x, p.gate1, &p.gate1_bias, cache.gate1);
  cache.middle.resize(x.size());
  tensor::gated_residual_forward(
      {x, cache.branch1.span(), cache.gate1.span(), dropout(0, net.width()), cache.middle.span()});

  norm_forward(net, {&p.norm2_gain, &p.norm2_shift}, cache.middle.span(), cache.norm2);
  linear(net, cache.norm2.y.span(), p.up, nullptr, cache.up);
  cache.inside.resize(cache.up.size() / 2);
  tensor::swiglu_forward(cache.up.span(), inside, dropout(1, inside), cache.inside.span());
  linear(net, cache.inside.span(), p.down, nullptr, cache.branch2);
  linear(net, cache.middle.span(), p.gate2, &p.gate2_bias, cache.gate2);
  tensor::gated_residual_forward(
      {cache.middle.span(), cache.branch2.span(), cache.gate2.span(), dropout(2, net.width()), y});
}

}  // namespace

void block_forward(const BlockPass& block, BlockCache& cache, TrunkCache& work, std::span<float> y) {
  attend(block, cache, work, false);
  finish(block, cache, y);
}

void block_forward_last(const BlockPass& block, BlockCache& cache, TrunkCache& work, std::span<float> y) {
  attend(block, cache, work, true);
  const auto& start = block.pass->batch->start;
  const std::size_t width = block.pass->network.width();
  const std::size_t sequences = block.pass->batch->sequences();
  work.dx.resize(sequences * width);
  for (std::size_t s = 0; s < sequences; ++s) {
    // Row s is never behind the row it is copied from, so the mixed rows can move within their buffer.
    const std::size_t from = (start[s + 1] - 1) * width;
    std::copy_n(block.x.data() + from, width, work.dx.data() + s * width);
    std::copy_n(cache.mixed.data() + from, width, cache.mixed.data() + s * width);
  }
  cache.mixed.resize(sequences * width);
  BlockPass of_last = block;
  of_last.x = work.dx.span();
  finish(of_last, cache, y);
}

void block_backward(const BlockPass& block, const BlockCache& cache, TrunkCache& work, std::span<float> gradients) {
  const auto x = block.x;
  const Network& net = block.pass->network;
  const LayerParts& p = *block.parts;
  const LinearBackward back{&net, gradients};
  const std::size_t width = net.width();
  const std::size_t rows = block.pass->batch->rows();
  const std::size_t inside = p.down.rows;
  const auto dropout = [&](std::uint32_t site, std::size_t columns) {
    return block.pass->dropout.at(block.site + site, columns);
  };
  const auto gradient = [&](const Part& part) { return part_of(gradients, part); };
  work.dbranch.resize(rows * width);
  work.dgate.resize(rows * width);
  work.dnorm.resize(rows * width);
  const auto dx = work.dx.span();

  tensor::gated_residual_backward(
      {cache.branch2.span(), cache.gate2.span(), dropout(2, width), dx, work.dbranch.span(), work.dgate.span()});
  back.run(cache.middle.span(), p.gate2, &p.gate2_bias, work.dgate.span());
  back.input(work.dgate.span(), p.gate2, dx, Into::kAdd);
  back.run(cache.inside.span(), p.down, nullptr, work.dbranch.span());
  work.dwide.resize(rows * inside);
  back.input(work.dbranch.span(), p.down, work.dwide.span(), Into::kOverwrite);
  work.dup.resize(rows * 2 * inside);
  tensor::swiglu_backward({cache.up.span(), inside, dropout(1, inside), work.dwide.span(), work.dup.span()});
  back.run(cache.norm2.y.span(), p.up, nullptr, work.dup.span());
  back.input(work.dup.span(), p.up, work.dnorm.span(), Into::kOverwrite);
  tensor::layer_norm_backward({cache.middle.span(), net.at(p.norm2_gain), cache.norm2.mean.span(),
                               cache.norm2.inverse.span(), work.dnorm.span(), dx, gradient(p.norm2_gain),
                               gradient(p.norm2_shift)});

  tensor::gated_residual_backward(
      {cache.branch1.span(), cache.gate1.span(), dropout(0, width), dx, work.dbranch.span(), work.dgate.span()});
  back.run(x, p.gate1, &p.gate1_bias, work.dgate.span());
  back.input(work.dgate.span(), p.gate1, dx, Into::kAdd);
  back.run(cache.mixed.span(), p.mix, &p.mix_bias, work.dbranch.span());
  work.dwide.resize(rows * width);
  back.input(work.dbranch.span(), p.mix, work.dwide.span(), Into::kOverwrite);
  work.dup.resize(rows * 3 * width);
  for_sequences(*block.pass, [&](const tensor::AttentionShape& shape, std::size_t begin, std::size_t at) {
    tensor::attention_backward({shape, cache.qkv.span().subspan(begin * 3 * width, shape.length * 3 * width),
                                cache.probabilities.span().subspan(at, shape.heads * shape.length * shape.length),
                                work.dwide.span().subspan(begin * width, shape.length * width),
                                work.dup.span().subspan(begin * 3 * width, shape.length * 3 * width),
                                gradient(p.distance_bias), work.scratch.span()});
  });
  back.run(cache.norm1.y.span(), p.qkv, &p.qkv_bias, work.dup.span());
  back.input(work.dup.span(), p.qkv, work.dnorm.span(), Into::kOverwrite);
  tensor::layer_norm_backward({x, net.at(p.norm1_gain), cache.norm1.mean.span(), cache.norm1.inverse.span(),
                               work.dnorm.span(), dx, gradient(p.norm1_gain), gradient(p.norm1_shift)});
}

}  // namespace beckon::model::inner
