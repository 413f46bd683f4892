#include "beckon/features/sequence.h"

#include <algorithm>
#include <cmath>

#include "beckon/base/rng.h"
#include "beckon/features/floors.h"

namespace beckon::features {
namespace {

constexpr std::int32_t kGaps = 12;

// 0: no step before; 1: the same moment; then doublings of 6 hours, up to half a year.
std::int32_t gap_bucket(std::int64_t gap_ms) {
  if (gap_ms < kMomentGapMs) {
    return 1;
  }
  const double doublings = std::log2(std::max(1.0, static_cast<double>(gap_ms) / static_cast<double>(6 * base::kHourMs)));
  return std::min(kGaps - 1, 2 + static_cast<std::int32_t>(doublings));
}

bool any_purchase(std::span<const Step> steps) {
  return std::any_of(steps.begin(), steps.end(), [](const Step& s) { return s.type == StepType::kPurchase; });
}

// One item of the moment [first, last): purchases before anything else; which of them depends on the position alone.
std::int32_t target_of(std::span<const Step> moment, std::uint64_t position) {
  const bool bought = any_purchase(moment);
  std::vector<std::int32_t> pool;
  for (const Step& step : moment) {
    if (step.token > 0 && (!bought || step.type == StepType::kPurchase)) {
      pool.push_back(step.token);
    }
  }
  if (pool.empty()) {
    return 0;
  }
  base::Rng rng(0x746172676574ULL, position);
  return pool[static_cast<std::size_t>(rng.below(pool.size()))];
}

std::int8_t purchase_label(std::span<const Step> later, std::int64_t from_ms, const SequenceOptions& options) {
  if (from_ms + options.horizon_ms > options.target_until.ms) {
    return -1;
  }
  for (const Step& step : later) {
    if (step.at_ms > from_ms + options.horizon_ms) {
      break;
    }
    if (step.type == StepType::kPurchase) {
      return 1;
    }
  }
  return 0;
}

std::int8_t click_label(const History& history, std::int64_t from_ms, const SequenceOptions& options) {
  const auto next = std::upper_bound(history.messages.begin(), history.messages.end(), from_ms,
                                     [](std::int64_t at_ms, const Message& m) { return at_ms < m.at_ms; });
  const bool known = next != history.messages.end() && next->at_ms <= from_ms + options.horizon_ms &&
                     next->at_ms + options.horizon_ms <= options.target_until.ms;
  return known ? static_cast<std::int8_t>(next->clicked_within(options.horizon_ms) ? 1 : 0) : static_cast<std::int8_t>(-1);
}

void add_targets(const History& history, std::size_t count, const SequenceOptions& options, model::Sequence& out) {
  const std::span<const Step> all(history.steps);
  std::size_t end = 0;  // of the moment that position i belongs to
  for (std::size_t i = 0; i < count; ++i) {
    if (i >= end) {
      end = moment_end(all, i);
    }
    const bool last_moment = end >= count;
    out.target.push_back(0);
    out.label.insert(out.label.end(), kHeads, -1);
    if (!last_moment && !options.targets_inside) {
      continue;
    }
    // Input ends at as_of even in the middle of a moment: the rest of it is then the future.
    const std::size_t next = std::min(end, last_moment ? count : end);
    if (next < all.size() && all[next].at_ms <= options.target_until.ms) {
      const std::size_t next_end = moment_end(all, next);
      out.target.back() = target_of(all.subspan(next, next_end - next), history.customer.hash() + i);
    }
    const std::int64_t from_ms = last_moment && !options.targets_inside ? options.as_of.ms : all[next - 1].at_ms;
    out.label[i * kHeads + kPurchaseHead] = purchase_label(all.subspan(next), from_ms, options);
    out.label[i * kHeads + kClickHead] = click_label(history, from_ms, options);
  }
}

// The question after a position is asked when the customer comes again; for the last moment that is now, unless what came next
// is being learned.
void add_times(const History& history, std::size_t count, const SequenceOptions& options, model::Sequence& out) {
  const std::span<const Step> all(history.steps);
  std::size_t end = 0;  // of the moment that position i belongs to
  for (std::size_t i = 0; i < count; ++i) {
    if (i >= end) {
      end = moment_end(all, i);
    }
    const bool last_moment = end >= count;
    const std::size_t next = std::min(end, count);
    const bool known = !last_moment || (options.targets_inside && next < all.size() && all[next].at_ms <= options.target_until.ms);
    out.at_ms.push_back(all[i].at_ms);
    out.request_ms.push_back(known ? all[next].at_ms : options.as_of.ms);
  }
}

}  // namespace

std::vector<std::int32_t> side_sizes(const ItemWords& words) {
  const auto size = [](const std::vector<std::string>& list) { return static_cast<std::int32_t>(list.size()) + 1; };
  return {kStepTypes, kPriceBands, kGaps, kChannels, words.promotion ? kPromotions : 1, size(words.top_categories), size(words.categories), size(words.brands)};
}

void forget_new_items(std::int32_t warm_size, std::vector<model::Sequence>& sequences) {
  for (auto& sequence : sequences) {
    for (auto* tokens : {&sequence.token, &sequence.target}) {
      std::replace_if(tokens->begin(), tokens->end(), [&](std::int32_t token) { return token >= warm_size; }, 0);
    }
  }
}

model::Sequence make_sequence(const History& history, const SequenceOptions& options) {
  model::Sequence out;
  const auto until = seen(history, options.as_of);
  const auto steps = until.first(std::min(until.size(), options.steps_max));
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const Step& step = steps[i];
    out.token.push_back(step.token);
    const std::int32_t gap = i == 0 ? 0 : gap_bucket(step.at_ms - steps[i - 1].at_ms);
    out.side.insert(out.side.end(), {static_cast<std::int32_t>(step.type), static_cast<std::int32_t>(step.price_band), gap,
                                     static_cast<std::int32_t>(step.channel), static_cast<std::int32_t>(step.promotion),
                                     static_cast<std::int32_t>(step.codes.top_category),
                                     static_cast<std::int32_t>(step.codes.category), static_cast<std::int32_t>(step.codes.brand)});
  }
  add_times(history, steps.size(), options, out);
  if (options.target_until > options.as_of || options.targets_inside) {
    add_targets(history, steps.size(), options, out);
  }
  return out;
}

