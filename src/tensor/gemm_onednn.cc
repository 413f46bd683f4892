#include <dnnl.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <new>

#include "beckon/tensor/kernels.h"
#include "beckon/tensor/matrix.h"
#include "beckon/tensor/packed.h"

// oneDNN of Debian runs on OpenMP. One thread a call: our workers are the parallelism, and two thread pools on the same
// cores lose more than they gain. The setting belongs to the calling thread, so each thread makes it once.
extern "C" void omp_set_num_threads(int count);
// oneDNN exports this beside dnnl_sgemm, but its headers do not declare it (2.6.3).
extern "C" dnnl_status_t dnnl_gemm_bf16bf16f32(char transa, char transb, dnnl_dim_t m, dnnl_dim_t n, dnnl_dim_t k, float alpha,
                                               const std::uint16_t* a, dnnl_dim_t lda, const std::uint16_t* b, dnnl_dim_t ldb,
                                               float beta, float* c, dnnl_dim_t ldc);

namespace beckon::tensor {
namespace {

void use_one_thread() {
  thread_local const bool kSet = [] {
    omp_set_num_threads(1);
    return true;
  }();
  static_cast<void>(kSet);
}

constexpr std::align_val_t kAlignment{64};

}  // namespace

void Buffer::Free::operator()(float* data) const {
  ::operator delete[](data, kAlignment);
}

void Buffer::resize(std::size_t size) {
  if (size > capacity_) {
    capacity_ = std::max(size, capacity_ + capacity_ / 2);
    data_.reset(static_cast<float*>(::operator new[](capacity_ * sizeof(float), kAlignment)));
  }
  size_ = size;
}

void Buffer::zero() {
  if (size_ > 0) {
    std::memset(data_.get(), 0, size_ * sizeof(float));
  }
}

namespace {

dnnl_dim_t dim(std::size_t value) {
  return static_cast<dnnl_dim_t>(value);
}

// Checks the shapes and calls oneDNN's product of this type of number, unless there is nothing to do.
template <class View, class Product>
void multiply(const View& a, const View& b, const MutableMatrix& c, const Product& product) {
  const std::size_t m = a.transposed ? a.columns : a.rows;
  const std::size_t k = a.transposed ? a.rows : a.columns;
  const std::size_t b_k = b.transposed ? b.columns : b.rows;
  const std::size_t n = b.transposed ? b.rows : b.columns;
  BECKON_CHECK(k == b_k && c.rows == m && c.columns == n);
  BECKON_CHECK(a.stride >= a.columns && b.stride >= b.columns && c.stride >= c.columns);
  if (m == 0 || n == 0) {
    return;
  }
  BECKON_CHECK(k > 0);
  use_one_thread();
  BECKON_CHECK(product(m, n, k) == dnnl_success);
}

}  // namespace

bool has_bf16() {
#if defined(__x86_64__)
  static const bool kHas = __builtin_cpu_supports("avx512bf16") != 0 &&
                           (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core_bf16) == dnnl_cpu_isa_avx512_core_bf16;
  return kHas;
#else
  return false;
#endif
}

void gemm(const MatrixView& a, const MatrixView& b, const MutableMatrix& c, const GemmMode& mode) {
  BECKON_CHECK(mode.bias.empty() || (mode.bias.size() == c.columns && c.stride == c.columns));
  if (mode.precision == Precision::kBf16 && has_bf16()) {
    multiply(a, b, c, [&](std::size_t, std::size_t, std::size_t) {
      thread_local Bf16Storage left;
      thread_local Bf16Storage right;
      gemm(pack_left(a, left), pack_right(b, right), c, {mode.into, mode.bias});
      return dnnl_success;
    });
    return;
  }
  multiply(a, b, c, [&](std::size_t m, std::size_t n, std::size_t k) {
    return dnnl_sgemm(a.transposed ? 'T' : 'N', b.transposed ? 'T' : 'N', dim(m), dim(n), dim(k), 1.0F, a.data,
                      dim(a.stride), b.data, dim(b.stride), mode.into == Into::kAdd ? 1.0F : 0.0F, c.data, dim(c.stride));
  });
  if (!mode.bias.empty()) {
    add_bias(mode.bias, {c.data, c.rows * c.columns});
  }
}

void gemm(const Bf16View& a, const Bf16View& b, const MutableMatrix& c, Into into) {
  multiply(a, b, c, [&](std::size_t m, std::size_t n, std::size_t k) {
    return dnnl_gemm_bf16bf16f32(a.transposed ? 'T' : 'N', b.transposed ? 'T' : 'N', dim(m), dim(n), dim(k), 1.0F, a.data,
                                 dim(a.stride), b.data, dim(b.stride), into == Into::kAdd ? 1.0F : 0.0F, c.data,
                                 dim(c.stride));
  });
}

}  // namespace beckon::tensor
