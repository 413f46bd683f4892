#pragma once
// Who a customer is (a pseudonym), what may be done with him (consent, permits), and how personal fields are kept (encrypted).
// Everything here is a value type or thread-safe after construction. Law behind it: docs of the markets; this is mechanism.

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "beckon/base/clock.h"
#include "beckon/base/result.h"

namespace beckon::privacy {

/// What data is used for. A permit for one purpose never serves another.
enum class Purpose : std::uint8_t { kMarketing = 1, kPersonalisation = 2, kMeasurement = 3 };
std::string_view to_text(Purpose purpose);
base::Result<Purpose> parse_purpose(std::string_view text);

/// The only customer id in timelines, plans, logs and training data: key version + HMAC-SHA-256(tenant key, user id), cut to
/// 128 bits (2^64 customers for one expected collision).
class Pseudonym {
 public:
  static constexpr std::size_t kBytes = 17;
  Pseudonym() = default;
  /// From the 17 stored bytes.
  static base::Result<Pseudonym> from_bytes(std::string_view bytes);
  /// From "c1_" + 32 hexadecimal digits (1 = key version).
  static base::Result<Pseudonym> parse(std::string_view text);
  std::string bytes() const;
  std::string text() const;
  std::uint8_t key_version() const { return version_; }
  /// 0–255, fixed for ever: the first byte of every key of this customer.
  std::uint8_t partition() const { return digest_[0]; }
  std::uint64_t hash() const;
  bool empty() const { return version_ == 0; }
  friend auto operator<=>(const Pseudonym&, const Pseudonym&) = default;

 private:
  friend class KeyRing;
  std::uint8_t version_ = 0;
  std::array<std::uint8_t, 16> digest_{};
};

/// A personal value (id, address, name). No printing, no comparison with text, no conversion: only open() hands it out, and only
/// adapters that must name the person call it.
template <class T>
class Personal {
 public:
  Personal() = default;
  explicit Personal(T value) : value_(std::move(value)) {}
  const T& open() const { return value_; }

 private:
  T value_{};
};
template <class T>
std::string redact(const Personal<T>&) {
  return "[personal]";
}

/// The shop's secrets, derived with HKDF-SHA-256 from a root key of 32 bytes that lives in a file of its own (mode 0400).
class KeyRing {
 public:
  /// `root_key` must have 32 bytes. `version` 1–255 is stored with every pseudonym.
  static base::Result<KeyRing> make(std::string_view root_key, std::uint8_t version);
  static std::string new_root_key();

  Pseudonym pseudonym(std::string_view user_id) const;
  /// For reject files and lookups: HMAC-SHA-256 under a key of its own, 16 hexadecimal digits.
  std::string keyed_hash(std::string_view bytes) const;
  /// 64 hexadecimal digits that only the shop's key makes: a file that carries them cannot be edited by hand unnoticed.
  std::string seal_of(std::string_view text) const;
  /// Wraps a customer's data key (32 bytes), bound to him.
  std::string wrap(std::string_view data_key, const Pseudonym& owner) const;
  base::Result<std::string> unwrap(std::string_view wrapped, const Pseudonym& owner) const;

 private:
  std::uint8_t version_ = 1;
  std::string pseudonym_key_;
  std::string hash_key_;
  std::string wrap_key_;
};

/// AES-256-GCM with a random 96-bit nonce; `context` (table and owner) is authenticated, so a value cannot be moved elsewhere.
/// Output: format byte, nonce, tag, ciphertext. decrypt() answers data_loss for anything that was changed.
std::string encrypt(std::string_view plain, std::string_view key, std::string_view context);
base::Result<std::string> decrypt(std::string_view sealed, std::string_view key, std::string_view context);
std::string random_bytes(std::size_t count);
/// Raw digests of 32 bytes (FIPS 180-4, RFC 2104).
std::string sha256(std::string_view message);
std::string hmac_sha256(std::string_view key, std::string_view message);

/// One statement of consent: given or withdrawn, with its proof. The latest per (purpose, channel) counts.
struct ConsentRecord {
  Purpose purpose = Purpose::kMarketing;
  std::string channel;  ///< "email", "push", …; "*" for every channel
  bool granted = false;
  base::Instant at;
  std::string basis;    ///< "opt_in", "existing_customer", "import"
  std::string source;   ///< where it was given: form, event, file
};

/// All that one customer has said. Order does not matter; on equal times a withdrawal wins.
struct Consent {
  std::vector<ConsentRecord> records;
  bool allows(Purpose purpose, std::string_view channel, base::Instant now) const;
};

/// What the law of a market adds to consent.
struct MarketRule {
  std::int64_t consent_valid_ms = 0;  ///< consent older than this no longer counts; 0: no limit
};

/// Proof that `grant` looked at the consent. Only grant() makes one; decide, compose and deliver take it by reference, so code
/// without consent does not compile (compile_fail/permit_is_not_constructible.cc).
template <Purpose P>
class Permit {
 public:
  const Pseudonym& customer() const { return customer_; }
  const std::string& channel() const { return channel_; }
  base::Instant granted_at() const { return granted_at_; }

 private:
  Permit(Pseudonym customer, std::string channel, base::Instant granted_at)
      : customer_(customer), channel_(std::move(channel)), granted_at_(granted_at) {}
  template <Purpose Q>
  friend base::Result<Permit<Q>> grant(const Pseudonym&, const Consent&, const MarketRule&,
                                       std::pair<std::string, base::Instant>);
  Pseudonym customer_;
  std::string channel_;
  base::Instant granted_at_;
};

/// False with the reason in `error` when the consent does not allow it.
base::Status check_consent(const Consent& consent,
                           const MarketRule& rule,
                           Purpose purpose,
                           const std::pair<std::string, base::Instant>& channel_and_now);

/// The only maker of permits. permission_denied when consent is missing, withdrawn or too old.
template <Purpose P>
base::Result<Permit<P>> grant(const Pseudonym& customer,
                              const Consent& consent,
                              const MarketRule& rule,
                              std::pair<std::string, base::Instant> channel_and_now) {
  BECKON_TRY_STATUS(check_consent(consent, rule, P, channel_and_now));
  return Permit<P>(customer, channel_and_now.first, channel_and_now.second);
}

}  // namespace beckon::privacy

template <>
struct std::hash<beckon::privacy::Pseudonym> {
  std::size_t operator()(const beckon::privacy::Pseudonym& id) const {
    return static_cast<std::size_t>(id.hash());
  }
};
