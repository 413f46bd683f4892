#pragma once
// Private to engine: the test of a training on the newest steps, which nothing was chosen on.

#include "scoring.h"

namespace beckon::engine {

/// Cut times of the global split: trained up to validation_from, chosen and calibrated up to test_from, measured after.
struct TimeSplit {
  base::Instant validation_from;
  base::Instant test_from;
  base::Instant as_of;
};

struct TestInput {
  const features::Dataset* data;
  const model::Model* chosen;    ///< has learned up to validation_from
  const model::Model* current;   ///< has learned up to test_from as well; or the same
  const response::ItemResponse* item_response;
  const response::CandidateResponse* candidates;  ///< over `current`, have learned up to test_from; null: none
  std::span<const response::SentMessage> messages;
  TimeSplit split;
  std::int64_t horizon_ms;
};
/// {"protocol", "ranking", "comparison", "calibration", "heads", "candidate_heads", "fine_tuning" where there was one}: docs/read-the-report.md.
base::Json measure_on_test(const TestInput& in, base::Executor& executor);

}  // namespace beckon::engine
