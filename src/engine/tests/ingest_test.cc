// A shop would count its orders twice, lose its customers' word on consent, or leak their names if one of these broke.
#include "ingest.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "beckon/base/rng.h"
#include "files.h"

namespace beckon::engine {
namespace {

base::Instant at(const std::string& text) { return base::parse_time(text, base::Zone::utc()).value(); }

std::vector<events::Event> history(const Context& context, const std::string& id) {
  return store::read_person(*context.rows, find_customer(context, id).value(), at("2030-01-01")).value();
}

bool allows(const Context& context, const std::string& id, const std::string& channel) {
  const auto consent = store::People(*context.rows).consent(context.ring->pseudonym(id)).value();
  return consent.allows(privacy::Purpose::kMarketing, channel, context.clock->now());
}

TEST(Ingest, TheSamplesOfEveryTemplateAreTakenIn) {
  // The first five minutes with beckon: a sample that is rejected sends the shop away.
  for (const auto& name : template_names()) {
    SCOPED_TRACE(name);
    const TestShop shop(name);
    auto context = shop.open();
    const auto catalog = import_catalog(*context, shop.folder.path + "/samples/products.csv");
    ASSERT_TRUE(catalog.ok()) << catalog.error().message;
    EXPECT_EQ((*catalog)["added"], 2);
    EXPECT_EQ((*catalog)["exit"], 0);
    ASSERT_EQ(context->config.run_events.size(), 1U);
    const std::string events = shop.folder.path + "/" + context->config.run_events[0];
    const auto first = ingest_ok(*context, {events});
    const int without_card = name == "pos" ? 1 : 0;  // documented in the template: no loyalty card, no customer
    EXPECT_EQ(first["rejected"], without_card);
    EXPECT_EQ(first["exit"], without_card == 0 ? 0 : 5);
    EXPECT_GE(first["accepted"].get<int>(), 2);
    EXPECT_EQ(first["unknown_items"], 0);
    EXPECT_GE(first["new_customers"].get<int>(), 1);
    const auto again = ingest_ok(*context, {events});
    EXPECT_EQ(again["accepted"], 0);
    EXPECT_EQ(again["duplicates"], first["accepted"]);
    EXPECT_EQ(again["new_customers"], 0);
    const auto planned = plan(*context, {"campaigns/welcome.toml", true, ""});
    ASSERT_TRUE(planned.ok()) << planned.error().message;
    EXPECT_FALSE(planned->file.plan.decisions.empty());
    EXPECT_EQ(planned->path, "");
    EXPECT_FALSE(std::filesystem::exists(shop.folder.path + "/plans"));
  }
}

TEST(Ingest, EqualLinesOfOneFileStayAndAFileReadTwiceAddsNothing) {
  // Two cups of coffee in one receipt are two; the same night's file given again is nothing new.
  const TestShop shop("csv");
  auto context = shop.open();
  const std::string head = "customer,time,event,sku,quantity,price,order,coupon\n";
  const std::string line = "c-1,2026-01-05 10:12:00,purchase,tea-1,1,4.50,o-1,\n";
  const auto file = shop.folder.file("a.csv", head + line + line + line);
  EXPECT_EQ(ingest_ok(*context, {file})["accepted"], 3);
  EXPECT_EQ(ingest_ok(*context, {file})["duplicates"], 3);
  EXPECT_EQ(history(*context, "c-1").size(), 3U);
  // A longer export of the same night adds what is new; packed or not.
  const auto longer = shop.folder.file("b.csv.gz", gzip(head + line + line + line + line));
  const auto counts = ingest_ok(*context, {longer, file});
  EXPECT_EQ(counts["accepted"], 1);
  EXPECT_EQ(counts["duplicates"], 6);
  EXPECT_EQ(history(*context, "c-1").size(), 4U);
}

TEST(Ingest, AQuotedFieldMayHoldLineEnds) {
  // Notes with line ends stood in the first mebibyte of real exports and were torn into rejects.
  const TestShop shop("csv");
  auto context = shop.open();
  const auto file = shop.folder.file("a.csv",
                                     "customer,time,event,sku,quantity,price,order,coupon\n"
                                     "c-1,2026-01-05 10:12:00,purchase,tea-1,1,4.50,o-1,\"two\nlines\"\n"
                                     "c-2,2026-01-05 10:13:00,purchase,12\" pan,1,4.50,o-2,\n"
                                     "c-3,2026-01-05 10:14:00,purchase,tea-1,1,4.50,o-3,\n");
  const auto counts = ingest_ok(*context, {file});
  EXPECT_EQ(counts["accepted"], 3);
  EXPECT_EQ(counts["rejected"], 0);
  EXPECT_EQ(history(*context, "c-2").at(0).item, "12\" pan");
}

TEST(Ingest, AWrongDeviceClockIsSetRight) {
  // A tablet that lives in 2090 still says when something happened, by the rule of Segment's spec.
  const TestShop shop;
  auto context = shop.open();
  const auto line = [](const std::string& id, const std::string& times) {
    return R"({"type":"track","event":"Product Viewed","userId":"u","messageId":")" + id + R"(",)" + times +
           R"("properties":{"product_id":")" + id + R"("}})" + "\n";
  };
  const auto file = shop.folder.file(
      "a.jsonl",
      line("skew", R"("originalTimestamp":"2090-01-05T10:00:00Z","sentAt":"2090-01-05T10:00:30Z","receivedAt":"2026-01-05T10:00:31Z",)") +
          line("exact", R"("originalTimestamp":"2026-01-05T09:00:00Z","sentAt":"2026-01-05T09:00:02Z","receivedAt":"2026-01-05T09:00:02Z",)") +
          line("future", R"("originalTimestamp":"2090-01-05T10:00:00Z",)") +
          line("far", R"("originalTimestamp":"2026-01-31T00:00:00Z","sentAt":"1990-01-01T00:00:00Z","receivedAt":"2026-01-31T00:00:00Z",)"));
  const auto counts = ingest_ok(*context, {file});
  EXPECT_EQ(counts["accepted"], 2);
  EXPECT_EQ(counts["clock_corrected"], 1);
  EXPECT_EQ(counts["rejected_by_reason"]["timestamp: in_the_future"], 2);
  const auto window = history(*context, "u");
  ASSERT_EQ(window.size(), 2U);
  EXPECT_EQ(window[0].item, "exact");
  EXPECT_EQ(window[1].at, at("2026-01-05T10:00:01Z"));
  EXPECT_TRUE(window[1].clock_corrected);
}

TEST(Ingest, ConsentFollowsTheLatestEvent) {
  // An unsubscribe that is not heard is a message against the law; and only an explicit yes is a yes.
  const TestShop shop;
  auto context = shop.open();
  int id = 0;
  const auto say = [&](const std::string& event, const std::string& time, const std::string& properties) {
    const auto file = shop.folder.file("a.jsonl", R"({"type":"track","event":")" + event + R"(","userId":"u","messageId":")" +
                                                      std::to_string(++id) + R"(","timestamp":")" + time + R"(","properties":)" + properties + "}\n");
    EXPECT_EQ(ingest_ok(*context, {file})["accepted"], 1);
    return allows(*context, "u", "email");
  };
  const std::string email = R"({"channels":["email"]})";
  EXPECT_FALSE(say("Consent Granted", "2026-01-01T00:00:00Z", "{}"));  // of no channel: grants none
  EXPECT_TRUE(say("Consent Granted", "2026-01-02T00:00:00Z", email));
  EXPECT_FALSE(allows(*context, "u", "sms"));
  EXPECT_FALSE(say("Unsubscribed", "2026-01-03T00:00:00Z", email));
  EXPECT_FALSE(say("consent_granted", "2026-01-02T12:00:00Z", email));  // older, read later
  EXPECT_TRUE(say("consent_granted", "2026-01-04T00:00:00Z", email));
  EXPECT_FALSE(say("CONSENT_WITHDRAWN", "2026-01-05T00:00:00Z", email));
  EXPECT_TRUE(say("Consent Updated", "2026-01-06T00:00:00Z", R"({"channels":["email"],"granted":true})"));
  EXPECT_FALSE(say("Consent Updated", "2026-01-07T00:00:00Z", email));
  EXPECT_TRUE(say("CONSENT GRANTED", "2026-01-08T00:00:00Z", email));
  EXPECT_FALSE(say("Consent Revoked", "2026-01-09T00:00:00Z", "{}"));  // of no channel: takes all back
}

