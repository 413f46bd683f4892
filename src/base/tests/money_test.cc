// A cent that appears or vanishes here is a wrong price in front of a customer.
#include "beckon/base/money.h"

#include <gtest/gtest.h>

#include <limits>

namespace beckon::base {
namespace {

Currency currency(std::string_view code) { return Currency::parse(code).value(); }

TEST(Money, ReadsAmountsExactly) {
  const auto eur = currency("EUR");
  EXPECT_EQ(Money::parse("12.5", eur)->minor(), 1250);
  EXPECT_EQ(Money::parse("-0.01", eur)->minor(), -1);
  EXPECT_EQ(Money::parse("1e2", eur)->minor(), 10'000);
  EXPECT_EQ(Money::parse("4.440892e-16", eur)->minor(), 0);
  EXPECT_EQ(Money::parse("0.125", eur)->minor(), 12);  // half to even
  EXPECT_EQ(Money::parse("0.135", eur)->minor(), 14);
  EXPECT_EQ(Money::parse("0.1250001", eur)->minor(), 13);
  EXPECT_EQ(Money::parse("0.005", eur)->minor(), 0);
  EXPECT_EQ(Money::parse("0.0051", eur)->minor(), 1);
  EXPECT_EQ(Money::parse("1500", currency("JPY"))->minor(), 1500);
  EXPECT_EQ(Money::parse("92233720368547758.07", eur)->minor(), std::numeric_limits<std::int64_t>::max());
}

TEST(Money, RefusesWhatIsNotAnAmount) {
  const auto eur = currency("EUR");
  for (const char* text : {"", "-", ".", "1,5", "1.2.3", "1e", "abc", "1 ", "92233720368547758.08", "1e99"}) {
    EXPECT_FALSE(Money::parse(text, eur).ok()) << text;
  }
  EXPECT_FALSE(Currency::parse("EURO").ok());
  EXPECT_FALSE(Currency::parse("eur").ok());
}

TEST(Money, NeverMixesCurrenciesOrWraps) {
  const Money most(std::numeric_limits<std::int64_t>::max(), currency("EUR"));
  EXPECT_FALSE(most.plus(Money(1, currency("EUR"))).ok());
  EXPECT_FALSE(most.times(2).ok());
  EXPECT_FALSE(most.plus(Money(1, currency("USD"))).ok());
  EXPECT_EQ(most.minus(most)->minor(), 0);
}

TEST(Money, PercentRoundsAsStated) {
  const Money price(999, currency("EUR"));
  EXPECT_EQ(price.percent(1500, Rounding::kDown)->minor(), 149);
  EXPECT_EQ(price.percent(1500, Rounding::kUp)->minor(), 150);
  EXPECT_EQ(price.percent(5000, Rounding::kHalfEven)->minor(), 500);
  EXPECT_EQ(Money(-999, currency("EUR")).percent(1500, Rounding::kDown)->minor(), -150);
}

TEST(Money, WritesWhatItReads) {
  for (const std::int64_t minor : {0LL, 1LL, -1LL, 99LL, 100LL, -12'345LL}) {
    const Money money(minor, currency("EUR"));
    EXPECT_EQ(Money::parse(money.amount_string(), currency("EUR"))->minor(), minor);
  }
  EXPECT_EQ(Money(5, currency("KWD")).to_string(), "0.005 KWD");
  EXPECT_EQ(Money(1500, currency("JPY")).to_string(), "1500 JPY");
}

}  // namespace
}  // namespace beckon::base
