#include "beckon/text/text.h"

#include <gtest/gtest.h>

namespace beckon::text {
namespace {

base::Money money(std::int64_t minor, const char* code) { return {minor, base::Currency::parse(code).value()}; }

TEST(Text, MoneyIsExactAndInTheReadersForm) {
  // A price that the customer reads must be the price that is charged, to the last unit, also beyond 2^53.
  EXPECT_EQ(format_money(money(1250, "GBP"), "en"), "£12.50");
  EXPECT_EQ(format_money(money(125000, "CNY"), "zh"), "¥1,250.00");
  EXPECT_EQ(format_money(money(1250, "JPY"), "en"), "¥1,250");
  EXPECT_EQ(format_money(money(9007199254740993, "EUR"), "en"), "€90,071,992,547,409.93");
}

TEST(Text, DatesFollowTheCustomersZone) {
  // "valid until" in the wrong zone is a broken promise by a day.
  const auto at = base::parse_time("2026-03-02T20:00:00Z", base::Zone::utc()).value();
  EXPECT_EQ(format_date(at, base::Zone::find("Asia/Shanghai").value(), "zh"), "2026年3月3日");
  EXPECT_EQ(format_date(at, base::Zone::find("Europe/London").value(), "en-GB"), "2 March 2026");
}

TEST(Text, PercentIsWrittenWithoutDust) {
  // 15 % must not become 15.000000000000002 %.
  EXPECT_EQ(format_percent(1500, "en"), "15%");
  EXPECT_EQ(format_percent(1250, "en"), "12.5%");
}

TEST(Text, LengthIsWhatTheReaderSees) {
  // A family emoji is one character to the customer and eleven to strlen: cutting inside it shows rubbish.
  EXPECT_EQ(grapheme_count("a👨‍👩‍👧‍👦é"), 3U);
  EXPECT_EQ(shorten("限时优惠活动", 4), "限时优…");
  EXPECT_EQ(shorten("short", 5), "short");
  EXPECT_EQ(fold("ＡＢＣ Straße"), "abc strasse");
  EXPECT_EQ(primary_language("zh-Hans-CN"), "zh");
}

}  // namespace
}  // namespace beckon::text
