#include "services/settlement/api/ledger_service.h"

#include <utility>

#include "services/settlement/api/ledger_convert.h"
#include "services/settlement/api/position.h"
#include "services/settlement/store/ledger_store.h"

namespace paymesh::settlement {
namespace {

constexpr pg::TransactOptions kRead{.name = "read_ledger", .access = pg::Access::kReadOnly};

}  // namespace

Task<Status> LedgerServiceApi::DoGetJournal(rpc::Call&, const v1::GetJournalRequest& request,
                                            v1::GetJournalResponse* response) {
  auto work = [id = request.journal_id()](pg::Transaction& tx) -> Result<std::optional<Journal>> {
    if (id.empty()) return std::optional<Journal>();
    return FindJournal(tx, id);
  };
  auto run = database_.Transact(kRead, work);
  const Result<std::optional<Journal>> journal = co_await std::move(run);
  if (!journal.ok()) co_return journal.error();
  if (!journal->has_value()) {
    co_return Error::NotFound("JOURNAL_NOT_FOUND", "there is no such journal");
  }
  ToProto(**journal, response->mutable_journal());
  co_return Status();
}

Task<Status> LedgerServiceApi::DoListJournals(rpc::Call& call,
                                              const v1::ListJournalsRequest& request,
                                              v1::ListJournalsResponse* response) {
  ASSIGN_OR_CO_RETURN(const int size, rpc::PageSize(request.page_size()));
  CO_RETURN_IF_ERROR(CheckFilter(request.payment_id(), "payment_id"));
  CO_RETURN_IF_ERROR(CheckFilter(request.merchant_id(), "merchant_id"));
  CO_RETURN_IF_ERROR(CheckFilter(request.payout_id(), "payout_id"));
  CO_RETURN_IF_ERROR(CheckFilter(request.account_id(), "account_id"));
  JournalFilter filter{.payment_id = request.payment_id(),
                       .merchant_id = request.merchant_id(),
                       .payout_id = request.payout_id(),
                       .account_id = request.account_id()};
  const std::string scope = call.method() + "|" + filter.payment_id + "|" + filter.merchant_id +
                            "|" + filter.payout_id + "|" + filter.account_id;
  ASSIGN_OR_CO_RETURN(const std::string token, tokens_.Decode(scope, request.page_token()));
  ASSIGN_OR_CO_RETURN(const std::int64_t before, ParsePosition(token));
  auto work = [filter, before, size](pg::Transaction& tx) -> Result<std::vector<Journal>> {
    return ListJournalRows(tx, filter, before, size);
  };
  auto run = database_.Transact(kRead, work);
  const Result<std::vector<Journal>> journals = co_await std::move(run);
  if (!journals.ok()) co_return journals.error();
  for (const Journal& journal : *journals) ToProto(journal, response->add_journals());
  if (journals->size() == static_cast<std::size_t>(size) && journals->back().sequence > 1) {
    response->set_next_page_token(tokens_.Encode(scope, std::to_string(journals->back().sequence)));
  }
  co_return Status();
}

Task<Status> LedgerServiceApi::DoGetAccount(rpc::Call&, const v1::GetAccountRequest& request,
                                            v1::GetAccountResponse* response) {
  auto work = [id = request.account_id()](pg::Transaction& tx) -> Result<std::vector<AccountRow>> {
    if (id.empty()) return std::vector<AccountRow>();
    AccountFilter filter;
    filter.account_id = id;
    return ListAccountRows(tx, filter, "", 1);
  };
  auto run = database_.Transact(kRead, work);
  const Result<std::vector<AccountRow>> rows = co_await std::move(run);
  if (!rows.ok()) co_return rows.error();
  if (rows->empty()) co_return Error::NotFound("ACCOUNT_NOT_FOUND", "there is no such account");
  ToProto(rows->front(), response->mutable_account());
  co_return Status();
}

Task<Status> LedgerServiceApi::DoListAccounts(rpc::Call& call,
                                              const v1::ListAccountsRequest& request,
                                              v1::ListAccountsResponse* response) {
  ASSIGN_OR_CO_RETURN(const int size, rpc::PageSize(request.page_size()));
  CO_RETURN_IF_ERROR(CheckFilter(request.owner(), "owner"));
  CO_RETURN_IF_ERROR(CheckFilter(request.unit(), "unit"));
  if (request.code() > 9'999) co_return Error::InvalidField("code", "must have four digits");
  AccountFilter filter{.owner = request.owner(), .code = request.code(), .unit = request.unit()};
  const std::string scope =
      call.method() + "|" + filter.owner + "|" + std::to_string(filter.code) + "|" + filter.unit;
  ASSIGN_OR_CO_RETURN(const std::string after, tokens_.Decode(scope, request.page_token()));
  auto work = [filter, after, size](pg::Transaction& tx) -> Result<std::vector<AccountRow>> {
    return ListAccountRows(tx, filter, after, size);
  };
  auto run = database_.Transact(kRead, work);
  const Result<std::vector<AccountRow>> rows = co_await std::move(run);
  if (!rows.ok()) co_return rows.error();
  for (const AccountRow& row : *rows) ToProto(row, response->add_accounts());
  if (rows->size() == static_cast<std::size_t>(size)) {
    response->set_next_page_token(tokens_.Encode(scope, rows->back().key.ToString()));
  }
  co_return Status();
}

Task<Status> LedgerServiceApi::DoProve(rpc::Call&, const v1::ProveBalancesRequest& request,
                                       v1::ProveBalancesResponse* response) {
  auto prove = prover_.Prove(request.chain());
  const Result<ProofOfBalances> proof = co_await std::move(prove);
  if (!proof.ok()) co_return proof.error();
  for (const HoldingProof& holding : proof->holdings) {
    v1::BalanceProof& line = *response->add_proofs();
    line.set_chain(holding.chain);
    line.set_unit(holding.unit);
    line.set_kind(holding.kind);
    line.set_address(holding.address);
    ToProto(holding.unit, holding.book, line.mutable_book());
    ToProto(holding.unit, holding.on_chain, line.mutable_on_chain());
    line.set_equal(holding.equal());
    line.mutable_block()->set_number(holding.block.number);
    line.mutable_block()->set_hash(holding.block.hash);
    ToProto(holding.block.time, line.mutable_block()->mutable_time());
  }
  for (const UnitSums& sums : proof->totals) {
    v1::UnitTotal& total = *response->add_totals();
    total.set_unit(sums.unit);
    ToProto(sums.unit, sums.debits, total.mutable_debits());
    ToProto(sums.unit, sums.credits, total.mutable_credits());
    total.set_equal(sums.debits == sums.credits);
  }
  response->set_proven(proof->proven());
  co_return Status();
}

grpc::ServerUnaryReactor* LedgerServiceApi::GetJournal(grpc::CallbackServerContext* context,
                                                       const v1::GetJournalRequest* request,
                                                       v1::GetJournalResponse* response) {
  return rpc::Unary(calls_, context, request, response,
                    [this](auto&&... args) { return DoGetJournal(args...); });
}
grpc::ServerUnaryReactor* LedgerServiceApi::ListJournals(grpc::CallbackServerContext* context,
                                                         const v1::ListJournalsRequest* request,
                                                         v1::ListJournalsResponse* response) {
  return rpc::Unary(calls_, context, request, response,
                    [this](auto&&... args) { return DoListJournals(args...); });
}
grpc::ServerUnaryReactor* LedgerServiceApi::GetAccount(grpc::CallbackServerContext* context,
                                                       const v1::GetAccountRequest* request,
                                                       v1::GetAccountResponse* response) {
  return rpc::Unary(calls_, context, request, response,
                    [this](auto&&... args) { return DoGetAccount(args...); });
}
grpc::ServerUnaryReactor* LedgerServiceApi::ListAccounts(grpc::CallbackServerContext* context,
                                                         const v1::ListAccountsRequest* request,
                                                         v1::ListAccountsResponse* response) {
  return rpc::Unary(calls_, context, request, response,
                    [this](auto&&... args) { return DoListAccounts(args...); });
}
grpc::ServerUnaryReactor* LedgerServiceApi::ProveBalances(grpc::CallbackServerContext* context,
                                                          const v1::ProveBalancesRequest* request,
                                                          v1::ProveBalancesResponse* response) {
  return rpc::Unary(calls_, context, request, response,
                    [this](auto&&... args) { return DoProve(args...); });
}

}  // namespace paymesh::settlement
