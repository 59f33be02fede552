#include "common/aws/kms_key.h"

#include <openssl/evp.h>

#include <algorithm>
#include <boost/json.hpp>
#include <optional>
#include <span>
#include <utility>

namespace paymesh::aws {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

Error NotAnAnswer(const char* what) { return Error::Unavailable("AWS_UNAVAILABLE", what); }

std::string Base64(std::span<const std::uint8_t> bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // and the terminator that is written
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(),
                  static_cast<int>(bytes.size()));
  text.pop_back();
  return text;
}

std::optional<KmsKey::Bytes> FromBase64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0 || text.size() > 4'096) return std::nullopt;
  KmsKey::Bytes bytes(text.size() / 4 * 3);
  const int size =
      EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(text.data()),
                      static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  // The padding is decoded as zeros.
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  bytes.resize(static_cast<std::size_t>(size) - padding);
  return bytes;
}

std::string Text(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

Result<json::object> Parse(const std::string& body) {
  boost::system::error_code error;
  json::value parsed = json::parse(body, error);
  if (error || !parsed.is_object()) return NotAnAnswer("the answer is no JSON object");
  return std::move(parsed).as_object();
}

}  // namespace

KmsKey::KmsKey(KmsKeyOptions options, JsonService& kms)
    : options_(std::move(options)),
      kms_(kms),
      bucket_(options_.requests_per_second, options_.burst) {}

Task<Result<std::string>> KmsKey::Call(std::string target, std::string body) {
  const auto deadline = steady_clock::now() + options_.timeout;
  const auto turn = co_await turn_.Acquire(deadline);
  if (!turn) co_return Error::Unavailable("AWS_UNAVAILABLE", "calls for the key take too long");
  const auto now = steady_clock::now();
  if (last_failure_ && now < rests_until_) {
    Error again = *last_failure_;
    again.retry_after = std::chrono::ceil<milliseconds>(rests_until_ - now);
    co_return again;
  }
  const milliseconds wait = bucket_.Take(now);
  if (wait.count() > 0) co_await runtime::SleepFor(wait);
  Result<std::string> answer =
      co_await kms_.Call("TrentService." + target, std::move(body), deadline);
  last_failure_ = answer.ok() ? std::nullopt : std::optional(answer.error());
  if (last_failure_) {
    rests_until_ =
        steady_clock::now() +
        std::max(options_.rest_after_failure, last_failure_->retry_after.value_or(milliseconds(0)));
  }
  co_return answer;
}

Task<Result<KmsKey::Bytes>> KmsKey::Sign(std::array<std::uint8_t, 32> digest) {
  json::object request;
  request["KeyId"] = options_.key_id;
  request["Message"] = Base64(digest);
  request["MessageType"] = "DIGEST";
  request["SigningAlgorithm"] = "ECDSA_SHA_256";
  ASSIGN_OR_CO_RETURN(const std::string body, co_await Call("Sign", json::serialize(request)));
  ASSIGN_OR_CO_RETURN(const json::object answer, Parse(body));
  std::optional<Bytes> signature = FromBase64(Text(answer, "Signature"));
  if (!signature) co_return NotAnAnswer("the answer holds no signature");
  co_return *std::move(signature);
}

Task<Result<KmsKey::Bytes>> KmsKey::PublicKey() {
  json::object request;
  request["KeyId"] = options_.key_id;
  ASSIGN_OR_CO_RETURN(const std::string body,
                      co_await Call("GetPublicKey", json::serialize(request)));
  ASSIGN_OR_CO_RETURN(const json::object answer, Parse(body));
  std::optional<Bytes> key = FromBase64(Text(answer, "PublicKey"));
  if (!key) co_return NotAnAnswer("the answer holds no public key");
  const std::string spec = Text(answer, "KeySpec");
  const std::string usage = Text(answer, "KeyUsage");
  if (spec != "ECC_SECG_P256K1" || usage != "SIGN_VERIFY") {
    co_return Error::FailedPrecondition(
        "AWS_WRONG_KEY_TYPE",
        "the key is " + spec + " for " + usage + "; signing needs ECC_SECG_P256K1 for SIGN_VERIFY");
  }
  co_return *std::move(key);
}

}  // namespace paymesh::aws
