#include "beckon/price/allowed.h"

#include <algorithm>
#include <cctype>

namespace beckon::price {
namespace {

constexpr std::size_t kInsideLettersMin = 5;

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

// "userAge", "USER-AGE", "user_age" → user, age.
std::vector<std::string> parts_of(std::string_view column) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < column.size(); ++i) {
    const char c = column[i];
    const bool word = std::isalnum(static_cast<unsigned char>(c)) != 0;
    const bool hump = is_upper(c) && i > 0 && !is_upper(column[i - 1]);
    if ((!word || hump) && !parts.back().empty()) {
      parts.emplace_back();
    }
    if (word) {
      parts.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return parts;
}

std::string_view without_digits(std::string_view part) {
  while (!part.empty() && std::isdigit(static_cast<unsigned char>(part.back())) != 0) {
    part.remove_suffix(1);
  }
  return part;
}

bool means(std::string_view part, std::string_view word) {
  part = without_digits(part);
  if (part == word || (word.size() >= kInsideLettersMin && part.find(word) != std::string_view::npos)) {
    return true;
  }
  for (const std::string_view front : {"ln", "log"}) {
    if (part.starts_with(front) && part.substr(front.size()) == word) {
      return true;
    }
  }
  return false;
}

std::string_view kind_of(std::string_view column, const std::vector<FeatureKind>& kinds) {
  const std::vector<std::string> parts = parts_of(column);
  std::string joined;
  for (const auto& part : parts) {
    joined += part;
  }
  for (const auto& kind : kinds) {
    for (const auto word : kind.words) {
      if (means(joined, word) || std::ranges::any_of(parts, [&](const std::string& part) { return means(part, word); })) {
        return kind.name;
      }
    }
  }
  return {};
}

}  // namespace

const std::vector<FeatureKind>& allowed_kinds() {
  static const std::vector<FeatureKind> kKinds{
      {"item", {"item", "sku", "product", "category", "brand", "department", "pack", "size", "unit", "variant"}},
      {"price and cost", {"price", "cost", "margin", "discount", "depth", "vat", "currency", "competitor"}},
      {"stock", {"stock", "inventory", "expiry", "shelf"}},
      {"offer", {"offer", "campaign", "promotion", "promo", "coupon", "voucher", "feat", "feature", "display", "mailer"}},
      {"place of sale", {"channel", "market", "country", "store", "warehouse"}},
      {"calendar", {"season", "year", "quarter", "month", "week", "weekday", "day", "hour", "holiday", "date"}},
      {"basket", {"quantity", "basket", "units", "lines"}},
      {"published rule", {"tier", "membership", "segment"}},
      {"experiment", {"arm", "cell", "wave", "experiment", "variation", "test"}}};
  return kKinds;
}

const std::vector<FeatureKind>& forbidden_kinds() {
  static const std::vector<FeatureKind> kKinds{
      {"device",
       {"device", "browser", "useragent", "os", "handset", "platform", "screen", "iphone", "android", "phonemodel", "battery"}},
      {"income or wealth", {"income", "salary", "wage", "wages", "wealth", "asset", "assets", "earnings", "networth", "homevalue", "houseprice",
                            "homeownership", "creditscore", "creditlimit", "affluence", "purchasingpower"}},
      {"age", {"age", "agegroup", "ageband", "birth", "birthday", "birthyear", "dob", "yob", "senior"}},
      {"gender", {"gender", "sex", "female", "male"}},
      {"family", {"married", "marital", "dependants", "dependents", "children", "kids", "household", "pregnant"}},
      {"origin or belief", {"race", "ethnic", "ethnicity", "nationality", "religion", "citizenship", "migrant"}},
      {"health", {"health", "disability", "diagnosis"}},
      {"place of living", {"postcode", "postalcode", "postal", "zip", "zipcode", "plz", "address", "street", "neighbourhood", "neighborhood",
                           "latitude", "longitude", "geohash", "lat", "lon", "rural", "ipaddress", "ip"}}};
  return kKinds;
}

std::string_view forbidden_kind(std::string_view column) { return kind_of(column, forbidden_kinds()); }

base::Status check_allowed(std::span<const std::string> columns, Purpose purpose) {
  if (purpose == Purpose::kAudit) {
    return base::ok_status();
  }
  for (const auto& column : columns) {
    const std::string_view forbidden = forbidden_kind(column);
    if (!forbidden.empty()) {
      return base::invalid_argument("the column '" + column + "' speaks of " + std::string(forbidden) +
                                    ", which may not shape a price: leave it out (only a fairness audit may read it)");
    }
    if (purpose == Purpose::kDecision && kind_of(column, allowed_kinds()).empty()) {
      std::string kinds;
      for (const auto& kind : allowed_kinds()) {
        kinds += (kinds.empty() ? "" : ", ") + std::string(kind.name);
      }
      return base::invalid_argument("the column '" + column + "' is not on the closed list of what may shape a price (" + kinds +
                                    "): leave it out or name it after what it is");
    }
  }
  return base::ok_status();
}

}  // namespace beckon::price
