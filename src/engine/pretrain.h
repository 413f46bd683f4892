#pragma once
// Private to engine: where a training starts, a fresh pre-training or one that there is.

#include "holdout.h"
#include "pretrained.h"

namespace beckon::engine {

struct Start {
  model::Model weights;             ///< in the tokens of `data`
  base::Instant learned_until;
  double pretraining_seconds = 0;
  bool fresh = false;               ///< pre-trained now
  model::TrainReport report;        ///< when fresh
  std::string why;                  ///< for people: why fresh, or what it goes on from
};
struct StartInput {
  const features::Dataset* data;
  TimeSplit split;
  std::int64_t horizon_ms;
  const TrainRequest* request;
};

/// Goes on from request.from, or from the shop's own pre-training while that is of the same network and most steps are in it; else
/// pre-trains on all steps up to validation_from, those of request.with_shops too, and keeps it for the next time.
base::Result<Start> start_of(Context& context, const StartInput& in);

/// Teaches the weights what followed `learned_until`, up to `until`. Returns the seconds that it took; 0 when nothing followed.
base::Result<double> fine_tune(Context& context, const StartInput& in, model::Model& weights, const std::pair<base::Instant, base::Instant>& newer);

}  // namespace beckon::engine
