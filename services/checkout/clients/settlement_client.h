// Settlement's journal of events as a source to follow. Any thread.
#pragma once

#include <memory>

#include "common/outbox/follower/follower.h"

namespace grpc {
class ChannelInterface;
}

namespace paymesh::checkout {

// Entries whose payload is a serialised settlement.v1.Event.
outbox::OpenSource MakeMoneySource(std::shared_ptr<grpc::ChannelInterface> channel);

}  // namespace paymesh::checkout
