#include "common/pg/sql/param.h"

#include <algorithm>
#include <cstdio>
#include <stdexcept>

namespace paymesh::pg {
namespace {

constexpr std::uint32_t kByteaType = 17;  // pg_type's oid, fixed for ever

void AppendNumber(std::string& out, std::uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift & 0xff);
}

// As array_recv takes it: dimensions, whether there are NULLs, the elements' type, then length and
// lower bound of the one dimension, then each element's length and bytes.
template <class Elements, class Get>
std::string ByteaArray(const Elements& elements, Get get) {
  std::string out;
  AppendNumber(out, elements.empty() ? 0 : 1);
  AppendNumber(out, std::any_of(elements.begin(), elements.end(),
                                [&](const auto& each) { return get(each) == nullptr; }));
  AppendNumber(out, kByteaType);
  if (elements.empty()) return out;
  AppendNumber(out, static_cast<std::uint32_t>(elements.size()));
  AppendNumber(out, 1);
  for (const auto& each : elements) {
    const std::string* bytes = get(each);
    AppendNumber(out, bytes == nullptr ? ~0U : static_cast<std::uint32_t>(bytes->size()));
    if (bytes != nullptr) out += *bytes;
  }
  return out;
}

// "2026-11-22 21:45:00.123456+00". Years of four digits only: anything else is a bug upstream.
std::string TimeText(Time time) {
  using std::chrono::floor;
  const auto day = floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  const int year = static_cast<int>(date.year());
  if (year < 1 || year > 9999) throw std::out_of_range("a time outside the years 1 to 9999");
  char buffer[64];
  std::snprintf(buffer, sizeof(buffer), "%04d-%02u-%02u %02d:%02d:%02d.%06d+00", year,
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()),
                static_cast<int>(clock.subseconds().count()));
  return buffer;
}

}  // namespace

Param::Param(const U256& value) : value_(value.ToString()) {}
Param::Param(Time value) : value_(TimeText(value)) {}
Param::Param(const std::vector<Bytea>& values)
    : value_(ByteaArray(values, [](const Bytea& each) { return &each.data; })), binary_(true) {}
Param::Param(const std::vector<std::optional<Bytea>>& values)
    : value_(ByteaArray(
          values, [](const std::optional<Bytea>& each) { return each ? &each->data : nullptr; })),
      binary_(true) {}

void Param::AppendElement(const Param& element) {
  if (value_->size() > 1) *value_ += ',';
  if (!element.value_) {
    *value_ += "NULL";
    return;
  }
  // Whole stretches at a time: most elements, long ones above all, have nothing to escape.
  const std::string_view text = *element.value_;
  *value_ += '"';
  std::size_t quote = text.find('"'), backslash = text.find('\\'), from = 0;
  while (std::min(quote, backslash) != std::string_view::npos) {
    const std::size_t special = std::min(quote, backslash);
    value_->append(text, from, special - from);
    *value_ += '\\';
    *value_ += text[special];
    from = special + 1;
    if (special == quote) quote = text.find('"', from);
    if (special == backslash) backslash = text.find('\\', from);
  }
  value_->append(text, from);
  *value_ += '"';
}

}  // namespace paymesh::pg
