#include "beckon/base/rng.h"

#include <cmath>
#include <cstring>
#include <numbers>

#include "beckon/base/check.h"

namespace beckon::base {
namespace {

std::uint64_t rotl(std::uint64_t x, unsigned by) { return (x << by) | (x >> (64 - by)); }

void sip_round(std::array<std::uint64_t, 4>& v) {
  v[0] += v[1];
  v[1] = rotl(v[1], 13) ^ v[0];
  v[0] = rotl(v[0], 32);
  v[2] += v[3];
  v[3] = rotl(v[3], 16) ^ v[2];
  v[0] += v[3];
  v[3] = rotl(v[3], 21) ^ v[0];
  v[2] += v[1];
  v[1] = rotl(v[1], 17) ^ v[2];
  v[2] = rotl(v[2], 32);
}

}  // namespace

void Rng::refill() {
  constexpr std::uint64_t kM0 = 0xD2511F53U;
  constexpr std::uint64_t kM1 = 0xCD9E8D57U;
  std::uint32_t k0 = static_cast<std::uint32_t>(key_);
  std::uint32_t k1 = static_cast<std::uint32_t>(key_ >> 32U);
  std::array<std::uint32_t, 4> c{static_cast<std::uint32_t>(counter_),
                                 static_cast<std::uint32_t>(counter_ >> 32U),
                                 static_cast<std::uint32_t>(stream_),
                                 static_cast<std::uint32_t>(stream_ >> 32U)};
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = kM0 * c[0];
    const std::uint64_t p1 = kM1 * c[2];
    c = {static_cast<std::uint32_t>(p1 >> 32U) ^ c[1] ^ k0,
         static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32U) ^ c[3] ^ k1,
         static_cast<std::uint32_t>(p0)};
    k0 += 0x9E3779B9U;
    k1 += 0xBB67AE85U;
  }
  block_ = c;
  left_ = 4;
  ++counter_;
}

std::uint32_t Rng::next_u32() {
  if (left_ == 0) {
    refill();
  }
  return block_[static_cast<std::size_t>(--left_)];
}

std::uint64_t Rng::next_u64() {
  const std::uint64_t high = next_u32();
  return (high << 32U) | next_u32();
}

double Rng::uniform() { return static_cast<double>(next_u64() >> 11U) * 0x1.0p-53; }

std::uint64_t Rng::below(std::uint64_t bound) {
  BECKON_CHECK(bound > 0);
  const std::uint64_t limit = ~0ULL - ~0ULL % bound;
  std::uint64_t value = next_u64();
  while (value >= limit) {
    value = next_u64();
  }
  return value % bound;
}

double Rng::normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_normal_;
  }
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  const double angle = 2.0 * std::numbers::pi * uniform();
  spare_normal_ = radius * std::sin(angle);
  has_spare_ = true;
  return radius * std::cos(angle);
}

double Rng::exponential() { return -std::log(1.0 - uniform()); }

std::int64_t Rng::poisson(double mean) {
  if (mean <= 0) {
    return 0;
  }
  if (mean > 60) {
    const double drawn = mean + std::sqrt(mean) * normal();
    return drawn < 0 ? 0 : std::llround(drawn);
  }
  const double limit = std::exp(-mean);
  std::int64_t count = 0;
  for (double product = uniform(); product > limit; product *= uniform()) {
    ++count;
  }
  return count;
}

std::uint64_t stable_hash(std::string_view bytes, std::uint64_t seed) {
  std::array<std::uint64_t, 4> v{0x736f6d6570736575ULL ^ seed, 0x646f72616e646f6dULL,
                                 0x6c7967656e657261ULL ^ seed, 0x7465646279746573ULL};
  std::size_t i = 0;
  const auto mix = [&v](std::uint64_t word) {
    v[3] ^= word;
    sip_round(v);
    sip_round(v);
    v[0] ^= word;
  };
  for (; i + 8 <= bytes.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i, 8);
    mix(word);
  }
  std::uint64_t last = static_cast<std::uint64_t>(bytes.size()) << 56U;
  for (std::size_t j = 0; i + j < bytes.size(); ++j) {
    last |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(bytes[i + j])) << (8 * j);
  }
  mix(last);
  v[2] ^= 0xff;
  for (int round = 0; round < 4; ++round) {
    sip_round(v);
  }
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

}  // namespace beckon::base
