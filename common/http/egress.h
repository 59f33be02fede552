// Which addresses a caller-supplied URL (a webhook) may lead to. Pure; any thread.
#pragma once

#include <string_view>

namespace paymesh::http {

// Whether an address is on the public internet. False for loopback, private, link-local, carrier
// NAT, multicast, documentation, unspecified and reserved ranges of IPv4 and IPv6, for IPv4 inside
// IPv6 (mapped, compatible, NAT64, 6to4, Teredo) unless the inner address is public, and text that
// is no address.
bool IsPublicAddress(std::string_view address);

}  // namespace paymesh::http
