#include "common/pg/idempotency.h"

#include <algorithm>
#include <numeric>

namespace paymesh::pg {
namespace {

constexpr std::size_t kMaxRequestIdBytes = 128;

constexpr char kClaim[] =
    "INSERT INTO idempotency (caller, method, request_id, request_hash, response)"
    " SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::bytea[])"
    " AS k (caller, method, request_id, request_hash, response) ORDER BY 1, 2, 3"
    " ON CONFLICT DO NOTHING RETURNING caller, method, request_id";
constexpr char kFind[] =
    "SELECT k.ordinal, i.request_hash = k.request_hash AS same, i.response"
    " FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[]) WITH ORDINALITY"
    " AS k (caller, method, request_id, request_hash, ordinal)"
    " JOIN idempotency i USING (caller, method, request_id)";
constexpr char kStore[] =
    "UPDATE idempotency i SET response = k.response"
    " FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[])"
    " AS k (caller, method, request_id, response)"
    " WHERE i.caller = k.caller AND i.method = k.method AND i.request_id = k.request_id"
    " AND i.response IS NULL";
constexpr char kForget[] =
    "DELETE FROM idempotency i USING unnest($1::text[], $2::text[], $3::text[])"
    " AS k (caller, method, request_id)"
    " WHERE i.caller = k.caller AND i.method = k.method AND i.request_id = k.request_id"
    " AND i.response IS NULL";
constexpr char kDeleteOld[] =
    "DELETE FROM idempotency WHERE ctid IN (SELECT ctid FROM idempotency WHERE create_time < $1"
    " ORDER BY create_time LIMIT $2 FOR UPDATE SKIP LOCKED)";

using Identity = std::tuple<std::string, std::string, std::string>;

Identity IdentityOf(const IdempotencyKey& key) { return Identity(key.Identity()); }

// The keys of some members as the columns that unnest takes.
struct Columns {
  std::vector<std::string> callers, methods, request_ids;
  std::vector<Bytea> hashes;

  void Add(const IdempotencyKey& key) {
    callers.push_back(key.caller);
    methods.push_back(key.method);
    request_ids.push_back(key.request_id);
    hashes.emplace_back(key.request_hash);
  }
};

// Claims of this transaction that have no answer yet.
struct Open {
  std::set<Identity> keys;
  bool watched = false;
};

void Watch(Transaction& tx) {
  Open& open = tx.Local<Open>();
  if (std::exchange(open.watched, true)) return;
  tx.BeforeCommit([](Transaction& ending) {
    if (ending.Local<Open>().keys.empty()) return;
    throw SqlError(std::string(kDecodeFailure), "a claimed request was given no answer");
  });
}

Error InProgress() {
  return Error::Aborted("REQUEST_IN_PROGRESS", "a request with this id is being worked on");
}

Result<std::optional<Bytea>> Replay(const Row& row) {
  if (!row.Get<bool>("same")) {
    return Error::AlreadyExists("IDEMPOTENCY_KEY_REUSED",
                                "this request id came before with another request");
  }
  auto response = row.Get<std::optional<Bytea>>("response");
  if (!response) return InProgress();
  return response;
}

// One outcome a key; those that are ours stand in `ours`. Empty responses: not known yet.
std::vector<Result<std::optional<Bytea>>> Insert(Transaction& tx,
                                                 const std::vector<IdempotencyKey>& keys,
                                                 const std::vector<Bytea>& responses,
                                                 std::set<Identity>& ours) {
  std::vector<Result<std::optional<Bytea>>> outcomes(keys.size(), InProgress());
  std::set<Identity> seen;
  Columns columns;
  std::vector<std::optional<Bytea>> answers;
  std::vector<std::size_t> members;  // of the columns, in keys
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!seen.insert(IdentityOf(keys[i])).second) continue;
    columns.Add(keys[i]);
    answers.push_back(responses.empty() ? std::nullopt : std::optional<Bytea>(responses[i]));
    members.push_back(i);
  }
  if (members.empty()) return outcomes;
  for (const Row row : tx.Execute(kClaim, columns.callers, columns.methods, columns.request_ids,
                                  columns.hashes, answers)) {
    ours.insert({row.Get<std::string>("caller"), row.Get<std::string>("method"),
                 row.Get<std::string>("request_id")});
  }
  Columns known;
  std::vector<std::size_t> known_members;
  for (const std::size_t i : members) {
    if (ours.contains(IdentityOf(keys[i]))) {
      outcomes[i] = std::optional<Bytea>();
    } else {
      known.Add(keys[i]);
      known_members.push_back(i);
    }
  }
  if (known_members.empty()) return outcomes;
  for (const Row row :
       tx.Execute(kFind, known.callers, known.methods, known.request_ids, known.hashes)) {
    const auto ordinal = static_cast<std::size_t>(row.Get<std::int64_t>("ordinal"));
    outcomes[known_members[ordinal - 1]] = Replay(row);
  }
  return outcomes;
}

}  // namespace

