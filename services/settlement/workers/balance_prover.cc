#include "services/settlement/workers/balance_prover.h"

#include <grpcpp/channel.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "common/pg/database.h"
#include "common/rpc/client/client.h"
#include "paymesh/watcher/v1/chain_service.grpc.pb.h"
#include "services/settlement/store/ledger_store.h"

namespace paymesh::settlement {
namespace {

namespace pb = paymesh::watcher::v1;

constexpr std::size_t kMaxReads = 500;  // of one GetBalances
// Of these at most are deposits that hold nothing by our evidence, on each chain: as many as one
// more call reads.
constexpr std::size_t kMaxEmptyReads = 500;
constexpr int kAttempts = 4;
constexpr std::chrono::milliseconds kPause{700};
constexpr char kDepositsKind[] = "deposits";

// What stands in the books at a block, and which addresses must be read to compare.
struct Books {
  std::vector<HoldingProof> holdings;
  std::map<std::string, std::vector<std::string>> deposits;  // unit -> addresses
  std::vector<UnitSums> totals;
};

// Journals whose evidence is at or below the block. One that was reversed and its reversal say
// nothing about the chain, whichever block they name.
constexpr char kBook[] =
    "SELECT a.code, a.owner, a.unit,"
    " coalesce(sum(l.amount) FILTER (WHERE l.debit), 0) AS debits,"
    " coalesce(sum(l.amount) FILTER (WHERE NOT l.debit), 0) AS credits"
    " FROM ledger_journal j JOIN ledger_leg l USING (sequence)"
    " JOIN ledger_account a USING (account_number)"
    " LEFT JOIN ledger_journal r ON r.reverses_journal_id = j.journal_id"
    " WHERE j.chain = $1 AND j.block_number <= $2 AND j.reverses_journal_id IS NULL"
    " AND r.sequence IS NULL AND a.code IN (1100, 1120, 1160)"
    " GROUP BY a.code, a.owner, a.unit ORDER BY a.code, a.owner, a.unit";

BlockEvidence BlockOf(const ChainProgress& progress) {
  return {progress.chain, progress.finalized_number, progress.finalized_hash,
          progress.finalized_time.value_or(Time())};
}

void ReadHoldings(pg::Transaction& tx, const ChainProgress& progress, Books& books) {
  for (const pg::Row& row : tx.Execute(kBook, progress.chain, progress.finalized_number)) {
    HoldingProof proof;
    const auto code = static_cast<AccountCode>(row.Get<int>("code"));
    proof.chain = progress.chain;
    proof.unit = row.Get<std::string>("unit");
    proof.kind = code == AccountCode::kVault      ? "vault"
                 : code == AccountCode::kDeposits ? kDepositsKind
                                                  : "gas";
    if (code != AccountCode::kDeposits) proof.address = row.Get<std::string>("owner");
    const U256 debits = row.Get<U256>("debits"), credits = row.Get<U256>("credits");
    proof.booked = true;
    proof.negative = credits > debits;
    proof.book = SaturatingSub(debits, credits);
    proof.block = BlockOf(progress);
    books.holdings.push_back(std::move(proof));
  }
}

// Deposit addresses to look at though our evidence knows of nothing on them: the newest, and as
// many from anywhere. What the watcher overlooked would be there.
std::vector<std::string> SampleAddresses(pg::Transaction& tx, std::size_t most) {
  const auto limit = static_cast<std::int64_t>((most + 1) / 2);
  std::vector<std::string> addresses;
  for (const pg::Row& row : tx.Execute("SELECT address FROM deposit WHERE address IS NOT NULL"
                                       " ORDER BY payment_id DESC LIMIT $1::bigint",
                                       limit)) {
    addresses.push_back(row.Get<std::string>("address"));
  }
  // Whole blocks of the table are drawn, about as many rows as are wanted.
  const pg::Rows share = tx.Execute(
      "SELECT least(100, 200.0 * $1::bigint / greatest(reltuples, 1))::text AS percent"
      " FROM pg_class WHERE oid = 'deposit'::regclass",
      limit);
  for (const pg::Row& row :
       tx.Execute("SELECT address FROM deposit TABLESAMPLE SYSTEM ($1::text::float8)"
                  " WHERE address IS NOT NULL LIMIT $2::bigint",
                  share.front().Get<std::string>("percent"), limit)) {
    addresses.push_back(row.Get<std::string>("address"));
  }
  std::ranges::sort(addresses);
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  return addresses;
}

// Adds a sample to what is read; a token of which the books know nothing gets a line of its own.
void AddEmptyDeposits(pg::Transaction& tx, const ChainProgress& progress,
                      const std::vector<std::string>& units, Books& books) {
  if (units.empty()) return;
  const std::vector<std::string> sample = SampleAddresses(tx, kMaxEmptyReads / units.size());
  for (const std::string& unit : units) {
    std::vector<std::string>& known = books.deposits[unit];
    const std::set<std::string> holding(known.begin(), known.end());
    for (const std::string& address : sample) {
      if (!holding.contains(address)) known.push_back(address);
    }
    const bool has_line = std::ranges::any_of(books.holdings, [&](const HoldingProof& proof) {
      return proof.kind == kDepositsKind && proof.unit == unit;
    });
    if (has_line || known.empty()) continue;
    HoldingProof proof;
    proof.chain = progress.chain;
    proof.unit = unit;
    proof.kind = kDepositsKind;
    proof.block = BlockOf(progress);
    books.holdings.push_back(std::move(proof));
  }
}

Result<Books> ReadBooks(pg::Transaction& tx, const ChainProgress& progress,
                        const runtime::ChainConfig* config) {
  Books books;
  const std::string vault = config != nullptr ? config->vault : "";
  ReadHoldings(tx, progress, books);
  // Every address that has got money and still holds some at the block.
  for (const pg::Row& row :
       tx.Execute("SELECT address, unit FROM ("
                  " SELECT to_address AS address, unit, amount, true AS got FROM transfer_evidence"
                  " WHERE chain = $1 AND block_number <= $2 AND state <> 'ORPHANED'"
                  " AND to_address <> $3 AND amount > 0"
                  " UNION ALL"
                  " SELECT from_address, unit, -amount, false FROM transfer_evidence"
                  " WHERE chain = $1 AND block_number <= $2 AND state <> 'ORPHANED'"
                  ") moved GROUP BY address, unit HAVING bool_or(got) AND sum(amount) <> 0"
                  " ORDER BY unit, address",
                  progress.chain, progress.finalized_number, vault)) {
    books.deposits[row.Get<std::string>("unit")].push_back(row.Get<std::string>("address"));
  }
  std::vector<std::string> units;
  if (config != nullptr) {
    for (const runtime::TokenConfig& token : config->tokens)
      units.push_back(token.unit().ToString());
  }
  AddEmptyDeposits(tx, progress, units, books);
  return books;
}

Result<std::vector<UnitSums>> ReadTotals(pg::Transaction& tx) {
  std::vector<UnitSums> totals;
  for (const pg::Row& row : tx.Execute("SELECT unit, sum(debits) AS debits, sum(credits) AS credits"
                                       " FROM ledger_account GROUP BY unit ORDER BY unit")) {
    totals.push_back(
        {row.Get<std::string>("unit"), row.Get<U256>("debits"), row.Get<U256>("credits")});
  }
  return totals;
}

Result<std::vector<ChainProgress>> ReadProgress(pg::Transaction& tx) { return Progress(tx); }

// What is to be read from the chain, and which line each read adds to.
struct Reads {
  std::vector<BalanceRead> queries;
  std::vector<std::size_t> line;
};

Reads ReadsOf(const Books& books) {
  Reads reads;
  for (std::size_t i = 0; i < books.holdings.size(); ++i) {
    const HoldingProof& proof = books.holdings[i];
    if (proof.kind != kDepositsKind) {
      reads.queries.push_back({proof.address, proof.unit});
      reads.line.push_back(i);
      continue;
    }
    const auto addresses = books.deposits.find(proof.unit);
    if (addresses == books.deposits.end()) continue;
    for (const std::string& address : addresses->second) {
      reads.queries.push_back({address, proof.unit});
      reads.line.push_back(i);
    }
  }
  return reads;
}

class WatcherReader final : public BalanceReader {
 public:
  explicit WatcherReader(std::shared_ptr<grpc::Channel> watcher)
      : stub_(pb::ChainService::NewStub(watcher)) {}

