// The only user of RocksDB. Settings follow the bugs known of 7.8.3: no async_io, no wal_compression, no DeleteRange, at least
// three write buffers and two background flushes.
#include <array>
#include <cstdarg>
#include <cstdio>

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>

#include "beckon/base/log.h"
#include "beckon/store/store.h"

namespace beckon::store {
namespace {

base::Error to_error(const rocksdb::Status& status) {
  const std::string text = status.ToString();
  if (status.IsNoSpace() || text.find("No space left") != std::string::npos) {
    return {base::ErrorCode::kResourceExhausted,
            "the disk is full: free some space and run again; everything acknowledged is safe"};
  }
  if (status.IsCorruption()) {
    return base::data_loss("the store is damaged (" + text + "): restore the shop from a backup");
  }
  if (text.find("lock") != std::string::npos || text.find("LOCK") != std::string::npos) {
    return base::unavailable("the store is held by another process: stop it, or send the command through it");
  }
  return base::unavailable("the store failed: " + text);
}

class RocksKeyValue final : public KeyValue {
 public:
  explicit RocksKeyValue(std::unique_ptr<rocksdb::DB> db) : db_(std::move(db)) {}
  ~RocksKeyValue() override { db_->Close().PermitUncheckedError(); }
  RocksKeyValue(const RocksKeyValue&) = delete;
  RocksKeyValue& operator=(const RocksKeyValue&) = delete;

  base::Result<std::optional<std::string>> get(std::string_view key) const override {
    std::string value;
    const auto status = db_->Get(rocksdb::ReadOptions(), rocksdb::Slice(key.data(), key.size()), &value);
    if (status.IsNotFound()) {
      return std::optional<std::string>();
    }
    if (!status.ok()) {
      return to_error(status);
    }
    return std::optional<std::string>(std::move(value));
  }

  base::Result<std::vector<std::optional<std::string>>> get_many(std::span<const std::string> keys) const override {
    std::vector<rocksdb::Slice> slices(keys.begin(), keys.end());
    std::vector<rocksdb::PinnableSlice> values(keys.size());
    std::vector<rocksdb::Status> states(keys.size());
    db_->MultiGet(rocksdb::ReadOptions(), db_->DefaultColumnFamily(), keys.size(), slices.data(), values.data(),
                  states.data());
    std::vector<std::optional<std::string>> out(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (states[i].ok()) {
        out[i] = values[i].ToString();
      } else if (!states[i].IsNotFound()) {
        return to_error(states[i]);
      }
    }
    return out;
  }

  base::Status scan(std::string_view prefix,
                    const std::function<bool(std::string_view, std::string_view)>& visit) const override {
    rocksdb::ReadOptions options;
    options.total_order_seek = true;
    // A prefix that names a customer is a few rows: reading ahead would fetch megabytes for them.
    constexpr std::size_t kCustomerPrefixBytes = 2 + privacy::Pseudonym::kBytes;
    if (prefix.size() < kCustomerPrefixBytes) {
      options.readahead_size = 2 << 20;
      options.fill_cache = false;
    }
    std::string end(prefix);  // the first key after the prefix: the iterator need not look at what follows
    while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xFFU) {
      end.pop_back();
    }
    rocksdb::Slice upper;
    if (!end.empty()) {
      end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1U);
      upper = rocksdb::Slice(end);
      options.iterate_upper_bound = &upper;
    }
    const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options));
    const rocksdb::Slice start(prefix.data(), prefix.size());
    for (it->Seek(start); it->Valid() && it->key().starts_with(start); it->Next()) {
      if (!visit(it->key().ToStringView(), it->value().ToStringView())) {
        break;
      }
    }
    return it->status().ok() ? base::ok_status() : base::Status(to_error(it->status()));
  }

  base::Status write(const WriteBatch& batch) override {
    rocksdb::WriteBatch changes;
    for (const auto& [key, value] : batch.changes()) {
      const auto status = value.has_value() ? changes.Put(key, *value) : changes.Delete(key);
      if (!status.ok()) {
        return to_error(status);
      }
    }
    rocksdb::WriteOptions options;
    options.sync = true;
    const auto status = db_->Write(options, &changes);
    return status.ok() ? base::ok_status() : base::Status(to_error(status));
  }

  base::Status compact() override {
    rocksdb::CompactRangeOptions options;
    options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    const auto status = db_->CompactRange(options, nullptr, nullptr);
    return status.ok() ? base::ok_status() : base::Status(to_error(status));
  }

 private:
  std::unique_ptr<rocksdb::DB> db_;
};

// RocksDB's own LOG file stands on the same disk as the data; when that is full, Debian's build stops the process with an assertion
// at the second line that does not fit. What it has to say goes to our log instead.
class LogBridge final : public rocksdb::Logger {
 public:
  LogBridge() : rocksdb::Logger(rocksdb::WARN_LEVEL) {}
  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    std::array<char, 512> text{};
    if (std::vsnprintf(text.data(), text.size(), format, arguments) > 0) {
      base::log_info("store", {{"rocksdb", text.data()}});
    }
  }
};

rocksdb::Options make_options() {
  rocksdb::Options options;
  options.info_log = std::make_shared<LogBridge>();
  options.create_if_missing = true;
  options.paranoid_checks = true;
  options.max_write_buffer_number = 4;
  options.write_buffer_size = 64 << 20;
  // Most lookups ask whether an event is already there, and it is not: the filter spares the walk through the skip list.
  options.memtable_prefix_bloom_size_ratio = 0.1;
  options.memtable_whole_key_filtering = true;
  options.max_background_jobs = 2;
  options.compression = rocksdb::kLZ4Compression;
  options.bottommost_compression = rocksdb::kZSTD;
  rocksdb::BlockBasedTableOptions table;
  table.format_version = 5;
  table.block_size = 16 << 10;
  table.filter_policy.reset(rocksdb::NewRibbonFilterPolicy(10));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

}  // namespace

base::Result<std::unique_ptr<KeyValue>> open_rocksdb(const std::string& folder) {
  rocksdb::DB* raw = nullptr;
  const auto status = rocksdb::DB::Open(make_options(), folder, &raw);
  if (!status.ok()) {
    return to_error(status);
  }
  return std::unique_ptr<KeyValue>(std::make_unique<RocksKeyValue>(std::unique_ptr<rocksdb::DB>(raw)));
}

}  // namespace beckon::store
