#include "feed_forward_branch.h"

namespace beckon::model::inner {

struct FeedForwardBranch::Cache final : LayerCache {
  tensor::Buffer up, inside;
};

FeedForwardBranch::FeedForwardBranch(const std::string& at, const Shape& shape, Layout& layout) : shape_(shape) {
  up_ = add_linear(layout, at + "up", {0, shape.width, shape.inside * (shape.swiglu ? 2 : 1)}, shape.bias);
  down_ = add_linear(layout, at + "down", {0, shape.inside, shape.width}, shape.bias);
}

void FeedForwardBranch::initialise(std::span<float> weights, base::Rng& rng) const {
  fill_glorot(weights, up_.weight, rng);
  fill_glorot(weights, down_.weight, rng);
}

std::unique_ptr<LayerCache> FeedForwardBranch::make_cache() const {
  return std::make_unique<Cache>();
}

void FeedForwardBranch::forward(const LayerPass& io, LayerCache& cache, Workspace&, tensor::Buffer& out) const {
  auto& own = static_cast<Cache&>(cache);
  const auto dropout = io.dropout(1, shape_.inside);
  linear_forward(io.pass->network, up_, io.x, own.up);
  own.inside.resize(io.x.size() / shape_.width * shape_.inside);
  if (shape_.swiglu) {
    tensor::swiglu_forward(own.up.span(), shape_.inside, dropout, own.inside.span());
  } else {
    tensor::relu_forward(own.up.span(), dropout, own.inside.span());
  }
  linear_forward(io.pass->network, down_, own.inside.span(), out);
}

void FeedForwardBranch::backward(const LayerPass& io, const LayerCache& cache, Workspace& work,
                                 const Gradients& gradients) const {
  const auto& own = static_cast<const Cache&>(cache);
  const Network& net = io.pass->network;
  const auto dropout = io.dropout(1, shape_.inside);
  work.dwide.resize(own.inside.size());
  linear_backward(net, down_,
                  {own.inside.span(), gradients.dout, work.dwide.span(), tensor::Into::kOverwrite, gradients.weights});
  work.dup.resize(own.up.size());
  if (shape_.swiglu) {
    tensor::swiglu_backward({own.up.span(), shape_.inside, dropout, work.dwide.span(), work.dup.span()});
  } else {
    tensor::relu_backward(own.up.span(), dropout, work.dwide.span(), work.dup.span());
  }
  linear_backward(net, up_, {io.x, work.dup.span(), gradients.dx, tensor::Into::kOverwrite, gradients.weights});
}

}  // namespace beckon::model::inner
