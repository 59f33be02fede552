// Randomness and ids as things that are passed in. Ids are sortable by the time of their making and
// not guessable: prefix, '_', 26 characters of lower-case Crockford base 32 holding 48 bits of
// milliseconds and 80 random bits. All classes: any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <random>
#include <span>
#include <string>
#include <string_view>

#include "common/runtime/clock.h"

namespace paymesh::runtime {

class RandomSource {
 public:
  virtual ~RandomSource() = default;
  virtual void Fill(std::span<std::uint8_t> bytes) = 0;

  std::uint64_t NextU64();
  // Uniform in [0, bound); bound > 0. For jitter.
  std::uint64_t Below(std::uint64_t bound);
  // `bytes` random bytes as lower-case hex.
  std::string Hex(std::size_t bytes);
};

// The operating system's generator: fit for keys and secrets.
class SystemRandom final : public RandomSource {
 public:
  void Fill(std::span<std::uint8_t> bytes) override;
};

// The same sequence for the same seed. Tests and simulation only.
class SeededRandom final : public RandomSource {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  void Fill(std::span<std::uint8_t> bytes) override;

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;
};

class IdSource {
 public:
  // Both must outlive the source.
  IdSource(const Clock& clock, RandomSource& random) : clock_(clock), random_(random) {}
  // Next("pay") -> "pay_01j...". A trailing '_' in the prefix is taken as given ("pay_").
  std::string Next(std::string_view prefix);

 private:
  const Clock& clock_;
  RandomSource& random_;
};

// Whether `id` has exactly the form that Next(prefix) makes.
bool IsId(std::string_view id, std::string_view prefix);

}  // namespace paymesh::runtime
