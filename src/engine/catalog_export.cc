#include "campaigns.h"
#include "beckon/base/csv.h"

namespace beckon::engine {
namespace {

// Google's promotion feed names; kinds we cannot express there are left out and counted.
std::string promotions_feed(const std::vector<catalog::Campaign>& campaigns) {
  std::string out = base::csv_line({"promotion_id", "long_title", "promotion_effective_dates", "redemption_channel", "offer_type",
                                    "generic_redemption_code", "percent_off", "money_off_amount", "product_applicability"}, '\t');
  for (const auto& campaign : campaigns) {
    for (const auto& offer : campaign.offers) {
      if (offer.kind == catalog::OfferKind::kNone) {
        continue;
      }
      const bool percent = offer.kind == catalog::OfferKind::kPercentOff;
      const base::Money share(offer.depth_bp, base::Currency::parse("EUR").value());  // basis points read as cents print as percent
      out += base::csv_line({campaign.id.str() + "_" + offer.id.str(), campaign.name + ": " + offer.id.str(),
                             base::format_time(campaign.starts) + "/" + base::format_time(campaign.ends), "online",
                             offer.code.empty() ? "no_code" : "generic_code", offer.code, percent ? share.amount_string() : "",
                             percent ? "" : offer.amount.to_string(), offer.categories.empty() ? "all_products" : "specific_products"}, '\t');
    }
  }
  return out;
}

}  // namespace

base::Result<base::Json> export_catalog(Context& context, const std::string& folder) {
  BECKON_TRY_STATUS(context.files->make_dirs(folder));
  BECKON_TRY(const auto items, store::Shelf(*context.rows).items());
  const std::string items_path = folder + "/items.tsv";
  BECKON_TRY_STATUS(context.files->write_atomic(items_path, catalog::write_feed(items, context.config.shop.default_market().language)));
  std::vector<catalog::Campaign> campaigns;
  base::Json unreadable = base::Json::array();
  if (context.files->exists(context.path("campaigns"))) {
    BECKON_TRY(const auto names, context.files->list(context.path("campaigns")));
    for (const auto& name : names) {
      auto campaign = read_campaign(context, context.path("campaigns/" + name));
      if (campaign.ok()) {
        campaigns.push_back(std::move(campaign).value());
      } else {
        unreadable.push_back(campaign.error().message);
      }
    }
  }
  const std::string promotions_path = folder + "/promotions.tsv";
  BECKON_TRY_STATUS(context.files->write_atomic(promotions_path, promotions_feed(campaigns)));
  return base::Json{{"items", static_cast<std::int64_t>(items.size())}, {"items_file", items_path}, {"promotions_file", promotions_path},
                    {"unreadable_campaigns", unreadable}, {"exit", unreadable.empty() ? 0 : 5}};
}

}  // namespace beckon::engine
