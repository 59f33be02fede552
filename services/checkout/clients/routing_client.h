// Routing behind the Router port. Any thread.
#pragma once

#include <chrono>
#include <memory>

#include "common/config/chains.h"
#include "common/trace/tracer.h"
#include "services/checkout/ports.h"

namespace grpc {
class ChannelInterface;
}

namespace paymesh::checkout {

std::unique_ptr<Router> MakeRoutingClient(std::shared_ptr<grpc::ChannelInterface> channel,
                                          const runtime::ChainsConfig& chains,
                                          std::chrono::milliseconds timeout, trace::Tracer& tracer);

}  // namespace paymesh::checkout
