// An acknowledged event could be lost, doubled or seen before its time if one of these broke.
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <set>

#include "beckon/base/rng.h"
#include "beckon/store/store.h"

namespace beckon::store {
namespace {

constexpr base::Instant kEnd{1'000'000'000'000'000};

std::string fresh_folder(const std::string& name) {
  const std::string folder = testing::TempDir() + "/beckon_store_" + name + "_" + std::to_string(::getpid());
  std::filesystem::remove_all(folder);
  return folder;
}

const privacy::KeyRing& ring() {
  static const auto kRing = privacy::KeyRing::make(std::string(32, 's'), 1).value();
  return kRing;
}

events::Event make_event(int customer, std::uint64_t id, std::int64_t at) {
  events::Event event;
  event.customer = ring().pseudonym("user" + std::to_string(customer));
  for (std::size_t i = 0; i < 8; ++i) {
    event.id[i] = static_cast<std::uint8_t>(id >> (8 * i));
  }
  event.at = {at};
  event.type = events::EventType::kView;
  event.item = "item" + std::to_string(id % 7);
  return event;
}

// (customer, id) → time: what the store must hold, kept in the simplest way there is.
using Model = std::map<std::pair<privacy::Pseudonym, events::EventId>, std::int64_t>;

void expect_same(const Timelines& timelines, const Model& model, base::Instant as_of) {
  Model seen;
  ASSERT_TRUE(timelines.for_each(as_of, [&](const privacy::Pseudonym& customer, std::vector<events::Event>& window) {
    for (std::size_t i = 0; i < window.size(); ++i) {
      EXPECT_EQ(window[i].customer, customer);
      EXPECT_TRUE(i == 0 || window[i - 1].at <= window[i].at);
      seen[{customer, window[i].id}] = window[i].at.ms;
    }
    return true;
  }).ok());
  Model expected;
  for (const auto& [key, at] : model) {
    if (at <= as_of.ms) {
      expected[key] = at;
    }
  }
  EXPECT_EQ(seen, expected);
}

void random_walk(KeyValue& rows, std::uint64_t seed, int steps) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  base::Rng rng(seed);
  Timelines timelines(rows);
  Model model;
  for (int step = 0; step < steps; ++step) {
    const int customer = static_cast<int>(rng.below(8));
    if (rng.chance(0.1)) {
      const auto id = ring().pseudonym("user" + std::to_string(customer));
      const auto erased = timelines.erase(id);
      ASSERT_TRUE(erased.ok());
      EXPECT_EQ(*erased, static_cast<std::int64_t>(std::erase_if(model, [&](const auto& row) { return row.first.first == id; })));
      continue;
    }
    std::vector<events::Event> batch;
    std::int64_t fresh = 0;
    for (std::uint64_t n = rng.below(6); n > 0; --n) {
      const std::uint64_t id = rng.below(60);
      batch.push_back(make_event(static_cast<int>(rng.below(8)), id, static_cast<std::int64_t>(id * 1000)));
      fresh += model.emplace(std::pair{batch.back().customer, batch.back().id}, batch.back().at.ms).second ? 1 : 0;
    }
    const auto counts = timelines.append(batch);
    ASSERT_TRUE(counts.ok());
    EXPECT_EQ(counts->added, fresh);
    EXPECT_EQ(counts->added + counts->duplicates, static_cast<std::int64_t>(batch.size()));
    expect_same(timelines, model, step % 2 == 0 ? kEnd : base::Instant{30'000});
  }
}

TEST(Timelines, MemoryTwinBehavesLikeTheModel) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    MemoryKeyValue rows;
    random_walk(rows, seed, 40);
  }
}

TEST(Timelines, RocksDbBehavesLikeTheModelAndAfterReopening) {
  const std::string folder = fresh_folder("walk");
  {
    auto rows = open_rocksdb(folder);
    ASSERT_TRUE(rows.ok()) << rows.error().message;
    random_walk(**rows, 77, 60);
    EXPECT_TRUE((*rows)->compact().ok());
    EXPECT_EQ(open_rocksdb(folder).error().code, base::ErrorCode::kUnavailable);  // held: refused, not corrupted
  }
  EXPECT_TRUE(open_rocksdb(folder).ok());
  std::filesystem::remove_all(folder);
}

TEST(Timelines, AFailedWriteCanBeRepeatedWithoutDoubling) {
  for (const auto fault : {MemoryKeyValue::Fault::kBefore, MemoryKeyValue::Fault::kAfter}) {
    MemoryKeyValue rows;
    Timelines timelines(rows);
    const std::vector<events::Event> batch = {make_event(1, 1, 10), make_event(2, 2, 20)};
    rows.set_fault(fault);
    EXPECT_FALSE(timelines.append(batch).ok());
    rows.set_fault(MemoryKeyValue::Fault::kNone);
    ASSERT_TRUE(timelines.append(batch).ok());
    EXPECT_EQ(timelines.read(batch[0].customer, kEnd)->size(), 1U);
    EXPECT_EQ(timelines.read(batch[1].customer, {19})->size(), 0U);
  }
}

TEST(Timelines, ADamagedRecordIsReportedNotSkipped) {
  MemoryKeyValue rows;
  Timelines timelines(rows);
  const auto event = make_event(1, 1, 10);
  ASSERT_TRUE(timelines.append(std::vector{event}).ok());
  WriteBatch damage;
  ASSERT_TRUE(rows.scan("", [&](std::string_view key, std::string_view value) {
    std::string broken(value);
    broken.back() = static_cast<char>(broken.back() ^ 1);
    damage.put(std::string(key), broken);
    return true;
  }).ok());
  ASSERT_TRUE(rows.write(damage).ok());
  EXPECT_EQ(timelines.read(event.customer, kEnd).error().code, base::ErrorCode::kDataLoss);
}

// Run by the next test in a process of its own (a fork of a process with threads could not start new ones): appends one event
// after the other and acknowledges each on a pipe, until it is killed.
TEST(Timelines, DISABLED_WriterThatIsKilled) {
  const char* folder = std::getenv("BECKON_KILL_FOLDER");
  ASSERT_NE(folder, nullptr);
  const int acknowledge = std::atoi(std::getenv("BECKON_KILL_PIPE"));
  auto rows = open_rocksdb(folder);
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  Timelines timelines(**rows);
  for (std::int64_t n = std::atoll(std::getenv("BECKON_KILL_FROM"));; ++n) {
    const std::vector<events::Event> batch = {make_event(1, static_cast<std::uint64_t>(n), n)};
    ASSERT_TRUE(timelines.append(batch).ok());
    ASSERT_EQ(::write(acknowledge, &n, sizeof n), static_cast<ssize_t>(sizeof n));
  }
}

pid_t start_writer(const std::string& folder, int pipe_end, std::int64_t from) {
  std::vector<std::string> arguments = {"store_test", "--gtest_filter=*WriterThatIsKilled", "--gtest_also_run_disabled_tests"};
  std::vector<std::string> environment = {"BECKON_KILL_FOLDER=" + folder, "BECKON_KILL_PIPE=" + std::to_string(pipe_end),
                                          "BECKON_KILL_FROM=" + std::to_string(from)};
  std::vector<char*> argv;
  std::vector<char*> envp;
  for (auto& text : arguments) {
    argv.push_back(text.data());
  }
  for (auto& text : environment) {
    envp.push_back(text.data());
  }
  argv.push_back(nullptr);
  envp.push_back(nullptr);
  pid_t child = -1;
  EXPECT_EQ(::posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, argv.data(), envp.data()), 0);
  return child;
}

TEST(Timelines, KillNineLosesNothingAcknowledged) {
  base::Rng rng(11);
  const std::string folder = fresh_folder("kill");
  std::int64_t acknowledged = 0;
  for (int cycle = 0; cycle < 4; ++cycle) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const pid_t child = start_writer(folder, pipe_ends[1], acknowledged);
    ::close(pipe_ends[1]);
    std::int64_t last = -1;
    for (std::uint64_t reads = 5 + rng.below(30); reads > 0; --reads) {
      ASSERT_EQ(::read(pipe_ends[0], &last, sizeof last), static_cast<ssize_t>(sizeof last));
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (::read(pipe_ends[0], &last, sizeof last) == static_cast<ssize_t>(sizeof last)) {
    }
    ::close(pipe_ends[0]);
    acknowledged = last + 1;
    auto rows = open_rocksdb(folder);
    ASSERT_TRUE(rows.ok());
    const auto window = Timelines(**rows).read(make_event(1, 0, 0).customer, kEnd);
    ASSERT_TRUE(window.ok());
    ASSERT_GE(static_cast<std::int64_t>(window->size()), acknowledged);
    std::set<std::int64_t> times;
    for (const auto& event : *window) {
      times.insert(event.at.ms);
    }
    EXPECT_EQ(times.size(), window->size());
    for (std::int64_t n = 0; n < acknowledged; ++n) {
      ASSERT_TRUE(times.contains(n)) << "acknowledged event " << n << " is gone";
    }
    acknowledged = static_cast<std::int64_t>(window->size());
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace beckon::store
