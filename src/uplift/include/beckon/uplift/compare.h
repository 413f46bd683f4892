#pragma once
// Which learner, if any, ranks customers better than chance: scores of customers that a learner has not seen, one bootstrap for all.

#include <atomic>
#include <functional>
#include <limits>

#include "beckon/base/executor.h"
#include "beckon/uplift/curve.h"
#include "beckon/uplift/learners.h"

namespace beckon::uplift {

struct CompareOptions {
  std::vector<const Base*> bases;
  std::vector<Candidate> candidates;    ///< empty: every learner that fits the outcome, over every base
  int folds = 5;
  std::vector<std::uint64_t> seeds = {1, 2, 3, 4, 5};  ///< a deal of the folds each; measures are means over them
  int inner_folds = 3;
  int nested_folds = 4;                 ///< of the choice inside each outer training part; 0: no nested choice
  int resamples = 400;
  double level = 0.95;
  Economics economics;
  base::Executor* executor = nullptr;
  std::function<void(std::size_t done, std::size_t all)> on_progress = {};  ///< from any worker, one at a time
  const std::atomic<bool>* stop = nullptr;
};

struct CandidateResult {
  Candidate candidate;
  std::string name;        ///< "x"
  std::string base;        ///< "trees", "linear", or "all"
  double qini = 0;         ///< a head
  double low = 0;
  double high = 0;
  double seed_deviation = 0;              ///< standard deviation over the seeds
  std::vector<double> uplift_at;          ///< at kShares
  double behind = 0;                      ///< Qini of the best less this one's, with its paired interval
  double behind_low = 0;
  double behind_high = 0;
  PolicyValue policy;                     ///< of thresholds chosen on the other folds; mean over seeds
  std::vector<double> curve;              ///< g(φ)/N at 20 shares, mean over seeds
  std::vector<Ranking::Group> tenths;     ///< of the first seed: predicted beside observed
};
inline constexpr double kShares[] = {0.1, 0.2, 0.3, 0.5};

/// What the numbers can bear.
enum class Verdict {
  kNobody,      ///< the treatment changes nothing that is worth its cost, and no order does better than chance
  kEverybody,   ///< it works, and no order does better than chance: treat all
  kRank,        ///< some order is better than chance
};

struct Comparison {
  std::vector<CandidateResult> results;   ///< in the order of the candidates
  std::size_t best = 0;                   ///< greatest Qini, or profit where treatments cost something
  Verdict verdict = Verdict::kNobody;
  bool response_is_enough = false;        ///< ranking by response is not measurably behind the best
  double qini_needed = 0;                 ///< what the best of so many learners reaches by chance in 1 - level of all cases
  double nested_qini = std::numeric_limits<double>::quiet_NaN();  ///< with the choice made anew inside every training part
  PolicyValue everybody;                  ///< treat all; nobody is 0
  double effect = 0;                      ///< average effect with its interval
  double effect_low = 0;
  double effect_high = 0;
  double threshold = 0;                   ///< of the best one's score: mean over folds and seeds, infinite when most were
};

std::vector<Candidate> all_candidates(std::size_t bases, Response response);

/// failed_precondition when a group has too few customers for the folds; unavailable when stopped, or a base failed.
base::Result<Comparison> compare(const Trial& trial, const CompareOptions& options);

}  // namespace beckon::uplift
