#pragma once
// Counter-based random numbers (Philox 4x32-10; Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC'11):
// the n-th number of a stream depends on (seed, stream, n) alone, so tasks draw independent streams in any order.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace beckon::base {

/// Not thread-safe; cheap to construct, so give each task its own stream. Same (seed, stream) → same numbers, everywhere.
class Rng {
 public:
  explicit Rng(std::uint64_t seed, std::uint64_t stream = 0) : key_(seed), stream_(stream) {}

  std::uint32_t next_u32();
  std::uint64_t next_u64();
  /// Uniform in [0, 1), 53 bits.
  double uniform();
  /// Uniform in [0, bound), without modulo bias. bound > 0.
  std::uint64_t below(std::uint64_t bound);
  /// Standard normal (Box–Muller, one of the pair is kept).
  double normal();
  double exponential();
  bool chance(double probability) { return uniform() < probability; }
  /// Poisson by inversion for small means, rounded normal above 60.
  std::int64_t poisson(double mean);

  template <class Container>
  void shuffle(Container& items) {
    for (std::size_t i = items.size(); i > 1; --i) {
      std::swap(items[i - 1], items[static_cast<std::size_t>(below(i))]);
    }
  }

 private:
  void refill();
  std::uint64_t key_;
  std::uint64_t stream_;
  std::uint64_t counter_ = 0;
  std::array<std::uint32_t, 4> block_{};
  int left_ = 0;
  double spare_normal_ = 0;
  bool has_spare_ = false;
};

/// Stable 64-bit hash: SipHash-2-4 (Aumasson and Bernstein 2012) keyed with `seed`, for
/// random streams and for splitting work. Never for secrets.
std::uint64_t stable_hash(std::string_view bytes, std::uint64_t seed = 0);

}  // namespace beckon::base
