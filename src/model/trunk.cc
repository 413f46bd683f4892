#include "trunk.h"

#include <algorithm>
#include <cmath>

#include "time_bucket.h"

namespace beckon::model::inner {
namespace {

// Attention compares embeddings with one another and wants them at unit size; a recurrent layer's weights find their own.
float token_scale(const Network& net) {
  return is_recurrent(net.options->arch) ? 1.0F : std::sqrt(static_cast<float>(net.width()));
}

std::span<const std::int32_t> column(const std::vector<std::int32_t>& side, std::size_t c) {
  return std::span<const std::int32_t>(side).subspan(std::min(c, side.size()));
}

// Visits each row of the batch with its absolute position: counted from the end, so that the last event is always the same one.
template <class Visit>
void for_positions(const Pass& pass, Visit visit) {
  const auto& start = pass.batch->start;
  const std::size_t places = pass.network.layout->position.rows;
  for (std::size_t s = 0; places > 0 && s + 1 < start.size(); ++s) {
    for (std::size_t r = start[s]; r < start[s + 1]; ++r) {
      visit(r, places - (start[s + 1] - r));
    }
  }
}

void embed(const Pass& pass, std::span<float> x) {
  const Network& net = pass.network;
  const std::size_t width = net.width();
  std::fill(x.begin(), x.end(), 0.0F);
  tensor::gather_add({pass.batch->token, 1, width, token_scale(net)}, net.at(net.layout->token), x);
  const std::size_t columns = net.layout->side.size();
  for (std::size_t c = 0; c < columns; ++c) {
    if (net.layout->side[c].size() > 0) {
      tensor::gather_add({column(pass.batch->side, c), columns, width, 1}, net.at(net.layout->side[c]), x);
    }
  }
  const auto position = net.at(net.layout->position);
  for_positions(pass, [&](std::size_t row, std::size_t place) {
    tensor::add_scaled(position.subspan(place * width, width), 1, x.subspan(row * width, width));
  });
  tensor::apply_dropout(pass.dropout.at(0, width), x);
}

void embed_backward(const Pass& pass, std::span<float> dx, std::span<float> gradients) {
  const Network& net = pass.network;
  const std::size_t width = net.width();
  tensor::apply_dropout(pass.dropout.at(0, width), dx);
  tensor::scatter_add({pass.batch->token, 1, width, token_scale(net)}, dx, part_of(gradients, net.layout->token));
  const std::size_t columns = net.layout->side.size();
  for (std::size_t c = 0; c < columns; ++c) {
    if (net.layout->side[c].size() > 0) {
      tensor::scatter_add({column(pass.batch->side, c), columns, width, 1}, dx, part_of(gradients, net.layout->side[c]));
    }
  }
  const auto dposition = part_of(gradients, net.layout->position);
  for_positions(pass, [&](std::size_t row, std::size_t place) {
    tensor::add_scaled(dx.subspan(row * width, width), 1, dposition.subspan(place * width, width));
  });
}

LayerPass layer_pass(const Pass& pass, std::size_t layer, std::span<const float> x) {
  return {&pass, x, 1 + static_cast<std::uint32_t>(layer) * kSitesPerLayer, false};
}

void prepare(const Pass& pass, TrunkCache& cache) {
  const Layout& layout = *pass.network.layout;
  if (cache.made_for != &layout) {
    cache.layers.clear();
    for (const auto& layer : layout.layers) {
      cache.layers.push_back(layer->make_cache());
    }
    cache.made_for = &layout;
  }
  // When nothing is kept two buffers in turn are enough.
  cache.x.resize(pass.keep ? layout.layers.size() + 1 : 2);
  for (auto& x : cache.x) {
    x.resize(pass.batch->rows() * pass.network.width());
  }
}

// With last_only: the last layer that mixes rows gives one row a sequence, and those after it work on these rows alone.
std::size_t narrowing_layer(const Pass& pass) {
  const auto& layers = pass.network.layout->layers;
  std::size_t found = layers.size();
  for (std::size_t l = 0; pass.last_only && l < layers.size(); ++l) {
    found = layers[l]->mixes_rows() ? l : found;
  }
  return found;
}

void finish(const Network& net, TrunkCache& cache, std::span<const float> x) {
  cache.result = x;
  if (net.options->final_norm) {
    norm_forward(net, {&net.layout->final_gain, &net.layout->final_shift}, x, cache.last);
    cache.result = cache.last.y.span();
  }
}

}  // namespace

void trunk_forward(const Pass& pass, TrunkCache& cache) {
  BECKON_CHECK(!(pass.keep && pass.last_only));
  const Network& net = pass.network;
  const auto& layers = net.layout->layers;
  const auto slot = [&](std::size_t l) -> tensor::Buffer& { return cache.x[pass.keep ? l : l % 2]; };
  prepare(pass, cache);
  fill_time_buckets(*pass.batch, cache.work.time_bucket);
  embed(pass, slot(0).span());
  const std::size_t narrowing = narrowing_layer(pass);
  std::size_t rows = pass.batch->rows();
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const LayerPass io = layer_pass(pass, l, slot(l).span());
    rows = l == narrowing ? pass.batch->sequences() : rows;
    slot(l + 1).resize(rows * net.width());
    const auto y = slot(l + 1).span();
    if (l == narrowing) {
      layers[l]->forward_last(io, *cache.layers[l], cache.work, y);
    } else {
      layers[l]->forward(io, *cache.layers[l], cache.work, y);
    }
  }
  finish(net, cache, slot(layers.size()).span());
}

