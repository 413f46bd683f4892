#include "beckon/deliver/deliver.h"
#include "beckon/measure/groups.h"

#include <gtest/gtest.h>

#include <set>

#include "beckon/base/json.h"
#include "beckon/base/rng.h"

namespace beckon::deliver {
namespace {

const privacy::KeyRing& ring() {
  static const privacy::KeyRing kRing = privacy::KeyRing::make(std::string(32, 'k'), 1).value();
  return kRing;
}
base::Currency eur() { return base::Currency::parse("EUR").value(); }
base::Instant at(const char* text) { return base::parse_time(text, base::Zone::utc()).value(); }

class MemoryKeys final : public store::DataKeys {
 public:
  base::Result<std::vector<std::string>> get_or_make(std::span<const privacy::Pseudonym> customers) override {
    return std::vector<std::string>(customers.size(), std::string(32, 'd'));
  }
  base::Result<std::optional<std::string>> find(const privacy::Pseudonym&) override {
    return std::optional<std::string>(std::string(32, 'd'));
  }
  base::Status erase(const privacy::Pseudonym&) override { return base::ok_status(); }
};

// A shop of `count` customers who all get an offer of 10 % on one item, under one budget.
struct World {
  store::MemoryKeyValue rows;
  MemoryKeys keys;
  base::MemoryFileSystem files;
  catalog::Shop shop;
  catalog::Campaign campaign;
  std::vector<events::Decision> decisions;
  std::unique_ptr<Transport> transport;
  int renders = 0;

