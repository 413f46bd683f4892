// Two commands could write into one shop at once, a stranger's key could split its customers, or a name could stay on the disk after
// its owner asked for it to be erased, if one of these broke.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <chrono>
#include <cstring>

#include "beckon/engine/holder.h"
#include "files.h"

namespace beckon::engine {
namespace {

TEST(Shop, ATypingErrorInTheConfigurationIsNamed) {
  // A key that is silently ignored leaves the shop with a default it never chose.
  const TestShop shop;
  shop.append_config("[trian]\nwidth = 32\n");
  const auto opened = open_shop(shop.options());
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.error().message.find("trian"), std::string::npos) << opened.error().message;
  EXPECT_NE(opened.error().message.find("train"), std::string::npos) << opened.error().message;
  EXPECT_NE(opened.error().message.find("beckon.toml:"), std::string::npos) << opened.error().message;
}

TEST(Shop, IsNotMadeTwiceAndNotOpenedWhereThereIsNone) {
  // A second init would write a new key over the one that opens everything.
  const TestShop shop;
  const std::string key = bytes_of(shop.folder.path + "/beckon.key");
  base::PosixFileSystem files;
  EXPECT_EQ(init_shop(files, {shop.folder.path, "csv", ""}).error().code, base::ErrorCode::kAlreadyExists);
  EXPECT_EQ(bytes_of(shop.folder.path + "/beckon.key"), key);
  EXPECT_EQ(std::filesystem::status(shop.folder.path + "/beckon.key").permissions(), std::filesystem::perms::owner_read);
  const TestFolder empty("no_shop");
  OpenOptions options = shop.options();
  options.folder = empty.path;
  EXPECT_EQ(open_shop(options).error().code, base::ErrorCode::kFailedPrecondition);
  const auto unknown = init_shop(files, {empty.path, "shopfy", ""});
  EXPECT_NE(unknown.error().message.find("shopify"), std::string::npos);
}

TEST(Shop, AnotherKeyIsRefused) {
  // It would give every customer a second pseudonym: nobody would be recognised, nobody's withdrawal would be found.
  const TestShop shop;
  shop.open().reset();
  OpenOptions options = shop.options();
  options.key_file = shop.folder.file("other.key", std::string(64, 'a') + "\n");
  EXPECT_EQ(open_shop(options).error().code, base::ErrorCode::kPermissionDenied);
  options.key_file = shop.folder.file("short.key", "abcd\n");
  EXPECT_FALSE(open_shop(options).ok());
  options.key_file = shop.folder.path + "/none.key";
  EXPECT_FALSE(open_shop(options).ok());
  EXPECT_TRUE(open_shop(shop.options()).ok());
}

TEST(Shop, TheSecondCommandIsRefusedButMayAsk) {
  // Two ingests at once would count repeats against each other; and a status must not have to wait for a long training.
  const TestShop shop;
  auto context = shop.open();
  const auto second = open_shop(shop.options());
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, base::ErrorCode::kUnavailable);
  EXPECT_NE(second.error().message.find("process " + std::to_string(::getpid()) + " (beckon test)"), std::string::npos) << second.error().message;
  EXPECT_EQ(ask_holder(shop.folder.path, {{"command", "doctor"}}).error().code, base::ErrorCode::kNotFound);
  ASSERT_TRUE(context->holder->listen([&](const base::Json& request) { return answer_request(*context, request); }).ok());
  const auto direct = doctor(*context).value();
  const auto answer = ask_holder(shop.folder.path, {{"command", "doctor"}});
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer->dump(), direct.dump());
  EXPECT_FALSE((*answer)["problems"].empty());  // nothing was taken in yet
  const auto refused = ask_holder(shop.folder.path, {{"command", "erase"}, {"customer", "u"}}).value();
  EXPECT_NE(refused["exit"], 0);
  EXPECT_NE(base::string_or(refused, "error").find("erase"), std::string::npos);
  context.reset();
  EXPECT_TRUE(open_shop(shop.options()).ok());
  EXPECT_EQ(ask_holder(shop.folder.path, {{"command", "doctor"}}).error().code, base::ErrorCode::kNotFound);
}

