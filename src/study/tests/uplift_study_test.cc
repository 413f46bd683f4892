// A marketer hands in a file as it is: constant columns, holes, outcomes that leaked into the features. Each must be refused or handled aloud.
#include <gtest/gtest.h>

#include <filesystem>

#include "beckon/base/rng.h"
#include "beckon/study/study.h"
#include "study_files.h"

namespace beckon::study {
namespace {

class UpliftFile : public Files {
 protected:
  UpliftFile() {
    request.treatment = "group";
    request.outcome = "bought";
    request.seeds = {1};
    request.folds = 3;
    request.resamples = 100;
    request.nested = false;
    request.quiet = true;
  }

  // A customer a line: age 20 … 60 moves the effect, city nothing.
  static std::string lines(int rows, std::uint64_t seed = 1) {
    std::string out = "id,age,city,day,group,bought,spend\n";
    base::Rng rng(seed);
    for (int i = 0; i < rows; ++i) {
      const int age = 20 + static_cast<int>(rng.below(41));
      const bool treated = rng.chance(0.5);
      const bool bought = rng.chance(0.1 + (treated ? 0.01 * (age - 20) : 0));
      out += "c" + std::to_string(i) + "," + std::to_string(age) + "," + (rng.chance(0.5) ? "Rome" : "Oslo") + ",2026-01-0" +
             std::to_string(1 + rng.below(9)) + "," + (treated ? "mail" : "none") + "," + (bought ? "1" : "0") + "," +
             (bought ? std::to_string(5 + rng.below(50)) : "0") + "\n";
    }
    return out;
  }
  base::Result<base::Json> run(const std::string& text) {
    request.file = write("f.csv", text);
    return study_uplift(request, stop_);
  }
  std::string refusal(const std::string& text) {
    const auto json = run(text);
    EXPECT_FALSE(json.ok());
    return json.ok() ? "" : json.error().message;
  }

