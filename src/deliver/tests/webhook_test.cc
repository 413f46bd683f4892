#include <gtest/gtest.h>

#include <atomic>

#include "beckon/base/codec.h"
#include "beckon/base/json.h"
#include "beckon/deliver/transport.h"
#include "beckon/privacy/privacy.h"
#include "http_sink.h"

namespace beckon::deliver {
namespace {

const std::string kOldKey(32, 'o');
const std::string kNewKey(32, 'n');
std::string whsec(const std::string& key) { return "whsec_" + base::to_base64(key); }

base::ManualClock& clock() {
  static base::ManualClock at(base::parse_time("2026-03-02T12:00:00Z", base::Zone::utc()).value());
  return at;
}

WebhookOptions options_for(const HttpSink& sink) {
  WebhookOptions options;
  options.url = sink.url();
  options.secret = whsec(kNewKey);
  options.allow_private_addresses = true;
  options.clock = &clock();
  options.timeout_ms = 2000;
  return options;
}

std::vector<Parcel> parcels(int count) {
  std::vector<Parcel> out;
  for (int i = 0; i < count; ++i) {
    const std::string id = "id-" + std::to_string(i);
    out.push_back({id, base::to_line({{"id", id}, {"to", "ann@example.test"}, {"subject", "Tee für Sie"}}), "spring"});
  }
  return out;
}

Receipt answer_to(const std::string& response) {
  HttpSink sink([&](const SinkRequest&) { return response; });
  return open_webhook_transport(options_for(sink)).value()->send(parcels(1)).at(0);
}

TEST(Webhook, SignsAsStandardWebhooksSayWithEverySecretOfARotation) {
  // A receiver that follows the specification would throw away every message, or those of the day on which the secret changes.
  HttpSink sink([](const SinkRequest&) { return HttpSink::status(204); });
  WebhookOptions options = options_for(sink);
  options.secret = whsec(kNewKey) + " " + whsec(kOldKey) + "\n";
  ASSERT_EQ(open_webhook_transport(options).value()->send(parcels(1)).at(0).answer, Answer::kAccepted);
  auto request = sink.requests().at(0);
  EXPECT_EQ(request.headers["webhook-id"], "id-0");
  EXPECT_EQ(request.headers["idempotency-key"], "id-0");
  EXPECT_EQ(request.headers["content-type"], "application/json");
  EXPECT_EQ(request.headers["webhook-timestamp"], std::to_string(clock().now().ms / 1000));
  const std::string signed_text = "id-0." + request.headers["webhook-timestamp"] + "." + request.body;
  EXPECT_EQ(request.headers["webhook-signature"], "v1," + base::to_base64(privacy::hmac_sha256(kNewKey, signed_text)) + " v1," +
                                                      base::to_base64(privacy::hmac_sha256(kOldKey, signed_text)));
  const auto body = base::parse_json(request.body).value();
  EXPECT_EQ(base::string_or(body, "type"), "promotion");
  EXPECT_EQ(base::string_or(body["data"], "to"), "ann@example.test");
}

TEST(Webhook, KnownVectorOfTheSpecification) {
  // Signing with the text instead of the bytes behind whsec_ is the classic mistake; this vector is the one in the libraries' tests.
  const std::string key = base::from_base64("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").value();
  const std::string text = R"(msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314})";
  EXPECT_EQ(base::to_base64(privacy::hmac_sha256(key, text)), "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(Webhook, EveryAnswerIsClassified) {
  // "Refused" loses a message, "retry" repeats one: each status must land on the right side.
  for (const int status : {200, 201, 202, 204, 299}) {
    EXPECT_EQ(answer_to(HttpSink::status(status)).answer, Answer::kAccepted) << status;
  }
  for (const int status : {301, 302, 307, 308, 400, 403, 404, 405, 410, 413, 422}) {
    EXPECT_EQ(answer_to(HttpSink::status(status, "Location: http://127.0.0.1/\r\n")).answer, Answer::kRefused) << status;
  }
  for (const int status : {401, 408, 409, 425, 429, 500, 502, 503, 504}) {
    EXPECT_EQ(answer_to(HttpSink::status(status)).answer, Answer::kRetry) << status;
  }
  EXPECT_NE(answer_to(HttpSink::status(410)).reason.find("gone"), std::string::npos);
  EXPECT_NE(answer_to(HttpSink::status(302)).reason.find("redirects are not followed"), std::string::npos);
  EXPECT_EQ(answer_to("").answer, Answer::kUnknown);  // taken in, then silence
}

TEST(Webhook, NobodyListeningIsTriedAgain) {
  // A receiver that restarts must not cost the messages of that minute.
  WebhookOptions options;
  {
    HttpSink gone([](const SinkRequest&) { return HttpSink::status(200); });
    options = options_for(gone);
  }
  const auto receipt = open_webhook_transport(options).value()->send(parcels(1)).at(0);
  EXPECT_EQ(receipt.answer, Answer::kRetry);
  EXPECT_EQ(receipt.reason.find("ann@"), std::string::npos);
}

TEST(Webhook, RetryAfterIsReadInBothFormsAndBounded) {
  // Ignored, it gets the shop blocked; believed blindly, one bad header holds a message until after the sale.
  EXPECT_EQ(answer_to(HttpSink::status(429, "Retry-After: 120\r\n")).retry_after_ms, 120'000);
  EXPECT_EQ(answer_to(HttpSink::status(503, "Retry-After: Mon, 02 Mar 2026 12:05:00 GMT\r\n")).retry_after_ms, 300'000);
  EXPECT_EQ(answer_to(HttpSink::status(503, "Retry-After: Mon, 02 Mar 2020 12:05:00 GMT\r\n")).retry_after_ms, 0);
  EXPECT_EQ(answer_to(HttpSink::status(503, "Retry-After: 999999999\r\n")).retry_after_ms, base::kDayMs);
  for (const char* text : {"soon", "-5", "99999999999999999999", "Mon, 99 Zzz 2026 12:05:00 GMT"}) {
    EXPECT_EQ(answer_to(HttpSink::status(503, std::string("Retry-After: ") + text + "\r\n")).retry_after_ms, 0) << text;
  }
}

TEST(Webhook, ARepeatHasTheSameBody) {
  // Receivers tell repeats by the bytes: a timestamp inside would send the coupon twice.
  HttpSink sink([](const SinkRequest&) { return HttpSink::status(500); });
  const auto transport = open_webhook_transport(options_for(sink)).value();
  transport->send(parcels(1));
  clock().advance_ms(3'600'000);
  transport->send(parcels(1));
  const auto requests = sink.requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[0].body, requests[1].body);
  EXPECT_EQ(requests[0].headers.at("webhook-id"), requests[1].headers.at("webhook-id"));
  EXPECT_NE(requests[0].headers.at("webhook-timestamp"), requests[1].headers.at("webhook-timestamp"));
}

TEST(Webhook, ManyAtOnceAndTheAnswersInOrder) {
  // Answers that slip by one mark the wrong customers as served.
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  HttpSink sink([&](const SinkRequest& request) {
    const int now = ++inside;
    int seen = most;
    while (now > seen && !most.compare_exchange_weak(seen, now)) {
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    --inside;
    const int number = std::stoi(request.headers.at("webhook-id").substr(3));
    return HttpSink::status(number % 3 == 0 ? 200 : number % 3 == 1 ? 404 : 200);
  });
  WebhookOptions options = options_for(sink);
  options.workers = 4;
  const auto receipts = open_webhook_transport(options).value()->send(parcels(60));
  for (int i = 0; i < 60; ++i) {
    EXPECT_EQ(receipts[static_cast<std::size_t>(i)].answer, i % 3 == 1 ? Answer::kRefused : Answer::kAccepted) << i;
  }
  EXPECT_GT(most, 1);
  EXPECT_LE(most, 4);
}

TEST(Webhook, AFailingEndpointIsLeftAlone) {
  // 512 messages at a timeout each would hold the shop for an hour, and hammer a receiver that is down.
  HttpSink sink([](const SinkRequest&) { return HttpSink::status(503); });
  const auto receipts = open_webhook_transport(options_for(sink)).value()->send(parcels(300));
  EXPECT_LT(sink.requests().size(), 40U);
  for (const auto& receipt : receipts) {
    EXPECT_EQ(receipt.answer, Answer::kRetry);
  }
}

TEST(Webhook, PrivateAddressesOnlyWhenTheShopSaysSo) {
  // A url of somebody else's choice must not reach the machines behind the firewall.
  HttpSink sink([](const SinkRequest&) { return HttpSink::status(200); });
  WebhookOptions options = options_for(sink);
  options.allow_private_addresses = false;
  for (const char* url : {"https://127.0.0.1/hook", "https://10.1.2.3/", "https://[::1]/", "https://169.254.169.254/latest"}) {
    options.url = url;
    const auto opened = open_webhook_transport(options);
    ASSERT_FALSE(opened.ok()) << url;
    EXPECT_EQ(opened.error().code, base::ErrorCode::kPermissionDenied) << url;
  }
  options.url = "http://example.test/hook";
  EXPECT_FALSE(open_webhook_transport(options).ok());  // plain http would show the recipients to everybody on the way
  options.url = "https://localhost:" + sink.url().substr(sink.url().rfind(':') + 1);
  const auto receipt = open_webhook_transport(options).value()->send(parcels(1)).at(0);  // the name is only known when it is looked up
  EXPECT_EQ(receipt.answer, Answer::kRetry);
  EXPECT_NE(receipt.reason.find("not public"), std::string::npos) << receipt.reason;
  EXPECT_TRUE(sink.requests().empty());
}

TEST(Webhook, AWeakOrBrokenSecretIsRefused) {
  // A secret of six letters is guessed, and then anybody can send in the shop's name.
  HttpSink sink([](const SinkRequest&) { return HttpSink::status(200); });
  WebhookOptions options = options_for(sink);
  for (const char* secret : {"", " ", "secret", "whsec_", "whsec_c2hvcnQ=", "whsec_***"}) {
    options.secret = secret;
    const auto opened = open_webhook_transport(options);
    ASSERT_FALSE(opened.ok()) << secret;
    EXPECT_EQ(opened.error().message.find("***"), std::string::npos);  // never shown
  }
  options.secret = "a raw text without blanks"; // blanks separate secrets
  EXPECT_FALSE(open_webhook_transport(options).ok());
  options.secret = "a-raw-text-of-enough-bytes";
  EXPECT_TRUE(open_webhook_transport(options).ok());
}

}  // namespace
}  // namespace beckon::deliver
