#pragma once
// Yes/no questions about a customer AND something that he may be offered: does he buy this item, does he click this message?
// Attention from the candidate to what the customer did (Deep Interest Network: Zhou et al. 2018), over a trained network whose
// weights stay as they are.
//
//   x = c + Σ context     c: vector v of the candidate token over its root mean square; context: learned vectors of small codes (kind
//                         of offer, channel, hour …)
//   s_j = [e_j, c_j]      state of the network after position j, and the vector of its token
//   α_j = softmax_j(x·Q · (s_j·K) / sqrt(a) + age(j)),   r = Σ α_j s_j
//   f = [x, e, e ⊙ c, r, r_token ⊙ c],   logit = relu(f·A + b)·B + b' + (e·v + bias of the token) · w

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "beckon/base/executor.h"
#include "beckon/base/filesystem.h"
#include "beckon/base/result.h"
#include "beckon/model/model.h"

namespace beckon::model {

struct CandidateOptions {
  std::vector<std::int32_t> context_sizes;  ///< one entry a context column: its codes are 0 … size-1
  std::int32_t heads = 1;
  std::int32_t attention_width = 32;
  std::int32_t hidden_width = 64;
  HeadLoss loss = HeadLoss::kBinaryCrossEntropy;
};

/// n questions; those about one history stand together, `history` is ascending.
struct CandidateQuestions {
  std::vector<std::int32_t> history;
  std::vector<std::int32_t> token;
  std::vector<std::int32_t> context;  ///< n × columns, row-major
  std::vector<std::int8_t> label;     ///< n × heads: 1, 0, or -1 = not known; empty when only asked
  std::size_t size() const { return token.size(); }
};

struct CandidateTraining {
  std::int32_t epochs_max = 20;
  std::int32_t patience = 3;     ///< epochs without a better log loss on every tenth history, which teaches nothing
  std::int32_t batch = 64;       ///< histories a step
  float learning_rate = 2e-3F;
  float dropout = .2F;           ///< of the hidden layer
  std::uint64_t seed = 1;
};
struct CandidateReport {
  std::int32_t epochs = 0;
  std::int32_t best_epoch = 0;
  double validation_loss = 0;    ///< of the best epoch, nats a known label
  double seconds = 0;
};

/// Const members are thread-safe.
class CandidateHeads {
 public:
  /// Random weights over networks of this width.
  static base::Result<CandidateHeads> make(CandidateOptions options, std::int32_t width, std::uint64_t seed);
  /// not_found when absent; data_loss when cut off, changed, or not finite.
  static base::Result<CandidateHeads> load(const base::FileSystem& files, const std::string& path);
  base::Status save(base::FileSystem& files, const std::string& path) const;

  /// The questions' labels are needed. A context code that no question holds gets the average
  /// vector of those that some do, code 0 ("not said") apart. Same seed → same bits on any executor. failed_precondition when no label is known.
  base::Result<CandidateReport> train(const Model& model, std::span<const Sequence> histories, const CandidateQuestions& questions,
                                      const CandidateTraining& training, base::Executor& executor);
  /// (n, heads) log-odds. The histories must pass Model::check; the last position's request time is when the question is asked.
  base::Result<std::vector<float>> logits(const Model& model, std::span<const Sequence> histories, const CandidateQuestions& questions,
                                          base::Executor& executor) const;

  const CandidateOptions& options() const { return options_; }
  std::int32_t width() const { return width_; }
  /// For the trainer and the tests, in the order of candidate_net.h.
  std::span<float> weights() { return weights_; }
  std::span<const float> weights() const { return weights_; }

 private:
  CandidateHeads() = default;
  base::Status check(const Model& model, std::size_t histories, const CandidateQuestions& questions) const;
  CandidateOptions options_;
  std::int32_t width_ = 0;
  std::vector<float> weights_;
};

}  // namespace beckon::model