  UpliftRequest request;
  std::atomic<bool> stop_{false};
};

TEST_F(UpliftFile, FindsTheEffectAndLeavesOutWhatIsNoFeature) {
  // "spend" tells who bought: a learner that saw it would praise itself. Ids and dates teach nothing that lasts.
  request.out = path("out");
  const auto json = run(lines(4000));
  ASSERT_TRUE(json.ok()) << json.error().message;
  EXPECT_EQ((*json)["features"], base::Json({"age", "city"}));
  ASSERT_EQ((*json)["left_out"].size(), 3U);
  EXPECT_EQ((*json)["control_value"], "none");
  EXPECT_EQ((*json)["verdict"], "rank");
  EXPECT_EQ((*json)["grade"], "randomised");
  EXPECT_NEAR((*json)["effect"]["value"].get<double>(), 0.2, 0.04);
  EXPECT_GT((*json)["chosen_qini_e4"].get<double>(), 60);
  EXPECT_EQ((*json)["learners"].size(), 17U);
  EXPECT_TRUE((*json)["nested_qini_e4"].is_null());
  EXPECT_TRUE(std::filesystem::exists(path("out/report.html")));
  EXPECT_NE((*json)["text"].get<std::string>().find("Qini"), std::string::npos);
}

TEST_F(UpliftFile, TheOtherFileJudgesThePolicy) {
  // Profit on customers that nobody learned from: the figure that others publish.
  request.test_file = write("test.csv", lines(4000, 2));
  request.value = 10;
  request.cost = 2;
  request.with_economics = true;
  const auto json = run(lines(4000));
  ASSERT_TRUE(json.ok()) << json.error().message;
  const base::Json& policy = (*json)["policy"];
  // Worth it above age 40: half of all, effect 0.3 there: 0.5·(10·0.3 - 2) = 0.5 a customer.
  EXPECT_NEAR(policy["share_treated"].get<double>(), 0.5, 0.15);
  EXPECT_NEAR(policy["profit_per_customer"].get<double>(), 0.5, 0.3);
  EXPECT_NEAR(policy["irr"].get<double>(), 0.3, 0.06);
  EXPECT_GT(policy["nir"].get<double>(), 0);
  EXPECT_EQ((*json)["test_policy"]["rows"], 4000);
}

TEST_F(UpliftFile, SeveralArmsAreStudiedEachAgainstControl) {
  // Two mails and a control in one file: a mean over both mails would hide that one harms.
  std::string text = "age,group,bought\n";
  base::Rng rng(3);
  for (int i = 0; i < 3000; ++i) {
    const char* arms[] = {"0", "good", "bad"};
    const std::uint64_t arm = rng.below(3);
    text += std::to_string(rng.below(50)) + "," + arms[arm] + "," + (rng.chance(arm == 1 ? 0.5 : arm == 2 ? 0.1 : 0.3) ? "1" : "0") + "\n";
  }
  const auto json = run(text);
  ASSERT_TRUE(json.ok()) << json.error().message;
  EXPECT_EQ((*json)["which_arm"]["best_arm"], "good");
  EXPECT_FALSE((*json)["which_arm"]["rule_is_better"]);  // the columns tell nobody apart
  EXPECT_NEAR((*json)["which_arm"]["arms"][0]["gain"].get<double>() + (*json)["which_arm"]["arms"][1]["gain"].get<double>(), 0.0, 0.08);
  ASSERT_EQ((*json)["arms"].size(), 2U);
  for (const auto& arm : (*json)["arms"]) {
    EXPECT_NEAR(arm["effect"]["value"].get<double>(), arm["arm"] == "good" ? 0.2 : -0.2, 0.06);
    EXPECT_EQ(arm["chosen"], arm["arm"] == "good" ? "treat_all" : "treat_none");
  }
}

TEST_F(UpliftFile, WhoWasChosenByTheColumnsIsGradedAdjusted) {
  // Without a draw the words "lift" and "incremental" are not earned.
  std::string text = "age,group,bought\n";
  base::Rng rng(3);
  for (int i = 0; i < 3000; ++i) {
    const auto age = static_cast<double>(rng.below(50));
    const bool treated = rng.chance(0.2 + age / 83);
    text += std::to_string(age) + "," + (treated ? "1" : "0") + "," + (rng.chance(0.1 + age / 100) ? "1" : "0") + "\n";
  }
  request.features = {"age"};
  const auto json = run(text);
  ASSERT_TRUE(json.ok()) << json.error().message;
  EXPECT_EQ((*json)["grade"], "adjusted");
  // No effect at all: the plain difference would be 0.13.
  EXPECT_NEAR((*json)["effect"]["value"].get<double>(), 0, 0.06);
}

TEST_F(UpliftFile, BadFilesAreRefusedWithWhatWouldMendThem) {
  // A crash or a figure made of nothing would both cost the shop a campaign.
  EXPECT_NE(refusal("age,group,bought\n1,1,0\n2,1,1\n").find("an effect needs rows with and without treatment"), std::string::npos);
  EXPECT_NE(refusal("age,group,bought\n1,a,0\n2,b,1\n").find("Say --control VALUE, one of 'a', 'b'"), std::string::npos);
  EXPECT_NE(refusal("age,group,bought\n1,0,0\n2,1,1\n").find("collect more"), std::string::npos);
  EXPECT_NE(refusal("age,group,sold\n1,0,0\n").find("no column 'bought'"), std::string::npos);
  EXPECT_NE(refusal("age,group,bought\n1,0,yes\n2,1,no\n").find("where numbers are needed"), std::string::npos);
  EXPECT_NE(refusal("age,group,bought\n7,0,1\n7,1,0\n").find("no feature differs"), std::string::npos);
  EXPECT_NE(refusal("").find("is empty"), std::string::npos);
  request.features = {"bought"};
  EXPECT_NE(refusal(lines(100)).find("which is the outcome"), std::string::npos);
  request.features = {"agee"};
  EXPECT_NE(refusal(lines(100)).find("did you mean 'age'"), std::string::npos);
  request.features = {"age"};
  request.propensity = "spend";
  EXPECT_NE(refusal(lines(100)).find("above 0 and below 1"), std::string::npos);
}

TEST_F(UpliftFile, HolesAndOddOutcomesAreHandledAloud) {
  // Rows without an outcome are counted, 0/1/2 is an amount and said to be one, a customer in both arms counts for none.
  std::string text = "who,age,group,bought\n";
  base::Rng rng(4);
  for (int i = 0; i < 2000; ++i) {
    text += "c" + std::to_string(i / 2) + "," + (i % 50 == 0 ? "" : std::to_string(rng.below(50))) + "," + (i / 2 % 2 == 0 || i == 1 ? "1" : "0") + "," +
            (i % 100 == 7 ? "" : i % 100 == 9 ? "inf" : std::to_string(rng.below(3))) + "\n";
  }
  text += "c3,20,1,1\nbroken\n";
  request.customer = "who";
  const auto json = run(text);
  ASSERT_TRUE(json.ok()) << json.error().message;
  EXPECT_EQ((*json)["counts"]["without_outcome"], 40);
  EXPECT_EQ((*json)["counts"]["rejected"], 1);
  EXPECT_EQ((*json)["counts"]["customers_in_several_arms"], 1);
  const std::string notes = (*json)["notes"].dump();
  EXPECT_NE(notes.find("differences of its mean"), std::string::npos) << notes;
  // "inf" in the outcome and the row without fields are named with their lines, not only missed.
  EXPECT_NE(notes.find("bought: 20 rows hold no finite number (first: line 11)"), std::string::npos) << notes;
  EXPECT_NE(notes.find("1 row could not be read"), std::string::npos) << notes;
  EXPECT_EQ((*json)["learners"].size(), 15U);
}

TEST_F(UpliftFile, AMillionLabelsDoNotBecomeAMillionColumns) {
  // A column of nearly different texts (a name, a hash) must not eat the memory.
  std::string text = "hash,age,group,bought\n";
  base::Rng rng(4);
  for (int i = 0; i < 20'000; ++i) {
    text += std::to_string(rng.next_u64()) + "x," + std::to_string(rng.below(50)) + "," + (rng.chance(0.5) ? "1" : "0") + "," + (rng.chance(0.5) ? "1" : "0") + "\n";
  }
  request.features = {"hash", "age"};
  request.resamples = 100;
  const auto json = run(text);
  ASSERT_TRUE(json.ok()) << json.error().message;
  EXPECT_NE((*json)["verdict"], "rank");
  request.features.clear();
  EXPECT_EQ(run(text).value()["features"], base::Json({"age"}));
}

}  // namespace
}  // namespace beckon::study
