#include <bit>

#include "beckon/base/check.h"
#include "beckon/tensor/matrix.h"
#include "clones.h"

namespace beckon::tensor {
namespace {

// Half of the last kept bit is added, less one when that bit is 0: ties go to even. The usual NaNs stay NaNs.
BECKON_CLONES void round_loop(const float* __restrict from, std::uint16_t* __restrict to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto bits = std::bit_cast<std::uint32_t>(from[i]);
    to[i] = static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U);
  }
}

}  // namespace

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
