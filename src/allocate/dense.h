#pragma once
// Symmetric positive definite systems, dense.

#include <cstddef>
#include <vector>

namespace beckon::allocate {

/// Replaces the lower triangle of `a` (n, n) row-major by its Cholesky factor; false when it is not positive definite.
bool factorise(std::vector<double>& a, std::size_t n);
/// b ← A⁻¹ b with the factor.
void solve_factorised(const std::vector<double>& l, std::size_t n, std::vector<double>& b);

}  // namespace beckon::allocate
