#pragma once
// Next-token models over token sequences, trained with hand-derived gradients. No word of a shop in here.
//
//   x0 = scale · token + Σ side (+ position)     layers: L transformer blocks, or L recurrent layers
//   e  = norm(x_last)                            logits of the next token: e · tokenᵀ + bias (tied embeddings)
//
// A transformer block: x + gate · attention(norm(x)), then the same with a feed-forward net (pre-norm: Vaswani et al. 2017,
// Xiong et al. 2020). `ligr`: gate = sigmoid(x·G) (LiGR: Borisyuk et al. 2025), SwiGLU (Shazeer 2020), learned biases by
// distance (Shaw et al. 2018, scalar form) and by the time between request and event (HSTU: Zhai et al. 2024). `sasrec`: gate = 1,
// ReLU, learned absolute positions (Kang and McAuley 2018). `rnn`, `gru`, `lstm`: see beckon/tensor/recurrent.h; scale = 1.
// Positions beyond `length_max` are not seen.
//
//   model.h    Sequence, ModelOptions, Model
//   train.h    train, evaluate
//   token_table.h  the best tokens of a vector, exactly, without all logits
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
class Memory;
struct Layout;
}

/// One history, oldest first. All per-position vectors have length() entries (side: length × side columns, row-major;
/// label: length × heads). `target` and `label` may be empty when nothing is to be learned.
struct Sequence {
  std::vector<std::int32_t> token;   ///< 1 … tokens-1; 0 = unknown (kept as a position)
  std::vector<std::int32_t> side;    ///< row-major, column c holds 0 … side_sizes[c]-1
  std::vector<std::int32_t> target;  ///< token to predict after this position, 0 = none
  std::vector<std::int8_t> label;    ///< per binary head: 1, 0, or -1 = not known
  /// UTC milliseconds: when each event was, and when the question after it is asked (in training the time of what came next, in
  /// serving now, for the last position). Both empty, or both with length() entries; empty = times are not known.
  std::vector<std::int64_t> at_ms = {};
  std::vector<std::int64_t> request_ms = {};
  /// Positions before it are read, but teach nothing: what an earlier training has learned already.
  std::size_t learn_from = 0;
  std::size_t length() const { return token.size(); }
};

enum class Arch { kLigr, kSasrec, kRnn, kGru, kLstm };
/// How a layer knows the order of events. kDistance: attention bias by distance. kAbsolute: a learned vector a position, counted
/// from the end of the history. kAuto: kDistance for ligr, kAbsolute for sasrec, kNone for recurrent layers.
enum class Positions { kAuto, kNone, kDistance, kAbsolute };
/// kAuto: full softmax up to 30,000 tokens, sampled above. kBce: sigmoid cross-entropy with `negatives` uniform negatives a
/// position. kGbce: the same with the positive's calibration of gSASRec (Petrov and Macdonald 2023).
enum class LossKind { kAuto, kFullSoftmax, kSampledSoftmax, kGbce, kBce };
/// Loss of a binary head on y' = sigmoid(logit): cross-entropy or (y - y')².
enum class HeadLoss { kBinaryCrossEntropy, kSquaredError };

struct ModelOptions {
  Arch arch = Arch::kLigr;
  std::int32_t tokens = 2;               ///< size of the vocabulary with token 0; 2 … 20,000,000
  std::vector<std::int32_t> side_sizes;  ///< one entry a side column; a column with one value says nothing and has no table
  std::int32_t heads = 0;                ///< binary heads
  std::int32_t width = 64;               ///< a multiple of 8 · attention_heads
  std::int32_t layers = 2;
  std::int32_t attention_heads = 2;
  std::int32_t feed_forward_width = 0;  ///< 0: ligr 8/3 of width, rounded up to 16; sasrec width
  bool feed_forward_bias = false;
  Positions positions = Positions::kAuto;
  bool time_bias = true;         ///< ligr: attention bias by time gap, for sequences with times
  bool final_norm = true;        ///< layer norm after the last layer
  bool token_bias = true;        ///< learn a bias a token; else it stays 0
  std::int32_t length_max = 50;  ///< positions seen at once
  bool memory = true;            ///< with a softmax loss (else nothing): counts of what followed and of the history's own tokens, see memory.h
  float memory_dropout = .5F;    ///< share of training positions that must answer without memory, so that the network does not lean on it
  float dropout = .5F;           ///< of embeddings and branches; between recurrent layers. It grows: TrainOptions::dropout_ramp_steps
  LossKind loss = LossKind::kAuto;
  std::int32_t negatives = 0;  ///< 0: 1,024 shared by a step (sampled softmax), 256 a position (gBCE), 1 a position (BCE)
  float gbce_calibration = .75F;  ///< t of gBCE: 0 plain BCE, 1 calibrated probabilities
  HeadLoss head_loss = HeadLoss::kBinaryCrossEntropy;
  float head_weight = 1;  ///< weight of each head's loss beside the token loss
};