std::vector<Result<std::optional<Bytea>>> ClaimAll(Transaction& tx,
                                                   const std::vector<IdempotencyKey>& keys) {
  std::set<Identity> ours;
  auto outcomes = Insert(tx, keys, {}, ours);
  if (!ours.empty()) {
    Watch(tx);
    tx.Local<Open>().keys.merge(ours);
  }
  return outcomes;
}

std::vector<Result<std::optional<Bytea>>> ClaimAndAnswerAll(Transaction& tx,
                                                            const std::vector<IdempotencyKey>& keys,
                                                            const std::vector<Bytea>& responses) {
  if (keys.size() != responses.size()) {
    throw SqlError(std::string(kDecodeFailure), "not one answer a claim");
  }
  std::set<Identity> ours;
  return Insert(tx, keys, responses, ours);
}

Status CheckRequestId(std::string_view request_id) {
  const bool printable = std::all_of(request_id.begin(), request_id.end(),
                                     [](char letter) { return letter >= ' ' && letter <= '~'; });
  if (request_id.empty() || request_id.size() > kMaxRequestIdBytes || !printable) {
    return Error::InvalidField("request_id", "must have 1 to 128 printable ASCII characters");
  }
  return {};
}

Result<std::optional<Bytea>> Claim(Transaction& tx, const IdempotencyKey& key) {
  return std::move(ClaimAll(tx, {key})[0]);
}

void StoreAllResponses(Transaction& tx, const std::vector<IdempotencyKey>& keys,
                       const std::vector<Bytea>& responses) {
  if (keys.empty()) return;
  Columns columns;
  for (const IdempotencyKey& key : keys) columns.Add(key);
  const Rows stored =
      tx.Execute(kStore, columns.callers, columns.methods, columns.request_ids, responses);
  if (keys.size() != responses.size() ||
      stored.affected() != static_cast<std::int64_t>(keys.size())) {
    throw SqlError(std::string(kDecodeFailure), "an answer without a claim");
  }
  for (const IdempotencyKey& key : keys) tx.Local<Open>().keys.erase(IdentityOf(key));
}

void StoreResponse(Transaction& tx, const IdempotencyKey& key, const Bytea& response) {
  StoreAllResponses(tx, {key}, {response});
}

void ForgetClaims(Transaction& tx, const std::vector<IdempotencyKey>& keys) {
  if (keys.empty()) return;
  Columns columns;
  for (const IdempotencyKey& key : keys) columns.Add(key);
  tx.Execute(kForget, columns.callers, columns.methods, columns.request_ids);
  for (const IdempotencyKey& key : keys) tx.Local<Open>().keys.erase(IdentityOf(key));
}

std::int64_t DeleteOldResponses(Transaction& tx, Time before, int limit) {
  return tx.Execute(kDeleteOld, before, limit).affected();
}

struct InFlight::State {
  std::mutex mutex;
  std::set<Identity> keys;
};

InFlight::InFlight() : state_(std::make_shared<State>()) {}

Result<InFlight::Guard> InFlight::Enter(const IdempotencyKey& key) {
  Identity identity = IdentityOf(key);
  {
    std::lock_guard lock(state_->mutex);
    if (!state_->keys.insert(identity).second) return InProgress();
  }
  auto state = state_;
  // The token's end is the request's end; its pointee is not used.
  return Guard(std::shared_ptr<void>(state.get(), [state, identity](void*) {
    std::lock_guard lock(state->mutex);
    state->keys.erase(identity);
  }));
}

}  // namespace paymesh::pg
