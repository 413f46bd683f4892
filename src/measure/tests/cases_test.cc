// Golden cases that a marketer can read: src/measure/tests/cases/*.txt. Each line sets up what was decided, sent and done, or says
// what the report must count. Times are days and hours since the plan ("2d 3h"); money in euro.
#include <gtest/gtest.h>

#include "beckon/measure/measure.h"
#include "case_words.h"

namespace beckon::measure {
namespace {

struct Customer {
  std::string name;
  std::vector<events::Decision> decisions;  // a slot each
  std::vector<events::Delivery> deliveries;
  std::vector<events::Event> window;
};

std::string message_id(const std::string& name, std::int64_t slot) { return "message " + std::to_string(slot) + " to " + name; }

struct World {
  OutcomeOptions options;
  std::vector<Customer> customers;
  std::vector<std::string> expectations;

  World() { options.as_of.ms = kPlannedMs + 100 * base::kDayMs; }

  Customer& customer(const std::string& name) {
    for (auto& one : customers) {
      if (one.name == name) {
        return one;
      }
    }
    ADD_FAILURE() << "nothing was decided for " << name;
    return customers.front();
  }

  // decide NAME treated|holdout|random ITEM OFFER [price P] [face F]     or     decide NAME GROUP nothing [because REASON]
  void read_decision(Words& words) {
    Customer one;
    one.name = words.next();
    if (!customers.empty() && customers.back().name == one.name) {  // decided again: his next message
      one = std::move(customers.back());
      customers.pop_back();
    }
    events::Decision& d = one.decisions.emplace_back();
    d.slot = static_cast<std::int64_t>(one.decisions.size());
    d.customer = ring().pseudonym(one.name);
    d.campaign = "spring";
    d.at.ms = kPlannedMs;
    const std::string group = words.next();
    d.group = group == "holdout" ? events::Group::kHoldout : group == "random" ? events::Group::kRandom : events::Group::kTreated;
    d.item = words.next();
    d.chosen = d.item != "nothing";
    if (d.chosen) {
      d.offer = words.next();
    } else {
      d.item.clear();
      d.reason = words.next() == "because" ? words.next() : "";
    }
    for (std::string word = words.next(); !word.empty(); word = words.next()) {
      (word == "price" ? d.price_minor : d.face_minor) = euro(words.next()).minor();
    }
    customers.push_back(std::move(one));
  }

  // message NAME accepted|held|failed [code CODE]
  void read_message(Words& words) {
    Customer& one = customer(words.next());
    events::Delivery delivery;
    delivery.slot = static_cast<std::int64_t>(one.deliveries.size()) + 1;
    delivery.id = message_id(one.name, delivery.slot);
    const std::string state = words.next();
    delivery.state = state == "accepted" ? events::DeliveryState::kAccepted : events::DeliveryState::kHeld;
    if (words.next() == "code") {
      delivery.code = words.next();
    }
    one.deliveries.push_back(delivery);
  }

  // does NAME TIME TYPE [ITEM] [price P] [pieces N] [coupon C] [of message|message2|campaign]
  void read_event(Words& words) {
    Customer& one = customer(words.next());
    events::Event event;
    event.customer = one.decisions.front().customer;
    event.at = words.time();
    event.type = type_of(words.next());
    for (std::string word = words.next(); !word.empty(); word = words.next()) {
      if (word == "price") {
        event.unit_price = euro(words.next());
      } else if (word == "pieces") {
        event.quantity = std::stoll(words.next());
      } else if (word == "coupon") {
        event.coupon = words.next();
      } else if (word == "of") {
        const std::string what = words.next();  // the campaign's context is what a tagged link carries
        if (what == "campaign") {
          event.campaign = "spring";
        } else {
          event.delivery = message_id(one.name, what == "message2" ? 2 : 1);
        }
      } else {
        event.item = word;
      }
    }
    one.window.push_back(event);
  }

