#include "services/watcher/api/transfer_service.h"

#include <algorithm>
#include <charconv>

#include "common/outbox/follower/stream.h"
#include "common/trace/context.h"
#include "services/watcher/store/transfer_store.h"

namespace paymesh::watcher {
namespace {

constexpr int kMaxAddresses = 1'000;

// Kept only where somebody records the trace.
std::string RecordedTrace(const std::string& traceparent) {
  const auto context = trace::ParseTraceparent(traceparent);
  return context && context->sampled ? context->ToTraceparent() : std::string();
}

}  // namespace

TransferServiceImpl::TransferServiceImpl(rpc::CallRunner& calls, pg::Database& database,
                                         outbox::Hub& hub, const rpc::PageTokens& tokens,
                                         runtime::Executor executor)
    : calls_(calls),
      database_(database),
      hub_(hub),
      tokens_(tokens),
      registrar_(database, executor) {}

grpc::ServerUnaryReactor* TransferServiceImpl::WatchAddresses(
    grpc::CallbackServerContext* context, const pb::WatchAddressesRequest* request,
    pb::WatchAddressesResponse* response) {
  return rpc::Unary(calls_, context, request, response,
                    [this](rpc::Call&, const pb::WatchAddressesRequest& asked,
                           pb::WatchAddressesResponse*) { return DoWatch(asked); });
}

grpc::ServerUnaryReactor* TransferServiceImpl::ListTransfers(
    grpc::CallbackServerContext* context, const pb::ListTransfersRequest* request,
    pb::ListTransfersResponse* response) {
  return rpc::Unary(calls_, context, request, response,
                    [this](rpc::Call&, const pb::ListTransfersRequest& asked,
                           pb::ListTransfersResponse* answer) { return DoList(asked, answer); });
}

grpc::ServerWriteReactor<pb::StreamTransfersResponse>* TransferServiceImpl::StreamTransfers(
    grpc::CallbackServerContext* context, const pb::StreamTransfersRequest* request) {
  return rpc::Stream<pb::StreamTransfersResponse>(
      calls_, context, request,
      [this](rpc::Call&, const pb::StreamTransfersRequest& asked,
             rpc::Writer<pb::StreamTransfersResponse>& writer) {
        outbox::ServeOptions options{.outbox = "transfers", .after = asked.after_position()};
        return outbox::ServeEvents<pb::StreamTransfersResponse>(hub_, std::move(options), writer);
      });
}

Task<Status> TransferServiceImpl::DoWatch(const pb::WatchAddressesRequest& request) {
  if (request.addresses().empty()) co_return Error::InvalidField("addresses", "at least one");
  if (request.addresses_size() > kMaxAddresses) {
    co_return Error::InvalidField("addresses", "at most 1,000");
  }
  const int traces = request.traceparents_size();
  if (traces != 0 && traces != request.addresses_size()) {
    co_return Error::InvalidField("traceparents", "as many as addresses, or none");
  }
  std::vector<AddressToWatch> addresses;
  for (int i = 0; i < request.addresses_size(); ++i) {
    const auto address = evm::Address::Parse(request.addresses(i));
    if (!address.ok()) {
      co_return Error::InvalidField("addresses[" + std::to_string(i) + "]",
                                    address.error().message);
    }
    addresses.push_back({*address, traces == 0 ? "" : RecordedTrace(request.traceparents(i))});
  }
  co_return co_await registrar_.Watch(std::move(addresses));
}

Task<Status> TransferServiceImpl::DoList(const pb::ListTransfersRequest& request,
                                         pb::ListTransfersResponse* response) {
  ASSIGN_OR_CO_RETURN(const int size, rpc::PageSize(request.page_size()));
  TransferFilter filter;
  if (!request.chain().empty()) {
    const auto chain = ChainId::Parse(request.chain());
    if (!chain.ok()) co_return Error::InvalidField("chain", chain.error().message);
    filter.chain = chain->ToString();
  }
  if (!request.to_address().empty()) {
    const auto address = evm::Address::Parse(request.to_address());
    if (!address.ok()) co_return Error::InvalidField("to_address", address.error().message);
    filter.to = *address;
  }
  if (!request.transaction_hash().empty()) {
    const auto hash = evm::Hash32::Parse(request.transaction_hash());
    if (!hash.ok()) co_return Error::InvalidField("transaction_hash", hash.error().message);
    filter.transaction_hash = *hash;
  }
  const std::string scope = "ListTransfers|" + request.chain() + "|" + request.to_address() + "|" +
                            request.transaction_hash();
  ASSIGN_OR_CO_RETURN(const std::string position, tokens_.Decode(scope, request.page_token()));
  std::int64_t before = 0;
  std::from_chars(position.data(), position.data() + position.size(), before);
  auto list = [filter, before, size](pg::Transaction& tx) -> Result<std::vector<ListedTransfer>> {
    return watcher::ListTransfers(tx, filter, before, size + 1);
  };
  const pg::TransactOptions options{.name = "list_transfers", .access = pg::Access::kReadOnly};
  Result<std::vector<ListedTransfer>> found = co_await database_.Transact(options, list);
  if (!found.ok()) co_return found.error();
  const auto shown = std::min(found->size(), static_cast<std::size_t>(size));
  for (std::size_t i = 0; i < shown; ++i)
    *response->add_transfers() = ToProto((*found)[i].transfer);
  if (found->size() > shown) {
    response->set_next_page_token(
        tokens_.Encode(scope, std::to_string((*found)[shown - 1].sequence)));
  }
  co_return Status();
}

}  // namespace paymesh::watcher
