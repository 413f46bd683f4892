#pragma once
// A tiny HTTP/1.1 server on 127.0.0.1 for the tests: answers by path, counts what arrives.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace beckon::net {

class Server {
 public:
  Server() {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    socklen_t length = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    ::listen(listener_, 64);
    acceptor_ = std::jthread([this] { accept_loop(); });
  }
  ~Server() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    const std::scoped_lock lock(mutex_);
    for (const int socket : sockets_) {
      ::shutdown(socket, SHUT_RDWR);
    }
  }
  int port() const { return port_; }
  std::string url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(port_) + path; }
  int connections() const { return connections_; }
  int requests() const { return requests_; }
  std::string last() {
    const std::scoped_lock lock(mutex_);
    return last_;
  }

 private:
  void accept_loop() {
    while (true) {
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) {
        return;
      }
      ++connections_;
      const std::scoped_lock lock(mutex_);
      sockets_.push_back(socket);
      workers_.emplace_back([this, socket] { serve(socket); });
    }
  }

  // One request, head and body; empty at the end of the connection.
  static std::string read_request(int socket) {
    std::string text;
    std::size_t wanted = std::string::npos;
    while (text.size() < wanted) {
      char buffer[4096];
      const ssize_t got = ::recv(socket, buffer, sizeof buffer, 0);
      if (got <= 0) {
        return {};
      }
      text.append(buffer, static_cast<std::size_t>(got));
      const std::size_t end = text.find("\r\n\r\n");
      if (end != std::string::npos) {
        const std::size_t at = text.find("Content-Length: ");
        wanted = end + 4 + (at < end ? static_cast<std::size_t>(std::atoi(text.c_str() + at + 16)) : 0);
      }
    }
    return text;
  }

  static bool say(int socket, const std::string& text) {
    return ::send(socket, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }

  void serve(int socket) {
    for (int nth = 1;; ++nth) {
      const std::string request = read_request(socket);
      if (request.empty()) {
        break;
      }
      ++requests_;
      {
        const std::scoped_lock lock(mutex_);
        last_ = request;
      }
      const std::string path = request.substr(request.find(' ') + 1, request.find(' ', request.find(' ') + 1) - request.find(' ') - 1);
      if (path == "/hang") {
        continue;  // reads on, answers nothing
      }
      if (path == "/drop" || (path == "/drop_second" && nth == 2)) {
        break;
      }
      if (path == "/half") {
        say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
        break;
      }
      if (path == "/redirect") {
        say(socket, "HTTP/1.1 302 Found\r\nLocation: " + url("/ok") + "\r\nContent-Length: 0\r\n\r\n");
      } else if (path == "/busy") {
        say(socket, "HTTP/1.1 100 Continue\r\nEarly: 1\r\n\r\nHTTP/1.1 429 Slow\r\nRetry-After:  7\r\nX-Two: a\r\nX-Two: b\r\nContent-Length: 4\r\n\r\nwait");
      } else if (path == "/big") {
        say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + std::string(300'000, 'x'));
      } else {
        say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      }
    }
    ::shutdown(socket, SHUT_RDWR);  // closed with the server: a number that is used again would confuse its destructor
  }

  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> connections_{0};
  std::atomic<int> requests_{0};
  std::mutex mutex_;
  std::string last_;
  std::vector<int> sockets_;
  std::jthread acceptor_;
  std::vector<std::jthread> workers_;
};

}  // namespace beckon::net
