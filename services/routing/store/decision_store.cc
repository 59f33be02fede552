#include "services/routing/store/decision_store.h"

#include <unordered_map>

namespace paymesh::routing {
namespace {

// Order by payment: two batches that share payments lock them alike.
constexpr std::string_view kInsert = R"sql(
  INSERT INTO decision (decision_id, payment_id, merchant_id, facts_hash, decision_hash,
                        option_count, rejected_count, decision, create_time)
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[],
                       $6::int[], $7::int[], $8::bytea[], $9::timestamptz[])
    AS new (decision_id, payment_id, merchant_id, facts_hash, decision_hash,
            option_count, rejected_count, decision, create_time)
  ORDER BY payment_id
  ON CONFLICT (payment_id) DO NOTHING
  RETURNING payment_id)sql";

constexpr std::string_view kSelectOfPayments = R"sql(
  SELECT decision_id, payment_id, merchant_id, facts_hash, decision_hash, option_count,
         rejected_count, decision, create_time
  FROM decision WHERE payment_id = ANY ($1::text[]))sql";

constexpr std::string_view kSelectById = R"sql(
  SELECT decision_id, payment_id, merchant_id, facts_hash, decision_hash, option_count,
         rejected_count, decision, create_time
  FROM decision WHERE decision_id = $1)sql";

constexpr std::string_view kLearn = R"sql(
  WITH told AS (
    SELECT DISTINCT ON (payment_id, lesson) payment_id, lesson, unit, confirm_seconds
    FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) WITH ORDINALITY
      AS l (payment_id, lesson, unit, confirm_seconds, place)
    ORDER BY payment_id, lesson, place),
  fresh AS (
    INSERT INTO payment_lesson (payment_id, lesson) SELECT payment_id, lesson FROM told
    ON CONFLICT DO NOTHING RETURNING payment_id, lesson)
  INSERT INTO option_outcome AS outcome (unit, bound, succeeded, confirm_seconds)
  SELECT unit, count(*) FILTER (WHERE lesson = 'bound'),
         count(*) FILTER (WHERE lesson = 'succeeded'), sum(confirm_seconds)
  FROM told JOIN fresh USING (payment_id, lesson) GROUP BY unit ORDER BY unit
  ON CONFLICT (unit) DO UPDATE SET
    bound = outcome.bound + excluded.bound,
    succeeded = outcome.succeeded + excluded.succeeded,
    confirm_seconds = outcome.confirm_seconds + excluded.confirm_seconds)sql";

StoredDecision Read(const pg::Row& row) {
  return {.decision_id = row.Get<std::string>("decision_id"),
          .payment_id = row.Get<std::string>("payment_id"),
          .merchant_id = row.Get<std::string>("merchant_id"),
          .facts_hash = row.Get<std::string>("facts_hash"),
          .decision_hash = row.Get<std::string>("decision_hash"),
          .option_count = row.Get<int>("option_count"),
          .rejected_count = row.Get<int>("rejected_count"),
          .bytes = row.Get<pg::Bytea>("decision").data,
          .create_time = row.Get<pg::Time>("create_time")};
}

std::optional<StoredDecision> ReadOne(const pg::Rows& rows) {
  if (rows.empty()) return std::nullopt;
  return Read(rows.front());
}

}  // namespace

std::vector<StoredDecision> InsertDecisions(pg::Transaction& tx,
                                            const std::vector<StoredDecision>& decisions) {
  std::vector<std::string> ids, payments, merchants, facts, hashes;
  std::vector<int> options, rejected;
  std::vector<pg::Bytea> bytes;
  std::vector<pg::Time> times;
  std::unordered_map<std::string, const StoredDecision*>
      firsts;  // a batch may name a payment twice
  for (const StoredDecision& each : decisions) {
    if (!firsts.emplace(each.payment_id, &each).second) continue;
    ids.push_back(each.decision_id);
    payments.push_back(each.payment_id);
    merchants.push_back(each.merchant_id);
    facts.push_back(each.facts_hash);
    hashes.push_back(each.decision_hash);
    options.push_back(each.option_count);
    rejected.push_back(each.rejected_count);
    bytes.push_back(pg::Bytea(each.bytes));
    times.push_back(each.create_time);
  }
  const pg::Rows inserted =
      tx.Execute(kInsert, ids, payments, merchants, facts, hashes, options, rejected, bytes, times);
  std::unordered_map<std::string, StoredDecision> stored;
  for (const pg::Row& row : inserted) {
    const auto payment = row.Get<std::string>("payment_id");
    stored.emplace(payment, *firsts.at(payment));
  }
  std::vector<std::string> before;
  for (const auto& [payment, decision] : firsts) {
    if (!stored.contains(payment)) before.push_back(payment);
  }
  if (!before.empty()) {
    for (const pg::Row& row : tx.Execute(kSelectOfPayments, before)) {
      StoredDecision old = Read(row);
      stored.insert_or_assign(old.payment_id, std::move(old));
    }
  }
  std::vector<StoredDecision> out;
  for (const StoredDecision& each : decisions) out.push_back(stored.at(each.payment_id));
  return out;
}

std::optional<StoredDecision> FindDecision(pg::Transaction& tx, const std::string& decision_id) {
  return ReadOne(tx.Execute(kSelectById, decision_id));
}

std::optional<StoredDecision> FindDecisionOfPayment(pg::Transaction& tx,
                                                    const std::string& payment_id) {
  return ReadOne(tx.Execute(kSelectOfPayments, std::vector<std::string>{payment_id}));
}

void Learn(pg::Transaction& tx, const std::vector<Lesson>& lessons) {
  if (lessons.empty()) return;
  std::vector<std::string> payments, kinds, units;
  std::vector<std::int64_t> seconds;
  for (const Lesson& lesson : lessons) {
    payments.push_back(lesson.payment_id);
    kinds.push_back(lesson.kind == Lesson::Kind::kBound ? "bound" : "succeeded");
    units.push_back(lesson.unit);
    seconds.push_back(lesson.confirm_seconds);
  }
  tx.Execute(kLearn, payments, kinds, units, seconds);
}

std::vector<Outcome> ListOutcomes(pg::Transaction& tx) {
  std::vector<Outcome> out;
  for (const pg::Row& row : tx.Execute("SELECT * FROM option_outcome ORDER BY unit")) {
    out.push_back({row.Get<std::string>("unit"), row.Get<std::int64_t>("bound"),
                   row.Get<std::int64_t>("succeeded"), row.Get<std::int64_t>("confirm_seconds")});
  }
  return out;
}

}  // namespace paymesh::routing