  explicit World(int count, std::int64_t budget_minor = 1'000'000) {
    catalog::Market market;
    market.currency = eur();
    market.zone = "Europe/Berlin";
    shop.markets.push_back(market);
    shop.groups.holdout_share = 0;
    auto& email = shop.channels["email"];
    email.id = "email";
    email.address_trait = "email";
    email.send_cost_micro = 200'000;
    email.per_week_max = 1;
    campaign.id = base::CampaignId("spring");
    campaign.market = market.id;
    campaign.starts = at("2026-03-01");
    campaign.ends = at("2026-04-01");
    campaign.channels = {"email"};
    catalog::Offer offer;
    offer.id = base::OfferId("ten");
    offer.kind = catalog::OfferKind::kPercentOff;
    offer.depth_bp = 1000;
    offer.code = "TEN";
    campaign.offers.push_back(offer);
    campaign.budgets.push_back({"main", base::Money(budget_minor, eur()), catalog::BudgetBasis::kFace, {}});
    catalog::Item item;
    item.id = base::ItemId("wine");
    item.price = base::Money(1000, eur());
    EXPECT_TRUE(store::Shelf(rows).import({item}, at("2026-01-01")).ok());
    store::WriteBatch changes;
    for (int i = 0; i < count; ++i) {
      add_customer(i, changes);
    }
    EXPECT_TRUE(rows.write(changes).ok());
  }
  void add_customer(int i, store::WriteBatch& changes) {
    events::Decision d;
    d.customer = ring().pseudonym("user" + std::to_string(i));
    d.campaign = "spring";
    d.period = "1";
    d.plan = "p1";
    d.at = at("2026-03-02T10:00:00Z");
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
    d.value_micro = 1'000'000 + i;
    store::Records::put(d, changes);
    decisions.push_back(d);
    store::Profile profile;
    profile.sealed["email"] =
        privacy::encrypt("user" + std::to_string(i) + "@example.test", std::string(32, 'd'), "profile|" + d.customer.bytes() + "|email");
    store::People::put_profile(d.customer, profile, changes);
    store::People::put_consent(d.customer, {privacy::Purpose::kMarketing, "email", true, at("2026-01-01"), "opt_in", "test"}, changes);
  }
  Sender sender() {
    auto opened = open_file_transport(files, "out.jsonl");
    EXPECT_TRUE(opened.ok());
    transport = std::move(opened).value();
    SenderParts parts;
    parts.rows = &rows;
    parts.keys = &keys;
    parts.shop = &shop;
    parts.campaign = &campaign;
    parts.tenant = "tenant";
    parts.render = [this](const auto&, const events::Delivery& d, const catalog::Item& item, const auto& profile_and_to) -> base::Result<std::string> {
      ++renders;
      return base::to_line({{"id", d.id}, {"to", profile_and_to.second}, {"item", item.id.str()}, {"render", renders}});
    };
    parts.transport = [this](const std::string&) { return transport.get(); };
    return Sender(std::move(parts));
  }
  // id → lines that carry it
  std::map<std::string, std::vector<std::string>> outbox() const {
    std::map<std::string, std::vector<std::string>> out;
    const std::string text = files.exists("out.jsonl") ? files.read("out.jsonl").value() : "";
    for (std::size_t start = 0; start < text.size();) {
      const std::size_t end = text.find('\n', start);
      const std::string line = text.substr(start, end - start);
      out[base::string_or(base::parse_json(line).value(), "id")].push_back(line);
      start = end + 1;
    }
    return out;
  }
  store::Counter budget() const {
    return store::Records(const_cast<store::MemoryKeyValue&>(rows)).counter("spring|1|budget|main").value().value_or(store::Counter{});
  }
  base::Result<SendCounts> run(base::Instant now) {
    Sender one = sender();
    BECKON_TRY_STATUS(one.add_intents(decisions, now));
    return one.send_due(now, [](const auto&) { return true; });
  }
};

const base::Instant kNoon = at("2026-03-02T12:00:00Z");

TEST(DeliveryId, DependsOnWhatTheMessageIsAlone) {
  // An id that changes with the run or the channel would let the same message go out twice.
  World world(1);
  events::Decision d = world.decisions[0];
  const std::string id = delivery_id("tenant", d);
  d.channel = "push";
  d.plan = "another";
  d.at = at("2027-01-01");
  EXPECT_EQ(delivery_id("tenant", d), id);
  d.slot = 2;
  EXPECT_NE(delivery_id("tenant", d), id);
  EXPECT_EQ(id.size(), 36U);
  EXPECT_EQ(id[14], '8');
}

TEST(Sender, RunTwiceOrPlannedAgainSendsNothingTwice) {
  // The second mail about the same coupon is what customers complain about.
  World world(50);
  EXPECT_EQ(world.run(kNoon)->accepted, 50);
  EXPECT_EQ(world.run(kNoon)->accepted, 0);
  for (auto& d : world.decisions) {
    d.plan = "p2";
  }
  EXPECT_EQ(world.run(kNoon.plus_ms(base::kHourMs))->accepted, 0);
  EXPECT_EQ(world.outbox().size(), 50U);
  EXPECT_EQ(world.budget().escrowed, 50 * 101);
}

TEST(Sender, QuietHoursHoldAndTheZoneOfTheCustomerCounts) {
  // A promotion at three in the morning costs the customer for good.
  World world(1);
  EXPECT_EQ(world.run(at("2026-03-02T22:00:00Z"))->waiting, 1);  // 23:00 in Berlin
  EXPECT_EQ(world.run(at("2026-03-03T07:59:00Z"))->accepted, 0);
  EXPECT_EQ(world.run(at("2026-03-03T08:00:00Z"))->accepted, 1);  // 09:00
  World away(1);
  store::WriteBatch changes;
  auto profile = store::People(away.rows).profile(away.decisions[0].customer).value().value();
  profile.open["timezone"] = "Asia/Shanghai";
  store::People::put_profile(away.decisions[0].customer, profile, changes);
  ASSERT_TRUE(away.rows.write(changes).ok());
  EXPECT_EQ(away.run(at("2026-03-02T14:00:00Z"))->accepted, 0);  // 22:00 there
}

TEST(Sender, AnUnknownZoneHoldsTheMessage) {
  // No zone named anywhere: better late than at night.
  World world(1);
  world.shop.markets[0].zone.clear();
  const auto counts = world.run(kNoon);
  EXPECT_EQ(counts->accepted, 0);
  const auto stored = store::Records(world.rows).deliveries(world.decisions[0].customer).value();
  EXPECT_EQ(stored.at(0).reason, "zone_unknown");
  EXPECT_EQ(stored.at(0).state, events::DeliveryState::kHeld);
}

TEST(Sender, ACountryIsAsStrictAsItsStrictestZone) {
  // "United States" says nothing about the coast: both must be awake.
  store::Profile profile;
  profile.open["country"] = "US";
  catalog::Market market;
  const auto zones = zones_of(profile, market);
  ASSERT_GT(zones.size(), 5U);
  const auto allowed = next_allowed(at("2026-03-02T15:00:00Z"), zones, market);  // 10:00 in New York, 05:00 in Honolulu
  ASSERT_TRUE(allowed.has_value());
  EXPECT_GE(allowed->ms, at("2026-03-02T19:00:00Z").ms);
}

TEST(Sender, LooksAgainAtTheClaim) {
  // Consent withdrawn, price changed, stock gone between plan and send: the message must not leave.
  World world(4);
  Sender first = world.sender();
  ASSERT_TRUE(first.add_intents(world.decisions, kNoon).ok());
  store::WriteBatch changes;
  store::People::put_consent(world.decisions[0].customer, {privacy::Purpose::kMarketing, "*", false, at("2026-03-02T11:00:00Z"), "", "event"}, changes);
  ASSERT_TRUE(world.rows.write(changes).ok());
  EXPECT_EQ(world.run(kNoon)->not_sent.at("no_consent"), 1);
  EXPECT_EQ(world.outbox().size(), 3U);
  World dearer(2);
  catalog::Item item;
  item.id = base::ItemId("wine");
  item.price = base::Money(1100, eur());
  ASSERT_TRUE(store::Shelf(dearer.rows).import({item}, kNoon).ok());
  EXPECT_EQ(dearer.run(kNoon)->not_sent.at("price_changed"), 2);
  EXPECT_EQ(dearer.budget().escrowed, 0);
}

TEST(Sender, StopsBeforeSettledAndEscrowedPassTheBudget) {
  // 101 cents per message, 10.00 in the budget: nine messages, not ten. The most valuable ones.
  World world(20, 1000);
  const auto counts = world.run(kNoon);
  EXPECT_EQ(counts->accepted, 9);
  EXPECT_EQ(counts->not_sent.at("budget"), 11);
  EXPECT_EQ(world.budget().escrowed, 909);
  EXPECT_TRUE(world.outbox().contains(delivery_id("tenant", world.decisions[19])));
}

TEST(Sender, RedemptionsAndExpiriesLeaveEscrow) {
  // Money that stays in escrow for ever stops a campaign that could go on.
  World world(10);
  ASSERT_EQ(world.run(kNoon)->accepted, 10);
  Sender one = world.sender();
  const auto used = world.decisions[3].customer;
  EXPECT_EQ(one.settle(kNoon.plus_ms(base::kDayMs), [&](const auto& d) { return d.customer == used; }).value(), 1);
  EXPECT_EQ(world.budget().settled, 101);
  EXPECT_EQ(world.budget().escrowed, 909);
  EXPECT_EQ(one.settle(kNoon.plus_ms(10 * base::kDayMs), [](const auto&) { return false; }).value(), 9);
  EXPECT_EQ(world.budget().settled, 101 + 9);
  EXPECT_EQ(world.budget().escrowed, 0);
}

TEST(Sender, AHeldOutCustomerIsNeverWrittenTo) {
  // One message to the holdout and the comparison is worthless.
  World world(3);
  world.decisions[1].group = events::Group::kHoldout;
  EXPECT_EQ(world.run(kNoon)->accepted, 2);
  EXPECT_FALSE(world.outbox().contains(delivery_id("tenant", world.decisions[1])));
}

TEST(Sender, AGlobalHoldoutThatWasDrawnAfterThePlanIsHeldAtTheClaim) {
  // A plan may be weeks old; a customer whom the shop keeps out since then must not get its messages.
  World world(40);
  world.shop.groups.holdout_share = 0.3;
  const measure::Layers layers{.global_holdout = 0.3, .global_salt = world.shop.groups.salt};
  const auto kept_out = std::count_if(world.decisions.begin(), world.decisions.end(),
                                      [&](const auto& d) { return measure::in_global_holdout(d.customer, layers); });
  ASSERT_GT(kept_out, 0);
  const auto counts = world.run(kNoon);
  EXPECT_EQ(counts->not_sent.at("global_holdout"), kept_out);
  EXPECT_EQ(counts->accepted, 40 - kept_out);
  EXPECT_EQ(world.budget().escrowed, 101 * (40 - kept_out));
}

TEST(Sender, CapsCountAcrossCampaigns) {
  // Two campaigns that each think they are the only one wrote twice to the same person.
  World world(2);
  ASSERT_EQ(world.run(kNoon)->accepted, 2);
  world.campaign.id = base::CampaignId("second");
  store::WriteBatch changes;
  for (auto& d : world.decisions) {
    d.campaign = "second";
    store::Records::put(d, changes);
  }
  ASSERT_TRUE(world.rows.write(changes).ok());
  EXPECT_EQ(world.run(kNoon.plus_ms(base::kDayMs))->not_sent.at("cap_per_week"), 2);
  EXPECT_EQ(world.run(kNoon.plus_ms(2 * base::kDayMs))->accepted, 0);
}

// A disk whose writes fail at random, before or after they happened; a "crash" is everything in memory gone but the stores.
TEST(Sender, KilledAtAnyPointEveryMessageArrivesOnceWithTheSameBytes) {
  // Nothing lost, nothing twice: the promise that makes retries safe.
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    base::Rng rng(seed);
    World world(30);
    std::map<std::string, std::string> first_bytes;
    for (int attempt = 0; attempt < 40; ++attempt) {
      const bool last = attempt == 39;
      Sender one = world.sender();
      const double draw = rng.uniform();
      if (!last && draw < 0.5) {
        const auto fault = draw < 0.25 ? store::MemoryKeyValue::Fault::kBefore : store::MemoryKeyValue::Fault::kAfter;
        world.rows.set_fault(fault, static_cast<int>(rng.below(4)));
      }
      if (!last && rng.chance(0.3)) {
        world.files.set_free_bytes(static_cast<std::int64_t>(rng.below(2000)));
      }
      static_cast<void>(one.add_intents(world.decisions, kNoon));
      static_cast<void>(one.send_due(kNoon.plus_ms(attempt * base::kMinuteMs), [&](const auto&) { return last || rng.chance(0.8); }));
      world.rows.set_fault(store::MemoryKeyValue::Fault::kNone);
      world.files.set_free_bytes(-1);
      if (rng.chance(0.3)) {
        world.files.crash();
      }
      static_cast<void>(world.sender());  // opening cuts off a torn line, as the next run would
      for (const auto& [id, lines] : world.outbox()) {
        first_bytes.try_emplace(id, lines.front());
        for (const auto& line : lines) {
          EXPECT_EQ(line, first_bytes.at(id)) << "seed " << seed << ": other bytes on a repeat";
        }
      }
    }
    for (int more = 0; more < 12; ++more) {
      ASSERT_TRUE(world.run(kNoon.plus_ms(more * 20 * base::kHourMs + 2 * base::kHourMs)).ok());
    }
    EXPECT_EQ(world.outbox().size(), 30U) << "seed " << seed << ": a message was lost";
    EXPECT_LE(world.budget().escrowed, 30 * 101);
  }
}

TEST(FileTransport, CutsOffATornLine) {
  // Half a JSON line in the outbox would stop the shop's own sender.
  base::MemoryFileSystem files;
  ASSERT_TRUE(files.write_atomic("o.jsonl", "{\"id\":\"a\"}\n{\"id\":\"b").ok());
  auto transport = open_file_transport(files, "o.jsonl").value();
  EXPECT_EQ(transport->already_sent({"a", "b"}).value(), std::set<std::string>{"a"});
  const Parcel parcel{"b", "{\"id\":\"b\"}", "c"};
  EXPECT_EQ(transport->send({&parcel, 1})[0].answer, Answer::kAccepted);
  EXPECT_EQ(files.read("o.jsonl").value(), "{\"id\":\"a\"}\n{\"id\":\"b\"}\n");
}

}  // namespace
}  // namespace beckon::deliver
