#include "services/settlement/workers/balance_prover.h"

#include <grpcpp/channel.h>

#include <algorithm>
#include <map>
#include <utility>

#include "common/pg/database.h"
#include "common/rpc/client.h"
#include "paymesh/watcher/v1/chain_service.grpc.pb.h"
#include "services/settlement/store/ledger_store.h"

namespace paymesh::settlement {
namespace {

namespace pb = paymesh::watcher::v1;

constexpr std::size_t kMaxReads = 500;  // of one GetBalances
constexpr int kAttempts = 4;
constexpr std::chrono::milliseconds kPause{700};

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

void ReadHoldings(pg::Transaction& tx, const ChainProgress& progress, Books& books) {
  for (const pg::Row& row : tx.Execute(kBook, progress.chain, progress.finalized_number)) {
    HoldingProof proof;
    const auto code = static_cast<AccountCode>(row.Get<int>("code"));
    proof.chain = progress.chain;
    proof.unit = row.Get<std::string>("unit");
    proof.kind = code == AccountCode::kVault      ? "vault"
                 : code == AccountCode::kDeposits ? "deposits"
                                                  : "gas";
    if (code != AccountCode::kDeposits) proof.address = row.Get<std::string>("owner");
    const U256 debits = row.Get<U256>("debits"), credits = row.Get<U256>("credits");
    proof.negative = credits > debits;
    proof.book = SaturatingSub(debits, credits);
    proof.block = {progress.chain, progress.finalized_number, progress.finalized_hash,
                   progress.finalized_time.value_or(Time())};
    books.holdings.push_back(std::move(proof));
  }
}

Result<Books> ReadBooks(pg::Transaction& tx, const ChainProgress& progress,
                        const std::string& vault) {
  Books books;
  ReadHoldings(tx, progress, books);
  // Every address that ever had money and may still have some at the block.
  for (const pg::Row& row :
       tx.Execute("SELECT DISTINCT e.unit, e.to_address FROM transfer_evidence e"
                  " WHERE e.chain = $1 AND e.block_number <= $2 AND e.state <> 'ORPHANED'"
                  " AND e.to_address <> $3 AND e.amount > 0 AND"
                  " (SELECT coalesce(sum(CASE WHEN x.to_address = e.to_address THEN x.amount"
                  " ELSE -x.amount END), 0) FROM transfer_evidence x"
                  " WHERE (x.to_address = e.to_address OR x.from_address = e.to_address)"
                  " AND x.unit = e.unit AND x.state <> 'ORPHANED' AND x.block_number <= $2) <> 0"
                  " ORDER BY e.unit, e.to_address",
                  progress.chain, progress.finalized_number, vault)) {
    books.deposits[row.Get<std::string>("unit")].push_back(row.Get<std::string>("to_address"));
  }
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
    if (proof.kind != "deposits") {
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
    auto work = [progress, vault = config != nullptr ? config->vault : std::string()](
                    pg::Transaction& tx) { return ReadBooks(tx, progress, vault); };
    auto read = database_.Transact(options, work);
    Result<Books> books = co_await std::move(read);
    if (!books.ok()) co_return books.error();
    auto read_chain = ReadChain(reader_, progress, *books);
    const Status chain_read = co_await std::move(read_chain);
    if (!chain_read.ok()) co_return chain_read.error();
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
