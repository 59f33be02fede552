#include "services/checkout/store/payment_store.h"

#include <algorithm>
#include <map>
#include <utility>

#include "common/outbox/append.h"
#include "services/checkout/convert.h"
#include "services/checkout/reasons.h"
#include "services/checkout/store/payment_columns.h"

namespace paymesh::checkout {
namespace {

constexpr std::string_view kInsertPayments = R"sql(
  INSERT INTO payment (payment_id, merchant_id, reference, price_unit, price_value, deposit_address,
                       chains, terms, create_time, update_time, expire_time, state, flags, revision,
                       registered)
  SELECT payment_id, merchant_id, reference, price_unit, price_value, deposit_address,
         string_to_array(chains, ','), terms, create_time, create_time, expire_time, state, 0, 1,
         registered
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::numeric[], $6::text[], $7::text[],
              $8::bytea[], $9::timestamptz[], $10::timestamptz[], $11::smallint[], $12::boolean[])
    AS new (payment_id, merchant_id, reference, price_unit, price_value, deposit_address, chains,
            terms, create_time, expire_time, state, registered))sql";

constexpr std::string_view kInsertTransitions = R"sql(
  INSERT INTO payment_transition (payment_id, revision, from_state, to_state, time)
  SELECT payment_id, revision, from_state, to_state, now()
  FROM unnest($1::text[], $2::bigint[], $3::smallint[], $4::smallint[])
    AS new (payment_id, revision, from_state, to_state))sql";

constexpr std::string_view kSelectPayments = R"sql(
  SELECT payment_id, terms, update_time, expire_time, state, flags, revision, registered, expired,
         expiry_deferred, canceled, reversed, cancel_reason, bound_option_id, decided_gross, seen,
         confirmed, finalized, gross, fee, net, transfers_left_out
  FROM payment WHERE payment_id = ANY($1::text[]) ORDER BY payment_id)sql";

constexpr std::string_view kSelectTransfers = R"sql(
  SELECT payment_id, transfer_id, chain, transaction_hash, unit, amount, from_address, to_address,
         finality, block_number, block_hash, block_time, orphaned, revision, disposition, decided,
         accepted, refundable, reviewed, was_orphaned, after_close
  FROM payment_transfer WHERE payment_id = ANY($1::text[]) ORDER BY payment_id, arrival)sql";

constexpr std::string_view kSelectTimeline = R"sql(
  SELECT line.* FROM unnest($1::text[]) AS wanted (payment_id) CROSS JOIN LATERAL (
    SELECT payment_id, ordinal, kind, time, message, transaction_hash, object_id, chain
    FROM payment_timeline WHERE payment_id = wanted.payment_id
    ORDER BY ordinal DESC LIMIT $2) AS line
  ORDER BY line.payment_id, line.ordinal)sql";

constexpr std::string_view kUpdatePayments = R"sql(
  UPDATE payment SET
    update_time = new.update_time, expire_time = new.expire_time, state = new.state,
    flags = new.flags, revision = new.revision, registered = new.registered, expired = new.expired,
    expiry_deferred = new.expiry_deferred, canceled = new.canceled, reversed = new.reversed,
    cancel_reason = new.cancel_reason, bound_option_id = new.bound_option_id,
    decided_gross = new.decided_gross, seen = new.seen, confirmed = new.confirmed,
    finalized = new.finalized, gross = new.gross, fee = new.fee, net = new.net,
    transfers_left_out = new.transfers_left_out
  FROM unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::timestamptz[], $5::smallint[],
              $6::integer[], $7::bigint[], $8::boolean[], $9::boolean[], $10::boolean[],
              $11::boolean[], $12::boolean[], $13::text[], $14::text[], $15::numeric[],
              $16::numeric[], $17::numeric[], $18::numeric[], $19::numeric[], $20::numeric[],
              $21::numeric[], $22::boolean[])
    AS new (payment_id, old_revision, update_time, expire_time, state, flags, revision, registered,
            expired, expiry_deferred, canceled, reversed, cancel_reason, bound_option_id,
            decided_gross, seen, confirmed, finalized, gross, fee, net, transfers_left_out)
  WHERE payment.payment_id = new.payment_id AND payment.revision = new.old_revision)sql";

