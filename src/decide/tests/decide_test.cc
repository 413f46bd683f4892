// Golden cases that a marketer can read: src/decide/tests/cases/*.txt. Each line sets up a small world or says what must come out.
#include "beckon/decide/decide.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "beckon/base/rng.h"
#include "beckon/decide/plan_file.h"

namespace beckon::decide {
namespace {

const privacy::KeyRing& ring() {
  static const privacy::KeyRing kRing = privacy::KeyRing::make(std::string(32, 'k'), 1).value();
  return kRing;
}
base::Currency eur() { return base::Currency::parse("EUR").value(); }

privacy::Consent everything() {
  privacy::Consent consent;
  for (const auto purpose : {privacy::Purpose::kMarketing, privacy::Purpose::kPersonalisation}) {
    consent.records.push_back({purpose, "*", true, {1}, "opt_in", "test"});
  }
  return consent;
}

struct World {
  catalog::Shop shop;
  catalog::Campaign campaign;
  PlanInput input;
  std::map<std::string, std::string> name_of;  // pseudonym → name in the case

  World() {
    catalog::Market market;
    market.currency = eur();
    shop.markets.push_back(market);
    shop.channels["email"].id = "email";
    for (const char* kind : {"none", "percent_off", "money_off", "free_shipping", "points"}) {
      shop.priors[kind] = {0.03, 1.0, 0, 2.0, 200};
    }
    campaign.id = base::CampaignId("case");
    campaign.market = market.id;
    campaign.channels = {"email"};
    input.now.ms = 1000;
    input.plan_id = "plan";
    input.model = "test";
  }
  std::int32_t item(const std::string& id) const {
    for (std::size_t i = 0; i < input.items.size(); ++i) {
      if (input.items[i].id.str() == id) {
        return static_cast<std::int32_t>(i);
      }
    }
    ADD_FAILURE() << "the case names no item " << id;
    return 0;
  }
  Plan plan() {
    input.shop = &shop;
    input.campaign = &campaign;
    return make_plan(input).value();
  }
};

ItemScore score_of(const World& world, const std::string& word) {
  const auto equals = word.find('=');
  return {world.item(word.substr(0, equals)), std::stod(word.substr(equals + 1))};
}

void read_customer(std::istringstream& words, World& world) {
  std::string name;
  words >> name;
  Person person;
  person.customer = ring().pseudonym(name);
  world.name_of[person.customer.text()] = name;
  bool consent = true;
  bool personal = true;
  for (std::string word; words >> word;) {
    if (word == "no_consent") {
      consent = false;
    } else if (word == "not_personalised") {
      personal = false;
    } else if (word == "held_out") {
      person.group = events::Group::kHoldout;
    } else if (word == "globally_held_out") {
      person.group = events::Group::kGlobalHoldout;
    } else if (word == "as_usual") {
      person.group = events::Group::kUsual;
    } else if (word == "listed") {  // listed ITEM OFFER, or listed ITEM any
      Listed listed;
      std::string item;
      std::string offer;
      words >> item >> offer;
      listed.item = world.item(item);
      for (std::size_t i = 0; i < world.campaign.offers.size(); ++i) {
        listed.offer = world.campaign.offers[i].id.str() == offer ? static_cast<std::int32_t>(i) : listed.offer;
      }
      person.listed = listed;
    } else if (word == "click_ratio") {
      words >> person.click_ratio;
    } else {
      person.items.push_back(score_of(world, word));
    }
  }
  if (consent) {
    person.permits.push_back(privacy::grant<privacy::Purpose::kMarketing>(person.customer, everything(), {}, {"email", base::Instant{2}}).value());
  }
  if (personal) {
    person.personalisation.emplace(
        privacy::grant<privacy::Purpose::kPersonalisation>(person.customer, everything(), {}, {"email", base::Instant{2}}).value());
  }
  world.input.persons.push_back(std::move(person));
}

void read_offer(std::istringstream& words, World& world) {
  catalog::Offer offer;
  std::string id;
  std::string kind;
  words >> id >> kind;
  offer.id = base::OfferId(id);
  offer.code = "CODE";
  if (kind == "percent_off") {
    double percent = 0;
    words >> percent;
    offer.kind = catalog::OfferKind::kPercentOff;
    offer.depth_bp = static_cast<std::int64_t>(percent * 100);
  }
  for (std::string word; words >> word;) {
    if (word == "quantity") {
      words >> offer.quantity_max;
    }
  }
  world.campaign.offers.push_back(offer);
}

void read_item(std::istringstream& words, World& world) {
  catalog::Item item;
  std::string word;
  words >> word;
  item.id = base::ItemId(word);
  while (words >> word) {
    std::string value;
    words >> value;
    if (word == "price") {
      item.price = base::Money::parse(value, eur()).value();
    } else if (word == "cost") {
      item.cost = base::Money::parse(value, eur()).value();
    } else if (word == "stock") {
      item.stock = std::stoll(value);
    }
  }
  world.input.items.push_back(item);
}

void read_line(const std::string& line, World& world, std::vector<std::string>& expectations) {
  std::istringstream words(line);
  std::string verb;
  words >> verb;
  if (verb.empty() || verb[0] == '#') {
    return;
  }
  if (verb == "budget") {
    std::string id;
    std::string amount;
    std::string basis;
    words >> id >> amount >> basis;
    world.campaign.budgets.push_back({id, base::Money::parse(amount, eur()).value(),
                                      basis == "face" ? catalog::BudgetBasis::kFace : catalog::BudgetBasis::kExpected, {}});
  } else if (verb == "offer") {
    read_offer(words, world);
  } else if (verb == "item") {
    read_item(words, world);
  } else if (verb == "customer") {
    read_customer(words, world);
  } else if (verb == "popular") {
    for (std::string word; words >> word;) {
      world.input.popular.push_back(score_of(world, word));
    }
  } else if (verb == "holdout") {
    words >> world.input.layers.holdout;
  } else if (verb == "usual") {
    std::string what;
    words >> world.input.layers.usual >> what;
    world.campaign.usual.list = what == "list" ? "old_tool.csv" : "";
    world.campaign.usual.strategy = what == "list" ? catalog::Strategy::kPopular : catalog::parse_strategy(what).value();
  } else if (verb == "regulated") {
    words >> world.shop.regulated;
  } else if (verb == "strategy") {
    std::string name;
    words >> name >> world.campaign.threshold;
    world.campaign.strategy = catalog::parse_strategy(name).value();
  } else if (verb == "expect") {
    expectations.push_back(line.substr(7));
  } else {
    ADD_FAILURE() << "unknown line: " << line;
  }
}

std::string outcome_of(const World& world, const events::Decision& d) {
  const std::string name = world.name_of.at(d.customer.text());
  if (!d.chosen) {
    return name + " none because " + d.reason;
  }
  return name + (d.group == events::Group::kHoldout ? " ghost " : " ") + d.item + " " + d.offer;
}

TEST(Clicks, ALearnedChanceOfThisOfferAndChannelBeatsTheStatedOne) {
  // A receipt would show, and a threshold would judge, what the shop once guessed instead of what its customers do.
  World world;
  std::vector<std::string> none;
  for (const char* line : {"item tea price 10.00 cost 5.00", "offer ten percent_off 10", "offer twenty percent_off 20", "customer ann tea=0.1"}) {
    read_line(line, world, none);
  }
  world.campaign.strategy = catalog::Strategy::kThreshold;
  world.campaign.threshold = 0;
  const double stated = world.plan().decisions.at(0).click_probability;
  world.input.persons[0].items[0].clicks = {.25F, .375F};  // two offers, one channel
  const Plan plan = world.plan();
  ASSERT_TRUE(plan.decisions.at(0).chosen);
  EXPECT_EQ(plan.decisions.at(0).click_probability, plan.decisions.at(0).offer == "ten" ? .25 : .375);
  EXPECT_NE(stated, plan.decisions.at(0).click_probability);
}

TEST(Returns, WhatComesBackBringsNoMargin) {
  // The dress that everybody orders in three sizes would win every plan.
  World world;
  std::vector<std::string> none;
  for (const char* line : {"item dress price 50.00 cost 20.00", "item tea price 30.00 cost 10.00", "offer plain none", "budget main 100.00 face",
                           "customer ann dress=0.1 tea=0.1"}) {
    read_line(line, world, none);
  }
  const Plan gross = world.plan();
  EXPECT_EQ(gross.decisions.at(0).item, "dress");
  world.input.return_share = {0.6, 0.02};
  const Plan net = world.plan();
  EXPECT_EQ(net.decisions.at(0).item, "tea");
  EXPECT_NEAR(static_cast<double>(net.decisions.at(0).value_micro), 0.98 * 0.1 * 1.0 * 2000 * 1e6, 1e3);
}

class Case : public testing::TestWithParam<std::string> {};

TEST_P(Case, ComesOutAsWritten) {
  // Each file says in its first line what a marketer relies on.
  std::ifstream file(GetParam());
  World world;
  std::vector<std::string> expectations;
  for (std::string line; std::getline(file, line);) {
    read_line(line, world, expectations);
  }
  ASSERT_FALSE(expectations.empty()) << GetParam() << " expects nothing: it could never fail";
  const Plan plan = world.plan();
  std::vector<std::string> outcomes;
  for (const auto& decision : plan.decisions) {
    outcomes.push_back(outcome_of(world, decision));
  }
  for (const auto& budget : plan.budgets) {
    outcomes.push_back("spend " + budget.id + " " + base::Money(budget.planned_minor, eur()).amount_string());
    EXPECT_LE(budget.planned_minor + budget.ghost_minor, budget.limit_minor);
  }
  for (const auto& expected : expectations) {
    EXPECT_NE(std::find(outcomes.begin(), outcomes.end(), expected), outcomes.end())
        << GetParam() << "\nexpected: " << expected << "\ngot:\n  " << testing::PrintToString(outcomes);
  }
}

std::vector<std::string> case_files() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(BECKON_SOURCE_DIR) + "/src/decide/tests/cases")) {
    files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

INSTANTIATE_TEST_SUITE_P(Decide, Case, testing::ValuesIn(case_files()), [](const auto& one) {
  return std::filesystem::path(one.param).stem().string();
});

void random_world(World& world, base::Rng& rng) {
  world.input.layers = {.global_holdout = 0.1, .holdout = 0.2, .usual = 0.1, .random = 0.2, .salt = "random world"};
  world.campaign.usual.strategy = rng.chance(0.5) ? catalog::Strategy::kPopular : catalog::Strategy::kRandom;
  for (int i = 0; i < 12; ++i) {
    catalog::Item item;
    item.id = base::ItemId("i" + std::to_string(i));
    item.price = base::Money(static_cast<std::int64_t>(100 + rng.below(5000)), eur());
    item.cost = base::Money(static_cast<std::int64_t>(rng.below(100)), eur());
    world.input.items.push_back(item);
  }
  for (int o = 0; o < 3; ++o) {
    catalog::Offer offer;
    offer.id = base::OfferId("o" + std::to_string(o));
    offer.kind = o == 0 ? catalog::OfferKind::kNone : catalog::OfferKind::kPercentOff;
    offer.depth_bp = o * 700;
    offer.quantity_max = o == 2 ? 20 : 0;
    world.campaign.offers.push_back(offer);
  }
  world.campaign.budgets.push_back({"main", base::Money(static_cast<std::int64_t>(rng.below(20'000)), eur()), catalog::BudgetBasis::kFace, {}});
  world.campaign.budgets.push_back({"expected", base::Money(static_cast<std::int64_t>(rng.below(3'000)), eur()), catalog::BudgetBasis::kExpected, {"o1"}});
  for (int i = 0; i < 200; ++i) {
    std::istringstream words("c" + std::to_string(i));
    read_customer(words, world);
    Person& person = world.input.persons.back();
    person.group = measure::assign(person.customer, world.input.layers);
    for (int k = 0; k < 4; ++k) {
      person.items.push_back({static_cast<std::int32_t>(rng.below(12)), rng.uniform() * 0.5});
    }
  }
}

TEST(Plan, NeverPassesABudgetOrAQuantityWhateverTheWorld) {
  // A plan that overspends by a cent breaks the promise the whole product makes.
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    base::Rng rng(seed);
    World world;
    random_world(world, rng);
    world.campaign.strategy = static_cast<catalog::Strategy>(seed % 4);
    const Plan plan = world.plan();
    std::map<std::string, std::int64_t> pieces;
    for (const auto& d : plan.decisions) {
      pieces[d.offer] += d.chosen ? 1 : 0;
      EXPECT_FALSE(d.chosen && d.group == events::Group::kGlobalHoldout);
    }
    EXPECT_LE(pieces["o2"], 20) << seed;
    for (const auto& budget : plan.budgets) {
      EXPECT_LE(budget.planned_minor + budget.ghost_minor, budget.limit_minor) << seed << " " << budget.id;
    }
    EXPECT_EQ(plan.decisions.size(), world.input.persons.size()) << "everybody has a receipt";
  }
}

TEST(Plan, IsTheSameForAnyNumberOfWorkers) {
  // A plan that depends on the machine cannot be audited.
  base::Rng rng(5);
  World one;
  random_world(one, rng);
  const Plan alone = one.plan();
  base::ThreadExecutor threads(4);
  base::SeededExecutor shuffled(9);
  for (base::Executor* executor : {static_cast<base::Executor*>(&threads), static_cast<base::Executor*>(&shuffled)}) {
    one.input.executor = executor;
    const Plan again = one.plan();
    ASSERT_EQ(again.decisions.size(), alone.decisions.size());
    for (std::size_t i = 0; i < alone.decisions.size(); ++i) {
      EXPECT_EQ(events::encode(alone.decisions[i]), events::encode(again.decisions[i]));
    }
  }
}

TEST(Plan, TheRandomShareLogsItsTruePropensity) {
  // Later learning divides by the propensity: a wrong one poisons every estimate after it.
  base::Rng rng(6);
  World world;
  random_world(world, rng);
  world.campaign.budgets = {{"main", base::Money(100'000'000, eur()), catalog::BudgetBasis::kFace, {}}};
  world.campaign.offers[2].quantity_max = 0;
  const Plan plan = world.plan();
  int seen = 0;
  for (const auto& d : plan.decisions) {
    if (d.group == events::Group::kRandom) {
      ++seen;
      EXPECT_TRUE(d.randomised);
      EXPECT_GT(d.propensity, 0);
      EXPECT_LE(d.propensity, 1.0 / 3);  // three offers for at least one item
    } else if (d.chosen) {
      EXPECT_FALSE(d.randomised);
    }
  }
  EXPECT_GT(seen, 20);
}

TEST(PlanFile, ComesBackAsWrittenAndRefusesAnEditedOne) {
  // Somebody who raises a discount in the file by hand must not have it sent.
  base::Rng rng(7);
  World world;
  random_world(world, rng);
  PlanFile file;
  file.campaign = "case";
  file.period = "1";
  file.plan = world.plan();
  file.made_at.ms = 5000;
  file.assumptions = {"a"};
  file.campaign_text = "[campaign]";
  const std::string text = write_plan(file, ring());
  const auto back = read_plan(text, "p.jsonl", ring());
  ASSERT_TRUE(back.ok()) << back.error().message;
  ASSERT_EQ(back->plan.decisions.size(), file.plan.decisions.size());
  EXPECT_EQ(events::encode(back->plan.decisions[3]), events::encode(file.plan.decisions[3]));
  EXPECT_EQ(write_plan(*back, ring()), text);
  std::string edited = text;
  edited.replace(edited.find("\"hour\":"), 8, "\"hour\": ");
  EXPECT_FALSE(read_plan(edited, "p.jsonl", ring()).ok());
  EXPECT_FALSE(read_plan(text.substr(0, text.size() / 2), "p.jsonl", ring()).ok());
  EXPECT_FALSE(read_plan("", "p.jsonl", ring()).ok());
  EXPECT_FALSE(read_plan(text, "p.jsonl", privacy::KeyRing::make(std::string(32, 'x'), 1).value()).ok());
  const std::string csv = plan_csv(file.plan);
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), static_cast<std::ptrdiff_t>(file.plan.decisions.size() + 1));
}

}  // namespace
}  // namespace beckon::decide
