#include "recurrent_layer.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace beckon::model::inner {
namespace {

const Cell kRnn{"rnn", 1, false, false, tensor::rnn_forward, tensor::rnn_backward};
const Cell kGru{"gru", 3, false, true, tensor::gru_forward, tensor::gru_backward};
const Cell kLstm{"lstm", 4, true, false, tensor::lstm_forward, tensor::lstm_backward};

}  // namespace

const Cell& cell_of(Arch arch) {
  return arch == Arch::kLstm ? kLstm : arch == Arch::kGru ? kGru : kRnn;
}

// All matrices are time-major: step t holds the rows step_start[t] … step_start[t+1]-1, of the longest sequences first.
struct RecurrentLayer::Cache final : LayerCache {
  std::vector<std::size_t> row;         // row of the batch that a time-major row stands for
  std::vector<std::size_t> step_start;  // one entry a step, one at the end
  tensor::Buffer x, gates, recurrent, hidden_before, hidden, state;
  tensor::Buffer first_state;           // c before step 0: zeros, or what a LayerState holds
  std::span<const float> first_hidden;  // h before step 0; empty: zeros

  std::size_t steps() const { return step_start.size() - 1; }
  std::size_t rows_of(std::size_t t) const { return step_start[t + 1] - step_start[t]; }
  template <class T>
  std::span<T> of_step(std::span<T> all, std::size_t t, std::size_t columns) const {
    return all.subspan(std::min(step_start[t] * columns, all.size()), all.empty() ? 0 : rows_of(t) * columns);
  }
  std::span<const float> state_before(std::size_t t, std::size_t columns) const {
    if (state.size() == 0) {
      return {};
    }
    return t == 0 ? first_state.span().first(rows_of(0) * columns)
                  : state.span().subspan(step_start[t - 1] * columns, rows_of(t) * columns);
  }
  void plan(const PackedBatch& batch);
  void gather(std::span<const float> from, std::size_t columns, tensor::Buffer& to) const;
  void scatter(std::span<const float> from, std::size_t columns, std::span<float> to) const;
};

void RecurrentLayer::Cache::plan(const PackedBatch& batch) {
  std::vector<std::size_t> order(batch.sequences());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto length = [&](std::size_t s) { return batch.start[s + 1] - batch.start[s]; };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return length(a) > length(b); });
  row.clear();
  step_start.assign(1, 0);
  const std::size_t steps = order.empty() ? 0 : length(order[0]);
  for (std::size_t t = 0; t < steps; ++t) {
    for (std::size_t i = 0; i < order.size() && length(order[i]) > t; ++i) {
      row.push_back(batch.start[order[i]] + t);
    }
    step_start.push_back(row.size());
  }
}

void RecurrentLayer::Cache::gather(std::span<const float> from, std::size_t columns, tensor::Buffer& to) const {
  to.resize(from.size());
  for (std::size_t r = 0; r < row.size(); ++r) {
    std::copy_n(from.data() + row[r] * columns, columns, to.data() + r * columns);
  }
}

void RecurrentLayer::Cache::scatter(std::span<const float> from, std::size_t columns, std::span<float> to) const {
  for (std::size_t r = 0; r < row.size(); ++r) {
    std::copy_n(from.data() + r * columns, columns, to.data() + row[r] * columns);
  }
}

RecurrentLayer::RecurrentLayer(const std::string& at, const Shape& shape, Layout& layout) : shape_(shape) {
  const Part matrix{0, shape.width, shape.cell.gates * shape.width};
  const std::string name = at + shape.cell.name;
  input_ = add_linear(layout, name + ".input", matrix, true);
  recurrent_ = add_linear(layout, name + ".recurrent", matrix, shape.cell.separate_recurrent);
}

void RecurrentLayer::initialise(std::span<float> weights, base::Rng& rng) const {
  // Each gate is a square map of its own: the fan-out of the whole matrix would make them too small.
  for (const Part* part : {&input_.weight, &recurrent_.weight}) {
    fill_normal(part_of(weights, *part), 1 / std::sqrt(static_cast<double>(part->rows)), rng);
  }
  if (shape_.cell.has_state) {
    // A forget gate that is open at the start lets gradients reach the past (Jozefowicz et al. 2015).
    const auto bias = part_of(weights, input_.bias);
    std::ranges::fill(bias.subspan(shape_.width, shape_.width), 1.0F);
  }
}

