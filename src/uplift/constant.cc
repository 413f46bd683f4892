#include "constant.h"

#include <algorithm>
#include <numeric>

#include "beckon/base/check.h"

namespace beckon::uplift {
namespace {

class Constant final : public Fitted {
 public:
  explicit Constant(float value) : value_(value) {}
  void predict(const Matrix&, std::span<const std::uint32_t>, std::span<float> out) const override { std::ranges::fill(out, value_); }

 private:
  float value_;
};

}  // namespace

base::Result<std::unique_ptr<Prepared>> Base::prepare(const Matrix&, std::span<const std::uint32_t>) const {
  return std::unique_ptr<Prepared>();
}

void check(const Lesson& lesson) {
  BECKON_CHECK(lesson.x != nullptr && !lesson.rows.empty() && lesson.outcome.size() == lesson.rows.size());
  BECKON_CHECK(lesson.weight.empty() || lesson.weight.size() == lesson.rows.size());
}

double mean_weight(const Lesson& lesson) {
  return lesson.weight.empty() ? 1 : std::accumulate(lesson.weight.begin(), lesson.weight.end(), 0.0) / static_cast<double>(lesson.weight.size());
}

double weighted_mean(const Lesson& lesson) {
  double sum = 0;
  double weight = 0;
  for (std::size_t i = 0; i < lesson.outcome.size(); ++i) {
    const double w = lesson.weight.empty() ? 1 : static_cast<double>(lesson.weight[i]);
    sum += w * static_cast<double>(lesson.outcome[i]);
    weight += w;
  }
  return weight > 0 ? sum / weight : 0;
}

std::unique_ptr<Fitted> fit_constant(const Lesson& lesson) {
  const bool same = std::ranges::adjacent_find(lesson.outcome, std::ranges::not_equal_to{}) == lesson.outcome.end();
  return same ? std::make_unique<Constant>(lesson.outcome.front()) : nullptr;
}

}  // namespace beckon::uplift
