#include "beckon/model/population.h"

#include <algorithm>

#include "beckon/base/check.h"
#include "beckon/tensor/tensor.h"

namespace beckon::model {
namespace {

// Customers of one task: enough rows for an efficient product, few enough that their scores stay in the second-level cache.
constexpr std::size_t kTaskRows = 128;

struct Work {
  tensor::Buffer vectors, scores;
};
Work& own_work() {
  thread_local Work work;
  return work;
}

// visit(first customer, vectors as floats) for blocks of customers.
template <class Visit>
void for_blocks(std::span<const std::uint16_t> packed, std::size_t width, base::Executor& executor, const Visit& visit) {
  BECKON_CHECK(packed.size() % width == 0);
  const std::size_t customers = packed.size() / width;
  executor.run((customers + kTaskRows - 1) / kTaskRows, [&](std::size_t task) {
    const std::size_t first = task * kTaskRows;
    const std::size_t count = std::min(kTaskRows, customers - first);
    tensor::Buffer& vectors = own_work().vectors;
    vectors.resize(count * width);
    tensor::unpack_bf16(packed.subspan(first * width, count * width), vectors.span());
    visit(first, std::span<const float>(vectors.span()));
  });
}

}  // namespace

std::vector<std::uint16_t> pack_vectors(std::span<const float> vectors) {
  std::vector<std::uint16_t> out(vectors.size());
  tensor::round_to_bf16(vectors, out);
  return out;
}

std::vector<float> unpack_vectors(std::span<const std::uint16_t> packed) {
  std::vector<float> out(packed.size());
  tensor::unpack_bf16(packed, out);
  return out;
}

void score_population(const TokenTable& table, std::span<const std::uint16_t> packed, const PopulationOptions& options,
                      base::Executor& executor, const ReceiveTopK& receive) {
  const std::size_t width = table.width();
  for_blocks(packed, width, executor, [&](std::size_t first, std::span<const float> vectors) {
    std::vector<TopKQuery> queries;
    for (std::size_t i = 0; i < vectors.size() / width; ++i) {
      queries.push_back({vectors.subspan(i * width, width), options.k});
      if (options.filter) {
        options.filter(first + i, queries.back());
      }
    }
    auto best = table.top_k(queries);
    for (std::size_t i = 0; i < best.size(); ++i) {
      receive(first + i, std::move(best[i]));
    }
  });
}

ActionBank::ActionBank(const Model& model, std::span<const std::int32_t> tokens)
    : width_(model.width()), rows_((tokens.size() + 1) * width_), bias_(tokens.size() + 1) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    BECKON_CHECK(tokens[i] > 0 && static_cast<std::size_t>(tokens[i]) < model.tokens());
    const auto token = static_cast<std::size_t>(tokens[i]);
    std::ranges::copy(model.token_embeddings().subspan(token * width_, width_), rows_.begin() + static_cast<std::ptrdiff_t>((i + 1) * width_));
    bias_[i + 1] = model.token_bias()[token];
  }
}

void ActionBank::score(std::span<const std::uint16_t> packed, base::Executor& executor, const Receive& receive) const {
  if (size() == 0) {
    return;
  }
  const auto rows = tensor::view(std::span(rows_).subspan(width_), size(), width_).t();
  for_blocks(packed, width_, executor, [&](std::size_t first, std::span<const float> vectors) {
    const std::size_t count = vectors.size() / width_;
    tensor::Buffer& scores = own_work().scores;
    scores.resize(count * size());
    tensor::gemm(tensor::view(vectors, count, width_), rows, tensor::mutable_view(scores.span(), count, size()));
    tensor::add_bias(std::span(bias_).subspan(1), scores.span());
    receive(first, scores.span());
  });
}

void ActionBank::top_k(std::span<const std::uint16_t> packed, std::size_t k, base::Executor& executor, const ReceiveTopK& receive) const {
  const TokenTable table(rows_, bias_, Codes::kBf16);
  score_population(table, packed, {k, {}}, executor, [&](std::size_t customer, TopK best) {
    for (auto& entry : best) {
      --entry.token;
    }
    receive(customer, std::move(best));
  });
}

}  // namespace beckon::model
