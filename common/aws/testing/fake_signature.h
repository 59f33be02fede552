// For tests: Signature Version 4 as the server's side checks it, from what arrived. Written without
// a look at sigv4.cc, for POST to "/" alone. Pure; any thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "common/runtime/clock.h"

namespace paymesh::aws {

struct IssuedKey {
  std::string secret;
  std::string token;
  bool expired = false;
};

struct ArrivedRequest {
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

// The name of what AWS would answer, or "" for a good signature.
std::string CheckSignature(const ArrivedRequest& request,
                           const std::function<std::optional<IssuedKey>(std::string id)>& find,
                           const std::string& region, Time now);

// The text between `before` and the next `after`.
std::string Between(const std::string& text, const std::string& before, char after);

}  // namespace paymesh::aws
