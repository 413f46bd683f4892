#include "beckon/measure/finance.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "beckon/base/rng.h"

namespace beckon::measure {
namespace {

constexpr std::int64_t kBeginMs = 1'767'225'600'000;  // 2026-01-01
constexpr std::int64_t kDays = 200;

base::Currency currency_of(std::uint64_t draw) { return base::Currency::parse(draw % 4 == 0 ? "CHF" : "EUR").value(); }

struct Arrival {
  std::size_t person = 0;
  base::Instant arrives;
  events::Event event;
};

// A shop whose files come in late and in any order.
struct LateShop {
  base::Rng rng;
  BooksOptions options;
  std::vector<std::vector<Promise>> promises{8};
  std::vector<Arrival> arrivals;

  explicit LateShop(std::uint64_t seed) : rng(seed, 1) {
    options.zone = base::Zone::find("Europe/Berlin").value();
    options.codes = {{"A", "spring", "ten", "", {kBeginMs}}, {"B", "summer", "five", "", {kBeginMs + 60 * base::kDayMs}}};
    for (std::size_t p = 0; p < promises.size(); ++p) {
      make_promises(p);
      make_life(p);
    }
  }

  base::Instant some_time() { return {kBeginMs + static_cast<std::int64_t>(rng.below(kDays * base::kDayMs))}; }
  std::string item() { return "item" + std::to_string(rng.below(3)); }

  void make_promises(std::size_t p) {
    for (std::uint64_t n = rng.below(4); n > 0; --n) {
      Promise one;
      const bool spring = rng.below(2) == 0;
      one.campaign = spring ? "spring" : "summer";
      one.offer = spring ? "ten" : "five";
      one.code = spring ? "A" : "B";
      const base::Currency currency = currency_of(rng.below(4));
      one.currency = currency.code();
      one.item = item();
      one.delivery = std::to_string(p) + "." + std::to_string(n);
      one.issued_at = some_time();
      one.valid_until = one.issued_at.plus_ms(static_cast<std::int64_t>(1 + rng.below(40)) * base::kDayMs);
      one.attributed_until = one.issued_at.plus_ms(7 * base::kDayMs);
      one.face_minor = static_cast<std::int64_t>(rng.below(300));
      one.expected_micro = one.face_minor * 300'000;
      one.send_cost_micro = 12'345;
      promises[p].push_back(one);
    }
  }

  void make_life(std::size_t p) {
    static const std::vector<std::string> kCoupons{"", "A", "B", "X"};
    for (std::uint64_t n = rng.below(30); n > 0; --n) {
      events::Event event;
      const std::uint64_t kind = rng.below(10);
      event.type = kind < 6 ? events::EventType::kPurchase : kind < 8 ? events::EventType::kRefund : events::EventType::kClick;
      event.at = some_time();
      event.item = item();
      event.quantity = static_cast<std::int64_t>(1 + rng.below(4));
      event.unit_price = base::Money(static_cast<std::int64_t>(rng.below(5000)), currency_of(rng.below(4)));
      event.coupon = kCoupons[rng.below(kCoupons.size())];
      event.campaign = rng.below(3) == 0 ? "spring" : "";
      event.order = rng.below(2) == 0 ? "o" + std::to_string(rng.below(6)) : "";
      if (rng.below(3) > 0) {
        event.discount_minor = static_cast<std::int64_t>(rng.below(400));
      }
      const auto late_ms = static_cast<std::int64_t>(rng.below(4) == 0 ? rng.below(90 * base::kDayMs) : rng.below(base::kHourMs));
      arrivals.push_back({p, event.at.plus_ms(late_ms), event});
    }
  }

