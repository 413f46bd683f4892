#include "dense.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "beckon/base/check.h"

namespace beckon::price {

bool cholesky(std::vector<double>& a, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    const double* row_i = a.data() + i * n;
    for (std::size_t j = 0; j <= i; ++j) {
      const double* row_j = a.data() + j * n;
      double sum = row_i[j];
      for (std::size_t k = 0; k < j; ++k) {
        sum -= row_i[k] * row_j[k];
      }
      if (i == j) {
        if (!(sum > 1e-14 * std::abs(a[i * n + i]))) {
          return false;
        }
        a[i * n + i] = std::sqrt(sum);
      } else {
        a[i * n + j] = sum / row_j[j];
      }
    }
  }
  return true;
}

void solve(const std::vector<double>& factor, std::size_t n, std::span<double> b) {
  for (std::size_t i = 0; i < n; ++i) {
    double sum = b[i];
    for (std::size_t k = 0; k < i; ++k) {
      sum -= factor[i * n + k] * b[k];
    }
    b[i] = sum / factor[i * n + i];
  }
  for (std::size_t i = n; i-- > 0;) {
    b[i] /= factor[i * n + i];
    for (std::size_t k = 0; k < i; ++k) {
      b[k] -= factor[i * n + k] * b[i];
    }
  }
}

double log_determinant(const std::vector<double>& factor, std::size_t n) {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    sum += 2 * std::log(factor[i * n + i]);
  }
  return sum;
}

Codes combine(std::span<const std::uint32_t> a, std::span<const std::uint32_t> b, std::size_t rows) {
  BECKON_CHECK((a.empty() || a.size() == rows) && (b.empty() || b.size() == rows));
  Codes out;
  out.code.resize(rows);
  std::unordered_map<std::uint64_t, std::uint32_t> seen;
  for (std::size_t i = 0; i < rows; ++i) {
    const std::uint64_t key = (a.empty() ? 0 : static_cast<std::uint64_t>(a[i]) << 32U) | (b.empty() ? 0U : b[i]);
    out.code[i] = seen.emplace(key, static_cast<std::uint32_t>(seen.size())).first->second;
  }
  out.count = seen.size();
  return out;
}

std::vector<double> demeaned(std::span<const double> values, const Codes& codes) {
  BECKON_CHECK(values.size() == codes.code.size());
  std::vector<double> mean(codes.count, 0);
  std::vector<double> count(codes.count, 0);
  for (std::size_t i = 0; i < values.size(); ++i) {
    mean[codes.code[i]] += values[i];
    count[codes.code[i]] += 1;
  }
  for (std::size_t c = 0; c < codes.count; ++c) {
    mean[c] /= count[c];
  }
  std::vector<double> out(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    out[i] = values[i] - mean[codes.code[i]];
  }
  return out;
}

double sum_of(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) {
    sum += value;
  }
  return sum;
}

double mean_of(std::span<const double> values) { return values.empty() ? 0 : sum_of(values) / static_cast<double>(values.size()); }

double squares_of(std::span<const double> values) {
  const double mean = mean_of(values);
  double sum = 0;
  for (const double value : values) {
    sum += (value - mean) * (value - mean);
  }
  return sum;
}

double quantile_of(std::span<const double> sorted, double p) {
  BECKON_CHECK(!sorted.empty());
  const double place = p * static_cast<double>(sorted.size() - 1);
  const auto index = static_cast<std::size_t>(place);
  const std::size_t next = std::min(index + 1, sorted.size() - 1);
  return sorted[index] + (place - static_cast<double>(index)) * (sorted[next] - sorted[index]);
}

}  // namespace beckon::price