constexpr std::string_view kUpsertTransfers = R"sql(
  INSERT INTO payment_transfer (payment_id, transfer_id, arrival, chain, transaction_hash, unit,
      amount, from_address, to_address, finality, block_number, block_hash, block_time, orphaned,
      revision, disposition, decided, accepted, refundable, reviewed, was_orphaned, after_close)
  SELECT * FROM unnest($1::text[], $2::text[], $3::integer[], $4::text[], $5::text[], $6::text[],
      $7::numeric[], $8::text[], $9::text[], $10::smallint[], $11::bigint[], $12::text[],
      $13::timestamptz[], $14::boolean[], $15::bigint[], $16::smallint[], $17::boolean[],
      $18::numeric[], $19::numeric[], $20::boolean[], $21::boolean[], $22::boolean[])
  ON CONFLICT (payment_id, transfer_id) DO UPDATE SET
    unit = excluded.unit, amount = excluded.amount, from_address = excluded.from_address,
    to_address = excluded.to_address, finality = excluded.finality,
    block_number = excluded.block_number, block_hash = excluded.block_hash,
    block_time = excluded.block_time, orphaned = excluded.orphaned, revision = excluded.revision,
    disposition = excluded.disposition, decided = excluded.decided, accepted = excluded.accepted,
    refundable = excluded.refundable, reviewed = excluded.reviewed,
    was_orphaned = excluded.was_orphaned, after_close = excluded.after_close)sql";

constexpr std::string_view kInsertTimeline = R"sql(
  INSERT INTO payment_timeline (payment_id, ordinal, kind, time, message, transaction_hash,
                                object_id, chain)
  SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::timestamptz[], $5::text[],
                       $6::text[], $7::text[], $8::text[]))sql";

void AppendEvent(pg::Transaction& tx, const Payment& payment, const std::string& kind,
                 std::string snapshot, std::string trace) {
  outbox::Entry entry;
  entry.subject = payment.terms.payment_id;
  entry.owner = payment.terms.merchant_id;
  entry.kind = kind;
  entry.payload = std::move(snapshot);
  entry.trace = std::move(trace);
  outbox::Append(tx, kEventsJournal, std::move(entry));
}

// Columns that repeat what the transfers say, so that a drift of either is noticed.
struct Checked {
  Arrived arrived;
  U256 gross, fee, net;
};

Checked Compute(const Payment& payment) {
  Checked checked;
  if (const Option* bound = payment.Bound()) checked.arrived = ArrivedIn(payment, bound->due.unit);
  if (const std::optional<Outcome> outcome = OutcomeOf(payment)) {
    checked.gross = outcome->gross;
    checked.fee = outcome->fee;
    checked.net = outcome->net;
  }
  return checked;
}

Result<Payment> ReadPayment(const pg::Row& row) {
  pb::Payment stored;
  if (!stored.ParseFromString(row.Get<pg::Bytea>("terms").data)) {
    return Error::Internal("stored terms of a payment do not parse");
  }
  ASSIGN_OR_RETURN(Payment payment, FromTerms(stored));
  const std::optional<State> state = StateOf(row.Get<int>("state"));
  if (!state) return Error::Internal("stored state of a payment is unknown");
  payment.state = *state;
  payment.update_time = row.Get<Time>("update_time");
  payment.expire_time = row.Get<Time>("expire_time");
  payment.flags = Flags(static_cast<std::uint32_t>(row.Get<int>("flags")));
  payment.revision = row.Get<std::int64_t>("revision");
  payment.registered = row.Get<bool>("registered");
  payment.expired = row.Get<bool>("expired");
  payment.expiry_deferred = row.Get<bool>("expiry_deferred");
  payment.canceled = row.Get<bool>("canceled");
  payment.reversed = row.Get<bool>("reversed");
  payment.cancel_reason = row.Get<std::string>("cancel_reason");
  payment.bound_option_id = row.Get<std::string>("bound_option_id");
  payment.transfers_left_out = row.Get<bool>("transfers_left_out");
  payment.decided_gross = row.Get<std::optional<U256>>("decided_gross");
  return payment;
}

Result<Transfer> ReadTransfer(const pg::Row& row) {
  ASSIGN_OR_RETURN(Unit unit, Unit::Parse(row.Get<std::string>("unit")));
  Transfer transfer{.transfer_id = row.Get<std::string>("transfer_id"),
                    .chain = row.Get<std::string>("chain"),
                    .transaction_hash = row.Get<std::string>("transaction_hash"),
                    .amount = Amount{std::move(unit), row.Get<U256>("amount")},
                    .from_address = row.Get<std::string>("from_address"),
                    .to_address = row.Get<std::string>("to_address")};
  transfer.finality = static_cast<Finality>(row.Get<int>("finality"));
  transfer.block = {static_cast<std::uint64_t>(row.Get<std::int64_t>("block_number")),
                    row.Get<std::string>("block_hash"), row.Get<Time>("block_time")};
  transfer.orphaned = row.Get<bool>("orphaned");
  transfer.revision = row.Get<std::int64_t>("revision");
  transfer.disposition = static_cast<Disposition>(row.Get<int>("disposition"));
  transfer.decided = row.Get<bool>("decided");
  transfer.accepted = row.Get<U256>("accepted");
  transfer.refundable = row.Get<U256>("refundable");
  transfer.reviewed = row.Get<bool>("reviewed");
  transfer.was_orphaned = row.Get<bool>("was_orphaned");
  transfer.after_close = row.Get<bool>("after_close");
  return transfer;
}

