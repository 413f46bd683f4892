// The only user of Eigen.
#define EIGEN_NO_DEBUG
#define EIGEN_DONT_PARALLELIZE
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wshadow"
#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#pragma GCC diagnostic pop

#include <algorithm>
#include <cmath>

#include "beckon/base/check.h"
#include "beckon/stats/symmetric.h"

namespace beckon::stats {

base::Result<SymmetricAxes> symmetric_axes(std::span<const double> matrix, std::size_t n) {
  BECKON_CHECK(matrix.size() == n * n);
  // Asked here: Eigen takes neither an empty matrix nor one that holds what is no number.
  if (n == 0) {
    return SymmetricAxes{};
  }
  if (!std::ranges::all_of(matrix, [](double value) { return std::isfinite(value); })) {
    return base::failed_precondition("the matrix has no eigenvalues: it holds values that are no numbers");
  }
  using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const auto size = static_cast<Eigen::Index>(n);
  const Eigen::SelfAdjointEigenSolver<Matrix> solver(Eigen::Map<const Matrix>(matrix.data(), size, size));
  if (solver.info() != Eigen::Success) {
    return base::failed_precondition("the eigenvalues of the matrix do not converge");
  }
  SymmetricAxes out{std::vector<double>(n), std::vector<double>(n * n)};
  for (std::size_t j = 0; j < n; ++j) {
    const auto column = size - 1 - static_cast<Eigen::Index>(j);  // Eigen's order is ascending
    out.values[j] = solver.eigenvalues()(column);
    Eigen::Index top = 0;
    solver.eigenvectors().col(column).cwiseAbs().maxCoeff(&top);
    const double sign = solver.eigenvectors()(top, column) < 0 ? -1.0 : 1.0;
    for (std::size_t i = 0; i < n; ++i) {
      out.vectors[i * n + j] = sign * solver.eigenvectors()(static_cast<Eigen::Index>(i), column);
    }
  }
  return out;
}

base::Result<std::vector<double>> solve_positive(std::span<const double> matrix, std::span<const double> right) {
  const std::size_t n = right.size();
  BECKON_CHECK(matrix.size() == n * n);
  using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const auto size = static_cast<Eigen::Index>(n);
  const Eigen::LLT<Matrix, Eigen::Lower> factors(Eigen::Map<const Matrix>(matrix.data(), size, size));
  std::vector<double> out(n);
  if (n > 0) {
    Eigen::Map<Eigen::VectorXd>(out.data(), size) = factors.solve(Eigen::Map<const Eigen::VectorXd>(right.data(), size));
  }
  if (factors.info() != Eigen::Success || !std::ranges::all_of(out, [](double value) { return std::isfinite(value); })) {
    return base::failed_precondition("equations without one answer: a column repeats others, or is constant");
  }
  return out;
}

}  // namespace beckon::stats
