#include "beckon/model/token_table.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "beckon/base/check.h"
#include "row_codes.h"
#include "token_search.h"

namespace beckon::model {
namespace {

constexpr std::size_t kBlock = 64;  // queries that are screened together
constexpr float kRounding = 1.0F / (1 << 23);  // twice the rounding of one fp32 operation
constexpr float kNever = -std::numeric_limits<float>::infinity();

struct Work {
  tensor::Buffer vectors, scores;
};
Work& own_work() {
  thread_local Work work;
  return work;
}

}  // namespace

TokenTable::TokenTable(std::span<const float> rows, std::span<const float> bias, Codes codes)
    : rows_(rows), bias_(bias.begin(), bias.end()) {
  BECKON_CHECK(!bias.empty() && rows.size() % bias.size() == 0 && width() > 0 && width() % 8 == 0 && width() <= 4096);
  bias_[0] = kNever;
  largest_.resize((tokens() + inner::kTileRows - 1) / inner::kTileRows);
  for (std::size_t t = 0; t < tokens(); ++t) {
    const auto norm = static_cast<float>(std::sqrt(tensor::sum_of_squares(rows.subspan(t * width(), width()))));
    if (!std::isfinite(norm) || !std::isfinite(bias_[t])) {
      bias_[t] = kNever;
      continue;
    }
    Largest& largest = largest_[t / inner::kTileRows];
    largest = {std::max(largest.norm, norm), std::max(largest.bias, std::abs(bias_[t]))};
  }
  if (codes != Codes::kNone) {
    coded_ = std::make_unique<const inner::CodedRows>(rows_, bias_, codes == Codes::kFourBits ? 4 : 8);
  }
}

TokenTable::~TokenTable() = default;
TokenTable::TokenTable(TokenTable&&) noexcept = default;
TokenTable& TokenTable::operator=(TokenTable&&) noexcept = default;

std::size_t TokenTable::code_bytes() const {
  return coded_ == nullptr ? 0 : coded_->codes.size() + (coded_->scale.size() + coded_->bias.size()) * sizeof(float);
}

float TokenTable::logit(std::span<const float> vector, std::int32_t token) const {
  const auto t = static_cast<std::size_t>(token);
  return tensor::dot(vector, rows_.subspan(t * width(), width())) + bias_[t];
}

void TokenTable::screen_codes(std::span<const float> vector, bool bounded, inner::TopKSearch& search) const {
  const inner::CodedVector coded(vector);
  auto& work = own_work();
  for (std::size_t t = 0; t < coded_->tiles(); ++t) {
    const auto tile = coded_->tile(t);
    work.scores.resize(tile.scale.size());
    float gap = 0;
    tensor::code_scores(tile, coded.query(*coded_, t, bounded, &gap), work.scores.span());
    const auto scores = work.scores.span().first(std::min(tile.scale.size(), tokens() - t * inner::kTileRows));  // without padding
    search.offer({t * inner::kTileRows, scores, bounded ? 4 * kRounding * largest_[t].bias : 0, gap,
                  bounded ? tile.scale : std::span<const float>()});
  }
}

void TokenTable::screen_products(std::span<const TopKQuery> queries, std::span<inner::TopKSearch> searches) const {
  auto& work = own_work();
  work.vectors.resize(queries.size() * width());
  for (std::size_t q = 0; q < queries.size(); ++q) {
    std::ranges::copy(queries[q].vector, work.vectors.span().begin() + static_cast<std::ptrdiff_t>(q * width()));
  }
  const auto vectors = tensor::view(work.vectors.span(), queries.size(), width());
  for (std::size_t t = 0; t < largest_.size(); ++t) {
    const std::size_t first = t * inner::kTileRows;
    const std::size_t count = std::min(inner::kTileRows, tokens() - first);
    work.scores.resize(queries.size() * count);
    tensor::gemm(vectors, tensor::view(rows_.subspan(first * width()), count, width()).t(),
                 tensor::mutable_view(work.scores.span(), queries.size(), count));
    tensor::add_bias(std::span(bias_).subspan(first, count), work.scores.span());
    for (std::size_t q = 0; q < queries.size(); ++q) {
      // Two sums of `width` products, each off by at most this; then two sums with the bias.
      const float slack = kRounding * (static_cast<float>(width() + 8) * searches[q].vector_norm() * largest_[t].norm + 4 * largest_[t].bias);
      searches[q].offer({first, work.scores.span().subspan(q * count, count), slack, 0, {}});
    }
  }
}

std::vector<TopK> TokenTable::block_top_k(std::span<const TopKQuery> queries) const {
  std::vector<inner::TopKSearch> searches;
  searches.reserve(queries.size());
  for (const auto& query : queries) {
    searches.emplace_back(inner::ScoredRows{rows_, bias_}, query);
  }
  screen_products(queries, searches);
  std::vector<TopK> out;
  out.reserve(queries.size());
  for (auto& search : searches) {
    out.push_back(search.finish());
  }
  return out;
}

TopK TokenTable::top_k(const TopKQuery& query) const {
  if (coded_ == nullptr) {
    return std::move(block_top_k({&query, 1})[0]);
  }
  inner::TopKSearch search({rows_, bias_}, query);
  if (search.wanted()) {
    screen_codes(query.vector, true, search);
  }
  return search.finish();
}

std::vector<TopK> TokenTable::top_k(std::span<const TopKQuery> queries) const {
  std::vector<TopK> out;
  out.reserve(queries.size());
  for (std::size_t begin = 0; begin < queries.size(); begin += kBlock) {
    std::ranges::move(block_top_k(queries.subspan(begin, std::min(kBlock, queries.size() - begin))), std::back_inserter(out));
  }
  return out;
}

std::vector<TopK> TokenTable::top_k(std::span<const TopKQuery> queries, base::Executor& executor) const {
  std::vector<TopK> out(queries.size());
  executor.run((queries.size() + kBlock - 1) / kBlock, [&](std::size_t task) {
    const std::size_t begin = task * kBlock;
    std::ranges::move(block_top_k(queries.subspan(begin, std::min(kBlock, queries.size() - begin))),
                      out.begin() + static_cast<std::ptrdiff_t>(begin));
  });
  return out;
}

TopK TokenTable::approximate_top_k(const TopKQuery& query, std::size_t shortlist) const {
  BECKON_CHECK(coded_ != nullptr && shortlist > 0);
  TopKQuery wider = query;
  wider.k = query.k * shortlist;
  inner::TopKSearch search({rows_, bias_}, wider);
  if (search.wanted()) {
    screen_codes(query.vector, false, search);
  }
  return search.finish(query.k);
}

}  // namespace beckon::model