void learn_after(base::Instant seen_until, model::Sequence& sequence) {
  // A position's question is asked when the customer comes again, and its answer is of that moment.
  const auto newer = [&](std::int64_t request_ms) { return request_ms > seen_until.ms; };
  const auto first = std::find_if(sequence.request_ms.begin(), sequence.request_ms.end(), newer);
  sequence.learn_from = static_cast<std::size_t>(first - sequence.request_ms.begin());
}

std::vector<std::int32_t> next_basket(const History& history, base::Instant as_of, base::Instant until) {
  const std::span<const Step> all(history.steps);
  const bool purchases = any_purchase(all);
  std::size_t i = seen(history, as_of).size();
  while (i < all.size() && all[i].at_ms <= until.ms) {
    const std::size_t end = moment_end(all, i);
    std::vector<std::int32_t> out;
    for (; i < end; ++i) {
      if (all[i].token > 0 && (!purchases || all[i].type == StepType::kPurchase)) {
        out.push_back(all[i].token);
      }
    }
    if (!out.empty()) {
      std::sort(out.begin(), out.end());
      out.erase(std::unique(out.begin(), out.end()), out.end());
      return out;
    }
  }
  return {};
}

std::vector<std::int32_t> bought_between(const History& history, base::Instant as_of, base::Instant until) {
  std::vector<std::int32_t> out;
  for (std::size_t i = seen(history, as_of).size(); i < history.steps.size() && history.steps[i].at_ms <= until.ms; ++i) {
    if (history.steps[i].token > 0 && history.steps[i].type == StepType::kPurchase) {
      out.push_back(history.steps[i].token);
    }
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

base::Instant time_quantile(const Dataset& data, double share) {
  std::vector<std::int64_t> times;
  for (const auto& history : data.histories) {
    for (const auto& step : history.steps) {
      times.push_back(step.at_ms);
    }
  }
  if (times.empty()) {
    return {};
  }
  const auto at = times.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(times.size() - 1));
  std::nth_element(times.begin(), at, times.end());
  return {*at - *at % base::kDayMs};
}

}  // namespace beckon::features
