// The journals that the ledger follows: watcher.transfers and checkout.events, entry by entry.
// Any thread.
#pragma once

#include <memory>

#include "common/outbox/follower/follower.h"

namespace grpc {
class Channel;
}

namespace paymesh::settlement {

inline constexpr char kTransfersCursor[] = "settlement<-watcher.transfers";
inline constexpr char kPaymentsCursor[] = "settlement<-checkout.events";

outbox::OpenSource TransfersSource(std::shared_ptr<grpc::Channel> watcher);
outbox::OpenSource PaymentsSource(std::shared_ptr<grpc::Channel> checkout);

}  // namespace paymesh::settlement
