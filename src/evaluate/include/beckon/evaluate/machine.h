#pragma once
// What the machine can do: beside every speed stands what its matrix products reach.

#include <cstddef>
#include <cstdint>

#include "beckon/base/executor.h"
#include "beckon/tensor/tensor.h"

namespace beckon::evaluate {

/// (m, k) by (k, n).
struct Product {
  std::size_t m = 0, n = 0, k = 0;
  tensor::Precision precision = tensor::Precision::kFp32;
};
/// 10^9 multiplications and additions a second that all workers together reach in such products: the best of several rounds, about
/// a second in all.
double gemm_gflops(base::Executor& executor, const Product& product);

/// Largest resident memory since the last reset, in MiB. The reset needs Linux; elsewhere the peak is that of the process.
double peak_rss_mb();
void reset_peak_rss();

/// Bytes that this process may still take: free memory of the machine, or of its control group when that is less. 0: not known.
std::int64_t memory_available_bytes();

}  // namespace beckon::evaluate
