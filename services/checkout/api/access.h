// Who asks: which merchant a call is bound to, whose request ids it uses, and what a request's body
// is when request ids are compared. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

#include "common/error/error.h"
#include "common/pg/idempotency.h"
#include "common/rpc/identity.h"

namespace google::protobuf {
class Message;
}

namespace paymesh::checkout {

// The merchant that the call is about: the key's for the edge (another's is NOT_FOUND), else the
// one asked for, which may be empty.
Result<std::string> MerchantOf(const rpc::Principal& principal, const std::string& asked);

// Whether the caller may see what belongs to this merchant.
bool MaySee(const rpc::Principal& principal, std::string_view merchant_id);

// The key of a request that has a request_id: its caller (with the merchant where an API key binds
// one), method, id, and the hash of everything else in it. INVALID_FIELD for a bad request_id.
Result<pg::IdempotencyKey> KeyOf(const rpc::Principal& principal, const std::string& method,
                                 const google::protobuf::Message& request);

}  // namespace paymesh::checkout
