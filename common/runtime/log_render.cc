// The text of a log line: JSON escaping, redaction, cuts. No I/O.
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "common/runtime/log.h"

namespace paymesh::runtime {
namespace {

constexpr std::size_t kMaxValueBytes = 4096;  // a value longer than this is cut
constexpr std::string_view kRedacted = "[redacted]";

// Bytes of the valid UTF-8 sequence at the front of `text`, or 0.
std::size_t SequenceLength(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const std::size_t size = first < 0x80   ? 1
                           : first < 0xc2 ? 0
                           : first < 0xe0 ? 2
                           : first < 0xf0 ? 3
                           : first < 0xf5 ? 4
                                          : 0;
  if (size == 0 || size > text.size()) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  if (first == 0xe0 && byte(1) < 0xa0) return 0;
  if (first == 0xed && byte(1) > 0x9f) return 0;  // surrogates
  if (first == 0xf0 && byte(1) < 0x90) return 0;
  if (first == 0xf4 && byte(1) > 0x8f) return 0;
  return size;
}

void AppendEscaped(std::string& out, std::string_view text) {
  const bool cut = text.size() > kMaxValueBytes;
  if (cut) text = text.substr(0, kMaxValueBytes);
  while (!text.empty()) {
    const char c = text.front();
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned char>(c));
      out += escape;
    } else {
      const std::size_t size = SequenceLength(text);
      if (size == 0) {
        out += "\xef\xbf\xbd";
      } else {
        out += text.substr(0, size);
        text.remove_prefix(size - 1);
      }
    }
    text.remove_prefix(1);
  }
  if (cut) out += "...";
}

bool IsAlnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool IsHex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

constexpr std::string_view kApiKey = "pmk_";
constexpr std::size_t kKeyDigits = 64;
// A private key typed into a wrong field looks so; a hash too.
bool LooksLikeAKey(std::string_view word) {
  if (word.starts_with("0x") || word.starts_with("0X")) word.remove_prefix(2);
  return word.size() == kKeyDigits && IsHex(word);
}

// A second line of defence for text that quotes what somebody sent: what follows "Bearer " or
// "password=" goes, API keys, and every 64 hexadecimal digits unless `hashes` are expected.
std::string Scrub(std::string_view text, bool hashes) {
  std::string result(text);
  for (std::string_view mark : {"Bearer ", "bearer ", "password=", "PASSWORD="}) {
    std::size_t at = 0;
    while ((at = result.find(mark, at)) != std::string::npos) {
      at += mark.size();
      const std::size_t end = std::min(result.find_first_of(" \t\r\n\"'&;,", at), result.size());
      result.replace(at, end - at, kRedacted);
      at += kRedacted.size();
    }
  }
  for (std::size_t at = 0; at < result.size();) {
    std::size_t end = at;
    const bool api_key = std::string_view(result).substr(at).starts_with(kApiKey);
    if (api_key) end += kApiKey.size();
    while (end < result.size() && IsAlnum(result[end])) ++end;
    const std::string_view word = std::string_view(result).substr(at, end - at);
    if (api_key || (!hashes && LooksLikeAKey(word))) {
      result.replace(at, end - at, kRedacted);
      end = at + kRedacted.size();
    }
    at = end + (end == at ? 1 : 0);
  }
  return result;
}

void AppendString(std::string& out, std::string_view key, std::string_view value) {
  out += '"';
  AppendEscaped(out, key);
  out += "\":\"";
  AppendEscaped(out, Scrub(value, key.find("hash") != std::string_view::npos));
  out += '"';
}

void AppendNumber(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
  out.append(text.data(), end.ptr);
}

void AppendField(std::string& out, const LogField& field) {
  if (IsSecretKey(field.key)) {
    AppendString(out, field.key, kRedacted);
    return;
  }
  if (const auto* text = std::get_if<std::string_view>(&field.value)) {
    AppendString(out, field.key, *text);
    return;
  }
  out += '"';
  AppendEscaped(out, field.key);
  out += "\":";
  if (const auto* boolean = std::get_if<bool>(&field.value)) out += *boolean ? "true" : "false";
  if (const auto* number = std::get_if<std::int64_t>(&field.value)) out += std::to_string(*number);
  if (const auto* number = std::get_if<std::uint64_t>(&field.value)) out += std::to_string(*number);
  if (const auto* number = std::get_if<double>(&field.value)) AppendNumber(out, *number);
}

}  // namespace

std::string_view LogLevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarn:
      return "warn";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

std::optional<LogLevel> ParseLogLevel(std::string_view name) {
  for (LogLevel level : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError}) {
    if (name == LogLevelName(level)) return level;
  }
  return std::nullopt;
}

bool IsSecretKey(std::string_view key) {
  std::string lower;
  for (char c : key) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    lower += c == '-' ? '_' : c;
  }
  // "token" alone is an ERC-20 contract here, and public.
  for (std::string_view part :
       {"password", "passwd", "secret", "authorization", "api_key", "apikey", "private_key",
        "signing_key", "mnemonic", "seed_phrase", "conninfo", "cookie", "credential",
        "access_token", "auth_token", "page_token"}) {
    if (lower.find(part) != std::string::npos) return true;
  }
  return false;
}

std::string RenderLogLine(const LoggerOptions& options, std::string_view timestamp, LogLevel level,
                          std::string_view message, std::span<const LogField> fields) {
  std::string out = "{";
  AppendString(out, "ts", timestamp);
  out += ',';
  AppendString(out, "level", LogLevelName(level));
  out += ',';
  AppendString(out, "msg", message);
  for (const auto& [key, value] :
       {std::pair<std::string_view, std::string_view>("service", options.service),
        {"version", options.version},
        {"env", options.environment}}) {
    if (value.empty()) continue;
    out += ',';
    AppendString(out, key, value);
  }
  for (const LogField& field : fields) {
    out += ',';
    AppendField(out, field);
  }
  out += '}';
  return out;
}

}  // namespace paymesh::runtime
