#pragma once
// What the store's tests share: a folder, a key ring, and a shop's customers in the simplest form there is.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "beckon/store/records.h"

namespace beckon::store {

inline std::string test_folder(const std::string& name) {
  const std::string folder = testing::TempDir() + "/beckon_" + name + "_" + std::to_string(::getpid());
  std::filesystem::remove_all(folder);
  return folder;
}

inline const privacy::KeyRing& test_ring() {
  static const auto kRing = privacy::KeyRing::make(std::string(32, 't'), 1).value();
  return kRing;
}

/// Users 0–4 are known to the shop, 5–9 are anonymous devices.
inline privacy::Pseudonym person(std::uint64_t n) { return test_ring().pseudonym((n < 5 ? "user" : "anonymous|") + std::to_string(n)); }

/// Everything People, Timelines and Records hold per customer.
struct Twin {
  using Statement = std::tuple<privacy::Purpose, std::string, std::int64_t, bool>;
  std::map<privacy::Pseudonym, Profile> profiles;
  std::map<privacy::Pseudonym, std::set<Statement>> consents;
  std::map<privacy::Pseudonym, privacy::Pseudonym> links;                        ///< id → person
  std::set<std::pair<privacy::Pseudonym, privacy::Pseudonym>> ever_linked;       ///< (person, id)
  std::map<privacy::Pseudonym, std::string> flags;
  std::map<privacy::Pseudonym, std::int64_t> suppressed;
  std::map<privacy::Pseudonym, std::map<events::EventId, std::int64_t>> events;  ///< id → time
  std::map<privacy::Pseudonym, std::set<std::string>> decisions;                 ///< campaigns
  std::map<privacy::Pseudonym, std::set<std::string>> deliveries;                ///< ids

  std::set<privacy::Pseudonym> ids_of(const privacy::Pseudonym& person) const {
    std::set<privacy::Pseudonym> out;
    for (const auto& [id, owner] : links) {
      if (owner == person) {
        out.insert(id);
      }
    }
    return out;
  }
  /// (time, event id) of the person and of everything linked to him.
  std::multiset<std::pair<std::int64_t, events::EventId>> history(const privacy::Pseudonym& person, base::Instant as_of) const {
    std::multiset<std::pair<std::int64_t, events::EventId>> out;
    auto ids = ids_of(person);
    ids.insert(person);
    for (const auto& id : ids) {
      if (const auto own = events.find(id); own != events.end()) {
        for (const auto& [event, at] : own->second) {
          if (at <= as_of.ms) {
            out.emplace(at, event);
          }
        }
      }
    }
    return out;
  }
  void erase(const privacy::Pseudonym& person, std::int64_t now) {
    auto ids = ids_of(person);
    ids.insert(person);
    for (const auto& id : ids) {
      profiles.erase(id);
      consents.erase(id);
      links.erase(id);
      flags.erase(id);
      events.erase(id);
      decisions.erase(id);
      deliveries.erase(id);
      suppressed[id] = now;
      std::erase_if(ever_linked, [&](const auto& link) { return link.first == id || link.second == id; });
    }
  }
  /// Rows by table byte.
  std::map<char, std::size_t> row_counts() const {
    std::map<char, std::size_t> out;
    const auto add = [&](char table, std::size_t count) {
      if (count > 0) {
        out[table] += count;
      }
    };
    add('p', profiles.size());
    add('k', links.size());
    add('K', ever_linked.size());
    add('f', flags.size());
    add('s', suppressed.size());
    for (const auto& [id, statements] : consents) {
      add('c', statements.size());
    }
    for (const auto& [id, own] : events) {
      add('t', own.size());
    }
    for (const auto& [id, own] : decisions) {
      add('d', own.size());
    }
    for (const auto& [id, own] : deliveries) {
      add('l', own.size());
    }
    return out;
  }
};

}  // namespace beckon::store
