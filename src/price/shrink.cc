#include "beckon/price/shrink.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "beckon/base/check.h"
#include "beckon/stats/distributions.h"

namespace beckon::price {
namespace {

constexpr std::size_t kGrid = 48;

// Quantiles of the half-Cauchy prior: points of equal weight, dense where the prior is.
std::vector<double> deviations(double scale, std::size_t points) {
  std::vector<double> out(points);
  for (std::size_t k = 0; k < points; ++k) {
    out[k] = scale * std::tan(std::numbers::pi / 2 * (static_cast<double>(k) + 0.5) / static_cast<double>(points));
  }
  return out;
}

struct Parent {
  double weight = 0;  // Σ 1 / (s² + between²) of its measured groups
  double mean = 0;
};

// Everything that follows from one pair (between, above).
struct Layer {
  double log_likelihood = 0;
  std::vector<Parent> parents;
  double mean = 0;
  double mean_variance = 0;
};

struct Model {
  const ShrinkInput& input;
  std::vector<std::uint32_t> parent;
  std::size_t parents = 0;

  explicit Model(const ShrinkInput& in) : input(in), parent(in.parent.begin(), in.parent.end()) {
    parent.resize(in.estimate.size(), 0);
    for (const auto p : parent) {
      parents = std::max<std::size_t>(parents, p + 1);
    }
  }
  bool measured(std::size_t g) const { return input.std_error[g] > 0 && std::isfinite(input.std_error[g]) && std::isfinite(input.estimate[g]); }

  // The part that depends on `between` alone.
  Layer with_between(double between) const {
    Layer layer;
    layer.parents.resize(parents);
    for (std::size_t g = 0; g < parent.size(); ++g) {
      if (measured(g)) {
        const double weight = 1 / (input.std_error[g] * input.std_error[g] + between * between);
        layer.parents[parent[g]].weight += weight;
        layer.parents[parent[g]].mean += weight * input.estimate[g];
        layer.log_likelihood += 0.5 * std::log(weight);
      }
    }
    for (auto& one : layer.parents) {
      one.mean = one.weight > 0 ? one.mean / one.weight : 0;
    }
    for (std::size_t g = 0; g < parent.size(); ++g) {
      if (measured(g)) {
        const double away = input.estimate[g] - layer.parents[parent[g]].mean;
        layer.log_likelihood -= 0.5 * away * away / (input.std_error[g] * input.std_error[g] + between * between);
      }
    }
    return layer;
  }

