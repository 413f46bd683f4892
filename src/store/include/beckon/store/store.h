#pragma once
// Everything kept per customer, in one ordered key-value store. This header is the port; adapters: RocksDB and an in-memory twin.
//
//   store.h   KeyValue, WriteBatch, Timelines
//   people.h  profiles, consents, links between ids, flags, suppression; data keys (SQLite)
//   shelf.h   items and the append-only price ledger
//   records.h decisions, deliveries, campaign counters

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "beckon/base/result.h"
#include "beckon/events/events.h"

namespace beckon::store {

/// Changes that become visible and durable together, or not at all.
class WriteBatch {
 public:
  void put(std::string key, std::string value) { changes_.emplace_back(std::move(key), std::move(value)); }
  void remove(std::string key) { changes_.emplace_back(std::move(key), std::nullopt); }
  const std::vector<std::pair<std::string, std::optional<std::string>>>& changes() const { return changes_; }
  bool empty() const { return changes_.empty(); }
  std::size_t size() const { return changes_.size(); }

 private:
  std::vector<std::pair<std::string, std::optional<std::string>>> changes_;
};

/// Thread-safe. Keys are ordered by bytes. A write() that returned ok has been synced to disk and survives kill -9 and power
/// loss; one that returned an error may or may not have happened, and after a failed sync every further write is refused.
class KeyValue {
 public:
  virtual ~KeyValue() = default;
  virtual base::Result<std::optional<std::string>> get(std::string_view key) const = 0;
  /// One answer per key, in their order.
  virtual base::Result<std::vector<std::optional<std::string>>> get_many(std::span<const std::string> keys) const = 0;
  /// Visits keys that start with `prefix` in order, as of the start of the scan, until `visit` answers false.
  virtual base::Status scan(std::string_view prefix,
                            const std::function<bool(std::string_view key, std::string_view value)>& visit) const = 0;
  virtual base::Status write(const WriteBatch& batch) = 0;
  /// Rewrites the files so that removed keys are gone from the disk.
  virtual base::Status compact() = 0;
};

/// Opens or creates a RocksDB 7.8 database in `folder`. unavailable when another process holds it.
base::Result<std::unique_ptr<KeyValue>> open_rocksdb(const std::string& folder);

/// Trivially right twin for tests. `write` can be told to fail before or after the change: what a crash around a sync looks like.
class MemoryKeyValue final : public KeyValue {
 public:
  enum class Fault { kNone, kBefore, kAfter };
  base::Result<std::optional<std::string>> get(std::string_view key) const override;
  base::Result<std::vector<std::optional<std::string>>> get_many(std::span<const std::string> keys) const override;
  base::Status scan(std::string_view prefix,
                    const std::function<bool(std::string_view, std::string_view)>& visit) const override;
  base::Status write(const WriteBatch& batch) override;
  base::Status compact() override { return base::ok_status(); }
  /// From the write after so many good ones on, every write fails.
  void set_fault(Fault fault, int good_writes_first = 0) {
    fault_ = fault;
    writes_until_fault_ = good_writes_first;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> rows_;
  Fault fault_ = Fault::kNone;
  int writes_until_fault_ = 0;
};

struct AppendCounts {
  std::int64_t added = 0;
  std::int64_t duplicates = 0;  ///< within the batch, or already stored
};

/// Timelines over a KeyValue. Key: partition byte, 't', pseudonym (17), event id (16); the existence of the key is the dedupe.
/// Not thread-safe for writing (one committer); readers may run beside it.
class Timelines {
 public:
  explicit Timelines(KeyValue& rows) : rows_(rows) {}
  /// One synced batch. When it returns ok, every event is on disk exactly once, and so are the changes in `with`.
  base::Result<AppendCounts> append(std::span<const events::Event> events, WriteBatch with = {});
  /// All events of a customer by (time, id). `as_of`: later ones are not seen.
  base::Result<std::vector<events::Event>> read(const privacy::Pseudonym& customer, base::Instant as_of) const;
  /// Customer after customer, in key order.
  base::Status for_each(base::Instant as_of,
                        const std::function<bool(const privacy::Pseudonym&, std::vector<events::Event>&)>& visit) const;
  /// Removes the timeline in one batch; answers how many events it held.
  base::Result<std::int64_t> erase(const privacy::Pseudonym& customer);

 private:
  KeyValue& rows_;
};

}  // namespace beckon::store
