#pragma once
// The best tokens for a vector, found exactly and without the logits of all tokens in memory.
//
//   logit(t) = row(t) · vector + bias(t) + added(t)        added: what Model::memory_logits knows of this history
//
// A search screens tiles of rows with cheap scores whose error is bounded, keeps the rows that could still be among the best, and
// computes their logits in fp32, always with the same kernel: the answer has the same bits with and without codes, alone and in a batch.
// What is screened is the rows themselves, in products of matrices, or their codes (Codes), which take an eighth to a half of the memory.
// The bound: |x·w - x̂·ŵ| <= |x|·|w - ŵ| + |x - x̂|·|ŵ|, and the rounding of fp32 sums.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "beckon/base/executor.h"
#include "beckon/model/model.h"

namespace beckon::model {

namespace inner {
struct CodedRows;
class TopKSearch;
}

/// What a search reads before it reads rows of floats. kFourBits, kEightBits: 16 or 255 levels of each row's largest entry, for one vector
/// at a time. kBf16: bfloat16, for batches: their products take half the time where the processor has them in hardware; elsewhere kNone.
enum class Codes { kNone, kFourBits, kEightBits, kBf16 };

/// One question. All spans must outlive the call; lists are ascending by token, without repeats.
struct TopKQuery {
  std::span<const float> vector;  ///< width; one that is not finite, or longer than 1e30, finds nothing
  std::size_t k = 10;
  std::span<const TokenLogit> added = {};          ///< added to the logits of these tokens, which must be in the table
  std::span<const std::int32_t> excluded = {};     ///< never returned
  std::span<const std::uint64_t> allowed = {};     ///< bit t % 64 of word t / 64: may be returned; empty: all may
};

/// Best first; ties by smaller token. At most k, fewer when fewer may be returned. Never token 0, never a row that is not finite.
using TopK = std::vector<TokenLogit>;

/// Immutable once made, hence thread-safe. Refers to the rows: they must outlive it and must not change.
class TokenTable {
 public:
  /// rows: (tokens, width), width a multiple of 8 up to 4,096; bias: (tokens).
  TokenTable(std::span<const float> rows, std::span<const float> bias, Codes codes);
  /// Of a model's token embeddings and bias.
  TokenTable(const Model& model, Codes codes) : TokenTable(model.token_embeddings(), model.token_bias(), codes) {}
  ~TokenTable();
  TokenTable(TokenTable&&) noexcept;
  TokenTable& operator=(TokenTable&&) noexcept;

  std::size_t tokens() const { return bias_.size(); }
  std::size_t width() const { return rows_.size() / bias_.size(); }
  /// Bytes of the codes, beside the rows.
  std::size_t code_bytes() const;

  TopK top_k(const TopKQuery& query) const;
  /// The same for many, screened together in matrix products: answer i is that of query i.
  std::vector<TopK> top_k(std::span<const TopKQuery> queries, base::Executor& executor) const;
  /// As the executor's version, in the calling thread.
  std::vector<TopK> top_k(std::span<const TopKQuery> queries) const;
  /// Not exact: the `shortlist` · k best by codes alone, ranked by their logits. Needs 4 or 8 bits. What codes without rows would lose.
  TopK approximate_top_k(const TopKQuery& query, std::size_t shortlist) const;
  /// The logit of one token as the searches compute it, without what is added.
  float logit(std::span<const float> vector, std::int32_t token) const;

 private:
  void screen_codes(std::span<const float> vector, bool bounded, inner::TopKSearch& search) const;
  void screen_products(std::span<const TopKQuery> queries, std::span<inner::TopKSearch> searches) const;
  std::vector<TopK> block_top_k(std::span<const TopKQuery> queries) const;

  std::span<const float> rows_;
  std::vector<float> bias_;  // -infinity for token 0 and for rows that are not finite: these are never found
  struct Largest {
    float norm = 0, bias = 0, error = 0;  // error: of |row - rounded row|
  };
  std::vector<Largest> largest_;         // of the rows of each tile
  std::vector<std::uint16_t> rounded_;   // the rows as bfloat16; empty: not wanted, or of no use here
  std::unique_ptr<const inner::CodedRows> coded_;
};

}  // namespace beckon::model
