// AWS Signature Version 4 of a request with its headers, for any service and region
// ("Authenticating requests" of AWS's IAM reference). Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/runtime/clock.h"

namespace paymesh::aws {

struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token = {};                  // empty: keys of a user, not of a role
  std::optional<Time> expire_time = std::nullopt;  // nothing: they do not expire
};

struct Scope {
  std::string region;   // "eu-central-1"
  std::string service;  // "kms"
};

using Headers = std::vector<std::pair<std::string, std::string>>;

// A request as it goes over the wire. All its headers are signed, so `headers` holds Host and
// leaves out what a proxy may change.
struct SignableRequest {
  std::string method;
  std::string path = "/";  // taken as it is, and encoded once more as all services but S3 have it
  std::string query = {};  // without '?'
  Headers headers;
  std::string body = {};
};

// The request in the one form that both sides hash.
std::string CanonicalRequest(const SignableRequest& request);

// What must be added to the request: X-Amz-Date, X-Amz-Security-Token for a role's keys, and
// Authorization.
Headers SignatureHeaders(SignableRequest request, const Credentials& credentials,
                         const Scope& scope, Time now);

}  // namespace paymesh::aws