TEST(Shop, OneWhoConnectsAndSaysNothingHoldsUpNobody) {
  // A hanging script must not keep a send from being paused, nor the process from ending.
  const TestShop shop;
  auto context = shop.open();
  ASSERT_TRUE(context->holder->listen([](const base::Json&) { return base::Json{{"exit", 0}}; }).ok());
  const int silent = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = shop.folder.path + "/beckon.sock";
  ASSERT_LT(path.size(), sizeof address.sun_path);
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  ASSERT_EQ(::connect(silent, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(ask_holder(shop.folder.path, {{"command", "doctor"}}).ok());
  context->holder->stop_listening();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  ::close(silent);
}

// ---- canaries: planted names that must be found nowhere ---------------------------------------------------------------------

constexpr const char* kUser = "canary-user-0815";
constexpr const char* kEmail = "canary.bird@example.test";
constexpr const char* kPhone = "+49-151-5550815";
constexpr const char* kDevice = "canary-device-77";
constexpr const char* kOrder = "canary-order-12";

std::string canary_events() {
  std::string out;
  int message = 0;
  const auto add = [&](const std::string& user, const std::string& rest) {
    out += R"({"userId":")" + user + R"(","messageId":"m)" + std::to_string(++message) + R"(",)" + rest + "}\n";
  };
  for (int i = 0; i < 20; ++i) {
    const std::string user = i == 0 ? kUser : "other-user-" + std::to_string(i);
    const std::string email = i == 0 ? kEmail : user + "@example.test";
    add(user, R"("type":"identify","anonymousId":")" + (i == 0 ? std::string(kDevice) : user + "-device") +
                  R"(","timestamp":"2026-01-05T10:00:00Z","traits":{"email":")" + email + R"(","phone":")" + kPhone +
                  R"(","name":"Canary Bird","language":"en","timezone":"Europe/Berlin","country":"DE"})");
    add(user, R"("type":"track","event":"Consent Granted","timestamp":"2026-01-05T10:01:00Z","properties":{"purposes":["marketing","personalisation","measurement"],"channels":["email"]})");
    add(user, R"("type":"track","event":"Order Completed","timestamp":"2026-01-20T10:15:00Z","properties":{"order_id":")" +
                  std::string(kOrder) + R"(","currency":"EUR","products":[{"product_id":"tea-1","quantity":1,"price":4.5}]})");
  }
  return out + "{\"type\":\"track\",\"userId\":\"" + kUser + "\",\"event\":\"" + kEmail + "\",\"timestamp\":\"never\"}\n";
}

// Files may hold their blocks packed: the rows themselves are searched too.
bool rows_hold(const Context& context, const std::string& needle) {
  bool found = false;
  EXPECT_TRUE(context.rows->scan("", [&](std::string_view key, std::string_view value) {
    found = found || key.find(needle) != std::string_view::npos || value.find(needle) != std::string_view::npos;
    return true;
  }).ok());
  return found;
}

