#include "beckon/stats/distributions.h"

#include <math.h>  // lgamma_r: std::lgamma writes a global sign and is a data race

#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>

#include "beckon/base/check.h"

namespace beckon::stats {
namespace {

constexpr double kTiny = 1e-300;
constexpr double kEps = 1e-16;
constexpr int kTermsMax = 100'000;

double log_gamma(double x) {
  int sign = 0;
  return ::lgamma_r(x, &sign);
}

double polynomial(const std::array<double, 8>& c, double x) {
  double sum = 0;
  for (std::size_t i = c.size(); i-- > 0;) {
    sum = sum * x + c[i];
  }
  return sum;
}

double away_from_zero(double x) { return std::abs(x) < kTiny ? kTiny : x; }

// Continued fraction of the incomplete beta (Press et al., Numerical Recipes, 6.4), converges fast for x < (a+1)/(a+b+2).
double beta_fraction(double x, double a, double b) {
  double c = 1;
  double d = 1 / away_from_zero(1 - (a + b) * x / (a + 1));
  double h = d;
  for (int m = 1; m < kTermsMax; ++m) {
    const double m2 = 2.0 * m;
    double term = m * (b - m) * x / ((a + m2 - 1) * (a + m2));
    d = 1 / away_from_zero(1 + term * d);
    c = away_from_zero(1 + term / c);
    h *= d * c;
    term = -(a + m) * (a + b + m) * x / ((a + m2) * (a + m2 + 1));
    d = 1 / away_from_zero(1 + term * d);
    c = away_from_zero(1 + term / c);
    const double step = d * c;
    h *= step;
    if (std::abs(step - 1) < kEps * 4) {
      break;
    }
  }
  return h;
}

double log_beta_density(double x, double a, double b) {
  return log_gamma(a + b) - log_gamma(a) - log_gamma(b) + (a - 1) * std::log(x) + (b - 1) * std::log1p(-x);
}

// Regularised lower gamma by its series (x < a + 1) and upper gamma by its continued fraction (x >= a + 1).
double gamma_series(double a, double x) {
  double term = 1 / a;
  double sum = term;
  for (int n = 1; n < kTermsMax && std::abs(term) > std::abs(sum) * kEps; ++n) {
    term *= x / (a + n);
    sum += term;
  }
  return sum * std::exp(-x + a * std::log(x) - log_gamma(a));
}

double gamma_fraction(double a, double x) {
  double b = x + 1 - a;
  double c = 1 / kTiny;
  double d = 1 / away_from_zero(b);
  double h = d;
  for (int i = 1; i < kTermsMax; ++i) {
    const double an = -i * (i - a);
    b += 2;
    d = 1 / away_from_zero(an * d + b);
    c = away_from_zero(b + an / c);
    const double step = d * c;
    h *= step;
    if (std::abs(step - 1) < kEps * 4) {
      break;
    }
  }
  return h * std::exp(-x + a * std::log(x) - log_gamma(a));
}

struct Bracket {
  double low;
  double high;
  double start;
};

// The x with cdf(x) = p: Newton steps, kept inside a bracket that every evaluation narrows.
double invert(double p, Bracket bracket, const std::function<double(double)>& cdf, const std::function<double(double)>& density) {
  double x = bracket.start;
  for (int step = 0; step < 200; ++step) {
    const double error = cdf(x) - p;
    (error > 0 ? bracket.high : bracket.low) = x;
    const double slope = density(x);
    double next = slope > kTiny ? x - error / slope : bracket.low;
    if (!(next > bracket.low && next < bracket.high)) {
      next = 0.5 * (bracket.low + bracket.high);
    }
    if (next == x || std::abs(next - x) <= 4 * std::numeric_limits<double>::epsilon() * std::abs(next)) {
      return next;
    }
    x = next;
  }
  return x;
}

}  // namespace

double normal_cdf(double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); }

