#include "optimizer.h"

#include <algorithm>
#include <cmath>

namespace beckon::model::inner {
namespace {

constexpr std::size_t kChunkFloats = 32'768;
constexpr std::size_t kChunkRows = 512;
constexpr double kBeta1 = .9;
constexpr double kBeta2 = .98;

}  // namespace

Optimizer::Optimizer(const Layout& layout, const TrainOptions& options) : layout_(layout), options_(options) {
  gradients_.resize(options.worker_count);
  for (auto& gradient : gradients_) {
    gradient.resize(layout.size);
    gradient.zero();
  }
  state_.first.assign(layout.size, 0.0F);
  state_.second.assign(layout.size, 0.0F);
}

std::vector<Optimizer::Chunk> Optimizer::chunks(std::size_t touched_rows) const {
  std::vector<Chunk> out;
  const std::size_t dense = touched_rows > 0 ? layout_.token.offset : layout_.size;
  for (std::size_t begin = 0; begin < dense; begin += kChunkFloats) {
    out.push_back({begin, std::min(dense, begin + kChunkFloats), false});
  }
  for (std::size_t begin = 0; begin < touched_rows; begin += kChunkRows) {
    out.push_back({begin, std::min(touched_rows, begin + kChunkRows), true});
  }
  return out;
}

template <class Visit>
void Optimizer::for_ranges(const Chunk& chunk, std::span<const std::int32_t> rows, Visit visit) const {
  if (!chunk.lazy) {
    visit(chunk.begin, chunk.end - chunk.begin);
    return;
  }
  const std::size_t width = layout_.token.columns;
  for (std::size_t i = chunk.begin; i < chunk.end; ++i) {
    visit(layout_.token.offset + static_cast<std::size_t>(rows[i]) * width, width);
  }
}

double Optimizer::fold(const Chunk& chunk, std::span<const std::int32_t> rows) {
  double squares = 0;
  for_ranges(chunk, rows, [&](std::size_t at, std::size_t count) {
    const auto sum = gradients_[0].span().subspan(at, count);
    for (std::size_t w = 1; w < gradients_.size(); ++w) {
      const auto more = gradients_[w].span().subspan(at, count);
      tensor::add_scaled(more, 1, sum);
      std::fill(more.begin(), more.end(), 0.0F);
    }
    squares += tensor::sum_of_squares(sum);
  });
  return squares;
}

base::Status Optimizer::step(std::span<float> weights, std::span<const std::int32_t> rows, base::Executor& executor) {
  BECKON_CHECK(weights.size() == layout_.size);
  const auto plan = chunks(rows.size());
  std::vector<double> squares(plan.size());
  executor.run(plan.size(), [&](std::size_t i) { squares[i] = fold(plan[i], rows); });
  double norm = 0;
  for (const double part : squares) {
    norm += part;
  }
  norm = std::sqrt(norm);
  if (!std::isfinite(norm)) {
    return base::failed_precondition("the gradient is no longer finite: train again with a lower learning_rate");
  }
  ++state_.steps;
  const auto t = static_cast<double>(state_.steps);
  const double warm = options_.warmup_steps > 0 ? std::min(1.0, t / options_.warmup_steps) : 1.0;
  const double limit = static_cast<double>(options_.gradient_norm_max);
  tensor::AdamStep adam;
  adam.learning_rate = options_.learning_rate * static_cast<float>(warm);
  adam.beta1 = static_cast<float>(kBeta1);
  adam.beta2 = static_cast<float>(kBeta2);
  adam.correction1 = static_cast<float>(1 - std::pow(kBeta1, t));
  adam.correction2 = static_cast<float>(1 - std::pow(kBeta2, t));
  adam.gradient_scale = limit > 0 && norm > limit ? static_cast<float>(limit / norm) : 1.0F;
  executor.run(plan.size(), [&](std::size_t i) {
    for_ranges(plan[i], rows, [&](std::size_t at, std::size_t count) {
      const auto gradient = gradients_[0].span().subspan(at, count);
      tensor::adam(adam, {weights.subspan(at, count), gradient, std::span(state_.first).subspan(at, count),
                          std::span(state_.second).subspan(at, count)});
      std::fill(gradient.begin(), gradient.end(), 0.0F);
    });
  });
  return base::ok_status();
}

}  // namespace beckon::model::inner