  Task<Result<std::vector<U256>>> Read(std::string chain, std::uint64_t block,
                                       std::vector<BalanceRead> reads) override {
    pb::GetBalancesRequest request;
    request.set_chain(chain);
    request.set_block_number(block);
    for (const BalanceRead& read : reads) {
      pb::BalanceQuery& query = *request.add_queries();
      query.set_address(read.address);
      query.set_unit(read.unit);
    }
    using Async = pb::ChainService::StubInterface::async_interface;
    rpc::CallOptions options{.timeout = std::chrono::seconds(10)};
    auto call = rpc::CallUnary(*stub_->async(), &Async::GetBalances, std::move(request), options);
    const Result<pb::GetBalancesResponse> answer = co_await std::move(call);
    if (!answer.ok()) co_return answer.error();
    std::vector<U256> values;
    for (const pb::Balance& balance : answer->balances()) {
      ASSIGN_OR_CO_RETURN(const U256 value, U256::FromDecimal(balance.amount().value()));
      values.push_back(value);
    }
    if (values.size() != reads.size()) co_return Error::Internal("balances are missing");
    co_return values;
  }

 private:
  std::unique_ptr<pb::ChainService::StubInterface> stub_;
};

Task<Status> ReadChain(BalanceReader& reader, const ChainProgress progress, Books& books) {
  const Reads reads = ReadsOf(books);
  for (std::size_t from = 0; from < reads.queries.size(); from += kMaxReads) {
    const std::size_t to = std::min(reads.queries.size(), from + kMaxReads);
    std::vector<BalanceRead> some(reads.queries.begin() + static_cast<std::ptrdiff_t>(from),
                                  reads.queries.begin() + static_cast<std::ptrdiff_t>(to));
    auto read = reader.Read(progress.chain, progress.finalized_number, std::move(some));
    const Result<std::vector<U256>> values = co_await std::move(read);
    if (!values.ok()) co_return values.error();
    for (std::size_t i = 0; i < values->size(); ++i) {
      U256& sum = books.holdings[reads.line[from + i]].on_chain;
      sum = CheckedAdd(sum, (*values)[i]).value_or(U256::Max());
    }
  }
  co_return Status();
}

}  // namespace

std::unique_ptr<BalanceReader> WatcherBalances(std::shared_ptr<grpc::Channel> watcher) {
  return std::make_unique<WatcherReader>(std::move(watcher));
}

bool ProofOfBalances::proven() const {
  return std::all_of(holdings.begin(), holdings.end(),
                     [](const HoldingProof& one) { return one.equal(); }) &&
         std::all_of(totals.begin(), totals.end(),
                     [](const UnitSums& one) { return one.debits == one.credits; });
}

Task<Result<ProofOfBalances>> BalanceProver::ProveOnce(std::string chain) {
  const pg::TransactOptions options{.name = "prove_balances",
                                    .isolation = pg::Isolation::kRepeatableRead,
                                    .access = pg::Access::kReadOnly};
  auto read_progress = database_.Transact(options, ReadProgress);
  const Result<std::vector<ChainProgress>> all = co_await std::move(read_progress);
  if (!all.ok()) co_return all.error();
  ProofOfBalances proof;
  bool found = false;
  for (const ChainProgress& progress : *all) {
    if (!chain.empty() && progress.chain != chain) continue;
    found = true;
    if (progress.finalized_hash.empty()) continue;
    const Result<ChainId> id = ChainId::Parse(progress.chain);
    const runtime::ChainConfig* config = id.ok() ? chains_.Find(*id) : nullptr;
    auto work = [progress, config](pg::Transaction& tx) { return ReadBooks(tx, progress, config); };
    auto read = database_.Transact(options, work);
    Result<Books> books = co_await std::move(read);
    if (!books.ok()) co_return books.error();
    auto read_chain = ReadChain(reader_, progress, *books);
    const Status chain_read = co_await std::move(read_chain);
    if (!chain_read.ok()) co_return chain_read.error();
    // A token that is nowhere, in the books or on the chain, is not worth a line.
    std::erase_if(books->holdings, [](const HoldingProof& one) {
      return one.kind == kDepositsKind && !one.booked && one.on_chain.IsZero();
    });
    std::move(books->holdings.begin(), books->holdings.end(), std::back_inserter(proof.holdings));
  }
  if (!found && !chain.empty()) {
    co_return Error::Unavailable("CHAIN_NOT_READ", "nothing is known of the chain yet");
  }
  auto read_totals = database_.Transact(options, ReadTotals);
  Result<std::vector<UnitSums>> totals = co_await std::move(read_totals);
  if (!totals.ok()) co_return totals.error();
  proof.totals = *std::move(totals);
  co_return proof;
}

Task<Result<ProofOfBalances>> BalanceProver::Prove(std::string chain) {
  if (!chain.empty()) {
    const Result<ChainId> id = ChainId::Parse(chain);
    if (!id.ok()) co_return Error::InvalidField("chain", id.error().message);
    if (chains_.Find(*id) == nullptr) {
      co_return Error::NotFound("CHAIN_NOT_FOUND", "there is no such chain");
    }
  }
  for (int attempt = 1;; ++attempt) {
    auto once = ProveOnce(chain);
    Result<ProofOfBalances> proof = co_await std::move(once);
    if (!proof.ok() || proof->proven() || attempt == kAttempts) co_return proof;
    co_await runtime::SleepFor(kPause);
  }
}

}  // namespace paymesh::settlement