  // Integrates the parents and the flat mean out.
  void add_above(Layer& layer, double above) const {
    double weights = 0;
    for (const auto& one : layer.parents) {
      if (one.weight > 0) {
        const double weight = 1 / (above * above + 1 / one.weight);
        weights += weight;
        layer.mean += weight * one.mean;
        layer.log_likelihood += 0.5 * (std::log(weight) - std::log(one.weight));
      }
    }
    layer.mean /= weights;
    layer.mean_variance = 1 / weights;
    layer.log_likelihood -= 0.5 * std::log(weights);
    for (const auto& one : layer.parents) {
      if (one.weight > 0) {
        layer.log_likelihood -= 0.5 * (one.mean - layer.mean) * (one.mean - layer.mean) / (above * above + 1 / one.weight);
      }
    }
  }
};

// First and second moments of a mixture.
struct Mixture {
  double first = 0;
  double second = 0;
  void add(double weight, double mean, double variance) {
    first += weight * mean;
    second += weight * (variance + mean * mean);
  }
  double deviation() const { return std::sqrt(std::max(0.0, second - first * first)); }
};

struct Totals {
  std::vector<Mixture> value;
  std::vector<Mixture> prior;
  std::vector<double> own;
  Mixture mean;
};

void add_layer(const Model& model, const Layer& layer, const std::pair<double, double>& between_above, std::pair<double, Totals*> weight_and_out) {
  const auto [weight, out] = weight_and_out;
  const double between2 = between_above.first * between_above.first;
  const double above2 = between_above.second * between_above.second;
  out->mean.add(weight, layer.mean, layer.mean_variance);
  for (std::size_t g = 0; g < model.parent.size(); ++g) {
    const Parent& one = layer.parents[model.parent[g]];
    const double own_parent = one.weight > 0 && above2 > 0 ? above2 / (above2 + 1 / one.weight) : 0;
    const double parent_mean = own_parent * one.mean + (1 - own_parent) * layer.mean;
    const double parent_variance = (own_parent > 0 ? own_parent / one.weight : (one.weight > 0 ? 0 : above2)) +
                                   (1 - own_parent) * (1 - own_parent) * layer.mean_variance;
    const double s2 = model.input.std_error[g] * model.input.std_error[g];
    const double own = model.measured(g) ? between2 / (between2 + s2) : 0;
    const double own_variance = model.measured(g) ? own * s2 : between2;
    out->value[g].add(weight, model.measured(g) ? own * model.input.estimate[g] + (1 - own) * parent_mean : parent_mean,
                      own_variance + (1 - own) * (1 - own) * parent_variance);
    out->prior[g].add(weight, parent_mean, parent_variance + between2);
    out->own[g] += weight * own;
  }
}

Shrinkage nothing(std::size_t groups) {
  constexpr double kForever = std::numeric_limits<double>::infinity();
  Shrinkage out;
  out.groups.assign(groups, {0, kForever, -kForever, kForever, 0, 0, kForever});
  out.mean_std_error = kForever;
  return out;
}

}  // namespace

Shrinkage shrink(const ShrinkInput& input, const ShrinkOptions& options) {
  BECKON_CHECK(input.std_error.size() == input.estimate.size() && (input.parent.empty() || input.parent.size() == input.estimate.size()));
  BECKON_CHECK(options.level > 0 && options.level < 1 && options.prior_scale > 0);
  const Model model(input);
  const std::size_t groups = input.estimate.size();
  bool any = false;
  for (std::size_t g = 0; g < groups; ++g) {
    any = any || model.measured(g);
  }
  if (!any) {
    return nothing(groups);
  }
  const std::vector<double> betweens = deviations(options.prior_scale, kGrid);
  const std::vector<double> aboves = model.parents > 1 ? betweens : std::vector<double>{0};
  std::vector<double> likelihood;
  for (const double between : betweens) {
    const Layer base = model.with_between(between);
    for (const double above : aboves) {
      Layer layer = base;
      model.add_above(layer, above);
      likelihood.push_back(layer.log_likelihood);
    }
  }
  const double top = *std::ranges::max_element(likelihood);
  double total = 0;
  for (double& value : likelihood) {
    value = value - top < -40 ? 0 : std::exp(value - top);
    total += value;
  }
  Totals totals{std::vector<Mixture>(groups), std::vector<Mixture>(groups), std::vector<double>(groups, 0), {}};
  Shrinkage out;
  for (std::size_t b = 0; b < betweens.size(); ++b) {
    const Layer base = model.with_between(betweens[b]);
    for (std::size_t a = 0; a < aboves.size(); ++a) {
      const double weight = likelihood[b * aboves.size() + a] / total;
      if (weight > 0) {
        Layer layer = base;
        model.add_above(layer, aboves[a]);
        add_layer(model, layer, {betweens[b], aboves[a]}, {weight, &totals});
        out.between += weight * betweens[b];
        out.above += weight * aboves[a];
      }
    }
  }
  out.mean = totals.mean.first;
  out.mean_std_error = totals.mean.deviation();
  const double reach = stats::normal_quantile(0.5 + options.level / 2);
  for (std::size_t g = 0; g < groups; ++g) {
    const double value = totals.value[g].first;
    const double error = totals.value[g].deviation();
    out.groups.push_back({value, error, value - reach * error, value + reach * error, totals.own[g], totals.prior[g].first, totals.prior[g].deviation()});
  }
  return out;
}

}  // namespace beckon::price
