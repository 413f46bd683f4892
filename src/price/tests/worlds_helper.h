#pragma once
// Made-up sales whose elasticity is known.

#include <cmath>
#include <cstdint>
#include <vector>

#include "beckon/base/rng.h"
#include "beckon/price/price.h"

namespace beckon::price {

struct World {
  std::vector<double> price;
  std::vector<double> quantity;
  std::vector<std::uint32_t> cell;
  std::vector<std::uint32_t> group;
  std::vector<double> known;  ///< what whoever set the price looked at
  Observations all() const { return {price, quantity, cell, group}; }
};

struct WorldOptions {
  std::size_t rows = 400;
  std::uint32_t cells = 20;
  double elasticity = -2;
  double confounding = 0;  ///< how strongly a cell's demand raises its prices
  double noise = 0.5;
};

/// log quantity = effect of the cell + elasticity · log price + noise whose size differs from row to row.
inline World log_log_world(std::uint64_t seed, const WorldOptions& options) {
  base::Rng rng(seed);
  World world;
  std::vector<double> effect(options.cells);
  for (double& value : effect) {
    value = rng.normal();
  }
  for (std::size_t i = 0; i < options.rows; ++i) {
    const auto cell = static_cast<std::uint32_t>(i % options.cells);
    const double log_price = options.confounding * effect[cell] + 0.2 * rng.normal();
    const double spread = options.noise * (0.5 + std::abs(log_price - options.confounding * effect[cell]) * 3);
    world.cell.push_back(cell);
    world.price.push_back(std::exp(log_price));
    world.quantity.push_back(std::exp(effect[cell] + options.elasticity * log_price + spread * rng.normal()));
  }
  return world;
}

/// A bent confounder: high `known` raises both price and demand, linear controls alone leave a bias.
inline World bent_world(std::uint64_t seed, std::size_t rows) {
  base::Rng rng(seed, 2);
  World world;
  for (std::size_t i = 0; i < rows; ++i) {
    const double z = rng.normal();
    const double bent = std::sin(1.5 * z) + 0.5 * z * z;
    const double log_price = 0.4 * bent + 0.25 * rng.normal();
    world.known.push_back(z);
    world.price.push_back(std::exp(log_price));
    world.quantity.push_back(std::exp(bent - 1.5 * log_price + 0.6 * rng.normal()));
  }
  return world;
}

inline bool holds(const stats::Interval& interval, double truth) { return interval.low <= truth && truth <= interval.high; }

/// Runs of a simulation: few in the tests, more where an environment variable asks for them (tools/price_coverage).
int runs_of(int few);

}  // namespace beckon::price
