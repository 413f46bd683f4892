#pragma once
// beckon.toml: the shop in one file. Every key has a default that is right for most shops; unknown keys are refused.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "beckon/base/clock.h"
#include "beckon/base/money.h"
#include "beckon/base/result.h"
#include "beckon/base/toml.h"
#include "beckon/privacy/privacy.h"

namespace beckon::catalog {

/// A country or region with its own currency, zone and rules.
struct Market {
  std::string id = "main";
  base::Currency currency;
  std::string zone;                ///< of times without offset, and of customers without one; empty: not stated, nobody is written to by it
  std::string country;             ///< ISO 3166 alpha-2
  std::string language = "en";     ///< of customers who named none
  privacy::MarketRule rule;
  int quiet_from_minute = 21 * 60; ///< local minute of the day; messages wait from here …
  int quiet_until_minute = 9 * 60; ///< … until here
  /// The zone of times without offset: the named one, else UTC.
  base::Zone time_zone() const;
};

/// What a channel costs, who carries it, and how often it may be used.
struct Channel {
  std::string id;                       ///< "email", "push", "sms", …
  std::string transport = "file";       ///< "file" or "webhook"
  std::string url;                      ///< webhook
  std::string secret_env;               ///< name of the environment variable with the whsec_… secret
  std::string secret_file;
  bool allow_private_addresses = false; ///< webhook to a private or loopback address
  std::string address_trait;            ///< trait that names the recipient ("email", "phone"); empty: the customer id
  std::int64_t send_cost_micro = 0;     ///< millionths of a minor unit per message
  std::int64_t per_day_max = 1;
  std::int64_t per_week_max = 3;
};

/// What is believed about the response before there is data. Graded "assumed" wherever it shows.
struct ResponsePrior {
  double click_probability = 0.03;  ///< of a sent message, per channel average
  double extra_share = 0.5;         ///< purchases that the message adds, as a share of those that would happen without it
  double extra_share_low = 0;       ///< the range it is believed in (95 %): own randomised data must be surer than this to take over
  double extra_share_high = 1;
  std::int64_t weight = 200;        ///< messages' worth of belief; logged outcomes outweigh it as they come
};

/// [[consent_import]]: a statement of the shop about customers it brings along, kept as proof.
struct ConsentImport {
  std::string basis;
  std::string source;
  base::Instant at;
  std::vector<privacy::Purpose> purposes;
  std::vector<std::string> channels;
};

/// What [train] says about the shop's data; the rest of it, and [model], is the model's own.
struct TrainConfig {
  std::int64_t items_max = 30'000;     ///< most frequent items that get a vector; the rest share one
  std::int64_t horizon_days = 7;       ///< of the purchase head: buys within so many days
};

/// [groups]: the outermost layer of who is kept out, and how a shop starts.
struct GroupConfig {
  double holdout_share = 0.05;         ///< global holdout: no commercial contact at all
  std::string salt = "1";              ///< a new one draws the global holdout anew, e.g. once a year
  double random_share_first = 0.20;    ///< random control of campaigns that state none, until the shop has randomised data of its own
};

struct Shop {
  std::string name = "shop";
  std::string regulated;               ///< "", "finance" or "medicine": no personal depth, no sensitive categories
  std::vector<std::string> sensitive_categories;
  std::int64_t margin_bp = 3000;       ///< where an item has no cost
  bool margin_stated = false;          ///< the shop wrote it down; else the report lists it as an assumption
  std::vector<Market> markets;         ///< at least one; the first is the default
  std::map<std::string, Channel> channels;
  std::map<std::string, ResponsePrior> priors;  ///< kind of offer → prior
  std::vector<ConsentImport> consent_imports;
  std::map<std::string, std::string> catalog_columns;
  std::vector<std::string> services;   ///< item ids that are no goods (postage, fees): never promoted, never learned from
  TrainConfig train;
  GroupConfig groups;
  std::string folder_outbox = "outbox";
  std::string data_notice;             ///< quoted at the head of every report: where the data comes from, what it must not be used for

  const Market& default_market() const { return markets.front(); }
  /// The named market, else the default.
  const Market& market(const std::string& id) const;
  const ResponsePrior& prior(const std::string& offer_kind) const;
};

/// Reads [shop], [[market]], [channel.*], [response.*], [[consent_import]], [catalog], [train], [groups]. The caller reads its own tables
/// and then asks root.finish(), which reports the first problem and any key nobody knows.
base::Result<Shop> load_shop(base::TomlTable& root);

/// "21:30" → minutes of the day; records a problem in `table` otherwise.
int minute_of_day(base::TomlTable& table, std::string_view key, int fallback);
/// An amount in `currency`; records a problem otherwise.
base::Money money_of(base::TomlTable& table, std::string_view key, const base::Currency& currency);
/// A time in the market's zone; records a problem otherwise.
base::Instant time_of(base::TomlTable& table, std::string_view key, const Market& market);

}  // namespace beckon::catalog
