// What came to the shelf yesterday would stay invisible until somebody finds it without help, or old model files would be read with
// the wrong numbers, if one of these broke.
#include "campaigns.h"
#include "files.h"
#include "scoring.h"

namespace beckon::engine {
namespace {

constexpr const char* kSmall =
    "[model]\nwidth = 32\nlayers = 1\nattention_heads = 1\n[train]\nepochs_max = 12\nbatch_positions = 256\n"
    "[[consent_import]]\nbasis = \"opt_in\"\nsource = \"test\"\ndate = \"2025-01-15\"\n"
    "purposes = [\"marketing\", \"personalisation\", \"measurement\"]\nchannels = [\"email\"]\n";

struct Kind {
  const char* name;
  const char* category;
  const char* title;
};
constexpr std::array<Kind, 2> kKinds{Kind{"wine", "Food > Drinks > Wine", "dry red wine"}, {"soap", "Home > Bath > Soap", "gentle hand soap"}};
constexpr int kGoods = 40;  // of each kind

std::string some_word(std::uint64_t seed) {
  base::Rng rng(seed);
  std::string out;
  for (int i = 0; i < 7; ++i) {
    out.push_back(static_cast<char>('a' + rng.below(26)));
  }
  return out;
}

// 40 wines and 40 soaps that are sold, one of each that is not.
std::string feed() {
  std::string out = "id\ttitle\tproduct_type\tbrand\tprice\n";
  std::uint64_t seed = 1;
  for (const auto& kind : kKinds) {
    for (int i = 0; i <= kGoods; ++i) {
      const std::string number = i == kGoods ? "new" : std::to_string(i);
      out += std::string(kind.name) + "-" + number + "\t" + kind.title + " " + some_word(seed++) + "\t" + kind.category + "\tAcme\t9.90 EUR\n";
    }
  }
  return out;
}

// Sixty customers buy wine, sixty soap. Columns that the mapping names and nothing is known of stay empty.
std::string purchases(const events::CsvMapping& m) {
  const std::vector<std::string> columns{m.user_id, m.time, m.item, m.order_id, m.event, m.quantity, m.price, m.currency, m.channel,
                                         m.market, m.coupon, m.campaign, m.message_id, m.anonymous_id};
  const auto line = [&](const std::vector<std::string>& values) {
    std::string out;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      out += columns[i].empty() ? "" : (i < values.size() ? values[i] : "") + ",";
    }
    return out + "\n";
  };
  std::string out = line(columns);
  base::Rng rng(4);
  for (int c = 0; c < 120; ++c) {
    const Kind& kind = kKinds[static_cast<std::size_t>(c % 2)];
    for (int day = 1; day <= 28; day += 3) {
      const std::string time = "2026-01-" + std::string(day < 10 ? "0" : "") + std::to_string(day) + " 10:00";
      out += line({std::string(kind.name) + "-lover-" + std::to_string(c), time, std::string(kind.name) + "-" + std::to_string(rng.below(kGoods)),
                   "o" + std::to_string(c * 100 + day), "purchase", "1", "9.90"});
    }
  }
  return out;
}

struct TrainedShop {
  // With a new key each time one training in ten of so small a shop and so few epochs stops too early to tell the new goods apart.
  TestShop shop{"csv", std::string(64, '1')};
  std::unique_ptr<Context> context;
  base::Json figures;
  explicit TrainedShop(const std::string& model_keys = "") {
    std::string config = kSmall;
    config.insert(config.find("[train]"), model_keys);
    shop.append_config(config);
    context = shop.open();
    EXPECT_TRUE(import_catalog(*context, shop.folder.file("feed.tsv", feed())).ok());
    EXPECT_EQ(ingest_ok(*context, {shop.folder.file("events.csv", purchases(context->config.csv))})["rejected"], 0);
    const auto trained = train(*context, {});
    EXPECT_TRUE(trained.ok()) << trained.error().message;
    figures = trained.ok() ? *trained : base::Json();
  }
};

// By kind of buyer: probability of a purchase of the new wine over that of the new soap, averaged.
std::map<std::string, double> preference(const PlanMaterial& material, base::Instant now, base::Executor& executor) {
  std::vector<bool> allowed(static_cast<std::size_t>(material.data.vocabulary.size()), false);
  const std::int32_t wine = material.data.vocabulary.token("wine-new");
  const std::int32_t soap = material.data.vocabulary.token("soap-new");
  EXPECT_GT(wine, 0);
  EXPECT_GT(soap, 0);
  allowed[static_cast<std::size_t>(wine)] = allowed[static_cast<std::size_t>(soap)] = true;
  std::vector<const features::History*> histories;
  for (const auto& history : material.data.histories) {
    histories.push_back(&history);
  }
  const response::Scorer scorer(&*material.trained->weights, &material.floors, material.trained->item_response);
  const auto scored = scorer.evidence(histories, now, allowed, executor);
  std::map<std::string, double> out;
  for (std::size_t i = 0; i < scored.size(); ++i) {
    std::map<std::int32_t, double> of;
    for (const auto& candidate : scored[i]) {
      of[candidate.token] = candidate.evidence.model;
    }
    EXPECT_EQ(of.size(), 2U);
    const bool loves_wine = material.data.vocabulary.item(histories[i]->steps.front().token).starts_with("wine");
    out[loves_wine ? "wine" : "soap"] += (of[wine] > of[soap] ? 1.0 : 0.0) / 60;
  }
  return out;
}

TEST(NewItems, ANewWineIsRecommendedToWineBuyers) {
  // Nobody has bought it, so neither popularity nor the chain can ever propose it.
  TrainedShop work;
  EXPECT_EQ(work.figures["items"], 2 * kGoods);
  EXPECT_EQ(work.figures["new_items"], 2);
  EXPECT_GT(work.figures["text_map"]["explained"].get<double>(), 0) << work.figures["text_map"].dump();
  auto campaign = read_campaign(*work.context, "campaigns/welcome.toml");
  ASSERT_TRUE(campaign.ok());
  campaign->items.per_customer = 100;
  const auto material = gather_plan(*work.context, *campaign, PlanScope::kHypothetical);
  ASSERT_TRUE(material.ok()) << material.error().message;
  const auto shares = preference(**material, work.context->clock->now(), *work.context->executor);
  EXPECT_GT(shares.at("wine"), .9);
  EXPECT_LT(shares.at("soap"), .1);
  // And it is among what a plan may choose from.
  std::int32_t wine = -1;
  const auto& items = (*material)->input.items;
  for (std::size_t i = 0; i < items.size(); ++i) {
    wine = items[i].id.str() == "wine-new" ? static_cast<std::int32_t>(i) : wine;
  }
  std::int64_t proposed = 0;
  for (const auto& person : (*material)->input.persons) {
    proposed += std::ranges::count(person.items, wine, &decide::ItemScore::item);
  }
  EXPECT_GT(proposed, 55);
  for (const auto& popular : (*material)->input.popular) {
    EXPECT_NE(popular.item, wine);
  }
}

TEST(NewItems, SwitchedOffTheVocabularyHoldsWhatWasBought) {
  // Who wants the old behaviour gets it, and the plan works without these tokens.
  TrainedShop work("text_vectors = \"none\"\nitem_columns = []\n");
  EXPECT_EQ(work.figures["new_items"], 0);
  EXPECT_TRUE(work.figures["text_map"].is_null());
  const auto trained = load_model(*work.context);
  ASSERT_TRUE(trained.ok() && trained->has_value());
  EXPECT_EQ((*trained)->vocabulary.size(), 2 * kGoods + 1);
  EXPECT_FALSE((*trained)->words.promotion);
  EXPECT_TRUE(plan(*work.context, {"campaigns/welcome.toml", true, ""}).ok());
}

TEST(NewItems, TheModelFileKeepsItsWordsAndAnOlderOneSaysWhatToDo) {
  // Served with other numbers, every brand would be another one.
  TrainedShop work;
  const auto trained = load_model(*work.context);
  ASSERT_TRUE(trained.ok() && trained->has_value());
  EXPECT_EQ((*trained)->words.categories.size(), 2U);
  EXPECT_EQ((*trained)->words.brands, std::vector<std::string>{"Acme"});
  EXPECT_EQ((*trained)->vocabulary.warm_size(), 2 * kGoods + 1);
  const std::string path = work.context->path("model/model.json");
  auto json = base::parse_json(bytes_of(path)).value();
  const auto message_with = [&](const base::Json& changed) {
    std::ofstream(path) << base::to_line(changed);
    return load_model(*work.context).error().message;
  };
  base::Json other = json;
  other["item_words"]["brands"].push_back("Zeta");
  EXPECT_NE(message_with(other).find("does not belong"), std::string::npos);
  other = json;
  other["schema"] = 1;
  EXPECT_NE(message_with(other).find("run beckon train again"), std::string::npos);
}

}  // namespace
}  // namespace beckon::engine