Status CheckDrift(const Payment& payment, const pg::Row& row) {
  const Checked now = Compute(payment);
  const bool same = row.Get<U256>("seen") == now.arrived.seen &&
                    row.Get<U256>("confirmed") == now.arrived.confirmed &&
                    row.Get<U256>("finalized") == now.arrived.finalized &&
                    row.Get<U256>("gross") == now.gross && row.Get<U256>("fee") == now.fee &&
                    row.Get<U256>("net") == now.net;
  if (same) return {};
  Error error = Error::Internal("stored amounts of " + payment.terms.payment_id +
                                " are not those of its transfers");
  error.reason = reasons::kAmountDrift;
  return error;
}

Status ReadChildren(pg::Transaction& tx, const std::vector<std::string>& ids,
                    std::map<std::string, Payment*>& by_id) {
  for (const pg::Row& row : tx.Execute(kSelectTransfers, ids)) {
    ASSIGN_OR_RETURN(Transfer transfer, ReadTransfer(row));
    by_id.at(row.Get<std::string>("payment_id"))->transfers.push_back(std::move(transfer));
  }
  for (const pg::Row& row :
       tx.Execute(kSelectTimeline, ids, static_cast<std::int64_t>(kMaxTimelineEntries))) {
    Payment& payment = *by_id.at(row.Get<std::string>("payment_id"));
    // The row's own ordinal: older lines are left out here, so a count would give numbers that rows
    // have already, and every later line would meet the primary key.
    payment.timeline.push_back({.ordinal = row.Get<std::int64_t>("ordinal"),
                                .kind = row.Get<std::string>("kind"),
                                .time = row.Get<Time>("time"),
                                .message = row.Get<std::string>("message"),
                                .transaction_hash = row.Get<std::string>("transaction_hash"),
                                .object_id = row.Get<std::string>("object_id"),
                                .chain = row.Get<std::string>("chain")});
  }
  return {};
}

void SaveTransfers(pg::Transaction& tx, const std::vector<Change>& changes) {
  TransferColumns columns;
  for (const Change& change : changes) {
    const auto& before = change.before.transfers;
    for (std::size_t i = 0; i < change.after.transfers.size(); ++i) {
      const Transfer& transfer = change.after.transfers[i];
      if (i < before.size() && before[i] == transfer) continue;
      columns.Add(change.after.terms.payment_id, static_cast<int>(i), transfer);
    }
  }
  if (columns.payment_id.empty()) return;
  const TransferColumns& c = columns;
  tx.Execute(kUpsertTransfers, c.payment_id, c.transfer_id, c.arrival, c.chain, c.transaction_hash,
             c.unit, c.amount, c.from_address, c.to_address, c.finality, c.block_number,
             c.block_hash, c.block_time, c.orphaned, c.revision, c.disposition, c.decided,
             c.accepted, c.refundable, c.reviewed, c.was_orphaned, c.after_close);
}

void SaveTimeline(pg::Transaction& tx, const std::vector<Change>& changes) {
  TimelineColumns c;
  for (const Change& change : changes) {
    const auto& old = change.before.timeline;
    const std::int64_t last = old.empty() ? 0 : old.back().ordinal;
    for (const TimelineEntry& entry : change.after.timeline) {
      if (entry.ordinal > last) c.Add(change.after.terms.payment_id, entry);
    }
  }
  if (c.payment_id.empty()) return;
  tx.Execute(kInsertTimeline, c.payment_id, c.ordinal, c.kind, c.time, c.message,
             c.transaction_hash, c.object_id, c.chain);
}

void SaveRevisions(pg::Transaction& tx, const std::vector<Change>& changes,
                   const std::string& trace) {
  std::vector<std::string> ids;
  std::vector<std::int64_t> revisions;
  std::vector<int> from, to;
  for (const Change& change : changes) {
    for (const Revision& revision : change.revisions) {
      ids.push_back(change.after.terms.payment_id);
      revisions.push_back(revision.revision);
      from.push_back(static_cast<int>(revision.from));
      to.push_back(static_cast<int>(revision.to));
      AppendEvent(tx, change.after, revision.kind, revision.snapshot, trace);
    }
  }
  tx.Execute(kInsertTransitions, ids, revisions, from, to);
}

