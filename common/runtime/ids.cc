#include "common/runtime/ids.h"

#include <openssl/rand.h>

#include <array>
#include <cstdlib>
#include <vector>

#include "common/base/hex.h"

namespace paymesh::runtime {
namespace {

constexpr char kAlphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";  // Crockford: no i, l, o, u
constexpr std::size_t kBodySize = 26;

// 128 bits, most significant first, as 26 characters; the first holds only 3 bits.
std::string Encode(const std::array<std::uint8_t, 16>& bytes) {
  std::string text;
  unsigned buffer = 0;
  int bits = 2;  // two leading zero bits make 130
  for (std::uint8_t byte : bytes) {
    buffer = (buffer << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += kAlphabet[(buffer >> bits) & 31];
    }
    buffer &= (1U << bits) - 1;
  }
  return text;
}

std::string_view WithoutUnderscore(std::string_view prefix) {
  if (prefix.ends_with('_')) prefix.remove_suffix(1);
  return prefix;
}

}  // namespace

std::uint64_t RandomSource::NextU64() {
  std::array<std::uint8_t, 8> bytes;
  Fill(bytes);
  std::uint64_t value = 0;
  for (std::uint8_t byte : bytes) value = (value << 8) | byte;
  return value;
}

std::uint64_t RandomSource::Below(std::uint64_t bound) {
  // Values below 2^64 mod bound are drawn again, so that no remainder is likelier than another.
  const std::uint64_t threshold = (0 - bound) % bound;
  for (;;) {
    const std::uint64_t value = NextU64();
    if (value >= threshold) return value % bound;
  }
}

std::string RandomSource::Hex(std::size_t bytes) {
  std::vector<std::uint8_t> raw(bytes);
  Fill(raw);
  return ToHex(raw);
}

void SystemRandom::Fill(std::span<std::uint8_t> bytes) {
  // Without randomness there is nothing safe to go on with.
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) std::abort();
}

void SeededRandom::Fill(std::span<std::uint8_t> bytes) {
  std::lock_guard lock(mutex_);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(engine_() >> 56);
}

std::string IdSource::Next(std::string_view prefix) {
  std::array<std::uint8_t, 16> bytes;
  random_.Fill(std::span(bytes).subspan(6));
  const auto now = std::chrono::floor<std::chrono::milliseconds>(clock_.Now());
  const auto milliseconds = static_cast<std::uint64_t>(now.time_since_epoch().count());
  for (std::size_t i = 0; i < 6; ++i) {
    bytes[i] = static_cast<std::uint8_t>(milliseconds >> (8 * (5 - i)));
  }
  return std::string(WithoutUnderscore(prefix)) + '_' + Encode(bytes);
}

bool IsId(std::string_view id, std::string_view prefix) {
  prefix = WithoutUnderscore(prefix);
  if (id.size() != prefix.size() + 1 + kBodySize || !id.starts_with(prefix) ||
      id[prefix.size()] != '_') {
    return false;
  }
  const std::string_view body = id.substr(prefix.size() + 1);
  return body.find_first_not_of(kAlphabet) == std::string_view::npos && body[0] <= '7';
}

}  // namespace paymesh::runtime
