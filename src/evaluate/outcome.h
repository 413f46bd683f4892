#pragma once
// Private to evaluate: what a run gave, and how it is written down.

#include <functional>
#include <optional>

#include "beckon/base/json.h"
#include "beckon/evaluate/measures.h"
#include "beckon/model/train.h"
#include "beckon/stats/resampling.h"

namespace beckon::evaluate {

// What the steps after the validation cut added.
struct FineTuning {
  model::TrainReport training;
  Figures before;  ///< on the test part, without them
};

struct Run {
  std::uint64_t seed = 0;
  model::TrainReport training;
  Figures validation;
  Figures test;
  Figures network;  ///< on the test part, where the answer is more than the network
  std::optional<FineTuning> fine_tuning;
  base::Json text_map;
  base::Json new_items;
  double peak_rss_mb = 0;
};

/// Means over several runs of one of their parts, over the same cases.
using PartOf = std::function<const Figures&(const Run&)>;
Figures average(const std::vector<Run>& runs, const PartOf& part_of);

base::Json figures_json(const Figures& figures);
/// Percentile intervals over customers of everything at ten; null for a single customer.
base::Json interval_json(const Figures& figures, const stats::BootstrapOptions& how);
/// Paired difference in NDCG@10.
base::Json gain_json(const Figures& ours, const Figures& other, const stats::BootstrapOptions& how);
base::Json gain_over_floors(const Figures& ours, const std::vector<std::pair<std::string, Figures>>& floors,
                            const stats::BootstrapOptions& how);

/// What a run's figures are set in relation to.
struct Ground {
  const model::ModelOptions* shape = nullptr;
  double sgemm_gflops = 0;
};
base::Json run_json(const Run& run, const Ground& ground);

}  // namespace beckon::evaluate
