#include "trunk.h"

#include <algorithm>
#include <cmath>

namespace beckon::model::inner {
namespace {

constexpr std::uint32_t kSitesPerBlock = 4;

float token_scale(const Network& net) {
  return std::sqrt(static_cast<float>(net.width()));
}

std::span<const std::int32_t> column(const std::vector<std::int32_t>& side, std::size_t c) {
  return std::span<const std::int32_t>(side).subspan(std::min(c, side.size()));
}

void embed(const Pass& pass, std::span<float> x) {
  const Network& net = pass.network;
  std::fill(x.begin(), x.end(), 0.0F);
  tensor::gather_add({pass.batch->token, 1, net.width(), token_scale(net)}, net.at(net.layout->token), x);
  const std::size_t columns = net.layout->side.size();
  for (std::size_t c = 0; c < columns; ++c) {
    tensor::gather_add({column(pass.batch->side, c), columns, net.width(), 1}, net.at(net.layout->side[c]), x);
  }
  tensor::apply_dropout(pass.dropout.at(0, net.width()), x);
}

void embed_backward(const Pass& pass, std::span<float> dx, std::span<float> gradients) {
  const Network& net = pass.network;
  tensor::apply_dropout(pass.dropout.at(0, net.width()), dx);
  tensor::scatter_add({pass.batch->token, 1, net.width(), token_scale(net)}, dx, part_of(gradients, net.layout->token));
  const std::size_t columns = net.layout->side.size();
  for (std::size_t c = 0; c < columns; ++c) {
    tensor::scatter_add({column(pass.batch->side, c), columns, net.width(), 1}, dx,
                        part_of(gradients, net.layout->side[c]));
  }
}

// When nothing is kept two buffers in turn and one block's cache are enough.
std::size_t slot(const Pass& pass, std::size_t layer, std::size_t slots_without_keep) {
  return pass.keep ? layer : layer % slots_without_keep;
}

BlockPass block_of(const Pass& pass, std::size_t layer, std::span<const float> x) {
  return {&pass, &pass.network.layout->layers[layer], x, 1 + static_cast<std::uint32_t>(layer) * kSitesPerBlock};
}

}  // namespace

Network network_of(const Model& model) {
  return {&model.options(), &model.layout(), model.weights()};
}

tensor::Dropout DropoutPlan::at(std::uint32_t site, std::size_t width) const {
  std::uint64_t mixed = (key ^ (site * 0x9E3779B97F4A7C15ULL)) * 0xBF58476D1CE4E5B9ULL;
  mixed = (mixed ^ (mixed >> 31U)) * 0x94D049BB133111EBULL;
  return {rate, static_cast<std::uint32_t>(mixed >> 32U), first_row * static_cast<std::uint32_t>(width)};
}

void norm_forward(const Network& net, const NormParts& parts, std::span<const float> x, NormCache& out) {
  const std::size_t rows = x.size() / parts.gain->columns;
  out.y.resize(x.size());
  out.mean.resize(rows);
  out.inverse.resize(rows);
  tensor::layer_norm_forward(
      {x, net.at(*parts.gain), net.at(*parts.shift), out.y.span(), out.mean.span(), out.inverse.span()});
}

void trunk_forward(const Pass& pass, TrunkCache& cache) {
  const Network& net = pass.network;
  const std::size_t layers = net.layout->layers.size();
  const std::size_t size = pass.batch->rows() * net.width();
  cache.x.resize(pass.keep ? layers + 1 : 2);
  cache.blocks.resize(pass.keep ? layers : 1);
  for (auto& x : cache.x) {
    x.resize(size);
  }
  embed(pass, cache.x[0].span());
  BECKON_CHECK(!(pass.keep && pass.last_only));
  for (std::size_t l = 0; l < layers; ++l) {
    const BlockPass block = block_of(pass, l, cache.x[slot(pass, l, 2)].span());
    auto& y = cache.x[slot(pass, l + 1, 2)];
    if (pass.last_only && l + 1 == layers) {
      y.resize(pass.batch->sequences() * net.width());
      block_forward_last(block, cache.blocks[slot(pass, l, 1)], cache, y.span());
    } else {
      block_forward(block, cache.blocks[slot(pass, l, 1)], cache, y.span());
    }
  }
  norm_forward(net, {&net.layout->final_gain, &net.layout->final_shift}, cache.x[slot(pass, layers, 2)].span(), cache.last);
}

void trunk_backward(const Pass& pass, TrunkCache& cache, std::span<float> dvectors, std::span<float> gradients) {
  BECKON_CHECK(pass.keep);
  const Network& net = pass.network;
  const Layout& layout = *net.layout;
  const std::size_t layers = layout.layers.size();
  cache.dx.resize(dvectors.size());
  cache.dx.zero();
  tensor::layer_norm_backward({cache.x[layers].span(), net.at(layout.final_gain), cache.last.mean.span(),
                               cache.last.inverse.span(), dvectors, cache.dx.span(), part_of(gradients, layout.final_gain),
                               part_of(gradients, layout.final_shift)});
  for (std::size_t l = layers; l-- > 0;) {
    block_backward(block_of(pass, l, cache.x[l].span()), cache.blocks[l], cache, gradients);
  }
  embed_backward(pass, cache.dx.span(), gradients);
}

}  // namespace beckon::model::inner
