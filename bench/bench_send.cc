// Messages per second through the whole ledger: claim (consent, zone, caps, price, budget, rendering, encryption), synced batches,
// transport, synced answers. usage: bench_send [--messages 20000] [--transport file|webhook] [--workers 8] [--folder DIR]
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "beckon/base/json.h"
#include "beckon/deliver/deliver.h"
#include "http_sink.h"

namespace beckon {
namespace {

constexpr std::size_t kRound = 4096;  // rows per batch while the shop is made

struct Options {
  std::int64_t messages = 20'000;
  std::string transport = "file";
  std::size_t workers = 8;
  std::string folder = (std::filesystem::temp_directory_path() / "beckon_bench_send").string();
};

struct Shop {
  privacy::KeyRing ring = privacy::KeyRing::make(std::string(32, 'k'), 1).value();
  base::Instant now = base::parse_time("2026-03-02T12:00:00Z", base::Zone::utc()).value();
  std::unique_ptr<store::KeyValue> rows;
  std::unique_ptr<store::DataKeys> keys;
  catalog::Shop shop;
  catalog::Campaign campaign;
  std::vector<events::Decision> decisions;
};

void set_up_campaign(Shop& out) {
  catalog::Market market;
  market.currency = base::Currency::parse("EUR").value();
  market.zone = "Europe/Berlin";
  out.shop.markets.push_back(market);
  auto& email = out.shop.channels["email"];
  email.id = email.address_trait = "email";
  email.send_cost_micro = 200'000;
  out.campaign.id = base::CampaignId("bench");
  out.campaign.market = market.id;
  out.campaign.starts = out.now;
  out.campaign.ends = out.now.plus_ms(30 * base::kDayMs);
  out.campaign.channels = {"email"};
  catalog::Offer offer;
  offer.id = base::OfferId("ten");
  offer.kind = catalog::OfferKind::kPercentOff;
  offer.depth_bp = 1000;
  out.campaign.offers.push_back(offer);
  out.campaign.budgets.push_back({"main", base::Money(1'000'000'000'000, market.currency), catalog::BudgetBasis::kFace, {}});
}

base::Status add_customer(Shop& out, std::int64_t number, const std::string& key, store::WriteBatch& changes) {
  events::Decision d;
  d.customer = out.ring.pseudonym("user" + std::to_string(number));
  d.campaign = "bench";
  d.period = "1";
  d.plan = "p1";
  d.at = out.now;
  d.market = "main";
  d.currency = "EUR";
  d.chosen = true;
  d.item = "wine";
  d.offer = "ten";
  d.channel = "email";
  d.hour = -1;
  d.price_minor = 1000;
  d.face_minor = 100;
  d.send_cost_micro = 200'000;
  d.value_micro = number;
  store::Records::put(d, changes);
  store::Profile profile;
  profile.open["timezone"] = "Europe/Berlin";
  profile.sealed["email"] =
      privacy::encrypt("user" + std::to_string(number) + "@example.test", key, "profile|" + d.customer.bytes() + "|email");
  store::People::put_profile(d.customer, profile, changes);
  store::People::put_consent(d.customer, {privacy::Purpose::kMarketing, "email", true, out.now.plus_ms(-base::kDayMs), "opt_in", "bench"},
                             changes);
  out.decisions.push_back(std::move(d));
  return base::ok_status();
}

base::Status make_shop(const Options& options, Shop& out) {
  std::filesystem::remove_all(options.folder);
  std::filesystem::create_directories(options.folder);
  BECKON_TRY(out.rows, store::open_rocksdb(options.folder + "/rows"));
  BECKON_TRY(out.keys, store::open_data_keys(options.folder + "/keys.sqlite", out.ring));
  set_up_campaign(out);
  catalog::Item item;
  item.id = base::ItemId("wine");
  item.price = base::Money(1000, out.shop.markets[0].currency);
  BECKON_TRY_STATUS(store::Shelf(*out.rows).import({item}, out.now.plus_ms(-base::kDayMs)));
  for (std::int64_t start = 0; start < options.messages; start += static_cast<std::int64_t>(kRound)) {
    const std::int64_t end = std::min(options.messages, start + static_cast<std::int64_t>(kRound));
    std::vector<privacy::Pseudonym> customers;
    for (std::int64_t i = start; i < end; ++i) {
      customers.push_back(out.ring.pseudonym("user" + std::to_string(i)));
    }
    BECKON_TRY(const auto keys, out.keys->get_or_make(customers));
    store::WriteBatch changes;
    for (std::int64_t i = start; i < end; ++i) {
      BECKON_TRY_STATUS(add_customer(out, i, keys[static_cast<std::size_t>(i - start)], changes));
    }
    BECKON_TRY_STATUS(out.rows->write(changes));
  }
  return base::ok_status();
}

base::Result<std::string> render(const events::Delivery& d, const std::string& to) {
  return base::to_line({{"id", d.id}, {"to", to}, {"channel", d.channel}, {"campaign", d.campaign}, {"language", "en"},
                        {"subject", "10% off Alder Light Shirt 1"},
                        {"body", "Alder Light Shirt 1 for €9.00 instead of €10.00. Use TEN until March 9, 2026."}, {"item", d.item},
                        {"offer", d.offer}, {"code", "TEN"}, {"market", d.market}, {"currency", d.currency}, {"price", "9.00"},
                        {"valid_until", "2026-03-09T12:00:00Z"}});
}

base::Status run(const Options& options) {
  Shop shop;
  BECKON_TRY_STATUS(make_shop(options, shop));
  base::PosixFileSystem files;
  const base::SystemClock clock;
  deliver::HttpSink sink([](const deliver::SinkRequest&) { return deliver::HttpSink::status(204); });
  deliver::WebhookOptions webhook;
  webhook.url = sink.url();
  webhook.secret = std::string(32, 's');
  webhook.allow_private_addresses = true;
  webhook.workers = options.workers;
  webhook.clock = &clock;
  BECKON_TRY(const auto transport, options.transport == "file" ? deliver::open_file_transport(files, options.folder + "/out.jsonl")
                                                               : deliver::open_webhook_transport(webhook));
  deliver::SenderParts parts;
  parts.rows = shop.rows.get();
  parts.keys = shop.keys.get();
  parts.shop = &shop.shop;
  parts.campaign = &shop.campaign;
  parts.tenant = "bench";
  parts.render = [](const auto&, const events::Delivery& d, const catalog::Item&, const auto& profile_and_to) {
    return render(d, profile_and_to.second);
  };
  parts.transport = [&](const std::string&) { return transport.get(); };
  deliver::Sender sender(std::move(parts));
  const std::int64_t start_ms = clock.monotonic_ms();
  BECKON_TRY_STATUS(sender.add_intents(shop.decisions, shop.now));
  const std::int64_t sending_ms = clock.monotonic_ms();
  BECKON_TRY(const auto counts, sender.send_due(shop.now, [](const auto&) { return true; }));
  const std::int64_t end_ms = clock.monotonic_ms();
  const double seconds = static_cast<double>(end_ms - sending_ms) / 1000;
  std::cout << base::to_line({{"transport", options.transport}, {"accepted", counts.accepted},
                              {"intents_seconds", static_cast<double>(sending_ms - start_ms) / 1000}, {"send_seconds", seconds},
                              {"messages_per_second", static_cast<double>(counts.accepted) / seconds},
                              {"with_intents_per_second", static_cast<double>(counts.accepted) * 1000 / static_cast<double>(end_ms - start_ms)}})
            << std::endl;
  return counts.accepted == options.messages ? base::ok_status() : base::Status(base::internal_error("not every message was accepted"));
}

}  // namespace
}  // namespace beckon

int main(int argc, char** argv) {
  beckon::Options options;
  CLI::App app{"Messages per second through the whole ledger"};
  app.add_option("--messages", options.messages)->capture_default_str();
  app.add_option("--transport", options.transport)->check(CLI::IsMember({"file", "webhook"}))->capture_default_str();
  app.add_option("--workers", options.workers)->capture_default_str();
  app.add_option("--folder", options.folder, "Is emptied first")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const auto status = beckon::run(options);
  std::filesystem::remove_all(options.folder);
  if (!status.ok()) {
    std::cerr << "bench_send: " << status.error().message << std::endl;
    return 1;
  }
  return 0;
}
