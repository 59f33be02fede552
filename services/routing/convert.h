// Between the contract's messages and the domain. Pure; any thread.
#pragma once

#include "common/error/error.h"
#include "paymesh/routing/v1/routing_service.pb.h"
#include "paymesh/watcher/v1/chain_service.pb.h"
#include "services/routing/domain/decision.h"

namespace paymesh::routing {

namespace pb = paymesh::routing::v1;

// INVALID_ARGUMENT INVALID_FIELD with the path below `prefix` ("facts[3].").
Result<PaymentFacts> FromProto(const pb::DecisionFacts& facts, const std::string& prefix);
// What the watcher tells of a chain; nothing when it is malformed.
std::optional<ChainFacts> FromProto(const watcher::v1::Chain& chain, const U256& max_fee_per_gas,
                                    Time observe_time);

void ToProto(const Decision& decision, const PaymentFacts& facts, pb::Decision* out);
void ToProto(const UsableRate& rate, const Unit& base, const Unit& quote, type::v1::Rate* out);

// Hex SHA-256 over the facts alone, and over facts, chain states, rates and outcome.
std::string FactsHash(const pb::DecisionFacts& facts);
std::string DecisionHash(const pb::Decision& decision, const MarketFacts& market);

google::protobuf::Timestamp ToTimestamp(Time time);

}  // namespace paymesh::routing
