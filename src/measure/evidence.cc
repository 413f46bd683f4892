#include "beckon/measure/evidence.h"

#include <cmath>
#include <limits>

namespace beckon::measure {
namespace {

constexpr std::int64_t kCustomersMin = 20;  // of each side: below, a share of buyers says nothing that a variance could be taken from

struct Side {
  std::int64_t count = 0;
  std::int64_t bought = 0;
  double base = 0;
};

double mean_of(const Side& side) { return static_cast<double>(side.bought) / static_cast<double>(side.count); }

// Of a share, with a success and a failure more (Agresti and Caffo 2000): none of thirty is not "never".
double variance_of(const Side& side) {
  const double n = static_cast<double>(side.count) + 2;
  const double p = (static_cast<double>(side.bought) + 1) / n;
  return p * (1 - p) / n;
}

}  // namespace

std::map<std::string, Evidence> evidence_of(std::span<const Outcome> outcomes, const std::function<std::string(const events::Decision&)>& key) {
  std::map<std::string, std::pair<Side, Side>> sides;  // treated, ghosts
  for (const auto& outcome : outcomes) {
    const events::Decision& decision = outcome.decision;
    const bool treated = decision.group == events::Group::kTreated;
    if (!decision.chosen || !outcome.ripe || (!treated && decision.group != events::Group::kHoldout)) {
      continue;
    }
    auto& both = sides[key(decision)];
    Side& side = treated ? both.first : both.second;
    ++side.count;
    side.bought += outcome.item_purchases > 0 ? 1 : 0;
    side.base += decision.buy_probability;
  }
  std::map<std::string, Evidence> out;
  for (const auto& [name, both] : sides) {
    const auto& [treated, ghosts] = both;
    Evidence evidence{treated.count, ghosts.count, 0, 0, 0};
    evidence.base = (treated.base + ghosts.base) / static_cast<double>(treated.count + ghosts.count);
    if (treated.count >= kCustomersMin && ghosts.count >= kCustomersMin) {
      evidence.extra = mean_of(treated) - mean_of(ghosts);
      evidence.extra_variance = variance_of(treated) + variance_of(ghosts);
    }
    out[name] = evidence;
  }
  return out;
}

ShareEstimate share_of(const Evidence& evidence) {
  ShareEstimate out{0, std::numeric_limits<double>::infinity(), evidence.treated, evidence.control};
  if (evidence.base > 0 && evidence.extra_variance > 0) {
    out.share = evidence.extra / evidence.base;
    out.std_error = std::sqrt(evidence.extra_variance) / evidence.base;
  }
  return out;
}

ShareEstimate pooled(std::span<const ShareEstimate> estimates) {
  ShareEstimate out{0, std::numeric_limits<double>::infinity(), 0, 0};
  double weights = 0;
  double sum = 0;
  for (const auto& one : estimates) {
    out.treated += one.treated;
    out.control += one.control;
    const double weight = 1 / (one.std_error * one.std_error);  // 0 when nothing can be said
    weights += weight;
    sum += weight * one.share;
  }
  if (weights > 0) {
    out.share = sum / weights;
    out.std_error = 1 / std::sqrt(weights);
  }
  return out;
}

}  // namespace beckon::measure
