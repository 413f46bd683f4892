#pragma once
// An HTTP/1.1 endpoint on 127.0.0.1 for the tests: a function answers each request; an empty answer closes the connection.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace beckon::deliver {

struct SinkRequest {
  std::string path;
  std::map<std::string, std::string> headers;  // lower case, as the transport writes them
  std::string body;
};

class HttpSink {
 public:
  explicit HttpSink(std::function<std::string(const SinkRequest&)> answer) : answer_(std::move(answer)) {
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
  ~HttpSink() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    for (const int socket : sockets_) {
      ::shutdown(socket, SHUT_RDWR);
    }
    workers_.clear();  // joins
    for (const int socket : sockets_) {
      ::close(socket);
    }
    ::close(listener_);
  }
  std::string url(const std::string& host = "127.0.0.1") const { return "http://" + host + ":" + std::to_string(port_) + "/hook"; }
  std::vector<SinkRequest> requests() {
    const std::scoped_lock lock(mutex_);
    return requests_;
  }
  static std::string status(int code, const std::string& headers = {}) {
    return "HTTP/1.1 " + std::to_string(code) + " X\r\n" + headers + "Content-Length: 0\r\n\r\n";
  }

 private:
  void accept_loop() {
    for (;;) {
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) {
        return;
      }
      sockets_.push_back(socket);
      workers_.emplace_back([this, socket] { serve(socket); });
    }
  }

  void serve(int socket) {
    std::string pending;
    for (;;) {
      const auto end = pending.find("\r\n\r\n");
      std::size_t wanted = std::string::npos;
      SinkRequest request;
      if (end != std::string::npos) {
        wanted = end + 4 + read_head(pending.substr(0, end + 2), request);
      }
      if (pending.size() < wanted) {
        char buffer[8192];
        const ssize_t got = ::recv(socket, buffer, sizeof buffer, 0);
        if (got <= 0) {
          return;
        }
        pending.append(buffer, static_cast<std::size_t>(got));
        continue;
      }
      request.body = pending.substr(end + 4, wanted - end - 4);
      pending.erase(0, wanted);
      {
        const std::scoped_lock lock(mutex_);
        requests_.push_back(request);
      }
      const std::string text = answer_(request);
      if (text.empty() || ::send(socket, text.data(), text.size(), MSG_NOSIGNAL) < 0) {
        ::shutdown(socket, SHUT_RDWR);
        return;
      }
    }
  }

  // Fills path and headers; answers the length of the body.
  static std::size_t read_head(const std::string& head, SinkRequest& request) {
    const std::size_t line_end = head.find("\r\n");
    const std::size_t path = head.find(' ') + 1;
    request.path = head.substr(path, head.find(' ', path) - path);
    for (std::size_t at = line_end + 2; at < head.size();) {
      const std::size_t stop = head.find("\r\n", at);
      const std::size_t colon = head.find(':', at);
      std::string name = head.substr(at, colon - at);
      for (char& c : name) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      }
      request.headers[name] = head.substr(colon + 2, stop - colon - 2);
      at = stop + 2;
    }
    return request.headers.contains("content-length") ? std::stoul(request.headers["content-length"]) : 0;
  }

  std::function<std::string(const SinkRequest&)> answer_;
  int listener_ = -1;
  int port_ = 0;
  std::mutex mutex_;
  std::vector<SinkRequest> requests_;
  std::vector<int> sockets_;
  std::vector<std::jthread> workers_;
  std::jthread acceptor_;
};

}  // namespace beckon::deliver
