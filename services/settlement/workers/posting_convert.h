// The peers' messages as facts for the ledger.
// Pure functions; any thread.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>

#include "common/error/error.h"
#include "paymesh/checkout/v1/payment.pb.h"
#include "paymesh/watcher/v1/transfer_service.pb.h"
#include "services/settlement/domain/evidence.h"
#include "services/settlement/store/evidence_store.h"

namespace paymesh::settlement {

// INTERNAL BAD_EVENT for a message that breaks its contract.
Result<Evidence> ToEvidence(const watcher::v1::Transfer& transfer);
ChainProgress ToProgress(const watcher::v1::Checkpoint& checkpoint);

// (factory address, hash of the forwarder's init code), in lower case: the factories of
// chains.yaml.
using KnownFactories = std::set<std::pair<std::string, std::string>>;

// Believes the address only when a known factory makes it from the payment's id.
DepositRow ToDeposit(const checkout::v1::Payment& payment, const KnownFactories& factories);
// The snapshot that ToDeposit kept.
Result<Terms> ToTerms(const DepositRow& row);

}  // namespace paymesh::settlement
