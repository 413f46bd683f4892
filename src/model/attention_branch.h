#pragma once
// Causal self-attention (Vaswani et al. 2017) over each sequence of the batch, with a learned bias by distance (Shaw et al.
// 2018, scalar form) and by the time between the request and the event looked at (Zhai et al. 2024).

#include "residual_layer.h"

namespace beckon::model::inner {

class AttentionBranch final : public Branch {
 public:
  struct Shape {
    std::size_t width = 0;
    std::size_t heads = 1;
    std::size_t distances = 0;  ///< 0: no bias by distance
    bool time_bias = false;
  };
  AttentionBranch(const std::string& at, const Shape& shape, Layout& layout);

  void initialise(std::span<float> weights, base::Rng& rng) const override;
  std::unique_ptr<LayerCache> make_cache() const override;
  bool mixes_rows() const override { return true; }
  void forward(const LayerPass& io, LayerCache& cache, Workspace& work, tensor::Buffer& out) const override;
  std::unique_ptr<LayerState> make_state() const override;
  void advance(const LayerPass& io, LayerState* state, LayerCache& cache, Workspace& work, tensor::Buffer& out) const override;
  void backward(const LayerPass& io, const LayerCache& cache, Workspace& work, const Gradients& gradients) const override;

 private:
  struct Cache;
  struct State;
  struct Piece;
  template <class Visit>
  void for_sequences(const LayerPass& io, const Workspace& work, Visit visit) const;

  Shape shape_;
  LinearParts qkv_, mix_;
  Part distance_bias_;  // heads × distances
  Part time_bias_;      // heads × kTimeBuckets
};

}  // namespace beckon::model::inner
