// Learns from checkout's events which tokens payers take and how long they need: shown as metrics
// and kept for later scoring, never a reason to answer differently today. One coroutine.
#pragma once

#include <grpcpp/channel.h>

#include <memory>

#include "common/outbox/follower/follower.h"
#include "common/pg/database.h"
#include "common/runtime/log.h"

namespace paymesh::routing {

inline constexpr char kOutcomeFollower[] = "routing<-checkout.events";

std::unique_ptr<outbox::Follower> MakeOutcomeFollower(pg::Database& database,
                                                      std::shared_ptr<grpc::Channel> checkout,
                                                      runtime::Logger& log);

// The effects of events; exposed for tests.
Status ApplyEvents(pg::Transaction& tx, const std::vector<outbox::Entry>& entries);

}  // namespace paymesh::routing