TEST(Shop, NamesAreFoundInTheOutboxAloneAndAfterErasureNowhere) {
  // A stolen disk, a backup, a file handed to support: none of them may name a customer.
  const TestShop shop;
  std::string campaign = bytes_of(shop.folder.path + "/campaigns/welcome.toml");
  campaign.replace(campaign.find("holdout_share = 0.10"), 20, "holdout_share = 0.00");
  shop.folder.file("campaigns/welcome.toml", campaign);
  shop.folder.file("beckon.toml", bytes_of(shop.folder.path + "/beckon.toml") + "\n[groups]\nholdout_share = 0\n");  // everybody gets his message
  auto context = shop.open();
  ASSERT_TRUE(import_catalog(*context, shop.folder.path + "/samples/products.csv").ok());
  const TestFolder outside("canary_events");
  EXPECT_EQ(ingest_ok(*context, {outside.file("e.jsonl", canary_events())})["rejected"], 1);
  const auto planned = plan(*context, {"campaigns/welcome.toml", false, "popular"});
  ASSERT_TRUE(planned.ok()) << planned.error().message;
  const auto sent = send(*context, {planned->path, "", false});
  ASSERT_TRUE(sent.ok()) << sent.error().message;
  EXPECT_EQ((*sent)["accepted"], 20) << sent->dump();
  ASSERT_TRUE(report(*context, {"welcome", ""}).ok());
  const std::vector<std::string> nowhere;
  const std::vector<std::string> outbox{"outbox/email.jsonl"};
  const auto expect = [&](const std::vector<std::string>& email) {
    EXPECT_EQ(shop.files_with(kEmail), email);
    for (const char* secret : {kUser, kPhone, kDevice, kOrder, "Canary Bird"}) {
      EXPECT_EQ(shop.files_with(secret), nowhere) << secret;
    }
  };
  expect(outbox);
  for (const char* secret : {kEmail, kUser, kPhone, kDevice, kOrder, "Canary Bird"}) {
    EXPECT_FALSE(rows_hold(*context, secret)) << secret;
  }
  EXPECT_TRUE(rows_hold(*context, "tea-1"));
  const std::string pseudonym = find_customer(*context, kUser)->text();
  EXPECT_FALSE(shop.files_with(pseudonym).empty());  // or the search below would be blind
  context.reset();  // everything flushed and closed
  expect(outbox);
  context = shop.open();
  const auto exported = export_customer(*context, kUser).value();
  EXPECT_EQ(exported["profile"]["email"], kEmail);  // it is there, under his key
  EXPECT_EQ(exported["events"].size(), 3U);
  const auto erased = erase(*context, kUser);
  ASSERT_TRUE(erased.ok()) << erased.error().message;
  EXPECT_GE((*erased)["file_lines_erased"].get<int>(), 3);  // plan, its table, outbox
  expect(nowhere);
  EXPECT_EQ(shop.files_with(pseudonym), nowhere);
  EXPECT_FALSE(shop.files_with("other-user-1@example.test").empty());
  context.reset();
  expect(nowhere);
  // The old file given again does not bring him back, and the others are still there.
  context = shop.open();
  const auto again = ingest_ok(*context, {outside.file("e.jsonl", canary_events())});
  EXPECT_EQ(again["accepted"], 0) << again.dump();
  EXPECT_EQ(again["rejected_by_reason"]["erased_customer"], 3);
  const auto empty = export_customer(*context, kUser).value();
  EXPECT_TRUE(empty["profile"].empty());
  EXPECT_TRUE(empty["events"].empty());
  EXPECT_EQ(export_customer(*context, "other-user-1").value()["events"].size(), 3U);
}

TEST(Shop, TheRestOfAPlanStaysValidAfterAnErasure) {
  // One erasure must not stop the campaign of everybody else.
  const TestShop shop;
  auto context = shop.open();
  ASSERT_TRUE(import_catalog(*context, shop.folder.path + "/samples/products.csv").ok());
  const TestFolder outside("plan_events");
  ingest_ok(*context, {outside.file("e.jsonl", canary_events())});
  const auto planned = plan(*context, {"campaigns/welcome.toml", false, "popular"});
  ASSERT_TRUE(planned.ok());
  ASSERT_TRUE(erase(*context, kUser).ok());
  const auto sent = send(*context, {planned->path, "", false});
  ASSERT_TRUE(sent.ok()) << sent.error().message;
  EXPECT_GT((*sent)["accepted"].get<int>(), 0);
  EXPECT_EQ(shop.files_with(kEmail), std::vector<std::string>());
}

}  // namespace
}  // namespace beckon::engine
