// Rows of the ledger as the contract's messages. Pure functions; any thread.
#pragma once

#include "paymesh/settlement/v1/ledger_service.pb.h"
#include "paymesh/settlement/v1/pause_service.pb.h"
#include "services/settlement/store/ledger_store.h"
#include "services/settlement/store/pause_store.h"

namespace paymesh::settlement {

void ToProto(const Journal& journal, v1::Journal* message);
void ToProto(const AccountRow& row, v1::Account* message);
void ToProto(const PauseRow& row, v1::Pause* message);
void ToProto(Time time, google::protobuf::Timestamp* message);
void ToProto(const std::string& unit, const U256& value, type::v1::Amount* message);
// INVALID_FIELD for none, or a malformed chain, unit or merchant.
Result<PauseRow> FromProto(const v1::PauseScope& scope);

}  // namespace paymesh::settlement
