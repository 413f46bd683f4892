#include "token_search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "beckon/tensor/tensor.h"

namespace beckon::model::inner {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();
constexpr std::size_t kStride = 256;         // the threshold rises after each
constexpr std::size_t kPendingMin = 4096;
constexpr float kLargestNorm = 1e30F;        // beyond, bounds would be infinite
constexpr std::size_t kPrefetchAhead = 8;

bool better(const TokenLogit& a, const TokenLogit& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
}

void prefetch(std::span<const float> row) {
  for (std::size_t c = 0; c < row.size(); c += 16) {
    __builtin_prefetch(row.data() + c);
  }
}

}  // namespace

TopKSearch::TopKSearch(const ScoredRows& table, const TopKQuery& query) : table_(table), query_(query), threshold_(kNever) {
  BECKON_CHECK(query.vector.size() == table.width());
  BECKON_CHECK(query.allowed.empty() || query.allowed.size() * 64 >= table.bias.size());
  norm_ = static_cast<float>(std::sqrt(tensor::sum_of_squares(query.vector)));
  k_ = norm_ <= kLargestNorm ? std::min(query.k, table.bias.size()) : 0;
  BECKON_CHECK(query.added.empty() || (query.added.front().token >= 0 && static_cast<std::size_t>(query.added.back().token) < table.bias.size()));
  reached_max_ = k_ + std::max<std::size_t>(16, 2 * k_);
  reached_.reserve(reached_max_);
  pending_max_ = std::max(kPendingMin, 4 * k_);
  for (const TokenLogit& entry : query.added) {
    if (wanted() && may_be_found(entry.token)) {
      const float exact = logit(entry.token);
      keep(entry.token, exact, exact);
    }
  }
}

bool TopKSearch::may_be_found(std::int32_t token) const {
  const auto t = static_cast<std::size_t>(token);
  if (table_.bias[t] == kNever || (!query_.allowed.empty() && ((query_.allowed[t / 64] >> (t % 64)) & 1U) == 0)) {
    return false;
  }
  return !std::ranges::binary_search(query_.excluded, token);
}

bool TopKSearch::is_added(std::int32_t token) const {
  return std::ranges::binary_search(query_.added, token, {}, &TokenLogit::token);
}

float TopKSearch::logit(std::int32_t token) const {
  const auto t = static_cast<std::size_t>(token);
  const float own = tensor::dot(query_.vector, table_.rows.subspan(t * table_.width(), table_.width())) + table_.bias[t];
  const auto found = std::ranges::lower_bound(query_.added, token, {}, &TokenLogit::token);
  return found != query_.added.end() && found->token == token ? own + found->logit : own;
}

void TopKSearch::keep(std::int32_t token, float lower, float upper) {
  if (!(upper >= threshold_) || upper == kNever) {  // a logit that is not a number is never kept
    return;
  }
  if (lower > threshold_) {
    reached_.push_back(lower);
    if (reached_.size() == reached_max_) {
      raise_threshold();
    }
  }
  hold(token, upper);
}

// Now and then: cheaper than a heap that is right after every row.
void TopKSearch::raise_threshold() {
  if (reached_.size() >= k_) {
    std::ranges::nth_element(reached_, reached_.begin() + static_cast<std::ptrdiff_t>(k_ - 1), std::greater<>());
    reached_.resize(k_);
    threshold_ = reached_.back();
  }
}

void TopKSearch::hold(std::int32_t token, float upper) {
  pending_.push_back({token, upper});
  if (pending_.size() >= pending_max_) {
    drop_hopeless();
    pending_max_ = std::max(pending_max_, 2 * pending_.size());
  }
}

void TopKSearch::drop_hopeless() {
  std::erase_if(pending_, [&](const Pending& p) { return p.upper < threshold_; });
}

void TopKSearch::consider(std::int32_t token, const ScreenedTile& tile, std::size_t r) {
  const float score = tile.scores[r];
  if (score + tile.slack < threshold_ || !may_be_found(token) || is_added(token)) {
    return;
  }
  if (tile.scale.empty()) {
    keep(token, score - tile.slack, score + tile.slack);
  } else if (score - tile.gap * tile.scale[r] >= threshold_) {
    // Probably one of the best: its logit lifts the threshold further than a bound below it, which few levels leave far away.
    const float exact = logit(token);
    keep(token, exact, exact);
  } else {
    hold(token, score + tile.slack);
  }
}

void TopKSearch::offer(const ScreenedTile& tile) {
  std::array<std::uint32_t, kStride> found;
  for (std::size_t begin = 0; wanted() && begin < tile.scores.size(); begin += kStride) {
    const auto part = tile.scores.subspan(begin, std::min(kStride, tile.scores.size() - begin));
    const std::size_t count = tensor::find_at_least(part, threshold_ - tile.slack, found);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t r = begin + found[i];
      consider(static_cast<std::int32_t>(tile.first + r), tile, r);
    }
    if (threshold_ == kNever) {
      raise_threshold();
    }
  }
}

TopK TopKSearch::finish(std::size_t shortlist) {
  if (!wanted()) {
    return {};
  }
  raise_threshold();
  drop_hopeless();
  if (shortlist > 0 && pending_.size() > k_) {
    const auto middle = pending_.begin() + static_cast<std::ptrdiff_t>(k_);
    std::nth_element(pending_.begin(), middle, pending_.end(), [](const Pending& a, const Pending& b) {
      return a.upper != b.upper ? a.upper > b.upper : a.token < b.token;
    });
    pending_.erase(middle, pending_.end());
  }
  TopK out;
  out.reserve(pending_.size());
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    const std::size_t ahead = std::min(i + kPrefetchAhead, pending_.size() - 1);
    prefetch(table_.rows.subspan(static_cast<std::size_t>(pending_[ahead].token) * table_.width(), table_.width()));
    const float exact = logit(pending_[i].token);
    if (exact > kNever) {
      out.push_back({pending_[i].token, exact});
    }
  }
  const std::size_t kept = std::min(shortlist > 0 ? shortlist : k_, out.size());
  std::partial_sort(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(kept), out.end(), better);
  out.resize(kept);
  return out;
}

}  // namespace beckon::model::inner
