#include <dnnl.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <new>

#include "beckon/tensor/matrix.h"

// oneDNN of Debian runs on OpenMP. One thread a call: our workers are the parallelism, and two thread pools on the same
// cores lose more than they gain. The setting belongs to the calling thread, so each thread makes it once.
extern "C" void omp_set_num_threads(int count);

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

void gemm(const MatrixView& a, const MatrixView& b, const MutableMatrix& c, Into into) {
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
  const auto size = [](std::size_t value) { return static_cast<dnnl_dim_t>(value); };
  const dnnl_status_t status =
      dnnl_sgemm(a.transposed ? 'T' : 'N', b.transposed ? 'T' : 'N', size(m), size(n), size(k), 1.0F, a.data,
                 size(a.stride), b.data, size(b.stride), into == Into::kAdd ? 1.0F : 0.0F, c.data, size(c.stride));
  BECKON_CHECK(status == dnnl_success);
}

}  // namespace beckon::tensor
