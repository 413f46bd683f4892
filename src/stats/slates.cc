#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "beckon/base/check.h"
#include "beckon/stats/off_policy.h"
#include "beckon/stats/overlap.h"
#include "scores.h"

namespace beckon::stats {
namespace {

// Rows in the order in which they are read: slate by slate, first position first.
std::vector<std::size_t> reading_order(const SlateLog& log) {
  std::vector<std::size_t> order(log.slate.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return log.slate[a] != log.slate[b] ? log.slate[a] < log.slate[b] : log.position[a] < log.position[b];
  });
  return order;
}

// Sums of a slate under the three ways of weighting; weights by depth for the effective samples.
struct Slate {
  double by_whole = 0;
  double by_own = 0;
  double by_prefix = 0;
  std::uint32_t customer = 0;
};
struct Weights {
  std::vector<double> whole;
  std::vector<std::vector<double>> own;     // by depth
  std::vector<std::vector<double>> prefix;  // by depth
};

void keep(std::vector<std::vector<double>>& by_depth, std::size_t depth, double weight) {
  if (by_depth.size() <= depth) {
    by_depth.resize(depth + 1);
  }
  by_depth[depth].push_back(weight);
}

Slate read_slate(const SlateLog& log, std::span<const std::size_t> rows, std::span<const double> weight, Weights& weights) {
  Slate slate;
  double product = 1;
  double rewards = 0;
  for (std::size_t depth = 0; depth < rows.size(); ++depth) {
    const std::size_t row = rows[depth];
    product *= weight[row];
    rewards += log.rows.reward[row];
    slate.by_own += weight[row] * log.rows.reward[row];
    slate.by_prefix += product * log.rows.reward[row];
    keep(weights.own, depth, weight[row]);
    keep(weights.prefix, depth, product);
  }
  slate.by_whole = product * rewards;
  slate.customer = log.rows.customer.empty() ? 0 : log.rows.customer[rows.front()];
  weights.whole.push_back(product);
  return slate;
}

SlateValue value_of_slates(std::string_view name, const Units& units, std::span<const double> values, double level) {
  SlateValue out;
  out.name = name;
  out.value = normal_interval(units, {sums_by_unit(units, values), {}, {}}, level);
  return out;
}

void add_overlap(SlateValue& value, const std::vector<std::vector<double>>& by_depth) {
  value.ess = effective_sample_size(by_depth.front());
  for (const auto& weights : by_depth) {
    value.ess = std::min(value.ess, effective_sample_size(weights));
    value.max_weight = std::max(value.max_weight, *std::max_element(weights.begin(), weights.end()));
  }
}

}  // namespace

base::Result<std::vector<SlateValue>> estimate_slates(const SlateLog& log, double level) {
  BECKON_TRY_STATUS(check_log(log.rows));
  BECKON_CHECK(log.slate.size() == log.rows.reward.size() && log.position.size() == log.slate.size());
  const std::vector<double> weight = importance_weights(log.rows);
  const std::vector<std::size_t> order = reading_order(log);
  Weights weights;
  std::vector<double> whole;
  std::vector<double> own;
  std::vector<double> prefix;
  std::vector<std::uint32_t> customer;
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin;
    while (end < order.size() && log.slate[order[end]] == log.slate[order[begin]]) {
      ++end;
    }
    const Slate slate = read_slate(log, std::span(order).subspan(begin, end - begin), weight, weights);
    whole.push_back(slate.by_whole);
    own.push_back(slate.by_own);
    prefix.push_back(slate.by_prefix);
    customer.push_back(slate.customer);
    begin = end;
  }
  const Units units = units_of(log.rows.customer.empty() ? std::span<const std::uint32_t>() : customer, whole.size());
  if (units.count() < 2) {
    return base::failed_precondition("the value of a policy needs slates of two customers: wait for more");
  }
  std::vector<SlateValue> out{value_of_slates("sips", units, whole, level), value_of_slates("iips", units, own, level),
                              value_of_slates("cascade", units, prefix, level)};
  add_overlap(out[0], {weights.whole});
  add_overlap(out[1], weights.own);
  add_overlap(out[2], weights.prefix);
  return out;
}

}  // namespace beckon::stats
