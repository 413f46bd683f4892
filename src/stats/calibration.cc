#include "beckon/stats/calibration.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "beckon/base/check.h"
#include "beckon/stats/regression.h"

namespace beckon::stats {
namespace {

constexpr double kEdge = 1e-12;

double inside(double p) { return std::clamp(p, kEdge, 1 - kEdge); }
double logit(double p) { return std::log(inside(p) / (1 - inside(p))); }

std::vector<std::size_t> order_of(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  return order;
}

struct Block {
  double x_sum = 0;
  double y_sum = 0;
  double weight = 0;
  double level() const { return y_sum / weight; }
  void add(const Block& other) {
    x_sum += other.x_sum;
    y_sum += other.y_sum;
    weight += other.weight;
  }
};

}  // namespace

std::vector<ReliabilityBin> reliability_table(std::span<const double> predicted, Outcomes outcome, const BinOptions& options) {
  BECKON_CHECK(predicted.size() == outcome.size() && options.bins >= 1);
  const auto order = order_of(predicted);
  const auto bins = static_cast<std::size_t>(options.bins);
  std::vector<ReliabilityBin> table;
  std::size_t from = 0;
  for (std::size_t bin = 0; bin < bins; ++bin) {
    std::size_t to = order.size() * (bin + 1) / bins;
    if (!options.equal_counts) {
      const double edge = static_cast<double>(bin + 1) / static_cast<double>(bins);
      to = from;
      while (to < order.size() && (predicted[order[to]] < edge || bin + 1 == bins)) {
        ++to;
      }
    }
    if (to > from) {
      ReliabilityBin row;
      Share share;
      for (std::size_t i = from; i < to; ++i) {
        row.predicted += predicted[order[i]];
        share.successes += outcome[order[i]];
      }
      share.trials = row.count = static_cast<std::int64_t>(to - from);
      row.predicted /= static_cast<double>(row.count);
      row.observed = wilson(share, options.level);
      table.push_back(row);
    }
    from = std::max(from, to);
  }
  return table;
}

double expected_calibration_error(std::span<const ReliabilityBin> bins) {
  double sum = 0;
  double count = 0;
  for (const auto& bin : bins) {
    sum += static_cast<double>(bin.count) * std::abs(bin.predicted - bin.observed.estimate);
    count += static_cast<double>(bin.count);
  }
  return count > 0 ? sum / count : 0;
}

double log_loss(std::span<const double> predicted, Outcomes outcome) {
  BECKON_CHECK(predicted.size() == outcome.size());
  double sum = 0;
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    const double p = inside(predicted[i]);
    sum -= outcome[i] != 0 ? std::log(p) : std::log1p(-p);
  }
  return predicted.empty() ? 0 : sum / static_cast<double>(predicted.size());
}

double brier_score(std::span<const double> predicted, Outcomes outcome) {
  BECKON_CHECK(predicted.size() == outcome.size());
  double sum = 0;
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    sum += (predicted[i] - outcome[i]) * (predicted[i] - outcome[i]);
  }
  return predicted.empty() ? 0 : sum / static_cast<double>(predicted.size());
}

double auc(std::span<const double> score, Outcomes outcome) {
  BECKON_CHECK(score.size() == outcome.size());
  const auto order = order_of(score);
  double rank_sum = 0;
  double positives = 0;
  for (std::size_t from = 0; from < order.size();) {
    std::size_t to = from;
    double in_tie = 0;
    while (to < order.size() && score[order[to]] == score[order[from]]) {
      in_tie += outcome[order[to++]];
    }
    rank_sum += in_tie * (static_cast<double>(from + to + 1) / 2);  // mean rank of the tie, ranks from 1
    positives += in_tie;
    from = to;
  }
  const double negatives = static_cast<double>(order.size()) - positives;
  return positives > 0 && negatives > 0 ? (rank_sum - positives * (positives + 1) / 2) / (positives * negatives) : 0.5;
}

double PlattCalibration::apply(double predicted) const { return sigmoid(slope * logit(predicted) + offset); }

base::Result<PlattCalibration> PlattCalibration::fit(std::span<const double> predicted, Outcomes outcome) {
  std::vector<double> scores(predicted.size());
  std::transform(predicted.begin(), predicted.end(), scores.begin(), logit);
  LogisticOptions options;
  options.l2 = 1e-6;  // separated data would drive the slope to infinity
  BECKON_TRY(const LogisticModel model, fit_logistic({scores, outcome, 1}, options));
  return PlattCalibration{model.coefficients[0], model.intercept};
}

double IsotonicCalibration::apply(double predicted) const {
  BECKON_CHECK(!x.empty() && x.size() == y.size());
  const auto upper = std::upper_bound(x.begin(), x.end(), predicted);
  if (upper == x.begin()) {
    return y.front();
  }
  if (upper == x.end()) {
    return y.back();
  }
  const auto i = static_cast<std::size_t>(upper - x.begin());
  return y[i - 1] + (y[i] - y[i - 1]) * (predicted - x[i - 1]) / (x[i] - x[i - 1]);
}

base::Result<IsotonicCalibration> IsotonicCalibration::fit(std::span<const double> predicted, Outcomes outcome) {
  BECKON_CHECK(predicted.size() == outcome.size());
  if (predicted.empty()) {
    return base::failed_precondition("isotonic calibration needs outcomes: wait for some");
  }
  const auto order = order_of(predicted);
  std::vector<Block> blocks;
  for (std::size_t from = 0; from < order.size();) {
    Block block;
    const double x = predicted[order[from]];
    for (; from < order.size() && predicted[order[from]] == x; ++from) {  // equal predictions get one answer
      block.add({x, static_cast<double>(outcome[order[from]]), 1});
    }
    while (!blocks.empty() && blocks.back().level() >= block.level()) {
      block.add(blocks.back());
      blocks.pop_back();
    }
    blocks.push_back(block);
  }
  IsotonicCalibration out;
  for (const auto& block : blocks) {
    out.x.push_back(block.x_sum / block.weight);
    out.y.push_back(block.level());
  }
  return out;
}

}  // namespace beckon::stats
