#pragma once
// Private to engine: how well the network's yes/no answers hold.

#include "beckon/base/executor.h"
#include "beckon/base/json.h"
#include "beckon/features/sequence.h"
#include "beckon/model/model.h"
#include "beckon/response/candidate_response.h"

namespace beckon::engine {

struct HeadPeriods {
  base::Instant fitted_from;   ///< calibration is fitted on answers between the two …
  base::Instant judged_from;   ///< … and judged on answers from here
  base::Instant until;
  std::int64_t horizon_ms = 0;
};

struct HeadInput {
  const features::Dataset* data;
  const model::Model* fitted;  ///< its answers are calibrated: it must not have seen their period
  const model::Model* judged;
};

/// One row a head: {"name", "count", "positives", "slope", "offset", "auc", "expected_calibration_error", "log_loss", "bins"}. Heads whose
/// answers hold one class only, in either period, come with "count" and no bins.
base::Json head_figures(const HeadInput& in, const HeadPeriods& periods, base::Executor& executor);

/// The same rows for the heads that look at the candidate, calibrated before the period that they are judged on.
base::Json candidate_figures(const response::CandidateJudgement& judgement);

/// Bins of predicted and observed shares with their intervals.
base::Json reliability_json(const std::vector<double>& predicted, const std::vector<std::uint8_t>& outcome);

}  // namespace beckon::engine
