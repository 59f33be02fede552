// The journals that the ledger follows: watcher.transfers and checkout.events, entry by entry.
// Any thread.
#pragma once

#include <memory>

#include "common/journal/follower.h"

namespace grpc {
class Channel;
}

namespace paymesh::settlement {

inline constexpr char kTransfersCursor[] = "settlement<-watcher.transfers";
inline constexpr char kPaymentsCursor[] = "settlement<-checkout.events";

journal::OpenSource TransfersSource(std::shared_ptr<grpc::Channel> watcher);
journal::OpenSource PaymentsSource(std::shared_ptr<grpc::Channel> checkout);

}  // namespace paymesh::settlement
