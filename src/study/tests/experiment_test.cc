// An experiment would be believed that is broken, or its effect missed, if one of these broke.
#include "beckon/study/experiment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "beckon/base/rng.h"
#include "study_files.h"

namespace beckon::study {
namespace {

using base::Json;
using testing::HasSubstr;

// Visits and spend go up by the effect in arm "mail"; spend before tells 64 % of the variance of spend.
std::string world(int customers, double effect, int seed = 1) {
  base::Rng rng(static_cast<std::uint64_t>(seed));
  std::string text = "customer,arm,visit,spend,before,sessions,clicks,segment\n";
  for (int i = 0; i < customers; ++i) {
    const bool mail = i % 2 == 1;
    const double before = 10 + rng.normal();
    const double paid = 0.8 * before + 0.6 * rng.normal() + (mail ? effect : 0);
    const bool visit = rng.chance(mail ? 0.1 + effect / 10 : 0.1);
    const auto sessions = 1 + rng.poisson(3);
    int clicks = 0;
    for (int s = 0; s < sessions; ++s) {
      clicks += rng.chance(mail ? 0.2 + effect / 10 : 0.2) ? 1 : 0;
    }
    text += "c" + std::to_string(i) + (mail ? ",mail," : ",control,") + (visit ? "1," : "0,") + std::to_string(paid) + "," + std::to_string(before) + "," +
            std::to_string(sessions) + "," + std::to_string(clicks) + (before > 10 ? ",high\n" : ",low\n");
  }
  return text;
}

ExperimentRequest request_of(const std::string& file) {
  ExperimentRequest request;
  request.file = file;
  request.arm = "arm";
  request.metrics = {"visit", "spend"};
  request.replays = 200;
  request.resamples = 200;
  return request;
}

std::string error_of(const ExperimentRequest& request) {
  const auto answer = evaluate_experiment(request);
  return answer.ok() ? std::string() : answer.error().message;
}

using Experiment = Files;

TEST_F(Experiment, FindsTheEffectAndItsIntervalByEveryMethod) {
  // The whole command: difference, daily interval, CUPED, strata, ratio, smallest effect, A/A, page and files.
  ExperimentRequest request = request_of(write("world.csv", world(4000, 0.3)));
  request.customer = "customer";
  request.covariate = "before";
  request.strata = "segment";
  request.ratios = {"clicks/sessions"};
  request.out = path("out");
  const Json json = evaluate_experiment(request).value();
  EXPECT_FALSE(json["srm"]["warning"].get<bool>());
  EXPECT_EQ(json["arms"]["mail"]["customers"], 2000);
  ASSERT_EQ(json["metrics"].size(), 3U);
  const std::vector<double> truth{0.03, 0.3, 0.03};
  for (std::size_t i = 0; i < 3; ++i) {
    const Json& metric = json["metrics"][i];
    EXPECT_LE(metric["lo"].get<double>(), truth[i]) << metric["name"];
    EXPECT_GE(metric["hi"].get<double>(), truth[i]) << metric["name"];
    EXPECT_LT(metric["always_valid_lo"].get<double>(), metric["lo"].get<double>());
    EXPECT_GT(metric["always_valid_hi"].get<double>(), metric["hi"].get<double>());
    EXPECT_GE(metric["p_holm"].get<double>(), metric["p_bh"].get<double>());
    EXPECT_GE(metric["p_bh"].get<double>(), metric["p"].get<double>());
    EXPECT_LE(metric["aa"]["lo"].get<double>(), 0.05);
    EXPECT_GE(metric["aa"]["hi"].get<double>(), 0.05);
    EXPECT_EQ(metric["control"], "control");
  }
  const Json& spend = json["metrics"][1];
  EXPECT_NEAR(spend["cuped"]["variance_kept"].get<double>(), 0.36, 0.05);
  EXPECT_NEAR(spend["cuped"]["difference"].get<double>(), 0.3, 0.08);
  EXPECT_LT(spend["post_stratified"]["variance_kept"].get<double>(), 0.75);
  EXPECT_NEAR(spend["mde"].get<double>(), 2.8016 * spend["std_error"].get<double>(), 1e-3);
  EXPECT_EQ(json["metrics"][0]["kind"], "share");
  EXPECT_EQ(json["metrics"][2]["kind"], "ratio");
  EXPECT_TRUE(std::filesystem::exists(path("out/report.html")));
  EXPECT_THAT(json["text"].get<std::string>(), HasSubstr("mail less control"));
}

TEST_F(Experiment, ABrokenSplitIsAnAlarmUnlessItWasIntended) {
  // Lost customers make any difference; the alarm comes before the figures.
  std::string text = world(4000, 0);
  text.resize(text.size() / 2);
  text.resize(text.rfind('\n') + 1);
  for (int i = 0; i < 300; ++i) {
    text += "x" + std::to_string(i) + ",control,0,5,10,1,0,low\n";
  }
  ExperimentRequest request = request_of(write("broken.csv", text));
  const Json json = evaluate_experiment(request).value();
  EXPECT_TRUE(json["srm"]["warning"].get<bool>());
  EXPECT_LT(json["srm"]["p"].get<double>(), 0.001);
  EXPECT_THAT(json["text"].get<std::string>(), HasSubstr("cannot be trusted"));
  request.expected = "1300:1000";
  EXPECT_FALSE(evaluate_experiment(request).value()["srm"]["warning"].get<bool>());
  request.expected = "1:1:1";
  EXPECT_THAT(error_of(request), HasSubstr("control:mail"));
  request.expected = "1:x";
  EXPECT_THAT(error_of(request), HasSubstr("'x' is no positive number"));
}

TEST_F(Experiment, WhoWasInTwoArmsIsReportedAndLeftOut) {
  // He saw both, so he says nothing of either.
  const std::string text = world(1000, 0) + "c0,mail,1,9,10,1,0,low\nc2,mail,1,9,10,1,0,low\nc1,mail,0,1,10,1,0,low\n";
  ExperimentRequest request = request_of(write("twice.csv", text));
  request.customer = "customer";
  const Json json = evaluate_experiment(request).value();
  EXPECT_EQ(json["duplicates"]["customers_in_several_arms"], 2);
  EXPECT_EQ(json["arms"]["control"]["customers"], 498);
  EXPECT_EQ(json["arms"]["mail"]["customers"], 500);  // c1 came twice, in the same arm: his rows are added up
  EXPECT_THAT(json["warnings"].dump(), HasSubstr("2 customers were in more than one arm"));
}

TEST_F(Experiment, RowsOfACustomerAreOneCustomer) {
  // Every row doubled under the same customer: sums double, certainty does not.
  const std::string once = world(600, 0.3);
  ExperimentRequest request = request_of(write("once.csv", once));
  request.customer = "customer";
  request.metrics = {"spend"};
  const Json single = evaluate_experiment(request).value();
  request.file = write("double.csv", once + once.substr(once.find('\n') + 1));
  const Json twice = evaluate_experiment(request).value();
  EXPECT_NEAR(twice["metrics"][0]["difference"].get<double>(), 2 * single["metrics"][0]["difference"].get<double>(), 1e-9);
  EXPECT_NEAR(twice["metrics"][0]["p"].get<double>(), single["metrics"][0]["p"].get<double>(), 1e-9);
  EXPECT_EQ(twice["customers"], 600);
}

TEST_F(Experiment, MissingAndInfiniteOutcomesAreCounted) {
  // If one arm loses its outcomes more often, who is left cannot be compared.
  std::string text = "arm,spend\n";
  for (int i = 0; i < 1000; ++i) {
    text += std::string(i % 2 == 0 ? "a," : "b,") + (i % 2 == 1 && i % 5 == 0 ? "" : std::to_string(i % 17)) + "\n";
  }
  text += "a,inf\na,nan\n,3\n";
  ExperimentRequest request = request_of(write("holes.csv", text));
  request.metrics = {"spend"};
  const Json json = evaluate_experiment(request).value();
  EXPECT_EQ(json["arms"]["b"]["metrics"]["spend"]["missing"], 100);
  EXPECT_EQ(json["arms"]["a"]["metrics"]["spend"]["missing"], 2);
  EXPECT_EQ(json["rows_without_arm"], 1);
  EXPECT_THAT(json["warnings"].dump(), HasSubstr("who is left cannot be compared"));
  EXPECT_TRUE(json["metrics"][0]["lo"].is_number());
}

TEST_F(Experiment, OneArmOrNoOutcomeIsAnErrorThatSaysSo) {
  // No comparison may be made up.
  ExperimentRequest request = request_of(write("one.csv", "arm,spend\na,1\na,2\na,3\n"));
  request.metrics = {"spend"};
  EXPECT_THAT(error_of(request), HasSubstr("names 1 arm ('a')"));
  request.file = write("empty.csv", "arm,spend\na,1\na,2\nb,\nb,\n");
  EXPECT_THAT(error_of(request), HasSubstr("spend, b against a"));
  request.file = write("two.csv", "arm,spend\na,1\na,2\nb,3\nb,4\n");
  request.metrics = {"spent"};
  EXPECT_THAT(error_of(request), HasSubstr("did you mean 'spend'"));
  request.metrics = {};
  EXPECT_THAT(error_of(request), HasSubstr("name a metric"));
  request.ratios = {"spend"};
  EXPECT_THAT(error_of(request), HasSubstr("NUMERATOR/DENOMINATOR"));
  request.ratios = {};
  request.metrics = {"spend"};
  request.control = "c";
  EXPECT_THAT(error_of(request), HasSubstr("--control c is no arm"));
}

TEST_F(Experiment, AConstantArmIsNoCertainty) {
  // Nobody bought in both arms: no interval, no p-value, no crash.
  std::string text = "arm,spend\n";
  for (int i = 0; i < 100; ++i) {
    text += i % 2 == 0 ? "1,0\n" : "2,0\n";
  }
  ExperimentRequest request = request_of(write("constant.csv", text));
  request.metrics = {"spend"};
  const Json json = evaluate_experiment(request).value();
  EXPECT_TRUE(json["metrics"][0]["lo"].is_number());  // shares: Wilson's interval knows that 0 of 50 is not never
  request.file = write("seven.csv", [&] {
    std::string other = text;
    for (auto place = other.find(",0\n"); place != std::string::npos; place = other.find(",0\n")) {
      other.replace(place, 3, ",7\n");
    }
    return other;
  }());
  const Json seven = evaluate_experiment(request).value();
  EXPECT_TRUE(seven["metrics"][0]["lo"].is_null());
  EXPECT_TRUE(seven["metrics"][0]["p"].is_null());
  EXPECT_EQ(seven["metrics"][0]["difference"], 0);
  EXPECT_THAT(seven["warnings"].dump(), HasSubstr("does not vary"));
}

TEST_F(Experiment, WinsorisingTamesOneHugeOrder) {
  // One wholesaler must not decide, and the figure says that it is of the cut metric.
  std::string text = world(1000, 0.3) + "big,mail,0,100000,10,1,0,low\nsmall,control,0,9,10,1,0,low\n";
  ExperimentRequest request = request_of(write("huge.csv", text));
  request.metrics = {"spend"};
  const double wild = evaluate_experiment(request).value()["metrics"][0]["std_error"].get<double>();
  request.winsor = 0.99;
  const Json tame = evaluate_experiment(request).value();
  EXPECT_LT(tame["metrics"][0]["std_error"].get<double>(), wild / 100);
  EXPECT_NEAR(tame["metrics"][0]["difference"].get<double>(), 0.3, 0.2);
  EXPECT_EQ(tame["winsor"], 0.99);
}

TEST_F(Experiment, ArmsThatDifferedBeforeAreAWarning) {
  // A difference that was there before the experiment is no effect.
  base::Rng rng(2);
  std::string text = "arm,spend,before\n";
  for (int i = 0; i < 1000; ++i) {
    const double before = rng.normal() + (i % 2 == 0 ? 0.5 : 0);
    text += std::string(i % 2 == 0 ? "a," : "b,") + std::to_string(before + rng.normal()) + "," + std::to_string(before) + "\n";
  }
  ExperimentRequest request = request_of(write("before.csv", text));
  request.metrics = {"spend"};
  request.covariate = "before";
  EXPECT_THAT(evaluate_experiment(request).value()["warnings"].dump(), HasSubstr("differed in the covariate before"));
}

}  // namespace
}  // namespace beckon::study
