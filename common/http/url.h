// The parts of an http or https URL that a request needs. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/error/error.h"

namespace paymesh::http {

struct Url {
  bool tls = false;
  std::string host;  // without brackets
  std::uint16_t port = 0;
  std::string target;  // path and query, at least "/"
  // "https://host:443": what connections are pooled by.
  std::string Origin() const;
  // The Host header: the port only where it is not the scheme's.
  std::string HostHeader() const;
};

// INVALID_ARGUMENT INVALID_URL: another scheme, user information, white space or control
// characters, no host, a port that is none, or more than 2,048 characters. A fragment is dropped.
Result<Url> ParseUrl(std::string_view text);

}  // namespace paymesh::http
