#include "common/pg/testing/test_proxy.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace paymesh::pg {
namespace {

std::string Option(const std::string& conninfo, const std::string& keyword) {
  PQconninfoOption* options = PQconninfoParse(conninfo.c_str(), nullptr);
  std::string value;
  for (PQconninfoOption* option = options; option != nullptr && option->keyword; ++option) {
    if (keyword == option->keyword && option->val != nullptr) value = option->val;
  }
  PQconninfoFree(options);
  return value;
}

int ConnectTo(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return -1;
  const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd, found->ai_addr, found->ai_addrlen) != 0) std::abort();
  freeaddrinfo(found);
  return fd;
}

bool Forward(int to, std::string_view data) {
  while (!data.empty()) {
    const ssize_t sent = send(to, data.data(), data.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

}  // namespace

TestProxy::TestProxy(const std::string& conninfo)
    : host_(Option(conninfo, "host")), port_(Option(conninfo, "port")) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_, 64) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::abort();
  }
  conninfo_ = conninfo + " host=127.0.0.1 sslmode=disable gssencmode=disable port=" +
              std::to_string(ntohs(address.sin_port));
  acceptor_ = std::thread([this] { Accept(); });
}

TestProxy::~TestProxy() {
  stopping_ = true;
  acceptor_.join();
  for (std::thread& thread : threads_) thread.join();
  close(listener_);
}

void TestProxy::Accept() {
  while (!stopping_) {
    pollfd fd{listener_, POLLIN, 0};
    if (poll(&fd, 1, 20) <= 0) continue;
    const int client = accept(listener_, nullptr, nullptr);
    if (client < 0) continue;
    std::lock_guard lock(mutex_);
    threads_.emplace_back([this, client] { Serve(client); });
  }
}

void TestProxy::Serve(int client) {
  const int server = ConnectTo(host_, port_);
  bool losing = false;
  char buffer[16384];
  while (!stopping_) {
    pollfd fds[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    if (poll(fds, 2, 20) <= 0) continue;
    const bool from_client = fds[0].revents != 0;
    const ssize_t got = recv(from_client ? client : server, buffer, sizeof(buffer), 0);
    if (got <= 0) break;
    const std::string_view data(buffer, static_cast<std::size_t>(got));
    if (from_client && data.find("COMMIT") != std::string_view::npos && lose_replies_ > 0) {
      --lose_replies_;
      losing = true;
    }
    if (!from_client && losing) {
      ++lost_;
      break;
    }
    if (!Forward(from_client ? server : client, data)) break;
  }
  close(client);
  close(server);
}

}  // namespace paymesh::pg
