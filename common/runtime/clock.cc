#include "common/runtime/clock.h"

#include <charconv>
#include <cstdio>
#include <optional>

namespace paymesh::runtime {
namespace {

// A cursor over text that takes fixed shapes off its front.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  std::optional<int> Digits(std::size_t count) {
    if (rest_.size() < count) return std::nullopt;
    int value = 0;
    for (char c : rest_.substr(0, count)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }
  bool Take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool TakeEither(char a, char b) { return Take(a) || Take(b); }
  char Front() const { return rest_.empty() ? '\0' : rest_.front(); }
  bool AtEnd() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

std::optional<std::chrono::sys_days> ScanDate(Scanner& in) {
  auto year = in.Digits(4);
  if (!year || !in.Take('-')) return std::nullopt;
  auto month = in.Digits(2);
  if (!month || !in.Take('-')) return std::nullopt;
  auto day = in.Digits(2);
  if (!day) return std::nullopt;
  std::chrono::year_month_day date{std::chrono::year(*year),
                                   std::chrono::month(static_cast<unsigned>(*month)),
                                   std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

std::optional<std::chrono::microseconds> ScanFraction(Scanner& in) {
  if (!in.Take('.')) return std::chrono::microseconds(0);
  std::int64_t value = 0;
  int count = 0;
  while (count < 9) {
    auto digit = in.Digits(1);
    if (!digit) break;
    if (count < 6) value = value * 10 + *digit;
    ++count;
  }
  if (count == 0) return std::nullopt;
  for (int i = count; i < 6; ++i) value *= 10;
  return std::chrono::microseconds(value);
}

std::optional<std::chrono::microseconds> ScanTimeOfDay(Scanner& in) {
  auto hour = in.Digits(2);
  if (!hour || *hour > 23 || !in.Take(':')) return std::nullopt;
  auto minute = in.Digits(2);
  if (!minute || *minute > 59 || !in.Take(':')) return std::nullopt;
  auto second = in.Digits(2);
  if (!second || *second > 59) return std::nullopt;
  auto fraction = ScanFraction(in);
  if (!fraction) return std::nullopt;
  return std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(*second) +
         *fraction;
}

std::optional<std::chrono::minutes> ScanOffset(Scanner& in) {
  if (in.TakeEither('Z', 'z')) return std::chrono::minutes(0);
  const bool negative = in.Front() == '-';
  if (!in.TakeEither('+', '-')) return std::nullopt;
  auto hours = in.Digits(2);
  if (!hours || *hours > 23 || !in.Take(':')) return std::nullopt;
  auto minutes = in.Digits(2);
  if (!minutes || *minutes > 59) return std::nullopt;
  auto offset = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
  return negative ? -offset : offset;
}

std::optional<Time> Scan(std::string_view text) {
  Scanner in(text);
  auto date = ScanDate(in);
  if (!date || !in.TakeEither('T', 't')) return std::nullopt;
  auto time = ScanTimeOfDay(in);
  if (!time) return std::nullopt;
  auto offset = ScanOffset(in);
  if (!offset || !in.AtEnd()) return std::nullopt;
  return Time(*date) + *time - *offset;
}

}  // namespace

Time SystemClock::Now() const {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}
SteadyTime SystemClock::Steady() const { return std::chrono::steady_clock::now(); }

FakeClock::FakeClock(Time start) : start_(start) {}
Time FakeClock::Now() const { return start_ + std::chrono::microseconds(elapsed_microseconds_); }
SteadyTime FakeClock::Steady() const {
  // Not the epoch itself, so that subtracting a duration from it stays positive.
  return SteadyTime(std::chrono::hours(24)) + std::chrono::microseconds(elapsed_microseconds_);
}
void FakeClock::Advance(std::chrono::microseconds duration) {
  elapsed_microseconds_ += duration.count();
}

std::string FormatTime(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss<std::chrono::microseconds> clock(time - day);
  char text[64];
  const int size = std::snprintf(
      text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return std::string(text, static_cast<std::size_t>(size));
}

Result<Time> ParseTime(std::string_view text) {
  if (auto time = Scan(text)) return *time;
  return Error::InvalidArgument("INVALID_TIME", "not a time as RFC 3339 writes it");
}

}  // namespace paymesh::runtime
