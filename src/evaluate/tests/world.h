#pragma once
// Small worlds for the tests: histories by their tokens, with or without times.

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "beckon/base/rng.h"
#include "beckon/evaluate/evaluate.h"

namespace beckon::evaluate {

/// Item numbers are names and tokens at once: item 3 is called "3". Steps without times.
inline Data data_of(const std::vector<std::vector<int>>& histories) {
  Data data;
  int most = 0;
  for (const auto& items : histories) {
    auto& history = data.set.histories.emplace_back();
    for (const int item : items) {
      history.steps.push_back({0, item, features::StepType::kPurchase});
      most = std::max(most, item);
    }
  }
  std::vector<std::string> names;
  for (int item = 1; item <= most; ++item) {
    names.push_back(std::to_string(item));
  }
  data.set.vocabulary = features::Vocabulary(names);
  return data;
}

/// {day, item, order} a step.
struct Bought {
  double day = 0;
  int item = 0;
  std::uint64_t order = 0;
};
inline Data timed_data_of(const std::vector<std::vector<Bought>>& histories) {
  std::vector<std::vector<int>> items;
  for (const auto& steps : histories) {
    auto& list = items.emplace_back();
    for (const auto& step : steps) {
      list.push_back(step.item);
    }
  }
  Data data = data_of(items);
  data.timed = true;
  for (std::size_t h = 0; h < histories.size(); ++h) {
    for (std::size_t i = 0; i < histories[h].size(); ++i) {
      data.set.histories[h].steps[i].at_ms = static_cast<std::int64_t>(histories[h][i].day * base::kDayMs);
      data.set.histories[h].orders.push_back(histories[h][i].order);
    }
  }
  return data;
}

inline base::Instant day(double n) { return {static_cast<std::int64_t>(n * base::kDayMs)}; }

/// Names of what a case wants, in order of the tokens; "?" for what nobody knew.
inline std::vector<std::string> wanted_of(const Data& data, const Case& one) {
  std::vector<std::string> out;
  for (const std::int32_t token : one.wanted) {
    out.push_back(token == 0 ? "?" : data.set.vocabulary.item(token));
  }
  std::sort(out.begin(), out.end());
  return out;
}

inline std::int32_t token_of(const Data& data, const std::string& name) { return data.set.vocabulary.token(name); }

/// Random walks in a small world where 3k+1 is often followed by 3k+2 and 3k+3.
inline std::vector<std::vector<int>> walks(std::size_t customers, std::uint64_t seed, int items = 30) {
  std::vector<std::vector<int>> out;
  for (std::size_t c = 0; c < customers; ++c) {
    base::Rng rng(seed, c);
    auto& items_of_one = out.emplace_back();
    const std::size_t length = 4 + rng.below(8);
    int at = 1 + static_cast<int>(rng.below(static_cast<std::uint64_t>(items)));
    for (std::size_t i = 0; i < length; ++i) {
      items_of_one.push_back(at);
      at = rng.uniform() < .8 ? at % items + 1 : 1 + static_cast<int>(rng.below(static_cast<std::uint64_t>(items)));
    }
  }
  return out;
}

struct Bench {
  base::ThreadExecutor executor{2};
  base::SystemClock clock;
  base::MemoryFileSystem files;
  Environment environment() {
    Environment out;
    out.executor = &executor;
    out.clock = &clock;
    out.files = &files;
    return out;
  }
};

inline RunOptions small_run(int epochs = 3) {
  RunOptions run;
  run.model.width = 16;
  run.model.layers = 1;
  run.model.attention_heads = 1;
  run.model.dropout = .1F;
  run.training.epochs_max = epochs;
  run.training.worker_count = 2;
  run.training.batch_positions = 64;
  run.training.warmup_steps = 2;
  run.folder = "out";
  run.resamples = 100;
  run.split.filter_seen = false;
  return run;
}

}  // namespace beckon::evaluate
