// The only user of SQLite in this library: one file with one data key per customer. Exactly one connection (3.40 carries a WAL bug
// with two), mmap off, secure_delete so that an erased key is overwritten on the disk.
#include <sqlite3.h>

#include "beckon/store/people.h"

namespace beckon::store {
namespace {

class SqliteDataKeys final : public DataKeys {
 public:
  SqliteDataKeys(sqlite3* db, privacy::KeyRing ring) : db_(db), ring_(std::move(ring)) {}
  ~SqliteDataKeys() override {
    sqlite3_finalize(select_);
    sqlite3_finalize(insert_);
    sqlite3_finalize(delete_);
    sqlite3_close(db_);
  }
  SqliteDataKeys(const SqliteDataKeys&) = delete;
  SqliteDataKeys& operator=(const SqliteDataKeys&) = delete;

  base::Status prepare() {
    for (const char* sql : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA mmap_size=0", "PRAGMA secure_delete=ON",
                            "CREATE TABLE IF NOT EXISTS data_key (customer BLOB PRIMARY KEY, wrapped BLOB NOT NULL) WITHOUT ROWID"}) {
      BECKON_TRY_STATUS(execute(sql));
    }
    const bool ok = sqlite3_prepare_v2(db_, "SELECT wrapped FROM data_key WHERE customer=?", -1, &select_, nullptr) == SQLITE_OK &&
                    sqlite3_prepare_v2(db_, "INSERT INTO data_key VALUES (?,?)", -1, &insert_, nullptr) == SQLITE_OK &&
                    sqlite3_prepare_v2(db_, "DELETE FROM data_key WHERE customer=?", -1, &delete_, nullptr) == SQLITE_OK;
    return ok ? base::ok_status() : base::Status(error());
  }

  base::Result<std::optional<std::string>> find(const privacy::Pseudonym& customer) override {
    const std::string id = customer.bytes();
    sqlite3_bind_blob(select_, 1, id.data(), static_cast<int>(id.size()), SQLITE_TRANSIENT);
    const int step = sqlite3_step(select_);
    std::optional<std::string> wrapped;
    if (step == SQLITE_ROW) {
      wrapped.emplace(static_cast<const char*>(sqlite3_column_blob(select_, 0)),
                      static_cast<std::size_t>(sqlite3_column_bytes(select_, 0)));
    }
    sqlite3_reset(select_);
    if (step != SQLITE_ROW && step != SQLITE_DONE) {
      return error();
    }
    if (!wrapped.has_value()) {
      return std::optional<std::string>();
    }
    BECKON_TRY(auto key, ring_.unwrap(*wrapped, customer));
    return std::optional<std::string>(std::move(key));
  }

  base::Result<std::vector<std::string>> get_or_make(std::span<const privacy::Pseudonym> customers) override {
    BECKON_TRY_STATUS(execute("BEGIN IMMEDIATE"));
    auto keys = find_or_insert(customers);
    const base::Status ended = execute(keys.ok() ? "COMMIT" : "ROLLBACK");
    if (keys.ok() && !ended.ok()) {
      return ended.error();
    }
    return keys;
  }

  base::Status erase(const privacy::Pseudonym& customer) override {
    const std::string id = customer.bytes();
    sqlite3_bind_blob(delete_, 1, id.data(), static_cast<int>(id.size()), SQLITE_TRANSIENT);
    const int step = sqlite3_step(delete_);
    sqlite3_reset(delete_);
    if (step != SQLITE_DONE) {
      return error();
    }
    return execute("PRAGMA wal_checkpoint(TRUNCATE)");  // the old page must not live on in the log
  }

 private:
  base::Result<std::vector<std::string>> find_or_insert(std::span<const privacy::Pseudonym> customers) {
    std::vector<std::string> keys;
    for (const auto& customer : customers) {
      BECKON_TRY(const auto found, find(customer));
      keys.push_back(found.has_value() ? *found : privacy::random_bytes(32));
      if (found.has_value()) {
        continue;
      }
      const std::string id = customer.bytes();
      const std::string wrapped = ring_.wrap(keys.back(), customer);
      sqlite3_bind_blob(insert_, 1, id.data(), static_cast<int>(id.size()), SQLITE_TRANSIENT);
      sqlite3_bind_blob(insert_, 2, wrapped.data(), static_cast<int>(wrapped.size()), SQLITE_TRANSIENT);
      const int step = sqlite3_step(insert_);
      sqlite3_reset(insert_);
      if (step != SQLITE_DONE) {
        return error();
      }
    }
    return keys;
  }

  base::Status execute(const char* sql) {
    return sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) == SQLITE_OK ? base::ok_status() : base::Status(error());
  }

  base::Error error() const {
    const int code = sqlite3_errcode(db_);
    const std::string text = sqlite3_errmsg(db_);
    if (code == SQLITE_FULL) {
      return {base::ErrorCode::kResourceExhausted,
              "the disk is full: free some space and run again; everything acknowledged is safe"};
    }
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) {
      return base::data_loss("the file of data keys is damaged (" + text + "): restore it from a backup");
    }
    return base::unavailable("the file of data keys failed: " + text);
  }

  sqlite3* db_;
  privacy::KeyRing ring_;
  sqlite3_stmt* select_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
  sqlite3_stmt* delete_ = nullptr;
};

}  // namespace

base::Result<std::unique_ptr<DataKeys>> open_data_keys(const std::string& file, const privacy::KeyRing& ring) {
  sqlite3* db = nullptr;
  const int opened = sqlite3_open_v2(file.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  auto keys = std::make_unique<SqliteDataKeys>(db, ring);
  if (opened != SQLITE_OK) {
    return base::unavailable("cannot open the file of data keys " + file + ": check that the folder exists and is writable");
  }
  BECKON_TRY_STATUS(keys->prepare());
  return std::unique_ptr<DataKeys>(std::move(keys));
}

}  // namespace beckon::store
