// A customer could get a message twice, or a webhook could reach the inner network, if one of these broke.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "beckon/net/net.h"
#include "server.h"

namespace beckon::net {
namespace {

using testing::HasSubstr;
using testing::Not;

HttpRequest to(const std::string& url) {
  HttpRequest request;
  request.url = url;
  request.body = "{\"a\":1}";
  request.headers = {{"Content-Type", "application/json"}, {"X-Empty", ""}};
  request.timeout_ms = 3000;
  request.allow_private_addresses = true;  // the server of the test is on 127.0.0.1
  return request;
}

TEST(Http, AnAnswerArrivesWholeAndTheRequestWasWhatWeMeant) {
  Server server;
  const HttpClient client;
  const auto response = client.post(to(server.url("/ok?x=1")));
  ASSERT_TRUE(response.ok()) << response.error().message;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "ok");
  EXPECT_TRUE(response->connected && response->request_sent && !response->body_cut);
  const std::string seen = server.last();
  EXPECT_THAT(seen, HasSubstr("POST /ok?x=1 HTTP/1.1\r\n"));
  EXPECT_THAT(seen, HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_THAT(seen, HasSubstr("X-Empty:\r\n"));
  EXPECT_THAT(seen, Not(HasSubstr("Expect")));
  EXPECT_THAT(seen, HasSubstr("\r\n\r\n{\"a\":1}"));
}

TEST(Http, ConnectionsAreKept) {
  Server server;
  const HttpClient client;
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(client.post(to(server.url("/ok")))->status, 200);
  }
  EXPECT_EQ(server.requests(), 5);
  EXPECT_EQ(server.connections(), 1);
}

TEST(Http, RedirectsAreAnswersAndAreNotFollowed) {
  Server server;
  const auto response = HttpClient().post(to(server.url("/redirect")));
  EXPECT_EQ(response->status, 302);
  EXPECT_EQ(response->header("location"), server.url("/ok"));
  EXPECT_EQ(server.requests(), 1);
}

TEST(Http, HeadersOfTheFinalAnswerInLowerCase) {
  Server server;
  const auto response = HttpClient().post(to(server.url("/busy")));
  EXPECT_EQ(response->status, 429);
  EXPECT_EQ(response->header("retry-after"), "7");
  EXPECT_EQ(response->header("early"), "");
  EXPECT_EQ(response->header("x-two"), "a");
  EXPECT_EQ(response->body, "wait");
}

TEST(Http, SilenceAfterTheRequestIsUnknownNotAnError) {
  Server server;
  const HttpClient client;
  auto hang = to(server.url("/hang"));
  hang.timeout_ms = 300;
  for (const auto& request : {hang, to(server.url("/drop"))}) {
    const auto response = client.post(request);
    ASSERT_TRUE(response.ok()) << response.error().message;
    EXPECT_EQ(response->status, 0);
    EXPECT_TRUE(response->connected && response->request_sent);
    EXPECT_THAT(response->problem, HasSubstr("127.0.0.1"));
  }
  EXPECT_EQ(server.requests(), 2);
}

TEST(Http, ARequestOnAConnectionThatDiesIsNotSentTwice) {
  Server server;
  const HttpClient client;
  EXPECT_EQ(client.post(to(server.url("/drop_second")))->status, 200);
  const auto second = client.post(to(server.url("/drop_second")));  // the server reads it, then hangs up without a word
  ASSERT_TRUE(second.ok()) << second.error().message;
  EXPECT_EQ(second->status, 0);
  EXPECT_TRUE(second->request_sent);
  EXPECT_EQ(server.requests(), 2);
  EXPECT_EQ(client.post(to(server.url("/ok")))->status, 200);  // and the client goes on
}

TEST(Http, WhatWasNotReachedIsAnErrorThatMayBeRepeated) {
  int port = 0;
  {
    const Server gone;
    port = gone.port();
  }
  const auto response = HttpClient().post(to("http://127.0.0.1:" + std::to_string(port) + "/secret-token"));
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.error().code, base::ErrorCode::kUnavailable);
  EXPECT_THAT(response.error().message, Not(HasSubstr("secret")));
  const auto nowhere = HttpClient().post(to("http://no-such-host.invalid/"));
  EXPECT_FALSE(nowhere.ok());
  Server plain;
  auto tls = to("https://127.0.0.1:" + std::to_string(plain.port()) + "/");
  tls.timeout_ms = 300;
  EXPECT_FALSE(HttpClient().post(tls).ok());  // TLS to a port that does not speak it: the request never left
}

