// Where credentials come from: the environment itself (development), a web identity token exchanged
// at STS (IRSA), or the container credentials endpoint (EKS Pod Identity). What the environment
// names decides, once, at the start: falling from one identity to another in silence would be worse
// than an error.
// All classes: any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "common/aws/sigv4.h"
#include "common/error/error.h"
#include "common/http/client.h"
#include "common/runtime/task.h"

namespace paymesh::aws {

// Variables by name.
using Environment = std::map<std::string, std::string>;
// The AWS_... variables of the process that this library knows. For main.
Environment ProcessEnvironment();

class CredentialSource {
 public:
  virtual ~CredentialSource() = default;
  // Fresh credentials, by a bounded time.
  //   UNAVAILABLE AWS_CREDENTIALS_UNAVAILABLE    nobody answers, or not now
  //   PERMISSION_DENIED AWS_CREDENTIALS_REFUSED  the answer is no, or makes no sense
  virtual Task<Result<Credentials>> Fetch() = 0;
};

// In the order of AWS's own SDKs, the first whose variables are set:
//   AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
//   AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_SESSION_NAME; STS of the region, or
//     AWS_ENDPOINT_URL_STS
//   AWS_CONTAINER_CREDENTIALS_FULL_URI, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE (or _TOKEN)
// Tokens are read from their files at each fetch, since the cluster replaces them. The container's
// endpoint must be https, loopback, or the agent's link-local address: the token goes there.
// FAILED_PRECONDITION AWS_NO_CREDENTIALS when none is set, or one only in part. The client outlives
// the source.
Result<std::unique_ptr<CredentialSource>> ChooseCredentialSource(const Environment& environment,
                                                                 const std::string& region,
                                                                 http::Client& client);

// "https://kms.eu-central-1.amazonaws.com"; China's regions have a domain of their own.
std::string DefaultEndpoint(const std::string& service, const std::string& region);
// https anywhere, plain http only to this machine.
bool IsSafeEndpoint(const std::string& url);

}  // namespace paymesh::aws
