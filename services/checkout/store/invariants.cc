#include "services/checkout/store/invariants.h"

#include <array>

namespace paymesh::checkout {
namespace {

constexpr std::array kInvariants{
    // A payment's revisions are 1..n, each in the history exactly once, ending in its state.
    pg::Invariant{"revisions_gapless", R"sql(
      SELECT count(*) AS n FROM payment WHERE update_time > now() - interval '1 hour' AND (
        revision <> (SELECT count(*) FROM payment_transition t
                     WHERE t.payment_id = payment.payment_id)
        OR state <> (SELECT to_state FROM payment_transition t
                     WHERE t.payment_id = payment.payment_id
                       AND t.revision = payment.revision)))sql"},
    // Each step starts where the one before ended.
    pg::Invariant{"transitions_chained", R"sql(
      SELECT count(*) AS n FROM payment_transition later
      WHERE later.time > now() - interval '1 hour' AND later.revision > 1 AND NOT EXISTS (
        SELECT 1 FROM payment_transition earlier WHERE earlier.payment_id = later.payment_id
          AND earlier.revision = later.revision - 1 AND earlier.to_state = later.from_state))sql"},
    // Each revision has exactly one journal entry.
    pg::Invariant{"events_match_revisions", R"sql(
      SELECT count(*) AS n FROM payment WHERE update_time > now() - interval '1 hour'
        AND revision <> (SELECT count(*) FROM journal_entry
                         WHERE journal = 'events' AND subject = payment.payment_id))sql"},
    // Every part of a decided transfer is owed to somebody, and no payment accepts more than is
    // due.
    pg::Invariant{"allocation_complete", R"sql(
      SELECT count(*) AS n FROM payment_transfer JOIN payment USING (payment_id)
      WHERE payment.state = 6 AND NOT orphaned
        AND (NOT decided OR accepted + refundable <> amount))sql"},
    // What was accepted is what the transfers moved, less what is owed back.
    pg::Invariant{"gross_is_accepted", R"sql(
      SELECT count(*) AS n FROM payment WHERE state = 6 AND gross <> (
        SELECT coalesce(sum(accepted), 0) FROM payment_transfer t
        WHERE t.payment_id = payment.payment_id AND NOT t.orphaned))sql"},
    // Money in a closed payment is money that somebody has looked at or that made it close.
    pg::Invariant{"no_money_forgotten", R"sql(
      SELECT count(*) AS n FROM payment WHERE state IN (7, 8) AND EXISTS (
        SELECT 1 FROM payment_transfer t
        WHERE t.payment_id = payment.payment_id AND NOT t.orphaned))sql"},
    // Every transfer is to its payment's address.
    pg::Invariant{"transfers_at_address", R"sql(
      SELECT count(*) AS n FROM payment_transfer JOIN payment USING (payment_id)
      WHERE NOT orphaned AND to_address <> deposit_address)sql"},
};

}  // namespace

std::span<const pg::Invariant> Invariants() { return kInvariants; }

}  // namespace paymesh::checkout