TEST(Http, BodiesAreCappedAndBrokenOnesMarked) {
  Server server;
  const HttpClient client({.body_bytes_max = 1000});
  const auto big = client.post(to(server.url("/big")));
  EXPECT_EQ(big->status, 200);
  EXPECT_EQ(big->body.size(), 1000U);
  EXPECT_TRUE(big->body_cut);
  const auto half = client.post(to(server.url("/half")));
  EXPECT_EQ(half->status, 200);
  EXPECT_EQ(half->body, "only this");
  EXPECT_TRUE(half->body_cut);
  EXPECT_FALSE(half->problem.empty());
}

TEST(Http, PrivateAddressesAreRefusedHoweverTheyAreSpelled) {
  Server server;
  const HttpClient client;
  const std::string port = ":" + std::to_string(server.port()) + "/ok";
  for (const char* host : {"127.0.0.1", "localhost", "0x7f000001", "2130706433", "127.1", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]",
                           "0.0.0.0", "[::]", "10.0.0.1", "169.254.169.254"}) {
    auto request = to("http://" + std::string(host) + port);
    request.allow_private_addresses = false;
    request.connect_timeout_ms = 500;
    const auto response = client.post(request);
    ASSERT_FALSE(response.ok()) << host;
    EXPECT_EQ(response.error().code, base::ErrorCode::kPermissionDenied) << host << ": " << response.error().message;
  }
  EXPECT_EQ(server.connections(), 0);
  EXPECT_EQ(client.post(to(server.url("/ok")))->status, 200);
  auto strict = to(server.url("/ok"));  // the connection is still open, but this request may not use it
  strict.allow_private_addresses = false;
  EXPECT_EQ(client.post(strict).error().code, base::ErrorCode::kPermissionDenied);
  EXPECT_EQ(server.requests(), 1);
}

TEST(Http, RequestsThatCouldBeSplitAreRefused) {
  const HttpClient client;
  const auto code = [&](const HttpRequest& request) { return client.send(request).error().code; };
  auto request = to("http://127.0.0.1:1/");
  request.headers = {{"X", "a\r\nHost: evil"}};
  EXPECT_EQ(code(request), base::ErrorCode::kInvalidArgument);
  request.headers = {{"X Y", "a"}};
  EXPECT_EQ(code(request), base::ErrorCode::kInvalidArgument);
  request.headers = {};
  request.method = "GET /x HTTP/1.1\r\n";
  EXPECT_EQ(code(request), base::ErrorCode::kInvalidArgument);
  for (const char* url : {"file:///etc/passwd", "ftp://example.test/", "gopher://example.test/", "http://user:secret@example.test/", "http://", "x",
                          "https://example.test:0/", "https://example.test:99999/", "http://exa mple.test/"}) {
    EXPECT_EQ(code(to(url)), base::ErrorCode::kInvalidArgument) << url;
  }
}

TEST(Http, ManyThreadsShareAClient) {
  Server server;
  const HttpClient client;
  std::atomic<int> good{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 50; ++i) {
          good += client.post(to(server.url("/ok"))).value_or({}).status == 200 ? 1 : 0;
        }
      });
    }
  }
  EXPECT_EQ(good, 200);
  EXPECT_LE(server.connections(), 4);
}

TEST(Url, PartsAndDefaults) {
  const auto url = parse_url("HTTPS://Shop.Example.test/hook?a=b#c");
  ASSERT_TRUE(url.ok());
  EXPECT_EQ(url->scheme, "https");
  EXPECT_EQ(url->host, "shop.example.test");
  EXPECT_EQ(url->port, 443);
  EXPECT_EQ(url->path, "/hook?a=b");
  EXPECT_EQ(parse_url("http://[2001:db8::1]:8080/")->host, "2001:db8::1");
  EXPECT_EQ(parse_url("http://0x7f.1/")->host, "127.0.0.1");
}

TEST(Address, OnlyThePublicInternetIsPublic) {
  for (const char* ip : {"8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "192.169.0.1", "198.17.0.1",
                         "223.255.255.255", "2606:4700::1111", "2a00:1450:4001::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2001:4860::1"}) {
    EXPECT_TRUE(is_public_address(ip)) << ip;
  }
  for (const char* ip : {"0.0.0.0", "0.1.2.3", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.0.1", "169.254.169.254",
                         "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.9.9",
                         "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "::", "::1",
                         "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::1", "100::1", "2001::1",
                         "2001:db8::1", "2002:7f00:1::", "3fff::1", "fc00::1", "fd12::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
                         "5f00::1", "", "localhost", "8.8.8", "8.8.8.8.8"}) {
    EXPECT_FALSE(is_public_address(ip)) << ip;
  }
}

}  // namespace
}  // namespace beckon::net
