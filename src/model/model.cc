#include "beckon/model/model.h"

#include <algorithm>
#include <limits>

#include "beckon/base/rng.h"
#include "cache_pool.h"
#include "recall.h"

namespace beckon::model {
namespace {

// Histories of one task of encode(): fixed by the list alone, so that the bits do not depend on the executor.
constexpr std::size_t kTaskPositions = 1024;
constexpr std::size_t kScoreRows = 64;
constexpr double kEmbeddingDeviation = .02;
constexpr float kFollowedGate = 4;  // what followed counts from the start; the other features have to earn it

void initialise(const inner::Layout& layout, std::span<float> weights, std::uint64_t seed) {
  using inner::part_of;
  base::Rng rng(seed, 0x1717);
  for (const auto& layer : layout.layers) {
    layer->initialise(weights, rng);
  }
  if (layout.gate_bias.size() > 0) {
    part_of(weights, layout.gate_bias)[0] = kFollowedGate;
  }
  std::ranges::fill(part_of(weights, layout.final_gain), 1.0F);
  for (const auto& side : layout.side) {
    inner::fill_normal(part_of(weights, side), kEmbeddingDeviation, rng);
  }
  inner::fill_normal(part_of(weights, layout.token), kEmbeddingDeviation, rng);
  inner::fill_normal(part_of(weights, layout.position), kEmbeddingDeviation, rng);
}

void encode_task(const Model& model, std::span<const Sequence> histories, inner::TrunkCache& cache, std::span<float> out) {
  inner::PackedBatch batch;
  for (std::size_t i = 0; i < histories.size(); ++i) {
    inner::append(model.options(), histories[i], inner::last_window(model.options(), histories[i], i), batch);
  }
  inner::trunk_forward({inner::network_of(model), &batch, {}, false, true}, cache);
  std::ranges::copy(cache.result, out.begin());
}

base::Error bad_sequence(std::size_t index, const std::string& what) {
  return base::invalid_argument("sequence " + std::to_string(index) + ": " + what);
}

base::Status check_values(std::span<const std::int32_t> values, std::int32_t size, std::size_t index, const char* what) {
  for (const std::int32_t value : values) {
    if (value < 0 || value >= size) {
      return bad_sequence(index,
                          std::string(what) + " " + std::to_string(value) + " is not in 0 ... " + std::to_string(size - 1));
    }
  }
  return base::ok_status();
}

}  // namespace

base::Result<Model> Model::make(ModelOptions options, std::uint64_t seed) {
  BECKON_TRY_STATUS(validate(options));
  Model model;
  model.options_ = std::move(options);
  auto layout = std::make_shared<const inner::Layout>(model.options_);
  model.weights_.assign(layout->size, 0.0F);
  initialise(*layout, model.weights_, seed);
  model.layout_ = std::move(layout);
  return model;
}

base::Status Model::check(const Sequence& s, std::size_t index) const {
  const std::size_t columns = options_.side_sizes.size();
  const std::size_t length = s.length();
  if (s.side.size() != length * columns || (!s.target.empty() && s.target.size() != length) ||
      (!s.label.empty() && s.label.size() != length * heads())) {
    return bad_sequence(
        index, "side, target or label does not have one entry for each of the " + std::to_string(length) + " positions");
  }
  if (s.at_ms.size() != s.request_ms.size() || (!s.at_ms.empty() && s.at_ms.size() != length)) {
    return bad_sequence(index, "at_ms and request_ms have neither one entry a position nor none");
  }
  BECKON_TRY_STATUS(check_values(s.token, options_.tokens, index, "token"));
  BECKON_TRY_STATUS(check_values(s.target, options_.tokens, index, "target"));
  for (std::size_t i = 0; i < s.side.size(); ++i) {
    BECKON_TRY_STATUS(check_values({&s.side[i], 1}, options_.side_sizes[i % columns], index, "side value"));
  }
  for (const std::int8_t label : s.label) {
    if (label < -1 || label > 1) {
      return bad_sequence(index, "label " + std::to_string(label) + " is none of -1, 0, 1");
    }
  }
  return base::ok_status();
}

std::vector<float> Model::encode(std::span<const Sequence> histories, base::Executor& executor) const {
  std::vector<std::size_t> cuts{0};
  std::size_t positions = 0;
  for (std::size_t i = 0; i < histories.size(); ++i) {
    positions += std::min(histories[i].length(), static_cast<std::size_t>(options_.length_max)) + 1;
    if (positions >= kTaskPositions || i + 1 == histories.size()) {
      cuts.push_back(i + 1);
      positions = 0;
    }
  }
  std::vector<float> out(histories.size() * width());
  inner::CachePool pool;
  executor.run(cuts.size() - 1, [&](std::size_t task) {
    auto cache = pool.take();
    const std::size_t begin = cuts[task];
    const std::size_t count = cuts[task + 1] - begin;
    encode_task(*this, histories.subspan(begin, count), *cache, std::span(out).subspan(begin * width(), count * width()));
    pool.give(std::move(cache));
  });
  return out;
}

std::vector<float> Model::encode_positions(const Sequence& history) const {
  BECKON_CHECK(history.length() <= static_cast<std::size_t>(options_.length_max));
  if (history.length() == 0) {
    return {};
  }
  inner::PackedBatch batch;
  inner::append(options_, history, {0, 0, history.length()}, batch);
  inner::TrunkCache cache;
  inner::trunk_forward({inner::network_of(*this), &batch, {}, false, false}, cache);
  const auto result = cache.result;
  return {result.begin(), result.end()};
}

void Model::score_tokens(std::span<const float> vectors, std::span<float> out) const {
  const std::size_t rows = vectors.size() / width();
  BECKON_CHECK(vectors.size() == rows * width() && out.size() == rows * tokens());
  const auto table = tensor::view(token_embeddings(), tokens(), width()).t();
  // In blocks of a fixed size: the bits of a row do not depend on how many rows there are.
  for (std::size_t begin = 0; begin < rows; begin += kScoreRows) {
    const std::size_t count = std::min(kScoreRows, rows - begin);
    const auto block = out.subspan(begin * tokens(), count * tokens());
    tensor::gemm(tensor::view(vectors.subspan(begin * width()), count, width()), table,
                 tensor::mutable_view(block, count, tokens()));
    tensor::add_bias(token_bias(), block);
    for (std::size_t r = 0; r < count; ++r) {
      block[r * tokens()] = -std::numeric_limits<float>::infinity();
    }
  }
}

void Model::score_histories(std::span<const Sequence> histories, std::span<const float> vectors, std::span<float> out) const {
  BECKON_CHECK(vectors.size() == histories.size() * width());
  score_tokens(vectors, out);
  for (std::size_t i = 0; i < histories.size(); ++i) {
    add_memory(histories[i], vectors.subspan(i * width(), width()), out.subspan(i * tokens(), tokens()));
  }
}

std::vector<TokenLogit> Model::memory_logits(const Sequence& history, std::span<const float> vector) const {
  BECKON_CHECK(vector.size() == width());
  if (memory_ == nullptr || history.length() == 0) {
    return {};
  }
  std::array<float, inner::kMemoryFeatures> gate{};
  inner::gates_forward({inner::network_of(*this), vector, 1}, gate);
  std::vector<inner::Recalled> recalled;
  memory_->recall(history, history.length() - 1, nullptr, recalled);
  std::vector<TokenLogit> out;
  out.reserve(recalled.size());
  for (const auto& entry : recalled) {
    out.push_back({entry.token, inner::recalled_logit(entry, gate)});
  }
  return out;
}

void Model::add_memory(const Sequence& history, std::span<const float> vector, std::span<float> logits) const {
  BECKON_CHECK(logits.size() == tokens());
  for (const auto& entry : memory_logits(history, vector)) {
    logits[static_cast<std::size_t>(entry.token)] += entry.logit;
  }
}

void Model::head_logits(std::span<const float> vectors, std::span<float> out) const {
  const std::size_t rows = vectors.size() / width();
  BECKON_CHECK(vectors.size() == rows * width() && out.size() == rows * heads());
  if (heads() == 0) {
    return;
  }
  const auto net = inner::network_of(*this);
  tensor::gemm(tensor::view(vectors, rows, width()), tensor::view(net.at(layout_->head), width(), heads()),
               tensor::mutable_view(out, rows, heads()));
  tensor::add_bias(net.at(layout_->head_bias), out);
}

std::span<const float> Model::token_embeddings() const {
  return inner::part_of(std::span<const float>(weights_), layout_->token);
}
std::span<const float> Model::token_bias() const {
  return inner::part_of(std::span<const float>(weights_), layout_->token_bias);
}

}  // namespace beckon::model
