#pragma once
// Two linear maps with SwiGLU (Shazeer 2020) or ReLU and dropout between them, the same for every position.

#include "residual_layer.h"

namespace beckon::model::inner {

class FeedForwardBranch final : public Branch {
 public:
  struct Shape {
    std::size_t width = 0;
    std::size_t inside = 0;
    bool swiglu = false;
    bool bias = false;
  };
  FeedForwardBranch(const std::string& at, const Shape& shape, Layout& layout);

  void initialise(std::span<float> weights, base::Rng& rng) const override;
  std::unique_ptr<LayerCache> make_cache() const override;
  bool mixes_rows() const override { return false; }
  void forward(const LayerPass& io, LayerCache& cache, Workspace& work, tensor::Buffer& out) const override;
  void backward(const LayerPass& io, const LayerCache& cache, Workspace& work, const Gradients& gradients) const override;

 private:
  struct Cache;
  Shape shape_;
  LinearParts up_, down_;  // width × inside (SwiGLU: 2·inside, gate | value), inside × width
};

}  // namespace beckon::model::inner
