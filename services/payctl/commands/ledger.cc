// ledger accounts|journals|prove
#include "paymesh/settlement/v1/ledger_service.pb.h"
#include "services/payctl/commands/command.h"

namespace paymesh::payctl {
namespace {

namespace pb = settlement::v1;

struct AccountArguments {
  std::string account, owner, unit;
  unsigned code = 0;
  int limit = kDefaultLimit;
};

Table AccountTable(Session& session, const pb::ListAccountsResponse& reply) {
  Table table{{"ACCOUNT", "SIDE", "DEBITS", "CREDITS", "BALANCE", "LEGS"}, {}};
  for (const pb::Account& account : reply.accounts()) {
    table.rows.push_back({account.account_id(), EnumText(account.normal_side()),
                          session.Money(account.debits()), session.Money(account.credits()),
                          (account.negative() ? "-" : "") + session.Money(account.balance()),
                          std::to_string(account.leg_count())});
  }
  return table;
}

Status Accounts(Session& session, const AccountArguments& arguments) {
  pb::ListAccountsResponse reply;
  if (arguments.account.empty()) {
    pb::ListAccountsRequest request;
    request.set_owner(arguments.owner);
    request.set_code(arguments.code);
    request.set_unit(arguments.unit);
    RETURN_IF_ERROR(session.List(request, reply, arguments.limit));
  } else {
    pb::GetAccountRequest request;
    request.set_account_id(arguments.account);
    pb::GetAccountResponse one;
    RETURN_IF_ERROR(session.Call(request, one));
    *reply.add_accounts() = one.account();
  }
  session.Show(reply, AccountTable(session, reply));
  return {};
}

struct JournalArguments {
  std::string journal, payment, merchant, payout, account;
  int limit = kDefaultLimit;
};

// One row a leg: the journal's facts stand on its first.
Table JournalTable(Session& session, const pb::ListJournalsResponse& reply) {
  Table table{{"SEQUENCE", "RULE", "JOURNAL", "POSTED", "DEBIT", "CREDIT", "ACCOUNT"}, {}};
  for (const pb::Journal& journal : reply.journals()) {
    std::vector<std::string> facts = {std::to_string(journal.sequence()), journal.rule(),
                                      journal.journal_id(), TimeText(journal.post_time())};
    for (const pb::Leg& leg : journal.legs()) {
      const bool debit = leg.side() == pb::NORMAL_SIDE_DEBIT;
      std::vector<std::string> row = facts;
      row.push_back(debit ? session.Money(leg.amount()) : "");
      row.push_back(debit ? "" : session.Money(leg.amount()));
      row.push_back(leg.account_id());
      table.rows.push_back(std::move(row));
      if (session.options().output == OutputFormat::kTable) facts.assign(facts.size(), "");
    }
  }
  return table;
}

Status Journals(Session& session, const JournalArguments& arguments) {
  pb::ListJournalsResponse reply;
  if (arguments.journal.empty()) {
    pb::ListJournalsRequest request;
    request.set_payment_id(arguments.payment);
    request.set_merchant_id(arguments.merchant);
    request.set_payout_id(arguments.payout);
    request.set_account_id(arguments.account);
    RETURN_IF_ERROR(session.List(request, reply, arguments.limit));
  } else {
    pb::GetJournalRequest request;
    request.set_journal_id(arguments.journal);
    pb::GetJournalResponse one;
    RETURN_IF_ERROR(session.Call(request, one));
    *reply.add_journals() = one.journal();
  }
  session.Show(reply, JournalTable(session, reply));
  return {};
}

struct ProveArguments {
  std::string chain;
};

Status Prove(Session& session, const ProveArguments& arguments) {
  pb::ProveBalancesRequest request;
  request.set_chain(arguments.chain);
  pb::ProveBalancesResponse reply;
  RETURN_IF_ERROR(session.Call(request, reply));
  Table table{{"WHAT", "CHAIN", "BLOCK", "BOOK", "CHAIN_OR_CREDITS", "EQUAL", "ADDRESS"}, {}};
  for (const pb::BalanceProof& proof : reply.proofs()) {
    table.rows.push_back({proof.kind(), proof.chain(), std::to_string(proof.block().number()),
                          session.Money(proof.book()), session.Money(proof.on_chain()),
                          proof.equal() ? "yes" : "NO", proof.address()});
  }
  for (const pb::UnitTotal& total : reply.totals()) {
    table.rows.push_back({"debits = credits", "", "", session.Money(total.debits()),
                          session.Money(total.credits()), total.equal() ? "yes" : "NO", ""});
  }
  session.Show(reply, table);
  if (reply.proven()) return {};
  return Error{.code = ErrorCode::kUnknown,
               .reason = "NOT_PROVEN",
               .message = "the books and the chains differ in the lines that say NO"};
}

}  // namespace

void AddLedger(CLI::App& app, Session& session) {
  CLI::App& group = *AddGroup(app, "ledger", "the double-entry books, read only");
  auto [accounts_app, accounts] =
      AddCommand<AccountArguments>(group, session, "accounts", "balances", &Accounts);
  accounts_app->add_option("account", accounts->account, "only this account's id");
  accounts_app->add_option("--owner", accounts->owner, "a merchant, wallet, chain or contract");
  accounts_app->add_option("--code", accounts->code, "class, as 2110");
  accounts_app->add_option("--unit", accounts->unit, "only in this unit");
  AddLimit(*accounts_app, accounts->limit);
  auto [journals_app, journals] =
      AddCommand<JournalArguments>(group, session, "journals", "newest first", &Journals);
  journals_app->add_option("journal", journals->journal, "only this journal, jrn_…");
  journals_app->add_option("--payment", journals->payment, "only of this payment");
  journals_app->add_option("--merchant", journals->merchant, "only of this merchant");
  journals_app->add_option("--payout", journals->payout, "only of this payout");
  journals_app->add_option("--account", journals->account, "only with a leg on this account");
  AddLimit(*journals_app, journals->limit);
  auto [prove_app, prove] = AddCommand<ProveArguments>(
      group, session, "prove", "holds the books against the chains; exit 1 if they differ", &Prove);
  prove_app->add_option("--chain", prove->chain, "only this CAIP-2 chain");
}

}  // namespace paymesh::payctl
