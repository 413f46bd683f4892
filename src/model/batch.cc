#include "batch.h"

#include <algorithm>

#include "beckon/base/rng.h"

namespace beckon::model::inner {

bool teaches(const Sequence& sequence, const Window& window, std::size_t heads) {
  for (std::size_t i = std::max(window.begin, sequence.learn_from); i < window.end; ++i) {
    if (!sequence.target.empty() && sequence.target[i] > 0) {
      return true;
    }
    for (std::size_t h = 0; h < heads && !sequence.label.empty(); ++h) {
      if (sequence.label[i * heads + h] >= 0) {
        return true;
      }
    }
  }
  return false;
}

void PackedBatch::clear(std::uint32_t first_row_of_shard) {
  token.clear();
  side.clear();
  target.clear();
  label.clear();
  at_ms.clear();
  request_ms.clear();
  has_times = false;
  start.assign(1, 0);
  first_row = first_row_of_shard;
}

void append(const ModelOptions& options, const Sequence& sequence, const Window& window, PackedBatch& batch) {
  const std::size_t columns = options.side_sizes.size();
  const auto heads = static_cast<std::size_t>(options.heads);
  const auto copy = [&](const auto& from, std::size_t per_position, auto missing, auto& to) {
    if (from.empty()) {
      to.insert(to.end(), std::max<std::size_t>(window.length(), 1) * per_position, missing);
      return;
    }
    const auto at = [&](std::size_t i) { return from.begin() + static_cast<std::ptrdiff_t>(i * per_position); };
    to.insert(to.end(), at(window.begin), at(window.end));
  };
  copy(sequence.token, 1, std::int32_t{0}, batch.token);
  copy(sequence.side, columns, std::int32_t{0}, batch.side);
  copy(sequence.target, 1, std::int32_t{0}, batch.target);
  copy(sequence.label, heads, std::int8_t{-1}, batch.label);
  const std::size_t known = std::clamp(sequence.learn_from, window.begin, window.end) - window.begin;
  std::fill_n(batch.target.begin() + static_cast<std::ptrdiff_t>(batch.start.back()), known, 0);
  std::fill_n(batch.label.begin() + static_cast<std::ptrdiff_t>(batch.start.back() * heads), known * heads, std::int8_t{-1});
  if (options.time_bias && options.arch == Arch::kLigr) {
    copy(sequence.at_ms, 1, std::int64_t{0}, batch.at_ms);
    copy(sequence.request_ms, 1, std::int64_t{0}, batch.request_ms);
    batch.has_times = batch.has_times || !sequence.at_ms.empty();
  }
  batch.start.push_back(batch.token.size());
}

Window last_window(const ModelOptions& options, const Sequence& sequence, std::size_t index) {
  const auto length_max = static_cast<std::size_t>(options.length_max);
  const std::size_t length = sequence.length();
  return {index, length > length_max ? length - length_max : 0, length};
}

std::vector<Window> plan_epoch(const ModelOptions& options, std::span<const Sequence> sequences,
                               const TrainOptions& training, std::uint64_t epoch) {
  base::Rng rng(training.seed, (epoch << 8U) | 1U);
  const auto length_max = static_cast<std::size_t>(options.length_max);
  const auto heads = static_cast<std::size_t>(options.heads);
  std::vector<Window> plan;
  std::vector<Window> of_one;
  for (std::size_t s = 0; s < sequences.size(); ++s) {
    const std::size_t length = sequences[s].length();
    of_one.clear();
    // The first window ends after 1 … length_max positions, the others are full.
    std::size_t end = length <= length_max ? length : 1 + static_cast<std::size_t>(rng.below(length_max));
    for (std::size_t begin = 0; begin < length; begin = end, end = std::min(length, end + length_max)) {
      const Window window{s, begin, end};
      if (teaches(sequences[s], window, heads)) {
        of_one.push_back(window);
      }
    }
    if (training.positions_per_sequence > 0) {
      rng.shuffle(of_one);
      std::size_t kept = 0;
      for (std::size_t sum = 0; kept < of_one.size() && sum < training.positions_per_sequence; ++kept) {
        sum += of_one[kept].length();
      }
      of_one.resize(kept);
    }
    plan.insert(plan.end(), of_one.begin(), of_one.end());
  }
  rng.shuffle(plan);
  return plan;
}

std::vector<std::size_t> plan_steps(std::span<const Window> windows, std::size_t positions) {
  std::vector<std::size_t> steps{0};
  std::size_t sum = 0;
  for (std::size_t w = 0; w < windows.size(); ++w) {
    sum += windows[w].length();
    if (sum >= positions) {
      steps.push_back(w + 1);
      sum = 0;
    }
  }
  if (steps.back() != windows.size()) {
    steps.push_back(windows.size());
  }
  return steps;
}

}  // namespace beckon::model::inner
