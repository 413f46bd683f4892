// What is said of goods that nobody had bought would be luck, or looked up in the test part, if one of these broke.
#include "world.h"

namespace beckon::evaluate {
namespace {

constexpr int kKinds = 3;
constexpr int kOld = 25;  // of each kind, sold from the start
constexpr int kNew = 12;  // of each kind, sold after the network was trained

int item_of(int kind, int number) { return kind * (kOld + kNew) + number + 1; }

// Everybody buys of one kind; after day 20 what is new of it.
Data kinds_world(std::uint64_t seed_after) {
  std::vector<std::vector<Bought>> histories;
  for (std::size_t c = 0; c < 150; ++c) {
    base::Rng rng(5, c);
    base::Rng after(seed_after, c);
    const int kind = static_cast<int>(c % kKinds);
    auto& steps = histories.emplace_back();
    for (int n = 0; n < 10; ++n) {
      steps.push_back({n * 2.0, item_of(kind, static_cast<int>(rng.below(kOld))), c * 100 + static_cast<std::size_t>(n) + 1});
    }
    for (int n = 0; n < 2; ++n) {  // validation, then test
      const int number = kOld + (n == 0 ? static_cast<int>(c) / kKinds % kNew : static_cast<int>(after.below(kNew)));
      steps.push_back({20.5 + 4.0 * n, item_of(kind, number), c * 100 + static_cast<std::size_t>(n) + 50});
    }
  }
  Data data = timed_data_of(histories);
  const char* words[kKinds] = {"wine", "lamp", "soap"};
  for (int kind = 0; kind < kKinds; ++kind) {
    for (int number = 0; number < kOld + kNew; ++number) {
      base::Rng rng(17, static_cast<std::uint64_t>(item_of(kind, number)));
      std::string own;
      for (int i = 0; i < 6; ++i) {
        own.push_back(static_cast<char>('a' + rng.below(26)));
      }
      data.texts[std::to_string(item_of(kind, number))] = {std::string(words[kind]) + " " + own, "en"};
    }
  }
  return data;
}

struct Answer {
  base::Json report;
  std::string checkpoint;
};

Answer run(Data data, const features::FeatureOptions& features) {
  Bench bench;
  RunOptions options = small_run(12);
  options.features = features;
  options.split.protocol = Protocol::kNextBasket;
  options.split.split_at = day(22);
  const auto report = evaluate(data, options, bench.environment());
  EXPECT_TRUE(report.ok()) << report.error().message;
  return {report.value_or({}), bench.files.read("out/seed-1.safetensors").value()};
}

TEST(NewItems, AreFoundByTheirTitlesAlone) {
  // Recall among the new at ten: .28 by chance, .83 for one who knows every kind without fail.
  const auto with = run(kinds_world(1), {}).report["runs"][0];
  EXPECT_GT(with["text_map"]["explained"].get<double>(), .2) << with["text_map"].dump();
  const auto& figures = with["new_items"];
  EXPECT_EQ(figures["items"], kKinds * kNew);
  EXPECT_EQ(figures["test"]["cases"], 150);
  EXPECT_NEAR(figures["test"]["random@10"].get<double>(), 10.0 / (kKinds * kNew), 1e-9);
  EXPECT_GT(figures["test"]["recall@10"].get<double>(), .45) << figures.dump();
  EXPECT_EQ(figures["test"]["recall@50"], 1.0);  // there are only 36
  features::FeatureOptions none;
  none.text_vectors = features::TextVectors::kNone;
  const auto without = run(kinds_world(1), none).report["runs"][0];
  EXPECT_TRUE(without["text_map"].is_null());
  EXPECT_LT(without["new_items"]["test"]["recall@10"].get<double>(), figures["test"]["recall@10"].get<double>()) << without["new_items"].dump();
}

TEST(NewItems, OtherBasketsAfterTheCutLeaveTheSameWeights) {
  // Texts and columns are known before the cut; what is bought after it must not reach the training through them.
  const auto a = run(kinds_world(1), {});
  const auto b = run(kinds_world(2), {});
  EXPECT_EQ(a.checkpoint, b.checkpoint);
  EXPECT_EQ(a.report["runs"][0]["text_map"], b.report["runs"][0]["text_map"]);
  EXPECT_EQ(a.report["config"]["model"]["text_vectors"], "ngrams");
}

}  // namespace
}  // namespace beckon::evaluate
