#include "beckon/compose/compose.h"

#include <gtest/gtest.h>

#include "beckon/text/text.h"

namespace beckon::compose {
namespace {

struct World {
  catalog::Item item;
  catalog::Offer offer;
  Facts facts;
  privacy::Permit<privacy::Purpose::kMarketing> permit;
};

privacy::Permit<privacy::Purpose::kMarketing> permit_for(const std::string& channel) {
  const auto ring = privacy::KeyRing::make(std::string(32, 'k'), 1).value();
  privacy::Consent consent;
  consent.records.push_back({privacy::Purpose::kMarketing, "*", true, {1}, "opt_in", "test"});
  return privacy::grant<privacy::Purpose::kMarketing>(ring.pseudonym("a"), consent, {}, {channel, base::Instant{2}}).value();
}

std::unique_ptr<World> make_world(const std::string& channel, const std::string& language) {
  auto world = std::make_unique<World>(World{{}, {}, {}, permit_for(channel)});
  const auto gbp = base::Currency::parse("GBP").value();
  world->item.id = base::ItemId("wine-1");
  world->item.title = {{"en", "Red wine from the Rhône valley"}, {"zh", "罗纳河谷红葡萄酒"}};
  world->item.price = base::Money(1250, gbp);
  world->offer.id = base::OfferId("ten");
  world->offer.kind = catalog::OfferKind::kPercentOff;
  world->offer.depth_bp = 1000;
  world->offer.code = "TEN";
  world->facts = {&world->item, &world->offer, base::parse_time("2026-03-02T20:00:00Z", base::Zone::utc()).value(), language, "en",
                  base::Zone::find("Asia/Shanghai").value()};
  return world;
}

TEST(Compose, FactsStandInTheCustomersLanguage) {
  // A wrong price or date in a message is a promise the shop did not make.
  const auto en = make_world("email", "en-GB");
  const auto message = write_message(en->permit, catalog::built_in_template(), en->facts).value();
  EXPECT_EQ(message.subject, "10% off Red wine from the Rhône valley");
  EXPECT_EQ(message.body, "Red wine from the Rhône valley for £11.25 instead of £12.50. Use TEN until March 3, 2026.");
  const auto zh = make_world("email", "zh");
  EXPECT_EQ(write_message(zh->permit, catalog::built_in_template(), zh->facts)->body,
            "罗纳河谷红葡萄酒现价£11.25，原价£12.50。优惠码TEN，有效期至2026年3月3日。");
}

TEST(Compose, AMissingTranslationIsSaidNotHidden) {
  // The marketer must see who gets a text that is not in his language.
  const auto world = make_world("email", "fr");
  const auto message = write_message(world->permit, catalog::built_in_template(), world->facts).value();
  EXPECT_EQ(message.language, "en");
  EXPECT_EQ(message.notes, std::vector<std::string>{"no_text_in_fr"});
}

TEST(Compose, ChannelLimitsCutTheNameNeverAFact) {
  // A vendor refuses a push that is too long; a cut price would be worse.
  const auto world = make_world("push", "en");
  world->item.title["en"] = std::string(200, 'x');
  const auto message = write_message(world->permit, catalog::built_in_template(), world->facts).value();
  EXPECT_LE(text::grapheme_count(message.body), 120U);
  EXPECT_NE(message.body.find("£11.25"), std::string::npos);
  EXPECT_NE(message.body.find("TEN"), std::string::npos);
}

TEST(Compose, WithoutACodeNothingAsksForOne) {
  // "Use  until" shows every customer that a machine wrote it.
  const auto world = make_world("email", "en");
  world->offer.code.clear();
  EXPECT_EQ(write_message(world->permit, catalog::built_in_template(), world->facts)->body,
            "Red wine from the Rhône valley for £11.25 instead of £12.50.");
}

TEST(Compose, TemplatesRefuseDigitsAndUnknownSlots) {
  // A price typed into a template would be wrong for all items but one.
  EXPECT_FALSE(catalog::slots_of("only 5 left").ok());
  EXPECT_FALSE(catalog::slots_of("{itme} now").ok());
  EXPECT_EQ(catalog::slots_of("{item} {price}").value(), (std::vector<std::string>{"item", "price"}));
  const auto bad = catalog::load_template("id = \"x\"\n[none.en]\nsubject = \"s\"\nbody = \"no name\"\n", "t.toml");
  ASSERT_FALSE(bad.ok());
  EXPECT_NE(bad.error().message.find("{item}"), std::string::npos);
}

}  // namespace
}  // namespace beckon::compose
