#pragma once
// Measures of a ranked list, for everything that evaluates. Pure functions. A rank is counted from 1.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace beckon::model {

/// 1 / log2(1 + rank) when rank <= k, else 0: NDCG with one relevant entry (Järvelin and Kekäläinen 2002).
double ndcg_at(std::size_t k, std::size_t rank);
/// 1 when rank <= k, else 0.
double hit_at(std::size_t k, std::size_t rank);
/// 1 / rank when rank <= k, else 0.
double reciprocal_rank_at(std::size_t k, std::size_t rank);
/// NDCG of a list against a set of relevant entries, gains 1; ideal = all relevant first. 0 when nothing is relevant.
double ndcg_at(std::size_t k, std::span<const std::int32_t> list, std::span<const std::int32_t> relevant);

/// Rank of `index`, ties counted against it: 1 + the number of other entries with a score >= its own.
std::size_t rank_of(std::span<const float> scores, std::size_t index);
/// Indices of the k largest scores, best first; ties by index, smaller first. Fewer when there are fewer scores. NaN is
/// last.
std::vector<std::int32_t> top_k(std::span<const float> scores, std::size_t k);

}  // namespace beckon::model
