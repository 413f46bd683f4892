#pragma once
// One layer of the trunk, and what a pass over a batch gives it.

#include <memory>

#include "batch.h"
#include "beckon/base/rng.h"
#include "beckon/tensor/tensor.h"
#include "layout.h"

namespace beckon::model::inner {

/// What a pass reads: weights may be a model's or a test's.
struct Network {
  const ModelOptions* options = nullptr;
  const Layout* layout = nullptr;
  std::span<const float> weights;
  tensor::Precision precision = tensor::Precision::kFp32;

  std::size_t width() const { return static_cast<std::size_t>(options->width); }
  std::span<const float> at(const Part& part) const { return part_of(weights, part); }
};
Network network_of(const Model& model);

/// rate 0 for serving. Masks are a function of (key, site, row of the batch, column).
struct DropoutPlan {
  float rate = 0;
  std::uint64_t key = 0;
  std::uint32_t first_row = 0;
  tensor::Dropout at(std::uint32_t site, std::size_t width) const;
};

/// One pass over a batch. With `keep` everything that the backward pass needs stays in the cache.
struct Pass {
  Network network;
  const PackedBatch* batch = nullptr;
  DropoutPlan dropout;
  bool keep = true;
  bool last_only = false;  ///< not with keep: the result has one row a sequence, that of its last position
};

/// Buffers that layers borrow. Contents do not survive a call, but for `time_bucket`: the trunk fills it once a pass.
struct Workspace {
  tensor::Buffer scratch, dbranch, dgate, dnorm, dwide, dup, dstate, dcarry, dbefore;
  std::vector<std::uint8_t> time_bucket;  ///< per sequence length × length; empty when no sequence has times
};

/// What one layer keeps between its forward and its backward pass.
class LayerCache {
 public:
  LayerCache() = default;
  virtual ~LayerCache() = default;
  LayerCache(const LayerCache&) = delete;
  LayerCache& operator=(const LayerCache&) = delete;
};

/// What one layer remembers of the positions of one sequence, so that the next position costs one step.
class LayerState {
 public:
  LayerState() = default;
  virtual ~LayerState() = default;
  LayerState(const LayerState&) = delete;
  LayerState& operator=(const LayerState&) = delete;
  /// Forgets the positions from `length` on. False when it cannot: then it has forgotten all of them.
  virtual bool rewind(std::size_t length) = 0;
  virtual std::size_t bytes() const = 0;
};

constexpr std::uint32_t kSitesPerLayer = 4;

struct LayerPass {
  const Pass* pass = nullptr;
  std::span<const float> x;  ///< rows × width
  std::uint32_t site = 0;    ///< the first of kSitesPerLayer numbers for dropout masks
  bool last_only = false;    ///< of a branch: only the last position of each sequence is wanted
  tensor::Dropout dropout(std::uint32_t which, std::size_t width) const { return pass->dropout.at(site + which, width); }
};

/// rows × width → rows × width over a packed batch. Layers hold places, not weights: they are immutable and thread-safe.
class Layer {
 public:
  Layer() = default;
  virtual ~Layer() = default;
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

  virtual void initialise(std::span<float> weights, base::Rng& rng) const = 0;
  virtual std::unique_ptr<LayerCache> make_cache() const = 0;
  /// Whether a row depends on other rows of its sequence. A layer that does not is given fewer rows than the batch has
  /// when only the last positions are wanted.
  virtual bool mixes_rows() const = 0;
  virtual void forward(const LayerPass& io, LayerCache& cache, Workspace& work, std::span<float> y) const = 0;
  /// y: sequences × width, the last position of each. Keeps nothing. Called only when mixes_rows().
  virtual void forward_last(const LayerPass& io, LayerCache& cache, Workspace& work, std::span<float> y) const = 0;
  /// nullptr: the layer does not mix rows, so there is nothing to remember.
  virtual std::unique_ptr<LayerState> make_state() const { return nullptr; }
  /// The rows of io.x (one sequence) are the positions after those that the state holds; it holds them too afterwards. y: a row each, or
  /// with io.last_only (only when mixes_rows()) the last one. The same numbers as forward() over the whole sequence, but for rounding.
  virtual void advance(const LayerPass& io, LayerState* state, LayerCache& cache, Workspace& work, std::span<float> y) const = 0;
  /// dx: gradient of y on entry, of x on return. Adds to the gradients of the weights.
  struct Gradients {
    std::span<float> dx;
    std::span<float> weights;
  };
  virtual void backward(const LayerPass& io, const LayerCache& cache, Workspace& work, const Gradients& gradients) const = 0;
};

/// Row s of `to` = the last row of sequence s in `from`; both `width` columns wide. The two may be the same memory.
void copy_last_rows(const PackedBatch& batch, std::size_t width, std::span<const float> from, std::span<float> to);

/// Variance 2 / (inputs + outputs): Glorot and Bengio 2010.
void fill_glorot(std::span<float> weights, const Part& part, base::Rng& rng);
void fill_normal(std::span<float> values, double deviation, base::Rng& rng);

}  // namespace beckon::model::inner
