#pragma once
// Distribution functions and quantiles, own code (docs/decisions/0020). Accuracy: 1e-12 relative for ordinary arguments;
// beta and t lose digits like 1e-16 × (a + b) × log(a + b) for large parameters.

namespace beckon::stats {

/// P(Z <= z) of the standard normal; accurate in the lower tail (use normal_cdf(-z) for an upper one).
double normal_cdf(double z);
/// Inverse of normal_cdf, 0 < p < 1 (Wichura 1988, algorithm AS 241).
double normal_quantile(double p);

/// Regularised incomplete beta I_x(a, b) = P(X <= x), a > 0, b > 0 (continued fraction, modified Lentz).
double beta_cdf(double x, double a, double b);
double beta_quantile(double p, double a, double b);

/// P(T <= t) with `df` > 0 degrees of freedom, not necessarily whole.
double student_t_cdf(double t, double df);
double student_t_quantile(double p, double df);

/// P(X <= x) and P(X > x) of the chi-square distribution, df > 0. The upper one keeps its digits for tiny p-values.
double chi_square_cdf(double x, double df);
double chi_square_upper(double x, double df);
double chi_square_quantile(double p, double df);

}  // namespace beckon::stats
