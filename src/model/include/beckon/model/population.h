#pragma once
// Scores of a whole population from stored vectors: everybody's best tokens of the catalogue, or a bank of some hundred tokens.

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "beckon/base/executor.h"
#include "beckon/model/token_table.h"

namespace beckon::model {

/// Vectors as bfloat16 (rounded to nearest, ties to even): half the memory, relative error of an entry at most 2^-8. (N, width).
std::vector<std::uint16_t> pack_vectors(std::span<const float> vectors);
std::vector<float> unpack_vectors(std::span<const std::uint16_t> packed);

struct PopulationOptions {
  std::size_t k = 10;
  /// Sets what a customer may get (and what is added to his logits), unless empty. Called once a customer from any worker; what
  /// the spans refer to must stay until he was received.
  std::function<void(std::size_t customer, TopKQuery& query)> filter = {};
};
/// Called once a customer, from any worker, in any order.
using ReceiveTopK = std::function<void(std::size_t customer, TopK best)>;

/// packed: (N, table.width()). The best tokens of the whole table for each, as TokenTable::top_k finds them.
void score_population(const TokenTable& table, std::span<const std::uint16_t> packed, const PopulationOptions& options,
                      base::Executor& executor, const ReceiveTopK& receive);

/// A few tokens, in the caller's order: what a shop could do next. Immutable once made, hence thread-safe; does not refer to the model.
class ActionBank {
 public:
  /// tokens: each at least 1 and below model.tokens(); the same may come twice.
  ActionBank(const Model& model, std::span<const std::int32_t> tokens);
  std::size_t size() const { return bias_.size() - 1; }

  /// Called with the customers first … first + rows - 1 and their logits (rows, size()), from any worker, in any order.
  using Receive = std::function<void(std::size_t first, std::span<const float> logits)>;
  void score(std::span<const std::uint16_t> packed, base::Executor& executor, const Receive& receive) const;
  /// The best of the bank for each: TokenLogit::token is the index in the list of tokens.
  void top_k(std::span<const std::uint16_t> packed, std::size_t k, base::Executor& executor, const ReceiveTopK& receive) const;

 private:
  std::size_t width_;
  std::vector<float> rows_, bias_;  // row 0 is empty: a table never returns it
};

}  // namespace beckon::model
