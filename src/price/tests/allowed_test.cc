// A customer would pay more for being old, rich or the owner of a dear phone if one of these broke.
#include <gtest/gtest.h>

#include "beckon/price/price.h"

namespace beckon::price {
namespace {

TEST(Allowed, ForbiddenColumnsAreKnownByTheirNames) {
  for (const char* name : {"age", "lnage", "Age_Group", "userAge", "grossincome", "sales_netincome", "female", "gender", "device_type", "userAgent",
                           "browser", "zip_code", "postcode", "PLZ", "married", "dependants", "household_size", "nationality", "wealth_decile", "os",
                           "rural", "birthYear"}) {
    EXPECT_FALSE(forbidden_kind(name).empty()) << name;
  }
  for (const char* name : {"package_size", "usage", "message", "brand", "feat", "outcome", "store_week", "osmosis", "stage", "average_basket", "cost",
                           "image"}) {
    EXPECT_TRUE(forbidden_kind(name).empty()) << name;
  }
}

TEST(Allowed, AStudyRefusesThemWithOneLineAndAnAuditReadsThem) {
  const std::vector<std::string> columns{"brand", "grossincome"};
  const auto refused = check_allowed(columns, Purpose::kStudy);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, base::ErrorCode::kInvalidArgument);
  EXPECT_NE(refused.error().message.find("'grossincome'"), std::string::npos);
  EXPECT_NE(refused.error().message.find("income or wealth"), std::string::npos);
  EXPECT_EQ(refused.error().message.find('\n'), std::string::npos);
  EXPECT_TRUE(check_allowed(columns, Purpose::kAudit).ok());
}

TEST(Allowed, ADecisionTakesNothingButTheClosedList) {
  // What nobody thought of when the list was made is refused until somebody does.
  const std::vector<std::string> good{"brand", "week_of_year", "stock_left", "campaign_id", "list_price"};
  EXPECT_TRUE(check_allowed(good, Purpose::kDecision).ok());
  const std::vector<std::string> unknown{"x17"};
  EXPECT_FALSE(check_allowed(unknown, Purpose::kDecision).ok());
  EXPECT_TRUE(check_allowed(unknown, Purpose::kStudy).ok());
  const std::vector<std::string> both{"store_postcode"};  // one forbidden word is enough
  EXPECT_FALSE(check_allowed(both, Purpose::kDecision).ok());
}

}  // namespace
}  // namespace beckon::price
