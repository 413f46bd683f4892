#include "beckon/base/filesystem.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>

namespace beckon::base {
namespace {

Error errno_error(const std::string& what, const std::string& path) {
  const int number = errno;
  const std::string message = what + " " + path + ": " + std::strerror(number);
  if (number == ENOENT) {
    return {ErrorCode::kNotFound, message};
  }
  if (number == ENOSPC || number == EDQUOT) {
    return {ErrorCode::kResourceExhausted,
            message + ": free some space and run again; everything acknowledged is safe"};
  }
  if (number == EACCES || number == EPERM || number == EROFS) {
    return {ErrorCode::kPermissionDenied, message};
  }
  return {ErrorCode::kUnavailable, message};
}

class PosixAppendFile final : public AppendFile {
 public:
  PosixAppendFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  ~PosixAppendFile() override { ::close(fd_); }
  PosixAppendFile(const PosixAppendFile&) = delete;
  PosixAppendFile& operator=(const PosixAppendFile&) = delete;

  Status append(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
      if (written < 0) {
        if (errno == EINTR) {
          continue;
        }
        return errno_error("cannot write", path_);
      }
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return ok_status();
  }
  Status sync() override {
    return ::fdatasync(fd_) == 0 ? ok_status() : Status(errno_error("cannot sync", path_));
  }

 private:
  int fd_;
  std::string path_;
};

Status sync_folder(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  const std::string folder = parent.empty() ? "." : parent.string();
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    return errno_error("cannot open", folder);
  }
  const int outcome = ::fsync(fd);
  ::close(fd);
  return outcome == 0 ? ok_status() : Status(errno_error("cannot sync", folder));
}

}  // namespace

Result<std::string> PosixFileSystem::read(const std::string& path) const {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return errno_error("cannot open", path);
  }
  std::string out;
  char buffer[1 << 16];
  for (;;) {
    const ssize_t count = ::read(fd, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      const Error error = errno_error("cannot read", path);
      ::close(fd);
      return error;
    }
    if (count == 0) {
      break;
    }
    out.append(buffer, static_cast<std::size_t>(count));
  }
  ::close(fd);
  return out;
}

Status PosixFileSystem::write_atomic(const std::string& path, std::string_view bytes) {
  const std::string temporary = path + ".tmp";
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (fd < 0) {
    return errno_error("cannot create", temporary);
  }
  {
    PosixAppendFile file(fd, temporary);
    BECKON_TRY_STATUS(file.append(bytes));
    BECKON_TRY_STATUS(file.sync());
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    return errno_error("cannot rename to", path);
  }
  return sync_folder(path);
}

Result<std::unique_ptr<AppendFile>> PosixFileSystem::open_append(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (fd < 0) {
    return errno_error("cannot open", path);
  }
  return std::unique_ptr<AppendFile>(std::make_unique<PosixAppendFile>(fd, path));
}

bool PosixFileSystem::exists(const std::string& path) const { return ::access(path.c_str(), F_OK) == 0; }

Status PosixFileSystem::make_dirs(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) {
    return Error{ErrorCode::kUnavailable, "cannot create folder " + path + ": " + error.message()};
  }
  return ok_status();
}

Result<std::vector<std::string>> PosixFileSystem::list(const std::string& path) const {
  std::error_code error;
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
    names.push_back(entry.path().filename().string());
  }
  if (error) {
    return not_found("cannot list " + path + ": " + error.message());
  }
  std::sort(names.begin(), names.end());
  return names;
}

Status PosixFileSystem::remove(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) {
    return Error{ErrorCode::kUnavailable, "cannot remove " + path + ": " + error.message()};
  }
  return ok_status();
}

class MemoryAppendFile final : public AppendFile {
 public:
  MemoryAppendFile(MemoryFileSystem& owner, std::string path) : owner_(owner), path_(std::move(path)) {}
  Status append(std::string_view bytes) override {
    const std::scoped_lock lock(owner_.mutex_);
    BECKON_TRY_STATUS(owner_.take(bytes.size()));
    owner_.files_[path_].bytes.append(bytes);
    return ok_status();
  }
  Status sync() override {
    const std::scoped_lock lock(owner_.mutex_);
    auto& entry = owner_.files_[path_];
    entry.synced = entry.bytes.size();
    return ok_status();
  }

 private:
  MemoryFileSystem& owner_;
  std::string path_;
};

Status MemoryFileSystem::take(std::size_t bytes) {
  if (free_bytes_ >= 0) {
    if (static_cast<std::int64_t>(bytes) > free_bytes_) {
      return Error{ErrorCode::kResourceExhausted, "No space left on device: free some space and run again"};
    }
    free_bytes_ -= static_cast<std::int64_t>(bytes);
  }
  return ok_status();
}

Result<std::string> MemoryFileSystem::read(const std::string& path) const {
  const std::scoped_lock lock(mutex_);
  const auto found = files_.find(path);
  if (found == files_.end()) {
    return not_found("cannot open " + path + ": no such file");
  }
  return found->second.bytes;
}

Status MemoryFileSystem::write_atomic(const std::string& path, std::string_view bytes) {
  const std::scoped_lock lock(mutex_);
  BECKON_TRY_STATUS(take(bytes.size()));
  files_[path] = {std::string(bytes), bytes.size()};
  return ok_status();
}

Result<std::unique_ptr<AppendFile>> MemoryFileSystem::open_append(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  files_[path];
  return std::unique_ptr<AppendFile>(std::make_unique<MemoryAppendFile>(*this, path));
}

bool MemoryFileSystem::exists(const std::string& path) const {
  const std::scoped_lock lock(mutex_);
  const auto next = files_.lower_bound(path);
  return next != files_.end() && (next->first == path || next->first.starts_with(path + "/"));
}

Status MemoryFileSystem::make_dirs(const std::string&) { return ok_status(); }

Result<std::vector<std::string>> MemoryFileSystem::list(const std::string& path) const {
  const std::scoped_lock lock(mutex_);
  std::set<std::string> names;
  const std::string prefix = path + "/";
  for (auto it = files_.lower_bound(prefix); it != files_.end() && it->first.starts_with(prefix); ++it) {
    const std::string rest = it->first.substr(prefix.size());
    names.insert(rest.substr(0, rest.find('/')));
  }
  return std::vector<std::string>(names.begin(), names.end());
}

Status MemoryFileSystem::remove(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  files_.erase(path);
  const std::string prefix = path + "/";
  auto it = files_.lower_bound(prefix);
  while (it != files_.end() && it->first.starts_with(prefix)) {
    it = files_.erase(it);
  }
  return ok_status();
}

void MemoryFileSystem::crash() {
  const std::scoped_lock lock(mutex_);
  for (auto& [path, entry] : files_) {
    entry.bytes.resize(entry.synced);
  }
}

}  // namespace beckon::base
