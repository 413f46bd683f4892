#include "attention_branch.h"

#include <algorithm>

#include "time_bucket.h"

namespace beckon::model::inner {

struct AttentionBranch::Cache final : LayerCache {
  tensor::Buffer qkv, probabilities, mixed;
};

// Keys and values: positions × 2·width.
struct AttentionBranch::State final : LayerState {
  explicit State(std::size_t width_of_layer) : width(width_of_layer) {}
  bool rewind(std::size_t length) override {
    kept.resize(std::min(length, positions()) * 2 * width);
    return true;
  }
  std::size_t bytes() const override { return kept.capacity() * sizeof(float); }
  std::size_t positions() const { return kept.size() / (2 * width); }

  std::size_t width = 0;
  std::vector<float> kept;
};

// One sequence of the batch: where its rows, its probabilities and its time buckets lie.
struct AttentionBranch::Piece {
  tensor::AttentionShape shape;
  std::size_t begin = 0;
  std::size_t squares_before = 0;  // Σ length² of the sequences before

  std::size_t square() const { return shape.length * shape.length; }
  template <class T>
  std::span<T> rows(std::span<T> x, std::size_t columns) const {
    return x.subspan(begin * columns, shape.length * columns);
  }
  template <class T>
  std::span<T> probabilities(std::span<T> all) const {
    return all.subspan(squares_before * shape.heads, square() * shape.heads);
  }
  std::span<const std::uint8_t> bucket(const Workspace& work) const {
    return shape.bucket_count == 0 ? std::span<const std::uint8_t>()
                                   : std::span(work.time_bucket).subspan(squares_before, square());
  }
};

AttentionBranch::AttentionBranch(const std::string& at, const Shape& shape, Layout& layout) : shape_(shape) {
  qkv_ = add_linear(layout, at + "qkv", {0, shape.width, 3 * shape.width}, true);
  if (shape.distances > 0) {
    distance_bias_ = layout.add(at + "distance_bias", shape.heads, shape.distances);
  }
  if (shape.time_bias) {
    time_bias_ = layout.add(at + "time_bias", shape.heads, kTimeBuckets);
  }
  mix_ = add_linear(layout, at + "mix", {0, shape.width, shape.width}, true);
}

void AttentionBranch::initialise(std::span<float> weights, base::Rng& rng) const {
  fill_glorot(weights, qkv_.weight, rng);
  fill_glorot(weights, mix_.weight, rng);
}

std::unique_ptr<LayerCache> AttentionBranch::make_cache() const {
  return std::make_unique<Cache>();
}

template <class Visit>
void AttentionBranch::for_sequences(const LayerPass& io, const Workspace& work, Visit visit) const {
  const auto& start = io.pass->batch->start;
  const bool timed = shape_.time_bias && !work.time_bucket.empty();
  Piece piece;
  for (std::size_t s = 0; s + 1 < start.size(); ++s) {
    piece.begin = start[s];
    piece.shape = {start[s + 1] - start[s], shape_.width, shape_.heads, shape_.distances, timed ? kTimeBuckets : 0};
    visit(piece);
    piece.squares_before += piece.square();
  }
}

void AttentionBranch::forward(const LayerPass& io, LayerCache& cache, Workspace& work, tensor::Buffer& out) const {
  auto& own = static_cast<Cache&>(cache);
  const Network& net = io.pass->network;
  const bool last_only = io.last_only;
  linear_forward(net, qkv_, io.x, own.qkv);
  std::size_t squares = 0;
  std::size_t scratch = 0;
  for_sequences(io, work, [&](const Piece& piece) {
    squares += piece.square();
    scratch = std::max(scratch, tensor::attention_scratch_size(piece.shape));
  });
  own.probabilities.resize(squares * shape_.heads);
  own.mixed.resize(io.x.size());
  work.scratch.resize(scratch);
  for_sequences(io, work, [&](const Piece& piece) {
    tensor::attention_forward({piece.shape, piece.rows<const float>(own.qkv.span(), 3 * shape_.width), net.at(distance_bias_),
                               piece.probabilities<float>(own.probabilities.span()),
                               piece.rows<float>(own.mixed.span(), shape_.width), work.scratch.span(),
                               last_only ? piece.shape.length - 1 : 0, piece.bucket(work), net.at(time_bias_)});
  });
  if (last_only) {
    copy_last_rows(*io.pass->batch, shape_.width, own.mixed.span(), own.mixed.span());
    own.mixed.resize(io.pass->batch->sequences() * shape_.width);
  }
  linear_forward(net, mix_, own.mixed.span(), out);
}

std::unique_ptr<LayerState> AttentionBranch::make_state() const {
  return std::make_unique<State>(shape_.width);
}

void AttentionBranch::advance(const LayerPass& io, LayerState* state, LayerCache& cache, Workspace& work, tensor::Buffer& out) const {
  auto& own = static_cast<Cache&>(cache);
  auto& past = static_cast<State&>(*state);
  const Network& net = io.pass->network;
  const std::size_t width = shape_.width;
  const std::size_t before = past.positions();
  const std::size_t length = before + io.x.size() / width;
  linear_forward(net, qkv_, io.x, work.dup);
  // The kernel reads queries, keys and values of the whole sequence; it never looks at the queries of the past.
  own.qkv.resize(length * 3 * width);
  past.kept.resize(length * 2 * width);
  for (std::size_t i = 0; i < length; ++i) {
    float* kept = past.kept.data() + i * 2 * width;
    float* row = own.qkv.data() + i * 3 * width;
    if (i < before) {
      std::copy_n(kept, 2 * width, row + width);
    } else {
      std::copy_n(work.dup.data() + (i - before) * 3 * width, 3 * width, row);
      std::copy_n(row + width, 2 * width, kept);
    }
  }
  const bool timed = shape_.time_bias && !work.time_bucket.empty();
  const tensor::AttentionShape shape{length, width, shape_.heads, shape_.distances, timed ? kTimeBuckets : 0};
  own.probabilities.resize(length * length * shape_.heads);
  own.mixed.resize(length * width);
  work.scratch.resize(tensor::attention_scratch_size(shape));
  const std::size_t first = io.last_only ? length - 1 : before;
  tensor::attention_forward({shape, own.qkv.span(), net.at(distance_bias_), own.probabilities.span(), own.mixed.span(),
                             work.scratch.span(), first, timed ? std::span<const std::uint8_t>(work.time_bucket) : std::span<const std::uint8_t>(),
                             net.at(time_bias_)});
  linear_forward(net, mix_, own.mixed.span().subspan(first * width), out);
}

void AttentionBranch::backward(const LayerPass& io, const LayerCache& cache, Workspace& work,
                               const Gradients& gradients) const {
  const auto& own = static_cast<const Cache&>(cache);
  const Network& net = io.pass->network;
  work.dwide.resize(io.x.size());
  linear_backward(net, mix_,
                  {own.mixed.span(), gradients.dout, work.dwide.span(), tensor::Into::kOverwrite, gradients.weights});
  work.dup.resize(3 * io.x.size());
  for_sequences(io, work, [&](const Piece& piece) {
    tensor::attention_backward({piece.shape, piece.rows<const float>(own.qkv.span(), 3 * shape_.width),
                                piece.probabilities<const float>(own.probabilities.span()),
                                piece.rows<const float>(work.dwide.span(), shape_.width),
                                piece.rows<float>(work.dup.span(), 3 * shape_.width),
                                part_of(gradients.weights, distance_bias_), work.scratch.span(), piece.bucket(work),
                                part_of(gradients.weights, time_bias_)});
  });
  linear_backward(net, qkv_, {io.x, work.dup.span(), gradients.dx, tensor::Into::kOverwrite, gradients.weights});
}

}  // namespace beckon::model::inner