TEST(Ingest, ImportedConsentCoversWhatItNamesAndGivesWayToTheCustomer) {
  // The shop's statement about old customers must not speak over what they said themselves.
  const TestShop shop;
  shop.append_config("[[consent_import]]\nbasis = \"opt_in\"\nsource = \"CRM\"\ndate = \"2026-01-04\"\nchannels = [\"email\"]\n");
  auto context = shop.open();
  const auto view = [](const std::string& user, const std::string& id) {
    return R"({"type":"track","event":"Product Viewed","userId":")" + user + R"(","messageId":")" + id +
           R"(","timestamp":"2026-01-10T00:00:00Z","properties":{"product_id":"tea-1"}})" + "\n";
  };
  const std::string unsubscribed =
      R"({"type":"track","event":"Unsubscribed","userId":"left","messageId":"x","timestamp":"2026-01-20T00:00:00Z","properties":{}})";
  ingest_ok(*context, {shop.folder.file("a.jsonl", view("stays", "1") + view("left", "2") + unsubscribed + "\n")});
  EXPECT_TRUE(allows(*context, "stays", "email"));
  EXPECT_FALSE(allows(*context, "stays", "push"));
  EXPECT_FALSE(allows(*context, "left", "email"));
  EXPECT_FALSE(allows(*context, "nobody", "email"));
}

