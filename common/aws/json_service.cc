#include "common/aws/json_service.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <utility>

#include "common/http/url.h"

namespace paymesh::aws {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kMaxMessageBytes = 300;

std::string Header(const http::Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "";
}

// "com.amazonaws.kms#ThrottlingException:http://..." -> "ThrottlingException"
std::string BareName(std::string name) {
  name = name.substr(0, name.find(':'));
  return name.substr(name.find('#') == std::string::npos ? 0 : name.find('#') + 1);
}

struct Fault {
  std::string name;
  std::string message;
};

Fault FaultOf(const http::Response& response) {
  Fault fault{BareName(Header(response, "x-amzn-errortype")), ""};
  boost::system::error_code error;
  const json::value body = json::parse(response.body, error);
  if (!error && body.is_object()) {
    for (const auto& [key, value] : body.get_object()) {
      if (!value.is_string()) continue;
      const std::string text(value.get_string());
      if (key == "__type" && fault.name.empty()) fault.name = BareName(text);
      if (key == "message" || key == "Message") fault.message = text.substr(0, kMaxMessageBytes);
    }
  }
  if (fault.name.empty()) fault.name = "HTTP " + std::to_string(response.status);
  return fault;
}

template <std::size_t kSize>
bool IsOneOf(const std::array<std::string_view, kSize>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

bool IsThrottling(int status, std::string_view name) {
  static constexpr std::array<std::string_view, 7> kNames = {
      "ThrottlingException",  "Throttling", "ThrottledException", "TooManyRequestsException",
      "RequestLimitExceeded", "SlowDown",   "RequestThrottled"};
  return status == 429 || IsOneOf(kNames, name);
}

// The keys may be new to the service, or over sooner than was said.
bool SpeaksAgainstCredentials(std::string_view name) {
  static constexpr std::array<std::string_view, 5> kNames = {
      "ExpiredTokenException", "ExpiredToken", "UnrecognizedClientException",
      "InvalidClientTokenId", "InvalidAccessKeyId"};
  return IsOneOf(kNames, name);
}

// Seconds; dates, which AWS does not send, are not read.
std::optional<milliseconds> RetryAfter(const http::Response& response) {
  const std::string text = Header(response, "retry-after");
  int seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds < 0) return std::nullopt;
  return std::chrono::seconds(std::min(seconds, 3'600));
}

}  // namespace

struct JsonService::Attempt {
  Result<std::string> result;
  bool again = false;
};

Task<JsonService::Attempt> JsonService::Try(const std::string& target, const std::string& body,
                                            steady_clock::time_point deadline) {
  Result<Credentials> credentials = co_await credentials_.Get(deadline);
  if (!credentials.ok()) {
    const bool again = credentials.error().code == ErrorCode::kUnavailable;
    co_return Attempt{std::move(credentials).error(), again};
  }
  const Result<http::Url> url = http::ParseUrl(options_.endpoint);
  if (!url.ok()) co_return Attempt{url.error(), false};
  SignableRequest signable;
  signable.method = "POST";
  signable.headers = {{"Content-Type", "application/x-amz-json-1.1"}, {"X-Amz-Target", target}};
  http::Request request;
  request.url = options_.endpoint + "/";
  request.headers = signable.headers;
  request.body = body;
  signable.headers.emplace_back("Host", url->HostHeader());
  signable.body = body;
  for (auto& header :
       SignatureHeaders(std::move(signable), *credentials, options_.scope, clock_.Now())) {
    request.headers.push_back(std::move(header));
  }
  const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
  request.timeout = std::clamp(left, milliseconds(1), options_.attempt_timeout);
  Result<http::Response> response = co_await client_.Send(std::move(request));
  if (!response.ok()) {
    co_return Attempt{Error::Unavailable("AWS_UNAVAILABLE", response.error().message), true};
  }
  if (response->status == 200) co_return Attempt{std::move(response->body), false};
  const Fault fault = FaultOf(*response);
  const std::string text = fault.name + (fault.message.empty() ? "" : ": " + fault.message);
  const std::optional<milliseconds> after = RetryAfter(*response);
  if (IsThrottling(response->status, fault.name)) {
    co_return Attempt{Error::Unavailable("AWS_THROTTLED", text, after), true};
  }
  if (response->status >= 500) {
    co_return Attempt{Error::Unavailable("AWS_UNAVAILABLE", text, after), true};
  }
  Error refused = Error::PermissionDenied("AWS_REFUSED", text);
  refused.metadata["error"] = fault.name;
  const bool again = SpeaksAgainstCredentials(fault.name);
  if (again) credentials_.Discard(credentials->access_key_id);
  co_return Attempt{std::move(refused), again};
}

Task<Result<std::string>> JsonService::Call(std::string target, std::string body,
                                            steady_clock::time_point deadline) {
  for (int attempts = 1;; ++attempts) {
    Attempt attempt = co_await Try(target, body, deadline);
    if (attempt.result.ok() || !attempt.again || attempts >= options_.max_attempts) {
      co_return std::move(attempt.result);
    }
    const auto limit = static_cast<std::uint64_t>(options_.backoff.Limit(attempts).count());
    milliseconds pause(random_.Below(limit + 1));
    if (const auto after = attempt.result.error().retry_after) pause = std::max(pause, *after);
    if (steady_clock::now() + pause >= deadline) co_return std::move(attempt.result);
    co_await runtime::SleepFor(pause);
  }
}

}  // namespace paymesh::aws
