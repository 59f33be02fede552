#include "services/watcher/api/chain_service.h"

#include <algorithm>

#include "services/watcher/reasons.h"

namespace paymesh::watcher {
namespace {

constexpr int kMaxQueries = 500;
constexpr std::size_t kMaxCallBytes = 64 * 1024;
// A chain that nobody has heard of for so long counts as unreachable, whatever its row says.
constexpr std::chrono::seconds kStaleContact{30};

pb::ChainState ToProto(ChainState state) {
  switch (state) {
    case ChainState::kSyncing:
      return pb::CHAIN_STATE_SYNCING;
    case ChainState::kFollowing:
      return pb::CHAIN_STATE_FOLLOWING;
    case ChainState::kUnreachable:
      return pb::CHAIN_STATE_UNREACHABLE;
    case ChainState::kHalted:
      return pb::CHAIN_STATE_HALTED;
  }
  return pb::CHAIN_STATE_UNSPECIFIED;
}

void SetDuration(std::chrono::milliseconds duration, google::protobuf::Duration* out) {
  out->set_seconds(duration.count() / 1'000);
  out->set_nanos(static_cast<std::int32_t>(duration.count() % 1'000 * 1'000'000));
}

BlockMark MarkOf(const Header& header) { return {header.id(), header.timestamp_seconds}; }

// How long a block takes to a level: what it took last, but no less than the configured depth.
std::chrono::milliseconds LevelTime(const runtime::ChainConfig& config, std::uint32_t depth,
                                    std::uint64_t head, std::uint64_t level) {
  const std::uint64_t blocks = std::max<std::uint64_t>(depth, head > level ? head - level : 0);
  return config.block_time * static_cast<std::int64_t>(std::min<std::uint64_t>(blocks, 100'000));
}

}  // namespace

#define PAYMESH_UNARY(method, Request, Response, call)                                            \
  grpc::ServerUnaryReactor* ChainServiceImpl::method(                                             \
      grpc::CallbackServerContext* context, const pb::Request* request, pb::Response* response) { \
    return rpc::Unary(calls_, context, request, response,                                         \
                      [this](rpc::Call&, [[maybe_unused]] const pb::Request& asked,               \
                             pb::Response* answer) { return call; });                             \
  }
PAYMESH_UNARY(ListChains, ListChainsRequest, ListChainsResponse, DoList(answer))
PAYMESH_UNARY(GetChain, GetChainRequest, GetChainResponse, DoGet(asked, answer))
PAYMESH_UNARY(EstimateFees, EstimateFeesRequest, EstimateFeesResponse, DoFees(asked, answer))
PAYMESH_UNARY(GetBalances, GetBalancesRequest, GetBalancesResponse, DoBalances(asked, answer))
PAYMESH_UNARY(CallContract, CallContractRequest, CallContractResponse, DoCall(asked, answer))
#undef PAYMESH_UNARY

Task<Result<std::optional<StoredChain>>> ChainServiceImpl::Load(std::string chain) {
  auto read = [chain](pg::Transaction& tx) -> Result<std::optional<StoredChain>> {
    return LoadChain(tx, chain);
  };
  const pg::TransactOptions options{.name = "get_chain", .access = pg::Access::kReadOnly};
  co_return co_await database_.Transact(options, read);
}

pb::Chain ChainServiceImpl::Render(const ChainHandle& handle,
                                   const std::optional<StoredChain>& stored) const {
  const runtime::ChainConfig& config = handle.config;
  const std::string id = config.chain.ToString();
  pb::Chain out;
  out.set_chain(id);
  out.set_display_name(config.name);
  SetDuration(config.block_time, out.mutable_block_time());
  for (const runtime::TokenConfig& token : config.tokens) {
    pb::Token* entry = out.add_tokens();
    entry->set_unit(token.unit().ToString());
    entry->set_symbol(token.symbol);
    entry->set_decimals(token.decimals);
    entry->set_currency(token.currency);
    entry->set_accepted(token.accepted);
  }
  const std::uint64_t head = stored ? stored->head.number : 0;
  const Levels levels = stored ? stored->levels : Levels{};
  SetDuration(LevelTime(config, config.safe_min_depth, head, levels.safe), out.mutable_safe_time());
  SetDuration(LevelTime(config, config.finalized_min_depth, head, levels.finalized),
              out.mutable_finalized_time());
  if (!stored) {
    out.set_state(pb::CHAIN_STATE_UNREACHABLE);
    out.set_status_reason(
        "the chain has not begun to be followed: no node has answered usefully yet");
    out.set_base_fee_per_gas("0");
    return out;
  }
  out.set_state(ToProto(stored->state));
  out.set_status_reason(stored->status_reason);
  const bool stale = !stored->contact_time || clock_.Now() - *stored->contact_time > kStaleContact;
  if (stale && stored->state != ChainState::kHalted) {
    out.set_state(pb::CHAIN_STATE_UNREACHABLE);
    if (stored->status_reason.empty()) out.set_status_reason("no contact with a node of late");
  }
  if (stored->head_header) ToProto(MarkOf(*stored->head_header), out.mutable_head_block());
  if (stored->safe_header) ToProto(MarkOf(*stored->safe_header), out.mutable_safe_block());
  if (stored->finalized_header) {
    ToProto(MarkOf(*stored->finalized_header), out.mutable_finalized_block());
  }
  out.set_node_head_number(stored->node_head_number);
  out.set_base_fee_per_gas(stored->base_fee_per_gas.ToString());
  out.set_reorgs_last_day(stored->reorgs_last_day);
  if (stored->contact_time) {
    const std::int64_t micros = stored->contact_time->time_since_epoch().count();
    out.mutable_contact_time()->set_seconds(micros / 1'000'000);
    out.mutable_contact_time()->set_nanos(static_cast<std::int32_t>(micros % 1'000'000 * 1'000));
  }
  return out;
}

Task<Status> ChainServiceImpl::DoList(pb::ListChainsResponse* response) {
  auto read = [](pg::Transaction& tx) -> Result<std::vector<StoredChain>> {
    return LoadChains(tx);
  };
  const pg::TransactOptions options{.name = "list_chains", .access = pg::Access::kReadOnly};
  Result<std::vector<StoredChain>> rows = co_await database_.Transact(options, read);
  if (!rows.ok()) co_return rows.error();
  for (const auto& [id, handle] : chains_.all()) {
    std::optional<StoredChain> stored;
    for (const StoredChain& row : *rows) {
      if (row.chain == id) stored = row;
    }
    *response->add_chains() = Render(handle, stored);
  }
  co_return Status();
}

Task<Status> ChainServiceImpl::DoGet(const pb::GetChainRequest& request,
                                     pb::GetChainResponse* response) {
  ASSIGN_OR_CO_RETURN(const ChainHandle* handle, chains_.Find(request.chain()));
  Result<std::optional<StoredChain>> stored = co_await Load(request.chain());
  if (!stored.ok()) co_return stored.error();
  *response->mutable_chain() = Render(*handle, *stored);
  co_return Status();
}

Task<Status> ChainServiceImpl::DoFees(const pb::EstimateFeesRequest& request,
                                      pb::EstimateFeesResponse* response) {
  ASSIGN_OR_CO_RETURN(const ChainHandle* handle, chains_.Find(request.chain()));
  Result<NodeBlock> latest = co_await handle->node->Latest();
  if (!latest.ok()) co_return latest.error();
  Result<U256> tip = co_await handle->node->PriorityFee();
  if (!tip.ok()) co_return tip.error();
  const U256& base = latest->header.base_fee_per_gas;
  const auto twice = CheckedMul(base, U256(2));
  const auto cap = twice ? CheckedAdd(*twice, *tip) : std::nullopt;
  if (!cap) co_return BadAnswer("impossible fees");
  response->set_base_fee_per_gas(base.ToString());
  response->set_max_priority_fee_per_gas(tip->ToString());
  response->set_max_fee_per_gas(cap->ToString());
  ToProto(MarkOf(latest->header), response->mutable_block());
  co_return Status();
}

Task<Result<Header>> ChainServiceImpl::BlockAt(std::string chain, pb::BlockTag tag) {
  Result<std::optional<StoredChain>> stored = co_await Load(std::move(chain));
  if (!stored.ok()) co_return stored.error();
  if (*stored) {
    const std::optional<Header>& header = tag == pb::BLOCK_TAG_SAFE ? (*stored)->safe_header
                                          : tag == pb::BLOCK_TAG_FINALIZED
                                              ? (*stored)->finalized_header
                                              : (*stored)->head_header;
    if (header) co_return *header;
  }
  co_return Error::Unavailable(std::string(reasons::kNodeUnavailable),
                               "the chain has not begun to be followed");
}

Task<Result<Header>> ChainServiceImpl::BlockNumbered(const ChainHandle& chain,
                                                     std::uint64_t number) {
  const std::string id = chain.config.chain.ToString();
  auto read = [id, number](pg::Transaction& tx) -> Result<std::optional<Header>> {
    return LoadHeader(tx, id, number);
  };
  const pg::TransactOptions options{.name = "load_header", .access = pg::Access::kReadOnly};
  Result<std::optional<Header>> stored = co_await database_.Transact(options, read);
  if (!stored.ok()) co_return stored.error();
  if (*stored) co_return **stored;
  Result<Header> head = co_await BlockAt(id, pb::BLOCK_TAG_LATEST);
  if (!head.ok()) co_return head.error();
  if (number > head->number) {
    co_return Error::InvalidField(
        "block_number", "the chain has been read up to " + std::to_string(head->number) + " only");
  }
  Result<std::vector<NodeBlock>> blocks = co_await chain.node->BlocksByNumber(number, number);
  if (!blocks.ok()) co_return blocks.error();
  if (blocks->empty()) co_return BadAnswer("no block at an old height");
  co_return blocks->front().header;
}

Task<Status> ChainServiceImpl::DoBalances(const pb::GetBalancesRequest& request,
                                          pb::GetBalancesResponse* response) {
  ASSIGN_OR_CO_RETURN(const ChainHandle* handle, chains_.Find(request.chain()));
  if (request.queries().empty()) co_return Error::InvalidField("queries", "at least one");
  if (request.queries_size() > kMaxQueries) co_return Error::InvalidField("queries", "at most 500");
  if (!pb::BlockTag_IsValid(request.block_tag())) {
    co_return Error::InvalidField("block_tag", "unknown");
  }
  const std::string native = "caip19/" + request.chain() + "/slip44:60";
  std::vector<NodeClient::BalanceQuestion> questions;
  std::vector<std::string> units;
  for (int i = 0; i < request.queries_size(); ++i) {
    const std::string field = "queries[" + std::to_string(i) + "].";
    NodeClient::BalanceQuestion question;
    const auto account = evm::Address::Parse(request.queries(i).address());
    if (!account.ok()) co_return Error::InvalidField(field + "address", account.error().message);
    question.account = *account;
    if (request.queries(i).unit() == native) {
      units.push_back(native);
    } else {
      const auto unit = Unit::Parse(request.queries(i).unit());
      if (!unit.ok() || !unit->asset() || unit->asset()->chain() != handle->config.chain) {
        co_return Error::InvalidField(field + "unit",
                                      "must be a token or the native coin of the chain");
      }
      question.token = evm::Address::Of(*unit->asset());
      units.push_back(unit->ToString());
    }
    questions.push_back(question);
  }
  Task<Result<Header>> find = request.has_block_number()
                                  ? BlockNumbered(*handle, request.block_number())
                                  : BlockAt(request.chain(), request.block_tag());
  Result<Header> at = co_await std::move(find);
  if (!at.ok()) co_return at.error();
  const std::vector<NodeClient::BalanceQuestion> asked = questions;
  Result<std::vector<U256>> balances =
      co_await handle->node->Balances(std::move(questions), at->id());
  if (!balances.ok()) co_return balances.error();
  for (std::size_t i = 0; i < balances->size(); ++i) {
    pb::Balance* balance = response->add_balances();
    balance->set_address(asked[i].account.ToHex());
    balance->mutable_amount()->set_unit(units[i]);
    balance->mutable_amount()->set_value((*balances)[i].ToString());
  }
  ToProto(MarkOf(*at), response->mutable_block());
  co_return Status();
}

Task<Status> ChainServiceImpl::DoCall(const pb::CallContractRequest& request,
                                      pb::CallContractResponse* response) {
  ASSIGN_OR_CO_RETURN(const ChainHandle* handle, chains_.Find(request.chain()));
  const auto to = evm::Address::Parse(request.to_address());
  if (!to.ok()) co_return Error::InvalidField("to_address", to.error().message);
  if (request.data().size() > kMaxCallBytes)
    co_return Error::InvalidField("data", "at most 64 KiB");
  if (!pb::BlockTag_IsValid(request.block_tag())) {
    co_return Error::InvalidField("block_tag", "unknown");
  }
  std::optional<evm::Address> from;
  if (!request.from_address().empty()) {
    const auto parsed = evm::Address::Parse(request.from_address());
    if (!parsed.ok()) co_return Error::InvalidField("from_address", parsed.error().message);
    from = *parsed;
  }
  Result<Header> at = co_await BlockAt(request.chain(), request.block_tag());
  if (!at.ok()) co_return at.error();
  const evm::ByteView view = evm::AsBytes(request.data());
  evm::Bytes data(view.begin(), view.end());
  Result<CallOutcome> outcome = co_await handle->node->Call(*to, std::move(data), from, at->id());
  if (!outcome.ok()) co_return outcome.error();
  if (outcome->reverted) {
    Error error =
        Error::FailedPrecondition(std::string(reasons::kCallReverted), "the call reverted");
    error.metadata["data"] = evm::HexEncode(outcome->data);
    co_return error;
  }
  response->set_data(std::string(outcome->data.begin(), outcome->data.end()));
  ToProto(MarkOf(*at), response->mutable_block());
  co_return Status();
}

}  // namespace paymesh::watcher