std::string JoinChains(const Terms& terms) {
  std::string joined;
  for (const Option& option : terms.options) {
    if (joined.find(option.chain + ",") != std::string::npos) continue;
    joined += option.chain + ",";
  }
  if (!joined.empty()) joined.pop_back();
  return joined;
}

}  // namespace

void InsertPayments(pg::Transaction& tx, const std::vector<CreatedPayment>& created) {
  if (created.empty()) return;
  NewPaymentColumns c;
  std::vector<std::int64_t> revisions;
  std::vector<int> from;
  for (const CreatedPayment& each : created) {
    const Payment& payment = *each.payment;
    c.Add(payment, JoinChains(payment.terms), TermsToProto(payment).SerializeAsString());
    revisions.push_back(payment.revision);
    from.push_back(0);
    AppendEvent(tx, payment, std::string(kPaymentCreated), each.snapshot, each.trace);
  }
  tx.Execute(kInsertPayments, c.payment_id, c.merchant_id, c.reference, c.price_unit, c.price_value,
             c.deposit_address, c.chains, c.terms, c.create_time, c.expire_time, c.state,
             c.registered);
  tx.Execute(kInsertTransitions, c.payment_id, revisions, from, c.state);
}

Result<std::vector<Payment>> LoadPayments(pg::Transaction& tx,
                                          const std::vector<std::string>& payment_ids, Lock lock) {
  std::vector<Payment> payments;
  if (payment_ids.empty()) return payments;
  static const std::string locked = std::string(kSelectPayments) + " FOR UPDATE";
  const pg::Rows rows = tx.Execute(
      lock == Lock::kForUpdate ? std::string_view(locked) : kSelectPayments, payment_ids);
  payments.reserve(rows.size());
  std::map<std::string, Payment*> by_id;
  std::vector<std::string> found;
  for (const pg::Row& row : rows) {
    ASSIGN_OR_RETURN(Payment payment, ReadPayment(row));
    payments.push_back(std::move(payment));
    found.push_back(payments.back().terms.payment_id);
    by_id[found.back()] = &payments.back();
  }
  RETURN_IF_ERROR(ReadChildren(tx, found, by_id));
  for (std::size_t i = 0; i < payments.size(); ++i)
    RETURN_IF_ERROR(CheckDrift(payments[i], rows[i]));
  return payments;
}

std::vector<AddressOwner> FindByAddress(pg::Transaction& tx,
                                        const std::vector<std::string>& addresses) {
  std::vector<AddressOwner> owners;
  const pg::Rows rows = tx.Execute(
      "SELECT deposit_address, payment_id FROM payment WHERE deposit_address = ANY($1::text[])",
      addresses);
  for (const pg::Row& row : rows) {
    owners.push_back({row.Get<std::string>("deposit_address"), row.Get<std::string>("payment_id")});
  }
  return owners;
}

Status SaveChanges(pg::Transaction& tx, const std::vector<Change>& changes,
                   const std::string& trace) {
  if (changes.empty()) return {};
  PaymentColumns c;
  for (const Change& change : changes) {
    const Checked checked = Compute(change.after);
    c.Add(change.before.revision, change.after);
    c.seen.push_back(checked.arrived.seen);
    c.confirmed.push_back(checked.arrived.confirmed);
    c.finalized.push_back(checked.arrived.finalized);
    c.gross.push_back(checked.gross);
    c.fee.push_back(checked.fee);
    c.net.push_back(checked.net);
  }
  const pg::Rows updated =
      tx.Execute(kUpdatePayments, c.payment_id, c.old_revision, c.update_time, c.expire_time,
                 c.state, c.flags, c.revision, c.registered, c.expired, c.expiry_deferred,
                 c.canceled, c.reversed, c.cancel_reason, c.bound_option_id, c.decided_gross,
                 c.seen, c.confirmed, c.finalized, c.gross, c.fee, c.net, c.transfers_left_out);
  if (updated.affected() != static_cast<std::int64_t>(changes.size())) {
    return Error::Aborted(std::string(reasons::kTransactionConflict),
                          "a payment was changed by somebody else");
  }
  SaveTransfers(tx, changes);
  SaveTimeline(tx, changes);
  SaveRevisions(tx, changes, trace);
  return {};
}

Time TransactionTime(pg::Transaction& tx) {
  return tx.Execute("SELECT now() AS now").front().Get<Time>("now");
}

}  // namespace paymesh::checkout
