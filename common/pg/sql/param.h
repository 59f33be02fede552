// One parameter of an SQL statement. Built implicitly from the types that a store uses, so that
// `tx.Execute(sql, id, amount, time)` reads like a call. Where the server cannot infer a type from
// the statement write a cast: `$1::bigint`, `unnest($2::text[])`. All go in PostgreSQL's text form
// but bytes, alone or in an array, which go as they are: payloads are most of what is written, and
// in text they are twice as long and read letter by letter.
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
      : value_(std::to_string(value)) {}  // NOLINT: implicit
  template <std::same_as<bool> T>
  Param(T value) : value_(value ? "t" : "f") {}                     // NOLINT: implicit
  Param(std::string_view value) : value_(std::string(value)) {}     // NOLINT: implicit
  Param(const std::string& value) : value_(value) {}                // NOLINT: implicit
  Param(const char* value) : value_(std::string(value)) {}          // NOLINT: implicit
  Param(const Bytea& value) : value_(value.data), binary_(true) {}  // NOLINT: implicit
  Param(const U256& value);                                         // NOLINT: implicit, numeric
  Param(Time value);                                                // NOLINT: implicit
  template <class T>
  Param(const std::optional<T>& value) {  // NOLINT: implicit
    if (value) *this = Param(*value);
  }
  // An array; elements may be optional. Arrays of arrays are not offered.
  template <class T>
  Param(const std::vector<T>& values) : value_("{") {  // NOLINT: implicit
    for (const auto& value : values) AppendElement(Param(static_cast<const T&>(value)));
    *value_ += '}';
  }
  Param(const std::vector<Bytea>& values);                 // NOLINT: implicit
  Param(const std::vector<std::optional<Bytea>>& values);  // NOLINT: implicit

  // Null for NULL; else `size` bytes, with a 0 behind them, that live as long as this.
  const char* data() const { return value_ ? value_->c_str() : nullptr; }
  int size() const { return value_ ? static_cast<int>(value_->size()) : 0; }
  // PostgreSQL's binary form; else text.
  bool binary() const { return binary_; }

 private:
  void AppendElement(const Param& element);
  std::optional<std::string> value_;
  bool binary_ = false;
};

}  // namespace paymesh::pg
