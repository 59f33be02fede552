// The watcher behind the MarketSource port. Any thread.
#pragma once

#include <memory>

#include "common/runtime/clock.h"
#include "services/routing/ports.h"

namespace grpc {
class ChannelInterface;
}

namespace paymesh::routing {

std::unique_ptr<MarketSource> MakeWatcherClient(std::shared_ptr<grpc::ChannelInterface> channel,
                                                const runtime::Clock& clock);

}  // namespace paymesh::routing
