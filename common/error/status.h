// Error <-> grpc::Status. On the wire an error is a google.rpc.Status in grpc-status-details-bin
// with one ErrorInfo {reason, domain, metadata}, a BadRequest for field violations and a RetryInfo.
// Pure functions; any thread.
#pragma once

#include <grpcpp/support/status.h>

#include <string_view>

#include "common/error/error.h"

namespace paymesh::rpc {

// `domain` is "<service>.paymesh.dev". INTERNAL and UNKNOWN lose their message and metadata here:
// the caller learns "internal error" and nothing more.
grpc::Status ToGrpc(const Error& error, std::string_view domain);

// What a peer answered, as an Error. A status without details gets its code's name as reason. Must
// not be called with OK.
Error FromGrpc(const grpc::Status& status);

// Whether gRPC itself refused a message as larger than a side takes: RESOURCE_EXHAUSTED without the
// details that every refusal of a handler carries. The same in smaller messages may pass.
bool IsMessageTooLarge(const Error& error);

}  // namespace paymesh::rpc
