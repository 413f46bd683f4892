#pragma once
// Gaps of time on a logarithmic scale.

#include <bit>
#include <cstddef>
#include <cstdint>

#include "batch.h"

namespace beckon::model::inner {

/// Two buckets an octave of minutes: 0 is less than a minute, the last one begins at about sixteen years.
constexpr std::size_t kTimeBuckets = 48;

/// In integers, so that every machine finds the same bucket. A negative gap counts as none.
inline std::uint8_t time_bucket(std::int64_t gap_ms) {
  if (gap_ms < 60'000) {
    return 0;
  }
  const auto minutes = static_cast<std::uint64_t>(gap_ms) / 60'000 + 1;
  const auto octave = static_cast<unsigned>(std::bit_width(minutes)) - 1;
  const auto bucket = 2 * octave + static_cast<unsigned>((minutes >> (octave - 1)) & 1U);
  return static_cast<std::uint8_t>(bucket < kTimeBuckets ? bucket : kTimeBuckets - 1);
}

/// For every sequence a length × length matrix of time_bucket(request time of i - time of j); empty when no sequence of the
/// batch has times. A sequence without times gets one bucket everywhere, which a softmax does not see.
inline void fill_time_buckets(const PackedBatch& batch, std::vector<std::uint8_t>& out) {
  out.clear();
  for (std::size_t s = 0; batch.has_times && s < batch.sequences(); ++s) {
    for (std::size_t i = batch.start[s]; i < batch.start[s + 1]; ++i) {
      for (std::size_t j = batch.start[s]; j < batch.start[s + 1]; ++j) {
        out.push_back(j > i ? std::uint8_t{0} : time_bucket(batch.request_ms[i] - batch.at_ms[j]));
      }
    }
  }
}


/// The same for one sequence, of which only the rows from `first` on are filled; empty when its times are not known.
inline void fill_time_buckets(std::span<const std::int64_t> at_ms, std::span<const std::int64_t> request_ms, std::size_t first,
                              std::vector<std::uint8_t>& out) {
  const std::size_t length = at_ms.size();
  out.resize(length * length);
  for (std::size_t i = first; i < length; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      out[i * length + j] = time_bucket(request_ms[i] - at_ms[j]);
    }
  }
}

}  // namespace beckon::model::inner
