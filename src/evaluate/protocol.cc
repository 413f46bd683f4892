#include "beckon/evaluate/protocol.h"

#include <algorithm>
#include <numeric>

#include "beckon/features/floors.h"

namespace beckon::evaluate {
namespace {

constexpr double kSplitShare = 0.9;

// Rounded down to the day, unless that would leave nothing before it.
base::Instant quantile(std::vector<std::int64_t>& times, double share) {
  if (times.empty()) {
    return {};
  }
  const auto at = times.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(times.size() - 1));
  std::nth_element(times.begin(), at, times.end());
  const std::int64_t cut = *at;
  const std::int64_t day = cut - cut % base::kDayMs;
  return {day > *std::min_element(times.begin(), times.end()) ? day : cut};
}

std::vector<std::int64_t> times_before(const features::Dataset& set, std::optional<base::Instant> until) {
  std::vector<std::int64_t> times;
  for (const auto& history : set.histories) {
    for (const auto& step : history.steps) {
      if (!until.has_value() || step.at_ms < until->ms) {
        times.push_back(step.at_ms);
      }
    }
  }
  return times;
}

std::size_t count_before(const features::History& history, base::Instant at) {
  return features::seen(history, at.plus_ms(-1)).size();
}

class Splitter {
 public:
  Splitter(Data& data, const SplitOptions& options) : data_(data), options_(options) {}

  base::Result<Split> run();

 private:
  void cut();
  void leave_one_out(const features::History& history);
  void time_split(const features::History& history);
  void next_basket(const features::History& history);
  void keep(Case one, bool test);
  void renumber();
  std::vector<std::int32_t> first_order(const features::History& history, std::size_t from, base::Instant until) const;

  Data& data_;
  const SplitOptions& options_;
  Split out_;
  std::vector<std::size_t> public_until_;  // per history: steps that are no test
};

void Splitter::cut() {
  if (options_.protocol == Protocol::kLeaveOneOut) {
    return;
  }
  auto times = times_before(data_.set, std::nullopt);
  out_.test_at = options_.split_at.has_value() ? *options_.split_at : quantile(times, kSplitShare);
  times = times_before(data_.set, out_.test_at);
  out_.validation_at = quantile(times, kSplitShare);
}

// What he met before is no answer where the ranking leaves it out.
void Splitter::keep(Case one, bool test) {
  if (options_.filter_seen) {
    std::erase_if(one.wanted, [&](std::int32_t token) {
      return std::any_of(one.history->steps.begin(), one.history->steps.begin() + static_cast<std::ptrdiff_t>(one.seen),
                         [&](const features::Step& step) { return step.token == token; });
    });
  }
  if (one.wanted.empty()) {
    out_.repeats_left_out += test ? 1 : 0;
    return;
  }
  (test ? out_.test : out_.validation).push_back(std::move(one));
}

void Splitter::leave_one_out(const features::History& history) {
  const std::size_t steps = history.steps.size();
  const bool tested = steps >= 3;
  out_.train_until.push_back(tested ? steps - 2 : steps);
  out_.known_until.push_back(out_.train_until.back());
  public_until_.push_back(tested ? steps - 1 : steps);
  if (!tested) {
    ++out_.too_short;
    return;
  }
  keep({&history, steps - 2, {history.steps[steps - 2].token}}, false);
  keep({&history, steps - 1, {history.steps[steps - 1].token}}, true);
}

void Splitter::time_split(const features::History& history) {
  const std::size_t before = public_until_.back();
  if (before > std::max<std::size_t>(1, out_.train_until.back())) {
    keep({&history, before - 1, {history.steps[before - 1].token}}, false);
  }
  const std::size_t steps = history.steps.size();
  if (steps > std::max<std::size_t>(1, before)) {
    keep({&history, steps - 1, {history.steps[steps - 1].token}}, true);
  } else if (steps > before) {
    ++out_.too_short;
  }
}

std::vector<std::int32_t> Splitter::first_order(const features::History& history, std::size_t from, base::Instant until) const {
  const std::span<const features::Step> steps(history.steps);
  const bool purchases = std::any_of(steps.begin(), steps.end(),
                                     [](const features::Step& s) { return s.type == features::StepType::kPurchase; });
  const auto counts = [&](std::size_t i) { return !purchases || steps[i].type == features::StepType::kPurchase; };
  while (from < steps.size() && !counts(from)) {
    ++from;
  }
  std::vector<std::int32_t> wanted;
  if (from == steps.size()) {
    return wanted;
  }
  const std::uint64_t order = history.orders.empty() ? 0 : history.orders[from];
  const std::size_t moment = features::moment_end(steps, from);
  for (std::size_t i = from; i < steps.size() && steps[i].at_ms < until.ms; ++i) {
    const bool same = order != 0 ? history.orders[i] == order : i < moment;
    if (same && counts(i)) {
      wanted.push_back(steps[i].token);
    }
  }
  std::ranges::sort(wanted);
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  return wanted;
}

void Splitter::next_basket(const features::History& history) {
  const std::size_t learned = out_.train_until.back();
  const std::size_t before = public_until_.back();
  if (learned > 0 && before > learned) {
    if (auto wanted = first_order(history, learned, out_.test_at); !wanted.empty()) {
      keep({&history, learned, std::move(wanted)}, false);
    }
  }
  if (history.steps.size() == before) {
    return;
  }
  if (before == 0) {
    ++out_.too_short;
    return;
  }
  if (auto wanted = first_order(history, before, {std::numeric_limits<std::int64_t>::max()}); !wanted.empty()) {
    keep({&history, before, std::move(wanted)}, true);
  }
}

void Splitter::renumber() {
  auto& set = data_.set;
  std::vector<std::int64_t> counts(static_cast<std::size_t>(set.vocabulary.size()), 0);
  for (std::size_t h = 0; h < set.histories.size(); ++h) {
    for (std::size_t i = 0; i < public_until_[h]; ++i) {
      ++counts[static_cast<std::size_t>(set.histories[h].steps[i].token)];
    }
  }
  std::vector<std::size_t> order;
  for (std::size_t token = 1; token < counts.size(); ++token) {
    if (counts[token] > 0) {
      order.push_back(token);
    }
  }
  const auto& names = set.vocabulary.items();
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    return counts[a] != counts[b] ? counts[a] > counts[b] : names[a] < names[b];
  });
  std::vector<std::int32_t> renamed(counts.size(), 0);
  std::vector<std::string> kept;
  for (const std::size_t token : order) {
    kept.push_back(names[token]);
    renamed[token] = static_cast<std::int32_t>(kept.size());
  }
  for (auto& history : set.histories) {
    for (auto& step : history.steps) {
      step.token = renamed[static_cast<std::size_t>(step.token)];
    }
  }
  set.vocabulary = features::Vocabulary(std::move(kept));
  for (auto* cases : {&out_.validation, &out_.test}) {
    for (auto& one : *cases) {
      for (auto& token : one.wanted) {
        token = renamed[static_cast<std::size_t>(token)];
        out_.unknown_targets += cases == &out_.test && token == 0 ? 1 : 0;
      }
      std::ranges::sort(one.wanted);
    }
  }
}

