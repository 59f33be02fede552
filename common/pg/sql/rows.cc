#include "common/pg/sql/rows.h"

#include <libpq-fe.h>

#include <charconv>
#include <cstdlib>
#include <span>
#include <utility>

#include "common/base/hex.h"
#include "common/pg/sql/sql_error.h"

namespace paymesh::pg {
namespace {

[[noreturn]] void Refuse(std::string_view what, std::string_view text) {
  throw SqlError(std::string(kDecodeFailure),
                 "not a " + std::string(what) + ": '" + std::string(text.substr(0, 64)) + "'");
}

template <class T>
T Number(std::string_view text, std::string_view what) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) Refuse(what, text);
  return value;
}

// Microseconds of "", ".1" to ".123456".
std::int64_t Fraction(std::string_view text, std::string_view whole) {
  if (text.empty()) return 0;
  if (text[0] != '.' || text.size() < 2 || text.size() > 7) Refuse("time", whole);
  std::string digits(text.substr(1));
  digits.resize(6, '0');
  return Number<std::int64_t>(digits, "time");
}

// One element of an array's text from `at`, which moves behind it.
std::optional<std::string> ArrayElement(std::string_view text, std::size_t& at) {
  std::string element;
  if (text[at] == '"') {
    for (++at; at < text.size() && text[at] != '"'; ++at) {
      if (text[at] == '\\' && at + 1 < text.size()) ++at;
      element += text[at];
    }
    if (at >= text.size()) Refuse("array", text);
    ++at;
    return element;
  }
  while (at < text.size() && text[at] != ',' && text[at] != '}') element += text[at++];
  if (element.empty() || element[0] == '{') Refuse("array of one dimension", text);
  if (element == "NULL") return std::nullopt;
  return element;
}

}  // namespace

namespace detail {

void ThrowNull(std::string_view what) {
  throw SqlError(std::string(kDecodeFailure), "NULL in " + std::string(what));
}

template <>
bool Decode<bool>(std::string_view text) {
  if (text != "t" && text != "f") Refuse("bool", text);
  return text == "t";
}
template <>
int Decode<int>(std::string_view text) {
  return Number<int>(text, "int");
}
template <>
std::int64_t Decode<std::int64_t>(std::string_view text) {
  return Number<std::int64_t>(text, "bigint");
}
template <>
std::uint64_t Decode<std::uint64_t>(std::string_view text) {
  return Number<std::uint64_t>(text, "unsigned bigint");
}
template <>
std::string Decode<std::string>(std::string_view text) {
  return std::string(text);
}
template <>
U256 Decode<U256>(std::string_view text) {
  Result<U256> value = U256::FromDecimal(text);
  if (!value.ok()) Refuse("256-bit amount", text);
  return *value;
}

// "2026-11-22 21:31:26.123456+00", as DateStyle ISO and TimeZone UTC write it.
template <>
Time Decode<Time>(std::string_view text) {
  const bool shape = text.size() >= 22 && text[4] == '-' && text[7] == '-' && text[10] == ' ' &&
                     text[13] == ':' && text[16] == ':' && text.ends_with("+00");
  if (!shape) Refuse("time", text);
  const auto part = [&](std::size_t at, std::size_t size) {
    return Number<unsigned>(text.substr(at, size), "time");
  };
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(part(0, 4))),
                                         std::chrono::month(part(5, 2)),
                                         std::chrono::day(part(8, 2)));
  if (!date.ok()) Refuse("time", text);
  const std::int64_t fraction = Fraction(text.substr(19, text.size() - 22), text);
  return std::chrono::sys_days(date) + std::chrono::hours(part(11, 2)) +
         std::chrono::minutes(part(14, 2)) + std::chrono::seconds(part(17, 2)) +
         std::chrono::microseconds(fraction);
}

template <>
Bytea Decode<Bytea>(std::string_view text) {
  if (!text.starts_with("\\x") || text.size() % 2 != 0) Refuse("bytea", text);
  Bytea bytes(std::string(text.size() / 2 - 1, '\0'));
  const std::span out(reinterpret_cast<std::uint8_t*>(bytes.data.data()), bytes.data.size());
  if (!FromHex<HexCase::kLower>(text.substr(2), out)) Refuse("bytea", text);
  return bytes;
}

std::vector<std::optional<std::string>> DecodeArray(std::string_view text) {
  std::vector<std::optional<std::string>> elements;
  if (text.size() < 2 || text.front() != '{' || text.back() != '}') Refuse("array", text);
  if (text.size() == 2) return elements;
  std::size_t at = 1;
  for (;;) {
    elements.push_back(ArrayElement(text, at));
    if (at >= text.size()) Refuse("array", text);
    if (text[at] == '}') return elements;
    if (text[at] != ',' || ++at >= text.size()) Refuse("array", text);
  }
}

}  // namespace detail

std::optional<std::string_view> Row::Text(std::string_view column) const {
  const int index = [&] {
    // PQfnumber folds case and reads quotes; our column names are plain lower case, so compare.
    const int count = PQnfields(rows_->result_);
    for (int i = 0; i < count; ++i) {
      if (column == PQfname(rows_->result_, i)) return i;
    }
    return -1;
  }();
  if (index < 0)
    throw SqlError(std::string(kDecodeFailure), "no column '" + std::string(column) + "'");
  if (PQgetisnull(rows_->result_, index_, index)) return std::nullopt;
  return std::string_view(PQgetvalue(rows_->result_, index_, index),
                          static_cast<std::size_t>(PQgetlength(rows_->result_, index_, index)));
}

Rows::Rows(pg_result* result)
    : result_(result), size_(static_cast<std::size_t>(PQntuples(result))) {}
Rows::~Rows() { PQclear(result_); }
Rows::Rows(Rows&& other) noexcept
    : result_(std::exchange(other.result_, nullptr)), size_(std::exchange(other.size_, 0)) {}
Rows& Rows::operator=(Rows&& other) noexcept {
  std::swap(result_, other.result_);
  std::swap(size_, other.size_);
  return *this;
}

Row Rows::operator[](std::size_t index) const {
  if (index >= size_) std::abort();
  return Row(this, static_cast<int>(index));
}

std::int64_t Rows::affected() const {
  const std::string_view text = PQcmdTuples(result_);
  return text.empty() ? 0 : Number<std::int64_t>(text, "row count");
}

}  // namespace paymesh::pg
