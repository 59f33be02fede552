// Checkout's journal of events as a source to follow. Any thread.
#pragma once

#include <memory>

#include "common/outbox/follower/follower.h"

namespace grpc {
class ChannelInterface;
}

namespace paymesh::routing {

// Entries whose payload is a serialised checkout.v1.Event.
outbox::OpenSource MakePaymentSource(std::shared_ptr<grpc::ChannelInterface> channel);

}  // namespace paymesh::routing
