#include "beckon/uplift/curve.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "beckon/base/check.h"
#include "beckon/base/rng.h"
#include "beckon/stats/distributions.h"
#include "beckon/stats/intervals.h"

namespace beckon::uplift {
namespace {

double share_treated(const Trial& trial) {
  const auto treated = std::accumulate(trial.treated.begin(), trial.treated.end(), std::size_t{0});
  return static_cast<double>(treated) / static_cast<double>(trial.treated.size());
}

// Running sums of both groups.
struct Sums {
  double treated = 0, control = 0;                  // weights
  double treated_outcome = 0, control_outcome = 0;  // times outcome
  void add(bool is_treated, double weight, double outcome) {
    (is_treated ? treated : control) += weight;
    (is_treated ? treated_outcome : control_outcome) += outcome;
  }
  double gain() const { return treated_outcome - (control > 0 ? control_outcome * treated / control : 0); }
};

}  // namespace

Ranking::Ranking(const Trial& trial, std::span<const float> score, std::uint64_t seed) {
  BECKON_CHECK(score.size() == trial.treated.size());
  std::vector<std::uint32_t> order(score.size());
  std::iota(order.begin(), order.end(), 0U);
  base::Rng(seed, 0x71E5).shuffle(order);
  std::ranges::stable_sort(order, [&](std::uint32_t a, std::uint32_t b) { return score[a] > score[b]; });
  const double share = share_treated(trial);
  entries_.reserve(order.size());
  for (const std::uint32_t r : order) {
    const bool treated = trial.treated[r] != 0;
    const double e = static_cast<double>(trial.propensity[r]);
    const auto weight = static_cast<float>(treated ? share / e : (1 - share) / (1 - e));
    entries_.push_back({trial.customer_of(r), score[r], weight * trial.outcome[r], weight, treated});
  }
}

double Ranking::qini(std::span<const std::uint16_t> times) const {
  Sums sums;
  double area = 0;
  double rows = 0;
  double before = 0;
  for (const Entry& entry : entries_) {
    const double count = times.empty() ? 1 : static_cast<double>(times[entry.customer]);
    if (count == 0) {
      continue;
    }
    sums.add(entry.treated, count * static_cast<double>(entry.weight), count * static_cast<double>(entry.outcome));
    const double gain = sums.gain();
    area += count * (before + gain) / 2;
    rows += count;
    before = gain;
  }
  return rows > 0 ? (area / rows - before / 2) / rows : 0;
}

double Ranking::uplift_at(double share) const {
  const auto count = static_cast<std::size_t>(std::llround(share * static_cast<double>(entries_.size())));
  Sums sums;
  for (std::size_t i = 0; i < count; ++i) {
    sums.add(entries_[i].treated, static_cast<double>(entries_[i].weight), static_cast<double>(entries_[i].outcome));
  }
  if (sums.treated == 0 || sums.control == 0) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return sums.treated_outcome / sums.treated - sums.control_outcome / sums.control;
}

std::vector<Ranking::Group> Ranking::groups(std::size_t count) const {
  std::vector<Group> out;
  for (std::size_t g = 0; g < count; ++g) {
    const std::size_t begin = entries_.size() * g / count;
    const std::size_t end = entries_.size() * (g + 1) / count;
    if (begin == end) {
      continue;
    }
    Group group;
    std::array<stats::Moments, 2> moments;
    for (std::size_t i = begin; i < end; ++i) {
      group.score += static_cast<double>(entries_[i].score) / static_cast<double>(end - begin);
      moments[entries_[i].treated ? 1 : 0].add(static_cast<double>(entries_[i].outcome));
    }
    const auto effect = stats::difference_of_means(moments[1], moments[0]);
    group.effect = effect.ok() ? effect->estimate : std::numeric_limits<double>::quiet_NaN();
    group.std_error = effect.ok() ? effect->std_error : 0;
    out.push_back(group);
  }
  return out;
}

std::vector<double> Ranking::curve(std::size_t points) const {
  std::vector<double> out{0};
  Sums sums;
  std::size_t done = 0;
  for (std::size_t p = 1; p <= points; ++p) {
    for (const std::size_t until = entries_.size() * p / points; done < until; ++done) {
      sums.add(entries_[done].treated, static_cast<double>(entries_[done].weight), static_cast<double>(entries_[done].outcome));
    }
    out.push_back(sums.gain() / static_cast<double>(entries_.size()));
  }
  return out;
}

double transformed_outcome(const Trial& trial, std::size_t row) {
  const double e = static_cast<double>(trial.propensity[row]);
  const double y = static_cast<double>(trial.outcome[row]);
  return trial.treated[row] != 0 ? y / e : -y / (1 - e);
}

Threshold best_threshold(const Trial& trial, std::span<const std::uint32_t> rows, std::span<const float> score, const Economics& economics) {
  BECKON_CHECK(rows.size() == score.size() && !rows.empty());
  std::vector<std::uint32_t> order(rows.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::stable_sort(order, [&](std::uint32_t a, std::uint32_t b) { return score[a] > score[b]; });
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  Threshold best{kInfinity, 0};
  double sum = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    sum += economics.value * transformed_outcome(trial, rows[order[i]]) - economics.cost;
    const bool last = i + 1 == order.size();
    // Between equal scores there is no threshold.
    if (sum > best.profit && (last || score[order[i + 1]] < score[order[i]])) {
      best = {last ? -kInfinity : (static_cast<double>(score[order[i]]) + static_cast<double>(score[order[i + 1]])) / 2, sum};
    }
  }
  best.profit /= static_cast<double>(rows.size());
  return best;
}

PolicyValue policy_value(const Trial& trial, std::span<const std::uint8_t> chosen, const Economics& economics, double level) {
  const std::size_t rows = trial.treated.size();
  BECKON_CHECK(chosen.size() == rows && rows > 1);
  const double share = share_treated(trial);
  PolicyValue out;
  Sums sums;
  std::vector<double> gain(rows, 0);
  for (std::size_t r = 0; r < rows; ++r) {
    if (chosen[r] == 0) {
      continue;
    }
    const bool treated = trial.treated[r] != 0;
    const double e = static_cast<double>(trial.propensity[r]);
    const double weight = treated ? share / e : (1 - share) / (1 - e);
    sums.add(treated, weight, weight * static_cast<double>(trial.outcome[r]));
    gain[r] = economics.value * transformed_outcome(trial, r) - economics.cost;
    out.share_treated += 1 / static_cast<double>(rows);
  }
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  const bool both = sums.treated > 0 && sums.control > 0;
  out.irr = both ? sums.treated_outcome / sums.treated - sums.control_outcome / sums.control : kNone;
  out.nir = economics.value * sums.gain() - economics.cost * sums.treated;
  const double n = static_cast<double>(rows);
  out.profit = std::accumulate(gain.begin(), gain.end(), 0.0) / n;
  // A customer's rows rise and fall together: the squares are of his sums.
  const std::size_t clusters = trial.customers();
  std::vector<double> of_customer(clusters, 0);
  for (std::size_t r = 0; r < rows; ++r) {
    of_customer[trial.customer_of(r)] += gain[r] - out.profit;
  }
  const double squares = std::inner_product(of_customer.begin(), of_customer.end(), of_customer.begin(), 0.0);
  const double of_sample = static_cast<double>(clusters) / std::max(1.0, static_cast<double>(clusters) - 1);
  const double half = stats::normal_quantile(0.5 + level / 2) * std::sqrt(squares * of_sample) / n;
  out.low = out.profit - half;
  out.high = out.profit + half;
  return out;
}

}  // namespace beckon::uplift