std::unique_ptr<LayerCache> RecurrentLayer::make_cache() const {
  return std::make_unique<Cache>();
}

void RecurrentLayer::run_steps(const Network& net, Cache& cache) const {
  const std::size_t width = shape_.width;
  const Cell& cell = shape_.cell;
  const Part& u = recurrent_.weight;
  for (std::size_t t = 0; t < cache.steps(); ++t) {
    const std::size_t rows = cache.rows_of(t);
    const auto before = cache.of_step(cache.hidden_before.span(), t, width);
    const bool from_nothing = t == 0 && cache.first_hidden.empty();
    if (from_nothing) {
      std::ranges::fill(before, 0.0F);
    } else if (t == 0) {
      std::ranges::copy(cache.first_hidden, before.begin());
    } else {
      std::copy_n(cache.hidden.data() + cache.step_start[t - 1] * width, rows * width, before.data());
    }
    const auto gates = cache.of_step(cache.gates.span(), t, u.columns);
    const auto recurrent = cache.of_step(cache.recurrent.span(), t, u.columns);
    const auto into = cell.separate_recurrent ? recurrent : gates;
    if (cell.separate_recurrent) {
      std::ranges::fill(recurrent, 0.0F);
      tensor::add_bias(net.at(recurrent_.bias), recurrent);
    }
    if (!from_nothing) {
      tensor::gemm(tensor::view(before, rows, width), tensor::view(net.at(u), width, u.columns),
                   tensor::mutable_view(into, rows, u.columns), {tensor::Into::kAdd, net.precision});
    }
    cell.forward({width, gates, recurrent, before, cache.state_before(t, width),
                  cache.of_step(cache.hidden.span(), t, width), cache.of_step(cache.state.span(), t, width)});
  }
}

void RecurrentLayer::prepare(const LayerPass& io, Cache& own) const {
  const std::size_t width = shape_.width;
  own.plan(*io.pass->batch);
  own.gather(io.x, width, own.x);
  linear_forward(io.pass->network, input_, own.x.span(), own.gates);
  own.recurrent.resize(shape_.cell.separate_recurrent ? own.gates.size() : 0);
  own.hidden_before.resize(io.x.size());
  own.hidden.resize(io.x.size());
  own.state.resize(shape_.cell.has_state ? io.x.size() : 0);
  own.first_state.resize(io.pass->batch->sequences() * width);
  own.first_state.zero();
  own.first_hidden = {};
}

void RecurrentLayer::forward(const LayerPass& io, LayerCache& cache, Workspace&, std::span<float> y) const {
  auto& own = static_cast<Cache&>(cache);
  const std::size_t width = shape_.width;
  prepare(io, own);
  run_steps(io.pass->network, own);
  own.scatter(own.hidden.span(), width, y);
  if (shape_.dropout) {
    tensor::apply_dropout(io.dropout(0, width), y);
  }
}

void RecurrentLayer::forward_last(const LayerPass& io, LayerCache& cache, Workspace& work, std::span<float> y) const {
  work.dwide.resize(io.x.size());
  forward(io, cache, work, work.dwide.span());
  copy_last_rows(*io.pass->batch, shape_.width, work.dwide.span(), y);
}

// After the last position: h, and c where the cell has one.
struct RecurrentLayer::State final : LayerState {
  bool rewind(std::size_t length) override {
    if (length == positions) {
      return true;
    }
    positions = 0;
    return false;
  }
  std::size_t bytes() const override { return (hidden.size() + state.size()) * sizeof(float); }

  std::size_t positions = 0;
  std::vector<float> hidden, state;
};

std::unique_ptr<LayerState> RecurrentLayer::make_state() const {
  return std::make_unique<State>();
}

