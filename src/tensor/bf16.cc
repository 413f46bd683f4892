#include "beckon/base/check.h"
#include "beckon/tensor/matrix.h"
#include "fast_math.h"

namespace beckon::tensor {
namespace {

BECKON_CLONES void round_loop(const float* __restrict from, std::uint16_t* __restrict to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    to[i] = inner::bf16_inline(from[i]);
  }
}

BECKON_CLONES void unpack_loop(const std::uint16_t* __restrict from, float* __restrict to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    to[i] = std::bit_cast<float>(static_cast<std::uint32_t>(from[i]) << 16U);
  }
}

}  // namespace

void unpack_bf16(std::span<const std::uint16_t> from, std::span<float> to) {
  BECKON_CHECK(from.size() == to.size());
  unpack_loop(from.data(), to.data(), from.size());
}

void round_to_bf16(std::span<const float> from, std::span<std::uint16_t> to) {
  BECKON_CHECK(from.size() == to.size());
  round_loop(from.data(), to.data(), from.size());
}

void Bf16Buffer::assign(std::span<const float> from) {
  size_ = from.size();
  if (bits_.size() < size_) {
    bits_.resize(size_);
  }
  round_to_bf16(from, {bits_.data(), size_});
}

}  // namespace beckon::tensor
