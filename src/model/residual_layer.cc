#include "residual_layer.h"

#include <algorithm>

#include "norm.h"

// The derivation: with m = drop(branch), g = sigmoid(x·G + c), y = x + g·m the gradient of y flows unchanged into x, and
// beside it through the gate (x·G) and through the branch. So one buffer dx starts as dy and collects the rest in place.
namespace beckon::model::inner {

struct ResidualLayer::Cache final : LayerCache {
  NormCache norm;
  tensor::Buffer branch, gate;
  std::unique_ptr<LayerCache> inside;
};

ResidualLayer::ResidualLayer(const Names& names, const Shape& shape, Layout& layout, const MakeBranch& make_branch)
    : shape_(shape) {
  gain_ = layout.add(names.norm + ".gain", 1, shape.width);
  shift_ = layout.add(names.norm + ".shift", 1, shape.width);
  branch_ = make_branch();
  if (shape.gated) {
    gate_ = add_linear(layout, names.gate, {0, shape.width, shape.width}, true);
  }
}

void ResidualLayer::initialise(std::span<float> weights, base::Rng& rng) const {
  std::ranges::fill(part_of(weights, gain_), 1.0F);
  branch_->initialise(weights, rng);
  fill_glorot(weights, gate_.weight, rng);
}

std::unique_ptr<LayerCache> ResidualLayer::make_cache() const {
  auto cache = std::make_unique<Cache>();
  cache->inside = branch_->make_cache();
  return cache;
}

void ResidualLayer::normed_branch(const LayerPass& io, Cache& cache, Workspace& work) const {
  norm_forward(io.pass->network, {&gain_, &shift_}, io.x, cache.norm);
  LayerPass inside = io;
  inside.x = cache.norm.y.span();
  branch_->forward(inside, *cache.inside, work, cache.branch);
}

void ResidualLayer::join(const LayerPass& io, Cache& cache, std::span<float> y) const {
  const auto dropout = io.dropout(0, shape_.width);
  if (shape_.gated) {
    linear_forward(io.pass->network, gate_, io.x, cache.gate);
    tensor::gated_residual_forward({io.x, cache.branch.span(), cache.gate.span(), dropout, y});
    return;
  }
  tensor::apply_dropout(dropout, cache.branch.span());
  std::ranges::copy(io.x, y.begin());
  tensor::add_scaled(cache.branch.span(), 1, y);
}

void ResidualLayer::forward(const LayerPass& io, LayerCache& cache, Workspace& work, std::span<float> y) const {
  auto& own = static_cast<Cache&>(cache);
  normed_branch(io, own, work);
  join(io, own, y);
}

void ResidualLayer::forward_last(const LayerPass& io, LayerCache& cache, Workspace& work, std::span<float> y) const {
  auto& own = static_cast<Cache&>(cache);
  LayerPass wanted = io;
  wanted.last_only = true;
  normed_branch(wanted, own, work);
  work.dnorm.resize(y.size());
  copy_last_rows(*io.pass->batch, shape_.width, io.x, work.dnorm.span());
  LayerPass last = io;
  last.x = work.dnorm.span();
  join(last, own, y);
}

void ResidualLayer::advance(const LayerPass& io, LayerState* state, LayerCache& cache, Workspace& work, std::span<float> y) const {
  auto& own = static_cast<Cache&>(cache);
  norm_forward(io.pass->network, {&gain_, &shift_}, io.x, own.norm);
  LayerPass inside = io;
  inside.x = own.norm.y.span();
  branch_->advance(inside, state, *own.inside, work, own.branch);
  LayerPass wanted = io;
  wanted.x = io.x.last(y.size());
  join(wanted, own, y);
}

void ResidualLayer::backward(const LayerPass& io, const LayerCache& cache, Workspace& work,
                             const Gradients& gradients) const {
  const auto& own = static_cast<const Cache&>(cache);
  const Network& net = io.pass->network;
  const auto dropout = io.dropout(0, shape_.width);
  work.dbranch.resize(io.x.size());
  work.dnorm.resize(io.x.size());
  if (shape_.gated) {
    work.dgate.resize(io.x.size());
    tensor::gated_residual_backward(
        {own.branch.span(), own.gate.span(), dropout, gradients.dx, work.dbranch.span(), work.dgate.span()});
  } else {
    std::ranges::copy(gradients.dx, work.dbranch.span().begin());
    tensor::apply_dropout(dropout, work.dbranch.span());
  }
  LayerPass inside = io;
  inside.x = own.norm.y.span();
  branch_->backward(inside, *own.inside, work, {work.dbranch.span(), work.dnorm.span(), gradients.weights});
  if (shape_.gated) {
    linear_backward(net, gate_, {io.x, work.dgate.span(), gradients.dx, tensor::Into::kAdd, gradients.weights});
  }
  norm_backward(net, {&gain_, &shift_}, {io.x, &own.norm, work.dnorm.span(), gradients.dx, gradients.weights});
}

}  // namespace beckon::model::inner
