// A customer would be taken for one who never clicks because his messages are of yesterday, or a page would show a day that is not over like
// a bad one, if these broke.
#include "ages.h"

#include <gtest/gtest.h>

#include "ages_page.h"
#include "beckon/base/rng.h"
#include "beckon/response/response.h"

namespace beckon::engine {
namespace {

constexpr base::Instant kNow{1'760'000'000'000};

features::History messages(const std::vector<std::pair<double, double>>& days_ago_and_clicked_after) {
  features::History history;
  for (const auto& [ago, after] : days_ago_and_clicked_after) {
    features::Message message;
    message.at_ms = kNow.ms - static_cast<std::int64_t>(ago * base::kDayMs);
    message.clicked_ms = after < 0 ? 0 : message.at_ms + static_cast<std::int64_t>(after * base::kDayMs);
    history.messages.push_back(message);
  }
  return history;
}

TEST(EngineAges, FreshMessagesAreNoNo) {
  // With five unanswered messages of yesterday he would be asked less and less, before he could answer.
  base::Rng rng(1);
  features::Dataset data;
  for (int c = 0; c < 400; ++c) {
    std::vector<std::pair<double, double>> life;
    for (int m = 0; m < 5; ++m) {
      const double ago = 1 + 50 * rng.uniform();
      const double after = 10 * rng.uniform();  // half within five days
      life.emplace_back(ago, rng.chance(.3) && after <= ago ? after : -1);
    }
    data.histories.push_back(messages(life));
  }
  const auto delay = click_delay(data, kNow);
  EXPECT_NEAR(static_cast<double>(delay.median_ms()) / base::kDayMs, 5, .7);
  const auto ratio = [&](double days_ago) {
    const auto ripe = measure::ripe_rate(click_waits(messages(std::vector<std::pair<double, double>>(5, {days_ago, -1})), kNow), delay);
    return response::click_ratio(ripe.answers, ripe.exposure, .3);
  };
  EXPECT_GT(ratio(.5), .97);
  EXPECT_LT(ratio(40), .85);
  EXPECT_LT(ratio(40), ratio(5));
  EXPECT_EQ(click_delay(features::Dataset(), kNow).come_by(0), 1) << "a shop without clicks counts as before";
}

base::Json lift(double difference, bool known) {
  return {{"treated", 900}, {"control", 100}, {"difference", difference}, {"low", difference - 50}, {"high", difference + 50}, {"known", known}};
}

TEST(EngineAges, ThePageSaysWhatIsLeftAndWhatIsNotKnownYet) {
  // Words like "lift" without their interval, or a week after the end that is not told apart, would be read as a promise.
  base::Json ages;
  ages["weekly"] = {{"weeks_watched", 4}, {"end_week", 2.0}, {"metric", "net_margin"},
                    {"weeks", {{{"week", 1}, {"waiting", 0}, {"lift", lift(100, true)}, {"so_far", lift(100, true)}},
                               {{"week", 2}, {"waiting", 0}, {"lift", lift(-40, true)}, {"so_far", lift(60, true)}},
                               {{"week", 3}, {"waiting", 12}, {"lift", lift(-60, true)}, {"so_far", lift(0, false)}}}}};
  ages["restated"] = {{{"days_after_end", 30}, {"returns_known", true}, {"margin", lift(200, true)}, {"net_margin", lift(150, true)}},
                      {{"days_after_end", -1}, {"returns_known", false}, {"margin", lift(170, true)}, {"net_margin", lift(170, true)}}};
  ages["returns"] = {{"unknown", "of 90 sales of a year 3 came back, 20 returns are needed"}};
  const auto lasting = lasting_section(ages, "EUR");
  ASSERT_EQ(lasting.tables.size(), 1U);
  const auto& rows = lasting.tables[0].rows;
  EXPECT_EQ(rows[1][0], "2");
  EXPECT_EQ(rows[2][0], "3 (after the end)");
  EXPECT_EQ(rows[2][3], "12");
  EXPECT_EQ(rows[1][4], "−0.40");
  EXPECT_EQ(rows[2][7], "too few");
  ASSERT_EQ(lasting.charts.size(), 1U);
  EXPECT_EQ(lasting.charts[0].marks.front().x, 2);
  EXPECT_EQ(lasting.charts[0].x.size(), lasting.charts[0].series[0].y.size());
  report::Page page{"t"};
  page.sections = {lasting};
  EXPECT_NE(report::to_html(page).find("the campaign ends"), std::string::npos);
  const auto restated = restated_section(ages, "EUR");
  EXPECT_FALSE(restated.callouts.empty());
  EXPECT_EQ(restated.tables[0].rows[0][2], "−0.50");
  EXPECT_EQ(restated.tables[0].rows[1][2], "not foreseen");
}

}  // namespace
}  // namespace beckon::engine
