// A customer who comes back would be answered from a past that is not his if one of these broke.
#include "beckon/model/predictor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "language_helper.h"

namespace beckon::model {
namespace {

constexpr Arch kArchs[] = {Arch::kLigr, Arch::kSasrec, Arch::kRnn, Arch::kGru, Arch::kLstm};
constexpr std::size_t kWindow = 12;

Model some_model(Arch arch) {
  ModelOptions options;
  options.arch = arch;
  options.tokens = 50;
  options.side_sizes = {4, 6};
  options.width = 32;
  options.length_max = kWindow;
  auto model = Model::make(options, 1).value();
  base::Rng rng(2);
  for (float& weight : model.weights()) {
    weight += static_cast<float>(.1 * rng.normal());
  }
  return model;
}

// Longer than the window.
std::vector<Sequence> histories(const Model& model, std::size_t count, std::uint64_t seed) {
  ModelOptions longer = model.options();
  longer.length_max = 3 * static_cast<std::int32_t>(kWindow);
  return random_sequences(longer, count, seed);
}

// The first `length` events as they were known when the question after them was asked, at `now_ms`.
Sequence beginning(const Sequence& whole, std::size_t length, std::int64_t now_ms) {
  const std::size_t columns = whole.side.size() / whole.length();
  Sequence out;
  out.token.assign(whole.token.begin(), whole.token.begin() + static_cast<std::ptrdiff_t>(length));
  out.side.assign(whole.side.begin(), whole.side.begin() + static_cast<std::ptrdiff_t>(length * columns));
  if (!whole.at_ms.empty()) {
    out.at_ms.assign(whole.at_ms.begin(), whole.at_ms.begin() + static_cast<std::ptrdiff_t>(length));
    for (std::size_t i = 0; i + 1 < length; ++i) {
      out.request_ms.push_back(whole.at_ms[i + 1]);
    }
    out.request_ms.resize(length, now_ms);
  }
  return out;
}

NewEvent event_of(const Sequence& whole, std::size_t i) {
  const auto columns = static_cast<std::ptrdiff_t>(whole.side.size() / whole.length());
  const auto begin = whole.side.begin() + static_cast<std::ptrdiff_t>(i) * columns;
  return {whole.token[i], {begin, begin + columns}, whole.at_ms.empty() ? 0 : whole.at_ms[i]};
}

void expect_encoded(const Model& model, const Sequence& history, std::span<const float> got, const std::string& what) {
  base::SeededExecutor executor(1);
  const auto expected = model.encode({&history, 1}, executor);
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t c = 0; c < got.size(); ++c) {
    ASSERT_NEAR(got[c], expected[c], 1e-5) << what;
  }
}

std::vector<Sequence> without_times(std::vector<Sequence> sequences) {
  for (auto& sequence : sequences) {
    sequence.at_ms.clear();
    sequence.request_ms.clear();
  }
  return sequences;
}

TEST(Predictor, EventByEventTheVectorIsThatOfTheWholeHistoryAcrossTheWindowsEnd) {
  for (const Arch arch : kArchs) {
    const Model model = some_model(arch);
    for (const bool timed : {true, false}) {
      const auto all = timed ? histories(model, 12, 3) : without_times(histories(model, 12, 3));
      Predictor by_event(model);
      Predictor by_history(model);
      for (std::size_t s = 0; s < all.size(); ++s) {
        const std::string customer = std::to_string(s);
        for (std::size_t length = 1; length <= all[s].length(); ++length) {
          const std::string what = "arch " + std::to_string(static_cast<int>(arch)) + ", history " + customer + ", events " + std::to_string(length);
          // Asked when the event has just been, and again a day later.
          for (const std::int64_t wait_ms : {std::int64_t{1'000}, base::kDayMs}) {
            const std::int64_t now_ms = timed ? all[s].at_ms[length - 1] + wait_ms : 0;
            const Sequence history = beginning(all[s], length, now_ms);
            expect_encoded(model, history, by_history.advance(customer, history), what);
            if (length == 1) {
              by_event.advance(customer, history);
            }
            const std::vector<NewEvent> events(length > 1 && wait_ms < base::kDayMs ? 1 : 0, event_of(all[s], length - 1));
            const auto got = by_event.append(customer, events, now_ms);
            ASSERT_TRUE(got.has_value());
            expect_encoded(model, history, *got, what + ", appended");
          }
        }
      }
    }
  }
}

TEST(Predictor, OneMoreEventIsAStepUntilTheWindowSlides) {
  for (const Arch arch : {Arch::kLigr, Arch::kGru}) {
    const Model model = some_model(arch);
    Predictor predictor(model);
    const auto all = histories(model, 30, 4);
    const Sequence copy = *std::ranges::max_element(all, {}, &Sequence::length);
    predictor.advance("a", beginning(copy, 2, copy.at_ms[1]));
    for (std::size_t i = 2; i < kWindow; ++i) {
      predictor.append("a", std::vector{event_of(copy, i)}, copy.at_ms[i]);
    }
    EXPECT_EQ(predictor.stats().rebuilds, 1U);
    EXPECT_EQ(predictor.stats().steps, kWindow - 2);
    predictor.append("a", std::vector{event_of(copy, kWindow)}, copy.at_ms[kWindow]);
    EXPECT_EQ(predictor.stats().rebuilds, 2U);
    predictor.append("a", {}, copy.at_ms[kWindow]);
    EXPECT_EQ(predictor.stats().unchanged, 1U);
  }
}

TEST(Predictor, AQuestionStaysOpenUntilTheNextMoment) {
  // As features makes them: events less than half an hour apart are one moment, and all of it is asked for at the next one.
  const Model model = some_model(Arch::kLigr);
  Predictor predictor(model, {.customers_max = 10, .moment_ms = 30 * base::kMinuteMs});
  base::Rng rng(5);
  Sequence history;
  std::vector<std::size_t> moment;  // of each event
  std::int64_t at_ms = 1'700'000'000'000;
  for (std::size_t i = 0; i < kWindow; ++i) {
    const bool same = i > 0 && rng.chance(.6);
    at_ms += same ? 10 * base::kMinuteMs : 3 * base::kHourMs;
    moment.push_back(same ? moment.back() : i);
    history.token.push_back(1 + static_cast<std::int32_t>(rng.below(49)));
    history.side.insert(history.side.end(), {1, 2});
    history.at_ms.push_back(at_ms);
    history.request_ms.assign(i + 1, at_ms + 7);
    for (std::size_t p = 0; p <= i; ++p) {
      for (std::size_t q = i; q > p; --q) {
        history.request_ms[p] = moment[q] != moment[p] ? history.at_ms[q] : history.request_ms[p];
      }
    }
    const NewEvent event{history.token[i], {1, 2}, at_ms};
    const auto got = i == 0 ? predictor.advance("a", history) : *predictor.append("a", std::vector{event}, at_ms + 7);
    expect_encoded(model, history, got, "event " + std::to_string(i));
  }
}

TEST(Predictor, ARewrittenPastAndAnEmptyOneAreNoticed) {
  for (const Arch arch : kArchs) {
    const Model model = some_model(arch);
    Predictor predictor(model);
    auto all = histories(model, 40, 6);
    all.push_back({});
    base::Rng rng(7);
    for (int i = 0; i < 200; ++i) {  // one key, many pasts: some share their beginning
      Sequence history = all[rng.below(all.size())];
      if (history.length() > 2) {
        history = beginning(history, 1 + rng.below(history.length() - 1), history.at_ms.back());
        history.token[rng.below(history.length())] = static_cast<std::int32_t>(rng.below(50));
      }
      expect_encoded(model, history, predictor.advance("a", history), "turn " + std::to_string(i));
    }
    predictor.advance("b", {});
    const auto first = all[0];
    expect_encoded(model, beginning(first, 1, first.at_ms[0]), *predictor.append("b", std::vector{event_of(first, 0)}, first.at_ms[0]), "first event");
  }
}

TEST(Predictor, TheLongestSilentAreDroppedAndAnsweredTheSameAfterwards) {
  const Model model = some_model(Arch::kLigr);
  Predictor predictor(model, {.customers_max = 3, .moment_ms = 0});
  const auto all = histories(model, 5, 8);
  for (std::size_t s = 0; s < 3; ++s) {
    predictor.advance(std::to_string(s), all[s]);
  }
  predictor.advance("0", all[0]);  // now "1" is the longest silent
  predictor.advance("3", all[3]);
  EXPECT_EQ(predictor.stats().customers, 3U);
  EXPECT_EQ(predictor.stats().evicted, 1U);
  const std::int64_t now_ms = 1'800'000'000'000;
  EXPECT_FALSE(predictor.append("1", {}, now_ms).has_value());
  EXPECT_TRUE(predictor.append("0", {}, now_ms).has_value());
  expect_encoded(model, all[1], predictor.advance("1", all[1]), "after eviction");
  predictor.forget("1");
  EXPECT_FALSE(predictor.append("1", {}, now_ms).has_value());
}

TEST(Predictor, ThreadsGetTheSameAnswersAsOneAfterTheOther) {
  const Model model = some_model(Arch::kGru);
  Predictor predictor(model, {.customers_max = 4, .moment_ms = 0});  // fewer than are asked for: eviction goes on beside the work
  const auto all = histories(model, 8, 9);
  base::ThreadExecutor threads(4);
  std::vector<std::vector<float>> got(400);
  threads.run(got.size(), [&](std::size_t task) { got[task] = predictor.advance(std::to_string(task % 8), all[task % 8]); });
  for (std::size_t task = 0; task < got.size(); ++task) {
    expect_encoded(model, all[task % 8], got[task], "task " + std::to_string(task));
  }
}

}  // namespace
}  // namespace beckon::model
