#include "beckon/price/curve.h"

#include <algorithm>
#include <cmath>

#include "beckon/base/check.h"
#include "beckon/base/rng.h"
#include "dense.h"
#include "hats.h"

namespace beckon::price {
namespace {

constexpr std::size_t kKnotsMax = 9;
constexpr std::size_t kRowsPerKnot = 12;
constexpr double kLevelVariance = 100;
constexpr double kBends[] = {0, 0.01, 0.03, 0.1, 0.3, 1};  // deviations from the line, in units of log quantity

// Squared exponential covariance over the knots, constants and the straight line taken out: what is left can only bend.
std::vector<double> bending(const std::vector<double>& at) {
  const std::size_t k = at.size();
  const double reach = 0.35 * (at.back() - at.front());
  const double mean = mean_of(at);
  double squares = 0;
  for (const double u : at) {
    squares += (u - mean) * (u - mean);
  }
  std::vector<double> keep(k * k);
  std::vector<double> kernel(k * k);
  for (std::size_t i = 0; i < k; ++i) {
    for (std::size_t j = 0; j < k; ++j) {
      keep[i * k + j] = (i == j ? 1 : 0) - 1 / static_cast<double>(k) - (at[i] - mean) * (at[j] - mean) / squares;
      const double away = (at[i] - at[j]) / reach;
      kernel[i * k + j] = std::exp(-0.5 * away * away);
    }
  }
  const auto times = [k](const std::vector<double>& a, const std::vector<double>& b) {
    std::vector<double> out(k * k, 0);
    for (std::size_t i = 0; i < k; ++i) {
      for (std::size_t l = 0; l < k; ++l) {
        for (std::size_t j = 0; j < k; ++j) {
          out[i * k + j] += a[i * k + l] * b[l * k + j];
        }
      }
    }
    return out;
  };
  return times(times(keep, kernel), keep);
}

// Gaussian posterior over the knots for one amount of bending.
struct Posterior {
  double log_likelihood = 0;
  std::vector<double> factor;  // Cholesky factor of the precision
  std::vector<double> mean;
};

Posterior posterior_of(const Response& response, const Knots& knots, const std::vector<double>& bends,
                       std::pair<const CurveOptions*, double> options_and_bend) {
  const auto [options, bend] = options_and_bend;
  const std::size_t k = knots.at.size();
  std::vector<double> covariance(k * k);
  for (std::size_t i = 0; i < k; ++i) {
    for (std::size_t j = 0; j < k; ++j) {
      covariance[i * k + j] = kLevelVariance + options->prior_std_error * options->prior_std_error * knots.at[i] * knots.at[j] +
                              bend * bend * bends[i * k + j] + (i == j ? 1e-7 : 0);
    }
  }
  BECKON_CHECK(cholesky(covariance, k));
  std::vector<double> precision(k * k);
  for (std::size_t j = 0; j < k; ++j) {
    std::vector<double> unit(k, 0);
    unit[j] = 1;
    solve(covariance, k, unit);
    for (std::size_t i = 0; i < k; ++i) {
      precision[i * k + j] = unit[i];
    }
  }
  Posterior out;
  out.mean = response.pull;
  double prior_term = 0;
  for (std::size_t i = 0; i < k; ++i) {
    double pull = 0;
    for (std::size_t j = 0; j < k; ++j) {
      pull += precision[i * k + j] * options->prior_elasticity * knots.at[j];
    }
    out.mean[i] += pull;
    prior_term += pull * options->prior_elasticity * knots.at[i];
  }
  const std::vector<double> pull = out.mean;
  out.factor = precision;
  for (std::size_t i = 0; i < k * k; ++i) {
    out.factor[i] += response.information[i];
  }
  for (std::size_t i = 0; i < k; ++i) {
    out.factor[i * k + i] += 1e-9;
  }
  BECKON_CHECK(cholesky(out.factor, k));
  solve(out.factor, k, out.mean);
  double fit_term = 0;
  for (std::size_t i = 0; i < k; ++i) {
    fit_term += pull[i] * out.mean[i];
  }
  out.log_likelihood = 0.5 * (fit_term - prior_term - log_determinant(covariance, k) - log_determinant(out.factor, k));
  return out;
}

// Never rising, closest in weighted squares: pool adjacent violators.
void make_falling(std::vector<double>& values, const std::vector<double>& weights) {
  struct Pool {
    double mean;
    double weight;
    std::size_t count;
  };
  std::vector<Pool> pools;
  for (std::size_t i = 0; i < values.size(); ++i) {
    pools.push_back({values[i], weights[i] + 1e-9, 1});
    while (pools.size() > 1 && pools[pools.size() - 2].mean < pools.back().mean) {
      const Pool last = pools.back();
      pools.pop_back();
      Pool& into = pools.back();
      into.mean = (into.mean * into.weight + last.mean * last.weight) / (into.weight + last.weight);
      into.weight += last.weight;
      into.count += last.count;
    }
  }
  std::size_t at = 0;
  for (const Pool& pool : pools) {
    for (std::size_t c = 0; c < pool.count; ++c) {
      values[at++] = pool.mean;
    }
  }
}

// Quantities at the points of the curve in one draw.
class Drawer {
 public:
  Drawer(const Observations& data, const Knots& knots, Scale scale)
      : knots_(knots), linear_(scale == Scale::kLinearAtMean || scale == Scale::kLogPriceAtMean), mean_(mean_of(data.quantity)) {
    const auto n = static_cast<double>(data.quantity.size());
    level_error_ = n > 1 && mean_ > 0 ? std::sqrt(squares_of(data.quantity) / (n - 1) / n) / mean_ : 0;
  }

