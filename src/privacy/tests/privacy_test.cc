// A customer would be named, messaged without consent, or unreadable after a restart if one of these broke.
#include "beckon/privacy/privacy.h"

#include <gtest/gtest.h>

#include <set>

namespace beckon::privacy {
namespace {

KeyRing ring() { return KeyRing::make(std::string(32, 'k'), 1).value(); }

TEST(Pseudonym, IsStableKeyedAndSurvivesItsForms) {
  const auto id = ring().pseudonym("alice@example.org");
  EXPECT_EQ(id, ring().pseudonym("alice@example.org"));
  EXPECT_NE(id, ring().pseudonym("alice@example.orh"));
  EXPECT_NE(id, KeyRing::make(std::string(32, 'j'), 1)->pseudonym("alice@example.org"));
  EXPECT_EQ(Pseudonym::parse(id.text()).value(), id);
  EXPECT_EQ(Pseudonym::from_bytes(id.bytes()).value(), id);
  EXPECT_EQ(id.bytes().size(), Pseudonym::kBytes);
  for (const char* text : {"", "c1", "c1_", "c0_00", "x1_0123", "c1_zz", "c1_00112233445566778899aabbccddee"}) {
    EXPECT_FALSE(Pseudonym::parse(text).ok()) << text;
  }
}

TEST(Pseudonym, IsHmacSha256OverAnHkdfKey) {
  // Reference computed with Python's hmac: HKDF-SHA-256(root = 32 × 'k', info = "beckon pseudonym"), then HMAC("alice").
  EXPECT_EQ(ring().pseudonym("alice").text(), "c1_572bc3239bec3885b1d304fdd50079df");
}

TEST(Pseudonym, PartitionsAreEven) {
  std::array<int, 256> counts{};
  const KeyRing shared = ring();
  for (int i = 0; i < 25'600; ++i) {
    ++counts[shared.pseudonym("user" + std::to_string(i)).partition()];
  }
  for (const int count : counts) {
    EXPECT_GT(count, 50);
    EXPECT_LT(count, 160);
  }
}

TEST(Encryption, OpensOnlyWithItsKeyItsOwnerAndItsBytes) {
  const std::string key(32, 'd');
  const std::string sealed = encrypt("alice@example.org", key, "profile|1");
  EXPECT_EQ(decrypt(sealed, key, "profile|1").value(), "alice@example.org");
  EXPECT_EQ(sealed.find("alice"), std::string::npos);
  EXPECT_NE(sealed, encrypt("alice@example.org", key, "profile|1"));
  EXPECT_FALSE(decrypt(sealed, key, "profile|2").ok());
  EXPECT_FALSE(decrypt(sealed, std::string(32, 'e'), "profile|1").ok());
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string broken = sealed;
    broken[i] = static_cast<char>(broken[i] ^ 1);
    EXPECT_EQ(decrypt(broken, key, "profile|1").error().code, base::ErrorCode::kDataLoss);
    EXPECT_FALSE(decrypt(sealed.substr(0, i), key, "profile|1").ok());
  }
}

TEST(Encryption, DataKeysAreWrappedForOneOwner) {
  const auto keys = ring();
  const auto alice = keys.pseudonym("alice");
  const std::string data_key = random_bytes(32);
  const std::string wrapped = keys.wrap(data_key, alice);
  EXPECT_EQ(keys.unwrap(wrapped, alice).value(), data_key);
  EXPECT_FALSE(keys.unwrap(wrapped, keys.pseudonym("bob")).ok());
  EXPECT_FALSE(KeyRing::make("short", 1).ok());
  EXPECT_FALSE(KeyRing::make(std::string(32, 'k'), 0).ok());
}

TEST(Consent, LatestStatementCountsAndAWithdrawalWinsATie) {
  Consent consent;
  const auto say = [&](bool granted, std::int64_t at, const char* channel) {
    consent.records.push_back({Purpose::kMarketing, channel, granted, {at}, "opt_in", "form"});
  };
  EXPECT_FALSE(consent.allows(Purpose::kMarketing, "email", {100}));
  say(true, 10, "email");
  EXPECT_TRUE(consent.allows(Purpose::kMarketing, "email", {100}));
  EXPECT_FALSE(consent.allows(Purpose::kMarketing, "email", {9}));   // not yet given
  EXPECT_FALSE(consent.allows(Purpose::kMarketing, "push", {100}));  // another channel
  EXPECT_FALSE(consent.allows(Purpose::kPersonalisation, "email", {100}));
  say(false, 20, "*");
  EXPECT_FALSE(consent.allows(Purpose::kMarketing, "email", {100}));
  say(true, 20, "email");
  EXPECT_FALSE(consent.allows(Purpose::kMarketing, "email", {100}));
  say(true, 21, "email");
  EXPECT_TRUE(consent.allows(Purpose::kMarketing, "email", {100}));
}

TEST(Consent, PermitComesOnlyFromGrantAndNamesWhyNot) {
  const auto alice = ring().pseudonym("alice");
  Consent consent;
  EXPECT_EQ(grant<Purpose::kMarketing>(alice, consent, {}, {"email", {100}}).error().message,
            "no consent for marketing by email");
  consent.records.push_back({Purpose::kMarketing, "email", true, {10}, "opt_in", "form"});
  const auto permit = grant<Purpose::kMarketing>(alice, consent, {}, {"email", {100}});
  ASSERT_TRUE(permit.ok());
  EXPECT_EQ(permit->customer(), alice);
  EXPECT_EQ(grant<Purpose::kMarketing>(alice, consent, {50}, {"email", {100}}).error().code,
            base::ErrorCode::kPermissionDenied);
  EXPECT_TRUE(grant<Purpose::kMarketing>(alice, consent, {90}, {"email", {100}}).ok());
}

}  // namespace
}  // namespace beckon::privacy
