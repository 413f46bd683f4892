#include "beckon/response/effects.h"

#include <algorithm>
#include <cmath>

#include "beckon/price/shrink.h"

namespace beckon::response {
namespace {

constexpr double kNormal95 = 1.959963984540054;

struct Statement {
  double share = 0;
  double low = 0;
  double high = 0;
  double std_error = 0;
};

Statement statement_of(const catalog::Shop& shop, catalog::OfferKind kind) {
  const catalog::ResponsePrior& prior = shop.prior(std::string(catalog::to_text(kind)));
  return {prior.extra_share, prior.extra_share_low, prior.extra_share_high,
          std::max(1e-3, (prior.extra_share_high - prior.extra_share_low) / (2 * kNormal95))};
}

Effect stated(const Statement& statement) {
  Effect out;
  out.extra_share = statement.share;
  out.low = statement.low;
  out.high = statement.high;
  return out;
}

using ByCategory = std::map<std::string, std::vector<measure::ShareEstimate>>;

// What the offer does on average (all its customers, and the statement as one more finding of its own error), and how its categories differ.
Effect learned(const Statement& statement, const ByCategory& categories) {
  std::vector<std::string> names;
  std::vector<measure::ShareEstimate> whole;
  std::vector<double> estimates;
  std::vector<double> errors;
  for (const auto& [name, findings] : categories) {
    const auto pooled = measure::pooled(findings);
    whole.push_back(pooled);
    if (std::isfinite(pooled.std_error)) {
      names.push_back(name);
      estimates.push_back(pooled.share);
      errors.push_back(pooled.std_error);
    }
  }
  const auto all = measure::pooled(whole);
  Effect out = stated(statement);
  out.customers = all.treated + all.control;
  if (names.empty()) {
    return out;
  }
  whole.push_back({statement.share, statement.std_error, 0, 0});
  const auto with_statement = measure::pooled(whole);
  out.extra_share = with_statement.share;
  out.low = with_statement.share - kNormal95 * with_statement.std_error;
  out.high = with_statement.share + kNormal95 * with_statement.std_error;
  if (names.size() > 1) {
    const auto shrunk = price::shrink({estimates, errors});
    for (std::size_t i = 0; i < names.size(); ++i) {
      out.by_category[names[i]] = out.extra_share + shrunk.groups[i].value - shrunk.mean;
    }
  }
  if (all.std_error < statement.std_error) {
    out.grade = "randomised";
  } else {  // the error falls with the root of the customers
    out.customers_needed = static_cast<std::int64_t>(std::ceil(static_cast<double>(out.customers) * (std::pow(all.std_error / statement.std_error, 2) - 1)));
  }
  return out;
}

}  // namespace

EffectBook::EffectBook(const catalog::Shop& shop, std::span<const Finding> findings) : shop_(&shop) {
  std::map<Key, ByCategory> by_offer;
  for (const auto& finding : findings) {
    by_offer[{finding.kind, finding.depth_bp}][finding.category].push_back(finding.estimate);
  }
  for (const auto& [key, categories] : by_offer) {
    effects_[key] = learned(statement_of(shop, key.kind), categories);
  }
  make_monotone();
}

// Pool adjacent violators over the depths of a kind, weighted by what is known of each (Barlow et al. 1972).
void EffectBook::make_monotone() {
  struct Block {
    double weight = 0;
    double sum = 0;
    std::vector<Effect*> members;
    double mean() const { return sum / weight; }
  };
  for (auto first = effects_.begin(); first != effects_.end();) {
    auto last = first;
    std::vector<Block> blocks;
    for (; last != effects_.end() && last->first.kind == first->first.kind; ++last) {
      const double error = std::max(1e-6, (last->second.high - last->second.low) / (2 * kNormal95));
      const double weight = 1 / (error * error);
      blocks.push_back({weight, weight * last->second.extra_share, {&last->second}});
      while (blocks.size() > 1 && blocks[blocks.size() - 2].mean() > blocks.back().mean()) {
        Block& left = blocks[blocks.size() - 2];
        left.weight += blocks.back().weight;
        left.sum += blocks.back().sum;
        left.members.insert(left.members.end(), blocks.back().members.begin(), blocks.back().members.end());
        blocks.pop_back();
      }
    }
    for (const Block& block : blocks) {
      for (Effect* effect : block.members) {
        const double shift = block.mean() - effect->extra_share;
        effect->extra_share += shift;
        effect->low = std::min(effect->low, effect->low + shift);
        effect->high = std::max(effect->high, effect->high + shift);
        for (auto& [category, share] : effect->by_category) {
          share += shift;
        }
      }
    }
    first = last;
  }
}

Effect EffectBook::of(const catalog::Offer& offer) const {
  const Key key{offer.kind, offer.depth_bp};
  if (const auto found = effects_.find(key); found != effects_.end()) {
    return found->second;
  }
  Effect out = stated(statement_of(*shop_, offer.kind));
  const auto above = effects_.lower_bound(key);
  const bool has_above = above != effects_.end() && above->first.kind == offer.kind;
  const bool has_below = above != effects_.begin() && std::prev(above)->first.kind == offer.kind;
  if (has_above && has_below) {
    const auto& [low_key, low] = *std::prev(above);
    const double part = static_cast<double>(offer.depth_bp - low_key.depth_bp) / static_cast<double>(above->first.depth_bp - low_key.depth_bp);
    const auto between = [&](double a, double b) { return a + part * (b - a); };
    out.extra_share = between(low.extra_share, above->second.extra_share);
    out.low = std::min(low.low, between(low.low, above->second.low));
    out.high = std::max(above->second.high, between(low.high, above->second.high));
  } else if (has_above) {
    out.extra_share = std::min(out.extra_share, above->second.extra_share);
  } else if (has_below) {
    out.extra_share = std::max(out.extra_share, std::prev(above)->second.extra_share);
  }
  return out;
}

}  // namespace beckon::response
