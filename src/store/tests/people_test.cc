// A customer could be written to after he withdrew, be shown another's history, or live on after his erasure if one of these broke.
#include "beckon/store/people.h"

#include <gtest/gtest.h>

#include "beckon/base/rng.h"
#include "twin.h"

namespace beckon::store {
namespace {

constexpr base::Instant kEnd{1'000'000'000'000};

events::Event event_of(const privacy::Pseudonym& customer, std::uint64_t number, std::int64_t at) {
  events::Event event;
  event.customer = customer;
  for (std::size_t i = 0; i < 8; ++i) {
    event.id[i] = static_cast<std::uint8_t>(number >> (8 * i));
  }
  event.at = {at};
  event.type = events::EventType::kView;
  event.item = "tea";
  return event;
}

void write(KeyValue& rows, const WriteBatch& changes) { ASSERT_TRUE(rows.write(changes).ok()); }

void append(KeyValue& rows, const events::Event& event) { ASSERT_TRUE(Timelines(rows).append(std::vector{event}).ok()); }

TEST(People, AProfileComesBackAsItWasPut) {
  // A lost field sends a Chinese customer an English message, or at night.
  MemoryKeyValue rows;
  const People people(rows);
  EXPECT_FALSE(people.profile(person(1))->has_value());
  Profile profile;
  profile.open = {{"language", "zh"}, {"timezone", "Asia/Shanghai"}, {"empty", ""}};
  profile.sealed = {{"id", std::string("\0\x01\xFF", 3)}, {"email", std::string(5000, 'x')}};
  WriteBatch changes;
  People::put_profile(person(1), profile, changes);
  write(rows, changes);
  EXPECT_EQ(people.profile(person(1)).value(), profile);
  EXPECT_FALSE(people.profile(person(2))->has_value());
  std::string bytes = encode(profile);
  for (std::size_t i = 0; i < bytes.size(); i += 97) {
    bytes[i] = static_cast<char>(bytes[i] ^ 4);
    EXPECT_EQ(decode_profile(bytes).error().code, base::ErrorCode::kDataLoss) << "byte " << i;
    bytes[i] = static_cast<char>(bytes[i] ^ 4);
  }
}

TEST(People, TheLatestWordOnConsentCounts) {
  // A withdrawal that an older import overrides is a message the customer forbade.
  MemoryKeyValue rows;
  const People people(rows);
  const auto marketing = privacy::Purpose::kMarketing;
  const auto allowed = [&](const std::string& channel) { return people.consent(person(1))->allows(marketing, channel, kEnd); };
  const auto say = [&](const std::string& channel, bool granted, std::int64_t at) {
    WriteBatch changes;
    People::put_consent(person(1), {marketing, channel, granted, {at}, "opt_in", "form"}, changes);
    write(rows, changes);
  };
  EXPECT_FALSE(allowed("email"));
  say("email", true, 1000);
  EXPECT_TRUE(allowed("email"));
  EXPECT_FALSE(allowed("sms"));
  say("email", false, 2000);
  EXPECT_FALSE(allowed("email"));
  say("email", true, 1500);  // an old grant that arrives late
  EXPECT_FALSE(allowed("email"));
  say("email", true, 2000);  // the same moment: the withdrawal wins
  EXPECT_FALSE(allowed("email"));
  say("email", true, 3000);
  EXPECT_TRUE(allowed("email"));
  say("*", false, 4000);
  EXPECT_FALSE(allowed("email"));
  const std::size_t before = people.consent(person(1))->records.size();
  say("*", false, 4000);  // the same statement read twice is one
  EXPECT_EQ(people.consent(person(1))->records.size(), before);
}

TEST(People, WhatHeDidBeforeLoggingInIsReadOnceAndInOrder) {
  // Counted under two names he would get two messages; out of order the model learns nonsense.
  MemoryKeyValue rows;
  const auto user = person(1);
  const auto device = person(7);
  append(rows, event_of(user, 1, 20));
  append(rows, event_of(device, 2, 10));
  append(rows, event_of(device, 3, 30));
  append(rows, event_of(person(2), 4, 5));
  WriteBatch changes;
  People::put_link(device, user, changes);
  write(rows, changes);
  std::map<privacy::Pseudonym, std::vector<std::int64_t>> seen;
  ASSERT_TRUE(for_each_person(rows, {25}, [&](const auto& customer, const std::vector<events::Event>& window) {
    for (const auto& event : window) {
      EXPECT_EQ(event.customer, customer);
      seen[customer].push_back(event.at.ms);
    }
    return true;
  }).ok());
  const std::map<privacy::Pseudonym, std::vector<std::int64_t>> expected{{user, {10, 20}}, {person(2), {5}}};
  EXPECT_EQ(seen, expected);
}

TEST(People, ASharedDeviceBelongsToTheLatestLogin) {
  // A family's tablet: its events must not count for two people, and erasing one must not erase what the other did.
  MemoryKeyValue rows;
  const auto device = person(7);
  append(rows, event_of(device, 1, 10));
  for (const std::uint64_t user : {1U, 2U}) {
    WriteBatch changes;
    People::put_link(device, person(user), changes);
    write(rows, changes);
  }
  People people(rows);
  EXPECT_TRUE(people.ids_of(person(1))->empty());
  EXPECT_TRUE(read_person(rows, person(1), kEnd)->empty());
  EXPECT_EQ(read_person(rows, person(2), kEnd)->size(), 1U);
  ASSERT_TRUE(people.erase(person(1), {100}).ok());
  EXPECT_EQ(read_person(rows, person(2), kEnd)->size(), 1U);
}

TEST(People, AVisitorWhoSaysStopIsNotAskedAgain) {
  // An interrupted export or a failed read must end there.
  MemoryKeyValue rows;
  WriteBatch changes;
  for (const std::uint64_t n : {0U, 1U, 2U}) {
    append(rows, event_of(person(n), n, 10));
    People::put_link(person(5 + n), person(3), changes);
    append(rows, event_of(person(5 + n), n + 50, 10));
  }
  write(rows, changes);
  for (int wanted = 1; wanted <= 4; ++wanted) {
    int visits = 0;
    ASSERT_TRUE(for_each_person(rows, kEnd, [&](const auto&, const auto&) { return ++visits < wanted; }).ok());
    EXPECT_EQ(visits, wanted);
  }
}

// ---- against the twin -----------------------------------------------------------------------------------------------------

void expect_customer(const KeyValue& rows, const Twin& twin, const privacy::Pseudonym& id) {
  const People people(const_cast<KeyValue&>(rows));
  const auto profile = people.profile(id).value();
  ASSERT_EQ(profile.has_value(), twin.profiles.contains(id));
  EXPECT_TRUE(!profile.has_value() || *profile == twin.profiles.at(id));
  std::set<Twin::Statement> statements;
  const privacy::Consent consent = people.consent(id).value();
  for (const auto& record : consent.records) {
    statements.emplace(record.purpose, record.channel, record.at.ms, record.granted);
  }
  EXPECT_EQ(statements, twin.consents.contains(id) ? twin.consents.at(id) : std::set<Twin::Statement>());
  const auto owner = people.person_of(id).value();
  EXPECT_EQ(owner.value_or(privacy::Pseudonym()), twin.links.contains(id) ? twin.links.at(id) : privacy::Pseudonym());
  const auto ids = people.ids_of(id).value();
  EXPECT_EQ(std::set(ids.begin(), ids.end()), twin.ids_of(id));
  EXPECT_EQ(people.flag(id).value(), twin.flags.contains(id) ? twin.flags.at(id) : "");
  const auto suppressed = people.suppressed_at(id).value();
  ASSERT_EQ(suppressed.has_value(), twin.suppressed.contains(id));
  EXPECT_TRUE(!suppressed.has_value() || suppressed->ms == twin.suppressed.at(id));
}

void expect_histories(const KeyValue& rows, const Twin& twin, base::Instant as_of) {
  std::set<privacy::Pseudonym> seen;
  ASSERT_TRUE(for_each_person(rows, as_of, [&](const privacy::Pseudonym& id, const std::vector<events::Event>& window) {
    EXPECT_TRUE(seen.insert(id).second) << "a person twice";
    EXPECT_FALSE(twin.links.contains(id)) << "a linked id alone";
    std::multiset<std::pair<std::int64_t, events::EventId>> found;
    for (std::size_t i = 0; i < window.size(); ++i) {
      EXPECT_TRUE(i == 0 || window[i - 1].at <= window[i].at);
      found.emplace(window[i].at.ms, window[i].id);
    }
    EXPECT_EQ(found, twin.history(id, as_of));
    return true;
  }).ok());
  std::set<privacy::Pseudonym> listed;
  ASSERT_TRUE(People(const_cast<KeyValue&>(rows)).for_each([&](const privacy::Pseudonym& id) { return listed.insert(id).second; }).ok());
  for (std::uint64_t n = 0; n < 10; ++n) {
    const auto id = person(n);
    const bool linked = twin.links.contains(id);
    EXPECT_EQ(seen.contains(id), !linked && !twin.history(id, as_of).empty());
    EXPECT_EQ(listed.contains(id), !linked && (twin.profiles.contains(id) || twin.events.contains(id)));
  }
}

// No row, key or value, names an erased customer, but for his suppression.
void expect_rows(const KeyValue& rows, const Twin& twin) {
  std::map<char, std::size_t> counts;
  ASSERT_TRUE(rows.scan("", [&](std::string_view key, std::string_view value) {
    ++counts[key[1]];
    for (const auto& [id, at] : twin.suppressed) {
      const bool known_again = twin.events.contains(id) || twin.profiles.contains(id) || twin.consents.contains(id) ||
                               twin.flags.contains(id) || twin.links.contains(id) || !twin.ids_of(id).empty() ||
                               twin.decisions.contains(id) || twin.deliveries.contains(id) ||
                               std::any_of(twin.ever_linked.begin(), twin.ever_linked.end(), [&](const auto& l) { return l.first == id || l.second == id; });
      const bool named = key.find(id.bytes()) != std::string_view::npos || value.find(id.bytes()) != std::string_view::npos;
      EXPECT_FALSE(named && key[1] != 's' && !known_again) << "table " << key[1];
    }
    return true;
  }).ok());
  EXPECT_EQ(counts, twin.row_counts());
}

void change_at_random(KeyValue& rows, Twin& twin, base::Rng& rng, std::int64_t step) {
  const auto id = person(rng.below(10));
  const std::string campaign = "c" + std::to_string(rng.below(3));
  WriteBatch changes;
  switch (rng.below(9)) {
    case 0:
      twin.profiles[id].open["language"] = campaign;
      People::put_profile(id, twin.profiles[id], changes);
      break;
    case 1: {
      const privacy::ConsentRecord record{static_cast<privacy::Purpose>(1 + rng.below(3)), campaign, rng.chance(0.5),
                                          {static_cast<std::int64_t>(rng.below(4))}, "opt_in", "form"};
      twin.consents[id].emplace(record.purpose, record.channel, record.at.ms, record.granted);
      People::put_consent(id, record, changes);
      break;
    }
    case 2: {
      const auto device = person(5 + rng.below(5));
      const auto user = person(rng.below(5));
      twin.links[device] = user;
      twin.ever_linked.emplace(user, device);
      People::put_link(device, user, changes);
      break;
    }
    case 3:
      if (rng.chance(0.5)) {
        twin.flags[id] = "bot";
        People::put_flag(id, "bot", changes);
      } else {
        twin.flags.erase(id);
        People::remove_flag(id, changes);
      }
      break;
    case 4: {
      events::Decision decision;
      decision.customer = id;
      decision.campaign = campaign;
      decision.period = "1";
      twin.decisions[id].insert(campaign);
      Records::put(decision, changes);
      break;
    }
    case 5: {
      events::Delivery delivery;
      delivery.customer = id;
      delivery.id = campaign;
      twin.deliveries[id].insert(campaign);
      Records::put(delivery, changes);
      break;
    }
    case 6: {
      const auto user = person(rng.below(5));
      const std::map<char, std::size_t> before = twin.row_counts();
      const std::size_t kept = twin.suppressed.size();
      twin.erase(user, step);
      const auto removed = People(rows).erase(user, {step});
      ASSERT_TRUE(removed.ok());
      std::size_t gone = kept;
      for (const auto& [table, count] : before) {
        gone += table == 's' ? 0 : count;
      }
      for (const auto& [table, count] : twin.row_counts()) {
        gone -= table == 's' ? 0 : count;
      }
      EXPECT_GE(static_cast<std::size_t>(*removed), gone - kept);
      break;
    }
    default: {
      const auto event = event_of(id, rng.below(40), static_cast<std::int64_t>(rng.below(20)) * 100);
      twin.events[id].try_emplace(event.id, event.at.ms);
      append(rows, event);
    }
  }
  write(rows, changes);
}

void walk(KeyValue& rows, std::uint64_t seed, int steps) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  base::Rng rng(seed);
  Twin twin;
  for (int step = 0; step < steps && !testing::Test::HasFailure(); ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    change_at_random(rows, twin, rng, step);
    for (std::uint64_t n = 0; n < 10; ++n) {
      expect_customer(rows, twin, person(n));
    }
    if (step % 4 == 0) {
      expect_histories(rows, twin, step % 8 == 0 ? kEnd : base::Instant{1000});
      expect_rows(rows, twin);
    }
  }
}

TEST(People, BehaveLikeTheTwinInMemory) {
  // Erasure must leave nothing but its own mark, whatever happened before and in whatever order.
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    MemoryKeyValue rows;
    walk(rows, seed, 120);
  }
}

TEST(People, BehaveLikeTheTwinInRocksDb) {
  // The database that shops really use must not differ from the twin that the other tests use.
  const std::string folder = test_folder("people");
  {
    auto rows = open_rocksdb(folder);
    ASSERT_TRUE(rows.ok()) << rows.error().message;
    walk(**rows, 99, 150);
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace beckon::store