  void read_line(const std::string& line) {
    Words words(line);
    const std::string verb = words.next();
    if (verb.empty() || verb[0] == '#') {
      return;
    }
    if (verb == "window") {
      options.attribution_ms = words.time().ms - kPlannedMs;
    } else if (verb == "report_at") {
      options.as_of = words.time();
    } else if (verb == "code") {
      options.codes.insert(words.next());
    } else if (verb == "item") {
      const std::string id = words.next();
      words.next();  // "cost"
      options.cost_minor[id] = euro(words.next()).minor();
    } else if (verb == "decide") {
      read_decision(words);
    } else if (verb == "message") {
      read_message(words);
    } else if (verb == "does") {
      read_event(words);
    } else if (verb == "expect") {
      expectations.push_back(line.substr(7));
    } else {
      ADD_FAILURE() << "unknown line: " << line;
    }
  }
};

// The customer's messages as one: what he bought counts once, what they cost together.
Outcome together(const std::vector<Outcome>& slots) {
  Outcome whole = slots.front();
  for (std::size_t i = 1; i < slots.size(); ++i) {
    whole.margin_minor += slots[i].margin_minor - slots[i].goods_margin_minor;
    whole.promotion_minor += slots[i].promotion_minor;
    whole.attributed_minor += slots[i].attributed_minor;
  }
  return whole;
}

// Everything the report could say, one claim a line: an expectation is one of these lines.
std::vector<std::string> claims(const World& world) {
  std::vector<std::string> said;
  std::vector<Outcome> outcomes;
  for (const auto& one : world.customers) {
    auto window = one.window;
    std::stable_sort(window.begin(), window.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
    const auto slots = observe(one.decisions, window, one.deliveries, world.options);
    outcomes.insert(outcomes.end(), slots.begin(), slots.end());
    if (slots.size() > 1) {
      for (const auto& slot : slots) {
        said.push_back(one.name + " message " + std::to_string(slot.decision.slot) + " attributed " + money(slot.attributed_minor));
      }
    }
    const Outcome o = together(slots);
    const auto say = [&](const std::string& what) { said.push_back(one.name + " " + what); };
    say("buys " + std::to_string(o.purchases) + " for " + money(o.revenue_minor));
    say("margin " + money(o.margin_minor));
    say("attributed " + money(o.attributed_minor));
    say("promotion " + money(o.promotion_minor));
    say(o.redeemed ? "redeemed" : "not redeemed");
    say(o.clicked ? "clicked" : "not clicked");
    say(o.opened ? "opened" : "not opened");
  }
  const Leakage leak = leakage(outcomes);
  said.push_back("leaked " + std::to_string(leak.leaked) + " of " + std::to_string(leak.held_out));
  const auto lift = [&](const Lift& one) {
    std::ostringstream text;
    text << "lift " << one.name << " " << one.treated_count << " against " << one.control_count << " difference " << one.difference;
    said.push_back(text.str());
  };
  lift(audience_lift(outcomes, Metric::kPurchases));
  lift(chosen_lift(outcomes, Metric::kPurchases));
  lift(chosen_lift(outcomes, Metric::kPurchases, "ten"));
  for (const auto& slice : slices(outcomes, [](const auto&) { return std::string("all"); })) {
    said.push_back("totals sent " + std::to_string(slice.sent) + " buyers " + std::to_string(slice.converted) + " sales " +
                   money(slice.revenue_minor) + " attributed " + money(slice.attributed_minor));
  }
  return said;
}

class MeasureCase : public testing::TestWithParam<std::string> {};

TEST_P(MeasureCase, ComesOutAsWritten) {
  // Each file says in its first line what a marketer relies on.
  std::ifstream file(GetParam());
  World world;
  for (std::string line; std::getline(file, line);) {
    world.read_line(line);
  }
  expect_said(GetParam(), world.expectations, claims(world));
}

INSTANTIATE_TEST_SUITE_P(Measure, MeasureCase, testing::ValuesIn(case_files("cases")), case_name);

}  // namespace
}  // namespace beckon::measure
