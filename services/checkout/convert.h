// Domain values to messages of the contract and back. No decision is made here.
// Pure functions; any thread.
#pragma once

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <string>
#include <string_view>

#include "common/error/error.h"
#include "common/money/amount.h"
#include "common/runtime/clock.h"
#include "paymesh/checkout/v1/event_service.pb.h"
#include "paymesh/checkout/v1/merchant_service.pb.h"
#include "paymesh/checkout/v1/payment.pb.h"
#include "paymesh/type/v1/type.pb.h"
#include "services/checkout/domain/merchant.h"
#include "services/checkout/domain/payment.h"

namespace paymesh::checkout {

namespace pb = ::paymesh::checkout::v1;
namespace typepb = ::paymesh::type::v1;

google::protobuf::Timestamp ToProto(Time time);
Time FromProto(const google::protobuf::Timestamp& time);
typepb::Amount ToProto(const Amount& amount);
typepb::Amount ToProto(const Unit& unit, const U256& value);

// INVALID_FIELD naming `<field>.unit` or `<field>.value`.
Result<Amount> FromProto(const typepb::Amount& amount, std::string_view field);

pb::Merchant ToProto(const Merchant& merchant);
pb::ApiKey ToProto(const ApiKey& key);
pb::FeePlan ToProto(const FeePlan& plan);

// The payment as callers see it: no address before it is registered.
pb::Payment ToProto(const Payment& payment);

// What never changes, with the first lines of the timeline: kept beside a payment's row, and read
// back from there. The deposit address is always in it.
pb::Payment TermsToProto(const Payment& payment);
Result<Payment> FromTerms(const pb::Payment& stored);

// A journal entry's message, without what the journal's row knows (position, time).
pb::Event PaymentEvent(const Payment& payment, std::string_view kind);
pb::Event MerchantEvent(const Merchant& merchant, std::string_view kind);

}  // namespace paymesh::checkout
