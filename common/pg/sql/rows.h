// The rows that a statement returned, read by column name and C++ type.
// Get<T>: bool, int, std::int64_t, std::uint64_t, std::string, U256, Time, Bytea, std::vector of
// those (arrays), and std::optional of each. A NULL in a non-optional, an unknown column or a text
// that is not a T throws SqlError (kDecodeFailure): what comes from the database is checked.
// Movable; one thread.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "common/pg/sql/param.h"

struct pg_result;

namespace paymesh::pg {

namespace detail {
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};

// Text form to value; throws SqlError. Defined for the scalar types listed above.
template <class T>
T Decode(std::string_view text);
template <>
bool Decode<bool>(std::string_view text);
template <>
int Decode<int>(std::string_view text);
template <>
std::int64_t Decode<std::int64_t>(std::string_view text);
template <>
std::uint64_t Decode<std::uint64_t>(std::string_view text);
template <>
std::string Decode<std::string>(std::string_view text);
template <>
U256 Decode<U256>(std::string_view text);
template <>
Time Decode<Time>(std::string_view text);
template <>
Bytea Decode<Bytea>(std::string_view text);
// A one-dimensional array's elements as texts; nullopt is NULL.
std::vector<std::optional<std::string>> DecodeArray(std::string_view text);
[[noreturn]] void ThrowNull(std::string_view what);

template <class T>
T DecodeNullable(const std::optional<std::string_view>& text, std::string_view what) {
  if constexpr (IsOptional<T>::value) {
    if (!text) return std::nullopt;
    return DecodeNullable<typename T::value_type>(text, what);
  } else if constexpr (IsVector<T>::value) {
    if (!text) ThrowNull(what);
    T values;
    for (const auto& element : DecodeArray(*text)) {
      values.push_back(DecodeNullable<typename T::value_type>(
          element ? std::optional<std::string_view>(*element) : std::nullopt, what));
    }
    return values;
  } else {
    if (!text) ThrowNull(what);
    return Decode<T>(*text);
  }
}
}  // namespace detail

class Rows;

// A view of one row; lives no longer than its Rows.
class Row {
 public:
  template <class T>
  T Get(std::string_view column) const {
    return detail::DecodeNullable<T>(Text(column), column);
  }
  bool IsNull(std::string_view column) const { return !Text(column).has_value(); }
  // The raw text, nullopt for NULL.
  std::optional<std::string_view> Text(std::string_view column) const;

 private:
  friend class Rows;
  Row(const Rows* rows, int index) : rows_(rows), index_(index) {}
  const Rows* rows_;
  int index_;
};

class Rows {
 public:
  explicit Rows(pg_result* result);  // takes ownership
  ~Rows();
  Rows(Rows&& other) noexcept;
  Rows& operator=(Rows&& other) noexcept;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  Row operator[](std::size_t index) const;  // aborts past the end
  Row front() const { return (*this)[0]; }
  // How many rows an INSERT, UPDATE or DELETE changed (for SELECT: how many were returned).
  std::int64_t affected() const;

  class Iterator {
   public:
    Iterator(const Rows* rows, std::size_t index) : rows_(rows), index_(index) {}
    Row operator*() const { return (*rows_)[index_]; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return index_ != other.index_; }

   private:
    const Rows* rows_;
    std::size_t index_;
  };
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, size_}; }

 private:
  friend class Row;
  pg_result* result_;
  std::size_t size_;
};

}  // namespace paymesh::pg
