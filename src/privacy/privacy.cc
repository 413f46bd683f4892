#include "beckon/privacy/privacy.h"

#include <cstring>

#include "beckon/base/codec.h"

namespace beckon::privacy {
namespace {

struct PurposeName {
  Purpose purpose;
  std::string_view name;
};
constexpr std::array<PurposeName, 3> kPurposes{{{Purpose::kMarketing, "marketing"},
                                                {Purpose::kPersonalisation, "personalisation"},
                                                {Purpose::kMeasurement, "measurement"}}};

// The record that decides: the latest one made until now; at the same instant a withdrawal wins over a grant.
const ConsentRecord* deciding_record(const Consent& consent,
                                     Purpose purpose,
                                     std::string_view channel,
                                     base::Instant now) {
  const ConsentRecord* latest = nullptr;
  for (const auto& record : consent.records) {
    if (record.purpose != purpose || record.at > now || (record.channel != "*" && record.channel != channel)) {
      continue;
    }
    if (latest == nullptr || record.at > latest->at || (record.at == latest->at && !record.granted)) {
      latest = &record;
    }
  }
  return latest;
}

}  // namespace

std::string_view to_text(Purpose purpose) {
  for (const auto& [value, name] : kPurposes) {
    if (value == purpose) {
      return name;
    }
  }
  return "unknown";
}

base::Result<Purpose> parse_purpose(std::string_view text) {
  for (const auto& [value, name] : kPurposes) {
    if (name == text) {
      return value;
    }
  }
  return base::invalid_argument("unknown purpose '" + std::string(text.substr(0, 40)) +
                                "': use marketing, personalisation or measurement");
}

base::Result<Pseudonym> Pseudonym::from_bytes(std::string_view bytes) {
  if (bytes.size() != kBytes || bytes[0] == '\0') {
    return base::data_loss("a stored customer id has a wrong length or key version");
  }
  Pseudonym out;
  out.version_ = static_cast<std::uint8_t>(bytes[0]);
  std::memcpy(out.digest_.data(), bytes.data() + 1, out.digest_.size());
  return out;
}

base::Result<Pseudonym> Pseudonym::parse(std::string_view text) {
  const base::Error wrong = base::invalid_argument("a pseudonym is written c1_ and 32 hexadecimal digits");
  const auto line = text.find('_');
  if (text.empty() || text[0] != 'c' || line == std::string_view::npos || line < 2 || line > 4) {
    return wrong;
  }
  int version = 0;
  for (const char c : text.substr(1, line - 1)) {
    if (c < '0' || c > '9') {
      return wrong;
    }
    version = version * 10 + (c - '0');
  }
  const auto digest = base::from_hex(text.substr(line + 1));
  if (version < 1 || version > 255 || !digest.ok() || digest->size() != 16) {
    return wrong;
  }
  return from_bytes(std::string(1, static_cast<char>(version)) + *digest);
}

std::string Pseudonym::bytes() const {
  std::string out(1, static_cast<char>(version_));
  out.append(reinterpret_cast<const char*>(digest_.data()), digest_.size());
  return out;
}

std::string Pseudonym::text() const {
  return "c" + std::to_string(version_) + "_" + base::to_hex(bytes().substr(1));
}

std::uint64_t Pseudonym::hash() const {
  std::uint64_t out = 0;
  std::memcpy(&out, digest_.data() + 8, sizeof out);
  return out;
}

bool Consent::allows(Purpose purpose, std::string_view channel, base::Instant now) const {
  const ConsentRecord* record = deciding_record(*this, purpose, channel, now);
  return record != nullptr && record->granted;
}

base::Status check_consent(const Consent& consent,
                           const MarketRule& rule,
                           Purpose purpose,
                           const std::pair<std::string, base::Instant>& channel_and_now) {
  const auto& [channel, now] = channel_and_now;
  const auto denied = [](std::string reason) {
    return base::Error{base::ErrorCode::kPermissionDenied, std::move(reason)};
  };
  const ConsentRecord* record = deciding_record(consent, purpose, channel, now);
  if (record == nullptr) {
    return denied("no consent for " + std::string(to_text(purpose)) + " by " + channel);
  }
  if (!record->granted) {
    return denied("consent for " + std::string(to_text(purpose)) + " by " + channel + " was withdrawn");
  }
  if (rule.consent_valid_ms > 0 && now.ms - record->at.ms > rule.consent_valid_ms) {
    return denied("consent for " + std::string(to_text(purpose)) + " by " + channel + " is too old for this market");
  }
  return base::ok_status();
}

}  // namespace beckon::privacy
