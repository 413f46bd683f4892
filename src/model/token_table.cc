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

// Factors that are too small for a bfloat16 product count as zero: this much each at most.
constexpr float kTiny = 4e-38F;

struct Work {
  tensor::Buffer vectors, scores;
  tensor::Bf16Buffer rounded;
};
Work& own_work() {
  thread_local Work work;
  return work;
}

// |x - x rounded to bfloat16|, rounded up.
float rounding_error(std::span<const float> x, std::span<const std::uint16_t> rounded) {
  double sum = 0;
  for (std::size_t c = 0; c < x.size(); ++c) {
    const double lost = static_cast<double>(x[c]) - static_cast<double>(tensor::from_bf16(rounded[c]));
    sum += lost * lost;
  }
  return static_cast<float>(std::sqrt(sum) * (1 + 1e-6));
}

}  // namespace

TokenTable::TokenTable(std::span<const float> rows, std::span<const float> bias, Codes codes)
    : rows_(rows), bias_(bias.begin(), bias.end()) {
  BECKON_CHECK(!bias.empty() && rows.size() % bias.size() == 0 && width() > 0 && width() % 8 == 0 && width() <= 4096);
  bias_[0] = kNever;
  if (codes == Codes::kBf16 && tensor::has_bf16()) {
    rounded_.resize(rows.size());
    tensor::round_to_bf16(rows, rounded_);
  }
  largest_.resize((tokens() + inner::kTileRows - 1) / inner::kTileRows);
  for (std::size_t t = 0; t < tokens(); ++t) {
    const auto norm = static_cast<float>(std::sqrt(tensor::sum_of_squares(rows.subspan(t * width(), width()))));
    if (!std::isfinite(norm) || !std::isfinite(bias_[t])) {
      bias_[t] = kNever;
      continue;
    }
    Largest& largest = largest_[t / inner::kTileRows];
    const float error =
        rounded_.empty() ? 0 : rounding_error(rows.subspan(t * width(), width()), std::span(rounded_).subspan(t * width(), width()));
    largest = {std::max(largest.norm, norm), std::max(largest.bias, std::abs(bias_[t])), std::max(largest.error, error)};
  }
  if (codes == Codes::kFourBits || codes == Codes::kEightBits) {
    coded_ = std::make_unique<const inner::CodedRows>(rows_, bias_, codes == Codes::kFourBits ? 4 : 8);
  }
}

TokenTable::~TokenTable() = default;
TokenTable::TokenTable(TokenTable&&) noexcept = default;
TokenTable& TokenTable::operator=(TokenTable&&) noexcept = default;

std::size_t TokenTable::code_bytes() const {
  return coded_ == nullptr ? rounded_.size() * sizeof(std::uint16_t) : coded_->codes.size() + (coded_->scale.size() + coded_->bias.size()) * sizeof(float);
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
  std::vector<float> error(queries.size(), 0.0F);  // of the vectors
  if (!rounded_.empty()) {
    work.rounded.assign(work.vectors.span());
    for (std::size_t q = 0; q < queries.size(); ++q) {
      error[q] = rounding_error(queries[q].vector, work.rounded.span().subspan(q * width(), width()));
    }
  }
  for (std::size_t t = 0; t < largest_.size(); ++t) {
    const std::size_t first = t * inner::kTileRows;
    const std::size_t count = std::min(inner::kTileRows, tokens() - first);
    work.scores.resize(queries.size() * count);
    const auto scores = tensor::mutable_view(work.scores.span(), queries.size(), count);
    if (rounded_.empty()) {
      tensor::gemm(vectors, tensor::view(rows_.subspan(first * width()), count, width()).t(), scores);
    } else {
      tensor::gemm(tensor::view(work.rounded.span(), queries.size(), width()),
                   tensor::view(std::span(rounded_).subspan(first * width()), count, width()).t(), scores);
    }
    tensor::add_bias(std::span(bias_).subspan(first, count), work.scores.span());
    for (std::size_t q = 0; q < queries.size(); ++q) {
      // Two sums of `width` products, then two with the bias; and what was lost when both factors were rounded.
      const Largest& largest = largest_[t];
      const float norm = searches[q].vector_norm();
      float slack = kRounding * (static_cast<float>(width() + 8) * norm * largest.norm + 4 * largest.bias);
      if (!rounded_.empty()) {
        slack += 1.0001F * (norm * largest.error + error[q] * (largest.norm + largest.error)) +
                 kTiny * static_cast<float>(width()) * (1 + norm + largest.norm);
      }
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