void TrunkState::rewind(std::size_t length) {
  positions = std::min(positions, length);
  for (const auto& layer : layers) {
    positions = layer != nullptr && !layer->rewind(positions) ? 0 : positions;
  }
  if (positions == 0) {
    layers.clear();
  }
}

std::size_t TrunkState::bytes() const {
  std::size_t sum = 0;
  for (const auto& layer : layers) {
    sum += layer == nullptr ? 0 : layer->bytes();
  }
  return sum;
}

void trunk_advance(const Pass& pass, const SequenceTimes& times, TrunkState& state, TrunkCache& cache) {
  const Network& net = pass.network;
  const auto& layers = net.layout->layers;
  BECKON_CHECK(!pass.keep && pass.last_only && pass.batch->sequences() == 1);
  BECKON_CHECK(net.layout->position.size() == 0 || state.positions == 0);
  prepare(pass, cache);
  if (state.layers.empty()) {
    for (const auto& layer : layers) {
      state.layers.push_back(layer->make_state());
    }
  }
  fill_time_buckets(times.at_ms, times.request_ms, state.positions, cache.work.time_bucket);
  embed(pass, cache.x[0].span());
  const std::size_t narrowing = narrowing_layer(pass);
  std::size_t rows = pass.batch->rows();
  for (std::size_t l = 0; l < layers.size(); ++l) {
    LayerPass io = layer_pass(pass, l, cache.x[l % 2].span());
    io.last_only = l == narrowing;
    rows = l == narrowing ? 1 : rows;
    cache.x[(l + 1) % 2].resize(rows * net.width());
    layers[l]->advance(io, state.layers[l].get(), *cache.layers[l], cache.work, cache.x[(l + 1) % 2].span());
  }
  state.positions += pass.batch->rows();
  finish(net, cache, cache.x[layers.size() % 2].span());
}

void trunk_backward(const Pass& pass, TrunkCache& cache, std::span<const float> dvectors, std::span<float> gradients) {
  BECKON_CHECK(pass.keep);
  const Network& net = pass.network;
  const auto& layers = net.layout->layers;
  cache.dx.resize(dvectors.size());
  if (net.options->final_norm) {
    cache.dx.zero();
    norm_backward(net, {&net.layout->final_gain, &net.layout->final_shift},
                  {cache.x[layers.size()].span(), &cache.last, dvectors, cache.dx.span(), gradients});
  } else {
    std::ranges::copy(dvectors, cache.dx.span().begin());
  }
  for (std::size_t l = layers.size(); l-- > 0;) {
    layers[l]->backward(layer_pass(pass, l, cache.x[l].span()), *cache.layers[l], cache.work,
                        {cache.dx.span(), gradients});
  }
  embed_backward(pass, cache.dx.span(), gradients);
}

}  // namespace beckon::model::inner
