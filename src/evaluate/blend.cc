#include "blend.h"

#include <algorithm>
#include <cmath>

namespace beckon::evaluate {
namespace {
constexpr std::size_t kCandidates = 400;  // more than the scorer proposes: all of them
constexpr float kNoCandidate = -1e6F;     // below every log-odds; among themselves they are equal, hence last
}  // namespace

void Blend::score(std::span<const Case> cases, std::span<float> scores) const {
  std::vector<const features::History*> histories;
  for (const auto& one : cases) {
    histories.push_back(one.history);
  }
  base::SeededExecutor here(1);  // cases are already spread over the workers
  const auto best = scorer_.score(histories, as_of_, {}, kCandidates, here);
  std::ranges::fill(scores, kNoCandidate);
  for (std::size_t i = 0; i < best.size(); ++i) {
    for (const auto& item : best[i]) {
      const double odds = std::log(item.probability) - std::log1p(-item.probability);
      scores[i * tokens_ + static_cast<std::size_t>(item.token)] = static_cast<float>(std::clamp(odds, -1e5, 1e5));
    }
  }
}

}  // namespace beckon::evaluate
