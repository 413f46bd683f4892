// flock, Unix socket: the only place that talks to other processes of the same machine.
#include "beckon/engine/holder.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>

namespace beckon::engine {
namespace {

constexpr std::size_t kRequestBytesMax = 1 << 20;
constexpr const char* kSocketName = "beckon.sock";

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  ~Fd() { reset(); }
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    reset();
    fd_ = std::exchange(other.fd_, -1);
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }
  void reset() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
    fd_ = -1;
  }

 private:
  int fd_;
};

// A socket path may have 107 bytes; a shop folder may be longer: go through the folder's descriptor.
sockaddr_un address_in(int folder_fd) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = "/proc/self/fd/" + std::to_string(folder_fd) + "/" + kSocketName;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  return address;
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) {
      continue;
    }
    if (sent <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

// Until the line end, the other side closing, or the limit.
std::string read_line(int fd) {
  std::string out;
  char buffer[4096];
  while (out.size() < kRequestBytesMax && out.find('\n') == std::string::npos) {
    const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      break;
    }
    out.append(buffer, static_cast<std::size_t>(got));
  }
  return out.substr(0, out.find('\n'));
}

}  // namespace

struct Holder::State {
  std::string folder;
  Fd folder_fd;
  Fd lock;
  Fd socket;
  std::jthread thread;
};

Holder::Holder(std::unique_ptr<State> state) : state_(std::move(state)) {}

Holder::~Holder() { stop_listening(); }

base::Result<std::unique_ptr<Holder>> Holder::take(const std::string& folder, const std::string& command) {
  auto state = std::make_unique<State>();
  state->folder = folder;
  state->folder_fd = Fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!state->folder_fd.ok()) {
    return base::not_found("cannot open the folder " + folder + ": " + std::strerror(errno));
  }
  state->lock = Fd(::openat(state->folder_fd.get(), "beckon.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!state->lock.ok()) {
    return base::Error{base::ErrorCode::kPermissionDenied, "cannot write in " + folder + ": " + std::strerror(errno)};
  }
  if (::flock(state->lock.get(), LOCK_EX | LOCK_NB) != 0) {
    char text[512] = {};
    const ssize_t got = ::pread(state->lock.get(), text, sizeof text - 1, 0);
    return base::unavailable("the shop is held by " + std::string(text, got > 0 ? static_cast<std::size_t>(got) : 0) +
                             ": wait for it, or ask it to stop");
  }
  const std::string who = "process " + std::to_string(::getpid()) + " (beckon " + command + ")";
  if (::ftruncate(state->lock.get(), 0) != 0 || ::pwrite(state->lock.get(), who.data(), who.size(), 0) < 0) {
    return base::Error{base::ErrorCode::kResourceExhausted, "cannot write " + folder + "/beckon.lock: " + std::strerror(errno)};
  }
  return std::unique_ptr<Holder>(new Holder(std::move(state)));
}

base::Status Holder::listen(Handler handler) {
  ::unlinkat(state_->folder_fd.get(), kSocketName, 0);  // of a holder that was killed; we have the lock
  state_->socket = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_un address = address_in(state_->folder_fd.get());
  if (!state_->socket.ok() || ::bind(state_->socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::fchmodat(state_->folder_fd.get(), kSocketName, 0600, 0) != 0 || ::listen(state_->socket.get(), 16) != 0) {
    return base::unavailable("cannot listen in " + state_->folder + ": " + std::strerror(errno));
  }
  state_->thread = std::jthread([fd = state_->socket.get(), handler = std::move(handler)](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd wait{fd, POLLIN, 0};
      if (::poll(&wait, 1, 200) <= 0) {
        continue;
      }
      const Fd client(::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC));
      if (!client.ok()) {
        continue;
      }
      // One who connects and says nothing, or never reads, must not keep the others waiting, nor the process from ending.
      const timeval patience{2, 0};
      ::setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
      ::setsockopt(client.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
      const auto request = base::parse_json(read_line(client.get()));
      const base::Json answer = request.ok() ? handler(*request) : base::Json{{"exit", 2}, {"error", request.error().message}};
      write_all(client.get(), base::to_line(answer) + "\n");
    }
  });
  return base::ok_status();
}

void Holder::stop_listening() {
  if (state_->thread.joinable()) {
    state_->thread.request_stop();
    state_->thread.join();
    ::unlinkat(state_->folder_fd.get(), kSocketName, 0);
    state_->socket.reset();
  }
}

base::Result<base::Json> ask_holder(const std::string& folder, const base::Json& request) {
  const Fd folder_fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!folder_fd.ok() || !fd.ok()) {
    return base::not_found("no shop in " + folder);
  }
  const sockaddr_un address = address_in(folder_fd.get());
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return base::not_found("nobody listens in " + folder);
  }
  if (!write_all(fd.get(), base::to_line(request) + "\n")) {
    return base::unavailable("the process that holds the shop went away");
  }
  std::string answer;
  for (char buffer[8192];;) {
    const ssize_t got = ::recv(fd.get(), buffer, sizeof buffer, 0);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      break;
    }
    answer.append(buffer, static_cast<std::size_t>(got));
  }
  return base::parse_json(answer);
}

}  // namespace beckon::engine
