// Structured logs: one JSON object a line, written by one thread from a bounded queue. Logging
// never blocks and never fails: when the reader of stdout is stuck, lines are dropped and counted.
// Any thread. Secrets are replaced: values of known keys (password, authorization, api_key, ...),
// and whatever has the form of an API key or a private key, except a hash under a key that says so.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace paymesh::runtime {

enum class LogLevel { kDebug, kInfo, kWarn, kError };
std::string_view LogLevelName(LogLevel level);  // "info"
std::optional<LogLevel> ParseLogLevel(std::string_view name);

// One key and its value. Views are read during the call only.
struct LogField {
  std::string_view key;
  std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool> value;

  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
  LogField(std::string_view k, bool v) : key(k), value(v) {}
  LogField(std::string_view k, double v) : key(k), value(v) {}
  template <std::signed_integral T>
  LogField(std::string_view k, T v) : key(k), value(static_cast<std::int64_t>(v)) {}
  template <std::unsigned_integral T>
  requires(!std::same_as<T, bool>) LogField(std::string_view k, T v)
      : key(k), value(static_cast<std::uint64_t>(v)) {}
};
using LogFields = std::initializer_list<LogField>;

struct LoggerOptions {
  std::string service = {};  // written with each line, as are version and environment
  std::string version = {};
  std::string environment = {};
  LogLevel level = LogLevel::kInfo;
  int fd = 1;  // where to write; not closed
  std::size_t max_queued_lines = 8192;
};

class Logger {
 public:
  explicit Logger(LoggerOptions options = {});
  // Writes what is queued, for at most a second, and stops the thread.
  ~Logger();
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  // log.Info("payment expired", {{"payment_id", id}, {"revision", revision}});
  void Debug(std::string_view message, LogFields fields = {});
  void Info(std::string_view message, LogFields fields = {});
  void Warn(std::string_view message, LogFields fields = {});
  void Error(std::string_view message, LogFields fields = {});
  void Write(LogLevel level, std::string_view message, std::span<const LogField> fields);

  bool Enabled(LogLevel level) const;
  LogLevel level() const;
  void set_level(LogLevel level);  // at run time

  // Lines lost because the queue was full, since the start.
  std::uint64_t dropped() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// One line as Logger writes it, without the newline (text is escaped, made valid UTF-8, redacted
// and cut at 4 kB a value). `timestamp` is RFC 3339.
std::string RenderLogLine(const LoggerOptions& options, std::string_view timestamp, LogLevel level,
                          std::string_view message, std::span<const LogField> fields);

// Whether a key's value must not be logged.
bool IsSecretKey(std::string_view key);

}  // namespace paymesh::runtime
