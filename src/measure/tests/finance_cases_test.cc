// Golden cases that a bookkeeper can read: src/measure/tests/cases_finance/*.txt. Lines set up what was sent and ordered, in the order in
// which the shop came to know it; "close" closes a month with what is known by then; "expect" says what a month must show. Money in euro.
#include <gtest/gtest.h>

#include "beckon/measure/finance.h"
#include "case_words.h"

namespace beckon::measure {
namespace {

base::Instant time_of(const std::string& text) { return base::parse_time(text, base::Zone::utc()).value(); }

class Ledger {
 public:
  void read_line(const std::string& line) {
    Words words(line);
    const std::string verb = words.next();
    if (verb.empty() || verb[0] == '#') {
      return;
    }
    if (verb == "zone") {
      options_.zone = base::Zone::find(words.next()).value();
    } else if (verb == "now") {
      options_.as_of = time_of(words.next());
    } else if (verb == "message") {
      read_message(words);
    } else if (verb == "code") {
      read_code(words);
    } else if (verb == "close") {
      const Month month = parse_month(words.next()).value();
      ASSERT_TRUE(closed_.empty() || closed_.back().month.next() == month) << "months are closed one after the other";
      closed_.push_back(make_statement(truth(), closed_, month));
    } else if (verb == "expect") {
      expectations_.push_back(line.substr(7));
    } else {
      read_event(verb, words);
    }
  }

  const std::vector<std::string>& expectations() const { return expectations_; }

  // Every closed month as it was closed, and those after it up to now.
  std::vector<std::string> claims() const {
    std::vector<std::string> said;
    for (const auto& statement : closed_) {
      say(statement, said);
    }
    const Books books = truth();
    const auto begin = first_open(books, closed_);
    const Month end = month_of(options_.as_of, options_.zone);
    for (Month month = begin.value_or(end); month <= end; month = month.next()) {
      say(make_statement(books, closed_, month), said);
    }
    return said;
  }

 private:
  struct Person {
    std::vector<events::Event> window;
    std::vector<Promise> promises;
  };

  // message CAMPAIGN/OFFER to NAME at TIME [valid DAYS] [window DAYS] [item I] [code C] [face F] [expected F] [cost F] [currency C]
  void read_message(Words& words) {
    Promise promise;
    const std::string what = words.next();
    promise.campaign = what.substr(0, what.find('/'));
    promise.offer = what.substr(what.find('/') + 1);
    promise.currency = "EUR";
    words.next();  // "to"
    Person& person = people_[words.next()];
    words.next();  // "at"
    promise.issued_at = time_of(words.next());
    promise.valid_until = promise.attributed_until = promise.issued_at.plus_ms(7 * base::kDayMs);
    promise.delivery = what + "#" + std::to_string(person.promises.size());
    for (std::string word = words.next(); !word.empty(); word = words.next()) {
      const std::string value = words.next();
      if (word == "valid" || word == "window") {
        (word == "valid" ? promise.valid_until : promise.attributed_until) = promise.issued_at.plus_ms(std::stoll(value) * base::kDayMs);
      } else if (word == "item" || word == "code" || word == "currency") {
        (word == "item" ? promise.item : word == "code" ? promise.code : promise.currency) = value;
      } else if (word == "face") {
        promise.face_minor = euro(value).minor();
      } else {
        (word == "expected" ? promise.expected_micro : promise.send_cost_micro) = euro(value).minor() * 1'000'000;
      }
    }
    person.promises.push_back(promise);
  }

  // code C of CAMPAIGN/OFFER from TIME
  void read_code(Words& words) {
    CampaignCode code;
    code.code = words.next();
    words.next();  // "of"
    const std::string what = words.next();
    code.campaign = what.substr(0, what.find('/'));
    code.offer = what.substr(what.find('/') + 1);
    words.next();  // "from"
    code.from = time_of(words.next());
    options_.codes.push_back(code);
  }

