#include "common/pg/param.h"

#include <algorithm>
#include <cstdio>
#include <stdexcept>

namespace paymesh::pg {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

std::string ByteaText(const std::string& bytes) {
  std::string text(2 + 2 * bytes.size(), 'x');
  text[0] = '\\';
  char* digit = text.data() + 2;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    *digit++ = kHexDigits[byte >> 4];
    *digit++ = kHexDigits[byte & 0xf];
  }
  return text;
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

Param::Param(const Bytea& value) : text_(ByteaText(value.data)) {}
Param::Param(const U256& value) : text_(value.ToString()) {}
Param::Param(Time value) : text_(TimeText(value)) {}

void Param::AppendElement(const Param& element) {
  if (text_->size() > 1) *text_ += ',';
  if (!element.text_) {
    *text_ += "NULL";
    return;
  }
  // Whole stretches at a time: most elements, long ones above all, have nothing to escape.
  const std::string_view text = *element.text_;
  *text_ += '"';
  std::size_t quote = text.find('"'), backslash = text.find('\\'), from = 0;
  while (std::min(quote, backslash) != std::string_view::npos) {
    const std::size_t special = std::min(quote, backslash);
    text_->append(text, from, special - from);
    *text_ += '\\';
    *text_ += text[special];
    from = special + 1;
    if (special == quote) quote = text.find('"', from);
    if (special == backslash) backslash = text.find('\\', from);
  }
  text_->append(text, from);
  *text_ += '"';
}

}  // namespace paymesh::pg