double normal_quantile(double p) {
  BECKON_CHECK(p > 0 && p < 1);
  static constexpr std::array<double, 8> kA = {3.3871328727963666080e0, 1.3314166789178437745e+2, 1.9715909503065514427e+3,
                                               1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
                                               3.3430575583588128105e+4, 2.5090809287301226727e+3};
  static constexpr std::array<double, 8> kB = {1.0, 4.2313330701600911252e+1, 6.8718700749205790830e+2,
                                               5.3941960214247511077e+3, 2.1213794301586595867e+4, 3.9307895800092710610e+4,
                                               2.8729085735721942674e+4, 5.2264952788528545610e+3};
  static constexpr std::array<double, 8> kC = {1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
                                               3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
                                               2.27238449892691845833e-2, 7.74545014278341407640e-4};
  static constexpr std::array<double, 8> kD = {1.0, 2.05319162663775882187e0, 1.67638483018380384940e0,
                                               6.89767334985100004550e-1, 1.48103976427480074590e-1, 1.51986665636164571966e-2,
                                               5.47593808499534494600e-4, 1.05075007164441684324e-9};
  static constexpr std::array<double, 8> kE = {6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
                                               2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                               2.71155556874348757815e-5, 2.01033439929228813265e-7};
  static constexpr std::array<double, 8> kF = {1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1,
                                               1.48753612908506148525e-2, 7.86869131145613259100e-4, 1.84631831751005468180e-5,
                                               1.42151175831644588870e-7, 2.04426310338993978564e-15};
  const double q = p - 0.5;
  if (std::abs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * polynomial(kA, r) / polynomial(kB, r);
  }
  double r = std::sqrt(-std::log(q < 0 ? p : 1 - p));
  const double tail = r <= 5 ? polynomial(kC, r - 1.6) / polynomial(kD, r - 1.6) : polynomial(kE, r - 5) / polynomial(kF, r - 5);
  return q < 0 ? -tail : tail;
}

double beta_cdf(double x, double a, double b) {
  BECKON_CHECK(a > 0 && b > 0);
  if (!(x > 0)) {
    return 0;
  }
  if (x >= 1) {
    return 1;
  }
  const double front = std::exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * std::log(x) + b * std::log1p(-x));
  return x < (a + 1) / (a + b + 2) ? front * beta_fraction(x, a, b) / a : 1 - front * beta_fraction(1 - x, b, a) / b;
}

double beta_quantile(double p, double a, double b) {
  BECKON_CHECK(p > 0 && p < 1 && a > 0 && b > 0);
  return invert(p, {0, 1, a / (a + b)}, [=](double x) { return beta_cdf(x, a, b); },
                [=](double x) { return std::exp(log_beta_density(x, a, b)); });
}

double student_t_cdf(double t, double df) {
  BECKON_CHECK(df > 0);
  if (df > 1e7) {
    return normal_cdf(t);
  }
  const double t2 = t * t;
  // Near 0 the first argument is near 1 and would lose digits; I_x(a, b) = 1 - I_{1-x}(b, a).
  const double tail = t2 < df ? 0.5 * (1 - beta_cdf(t2 / (df + t2), 0.5, df / 2)) : 0.5 * beta_cdf(df / (df + t2), df / 2, 0.5);
  return t > 0 ? 1 - tail : tail;
}

double student_t_quantile(double p, double df) {
  BECKON_CHECK(p > 0 && p < 1 && df > 0);
  if (df > 1e7) {
    return normal_quantile(p);
  }
  if (p > 0.5) {
    return -student_t_quantile(1 - p, df);
  }
  if (p == 0.5) {
    return 0;
  }
  double low = normal_quantile(p);
  while (student_t_cdf(low, df) > p && low > -1e300) {
    low *= 2;
  }
  const double log_front = log_gamma((df + 1) / 2) - log_gamma(df / 2) - 0.5 * std::log(df * std::numbers::pi);
  return invert(p, {low, 0, low}, [=](double t) { return student_t_cdf(t, df); },
                [=](double t) { return std::exp(log_front - (df + 1) / 2 * std::log1p(t * t / df)); });
}

double chi_square_cdf(double x, double df) {
  BECKON_CHECK(df > 0);
  if (!(x > 0)) {
    return 0;
  }
  return x / 2 < df / 2 + 1 ? gamma_series(df / 2, x / 2) : 1 - gamma_fraction(df / 2, x / 2);
}

double chi_square_upper(double x, double df) {
  BECKON_CHECK(df > 0);
  if (!(x > 0)) {
    return 1;
  }
  return x / 2 < df / 2 + 1 ? 1 - gamma_series(df / 2, x / 2) : gamma_fraction(df / 2, x / 2);
}

double chi_square_quantile(double p, double df) {
  BECKON_CHECK(p > 0 && p < 1 && df > 0);
  double high = df + 1;
  while (chi_square_cdf(high, df) < p) {
    high *= 2;
  }
  return invert(p, {0, high, std::min(df, high)}, [=](double x) { return chi_square_cdf(x, df); },
                [=](double x) {
                  return std::exp((df / 2 - 1) * std::log(x / 2) - x / 2 - log_gamma(df / 2)) / 2;
                });
}

}  // namespace beckon::stats
