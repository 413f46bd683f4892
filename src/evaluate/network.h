#pragma once
// Private to evaluate: histories → what the network reads, and the network as a ranker.

#include "beckon/evaluate/measures.h"
#include "beckon/model/train.h"

namespace beckon::evaluate {

/// Side columns and heads of `options` as the data has them.
void fit_to_data(const Data& data, Protocol protocol, model::ModelOptions& options);
/// One sequence for each history that has something to learn from. Nothing beyond `Split::train_until` is read.
std::vector<model::Sequence> training_sequences(const Data& data, const Split& cut, Protocol protocol);
/// Time splits: the same up to the test part, of which only what followed the validation cut teaches.
std::vector<model::Sequence> newer_sequences(const Data& data, const Split& cut, Protocol protocol);

class Network final : public Ranker {
 public:
  Network(const model::Model& weights, bool timed) : weights_(weights), timed_(timed) {}
  void score(std::span<const Case> cases, std::span<float> scores) const override;

 private:
  const model::Model& weights_;
  bool timed_;
};

}  // namespace beckon::evaluate
