// A report that was chosen on the test part, or that breaks on an unusual file, is worth nothing.
#include "beckon/evaluate/evaluate.h"

#include "world.h"

namespace beckon::evaluate {
namespace {

std::string checkpoint_after(const std::vector<std::vector<int>>& histories) {
  Bench bench;
  Data data = data_of(histories);
  const auto report = evaluate(data, small_run(), bench.environment());
  EXPECT_TRUE(report.ok()) << report.error().message;
  return bench.files.read("out/seed-1.safetensors").value();
}

TEST(Evaluate, OtherTestTargetsLeaveTheSameWeights) {
  // Nothing may be chosen on the test part: not the epoch, not the numbering of the items, not a random start.
  const auto histories = walks(120, 3);
  const std::string before = checkpoint_after(histories);
  auto changed = histories;
  base::Rng rng(4);
  for (auto& items : changed) {
    items.back() = 1 + static_cast<int>(rng.below(60));  // items 31 to 60 are known to nobody
  }
  ASSERT_NE(changed, histories);
  EXPECT_EQ(checkpoint_after(changed), before);
  auto validation = histories;
  validation[0][validation[0].size() - 3] = validation[0][validation[0].size() - 3] % 30 + 1;  // what training does see
  EXPECT_NE(checkpoint_after(validation), before);
}

TEST(Evaluate, OtherBasketsAfterTheCutLeaveTheSameWeights) {
  // The same for a cut in time, where side columns and labels could look ahead as well.
  const auto run_with = [](std::uint64_t seed) {
    std::vector<std::vector<Bought>> histories;
    for (std::size_t c = 0; c < 80; ++c) {
      base::Rng rng(5, c);
      base::Rng after(seed, c);
      auto& steps = histories.emplace_back();
      for (int n = 0; n < 12; ++n) {
        auto& source = n < 9 ? rng : after;
        steps.push_back({n < 9 ? n * 2.0 : 19.0 + n * .5, 1 + static_cast<int>(source.below(20)), static_cast<std::uint64_t>(c * 100 + static_cast<std::size_t>(n) + 1)});
      }
    }
    Bench bench;
    Data data = timed_data_of(histories);
    RunOptions run = small_run();
    run.split.protocol = Protocol::kNextBasket;
    run.split.split_at = day(20);
    const auto report = evaluate(data, run, bench.environment());
    EXPECT_TRUE(report.ok()) << report.error().message;
    return std::pair{bench.files.read("out/seed-1.safetensors").value(), (*report)["mean"]["test"]["ndcg@10"].get<double>()};
  };
  const auto a = run_with(1);
  const auto b = run_with(2);
  EXPECT_EQ(a.first, b.first);
  EXPECT_NE(a.second, b.second);
}

TEST(Evaluate, TheNewestStepsAreLearnedAndTheTestIsShownWithoutThem) {
  // Customers change their ways between the cuts: who is not told of it goes on recommending what they no longer want.
  std::vector<std::vector<Bought>> histories;
  for (std::size_t c = 0; c < 200; ++c) {
    base::Rng rng(3, c);
    auto& steps = histories.emplace_back();
    int item = 1 + static_cast<int>(rng.below(20));
    for (int n = 0; n < 16; ++n) {
      steps.push_back({n < 10 ? n * 1.0 : 10.5 + (n - 10) * .5, item, static_cast<std::uint64_t>(c * 100 + static_cast<std::size_t>(n) + 1)});
      item = 1 + (item + (n < 12 ? 0 : 6)) % 20;  // the validation part begins with n = 13
    }
  }
  Data data = timed_data_of(histories);
  RunOptions run = small_run(6);
  run.split.protocol = Protocol::kTimeSplit;
  run.split.split_at = day(13);
  run.training.learning_rate = 5e-3F;
  run.training.fine_tune_epochs = 8;
  run.training.fine_tune_rate = 1;
  run.model.memory = false;
  Bench bench;
  const auto report = evaluate(data, run, bench.environment()).value();
  const base::Json& mean = report["mean"];
  EXPECT_GT(mean["test"]["ndcg@10"].get<double>(), mean["without_fine_tuning"]["ndcg@10"].get<double>() + .1) << report.dump();
  EXPECT_GT(mean["fine_tuning_gain"]["low"].get<double>(), 0);
  EXPECT_EQ(report["runs"][0]["fine_tuning"]["epochs"], 8);
  run.training.fine_tune_epochs = 0;
  Data again = timed_data_of(histories);
  EXPECT_FALSE(evaluate(again, run, bench.environment()).value()["mean"].contains("without_fine_tuning"));
}

TEST(Evaluate, ReportHoldsWhatIsPromised) {
  // Programs read report.json: a key that moves breaks them.
  Bench bench;
  Data data = data_of(walks(150, 6));
  RunOptions run = small_run(8);
  run.seeds = {1, 7};
  const auto answer = evaluate(data, run, bench.environment());
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  const base::Json& report = *answer;
  ASSERT_EQ(report["runs"].size(), 2U);
  for (const char* key : {"seed", "test", "validation", "epochs", "best_epoch", "train_seconds", "seconds_to_best", "tokens_per_second", "sgemm_share",
                          "peak_rss_mb", "curve"}) {
    EXPECT_TRUE(report["runs"][1].contains(key)) << key;
  }
  EXPECT_EQ(report["runs"][1]["seed"], 7);
  EXPECT_EQ(report["runs"][0]["curve"].size(), report["runs"][0]["epochs"].get<std::size_t>());
  const double mean = (report["runs"][0]["test"]["hr@10"].get<double>() + report["runs"][1]["test"]["hr@10"].get<double>()) / 2;
  EXPECT_NEAR(report["mean"]["test"]["hr@10"].get<double>(), mean, 1e-12);
  for (const char* floor : {"popular", "popular_7d", "markov", "item_knn", "own_history"}) {
    ASSERT_TRUE(report["floors"].contains(floor)) << floor;
    if (std::string(floor) == "popular_7d") {
      EXPECT_TRUE(report["floors"][floor].is_null());
      continue;
    }
    for (const auto& [key, value] : report["mean"]["test"].items()) {
      EXPECT_TRUE(report["floors"][floor].contains(key)) << floor << " " << key;
    }
  }
  const auto interval = report["intervals"]["model"]["ndcg@10"];
  EXPECT_LE(interval[0].get<double>(), report["mean"]["test"]["ndcg@10"].get<double>());
  EXPECT_GE(interval[1].get<double>(), report["mean"]["test"]["ndcg@10"].get<double>());
  EXPECT_GT(report["mean"]["test"]["hr@10"].get<double>(), .5);  // 30 items, the next one is usually the next number
}

TEST(Evaluate, UnusualDataWorksOrSaysWhyNot) {
  // One customer, one item, nobody, nothing to learn: an answer or a reason, never a crash.
  Bench bench;
  Data one_customer = data_of({{1, 2, 3, 1, 2, 3, 1}});
  const auto alone = evaluate(one_customer, small_run(), bench.environment());
  ASSERT_TRUE(alone.ok()) << alone.error().message;
  EXPECT_TRUE((*alone)["intervals"]["model"]["ndcg@10"].is_null());
  EXPECT_TRUE((*alone)["gain"]["low"].is_null());
  Data one_item = data_of({{1, 1, 1, 1}, {1, 1, 1, 1}});
  const auto same = evaluate(one_item, small_run(), bench.environment());
  ASSERT_TRUE(same.ok()) << same.error().message;
  EXPECT_EQ((*same)["mean"]["test"]["hr@1"], 1.0);
  Data nobody = data_of({{}, {}, {}});
  EXPECT_FALSE(evaluate(nobody, small_run(), bench.environment()).ok());
  Data nothing_to_learn = data_of({{1, 2, 3}, {2, 3, 1}});
  const auto why = evaluate(nothing_to_learn, small_run(), bench.environment());
  ASSERT_FALSE(why.ok());
  EXPECT_NE(why.error().message.find("nothing to learn"), std::string::npos) << why.error().message;
  auto long_one = walks(30, 8);
  long_one.emplace_back();
  base::Rng rng(9);
  for (int i = 0; i < 10'000; ++i) {
    long_one.back().push_back(1 + static_cast<int>(rng.below(30)));
  }
  long_one.emplace_back();  // an empty one beside it
  Data data = data_of(long_one);
  const auto report = evaluate(data, small_run(1), bench.environment());
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ((*report)["config"]["too_short_for_a_test"], 1);
}

TEST(Evaluate, RefusesWhatTheMemoryCannotHold) {
  // Killed by the system after an hour, without a word: the estimate comes first.
  Bench bench;
  Data data = data_of(walks(20, 1));
  RunOptions run = small_run();
  run.model.width = 1024;
  run.memory_bytes = 20 << 20;
  const auto refused = evaluate(data, run, bench.environment());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, base::ErrorCode::kResourceExhausted);
  EXPECT_NE(refused.error().message.find("width (1024 now)"), std::string::npos) << refused.error().message;
}

TEST(Evaluate, StopsAndGoesOnWithTheSameBits) {
  // An interrupted evening must not be lost, nor give other figures than an undisturbed one.
  Bench bench;
  Data data = data_of(walks(60, 2));
  RunOptions run = small_run(4);
  const auto whole = evaluate(data, run, bench.environment()).value();
  Bench other;
  std::atomic<bool> stop{false};
  Environment environment = other.environment();
  environment.stop = &stop;
  environment.on_epoch = [&](std::uint64_t, const model::EpochReport& epoch) {
    stop = epoch.epoch == 2;
    return base::ok_status();
  };
  Data again = data_of(walks(60, 2));
  const auto cut_short = evaluate(again, run, environment);
  ASSERT_FALSE(cut_short.ok());
  EXPECT_EQ(cut_short.error().code, base::ErrorCode::kUnavailable);
  EXPECT_NE(cut_short.error().message.find("--resume"), std::string::npos) << cut_short.error().message;
  stop = false;
  environment.on_epoch = nullptr;
  run.training.resume = true;
  Data once_more = data_of(walks(60, 2));
  const auto resumed = evaluate(once_more, run, environment).value();
  EXPECT_EQ(resumed["mean"], whole["mean"]);
  EXPECT_EQ(other.files.read("out/seed-1.safetensors").value(), bench.files.read("out/seed-1.safetensors").value());
}

}  // namespace
}  // namespace beckon::evaluate
