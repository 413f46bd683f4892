// beckon.toml, campaigns and templates as written by anybody: what loads keeps the promises that plans are built on.
#include <cstdint>
#include <string_view>

#include "beckon/engine/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beckon;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto config = engine::load_config(bytes, "beckon.toml"); config.ok()) {
    BECKON_CHECK(!config->shop.markets.empty());
    for (const auto& market : config->shop.markets) {
      BECKON_CHECK(market.quiet_from_minute >= 0 && market.quiet_from_minute < 24 * 60);
      BECKON_CHECK(market.quiet_until_minute >= 0 && market.quiet_until_minute < 24 * 60);
      BECKON_CHECK(!market.time_zone().name().empty());
    }
  } else {
    BECKON_CHECK(!config.error().message.empty());
  }
  static const auto kShop = engine::load_config(
      "[shop]\ncurrency = \"EUR\"\nzone = \"Europe/Berlin\"\n[channel.email]\nsend_cost = \"0.002\"\n[channel.push]\n", "beckon.toml");
  if (const auto campaign = catalog::load_campaign(bytes, "campaign.toml", kShop.value().shop); campaign.ok()) {
    BECKON_CHECK(campaign->ends > campaign->starts && !campaign->offers.empty() && !campaign->budgets.empty());
    BECKON_CHECK(campaign->holdout_share + campaign->random_share <= 1);
    const base::Money price(1999, base::Currency::parse("EUR").value());
    for (const auto& offer : campaign->offers) {
      BECKON_CHECK(!offer.face_cost(price).is_negative() && !offer.price_after(price).is_negative());
      BECKON_CHECK(offer.price_after(price).minor() <= price.minor());
    }
  }
  if (const auto bank = catalog::load_template(bytes, "template.toml"); bank.ok()) {
    for (const auto& [kind, languages] : bank->texts) {
      for (const auto& [language, text] : languages) {
        BECKON_CHECK(catalog::slots_of(text.subject).ok() && catalog::slots_of(text.body).ok());
      }
    }
  }
  return 0;
}
