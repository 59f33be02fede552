// The server's side of a StreamX(after_position) RPC: everything after a position, then what comes,
// until the caller leaves. Knows nothing of gRPC: the api layer passes a write function.
// One strand a call.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/error/error.h"
#include "common/outbox/entry.h"
#include "common/runtime/task.h"

namespace paymesh::outbox {

class Hub;

struct ServeOptions {
  std::string outbox;
  std::int64_t after = 0;
  Filter filter = {};
  int batch = 256;                                  // entries read, and sent, at a time
  std::size_t max_bytes = 1024 * 1024;              // payload of a run, from which on it is sent
  std::chrono::milliseconds max_duration{300'000};  // then ends OK; the reader resumes
};

// Sends some entries, in order, as one message: a message costs its sender and its reader far more
// than an entry in it. Returns false when the peer has gone. Awaiting it gives back-pressure:
// nothing is read ahead beyond one batch.
using WriteRun = std::function<Task<Result<bool>>(const std::vector<EntryPtr>& run)>;

// Name `options` and `write` before the co_await (gcc 12). Ends OK when write returns false or
// max_duration has passed; throws operation_aborted when the call is cancelled. INVALID_ARGUMENT
// for a negative position; errors as in Hub::Read, and those of `write`.
Task<Status> ServeStream(Hub& hub, ServeOptions options, WriteRun write);

}  // namespace paymesh::outbox
