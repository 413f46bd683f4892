#pragma once
// Forward and backward pass of CandidateHeads for the questions about one history.

#include <span>
#include <vector>

#include "beckon/model/candidate_heads.h"
#include "beckon/tensor/tensor.h"

namespace beckon::model::inner {

struct CandidatePart {
  std::size_t begin = 0;
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t size() const { return rows * columns; }
};

/// Where each matrix lies in the weights.
struct CandidateLayout {
  CandidateLayout(const CandidateOptions& options, std::size_t width);
  std::size_t width, heads, attention, hidden, features;
  std::vector<CandidatePart> context;  ///< codes × width
  CandidatePart query;                 ///< width × attention
  CandidatePart key;                   ///< 2·width × attention
  CandidatePart age;                   ///< 1 × time buckets
  CandidatePart inner;                 ///< features × hidden
  CandidatePart inner_bias;
  CandidatePart outer;                 ///< hidden × heads
  CandidatePart outer_bias;
  CandidatePart token_logit;           ///< 1 × heads
  std::size_t total = 0;
  /// In the order of the file, with their names.
  std::vector<std::pair<std::string, CandidatePart>> named() const;
};

/// What the frozen network says of one history, computed once.
struct CandidateHistory {
  std::vector<float> states;            ///< length × 2·width: [e_j, c_j]
  std::vector<std::uint8_t> age_bucket; ///< length; empty when times are not known
  std::size_t length = 0;
};
CandidateHistory candidate_history(const Model& model, const Sequence& sequence);

/// Questions that stand together because they are about one history.
struct HistoryBlock {
  std::size_t history = 0;
  std::size_t first = 0;
  std::size_t count = 0;
};
std::vector<HistoryBlock> blocks_of(const CandidateQuestions& questions);

/// Questions first … first + count - 1, all about this history.
struct CandidateBlock {
  const Model* model = nullptr;
  const CandidateQuestions* questions = nullptr;
  std::size_t first = 0;
  std::size_t count = 0;
  tensor::Dropout dropout;  ///< of the hidden layer; rate 0 when serving
  std::span<const double> head_weight = {};  ///< of each head's losses; empty: 1
};

/// Not thread-safe: one a worker.
class CandidatePass {
 public:
  CandidatePass(const CandidateOptions& options, const CandidateLayout& layout) : options_(options), layout_(layout) {}
  /// (count, heads)
  std::span<const float> forward(std::span<const float> weights, const CandidateHistory& history, const CandidateBlock& block);
  /// After forward: the weighted sum of losses over known labels.
  double loss(const CandidateBlock& block);
  /// After forward, with the same arguments: the same sum; gradients +=.
  double backward(std::span<const float> weights, const CandidateHistory& history, const CandidateBlock& block, std::span<float> gradients);

 private:
  void gather(std::span<const float> weights, const CandidateBlock& block);
  void attend(std::span<const float> weights, const CandidateHistory& history, std::size_t count);
  void assemble(const CandidateHistory& history, std::size_t count);
  void split_feature_gradient(std::size_t count);
  void attention_backward(std::span<const float> weights, const CandidateHistory& history, std::size_t count, std::span<float> gradients);

  const CandidateOptions& options_;
  const CandidateLayout& layout_;
  // Rows are questions; `candidate` (count × width) is c, `asked` is x.
  tensor::Buffer candidate_, asked_, query_, key_, alpha_, read_, features_, hidden_, token_logit_, logits_;
  tensor::Buffer dlogits_, dhidden_, dfeatures_, dread_, dasked_, dalpha_, dquery_, dkey_;
};

}  // namespace beckon::model::inner
