#pragma once
// y = x + gate(x) · dropout(branch(norm(x))): pre-norm residual (Xiong et al. 2020), with the gate of LiGR (Borisyuk et al.
// 2025) or without one (gate = 1).

#include <functional>

#include "layer.h"
#include "linear.h"

namespace beckon::model::inner {

/// What stands inside a residual layer: rows × width → rows × width.
class Branch {
 public:
  Branch() = default;
  virtual ~Branch() = default;
  Branch(const Branch&) = delete;
  Branch& operator=(const Branch&) = delete;

  virtual void initialise(std::span<float> weights, base::Rng& rng) const = 0;
  virtual std::unique_ptr<LayerCache> make_cache() const = 0;
  virtual bool mixes_rows() const = 0;
  /// `out` is resized: rows × width, or sequences × width with last_only (only when mixes_rows()).
  virtual void forward(const LayerPass& io, LayerCache& cache, Workspace& work, tensor::Buffer& out) const = 0;
  /// As in Layer. A branch that does not mix rows has no state and is asked forward().
  virtual std::unique_ptr<LayerState> make_state() const { return nullptr; }
  virtual void advance(const LayerPass& io, LayerState*, LayerCache& cache, Workspace& work, tensor::Buffer& out) const {
    forward(io, cache, work, out);
  }
  struct Gradients {
    std::span<const float> dout;
    std::span<float> dx;  ///< overwritten
    std::span<float> weights;
  };
  virtual void backward(const LayerPass& io, const LayerCache& cache, Workspace& work, const Gradients& gradients) const = 0;
};

class ResidualLayer final : public Layer {
 public:
  struct Names {
    std::string norm, gate;
  };
  struct Shape {
    std::size_t width = 0;
    bool gated = false;
  };
  using MakeBranch = std::function<std::unique_ptr<const Branch>()>;
  ResidualLayer(const Names& names, const Shape& shape, Layout& layout, const MakeBranch& make_branch);

  void initialise(std::span<float> weights, base::Rng& rng) const override;
  std::unique_ptr<LayerCache> make_cache() const override;
  bool mixes_rows() const override { return branch_->mixes_rows(); }
  void forward(const LayerPass& io, LayerCache& cache, Workspace& work, std::span<float> y) const override;
  void forward_last(const LayerPass& io, LayerCache& cache, Workspace& work, std::span<float> y) const override;
  std::unique_ptr<LayerState> make_state() const override { return branch_->make_state(); }
  void advance(const LayerPass& io, LayerState* state, LayerCache& cache, Workspace& work, std::span<float> y) const override;
  void backward(const LayerPass& io, const LayerCache& cache, Workspace& work, const Gradients& gradients) const override;

 private:
  struct Cache;
  void normed_branch(const LayerPass& io, Cache& cache, Workspace& work) const;
  void join(const LayerPass& io, Cache& cache, std::span<float> y) const;

  Shape shape_;
  Part gain_, shift_;
  LinearParts gate_;
  std::unique_ptr<const Branch> branch_;
};

}  // namespace beckon::model::inner
