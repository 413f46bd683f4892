#pragma once
// Histories packed end to end, without padding.

#include <cstdint>
#include <span>
#include <vector>

#include "beckon/model/train.h"

namespace beckon::model::inner {

/// `start` has one entry a sequence and one at the end: sequence s holds the rows start[s] … start[s+1]-1.
struct PackedBatch {
  std::vector<std::int32_t> token;
  std::vector<std::int32_t> side;
  std::vector<std::int32_t> target;
  std::vector<std::int8_t> label;
  std::vector<std::int64_t> at_ms, request_ms;  ///< 0 where a sequence has no times
  bool has_times = false;                       ///< of any sequence, and the model wants them
  std::vector<std::size_t> start{0};
  std::uint32_t first_row = 0;  ///< of this shard in the whole batch: dropout masks do not depend on the cut into shards

  std::size_t rows() const { return token.size(); }
  std::size_t sequences() const { return start.size() - 1; }
  void clear(std::uint32_t first_row_of_shard);
};

/// The positions begin … end-1 of one history.
struct Window {
  std::size_t sequence = 0;
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t length() const { return end - begin; }
};

/// Whether a position of the window, from learn_from on, has a target or a label.
bool teaches(const Sequence& sequence, const Window& window, std::size_t heads);

/// Appends a window. An empty history becomes one position with token 0.
void append(const ModelOptions& options, const Sequence& sequence, const Window& window, PackedBatch& batch);

/// The last `length_max` positions.
Window last_window(const ModelOptions& options, const Sequence& sequence, std::size_t index);

/// The windows of one epoch in random order. The places of the cuts differ between epochs, so that every position is
/// sometimes seen with a long past. Windows in which there is nothing to learn are left out.
std::vector<Window> plan_epoch(const ModelOptions& options, std::span<const Sequence> sequences,
                               const TrainOptions& training, std::uint64_t epoch);

/// Cuts windows into steps of about `positions` positions: entry b is the first window of step b, one more at the end.
std::vector<std::size_t> plan_steps(std::span<const Window> windows, std::size_t positions);

}  // namespace beckon::model::inner
