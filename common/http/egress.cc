#include "common/http/egress.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>

namespace paymesh::http {
namespace {

struct Range4 {
  std::uint32_t base;
  int bits;
};
// IANA's special-purpose registry, all that is not globally reachable.
constexpr std::array<Range4, 16> kReserved4 = {{
    {0x00000000, 8},   // this network
    {0x0a000000, 8},   // private
    {0x64400000, 10},  // carrier NAT
    {0x7f000000, 8},   // loopback
    {0xa9fe0000, 16},  // link-local, and the cloud's metadata service
    {0xac100000, 12},  // private
    {0xc0000000, 24},  // protocol assignments
    {0xc0000200, 24},  // documentation
    {0xc0586300, 24},  // 6to4 relays
    {0xc0a80000, 16},  // private
    {0xc6120000, 15},  // benchmarks
    {0xc6336400, 24},  // documentation
    {0xcb007100, 24},  // documentation
    {0xe0000000, 4},   // multicast
    {0xf0000000, 4},   // reserved
    {0xffffffff, 32},  // broadcast
}};

bool IsPublic4(std::uint32_t address) {
  for (const Range4& range : kReserved4) {
    const std::uint32_t mask = ~std::uint32_t{0} << (32 - range.bits);
    if ((address & mask) == range.base) return false;
  }
  return true;
}

using Bytes16 = std::array<std::uint8_t, 16>;

bool HasPrefix(const Bytes16& address, std::initializer_list<std::uint8_t> prefix) {
  return std::equal(prefix.begin(), prefix.end(), address.begin());
}

std::uint32_t Inner4(const Bytes16& address, std::size_t at) {
  return static_cast<std::uint32_t>(address[at]) << 24 |
         static_cast<std::uint32_t>(address[at + 1]) << 16 |
         static_cast<std::uint32_t>(address[at + 2]) << 8 | address[at + 3];
}

bool IsPublic6(const Bytes16& address) {
  const std::initializer_list<std::uint8_t> mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  const std::initializer_list<std::uint8_t> nat64 = {0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0};
  if (HasPrefix(address, mapped) || HasPrefix(address, nat64)) {
    return IsPublic4(Inner4(address, 12));
  }
  // Of the whole space only 2000::/3 is given out; that leaves out ::, ::1, compatible addresses,
  // fc00::/7, fe80::/10, ff00::/8 and the local NAT64 prefix.
  if ((address[0] & 0xe0) != 0x20) return false;
  if (HasPrefix(address, {0x20, 0x02})) return IsPublic4(Inner4(address, 2));      // 6to4
  if (HasPrefix(address, {0x20, 0x01}) && (address[2] & 0xfe) == 0) return false;  // Teredo & co.
  if (HasPrefix(address, {0x20, 0x01, 0x0d, 0xb8})) return false;                  // documentation
  if (HasPrefix(address, {0x3f, 0xff}) && (address[2] & 0xf0) == 0) return false;
  return true;
}

}  // namespace

bool IsPublicAddress(std::string_view address) {
  const std::string text(address);
  in_addr v4{};
  if (::inet_pton(AF_INET, text.c_str(), &v4) == 1) return IsPublic4(ntohl(v4.s_addr));
  Bytes16 v6{};
  return ::inet_pton(AF_INET6, text.c_str(), v6.data()) == 1 && IsPublic6(v6);
}

}  // namespace paymesh::http