  std::vector<double> draw(const Posterior& posterior, const std::vector<Hat>& points, base::Rng& rng) const {
    const std::size_t k = posterior.mean.size();
    std::vector<double> f(k);
    for (double& value : f) {
      value = rng.normal();
    }
    for (std::size_t i = k; i-- > 0;) {  // Lᵀ x = z: x has the inverse of the precision as covariance
      f[i] /= posterior.factor[i * k + i];
      for (std::size_t j = 0; j < i; ++j) {
        f[j] -= posterior.factor[i * k + j] * f[i];
      }
    }
    for (std::size_t i = 0; i < k; ++i) {
      f[i] += posterior.mean[i];
    }
    make_falling(f, knots_.mass);
    double level = 0;
    for (std::size_t i = 0; i < k; ++i) {
      level += knots_.mass[i] * f[i];
    }
    double together = 0;
    for (std::size_t i = 0; i < k; ++i) {
      f[i] -= level;
      together += knots_.mass[i] * std::exp(f[i]);
    }
    const double mean = mean_ * std::max(0.0, 1 + level_error_ * rng.normal());
    std::vector<double> out;
    for (const Hat hat : points) {
      const double value = f[hat.knot] * (1 - hat.right) + f[hat.knot + 1] * hat.right;
      out.push_back(mean * (linear_ ? std::max(0.0, 1 + value) : std::exp(value) / together));
    }
    return out;
  }

