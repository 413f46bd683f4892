#include "beckon/catalog/config.h"

#include <algorithm>

namespace beckon::catalog {
namespace {

const std::vector<std::string> kOfferKinds{"none", "percent_off", "money_off", "free_shipping", "points"};

Market read_market(base::TomlTable& table, const Market& defaults) {
  Market market = defaults;
  market.id = table.text("id", defaults.id);
  const std::string currency = table.text("currency", "");
  if (!currency.empty()) {
    const auto known = base::Currency::parse(currency);
    if (known.ok()) {
      market.currency = *known;
    } else {
      table.fail("currency", known.error().message);
    }
  }
  if (market.currency.empty()) {
    table.fail("currency", "is missing: name the ISO 4217 code of the prices, e.g. currency = \"EUR\"");
  }
  market.zone = table.text("zone", defaults.zone);
  if (const auto zone = base::Zone::find(market.zone); !market.zone.empty() && !zone.ok()) {
    table.fail("zone", zone.error().message);
  }
  market.country = table.text("country", defaults.country);
  market.language = table.text("language", defaults.language);
  market.rule.consent_valid_ms = table.integer("consent_valid_days", 0, {0, 36500}) * base::kDayMs;
  market.quiet_from_minute = minute_of_day(table, "quiet_from", defaults.quiet_from_minute);
  market.quiet_until_minute = minute_of_day(table, "quiet_until", defaults.quiet_until_minute);
  return market;
}

// "0.2" minor units → micro-minor; the decimals of a cent that a message costs.
std::int64_t read_send_cost(base::TomlTable& table, const base::Currency& currency) {
  const std::string amount = table.amount("send_cost", "0");
  // Parsed as money of a currency with the shop's decimals × 10^6: shift the decimal point instead of touching a double.
  const auto scaled = base::Money::parse(amount + "e6", currency);
  if (!scaled.ok() || scaled->is_negative()) {
    table.fail("send_cost", "must be an amount in the shop's currency, e.g. 0.002");
    return 0;
  }
  return scaled->minor();
}

Channel read_channel(const std::string& id, base::TomlTable& table, const base::Currency& currency) {
  Channel channel;
  channel.id = id;
  channel.transport = table.choice("transport", {"file", "webhook"}, "file");
  channel.url = table.text("url");
  channel.secret_env = table.text("secret_env");
  channel.secret_file = table.text("secret_file");
  channel.allow_private_addresses = table.boolean("allow_private_addresses", false);
  channel.address_trait = table.text("address_trait", id == "email" ? "email" : id == "sms" ? "phone" : "");
  channel.send_cost_micro = read_send_cost(table, currency);
  channel.per_day_max = table.integer("per_day_max", channel.per_day_max, {0, 1000});
  channel.per_week_max = table.integer("per_week_max", channel.per_week_max, {0, 1000});
  if (channel.transport == "webhook" && (channel.url.empty() || (channel.secret_env.empty() && channel.secret_file.empty()))) {
    table.fail("transport", "webhook needs url, and secret_env or secret_file");
  }
  return channel;
}

void read_priors(base::TomlTable root, Shop& shop) {
  // Defaults are modest published averages of promotional mail; every report grades them "assumed".
  shop.priors = {{"none", {0.02, 0.25, 0, 0.5, 200}},         {"percent_off", {0.03, 1.0, 0, 2.0, 200}}, {"money_off", {0.03, 1.0, 0, 2.0, 200}},
                 {"free_shipping", {0.03, 0.6, 0, 1.2, 200}}, {"points", {0.025, 0.4, 0, 0.8, 200}}};
  base::TomlTable table = root.table("response");
  for (const auto& kind : kOfferKinds) {
    base::TomlTable own = table.table(kind);
    ResponsePrior& prior = shop.priors[kind];
    prior.click_probability = own.real("click_probability", prior.click_probability, {0, 1});
    if (own.has("extra_share")) {  // its range moves with it unless it is stated too
      prior.extra_share = own.real("extra_share", prior.extra_share, {-1, 100});
      prior.extra_share_low = std::min(0.0, 2 * prior.extra_share);
      prior.extra_share_high = std::max(0.0, 2 * prior.extra_share);
    }
    prior.extra_share_low = own.real("extra_share_low", prior.extra_share_low, {-1, 100});
    prior.extra_share_high = own.real("extra_share_high", prior.extra_share_high, {-1, 100});
    if (prior.extra_share_low > prior.extra_share || prior.extra_share_high < prior.extra_share) {
      own.fail("extra_share_low", "and extra_share_high must enclose extra_share");
    }
    prior.weight = own.integer("weight", prior.weight, {0, 1e9});
  }
}

void read_consents(base::TomlTable root, Shop& shop) {
  for (auto& table : root.tables("consent_import")) {
    ConsentImport import;
    import.basis = table.required_text("basis");
    import.source = table.required_text("source");
    import.at = time_of(table, "date", shop.default_market());
    for (const auto& text : table.texts("purposes", {"marketing"})) {
      const auto purpose = privacy::parse_purpose(text);
      if (purpose.ok()) {
        import.purposes.push_back(*purpose);
      } else {
        table.fail("purposes", purpose.error().message);
      }
    }
    import.channels = table.texts("channels");
    if (import.channels.empty()) {
      table.fail("channels", "is missing: list the channels this consent covers");
    }
    shop.consent_imports.push_back(std::move(import));
  }
}

void read_train(base::TomlTable table, TrainConfig& train) {
  train.items_max = table.integer("items_max", train.items_max, {10, 5'000'000});
  train.horizon_days = table.integer("horizon_days", train.horizon_days, {1, 90});
}

void read_groups(base::TomlTable table, GroupConfig& groups) {
  groups.holdout_share = table.real("holdout_share", groups.holdout_share, {0, 0.5});
  groups.salt = table.text("salt", groups.salt);
  groups.random_share_first = table.real("random_share_first", groups.random_share_first, {0, 1});
}

void read_markets(base::TomlTable root, base::TomlTable& shop_table, Shop& shop) {
  const Market base_market = read_market(shop_table, Market{});
  for (auto& table : root.tables("market")) {
    Market defaults = base_market;
    defaults.id.clear();
    Market market = read_market(table, defaults);
    if (market.id.empty()) {
      table.fail("id", "is missing: name the market as the event and item files do");
    }
    shop.markets.push_back(std::move(market));
  }
  if (shop.markets.empty()) {
    shop.markets.push_back(base_market);
  }
}

}  // namespace

base::Zone Market::time_zone() const {
  const auto found = base::Zone::find(zone);
  return zone.empty() || !found.ok() ? base::Zone::utc() : *found;
}

const Market& Shop::market(const std::string& id) const {
  const auto found = std::find_if(markets.begin(), markets.end(), [&](const Market& m) { return m.id == id; });
  return found == markets.end() ? markets.front() : *found;
}

const ResponsePrior& Shop::prior(const std::string& offer_kind) const {
  const auto found = priors.find(offer_kind);
  BECKON_CHECK(found != priors.end());
  return found->second;
}

int minute_of_day(base::TomlTable& table, std::string_view key, int fallback) {
  const std::string text = table.text(key, "");
  if (text.empty()) {
    return fallback;
  }
  const auto at = base::parse_time("2000-01-01T" + text, base::Zone::utc());
  if (!at.ok() || text.size() != 5) {
    table.fail(key, "must be a time of day such as 21:30");
    return fallback;
  }
  const base::LocalTime local = base::Zone::utc().to_local(*at);
  return local.hour * 60 + local.minute;
}

base::Money money_of(base::TomlTable& table, std::string_view key, const base::Currency& currency) {
  const auto money = base::Money::parse(table.amount(key, "0"), currency);
  if (!money.ok() || money->is_negative()) {
    table.fail(key, "must be an amount such as 12.50, not below 0");
    return {0, currency};
  }
  return *money;
}

base::Instant time_of(base::TomlTable& table, std::string_view key, const Market& market) {
  const std::string text = table.required_text(key);
  const auto at = base::parse_time(text, market.time_zone());
  if (!at.ok()) {
    table.fail(key, at.error().message);
    return {};
  }
  return *at;
}

base::Result<Shop> load_shop(base::TomlTable& root) {
  Shop shop;
  base::TomlTable table = root.table("shop");
  shop.name = table.text("name", shop.name);
  read_markets(root, table, shop);
  shop.regulated = table.choice("regulated", {"", "finance", "medicine"}, "");
  shop.sensitive_categories = table.texts("sensitive_categories");
  shop.margin_stated = table.has("margin_share");
  shop.margin_bp = static_cast<std::int64_t>(table.real("margin_share", 0.30, {0, 1}) * 10'000 + 0.5);
  shop.folder_outbox = table.text("outbox", shop.folder_outbox);
  shop.data_notice = table.text("data_notice");
  base::TomlTable channels = root.table("channel");
  for (const auto& id : channels.keys()) {
    base::TomlTable own = channels.table(id);
    shop.channels[id] = read_channel(id, own, shop.default_market().currency);
  }
  read_priors(root, shop);
  read_consents(root, shop);
  shop.services = root.table("catalog").texts("services");
  base::TomlTable columns = root.table("catalog").table("columns");
  for (const auto& role : columns.keys()) {
    shop.catalog_columns[role] = columns.text(role);
  }
  read_train(root.table("train"), shop.train);
  read_groups(root.table("groups"), shop.groups);
  return shop;
}

}  // namespace beckon::catalog
