#include "common/trace/context.h"

#include <algorithm>
#include <set>

#include "common/base/hex.h"

namespace paymesh::trace {
namespace {

constexpr std::size_t kTraceparentSize = 55;
constexpr std::size_t kMaxState = 512;
constexpr int kMaxMembers = 32;
constexpr std::uint8_t kSampled = 1;

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// key=value: a key of lower-case letters, digits and _-*/@, at most 256, that begins with a letter
// or a digit; a value of at most 256 visible characters without ',' and '='.
bool IsMember(std::string_view member, std::set<std::string_view>& keys) {
  const std::size_t equals = member.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string_view key = member.substr(0, equals);
  const std::string_view value = member.substr(equals + 1);
  const auto lower = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const auto in_key = [&](char c) {
    return lower(c) || std::string_view("_-*/@").find(c) != std::string_view::npos;
  };
  const auto in_value = [](char c) { return c >= ' ' && c <= '~' && c != ',' && c != '='; };
  return !key.empty() && key.size() <= 256 && lower(key.front()) &&
         std::all_of(key.begin(), key.end(), in_key) && !value.empty() && value.size() <= 256 &&
         std::all_of(value.begin(), value.end(), in_value) && keys.insert(key).second;
}

}  // namespace

template <std::size_t N>
std::string Id<N>::Hex() const {
  std::string out;
  out.reserve(2 * N);
  AppendHex(out, bytes);
  return out;
}
template struct Id<16>;
template struct Id<8>;

std::string SpanContext::ToTraceparent() const {
  std::string out = "00-";
  out.reserve(kTraceparentSize);
  AppendHex(out, trace_id.bytes);
  out += '-';
  AppendHex(out, span_id.bytes);
  out += sampled ? "-01" : "-00";
  return out;
}

std::optional<SpanContext> ParseTraceparent(std::string_view text) {
  if (text.size() < kTraceparentSize || text[2] != '-' || text[35] != '-' || text[52] != '-') {
    return std::nullopt;
  }
  std::uint8_t version = 0;
  std::uint8_t flags = 0;
  SpanContext context;
  if (!FromHex<HexCase::kLower>(text.substr(0, 2), {&version, 1}) ||
      !FromHex<HexCase::kLower>(text.substr(53, 2), {&flags, 1}) ||
      !FromHex<HexCase::kLower>(text.substr(3, 32), context.trace_id.bytes) ||
      !FromHex<HexCase::kLower>(text.substr(36, 16), context.span_id.bytes)) {
    return std::nullopt;
  }
  if (version == 0xff || !context.valid()) return std::nullopt;
  if (text.size() > kTraceparentSize && (version == 0 || text[kTraceparentSize] != '-')) {
    return std::nullopt;
  }
  context.sampled = (flags & kSampled) != 0;
  return context;
}

std::string ParseTracestate(std::string_view text) {
  if (text.size() > kMaxState) return "";
  std::set<std::string_view> keys;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view member = Trimmed(rest.substr(0, comma));
    // Empty members are allowed and mean nothing.
    if (!member.empty() && !IsMember(member, keys)) return "";
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return keys.empty() || keys.size() > kMaxMembers ? "" : std::string(text);
}

}  // namespace paymesh::trace
