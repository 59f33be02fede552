// Payments turned on their side: one vector a column, as unnest takes them. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/pg/sql/param.h"
#include "services/checkout/domain/payment.h"

namespace paymesh::checkout {

struct NewPaymentColumns {
  std::vector<std::string> payment_id, merchant_id, reference, price_unit, deposit_address, chains;
  std::vector<U256> price_value;
  std::vector<pg::Bytea> terms;
  std::vector<Time> create_time, expire_time;
  std::vector<int> state;
  std::vector<bool> registered;

  void Add(const Payment& payment, std::string joined_chains, std::string serialised_terms) {
    const Terms& of = payment.terms;
    payment_id.push_back(of.payment_id);
    merchant_id.push_back(of.merchant_id);
    reference.push_back(of.reference);
    price_unit.push_back(of.price.unit.ToString());
    price_value.push_back(of.price.value);
    deposit_address.push_back(of.deposit_address);
    chains.push_back(std::move(joined_chains));
    terms.emplace_back(std::move(serialised_terms));
    create_time.push_back(of.create_time);
    expire_time.push_back(payment.expire_time);
    state.push_back(static_cast<int>(payment.state));
    registered.push_back(payment.registered);
  }
};

struct PaymentColumns {
  std::vector<std::string> payment_id, cancel_reason, bound_option_id;
  std::vector<std::int64_t> old_revision, revision;
  std::vector<Time> update_time, expire_time;
  std::vector<int> state, flags;
  std::vector<bool> registered, expired, expiry_deferred, canceled, reversed, transfers_left_out;
  std::vector<std::optional<U256>> decided_gross;
  std::vector<U256> seen, confirmed, finalized, gross, fee, net;

  void Add(std::int64_t before, const Payment& after) {
    payment_id.push_back(after.terms.payment_id);
    old_revision.push_back(before);
    update_time.push_back(after.update_time);
    expire_time.push_back(after.expire_time);
    state.push_back(static_cast<int>(after.state));
    flags.push_back(static_cast<int>(after.flags.bits()));
    revision.push_back(after.revision);
    registered.push_back(after.registered);
    expired.push_back(after.expired);
    expiry_deferred.push_back(after.expiry_deferred);
    canceled.push_back(after.canceled);
    reversed.push_back(after.reversed);
    transfers_left_out.push_back(after.transfers_left_out);
    cancel_reason.push_back(after.cancel_reason);
    bound_option_id.push_back(after.bound_option_id);
    decided_gross.push_back(after.decided_gross);
  }
};

struct TransferColumns {
  std::vector<std::string> payment_id, transfer_id, chain, transaction_hash, unit, from_address,
      to_address, block_hash;
  std::vector<int> arrival, finality, disposition;
  std::vector<std::int64_t> block_number, revision;
  std::vector<Time> block_time;
  std::vector<U256> amount, accepted, refundable;
  std::vector<bool> orphaned, decided, reviewed, was_orphaned, after_close;

  void Add(const std::string& payment, int index, const Transfer& of) {
    payment_id.push_back(payment);
    transfer_id.push_back(of.transfer_id);
    arrival.push_back(index);
    chain.push_back(of.chain);
    transaction_hash.push_back(of.transaction_hash);
    unit.push_back(of.amount.unit.ToString());
    amount.push_back(of.amount.value);
    from_address.push_back(of.from_address);
    to_address.push_back(of.to_address);
    finality.push_back(static_cast<int>(of.finality));
    block_number.push_back(static_cast<std::int64_t>(of.block.number));
    block_hash.push_back(of.block.hash);
    block_time.push_back(of.block.time);
    orphaned.push_back(of.orphaned);
    revision.push_back(of.revision);
    disposition.push_back(static_cast<int>(of.disposition));
    decided.push_back(of.decided);
    accepted.push_back(of.accepted);
    refundable.push_back(of.refundable);
    reviewed.push_back(of.reviewed);
    was_orphaned.push_back(of.was_orphaned);
    after_close.push_back(of.after_close);
  }
};

struct TimelineColumns {
  std::vector<std::string> payment_id, kind, message, transaction_hash, object_id, chain;
  std::vector<std::int64_t> ordinal;
  std::vector<Time> time;

  void Add(const std::string& payment, const TimelineEntry& entry) {
    payment_id.push_back(payment);
    ordinal.push_back(entry.ordinal);
    kind.push_back(entry.kind);
    time.push_back(entry.time);
    message.push_back(entry.message);
    transaction_hash.push_back(entry.transaction_hash);
    object_id.push_back(entry.object_id);
    chain.push_back(entry.chain);
  }
};

}  // namespace paymesh::checkout