  // NAME TIME TYPE [ITEM] [price P] [pieces N] [discount D] [coupon C] [order O] [of CAMPAIGN] [currency C]
  void read_event(const std::string& name, Words& words) {
    Person& person = people_[name];
    events::Event event;
    event.at = time_of(words.next());
    event.type = type_of(words.next());
    std::string currency = "EUR";
    for (std::string word = words.next(); !word.empty(); word = words.next()) {
      if (word == "price") {
        event.unit_price = euro(words.next());
      } else if (word == "pieces") {
        event.quantity = std::stoll(words.next());
      } else if (word == "discount") {
        event.discount_minor = euro(words.next()).minor();
      } else if (word == "coupon") {
        event.coupon = words.next();
      } else if (word == "order") {
        event.order = words.next();
      } else if (word == "of") {
        event.campaign = words.next();
      } else if (word == "currency") {
        currency = words.next();
      } else {
        event.item = word;
      }
    }
    event.unit_price = base::Money(event.unit_price.minor(), base::Currency::parse(currency).value());
    person.window.push_back(event);
    std::stable_sort(person.window.begin(), person.window.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
  }

  Books truth() const {
    Books books;
    for (const auto& [name, person] : people_) {
      add_person(person.window, person.promises, options_, books);
    }
    return books;
  }

  static std::string name_of(const RowKey& key) {
    const std::string name = key.campaign.empty() ? "shop" : key.campaign + "/" + key.offer;
    return key.currency == "EUR" ? name : name + " in " + key.currency;
  }

  static void say_rows(const std::string& head, const Rows& rows, std::vector<std::string>& said) {
    for (const auto& [key, flows] : rows) {
      for (std::size_t c = 0; c < kColumns; ++c) {
        std::string column(to_text(static_cast<Column>(c)));
        std::string value = std::to_string(flows[c]);
        for (const auto& [unit, divisor] : {std::pair{"_minor", 1}, std::pair{"_micro", 1'000'000}}) {
          if (column.ends_with(unit)) {
            column.resize(column.size() - 6);
            value = money(flows[c] / divisor);
          }
        }
        if (flows[c] != 0) {
          said.push_back(head + " " + name_of(key) + " " + column + " " + value);
        }
      }
    }
  }

  static void say(const Statement& statement, std::vector<std::string>& said) {
    const std::string month = statement.month.text();
    say_rows(month, statement.rows, said);
    for (const auto& [past, rows] : statement.corrections) {
      say_rows(month + " corrects " + past.text(), rows, said);
    }
    for (const auto& [key, open] : statement.open) {
      said.push_back(month + " open " + name_of(key) + " " + std::to_string(open.coupons) + " face " + money(open.face_minor) + " expected " +
                     money(open.expected_micro / 1'000'000));
    }
    for (const auto& [currency, sums] : reconcile(statement.rows)) {
      said.push_back(month + " discounts " + currency + " " + money(sums.stated_minor) + " = redeemed " + money(sums.redeemed_minor) + " + unaddressed " +
                     money(sums.unaddressed_minor) + " + other codes " + money(sums.other_code_minor) + " + no code " + money(sums.no_code_minor));
      EXPECT_EQ(sums.difference_minor(), 0) << month << " " << currency;
    }
  }

  BooksOptions options_;
  std::map<std::string, Person> people_;
  std::vector<Statement> closed_;
  std::vector<std::string> expectations_;
};

class FinanceCase : public testing::TestWithParam<std::string> {};

TEST_P(FinanceCase, ComesOutAsWritten) {
  // Each file says in its first line what a bookkeeper relies on.
  std::ifstream file(GetParam());
  Ledger ledger;
  for (std::string line; std::getline(file, line);) {
    ledger.read_line(line);
  }
  expect_said(GetParam(), ledger.expectations(), ledger.claims());
}

INSTANTIATE_TEST_SUITE_P(Measure, FinanceCase, testing::ValuesIn(case_files("cases_finance")), case_name);

}  // namespace
}  // namespace beckon::measure
