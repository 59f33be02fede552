// SHA-256 and its HMAC. Pure functions; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace paymesh {

using Sha256Digest = std::array<std::uint8_t, 32>;

Sha256Digest Sha256(std::string_view bytes);
Sha256Digest HmacSha256(std::span<const std::uint8_t> key, std::string_view bytes);
Sha256Digest HmacSha256(std::string_view key, std::string_view bytes);

}  // namespace paymesh
