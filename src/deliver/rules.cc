// Ids, zones and quiet hours: the parts of a claim that need no store.
#include <algorithm>
#include <fstream>
#include <mutex>
#include <sstream>

#include "beckon/base/codec.h"
#include "beckon/deliver/deliver.h"

namespace beckon::deliver {
namespace {

// Country → zones, from the zone table that comes with tzdata (columns: country, coordinates, zone).
const std::multimap<std::string, std::string>& country_zones() {
  static const auto kZones = [] {
    std::multimap<std::string, std::string> out;
    std::ifstream table("/usr/share/zoneinfo/zone.tab");
    std::string line;
    while (std::getline(table, line)) {
      std::istringstream columns(line);
      std::string country;
      std::string where;
      std::string zone;
      if (!line.starts_with('#') && columns >> country >> where >> zone) {
        out.emplace(country, zone);
      }
    }
    return out;
  }();
  return kZones;
}

bool is_quiet(base::Instant at, const base::Zone& zone, const catalog::Market& market) {
  const base::LocalTime local = zone.to_local(at);
  const int minute = local.hour * 60 + local.minute;
  const int from = market.quiet_from_minute;
  const int until = market.quiet_until_minute;
  if (from == until) {
    return false;
  }
  return from < until ? minute >= from && minute < until : minute >= from || minute < until;
}

}  // namespace

std::string delivery_id(const std::string& tenant, const events::Decision& d) {
  base::Writer text;
  for (const std::string& part : {tenant, d.campaign, d.period, d.customer.bytes()}) {
    text.text(part);
  }
  text.varint(static_cast<std::uint64_t>(d.slot));
  std::string bytes = privacy::sha256(text.view()).substr(0, 16);
  bytes[6] = static_cast<char>((static_cast<unsigned char>(bytes[6]) & 0x0FU) | 0x80U);  // version 8
  bytes[8] = static_cast<char>((static_cast<unsigned char>(bytes[8]) & 0x3FU) | 0x80U);  // variant 10
  const std::string hex = base::to_hex(bytes);
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) + "-" + hex.substr(20);
}

std::vector<base::Zone> zones_of(const store::Profile& profile, const catalog::Market& market) {
  const auto field = [&](const char* name) {
    const auto found = profile.open.find(name);
    return found == profile.open.end() ? std::string() : found->second;
  };
  std::vector<base::Zone> zones;
  const auto add = [&](const std::string& name) {
    if (const auto zone = base::Zone::find(name); !name.empty() && zone.ok()) {
      zones.push_back(*zone);
    }
  };
  add(field("timezone"));
  if (zones.empty()) {
    const auto [first, last] = country_zones().equal_range(field("country"));
    std::for_each(first, last, [&](const auto& entry) { add(entry.second); });
  }
  if (zones.empty()) {
    add(market.zone);
  }
  return zones;
}

std::optional<base::Instant> next_allowed(base::Instant at, std::span<const base::Zone> zones, const catalog::Market& market) {
  constexpr std::int64_t kStepMs = 15 * base::kMinuteMs;  // every offset in use is a multiple of 15 minutes
  const auto quiet_somewhere = [&](base::Instant when) {
    return std::any_of(zones.begin(), zones.end(), [&](const auto& zone) { return is_quiet(when, zone, market); });
  };
  if (!quiet_somewhere(at)) {
    return at;
  }
  base::Instant when{at.ms - at.ms % kStepMs + kStepMs};
  for (; when.ms <= at.ms + 2 * base::kDayMs; when.ms += kStepMs) {
    if (!quiet_somewhere(when)) {
      return when;
    }
  }
  return std::nullopt;
}

base::Instant next_hour(base::Instant from, const base::Zone& zone, int hour) {
  base::LocalTime local = zone.to_local(from);
  if (local.hour == hour) {
    return from;
  }
  local.minute = local.second = 0;
  if (local.hour > hour) {
    local = zone.to_local(from.plus_ms(base::kDayMs));
    local.minute = local.second = 0;
  }
  local.hour = hour;
  return zone.to_instant(local);
}

std::string budget_counter(const catalog::Campaign& campaign, const std::string& budget) {
  return campaign.id.str() + "|" + campaign.period + "|budget|" + budget;
}

std::string quantity_counter(const catalog::Campaign& campaign, const std::string& offer) {
  return campaign.id.str() + "|" + campaign.period + "|quantity|" + offer;
}

}  // namespace beckon::deliver
