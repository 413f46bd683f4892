#pragma once
// Figures of a ranking. The whole vocabulary is ranked, never a sample of it; among equal scores what was wanted stands last.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "beckon/base/executor.h"
#include "beckon/evaluate/protocol.h"

namespace beckon::evaluate {

/// Scores every token for each of `cases`. Thread-safe.
class Ranker {
 public:
  virtual ~Ranker() = default;
  /// scores: (cases, tokens), row-major; column 0 is never looked at. Higher is better.
  virtual void score(std::span<const Case> cases, std::span<float> scores) const = 0;
};

struct MeasureOptions {
  std::size_t tokens = 0;      ///< with token 0
  bool filter_seen = false;    ///< tokens of the case's history leave the ranking
  bool baskets = false;        ///< recall@10 and precision@10 too: there is more than one thing to find
  bool coverage = true;        ///< count what is shown in the first ten
};

/// "hr@1", "hr@5", … "mrr@20", with baskets also "recall@10" and "precision@10".
std::vector<std::string> measure_names(bool baskets);

/// One value a case and measure, and their means.
struct Figures {
  std::vector<std::string> names;
  std::vector<double> each;          ///< (cases, names), row-major
  std::vector<double> mean;          ///< by name; 0 without a case
  std::size_t cases = 0;
  std::int64_t items_shown = 0;      ///< different ones in the first ten of anybody
  double coverage = 0;               ///< items_shown as a share of the catalogue
  std::size_t column(const std::string& name) const;
  double at(const std::string& name) const { return mean[column(name)]; }
  /// One measure of every case.
  std::vector<double> values(const std::string& name) const;
};

/// The same bits for any executor.
Figures measure(const Ranker& ranker, std::span<const Case> cases, const MeasureOptions& options, base::Executor& executor);

/// Ranks of the wanted tokens, ascending, each counted from 1 with ties against it; ranks beyond `rank_max` are left out.
std::vector<std::size_t> ranks_of(std::span<const float> scores, std::span<const std::int32_t> wanted, std::size_t rank_max);

}  // namespace beckon::evaluate
