#pragma once
// What counting alone knows, as features beside the logits: which token followed which (a decayed two-step chain), and the history's
// own tokens. A learned gate per customer state says how much each of them counts:
//
//   logit(t) = e · token(t) + bias(t) + Σ_k gate_k(e) · feature_k(history, t)          gate(e) = e · G + c
//
// Counting alone beats several published transformers on some sets; with it inside the logits, the network learns what counting
// does not know. While training, a sequence's own steps are left out of the counts: else the gate would learn to trust answers that it
// has been told.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "batch.h"

namespace beckon::model::inner {

constexpr std::size_t kMemoryFeatures = 3;  ///< what followed his last tokens; how often he had it; how recently he had it

// How the features are made, for whoever computes them elsewhere (onnx_parts.cc).
constexpr std::size_t kLastTokens = 5;      ///< whose followers are looked at
constexpr double kOlderTokenWeight = .6;    ///< of the d-th last: this to the power of d
constexpr double kSmoothing = 5;            ///< added to a token's total: rare tokens know little
constexpr double kSmallestShare = .001;     ///< shares below it hardly count
constexpr std::size_t kOwnPositions = 200;  ///< of the history, for its own tokens
constexpr double kOftenTimes = 10;          ///< as often as this counts as always

/// A token that the memory has something to say about; all features are in 0 … 1.
struct Recalled {
  std::int32_t token = 0;
  std::array<float, kMemoryFeatures> feature{};
};

/// One sequence's own steps, to be left out of the counts: sorted by (from, to).
class OwnSteps {
 public:
  struct Step {
    std::int32_t from = 0;
    std::int32_t to = 0;
    float weight = 0;
  };
  explicit OwnSteps(const Sequence& sequence);
  std::span<const Step> from(std::int32_t token) const;

 private:
  std::vector<Step> steps_;
};

/// Immutable once made, hence thread-safe.
class Memory {
 public:
  Memory() = default;
  /// Counts (token, target) with weight 1 and (token before, target) with weight .5; keeps the most frequent of each token.
  static Memory count(std::span<const Sequence> sequences, std::size_t tokens);

  /// What is known after position `last` of the history, by token, ascending; replaces `out`. `own`: left out of the counts.
  void recall(const Sequence& history, std::size_t last, const OwnSteps* own, std::vector<Recalled>& out) const;

  /// For checkpoints: rows of kept followers per token, followers and their counts, and the total of each token with those not kept.
  struct Table {
    std::vector<std::int32_t> row_size;  ///< tokens entries
    std::vector<std::int32_t> token;
    std::vector<float> count;
    std::vector<float> total;  ///< tokens entries
  };
  const Table& table() const { return table_; }
  /// data_loss when the parts contradict one another.
  static base::Result<Memory> from_table(Table table, std::size_t tokens);

 private:
  void index_rows();
  Table table_;
  std::vector<std::size_t> start_;  // tokens + 1
};

/// Recalled tokens of the rows of a batch that have a target: row r has start[r] … start[r+1]-1.
struct RecalledBatch {
  std::vector<std::size_t> start{0};
  std::vector<Recalled> entry;
  void clear();
  std::span<const Recalled> row(std::size_t r) const { return std::span(entry).subspan(start[r], start[r + 1] - start[r]); }
};
/// Rows that must answer without memory: a function of the key and of the row in the whole step.
struct MemoryDropout {
  float rate = 0;
  std::uint64_t key = 0;
  std::uint32_t first_row = 0;  ///< of the shard
  bool drops(std::size_t row) const;
};
/// Appends the rows of a window that is in a training batch.
void append_recalled(const Memory& memory, const Sequence& sequence, const Window& window, const MemoryDropout& dropout,
                     RecalledBatch& batch);

}  // namespace beckon::model::inner
