// beckon evaluate price would answer from rows it should refuse, or call a price random that is not, if one of these broke.
#include <gtest/gtest.h>

#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "beckon/base/rng.h"
#include "beckon/study/study.h"

namespace beckon::study {
namespace {

class Price : public testing::Test {
 protected:
  std::string write(const std::string& text) {
    const std::string path = (std::filesystem::path(testing::TempDir()) / ("prices_" + std::to_string(::getpid()) + ".csv")).string();
    std::ofstream(path) << text;
    return path;
  }
  static PriceRequest request(const std::string& file) {
    PriceRequest out;
    out.file = file;
    out.price = "price";
    out.quantity = "sold";
    out.permutations = 99;
    return out;
  }
  static std::string kinds(const base::Json& answer) {
    std::string out;
    for (const auto& warning : answer["warnings"]) {
      out += warning["kind"].get<std::string>() + " ";
    }
    return out;
  }
};

// Loans: the rate is drawn within the class, the risky class pays more and buys less.
std::string loans(std::size_t rows, std::uint64_t seed = 1) {
  base::Rng rng(seed);
  std::string out = "price,sold,class,age,letter,contract,loan,day\n";
  for (std::size_t i = 0; i < rows; ++i) {
    const int risky = rng.chance(0.5) ? 1 : 0;
    const double asked = std::round(4 * (4 + 4 * risky + 4 * rng.uniform())) / 4;
    const bool sold = rng.chance(0.5 - 0.2 * risky - 0.02 * asked);
    const double contract = rng.chance(0.5) ? asked : asked - 0.25;
    out += std::to_string(asked) + "," + (sold ? "1" : "0") + "," + (risky ? "high" : "low") + "," + std::to_string(20 + rng.below(50)) + "," +
           (rng.chance(0.5) ? "a" : "b") + "," + std::to_string(contract) + "," + (sold ? std::to_string(100 + rng.below(900)) : "") + ",2024-01-" +
           std::to_string(10 + rng.below(20)) + "\n";
  }
  return out;
}

TEST_F(Price, WithinItsCellsTheAnswerIsRightAndNobodyPredictsThePrice) {
  PriceRequest asked = request(write(loans(6000)));
  asked.randomised_within = {"class"};
  asked.by = {"class"};
  const auto answer = evaluate_price(asked);
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  const double truth = -0.02 * 8 / (0.4 - 0.16);
  EXPECT_LT((*answer)["pooled"]["lo"].get<double>(), truth);
  EXPECT_GT((*answer)["pooled"]["hi"].get<double>(), truth);
  EXPECT_EQ((*answer)["pooled"]["grade"], "randomised");
  EXPECT_EQ((*answer)["warnings"].size(), 0u) << kinds(*answer);
  EXPECT_EQ((*answer)["groups"].size(), 2u);
  EXPECT_EQ((*answer)["left_out"].size(), 2u);  // contract and loan
  EXPECT_GT((*answer)["curve"]["points"][0]["quantity"].get<double>(), (*answer)["curve"]["points"][24]["quantity"].get<double>());
}

TEST_F(Price, WithoutCellsTheWarningNamesTheClass) {
  PriceRequest asked = request(write(loans(6000)));
  const auto answer = evaluate_price(asked);
  ASSERT_TRUE(answer.ok());
  EXPECT_LT((*answer)["pooled"]["value"].get<double>(), -1.2);  // twice the truth
  EXPECT_EQ((*answer)["pooled"]["grade"], "not credible");
  EXPECT_EQ((*answer)["warnings"][0]["kind"], "price_predicted");
  EXPECT_EQ((*answer)["warnings"][0]["columns"], base::Json::array({"class"}));
}

TEST_F(Price, AShuffledPriceRaisesNoWarningAndHasNoEffect) {
  PriceRequest asked = request(write(loans(4000)));
  asked.placebo = "shuffle";
  const auto answer = evaluate_price(asked);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ((*answer)["warnings"].size(), 0u) << kinds(*answer);
  EXPECT_LT((*answer)["pooled"]["lo"].get<double>(), 0);
  EXPECT_GT((*answer)["pooled"]["hi"].get<double>(), 0);
}

TEST_F(Price, AdjustingForTheClassIsAsGood) {
  PriceRequest asked = request(write(loans(6000)));
  asked.features = {"class"};
  const auto answer = evaluate_price(asked);
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ((*answer)["pooled"]["grade"], "adjusted");
  EXPECT_NEAR((*answer)["pooled"]["value"].get<double>(), -0.02 * 8 / (0.4 - 0.16), 0.25);
  EXPECT_LT((*answer)["plain"]["value"].get<double>(), -1.2);
}

TEST_F(Price, ForbiddenFeaturesNeedAnAudit) {
  PriceRequest asked = request(write(loans(500)));
  asked.features = {"class", "age"};
  const auto refused = evaluate_price(asked);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, base::ErrorCode::kInvalidArgument);
  EXPECT_NE(refused.error().message.find("'age'"), std::string::npos);
  asked.audit = true;
  EXPECT_TRUE(evaluate_price(asked).ok());
}

TEST_F(Price, AFeatureThatCameAfterThePriceIsFound) {
  // Adjusting for the loan that was paid out takes the whole effect away.
  PriceRequest asked = request(write(loans(2000)));
  asked.features = {"class", "loan"};
  const auto answer = evaluate_price(asked);
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_NE(kinds(*answer).find("feature_after_price"), std::string::npos);
  EXPECT_EQ((*answer)["pooled"]["grade"], "not credible");
}

TEST_F(Price, NothingElseToAskIsSaid) {
  std::string text = "price,sold\n";
  base::Rng rng(2);
  for (int i = 0; i < 200; ++i) {
    text += std::to_string(1 + rng.uniform()) + "," + std::to_string(10 + 5 * rng.uniform()) + "\n";
  }
  const auto answer = evaluate_price(request(write(text)));
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(kinds(*answer), "randomisation_not_stated ");
}

TEST_F(Price, BadRowsAreCountedAndLeftOut) {
  std::string text = loans(300);
  text += "0,1,low,30,a,1,,2024-01-11\n-2,1,low,30,a,1,,2024-01-11\n,1,low,30,a,1,,2024-01-11\nnan,0,low,30,a,1,,2024-01-11\n5,,low,30,a,1,,2024-01-11\n"
          "inf,1,low,30,a,1,,2024-01-11\n5,-1,low,30,a,1,,2024-01-11\n";
  const auto answer = evaluate_price(request(write(text)));
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  const base::Json& rows = (*answer)["rows"];
  EXPECT_EQ(rows["read"], 307);
  EXPECT_EQ(rows["used"], 300);
  EXPECT_EQ(rows["price_missing"], 3);  // empty, nan, inf
  EXPECT_EQ(rows["price_not_positive"], 2);
  EXPECT_EQ(rows["quantity_missing"], 1);
  EXPECT_EQ(rows["quantity_negative"], 1);
}

TEST_F(Price, RefusesWhatCannotAnswer) {
  // Each of these once asked would otherwise print a number.
  const auto code_of = [](const base::Result<base::Json>& answer) { return answer.ok() ? std::string("answered") : answer.error().message; };
  std::string constant = "price,sold,x\n";
  std::string dates = "price,sold,x\n";
  for (int i = 0; i < 60; ++i) {
    constant += "2.5," + std::to_string(1 + i % 5) + "," + std::to_string(i % 3) + "\n";
    dates += "2024-01-" + std::to_string(10 + i % 20) + "," + std::to_string(1 + i % 5) + ",1\n";
  }
  EXPECT_NE(code_of(evaluate_price(request(write(constant)))).find("the same on every row"), std::string::npos);
  EXPECT_NE(code_of(evaluate_price(request(write(dates)))).find("dates"), std::string::npos);
  EXPECT_NE(code_of(evaluate_price(request(write("price,sold\n1,2\n2,1\n")))).find("30 are needed"), std::string::npos);
  PriceRequest asked = request(write(loans(300)));
  asked.price = "prices";
  EXPECT_NE(code_of(evaluate_price(asked)).find("did you mean 'price'"), std::string::npos);
  asked = request(asked.file);
  asked.randomised_within = {"price"};
  EXPECT_NE(code_of(evaluate_price(asked)).find("does not vary inside the cells"), std::string::npos);
  asked = request(asked.file);
  asked.where = {"class"};
  EXPECT_NE(code_of(evaluate_price(asked)).find("column=value"), std::string::npos);
}

TEST_F(Price, ManyGroupsAndOneRowGroupsAreAnswered) {
  // A shop's items number in the tens of thousands, most with a handful of sales.
  std::string text = "price,sold,item,order\n";
  base::Rng rng(3);
  for (int i = 0; i < 30000; ++i) {
    const bool often = i % 2 == 0;
    text += std::to_string(1 + rng.uniform()) + "," + std::to_string(10 + 5 * rng.uniform()) + ",i" + std::to_string(often ? i % 50 : i) + ",o" +
            std::to_string(i) + "\n";
  }
  PriceRequest asked = request(write(text));
  asked.by = {"item"};
  const auto answer = evaluate_price(asked);
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ((*answer)["groups_total"], 15025);
  EXPECT_EQ((*answer)["groups"].size(), 5000u);
  EXPECT_TRUE((*answer)["groups"][4999]["raw"].is_null());
  EXPECT_TRUE((*answer)["groups"][4999]["shrunk"]["value"].is_number());
  bool told = false;
  for (const auto& note : (*answer)["notes"]) {
    told = told || note.get<std::string>().find("order: 30000 values on 30000 rows, an id: left out") != std::string::npos;
  }
  EXPECT_TRUE(told);
}

TEST_F(Price, WhereKeepsTheRowsThatMatch) {
  PriceRequest asked = request(write(loans(1000)));
  asked.where = {"class=high"};
  const auto answer = evaluate_price(asked);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ((*answer)["rows"]["used"].get<int>() + (*answer)["rows"]["outside_condition"].get<int>(), 1000);
  EXPECT_GT((*answer)["pooled"]["mean_price"].get<double>(), 8);
}

TEST_F(Price, WritesItsPageAndTheSameBytesTwice) {
  PriceRequest asked = request(write(loans(800)));
  asked.by = {"class"};
  asked.out = testing::TempDir() + "prices_out";
  const auto once = evaluate_price(asked);
  base::ThreadExecutor two(2);
  asked.executor = &two;
  const auto twice = evaluate_price(asked);
  ASSERT_TRUE(once.ok() && twice.ok());
  EXPECT_EQ(once->dump(), twice->dump());
  EXPECT_TRUE(std::filesystem::exists(asked.out + "/report.html"));
  EXPECT_TRUE(std::filesystem::exists(asked.out + "/report.json"));
}

}  // namespace
}  // namespace beckon::study
