#pragma once
// Learners of effects: how much more of the outcome a treated customer brings than the same one untreated, given his columns.
//
// τ(x) = E[y | x, treated] - E[y | x, not]; e(x) = P(treated | x); y: outcome, t: 1 when treated; μ1, μ0, m: expected outcome of the treated, of
// the others, of all. A learner's answer is a score: who has more of it is treated first.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "beckon/base/result.h"
#include "beckon/uplift/base.h"

namespace beckon::uplift {

/// One arm against control. All vectors have a length: the rows of x.
struct Trial {
  Matrix x;
  std::vector<std::uint8_t> treated;
  std::vector<float> outcome;
  std::vector<float> propensity;             ///< e(x), in (0, 1)
  Response response = Response::kAmount;     ///< kProbability when outcomes are 0 and 1
  std::vector<std::uint32_t> customer = {};  ///< whose row it is, counted from 0; empty: each row is a customer of its own

  std::uint32_t customer_of(std::size_t row) const { return customer.empty() ? static_cast<std::uint32_t>(row) : customer[row]; }
  std::size_t customers() const;
};

enum class Learner {
  kResponse,          ///< m(x): no effect at all, but often enough to rank by
  kSingle,            ///< S: one model of y given x and t, its answers for t = 1 less those for t = 0
  kTwo,               ///< T: μ1(x) - μ0(x)
  kCross,             ///< X (Künzel et al. 2019): imputed effects, y - μ0(x) and μ1(x) - y, regressed and mixed by e
  kResidual,          ///< R (Nie and Wager 2021): (y - m)/(t - e) with weight (t - e)², m cross-fitted
  kDoublyRobust,      ///< DR (Kennedy 2023): μ1 - μ0 + (t - e)/(e(1 - e)) · (y - μt) regressed, μ cross-fitted
  kTransformed,       ///< TO (Athey and Imbens 2016): y · (t - e)/(e(1 - e)) regressed
  kClassTransformed,  ///< CT (Jaskowski and Jaroszewicz 2012): P(y = t) - P(y ≠ t), weighted by 1/P(t); outcomes 0 and 1 only
  kEnsemble,          ///< mean of X, R and DR over all bases
};
/// "response", "s", "t", "x", "r", "dr", "to", "ct", "ensemble".
std::string name_of(Learner learner);

/// A learner over one base ("ensemble" is over all).
struct Candidate {
  Learner learner = Learner::kResponse;
  std::size_t base = 0;  ///< index into the bases
  friend bool operator==(const Candidate&, const Candidate&) = default;
};

struct LearnOptions {
  std::vector<const Base*> bases;
  int inner_folds = 3;   ///< of the cross-fitted parts of R and DR
  std::uint64_t seed = 1;
};

/// Customers whose scores are wanted.
struct Ask {
  const Matrix* x = nullptr;
  std::vector<std::uint32_t> rows;
  std::vector<float> propensity;  ///< one for each of `rows`: X mixes by it
};

/// Deals customers to folds, both groups evenly; [place in rows] → fold. Rows of a customer stay together.
std::vector<std::size_t> deal(const Trial& trial, std::span<const std::uint32_t> rows, std::size_t folds, std::uint64_t seed);

/// Learns from `rows` of the trial and answers [candidate][row of ask]. Both groups must have two customers among `rows`. Runs in the caller's thread;
/// same input → same bits.
base::Result<std::vector<std::vector<float>>> learn_and_score(const Trial& trial, std::span<const std::uint32_t> rows, const std::vector<Candidate>& candidates,
                                                              const Ask& ask, const LearnOptions& options);

}  // namespace beckon::uplift