struct TokenLogit {
  std::int32_t token = 0;
  float logit = 0;
  bool operator==(const TokenLogit&) const = default;
};

/// Refuses what is out of range, with the name of the field, its value and the range.
base::Status validate(const ModelOptions& options);
/// The loss that `options.loss` stands for.
LossKind resolved_loss(const ModelOptions& options);
std::int32_t resolved_negatives(const ModelOptions& options);
/// Whether `options.memory` is wanted and possible: with a softmax loss over at most 16 million tokens.
bool uses_memory(const ModelOptions& options);
/// "ligr", "sasrec", "rnn", "gru", "lstm"; "auto", "full", "sampled", "gbce", "bce". invalid_argument with the list for others.
base::Result<Arch> arch_from(const std::string& name);
base::Result<LossKind> loss_from(const std::string& name);

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
  /// empty history counts as one position with token 0, side values 0 and no time. The histories must pass check(). The same list
  /// gives the same bits on any executor.
  std::vector<float> encode(std::span<const Sequence> histories, base::Executor& executor) const;
  /// (length, width): e after every position of one history of at most `length_max` positions.
  std::vector<float> encode_positions(const Sequence& history) const;
  /// vectors (N, width) → out (N, tokens): logits; column 0 is -infinity. Up to a constant a row, log-probabilities of
  /// next. Without the memory's part.
  void score_tokens(std::span<const float> vectors, std::span<float> out) const;
  /// The same with what the memory knows of each history (vectors: theirs, from encode): what training optimised.
  void score_histories(std::span<const Sequence> histories, std::span<const float> vectors, std::span<float> out) const;
  /// Adds the memory's part to the logits (tokens) of one history with vector e. Nothing without memory.
  void add_memory(const Sequence& history, std::span<const float> vector, std::span<float> logits) const;
  /// What add_memory adds, by token, ascending. Empty without memory.
  std::vector<TokenLogit> memory_logits(const Sequence& history, std::span<const float> vector) const;
  /// vectors (N, width) → out (N, heads): log-odds W·e + b.
  void head_logits(std::span<const float> vectors, std::span<float> out) const;

  /// (tokens, width) and (tokens): logit of t = e · token_embeddings[t] + token_bias[t], for callers with their own top-k.
  std::span<const float> token_embeddings() const;
  std::span<const float> token_bias() const;

  /// Takes the weights of a trained model over; `row_of[t]` is the row of `from` that token t continues, 0: none, the row keeps what it
  /// has. Tables of side columns may have grown. The memory is not taken: train() counts it. failed_precondition, and nothing has
  /// changed, when the networks differ in anything but their tokens; the message names what.
  base::Status adopt(const Model& from, std::span<const std::int32_t> row_of);

  /// The same network with more tokens behind the present ones; their vectors, biases and memory rows are 0. Old tokens score as before
  /// (the probabilities are shared with the new ones). Only more, never fewer.
  base::Result<Model> with_tokens(std::int32_t tokens) const;
  /// Replaces the vector (width) and bias of one token.
  void set_token(std::int32_t token, std::span<const float> vector, float bias);

  /// For the trainer and the tests: all weights as one vector, in the order of the layout.
  std::span<float> weights() { return weights_; }
  std::span<const float> weights() const { return weights_; }
  const inner::Layout& layout() const { return *layout_; }
  /// nullptr: none, or not counted yet.
  const inner::Memory* memory() const { return memory_.get(); }
  void set_memory(std::shared_ptr<const inner::Memory> memory) { memory_ = std::move(memory); }

 private:
  Model() = default;
  ModelOptions options_;
  std::shared_ptr<const inner::Layout> layout_;
  std::shared_ptr<const inner::Memory> memory_;
  std::vector<float> weights_;
};

}  // namespace beckon::model