  // What is true as far as it is known at a time.
  Books known_at(base::Instant now) {
    options.as_of = now;
    Books books;
    for (std::size_t p = 0; p < promises.size(); ++p) {
      std::vector<events::Event> window;
      for (const auto& arrival : arrivals) {
        if (arrival.person == p && arrival.arrives <= now) {
          window.push_back(arrival.event);
        }
      }
      std::stable_sort(window.begin(), window.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
      add_person(window, promises[p], options, books);
    }
    return books;
  }
};

std::int64_t total(const Books& books, Column column, const std::string& currency) {
  std::int64_t sum = 0;
  for (const auto& [month, rows] : books.months()) {
    for (const auto& [key, flows] : rows) {
      sum += key.currency == currency ? at(flows, column) : 0;
    }
  }
  return sum;
}

Books without_zeros(const Books& books) {
  Books out;
  out.add(books);  // what is zero is not added
  return out;
}

TEST(Finance, WhatAllMonthsSayAddsUpToWhatIsTrueHoweverLateItCameIn) {
  // Money that came in late would be counted twice, or never; and a closed month would change behind the accountant's back.
  std::int64_t corrected = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    LateShop shop(seed);
    std::vector<Statement> said;
    base::Instant now{kBeginMs};
    const std::uint64_t closings = shop.rng.below(7);
    for (std::uint64_t c = 0; c < closings; ++c) {
      const Month month = said.empty() ? Month{2026, static_cast<int>(1 + shop.rng.below(2))} : said.back().month.next();
      const auto wait_ms = static_cast<std::int64_t>(shop.rng.below(40 * base::kDayMs));
      now = std::max(now, begin_of(month.next(), shop.options.zone)).plus_ms(wait_ms);
      said.push_back(make_statement(shop.known_at(now), said, month));
    }
    const base::Instant end{kBeginMs + (kDays + 200) * base::kDayMs};
    const Books truth = shop.known_at(end);
    const std::size_t closed = said.size();
    for (Month month = first_open(truth, said).value_or(Month{2026, 1}); month <= month_of(end, shop.options.zone); month = month.next()) {
      said.push_back(make_statement(truth, std::span(said).first(closed), month));
    }
    Books sum;
    for (const auto& statement : said) {
      sum.add(statement.month, statement.rows);
      for (const auto& [past, rows] : statement.corrections) {
        EXPECT_LT(past, statement.month);
        sum.add(past, rows);
        ++corrected;
      }
      EXPECT_EQ(statement_from_json(to_json(statement)).value(), statement) << "what is kept is what was said";
    }
    Books difference = truth;
    for (const auto& [month, rows] : sum.months()) {
      difference.add(month, rows, -1);
    }
    for (const auto& [month, rows] : difference.months()) {
      for (const auto& [key, flows] : rows) {
        EXPECT_EQ(flows, Flows{}) << "seed " << seed << " " << month.text() << " " << key.campaign << " " << key.currency;
      }
    }
  }
  EXPECT_GT(corrected, 60) << "the worlds must have something to correct";
}

TEST(Finance, AgreesWithACountOfTheLinesThemselves) {
  // Redeemed discounts would not be those of the orders, an order belong to two campaigns, or a coupon be lost.
  for (std::uint64_t seed = 100; seed < 160; ++seed) {
    LateShop shop(seed);
    const Books books = shop.known_at({kBeginMs + (kDays + 200) * base::kDayMs});
    for (const std::string currency : {"EUR", "CHF"}) {
      std::int64_t discounts_minor = 0;
      std::int64_t sales_minor = 0;
      for (const auto& [person, arrives, event] : shop.arrivals) {
        if (event.type == events::EventType::kPurchase && event.unit_price.currency().code() == currency) {
          discounts_minor += event.discount_minor.value_or(0);
          sales_minor += event.unit_price.minor() * event.quantity;
        }
      }
      std::int64_t issued = 0;
      for (const auto& messages : shop.promises) {
        issued += std::count_if(messages.begin(), messages.end(), [&](const Promise& p) { return p.face_minor > 0 && p.currency == currency; });
      }
      const auto sum = [&](Column column) { return total(books, column, currency); };
      EXPECT_EQ(sum(Column::kOrderDiscountMinor), discounts_minor);
      EXPECT_EQ(sum(Column::kSalesMinor), sales_minor);
      EXPECT_EQ(discounts_minor, sum(Column::kRedeemedMinor) - sum(Column::kRedeemedUnstatedMinor) + sum(Column::kUnaddressedMinor) +
                                     sum(Column::kOtherCodeMinor) + sum(Column::kNoCodeMinor));
      EXPECT_LE(sum(Column::kAttributedMinor), sales_minor);
      EXPECT_LE(sum(Column::kAttributedOrders), sum(Column::kOrders));
      EXPECT_EQ(sum(Column::kIssued), issued);
      EXPECT_EQ(issued, sum(Column::kRedeemed) + sum(Column::kExpired)) << "all have ended by then";
      EXPECT_EQ(sum(Column::kIssuedFaceMinor), sum(Column::kRedeemedFaceMinor) + sum(Column::kExpiredFaceMinor));
      EXPECT_EQ(sum(Column::kIssuedExpectedMicro), sum(Column::kEndedExpectedMicro));
      for (const auto& [month, rows] : books.months()) {
        const auto sums = reconcile(rows);
        EXPECT_TRUE(!sums.contains(currency) || sums.at(currency).difference_minor() == 0) << month.text();
      }
    }
  }
}

TEST(Finance, WhatIsKeptComesBack) {
  // The books of erased customers are kept as sums; a column that did not come back would be a correction of last year.
  const Books books = LateShop(7).known_at({kBeginMs + 400 * base::kDayMs});
  const auto read = books_from_json(to_json(books));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(without_zeros(*read).months(), without_zeros(books).months());
  EXPECT_FALSE(statement_from_json({{"month", "march"}}).ok());
  EXPECT_FALSE(books_from_json({{"2026-13", base::Json::array()}}).ok());
}

TEST(Finance, MonthsAreReadAndBeginWhereTheShopIs) {
  // A month typed wrongly must not be read as another one.
  const base::Zone berlin = base::Zone::find("Europe/Berlin").value();
  EXPECT_EQ(base::format_time(begin_of(parse_month("2026-04").value(), berlin)), "2026-03-31T22:00:00Z");
  EXPECT_EQ(month_of({begin_of({2026, 4}, berlin).ms - 1}, berlin), (Month{2026, 3}));
  EXPECT_EQ((Month{2026, 12}).next().text(), "2027-01");
  for (const char* wrong : {"2026-3", "2026-13", "2026-00", "202a-03", "2026/03", "26-03", "2026-03-01", ""}) {
    EXPECT_FALSE(parse_month(wrong).ok()) << wrong;
  }
}

TEST(Finance, SumsThatDoNotFitAreSaid) {
  // A price with too many zeros would turn the month's sales negative.
  Books books;
  events::Event event;
  event.type = events::EventType::kPurchase;
  event.quantity = 1'000'000;
  event.unit_price = base::Money(std::int64_t{1} << 60, currency_of(1));
  BooksOptions options;
  options.as_of.ms = kBeginMs;
  add_person({&event, 1}, {}, options, books);
  EXPECT_TRUE(books.too_large()) << "the order itself";
  Books sums;
  event.quantity = 4;
  add_person({&event, 1}, {}, options, sums);
  EXPECT_FALSE(sums.too_large());
  add_person({&event, 1}, {}, options, sums);
  EXPECT_TRUE(sums.too_large()) << "two of them";
}

}  // namespace
}  // namespace beckon::measure
