#include "common/http/url.h"

#include <charconv>

namespace paymesh::http {
namespace {

constexpr std::size_t kMaxUrlBytes = 2'048;

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

bool HasForbiddenByte(std::string_view text) {
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || c == '\\') return true;
  }
  return false;
}

bool ParsePort(std::string_view text, std::uint16_t& port) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port != 0;
}

// "host", "host:port", "[v6]", "[v6]:port".
bool ParseAuthority(std::string_view text, Url& url) {
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return false;
    url.host = Lower(text.substr(1, close - 1));
    text.remove_prefix(close + 1);
    if (text.empty()) return !url.host.empty();
    if (text.front() != ':') return false;
    port = text.substr(1);
  } else {
    const std::size_t colon = text.find(':');
    url.host = Lower(text.substr(0, colon));
    if (colon == std::string_view::npos) return !url.host.empty();
    port = text.substr(colon + 1);
  }
  return !url.host.empty() && ParsePort(port, url.port);
}

}  // namespace

std::string Url::Origin() const {
  return (tls ? "https://" : "http://") + host + ":" + std::to_string(port);
}

std::string Url::HostHeader() const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == (tls ? 443 : 80) ? name : name + ":" + std::to_string(port);
}

Result<Url> ParseUrl(std::string_view text) {
  const Error invalid = Error::InvalidArgument("INVALID_URL", "not an http or https URL");
  if (text.size() > kMaxUrlBytes || HasForbiddenByte(text)) return invalid;
  Url url;
  const std::size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return invalid;
  const std::string scheme = Lower(text.substr(0, scheme_end));
  if (scheme != "http" && scheme != "https") return invalid;
  url.tls = scheme == "https";
  url.port = url.tls ? 443 : 80;
  text = text.substr(scheme_end + 3);
  text = text.substr(0, text.find('#'));
  const std::size_t path = text.find_first_of("/?");
  const std::string_view authority = text.substr(0, path);
  if (authority.find('@') != std::string_view::npos || !ParseAuthority(authority, url)) {
    return invalid;
  }
  if (path != std::string_view::npos) url.target = text.substr(path);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  return url;
}

}  // namespace paymesh::http
