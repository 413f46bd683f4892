// Figures would flatter if the test part reached the training, or could not be compared with print if the cut were another one.
#include "beckon/evaluate/protocol.h"

#include "world.h"

namespace beckon::evaluate {
namespace {

SplitOptions at(Protocol protocol, double day_of_cut, bool filter = false) {
  SplitOptions options;
  options.protocol = protocol;
  options.split_at = day(day_of_cut);
  options.filter_seen = filter;
  return options;
}

TEST(Protocol, LeaveOneOutTestsTheLastAndChoosesOnTheLastButOne) {
  // One step too many in training and the answer is known beforehand.
  Data data = data_of({{1, 2, 3, 4}, {1, 2}, {}, {2, 3, 1}});
  const auto cut = split(data, {}).value();
  EXPECT_EQ(cut.train_until, (std::vector<std::size_t>{2, 2, 0, 1}));
  EXPECT_EQ(cut.known_until, cut.train_until);
  EXPECT_EQ(cut.too_short, 2);
  ASSERT_EQ(cut.test.size(), 2U);
  EXPECT_EQ(cut.test[0].seen, 3U);
  EXPECT_EQ(cut.validation[0].seen, 2U);
  EXPECT_EQ(wanted_of(data, cut.validation[0]), std::vector<std::string>{"3"});
  EXPECT_EQ(wanted_of(data, cut.test[1]), std::vector<std::string>{"1"});
  EXPECT_EQ(wanted_of(data, cut.test[0]), std::vector<std::string>{"?"});  // item 4 is in the test alone
  EXPECT_EQ(cut.unknown_targets, 1);
}

TEST(Protocol, TokensDoNotDependOnTheTestPart) {
  // Else other test targets would shuffle the rows of the item table, and with them every random start.
  Data a = data_of({{5, 2, 2, 5}, {2, 3, 5, 2}});
  Data b = data_of({{5, 2, 2, 3}, {2, 3, 5, 5}});
  const auto cut_a = split(a, {}).value();
  const auto cut_b = split(b, {}).value();
  EXPECT_EQ(a.set.vocabulary.items(), b.set.vocabulary.items());
  EXPECT_EQ(a.set.vocabulary.items(), (std::vector<std::string>{"", "2", "5", "3"}));  // 3 times, twice, once before the test
}

TEST(Protocol, NextBasketIsTheFirstOrderAfterTheCut) {
  // Lines of a later order, or the rest of an order that began before the cut, would be another question than the one in print.
  Data data = timed_data_of({{{1, 1, 10}, {5, 2, 11}, {5, 3, 11}, {21, 2, 12}, {21.1, 1, 12}, {21.1, 2, 12}, {21.2, 3, 13}},
                             {{22, 1, 14}},                      // nothing before
                             {{3, 1, 15}, {18, 3, 16}},          // nothing after
                             {{4, 2, 0}, {25, 3, 0}, {25.01, 1, 0}, {25.2, 2, 0}}});  // no order ids: half an hour apart is another visit
  const auto cut = split(data, at(Protocol::kNextBasket, 20)).value();
  EXPECT_EQ(cut.test_at, day(20));
  EXPECT_EQ(cut.validation_at, day(5));  // 0.9 quantile of the six steps before, by day
  EXPECT_EQ(cut.too_short, 1);
  ASSERT_EQ(cut.test.size(), 2U);
  EXPECT_EQ(cut.test[0].seen, 3U);
  EXPECT_EQ(wanted_of(data, cut.test[0]), (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(wanted_of(data, cut.test[1]), (std::vector<std::string>{"1", "3"}));
  ASSERT_EQ(cut.validation.size(), 2U);
  EXPECT_EQ(wanted_of(data, cut.validation[0]), (std::vector<std::string>{"2", "3"}));
  EXPECT_EQ(cut.train_until, (std::vector<std::size_t>{1, 0, 1, 1}));
  EXPECT_EQ(cut.known_until, (std::vector<std::size_t>{3, 0, 2, 1}));
}

TEST(Protocol, TheSplitLeavesAsFilesForOtherPrograms) {
  // A rival that is told a step after the cut, or asked another question, would be compared unfairly.
  Data data = timed_data_of({{{1, 1, 10}, {5, 2, 11}, {21, 3, 12}, {21, 1, 12}, {22, 2, 13}}, {{3, 1, 15}, {18, 2, 16}}, {{2, 2, 17}, {20, 2, 18}}});
  const auto cut = split(data, at(Protocol::kNextBasket, 20)).value();
  base::MemoryFileSystem files;
  ASSERT_TRUE(write_split(data, cut, files, "out").ok());
  const auto ms = [](double n) { return std::to_string(day(n).ms); };
  EXPECT_EQ(files.read("out/history.csv").value(), "customer,item,at_ms\n0,1," + ms(1) + "\n0,2," + ms(5) + "\n1,1," + ms(3) + "\n1,2," + ms(18) +
                                                       "\n2,2," + ms(2) + "\n");
  EXPECT_EQ(files.read("out/test.csv").value(), "customer,item\n0,\n0,1\n2,2\n");  // item 3 is known to nobody before the cut
}

TEST(Protocol, WhatHeMetIsNoAnswerWhereTheRankingLeavesItOut) {
  // Counted as misses, repeats would lower every figure by the share of people who buy again.
  Data data = timed_data_of({{{1, 1, 1}, {2, 2, 2}, {21, 2, 3}, {21, 3, 3}}, {{1, 3, 4}, {2, 3, 5}, {21, 3, 6}}});
  const auto cut = split(data, at(Protocol::kNextBasket, 20, true)).value();
  ASSERT_EQ(cut.test.size(), 1U);
  EXPECT_EQ(wanted_of(data, cut.test[0]), std::vector<std::string>{"3"});
  EXPECT_EQ(cut.repeats_left_out, 1);
}

TEST(Protocol, TimeSplitAsksForTheLastStepAfterTheCut) {
  // The history of the question holds what came after the cut, too, but training does not.
  Data data = timed_data_of({{{1, 1}, {2, 2}, {21, 3}, {21, 2}}, {{22, 1}, {22, 2}}, {{23, 3}}, {{1, 2}, {2, 3}}});
  const auto cut = split(data, at(Protocol::kTimeSplit, 20)).value();
  ASSERT_EQ(cut.test.size(), 2U);
  EXPECT_EQ(cut.test[0].seen, 3U);
  EXPECT_EQ(wanted_of(data, cut.test[0]), std::vector<std::string>{"2"});
  EXPECT_EQ(cut.test[1].seen, 1U);  // came after the cut, has one step before the last
  EXPECT_EQ(cut.too_short, 1);
  EXPECT_EQ(cut.known_until, (std::vector<std::size_t>{2, 0, 0, 2}));
}

TEST(Protocol, SaysWhyNobodyCanBeTested) {
  // "0.0000" would look like a bad model.
  Data short_ones = data_of({{1, 2}, {}});
  const auto cut = split(short_ones, {});
  ASSERT_FALSE(cut.ok());
  EXPECT_NE(cut.error().message.find("three items"), std::string::npos) << cut.error().message;
  Data early = timed_data_of({{{1, 1}, {2, 2}}});
  const auto late = split(early, at(Protocol::kNextBasket, 20));
  ASSERT_FALSE(late.ok());
  EXPECT_NE(late.error().message.find("1970-01-21"), std::string::npos) << late.error().message;
  EXPECT_FALSE(parse_protocol("loocv").ok());
}

}  // namespace
}  // namespace beckon::evaluate
