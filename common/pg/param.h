// One parameter of an SQL statement, in PostgreSQL's text form. Built implicitly from the types
// that a store uses, so that `tx.Execute(sql, id, amount, time)` reads like a call. Where the
// server cannot infer a type from the statement write a cast: `$1::bigint`, `unnest($2::text[])`.
// Values; any thread.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/money/u256.h"

namespace paymesh::pg {

// timestamptz; PostgreSQL keeps microseconds. The same type as the clock's.
using Time = std::chrono::sys_time<std::chrono::microseconds>;

// bytea, in both directions. A std::string or string_view without it is text.
struct Bytea {
  std::string data;

  Bytea() = default;
  explicit Bytea(std::string bytes) : data(std::move(bytes)) {}
  explicit Bytea(std::span<const std::uint8_t> bytes) : data(bytes.begin(), bytes.end()) {}
  std::vector<std::uint8_t> ToVector() const { return {data.begin(), data.end()}; }
  bool operator==(const Bytea&) const = default;
};

class Param {
 public:
  Param(std::nullopt_t) {}  // NOLINT: implicit, NULL
  template <std::integral T>
  requires(!std::same_as<T, bool> && !std::same_as<T, char>) Param(T value)
      : text_(std::to_string(value)) {}  // NOLINT: implicit
  template <std::same_as<bool> T>
  Param(T value) : text_(value ? "t" : "f") {}                  // NOLINT: implicit
  Param(std::string_view value) : text_(std::string(value)) {}  // NOLINT: implicit
  Param(const std::string& value) : text_(value) {}             // NOLINT: implicit
  Param(const char* value) : text_(std::string(value)) {}       // NOLINT: implicit
  Param(const Bytea& value);                                    // NOLINT: implicit
  Param(const U256& value);                                     // NOLINT: implicit, numeric
  Param(Time value);                                            // NOLINT: implicit
  template <class T>
  Param(const std::optional<T>& value) {  // NOLINT: implicit
    if (value) text_ = Param(*value).text_;
  }
  // An array; elements may be optional. Arrays of arrays are not offered.
  template <class T>
  Param(const std::vector<T>& values) : text_("{") {  // NOLINT: implicit
    for (const auto& value : values) AppendElement(Param(static_cast<const T&>(value)));
    *text_ += '}';
  }

  // Null for NULL; else a C string that lives as long as this.
  const char* c_str() const { return text_ ? text_->c_str() : nullptr; }
  const std::optional<std::string>& text() const { return text_; }

 private:
  void AppendElement(const Param& element);
  std::optional<std::string> text_;
};

}  // namespace paymesh::pg
