#include "common/aws/sigv4.h"

#include <algorithm>
#include <map>

#include "common/base/hex.h"
#include "common/base/sha256.h"

namespace paymesh::aws {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

std::string HashHex(std::string_view text) { return ToHex(Sha256(text)); }

bool IsUnreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

// RFC 3986's encoding, upper-case hex; `also` is left as it is.
std::string Encode(std::string_view text, std::string_view also) {
  std::string encoded;
  for (const char c : text) {
    if (IsUnreserved(c) || also.find(c) != std::string_view::npos) {
      encoded.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded.push_back('%');
    encoded.push_back(kUpperHexDigits[byte >> 4]);
    encoded.push_back(kUpperHexDigits[byte & 0x0f]);
  }
  return encoded;
}

std::string Decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? HexValue(text[i + 1]) : -1;
    const int low = high >= 0 ? HexValue(text[i + 2]) : -1;
    if (low < 0) {
      decoded.push_back(text[i]);
      continue;
    }
    decoded.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return decoded;
}

std::string CanonicalQuery(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> parameters;
  while (!query.empty()) {
    const std::string_view one = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), one.size() + 1));
    const std::size_t equals = std::min(one.find('='), one.size());
    const std::string_view value = one.substr(std::min(equals + 1, one.size()));
    parameters.emplace_back(Encode(Decode(one.substr(0, equals)), ""), Encode(Decode(value), ""));
  }
  std::ranges::sort(parameters);
  std::string canonical;
  for (const auto& [name, value] : parameters) {
    if (!canonical.empty()) canonical.push_back('&');
    canonical.append(name).append("=").append(value);
  }
  return canonical;
}

// Without white space at the ends, and one space where there are several.
std::string CanonicalValue(std::string_view value) {
  std::string canonical;
  bool space = false;
  for (const char c : value) {
    if (c == ' ' || c == '\t') {
      space = !canonical.empty();
      continue;
    }
    if (space) canonical.push_back(' ');
    space = false;
    canonical.push_back(c);
  }
  return canonical;
}

// By lower-case name; the values of one name in the order of the request.
std::map<std::string, std::string> CanonicalHeaders(const Headers& headers) {
  std::map<std::string, std::string> canonical;
  for (const auto& [name, value] : headers) {
    std::string lower = name;
    for (char& c : lower) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    const auto [at, fresh] = canonical.try_emplace(std::move(lower), CanonicalValue(value));
    if (!fresh) at->second.append(",").append(CanonicalValue(value));
  }
  return canonical;
}

std::string SignedHeaders(const Headers& headers) {
  std::string names;
  for (const auto& [name, value] : CanonicalHeaders(headers)) {
    names.append(names.empty() ? "" : ";").append(name);
  }
  return names;
}

// "20150830T123600Z"
std::string BasicTime(Time time) {
  std::string text = runtime::FormatTime(time).substr(0, 19);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text + "Z";
}

Sha256Digest SigningKey(const std::string& secret, std::string_view day, const Scope& scope) {
  const std::string seed = "AWS4" + secret;
  Sha256Digest key = HmacSha256(seed, day);
  for (const std::string_view part :
       {std::string_view(scope.region), std::string_view(scope.service),
        std::string_view("aws4_request")}) {
    key = HmacSha256(key, part);
  }
  return key;
}

}  // namespace

std::string CanonicalRequest(const SignableRequest& request) {
  std::string canonical = request.method + "\n" + Encode(request.path, "/") + "\n" +
                          CanonicalQuery(request.query) + "\n";
  for (const auto& [name, value] : CanonicalHeaders(request.headers)) {
    canonical.append(name).append(":").append(value).append("\n");
  }
  return canonical + "\n" + SignedHeaders(request.headers) + "\n" + HashHex(request.body);
}

Headers SignatureHeaders(SignableRequest request, const Credentials& credentials,
                         const Scope& scope, Time now) {
  const std::string time = BasicTime(now);
  const std::string day = time.substr(0, 8);
  Headers added = {{"X-Amz-Date", time}};
  if (!credentials.session_token.empty()) {
    added.emplace_back("X-Amz-Security-Token", credentials.session_token);
  }
  request.headers.insert(request.headers.end(), added.begin(), added.end());
  const std::string scope_text = day + "/" + scope.region + "/" + scope.service + "/aws4_request";
  const std::string to_sign = std::string(kAlgorithm) + "\n" + time + "\n" + scope_text + "\n" +
                              HashHex(CanonicalRequest(request));
  const Sha256Digest key = SigningKey(credentials.secret_access_key, day, scope);
  added.emplace_back("Authorization",
                     std::string(kAlgorithm) + " Credential=" + credentials.access_key_id + "/" +
                         scope_text + ", SignedHeaders=" + SignedHeaders(request.headers) +
                         ", Signature=" + ToHex(HmacSha256(key, to_sign)));
  return added;
}

}  // namespace paymesh::aws
