#include "memory.h"

#include <algorithm>
#include <cmath>

#include "beckon/base/rng.h"

namespace beckon::model::inner {
namespace {

constexpr std::size_t kFollowersMax = 64;    // of a token
constexpr double kTwoStepsWeight = .5;

template <class Visit>
void for_each_step(const Sequence& sequence, const Visit& visit) {
  for (std::size_t i = 0; i < sequence.target.size(); ++i) {
    for (std::size_t back = 0; back < 2 && back <= i && sequence.target[i] > 0; ++back) {
      if (sequence.token[i - back] > 0) {
        visit({sequence.token[i - back], sequence.target[i], back == 0 ? 1.0F : static_cast<float>(kTwoStepsWeight)});
      }
    }
  }
}

void sort_and_merge(std::vector<OwnSteps::Step>& steps) {
  std::stable_sort(steps.begin(), steps.end(), [](const auto& a, const auto& b) { return a.from != b.from ? a.from < b.from : a.to < b.to; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (kept > 0 && steps[kept - 1].from == steps[i].from && steps[kept - 1].to == steps[i].to) {
      steps[kept - 1].weight += steps[i].weight;
    } else {
      steps[kept++] = steps[i];
    }
  }
  steps.resize(kept);
}

float log_share(double share) {
  return static_cast<float>(std::log1p(share / kSmallestShare) / std::log1p(1 / kSmallestShare));
}

// 0, .29, .46, .58, … 1 for ten times and more.
float log_count(int count) {
  return static_cast<float>(std::min(1.0, std::log1p(count) / std::log1p(kOftenTimes)));
}

struct Note {
  std::int32_t token = 0;
  float share = 0;    // of what followed
  std::uint32_t age = 0;  // own: positions ago + 1; 0: not his own
};

}  // namespace

OwnSteps::OwnSteps(const Sequence& sequence) {
  for_each_step(sequence, [&](const Step& step) { steps_.push_back(step); });
  sort_and_merge(steps_);
}

std::span<const OwnSteps::Step> OwnSteps::from(std::int32_t token) const {
  const auto range = std::ranges::equal_range(steps_, token, {}, &Step::from);
  return {range.begin(), range.end()};
}

Memory Memory::count(std::span<const Sequence> sequences, std::size_t tokens) {
  std::vector<OwnSteps::Step> steps;
  std::size_t merged = 0;
  for (const auto& sequence : sequences) {
    for_each_step(sequence, [&](const OwnSteps::Step& step) { steps.push_back(step); });
    if (steps.size() > 2 * merged + (std::size_t{1} << 22U)) {  // keeps the list near the number of different pairs
      sort_and_merge(steps);
      merged = steps.size();
    }
  }
  sort_and_merge(steps);
  Memory memory;
  Table& table = memory.table_;
  table.row_size.assign(tokens, 0);
  table.total.assign(tokens, 0);
  for (std::size_t begin = 0, end = 0; begin < steps.size(); begin = end) {
    const auto from = static_cast<std::size_t>(steps[begin].from);
    for (; end < steps.size() && steps[end].from == steps[begin].from; ++end) {
      table.total[from] += steps[end].weight;
    }
    const auto row = std::span(steps).subspan(begin, end - begin);
    std::ranges::stable_sort(row, [](const auto& a, const auto& b) { return a.weight > b.weight; });
    for (const auto& step : row.first(std::min(kFollowersMax, row.size()))) {
      ++table.row_size[from];
      table.token.push_back(step.to);
      table.count.push_back(step.weight);
    }
  }
  memory.index_rows();
  return memory;
}

void Memory::index_rows() {
  start_.assign(table_.row_size.size() + 1, 0);
  for (std::size_t t = 0; t < table_.row_size.size(); ++t) {
    start_[t + 1] = start_[t] + static_cast<std::size_t>(table_.row_size[t]);
  }
}

base::Result<Memory> Memory::from_table(Table table, std::size_t tokens) {
  const auto bad = [](const char* what) { return base::data_loss(std::string("the model's memory ") + what + ": take a backup or train again"); };
  if (table.row_size.size() != tokens || table.total.size() != tokens || table.token.size() != table.count.size()) {
    return bad("has parts of different sizes");
  }
  std::size_t sum = 0;
  for (const std::int32_t size : table.row_size) {
    if (size < 0 || static_cast<std::size_t>(size) > table.token.size() - sum) {
      return bad("has rows beyond its end");
    }
    sum += static_cast<std::size_t>(size);
  }
  const bool in_range = std::ranges::all_of(table.token, [&](std::int32_t token) { return token > 0 && static_cast<std::size_t>(token) < tokens; });
  const auto counts = [](float value) { return std::isfinite(value) && value >= 0; };
  if (sum != table.token.size() || !in_range || !std::ranges::all_of(table.count, counts) || !std::ranges::all_of(table.total, counts)) {
    return bad("holds values out of range");
  }
  Memory memory;
  memory.table_ = std::move(table);
  memory.index_rows();
  return memory;
}

void Memory::recall(const Sequence& history, std::size_t last, const OwnSteps* own, std::vector<Recalled>& out) const {
  out.clear();
  if (start_.empty() || last >= history.length()) {
    return;
  }
  static thread_local std::vector<Note> notes;  // a few hundred, many times
  notes.clear();
  double weight = 1;
  for (std::size_t back = 0; back <= std::min(last, kLastTokens - 1); ++back, weight *= kOlderTokenWeight) {
    const std::int32_t token = history.token[last - back];
    const auto from = static_cast<std::size_t>(token);
    if (token <= 0 || start_[from] == start_[from + 1]) {
      continue;
    }
    const auto mine = own == nullptr ? std::span<const OwnSteps::Step>() : own->from(token);
    double total = static_cast<double>(table_.total[from]) + kSmoothing;
    for (const auto& step : mine) {
      total -= static_cast<double>(step.weight);
    }
    for (std::size_t i = start_[from]; i < start_[from + 1]; ++i) {
      const auto same = std::ranges::lower_bound(mine, table_.token[i], {}, &OwnSteps::Step::to);
      const float left_out = same != mine.end() && same->to == table_.token[i] ? same->weight : 0;
      if (table_.count[i] > left_out) {
        notes.push_back({table_.token[i], static_cast<float>(weight * static_cast<double>(table_.count[i] - left_out) / total), 0});
      }
    }
  }
  for (std::size_t back = 0; back <= std::min(last, kOwnPositions - 1); ++back) {
    if (history.token[last - back] > 0) {
      notes.push_back({history.token[last - back], 0, static_cast<std::uint32_t>(back) + 1});
    }
  }
  std::ranges::stable_sort(notes, {}, &Note::token);
  for (std::size_t begin = 0, end = 0; begin < notes.size(); begin = end) {
    double share = 0;
    int times = 0;
    std::uint32_t age = 0;
    for (; end < notes.size() && notes[end].token == notes[begin].token; ++end) {
      share += static_cast<double>(notes[end].share);
      times += notes[end].age > 0 ? 1 : 0;
      age = age == 0 ? notes[end].age : age;  // the newest comes first
    }
    const float recency = age == 0 ? 0 : 1 / std::sqrt(static_cast<float>(age));
    out.push_back({notes[begin].token, {log_share(share), log_count(times), recency}});
  }
}

void RecalledBatch::clear() {
  start.assign(1, 0);
  entry.clear();
}

bool MemoryDropout::drops(std::size_t row) const {
  return rate > 0 && base::Rng(key, 0x4D656D6FULL << 32U | (first_row + row)).uniform() < static_cast<double>(rate);
}

void append_recalled(const Memory& memory, const Sequence& sequence, const Window& window, const MemoryDropout& dropout,
                     RecalledBatch& batch) {
  const OwnSteps own(sequence);
  std::vector<Recalled> row;
  for (std::size_t i = window.begin; i < std::max(window.end, window.begin + 1); ++i) {
    if (i < sequence.target.size() && sequence.target[i] > 0 && !dropout.drops(batch.start.size() - 1)) {
      memory.recall(sequence, i, &own, row);
      batch.entry.insert(batch.entry.end(), row.begin(), row.end());
    }
    batch.start.push_back(batch.entry.size());
  }
}

}  // namespace beckon::model::inner