TEST(Ingest, WhatWasDoneBeforeTheLoginBelongsToThePerson) {
  // Otherwise every campaign starts from the few things people do while logged in; and a bot gets through by logging in once.
  const TestShop shop;
  auto context = shop.open();
  const auto view = [](const std::string& id, const std::string& time) {
    return R"({"type":"track","event":"Product Viewed","anonymousId":"device-1","messageId":")" + id + R"(","timestamp":")" + time +
           R"(","properties":{"product_id":"tea-1"}})" + "\n";
  };
  ingest_ok(*context, {shop.folder.file("a.jsonl", view("1", "2026-01-05T10:00:00Z"))});
  EXPECT_TRUE(history(*context, "u").empty());
  const std::string identify =
      R"({"type":"identify","userId":"u","anonymousId":"device-1","messageId":"2","timestamp":"2026-01-05T10:01:00Z","traits":{"language":"en"}})";
  ingest_ok(*context, {shop.folder.file("b.jsonl", identify + "\n" + view("3", "2026-01-05T10:02:00Z"))});
  const auto window = history(*context, "u");
  ASSERT_EQ(window.size(), 3U);
  EXPECT_EQ(window[1].type, events::EventType::kIdentify);
  const auto person = context->ring->pseudonym("u");
  EXPECT_EQ(window[0].customer, person);
  EXPECT_EQ(store::People(*context->rows).flag(person).value(), "");
  std::string burst;
  for (int i = 0; i < 100; ++i) {
    burst += view("burst" + std::to_string(i), "2026-01-06T10:00:" + std::string(i % 60 < 10 ? "0" : "") + std::to_string(i % 60) + "Z");
  }
  const auto counts = ingest_ok(*context, {shop.folder.file("c.jsonl", burst)});
  EXPECT_EQ(counts["flagged"]["views_per_minute"], 1);
  EXPECT_EQ(store::People(*context->rows).flag(person).value(), "views_per_minute");
}

