#pragma once
// A causal transformer over token sequences, trained with hand-derived gradients. No word of a shop in here.
//
//   x0 = sqrt(width) · token + Σ side           a block: x + sigmoid(x·G1) · attention(norm(x)), then the same with SwiGLU
//   e  = norm(x_last)                           logits of the next token: e · tokenᵀ + bias (tied embeddings)
//
// Blocks: pre-norm transformer (Vaswani et al. 2017; Xiong et al. 2020) with the gates of LiGR (Borisyuk et al. 2025),
// SwiGLU (Shazeer 2020) and a learned bias by distance (Shaw et al. 2018, scalar form). Positions beyond `length_max` are
// not seen.
//
//   model.h    Sequence, ModelOptions, Model
//   train.h    train, evaluate
//   ranking.h  ndcg_at, hit_at, top_k

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "beckon/base/executor.h"
#include "beckon/base/filesystem.h"
#include "beckon/base/result.h"

namespace beckon::model {

namespace inner {
struct Layout;
}

/// One history, oldest first. All per-position vectors have length() entries (side: length × side columns, row-major;
/// label: length × heads). `target` and `label` may be empty when nothing is to be learned.
struct Sequence {
  std::vector<std::int32_t> token;   ///< 1 … tokens-1; 0 = unknown (kept as a position)
  std::vector<std::int32_t> side;    ///< row-major, column c holds 0 … side_sizes[c]-1
  std::vector<std::int32_t> target;  ///< token to predict after this position, 0 = none
  std::vector<std::int8_t> label;    ///< per binary head: 1, 0, or -1 = not known
  std::size_t length() const { return token.size(); }
};

/// kAuto: full softmax up to 30,000 tokens, sampled above.
enum class LossKind { kAuto, kFullSoftmax, kSampledSoftmax };

struct ModelOptions {
  std::int32_t tokens = 2;               ///< size of the vocabulary with token 0; 2 … 20,000,000
  std::vector<std::int32_t> side_sizes;  ///< one entry a side column
  std::int32_t heads = 0;                ///< binary heads
  std::int32_t width = 64;               ///< a multiple of 8 · attention_heads
  std::int32_t layers = 2;
  std::int32_t attention_heads = 2;
  std::int32_t feed_forward_width = 0;  ///< 0: 8/3 of width, rounded up to 16
  std::int32_t length_max = 50;         ///< positions seen at once
  float dropout = .4F;
  LossKind loss = LossKind::kAuto;
  std::int32_t negatives = 1024;  ///< shared by all positions of a step, for the sampled softmax
  float head_weight = 1;          ///< weight of each head's loss beside the token loss
};

/// Refuses what is out of range, with the name of the field, its value and the range.
base::Status validate(const ModelOptions& options);
/// The loss that `options.loss` stands for.
LossKind resolved_loss(const ModelOptions& options);

/// Weights and configuration. Const members are thread-safe; copies are deep.
class Model {
 public:
  /// Random weights of the given seed; same options and seed → same bits.
  static base::Result<Model> make(ModelOptions options, std::uint64_t seed);
  /// Reads safetensors. not_found when absent; data_loss or invalid_argument when cut off, changed or of another version.
  static base::Result<Model> load(const base::FileSystem& files, const std::string& path);
  base::Status save(base::FileSystem& files, const std::string& path) const;

  const ModelOptions& options() const { return options_; }
  std::size_t width() const { return static_cast<std::size_t>(options_.width); }
  std::size_t tokens() const { return static_cast<std::size_t>(options_.tokens); }
  std::size_t heads() const { return static_cast<std::size_t>(options_.heads); }

  /// invalid_argument when a vector has the wrong length or a value is out of range; `index` is named in the message.
  base::Status check(const Sequence& sequence, std::size_t index) const;

  /// (N, width): for each history the vector e after its last position. Only the last `length_max` positions are read; an
  /// empty history counts as one position with token 0 and side values 0. The histories must pass check(). The same list
  /// gives the same bits on any executor.
  std::vector<float> encode(std::span<const Sequence> histories, base::Executor& executor) const;
  /// (length, width): e after every position of one history of at most `length_max` positions.
  std::vector<float> encode_positions(const Sequence& history) const;
  /// vectors (N, width) → out (N, tokens): logits; column 0 is -infinity. Up to a constant a row, log-probabilities of
  /// next.
  void score_tokens(std::span<const float> vectors, std::span<float> out) const;
  /// vectors (N, width) → out (N, heads): log-odds W·e + b.
  void head_logits(std::span<const float> vectors, std::span<float> out) const;

  /// (tokens, width) and (tokens): logit of t = e · token_embeddings[t] + token_bias[t], for callers with their own top-k.
  std::span<const float> token_embeddings() const;
  std::span<const float> token_bias() const;

  /// For the trainer and the tests: all weights as one vector, in the order of the layout.
  std::span<float> weights() { return weights_; }
  std::span<const float> weights() const { return weights_; }
  const inner::Layout& layout() const { return *layout_; }

 private:
  Model() = default;
  ModelOptions options_;
  std::shared_ptr<const inner::Layout> layout_;
  std::vector<float> weights_;
};

}  // namespace beckon::model
