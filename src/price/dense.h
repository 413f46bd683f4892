#pragma once
// Private to price: small dense systems, and codes of combinations.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace beckon::price {

/// Lower Cholesky factor of `a` (n, n) row-major, in place (the upper half is left as it was); false when not positive definite.
bool cholesky(std::vector<double>& a, std::size_t n);
/// Solves L·Lᵀ·x = b in place.
void solve(const std::vector<double>& factor, std::size_t n, std::span<double> b);
/// log of the determinant of L·Lᵀ.
double log_determinant(const std::vector<double>& factor, std::size_t n);

struct Codes {
  std::vector<std::uint32_t> code;  ///< dense: every number below `count` occurs
  std::size_t count = 0;
};
/// Dense codes of the pairs (a, b) in order of first appearance; an empty span counts as all the same.
Codes combine(std::span<const std::uint32_t> a, std::span<const std::uint32_t> b, std::size_t rows);

/// values less the mean of their code.
std::vector<double> demeaned(std::span<const double> values, const Codes& codes);

double sum_of(std::span<const double> values);
double mean_of(std::span<const double> values);
double squares_of(std::span<const double> values);  ///< Σ (v - mean)²
/// Type 7 quantile of sorted values.
double quantile_of(std::span<const double> sorted, double p);

}  // namespace beckon::price
