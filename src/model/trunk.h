#pragma once
// From tokens to vectors and back: embeddings, blocks, final norm.

#include "batch.h"
#include "beckon/tensor/tensor.h"
#include "layout.h"

namespace beckon::model::inner {

/// What a pass reads: weights may be a model's or a test's.
struct Network {
  const ModelOptions* options = nullptr;
  const Layout* layout = nullptr;
  std::span<const float> weights;

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

struct NormCache {
  tensor::Buffer y, mean, inverse;
};
struct NormParts {
  const Part* gain;
  const Part* shift;
};
/// out.y = layer norm of x.
void norm_forward(const Network& net, const NormParts& parts, std::span<const float> x, NormCache& out);

/// What a block keeps for its backward pass; all rows × something.
struct BlockCache {
  NormCache norm1, norm2;
  tensor::Buffer qkv, probabilities, mixed, branch1, gate1, middle;
  tensor::Buffer up, inside, branch2, gate2;
};

struct TrunkCache {
  std::vector<tensor::Buffer> x;  ///< input of each block, then of the final norm
  std::vector<BlockCache> blocks;
  NormCache last;  ///< its y is the result: rows × width, or sequences × width with last_only
  tensor::Buffer scratch;
  tensor::Buffer dx, dgate, dbranch, dwide, dnorm, dup;
};

/// One pass over a batch. With `keep` everything that the backward pass needs stays in the cache.
struct Pass {
  Network network;
  const PackedBatch* batch = nullptr;
  DropoutPlan dropout;
  bool keep = true;
  bool last_only = false;  ///< not with keep: the result has one row a sequence, that of its last position
};

void trunk_forward(const Pass& pass, TrunkCache& cache);
/// `dvectors` (rows × width) is overwritten; gradients (as long as the weights) are added to.
void trunk_backward(const Pass& pass, TrunkCache& cache, std::span<float> dvectors, std::span<float> gradients);

/// One block. x → y; site numbers its dropout masks.
struct BlockPass {
  const Pass* pass = nullptr;
  const LayerParts* parts = nullptr;
  std::span<const float> x;
  std::uint32_t site = 0;
};
void block_forward(const BlockPass& block, BlockCache& cache, TrunkCache& work, std::span<float> y);
/// The same for the last position of each sequence: y is sequences × width. Keeps nothing.
void block_forward_last(const BlockPass& block, BlockCache& cache, TrunkCache& work, std::span<float> y);
/// work.dx: gradient of y on entry, of x on return.
void block_backward(const BlockPass& block, const BlockCache& cache, TrunkCache& work, std::span<float> gradients);

}  // namespace beckon::model::inner