base::Result<Split> Splitter::run() {
  cut();
  for (const auto& history : data_.set.histories) {
    if (options_.protocol == Protocol::kLeaveOneOut) {
      leave_one_out(history);
      continue;
    }
    out_.train_until.push_back(count_before(history, out_.validation_at));
    out_.known_until.push_back(count_before(history, out_.test_at));
    public_until_.push_back(out_.known_until.back());
    options_.protocol == Protocol::kTimeSplit ? time_split(history) : next_basket(history);
  }
  if (out_.test.empty()) {
    const std::string what = options_.protocol == Protocol::kLeaveOneOut
                                 ? "leave one out needs a customer with three items"
                                 : "nobody did anything both before and after " + base::format_time(out_.test_at);
    return base::failed_precondition("there is nothing to test: " + what + " (" + std::to_string(data_.set.histories.size()) +
                                     " customers, " + std::to_string(out_.repeats_left_out) +
                                     " of them wanted only what they had met before)");
  }
  renumber();
  return std::move(out_);
}

}  // namespace

std::string_view to_text(Protocol protocol) {
  switch (protocol) {
    case Protocol::kTimeSplit:
      return "gts";
    case Protocol::kNextBasket:
      return "next-basket";
    case Protocol::kLeaveOneOut:
      break;
  }
  return "loo";
}

base::Result<Protocol> parse_protocol(std::string_view text) {
  for (const Protocol protocol : {Protocol::kLeaveOneOut, Protocol::kTimeSplit, Protocol::kNextBasket}) {
    if (text == to_text(protocol)) {
      return protocol;
    }
  }
  return base::invalid_argument("protocol is '" + std::string(text) + "': choose loo, gts or next-basket");
}

base::Result<Split> split(Data& data, const SplitOptions& options) { return Splitter(data, options).run(); }

}  // namespace beckon::evaluate