 private:
  const Knots& knots_;
  bool linear_;
  double mean_;
  double level_error_ = 0;
};

stats::Interval interval_of(std::vector<double> values, double level) {
  std::ranges::sort(values);
  stats::Interval out;
  out.estimate = mean_of(values);
  out.low = quantile_of(values, (1 - level) / 2);
  out.high = quantile_of(values, (1 + level) / 2);
  out.std_error = std::sqrt(squares_of(values) / static_cast<double>(values.size() - 1));
  return out;
}

stats::Interval scaled(const stats::Interval& interval, double factor) {
  stats::Interval out{interval.estimate * factor, interval.low * factor, interval.high * factor, interval.std_error * std::abs(factor), 1};
  if (factor < 0) {
    std::swap(out.low, out.high);
  }
  return out;
}

stats::Interval between(const stats::Interval& a, const stats::Interval& b, double right) {
  const auto mix = [right](double x, double y) { return (1 - right) * x + right * y; };
  return {mix(a.estimate, b.estimate), mix(a.low, b.low), mix(a.high, b.high), mix(a.std_error, b.std_error), 1};
}

std::vector<Posterior> posteriors(const Response& response, const Knots& knots, const CurveOptions& options) {
  const std::vector<double> bends = bending(knots.at);
  std::vector<Posterior> out;
  for (const double bend : kBends) {
    if (bend == 0 || knots.at.size() > 2) {
      out.push_back(posterior_of(response, knots, bends, {&options, bend}));
    }
  }
  return out;
}

// Weights of the amounts of bending, from their marginal likelihood.
std::vector<double> shares_of(const std::vector<Posterior>& all) {
  double top = all[0].log_likelihood;
  for (const auto& one : all) {
    top = std::max(top, one.log_likelihood);
  }
  std::vector<double> shares;
  double sum = 0;
  for (const auto& one : all) {
    shares.push_back(std::exp(one.log_likelihood - top));
    sum += shares.back();
  }
  for (double& share : shares) {
    share /= sum;
  }
  return shares;
}

base::Status check(const Observations& data, const CurveOptions& options) {
  BECKON_CHECK(data.price.size() == data.quantity.size() && options.points >= 2 && options.draws >= 100);
  BECKON_CHECK(options.level > 0 && options.level < 1 && options.prior_std_error > 0);
  BECKON_CHECK(options.columns == nullptr || options.scale != Scale::kPoisson);
  const Codes cells = combine(data.cell, {}, data.price.size());
  const std::vector<double> within = demeaned(data.price, cells);
  const double moves = std::ranges::max(within.empty() ? std::vector<double>{0} : within);
  if (!(moves > 1e-12) || !(mean_of(data.quantity) > 0)) {
    return base::failed_precondition("no curve: the price does not vary inside the cells, or nothing was bought");
  }
  return base::ok_status();
}

}  // namespace

base::Result<DoseCurve> dose_curve(const Observations& data, const CurveOptions& options) {
  BECKON_TRY_STATUS(check(data, options));
  const std::size_t count = std::clamp<std::size_t>(data.price.size() / kRowsPerKnot, 2, kKnotsMax);
  const Knots knots = make_knots(data.price, options.scale, count);
  BECKON_TRY(const Response response, response_at_knots(data, knots, options));
  DoseCurve out;
  out.public_price = options.public_price > 0 ? options.public_price : knots.price.back();
  const double highest = std::min(knots.price.back(), out.public_price);
  if (!(highest > knots.price.front())) {
    return base::failed_precondition("no curve: the public price lies below every price seen");
  }
  std::vector<Hat> points;
  for (std::size_t p = 0; p < options.points; ++p) {
    CurvePoint point;
    const double place = static_cast<double>(p) / static_cast<double>(options.points - 1);
    point.price = knots.price.front() + (highest - knots.price.front()) * place;
    point.depth = std::max(0.0, 1 - point.price / out.public_price);
    points.push_back(knots.place(point.price));
    out.points.push_back(point);
  }
  const std::vector<Posterior> all = posteriors(response, knots, options);
  const std::vector<double> shares = shares_of(all);
  const Drawer drawer(data, knots, options.scale);
  base::Rng rng(options.seed, 5);
  std::vector<std::vector<double>> quantity(options.points);
  std::vector<std::vector<double>> relative(options.points);
  for (int d = 0; d < options.draws; ++d) {
    double ticket = rng.uniform();
    std::size_t pick = 0;
    while (pick + 1 < shares.size() && ticket >= shares[pick]) {
      ticket -= shares[pick++];
    }
    const std::vector<double> values = drawer.draw(all[pick], points, rng);
    for (std::size_t p = 0; p < values.size(); ++p) {
      quantity[p].push_back(values[p]);
      relative[p].push_back(values[p] / std::max(1e-12, values.back()));
    }
  }
  for (std::size_t p = 0; p < options.points; ++p) {
    out.points[p].quantity = interval_of(std::move(quantity[p]), options.level);
    out.points[p].relative = interval_of(std::move(relative[p]), options.level);
    out.points[p].revenue = scaled(out.points[p].quantity, out.points[p].price);
  }
  for (std::size_t b = 0; b < all.size(); ++b) {
    out.bend += shares[b] * kBends[b];
  }
  return out;
}

base::Result<CurvePoint> DoseCurve::at_depth(double depth) const {
  BECKON_CHECK(!points.empty());
  if (!(depth >= 0 && depth < 1)) {
    return base::invalid_argument("a discount depth lies from 0 to below 1: a price above the public price is never offered");
  }
  const double price = public_price * (1 - depth);
  const double tiny = 1e-9 * public_price;
  if (price < points.front().price - tiny || price > points.back().price + tiny) {
    return base::failed_precondition("no row has a price near that depth, and nothing is extrapolated: choose a depth between " +
                                     std::to_string(points.back().depth) + " and " + std::to_string(points.front().depth));
  }
  std::size_t next = 1;
  while (next + 1 < points.size() && points[next].price < price) {
    ++next;
  }
  const CurvePoint& a = points[next - 1];
  const CurvePoint& b = points[next];
  const double right = std::clamp((price - a.price) / (b.price - a.price), 0.0, 1.0);
  CurvePoint out{price, depth, between(a.quantity, b.quantity, right), between(a.relative, b.relative, right), {}};
  out.revenue = scaled(out.quantity, price);
  return out;
}

std::vector<DepthValue> depth_values(const DoseCurve& curve, std::span<const double> depths, double unit_cost) {
  std::vector<DepthValue> out;
  for (const double depth : depths) {
    if (const auto point = curve.at_depth(depth); point.ok()) {
      out.push_back({depth, scaled(point->quantity, point->price - unit_cost)});
    }
  }
  return out;
}

}  // namespace beckon::price
