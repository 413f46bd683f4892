// The second night would start from nothing again, or tomorrow's model would mix up today's items, if one of these broke.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "beckon/base/rng.h"
#include "files.h"
#include "pretrained.h"

namespace beckon::engine {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Customers go round the items in steps of one or two; `shift` names the first item, days are counted from 2026-01-01.
std::string behaviour(int customers, int first_day, int days, int shift) {
  std::string out;
  base::Rng rng(static_cast<std::uint64_t>(first_day), 7);
  for (int c = 0; c < customers; ++c) {
    int item = static_cast<int>(rng.below(12));
    for (int d = first_day; d < first_day + days; ++d) {
      item = (item + 1 + static_cast<int>(rng.below(2))) % 12;
      char line[400];
      std::snprintf(line, sizeof line,
                    R"({"type":"track","messageId":"m%d-%d-%d","userId":"u%d","event":"Order Completed","timestamp":"2026-01-%02dT%02d:00:00Z",)"
                    R"("properties":{"order_id":"o%d-%d-%d","currency":"EUR","products":[{"product_id":"item-%d","price":10,"quantity":1}]}})",
                    shift, c, d, c, d, c % 24, shift, c, d, item + shift);
      out += std::string(line) + "\n";
    }
  }
  return out;
}

struct TrainedShop {
  TestShop shop;
  explicit TrainedShop(int shift = 0) {
    shop.append_config("\n[model]\nwidth = 16\nlayers = 1\n[train]\nepochs_max = 2\nfine_tune_epochs = 1\n");
    const auto context = shop.open();
    ingest_ok(*context, {shop.folder.file("first.jsonl", behaviour(60, 1, 20, shift))});
  }
  void more() const { ingest_ok(*shop.open(), {shop.folder.file("more.jsonl", behaviour(60, 21, 3, 5))}); }
};

base::Json trained(const TestShop& shop, const TrainRequest& request = {}) {
  const auto context = shop.open();
  const auto answer = train(*context, request);
  EXPECT_TRUE(answer.ok()) << answer.error().message;
  return answer.ok() ? *answer : base::Json();
}

std::string refused(const TestShop& shop, const TrainRequest& request) {
  const auto context = shop.open();
  const auto answer = train(*context, request);
  EXPECT_FALSE(answer.ok());
  return answer.ok() ? "" : answer.error().message;
}

TEST(Train, TheSecondTimeGoesOnAndLearnsNewItems) {
  const TrainedShop one;
  const base::Json first = trained(one.shop);
  EXPECT_EQ(first["start"]["pretrained_now"], true);
  EXPECT_EQ(first["items"], 12);
  EXPECT_TRUE(first["test"].contains("fine_tuning")) << first.dump();
  one.more();  // five of its items are new
  const base::Json second = trained(one.shop);
  EXPECT_EQ(second["start"]["pretrained_now"], false) << second["start"].dump();
  EXPECT_THAT(second["start"]["goes_on_from"].get<std::string>(), HasSubstr("knows 12 of 17 items"));
  EXPECT_EQ(second["items"], 17);
  EXPECT_NE(second["model"], first["model"]);
  EXPECT_GT(second["test"]["fine_tuning"]["ndcg10_with"].get<double>(), 0);
  EXPECT_EQ(trained(one.shop, {.pretrain = true})["start"]["pretrained_now"], true);
}

TEST(Train, ANewCategoryOfTheShelfIsNoReasonToBeginAgain) {
  // A shop opens a department every season: the network keeps what it knows and learns the new word.
  const TrainedShop one;
  const auto shelf = [&](int first, int last, const std::string& category) {
    std::string csv = "id,title,category,brand,price\n";
    for (int i = first; i < last; ++i) {
      csv += "item-" + std::to_string(i) + ",Thing " + std::to_string(i) + "," + category + (i % 2 == 0 ? " > Even" : " > Odd") + ",,10.00 EUR\n";
    }
    const auto answer = import_catalog(*one.shop.open(), one.shop.folder.file("shelf.csv", csv));
    ASSERT_TRUE(answer.ok()) << answer.error().message;
  };
  shelf(0, 12, "Old");
  trained(one.shop);
  shelf(12, 17, "New");
  one.more();
  const base::Json second = trained(one.shop);
  EXPECT_EQ(second["start"]["pretrained_now"], false) << second["start"].dump();
  const auto context = one.shop.open();
  const auto model = load_model(*context).value();
  EXPECT_EQ(model->words.categories, (std::vector<std::string>{"Old > Even", "Old > Odd", "New > Even", "New > Odd"}));
}

TEST(Train, ASecondTimeWithTheSameEventsGivesTheSameModel) {
  const TrainedShop one;
  const base::Json first = trained(one.shop);
  EXPECT_EQ(trained(one.shop)["model"], first["model"]) << "going on from the kept pre-training is what the first time did";
}

TEST(Train, AnotherNetworkIsPretrainedAgainAndSaysWhy) {
  const TrainedShop one;
  trained(one.shop);
  std::string config = bytes_of(one.shop.folder.path + "/beckon.toml");
  config.replace(config.find("width = 16"), 10, "width = 32");
  one.shop.folder.file("beckon.toml", config);
  const base::Json again = trained(one.shop);
  EXPECT_EQ(again["start"]["pretrained_now"], true);
  EXPECT_THAT(again["start"]["because"].get<std::string>(), HasSubstr("of another network"));
  EXPECT_THAT(refused(one.shop, {.from = one.shop.folder.path + "/model/none.safetensors"}), HasSubstr("none.json"));
}

TEST(Train, NothingBetweenTheCutsIsNothingToFineTuneOn) {
  // A shop whose newest fifth of the steps is of one day: a night like this must not end in an error.
  const TestShop shop;
  shop.append_config("\n[model]\nwidth = 16\nlayers = 1\n[train]\nepochs_max = 2\n");
  ingest_ok(*shop.open(), {shop.folder.file("old.jsonl", behaviour(150, 1, 3, 0)), shop.folder.file("new.jsonl", behaviour(150, 20, 1, 0))});
  const base::Json answer = trained(shop);
  EXPECT_FALSE(answer["test"].contains("fine_tuning")) << answer["start"].dump();
  EXPECT_EQ(answer["start"]["fine_tuning_seconds"], 0.0);
}

TEST(Train, ResumeIsForWhatWasInterrupted) {
  const TrainedShop one;
  {
    const auto context = one.shop.open();
    context->stop = true;
    EXPECT_THAT(train(*context, {}).error().message, HasSubstr("--resume"));
  }
  EXPECT_TRUE(trained(one.shop, {.resume = true})["start"]["pretrained_now"].get<bool>());
  EXPECT_FALSE(std::filesystem::exists(one.shop.folder.path + "/model/checkpoint.safetensors.state"));
  EXPECT_FALSE(trained(one.shop, {.resume = true})["start"]["pretrained_now"].get<bool>());
}

TEST(Train, MuchThatIsNewIsReasonToPretrainAgain) {
  const TrainedShop one;
  trained(one.shop);
  ingest_ok(*one.shop.open(), {one.shop.folder.file("many.jsonl", behaviour(200, 21, 9, 0))});
  const base::Json again = trained(one.shop);
  EXPECT_THAT(again["start"].value("because", ""), HasSubstr("40 %")) << again["start"].dump();
}

TEST(Train, CustomersOfAnotherShopTeachTooAndItsItemsStayItsOwn) {
  const TrainedShop one;
  const TestFolder neighbour("neighbour");
  base::PosixFileSystem files;
  ASSERT_TRUE(init_shop(files, {neighbour.path, "segment", ""}).ok());
  {
    OpenOptions open = one.shop.options();
    open.folder = neighbour.path;
    const auto context = open_shop(open).value();
    ingest_ok(*context, {neighbour.file("first.jsonl", behaviour(40, 1, 20, 3))});
  }
  std::string config = bytes_of(neighbour.path + "/beckon.toml");
  const auto name = config.find("name = \"");
  config.replace(name, config.find('\n', name) - name, "name = \"Neighbour\"");
  neighbour.file("beckon.toml", config);
  const base::Json answer = trained(one.shop, {.pretrain = true, .with_shops = {neighbour.path}});
  EXPECT_EQ(answer["items"], 12);
  const auto kept = load_pretrained(files, one.shop.folder.path + "/model/pretrained.safetensors").value();
  EXPECT_EQ(kept.items.size(), 1U + 12 + 12) << "the neighbour's item-5 is not our item-5";
  const features::Vocabulary theirs({"item-3", "item-99"});
  EXPECT_THAT(continued_rows(theirs, "Neighbour", kept), testing::ElementsAre(0, testing::Gt(12), 0));
  EXPECT_THAT(refused(one.shop, {.with_shops = {neighbour.path}}), HasSubstr("--pretrain"));
}

TEST(Train, TheHeadsAloneLeaveTheRankingAsItIs) {
  const TrainedShop one;
  trained(one.shop);
  const base::Json heads = trained(one.shop, {.heads_only = true});
  EXPECT_EQ(heads["test"]["ranking"][1]["name"], "transformer alone");
  const auto context = one.shop.open();
  const auto kept = load_pretrained(*context->files, context->path("model/pretrained.safetensors")).value();
  const auto current = load_pretrained(*context->files, context->path("model/model.safetensors")).value();
  EXPECT_TRUE(std::ranges::equal(kept.weights.token_embeddings(), current.weights.token_embeddings()));
}

}  // namespace
}  // namespace beckon::engine
