#pragma once
// The seam in front of the disk: a POSIX implementation and an in-memory twin that can run full and lose unsynced bytes.

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "beckon/base/result.h"

namespace beckon::base {

/// A file that only grows. append() may buffer in the kernel; what sync() has acknowledged survives a power cut.
class AppendFile {
 public:
  virtual ~AppendFile() = default;
  virtual Status append(std::string_view bytes) = 0;
  virtual Status sync() = 0;
};

/// Thread-safe (each AppendFile belongs to one thread at a time). Paths are as given, '/' separated.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual Result<std::string> read(const std::string& path) const = 0;
  /// Writes a temporary file beside it, syncs, renames, syncs the folder: readers see the old or the new text.
  virtual Status write_atomic(const std::string& path, std::string_view bytes) = 0;
  virtual Result<std::unique_ptr<AppendFile>> open_append(const std::string& path) = 0;
  virtual bool exists(const std::string& path) const = 0;
  virtual Status make_dirs(const std::string& path) = 0;
  /// Names (not paths) of the entries, sorted.
  virtual Result<std::vector<std::string>> list(const std::string& path) const = 0;
  virtual Status remove(const std::string& path) = 0;
};

class PosixFileSystem final : public FileSystem {
 public:
  Result<std::string> read(const std::string& path) const override;
  Status write_atomic(const std::string& path, std::string_view bytes) override;
  Result<std::unique_ptr<AppendFile>> open_append(const std::string& path) override;
  bool exists(const std::string& path) const override;
  Status make_dirs(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) const override;
  Status remove(const std::string& path) override;
};

/// Twin for tests: `crash()` forgets what was not synced, `set_free_bytes` makes it run full.
class MemoryFileSystem final : public FileSystem {
 public:
  Result<std::string> read(const std::string& path) const override;
  Status write_atomic(const std::string& path, std::string_view bytes) override;
  Result<std::unique_ptr<AppendFile>> open_append(const std::string& path) override;
  bool exists(const std::string& path) const override;
  Status make_dirs(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) const override;
  Status remove(const std::string& path) override;

  void crash();
  void set_free_bytes(std::int64_t bytes) { free_bytes_ = bytes; }

 private:
  friend class MemoryAppendFile;
  struct Entry {
    std::string bytes;
    std::size_t synced = 0;
  };
  Status take(std::size_t bytes);
  mutable std::mutex mutex_;
  std::map<std::string, Entry> files_;
  std::int64_t free_bytes_ = -1;  // -1: no limit
};

}  // namespace beckon::base
