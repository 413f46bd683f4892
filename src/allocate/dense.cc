#include "dense.h"

#include <algorithm>
#include <cmath>

namespace beckon::allocate {
namespace {

constexpr std::size_t kBlock = 64;

// Four sums side by side: the compiler may not reorder one sum, but it may keep four in one register.
double dot(const double* a, const double* b, std::size_t n) {
  double s0 = 0;
  double s1 = 0;
  double s2 = 0;
  double s3 = 0;
  std::size_t i = 0;
  for (; i + 4 <= n; i += 4) {
    s0 += a[i] * b[i];
    s1 += a[i + 1] * b[i + 1];
    s2 += a[i + 2] * b[i + 2];
    s3 += a[i + 3] * b[i + 3];
  }
  for (; i < n; ++i) {
    s0 += a[i] * b[i];
  }
  return (s0 + s1) + (s2 + s3);
}

}  // namespace

bool factorise(std::vector<double>& a, std::size_t n) {
  // Blocks of columns: the rows of a block stay in cache while all rows below are updated with them.
  for (std::size_t from = 0; from < n; from += kBlock) {
    const std::size_t to = std::min(n, from + kBlock);
    for (std::size_t i = from; i < n; ++i) {
      double* row = &a[i * n];
      for (std::size_t j = from; j < std::min(to, i + 1); ++j) {
        const double* other = &a[j * n];
        const double rest = row[j] - dot(row, other, j);
        if (i == j) {
          if (!(rest > 0)) {
            return false;
          }
          row[j] = std::sqrt(rest);
        } else {
          row[j] = rest / other[j];
        }
      }
    }
  }
  return true;
}

void solve_factorised(const std::vector<double>& l, std::size_t n, std::vector<double>& b) {
  for (std::size_t i = 0; i < n; ++i) {
    b[i] = (b[i] - dot(&l[i * n], b.data(), i)) / l[i * n + i];
  }
  for (std::size_t i = n; i-- > 0;) {
    b[i] /= l[i * n + i];
    for (std::size_t k = 0; k < i; ++k) {
      b[k] -= l[i * n + k] * b[i];
    }
  }
}

}  // namespace beckon::allocate
