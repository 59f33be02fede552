// The watcher behind the AddressRegistry port, and its journal of transfers as a source to follow.
// Any thread.
#pragma once

#include <chrono>
#include <memory>

#include "common/outbox/follower/follower.h"
#include "common/trace/tracer.h"
#include "services/checkout/ports.h"

namespace grpc {
class ChannelInterface;
}

namespace paymesh::checkout {

std::unique_ptr<AddressRegistry> MakeWatcherClient(std::shared_ptr<grpc::ChannelInterface> channel,
                                                   std::chrono::milliseconds timeout,
                                                   trace::Tracer& tracer);

// Entries whose payload is a serialised watcher.v1.TransferEvent.
outbox::OpenSource MakeTransferSource(std::shared_ptr<grpc::ChannelInterface> channel);

}  // namespace paymesh::checkout
