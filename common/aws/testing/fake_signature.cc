#include "common/aws/testing/fake_signature.h"

#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "common/evm/bytes.h"

namespace paymesh::aws {
namespace {

constexpr auto kMostSkew = std::chrono::minutes(5);

std::string Raw(const unsigned char* digest) {
  return {reinterpret_cast<const char*>(digest), SHA256_DIGEST_LENGTH};
}
std::string Sha256(const std::string& text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return Raw(digest);
}
std::string Mac(const std::string& key, const std::string& text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, nullptr);
  return Raw(digest);
}
std::string Hex(const std::string& raw) { return evm::HexEncodeBare(evm::AsBytes(raw)); }

// "20261125T194500Z"
std::optional<Time> TimeOf(const std::string& basic) {
  if (basic.size() != 16) return std::nullopt;
  const Result<Time> time =
      runtime::ParseTime(basic.substr(0, 4) + "-" + basic.substr(4, 2) + "-" + basic.substr(6, 5) +
                         ":" + basic.substr(11, 2) + ":" + basic.substr(13));
  return time.ok() ? std::optional(*time) : std::nullopt;
}

bool Covers(const std::string& signed_names, const std::string& name) {
  return (";" + signed_names + ";").find(";" + name + ";") != std::string::npos;
}

}  // namespace

std::string Between(const std::string& text, const std::string& before, char after) {
  const std::size_t at = text.find(before);
  if (at == std::string::npos) return "";
  const std::size_t start = at + before.size();
  return text.substr(start, text.find(after, start) - start);
}

std::string CheckSignature(const ArrivedRequest& request,
                           const std::function<std::optional<IssuedKey>(std::string id)>& find,
                           const std::string& region, Time now) {
  const auto header = [&](const std::string& name) {
    const auto found = request.headers.find(name);
    return found == request.headers.end() ? "" : found->second;
  };
  const std::string authorization = header("authorization");
  const std::string names = Between(authorization, "SignedHeaders=", ',');
  const std::string credential = Between(authorization, "Credential=", ',');
  const std::string id = credential.substr(0, credential.find('/'));
  if (!authorization.starts_with("AWS4-HMAC-SHA256 ") || names.empty()) {
    return "IncompleteSignatureException";
  }
  const std::optional<IssuedKey> key = find(id);
  if (!key || key->token != header("x-amz-security-token")) return "UnrecognizedClientException";
  if (key->expired) return "ExpiredTokenException";
  const std::string time = header("x-amz-date");
  const std::optional<Time> when = TimeOf(time);
  if (!when || *when > now + kMostSkew || *when < now - kMostSkew) {
    return "InvalidSignatureException";
  }
  const bool covered = Covers(names, "host") && Covers(names, "x-amz-date") &&
                       Covers(names, "x-amz-target") &&
                       (key->token.empty() || Covers(names, "x-amz-security-token"));
  if (!covered) return "SignatureDoesNotMatch";
  std::string canonical = "POST\n/\n\n";
  for (std::size_t at = 0; at < names.size();) {
    const std::string name = names.substr(at, names.find(';', at) - at);
    canonical += name + ":" + header(name) + "\n";
    at += name.size() + 1;
  }
  canonical += "\n" + names + "\n" + Hex(Sha256(request.body));
  const std::string day = time.substr(0, 8);
  const std::string scope = day + "/" + region + "/kms/aws4_request";
  if (credential != id + "/" + scope) return "SignatureDoesNotMatch";
  const std::string secret =
      Mac(Mac(Mac(Mac("AWS4" + key->secret, day), region), "kms"), "aws4_request");
  const std::string signature =
      Hex(Mac(secret, "AWS4-HMAC-SHA256\n" + time + "\n" + scope + "\n" + Hex(Sha256(canonical))));
  return authorization.ends_with("Signature=" + signature) ? "" : "SignatureDoesNotMatch";
}

}  // namespace paymesh::aws