void RecurrentLayer::advance(const LayerPass& io, LayerState* state, LayerCache& cache, Workspace&, std::span<float> y) const {
  auto& own = static_cast<Cache&>(cache);
  auto& past = static_cast<State&>(*state);
  prepare(io, own);
  if (past.positions > 0) {
    own.first_hidden = past.hidden;
    std::ranges::copy(past.state, own.first_state.span().begin());
  }
  run_steps(io.pass->network, own);
  // One sequence: time-major is its own order.
  const auto hidden = own.hidden.span();
  past.positions += hidden.size() / shape_.width;
  past.hidden.assign(hidden.end() - static_cast<std::ptrdiff_t>(shape_.width), hidden.end());
  if (shape_.cell.has_state) {
    past.state.assign(own.state.span().end() - static_cast<std::ptrdiff_t>(shape_.width), own.state.span().end());
  }
  std::ranges::copy(hidden.last(y.size()), y.begin());
  own.first_hidden = {};
}

// Step t of the way back: what step t+1 wants of h lies in dcarry, of c in dstate; sequences that ended here begin with 0.
void RecurrentLayer::step_back(const LayerPass& io, const Cache& cache, Workspace& work, std::size_t t) const {
  const std::size_t width = shape_.width;
  const Cell& cell = shape_.cell;
  const Network& net = io.pass->network;
  const Part& u = recurrent_.weight;
  const std::size_t rows = cache.rows_of(t);
  const auto dhidden = work.dcarry.span().first(rows * width);
  const auto dbefore = work.dbefore.span().first(rows * width);
  tensor::add_scaled(cache.of_step(work.dnorm.span(), t, width), 1, dhidden);
  const auto dgates = cache.of_step(work.dup.span(), t, u.columns);
  const auto drecurrent = cell.separate_recurrent ? cache.of_step(work.dwide.span(), t, u.columns) : dgates;
  cell.backward({width, cache.of_step(cache.gates.span(), t, u.columns),
                 cache.of_step(cache.recurrent.span(), t, u.columns), cache.of_step(cache.hidden_before.span(), t, width),
                 cache.state_before(t, width), cache.of_step(cache.state.span(), t, width), dhidden, dgates,
                 cell.separate_recurrent ? drecurrent : std::span<float>(),
                 cell.has_state ? work.dstate.span().first(rows * width) : std::span<float>(), dbefore});
  if (t > 0) {
    tensor::gemm(tensor::view(drecurrent, rows, u.columns), tensor::view(net.at(u), width, u.columns).t(),
                 tensor::mutable_view(dbefore, rows, width), {tensor::Into::kAdd, net.precision});
    std::ranges::copy(dbefore, dhidden.begin());
  }
}

void RecurrentLayer::backward(const LayerPass& io, const LayerCache& cache, Workspace& work,
                              const Gradients& gradients) const {
  const auto& own = static_cast<const Cache&>(cache);
  const std::size_t width = shape_.width;
  const Network& net = io.pass->network;
  if (shape_.dropout) {
    tensor::apply_dropout(io.dropout(0, width), gradients.dx);
  }
  own.gather(gradients.dx, width, work.dnorm);
  work.dup.resize(own.gates.size());
  work.dwide.resize(own.recurrent.size());
  for (auto* buffer : {&work.dcarry, &work.dbefore, &work.dstate}) {
    buffer->resize(own.rows_of(0) * width);
    buffer->zero();
  }
  for (std::size_t t = own.steps(); t-- > 0;) {
    step_back(io, own, work, t);
  }
  const auto drecurrent = shape_.cell.separate_recurrent ? work.dwide.span() : work.dup.span();
  linear_backward(net, recurrent_, {own.hidden_before.span(), drecurrent, {}, tensor::Into::kOverwrite, gradients.weights});
  work.dbranch.resize(io.x.size());
  linear_backward(net, input_,
                  {own.x.span(), work.dup.span(), work.dbranch.span(), tensor::Into::kOverwrite, gradients.weights});
  own.scatter(work.dbranch.span(), width, gradients.dx);
}

}  // namespace beckon::model::inner