TEST(Ingest, RejectsSayWhatAndWhereWithoutTheValue) {
  // The shop must find the line; whoever reads the file of rejects must not find a customer.
  const TestShop shop;
  auto context = shop.open();
  const std::string secret = "secret-user-4711";
  const auto file = shop.folder.file(
      "night.jsonl", "{\"type\":\"track\",\"userId\":\"" + secret + "\",\"timestamp\":\"" + secret + "\",\"event\":\"Product Viewed\"}\n" +
                         "\n{\"type\":\"track\",\"userId\":\"" + secret + "\",\"event\":\"Product Viewed\",\"properties\":{}}\n" +
                         "not json " + secret + "\n" + std::string((1 << 20) + 10, 'x') + "\n");
  const auto counts = ingest_ok(*context, {file});
  EXPECT_EQ(counts["rejected"], 4);
  EXPECT_EQ(counts["exit"], 5);
  std::vector<std::string> found;
  const std::string text = bytes_of(shop.folder.path + "/data/rejects.jsonl");
  std::filesystem::remove(file);
  for (std::size_t start = 0; start < text.size(); start = text.find('\n', start) + 1) {
    const auto row = base::parse_json(text.substr(start, text.find('\n', start) - start)).value();
    EXPECT_EQ(row["file"], "night.jsonl");
    EXPECT_EQ(row["row"].get<std::string>().size(), 16U);
    found.push_back(std::to_string(row["line"].get<int>()) + " " + row["field"].get<std::string>() + " " + row["reason"].get<std::string>());
  }
  EXPECT_EQ(found, (std::vector<std::string>{"1 timestamp not_a_time", "3 product_id missing", "4  not_json", "5  line_too_long"}));
  context.reset();
  EXPECT_EQ(shop.files_with(secret), std::vector<std::string>());
}

TEST(Ingest, ABrokenFileGivesWhatCameBefore) {
  // A torn upload: what is good of it is safe, the error names the file, and the whole file later adds only the rest.
  const TestShop shop;
  auto context = shop.open();
  std::string text;
  base::Rng rng(1);
  for (int i = 0; i < 30'000; ++i) {
    text += R"({"type":"track","event":"Product Viewed","userId":"u)" + std::to_string(rng.below(50)) + R"(","messageId":")" +
            std::to_string(rng.next_u64()) + R"(","timestamp":"2026-01-05T10:00:00Z","properties":{"product_id":"tea-1"}})" + "\n";
  }
  const std::string packed = gzip(text);
  const auto torn = ingest(*context, {shop.folder.file("torn.jsonl.gz", packed.substr(0, packed.size() / 2))});
  ASSERT_FALSE(torn.ok());
  EXPECT_EQ(torn.error().code, base::ErrorCode::kInvalidArgument);
  EXPECT_NE(torn.error().message.find("torn.jsonl.gz"), std::string::npos);
  const auto whole = ingest_ok(*context, {shop.folder.file("whole.jsonl.gz", packed)});
  EXPECT_EQ(whole["accepted"].get<int>() + whole["duplicates"].get<int>(), 30'000);
  EXPECT_GT(whole["duplicates"].get<int>(), 10'000);
  EXPECT_GT(whole["accepted"].get<int>(), 5'000);
  const auto missing = ingest(*context, {shop.folder.path + "/none.jsonl"});
  EXPECT_EQ(missing.error().code, base::ErrorCode::kNotFound);
}

TEST(Ingest, CountingRepeatsSurvivesASmallMemory) {
  // A file with more lines than fit: the counter goes to disk and must not forget, nor take over from a run that was killed.
  const TestFolder folder("occurrences");
  const std::string scratch = folder.path + "/scratch";
  base::Rng rng(2);
  const auto check = [&] {
    OccurrenceCounter counter(scratch, 7);
    std::map<std::uint64_t, std::uint32_t> twin;
    for (int i = 0; i < 600; ++i) {
      const std::uint64_t content = rng.below(40);
      const auto seen = counter.next(content);
      ASSERT_TRUE(seen.ok());
      ASSERT_EQ(*seen, twin[content]++) << "content " << content;
    }
    EXPECT_TRUE(std::filesystem::exists(scratch));
  };
  check();
  EXPECT_FALSE(std::filesystem::exists(scratch));
  {
    auto left_behind = store::open_rocksdb(scratch).value();
    store::WriteBatch counts;
    for (std::uint64_t content = 0; content < 40; ++content) {
      base::Writer key;
      key.be64(content);
      base::Writer value;
      value.varint(1000);
      counts.put(key.take(), value.take());
    }
    ASSERT_TRUE(left_behind->write(counts).ok());
  }
  check();
  EXPECT_FALSE(std::filesystem::exists(scratch));
}

}  // namespace
}  // namespace beckon::engine
