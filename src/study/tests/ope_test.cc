// A marketer would change the policy, or keep it, on a figure that is wrong or should have been refused.
#include "beckon/study/ope.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "beckon/base/rng.h"
#include "study_files.h"

namespace beckon::study {
namespace {

using base::Json;
using testing::HasSubstr;

struct Row {
  int position, action;
  double propensity, reward;
};

// Two positions, three actions; at position 1 action b is best, at 2 action c. The logger is uniform, the target takes the best with .8.
std::vector<Row> draw(int rows) {
  base::Rng rng(5);
  std::vector<Row> out;
  for (int i = 0; i < rows; ++i) {
    const int position = 1 + i % 2;
    const int action = static_cast<int>(rng.below(3));
    out.push_back({position, action, 1.0 / 3, rng.chance(action == position ? 0.5 : 0.1) ? 1.0 : 0.0});
  }
  return out;
}
constexpr double kTruth = 0.8 * 0.5 + 0.2 * 0.1;

double target_of(const Row& row) { return row.action == row.position ? 0.8 : 0.1; }

std::string log_of(const std::vector<Row>& rows) {
  std::string text = "position,action,p,click,t,customer,t_a,t_b,t_c\n";
  int i = 0;
  for (const Row& row : rows) {
    text += std::to_string(row.position) + "," + std::string(1, static_cast<char>('a' + row.action)) + "," + std::to_string(row.propensity) + "," +
            std::to_string(static_cast<int>(row.reward)) + "," + std::to_string(target_of(row)) + ",c" + std::to_string(i++ / 2) +
            (row.position == 1 ? ",0.1,0.8,0.1\n" : ",0.1,0.1,0.8\n");
  }
  return text;
}

constexpr const char* kPolicy = "position,action,probability\n1,a,0.1\n1,b,0.8\n1,c,0.1\n2,a,0.1\n2,b,0.1\n2,c,0.8\n";

OpeRequest request_of(const std::string& file) {
  OpeRequest request;
  request.file = file;
  request.reward = "click";
  request.propensity = {"p"};
  request.resamples = 200;
  return request;
}

std::string error_of(const OpeRequest& request) {
  const auto answer = evaluate_ope(request);
  return answer.ok() ? std::string() : answer.error().message;
}

double value(const Json& json, const char* name) { return json["estimates"][name]["value"].get<double>(); }

using Ope = Files;

TEST_F(Ope, KnowsTheValueOfAPolicyFromTheLogOfAnother) {
  // The whole command: columns in, value with interval out, page and files written.
  OpeRequest request = request_of(write("log.csv", log_of(draw(4000))));
  request.target = "t";
  request.customer = "customer";
  request.out = path("out");
  const Json json = evaluate_ope(request).value();
  EXPECT_FALSE(json["refused"].get<bool>()) << json["reason"];
  const Json& snipw = json["estimates"]["snipw"];
  EXPECT_LE(snipw["lo"].get<double>(), kTruth);
  EXPECT_GE(snipw["hi"].get<double>(), kTruth);
  EXPECT_EQ(json["headline"], "snipw");
  EXPECT_EQ(json["customers"], 2000);
  EXPECT_FALSE(json["estimates"].contains("dm"));  // nothing is known of the other actions
  EXPECT_GT(snipw["gain"]["lo"].get<double>(), 0);
  EXPECT_TRUE(std::filesystem::exists(path("out/report.html")));
  EXPECT_THAT(json["text"].get<std::string>(), HasSubstr("self-normalised"));
}

TEST_F(Ope, ATableOrColumnsOfTheWholePolicyAllowTheModelsToo) {
  // Both ways of giving the distribution say the same, and DR over actions is more exact than weights alone.
  const std::string file = write("log.csv", log_of(draw(4000)));
  OpeRequest table = request_of(file);
  table.action = "action";
  table.target_table = write("policy.csv", kPolicy);
  table.features = {"position"};
  const Json of_table = evaluate_ope(table).value();
  OpeRequest columns = request_of(file);
  columns.action = "action";
  columns.target_columns = "t_";
  columns.features = {"position"};
  const Json of_columns = evaluate_ope(columns).value();
  for (const char* name : {"ipw", "ipw_clipped", "snipw", "dm", "dr", "sndr", "switch_dr", "dr_os"}) {
    EXPECT_NEAR(value(of_table, name), value(of_columns, name), 1e-12) << name;
  }
  EXPECT_EQ(of_table["headline"], "sndr");
  EXPECT_NEAR(value(of_table, "dr"), kTruth, 3 * of_table["estimates"]["dr"]["std_error"].get<double>());
  EXPECT_TRUE(of_table["estimates"]["dm"]["biased"].get<bool>());
}

TEST_F(Ope, FeaturesWithoutADistributionAreABaselineOnly) {
  // A direct method that knows nothing of other actions would repeat the old policy's value.
  OpeRequest request = request_of(write("log.csv", log_of(draw(3000))));
  request.target = "t";
  request.features = {"position"};
  const Json json = evaluate_ope(request).value();
  EXPECT_EQ(json["reward_model"], "context");
  EXPECT_TRUE(json["estimates"].contains("dr"));
  EXPECT_FALSE(json["estimates"].contains("dm"));
  EXPECT_NEAR(value(json, "sndr"), kTruth, 0.06);
}

TEST_F(Ope, RefusesALogWithOneDominatingWeightOrAHandfulOfRows) {
  // A refused log must not leave a figure behind that somebody quotes.
  std::string dominated = "p,click,t\n";
  std::string handful = "p,click,t\n";
  for (int i = 0; i < 2000; ++i) {
    dominated += i == 7 ? "0.0001,1,1\n" : "0.5,0,0.5\n";
    handful += i < 10 ? "0.05,1,1\n" : "0.95,0,0\n";
  }
  OpeRequest request = request_of(write("dominated.csv", dominated));
  request.target = "t";
  const Json one = evaluate_ope(request).value();
  EXPECT_TRUE(one["refused"].get<bool>());
  EXPECT_THAT(one["reason"].get<std::string>(), HasSubstr("effective sample"));
  EXPECT_NEAR(one["max_weight"].get<double>(), 10000, 1e-6);
  EXPECT_TRUE(one["estimates"].empty());
  request.file = write("handful.csv", handful);
  const Json few = evaluate_ope(request).value();
  EXPECT_TRUE(few["refused"].get<bool>());
  EXPECT_NEAR(few["ess"].get<double>(), 10, 1e-9);
  EXPECT_THAT(few["text"].get<std::string>(), HasSubstr("Refused"));
}

TEST_F(Ope, SeveralLoggersAreWeighedByTheirMixture) {
  // Two policies ran one after the other: their rows belong into one estimate.
  base::Rng rng(8);
  std::string text = "who,action,p_old,p_new,click,t\n";
  for (int i = 0; i < 3000; ++i) {
    const bool old_one = i % 3 != 0;
    const bool good = rng.chance(old_one ? 0.1 : 0.6);
    text += std::string(old_one ? "old" : "new") + (good ? ",good,0.1,0.6," : ",bad,0.9,0.4,") + (rng.chance(good ? 0.5 : 0.1) ? "1" : "0") +
            (good ? ",0.9\n" : ",0.1\n");
  }
  OpeRequest request = request_of(write("two.csv", text));
  request.propensity = {"old=p_old", "new=p_new"};
  request.logger = "who";
  request.target = "t";
  const Json json = evaluate_ope(request).value();
  EXPECT_NEAR(value(json, "ipw"), 0.9 * 0.5 + 0.1 * 0.1, 0.05);
  EXPECT_NEAR(json["max_weight"].get<double>(), 0.9 / (2.0 / 3 * 0.1 + 1.0 / 3 * 0.6), 1e-9);
  request.propensity = {"old=p_old", "other=p_new"};
  EXPECT_THAT(error_of(request), HasSubstr("was shown by 'new'"));
}

TEST_F(Ope, MissingRewardsAreCountedAndBadProbabilitiesRefused) {
  // Holes in a log must be seen: silently dropped they bias what is left.
  std::string text = log_of(draw(2000));
  OpeRequest request = request_of(write("hole.csv", text + "1,a,0.3333,,0.1,x,0.1,0.8,0.1\n1,a,0.3333,NaN,0.1,x,0.1,0.8,0.1\n"));
  request.target = "t";
  const Json json = evaluate_ope(request).value();
  EXPECT_EQ(json["rows_left_out"], 2);
  EXPECT_EQ(json["rows"], 2000);
  EXPECT_THAT(json["warnings"].dump(), HasSubstr("2 rows have no finite click"));
  for (const char* bad : {"1,a,0,1,0.1,x,0.1,0.8,0.1\n", "1,a,1.5,1,0.1,x,0.1,0.8,0.1\n", "1,a,,1,0.1,x,0.1,0.8,0.1\n", "1,a,inf,1,0.1,x,0.1,0.8,0.1\n"}) {
    request.file = write("bad.csv", text + bad);
    EXPECT_THAT(error_of(request), HasSubstr("1 row (first: row 2001) have a propensity")) << bad;
  }
  request.file = write("bad.csv", text + "1,a,0.3,1,1.2,x,0.1,0.8,0.1\n");
  EXPECT_THAT(error_of(request), HasSubstr("target probability"));
}

TEST_F(Ope, SaysWhatIsMissingOrContradictsItself) {
  // Half a request must not be answered with half an estimate.
  const std::string file = write("log.csv", log_of(draw(400)));
  OpeRequest request = request_of(file);
  EXPECT_THAT(error_of(request), HasSubstr("--target COL"));
  request.target_table = write("policy.csv", kPolicy);
  EXPECT_THAT(error_of(request), HasSubstr("--action COL"));
  request.action = "action";
  request.target_table = write("policy.csv", "position,action,probability\n1,a,0.5\n1,b,0.4\n2,c,1\n");
  EXPECT_THAT(error_of(request), HasSubstr("not 1"));
  request.target_table = write("policy.csv", "position,action,probability\n1,a,0.5\n1,b,0.5\n");
  EXPECT_THAT(error_of(request), HasSubstr("has no line for row 2"));
  request.target_table = write("policy.csv", "position,action,probability\n1,a,0.5\n1,b,0.5\n2,a,1\n");
  request.target = "t";
  EXPECT_THAT(error_of(request), HasSubstr("is not the probability of"));
  request = request_of(file);
  request.target = "tt";
  EXPECT_THAT(error_of(request), HasSubstr("no column 'tt'"));
  request.target = "t";
  request.logger = "customer";
  EXPECT_THAT(error_of(request), HasSubstr("several loggers"));
}

TEST_F(Ope, SlatesHaveValuesOfTheirOwn) {
  // A box of two items is one decision: its value is per box.
  std::string text = "box,place,p,click,t\n";
  base::Rng rng(3);
  for (int box = 0; box < 1500; ++box) {
    for (int place = 1; place <= 2; ++place) {
      const bool good = rng.chance(0.5);
      text += std::to_string(box) + "," + std::to_string(place) + ",0.5," + (rng.chance(good ? 0.4 : 0.2) ? "1" : "0") + (good ? ",0.7\n" : ",0.3\n");
    }
  }
  OpeRequest request = request_of(write("slates.csv", text));
  request.target = "t";
  request.slate = "box";
  request.position = "place";
  const Json json = evaluate_ope(request).value();
  for (const char* name : {"sips", "iips", "cascade"}) {
    EXPECT_NEAR(json["slates"][name]["value"].get<double>(), 2 * 0.34, 0.08) << name;
  }
  EXPECT_THAT(json["text"].get<std::string>(), HasSubstr("Slates"));
}

}  // namespace
}  // namespace beckon::study
