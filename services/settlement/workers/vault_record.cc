#include "services/settlement/workers/vault_record.h"

#include <google/protobuf/util/time_util.h>
#include <grpcpp/channel.h>

#include <chrono>
#include <utility>

#include "common/rpc/client/client.h"
#include "paymesh/watcher/v1/chain_service.grpc.pb.h"
#include "services/settlement/domain/chain_transaction_call.h"

namespace paymesh::settlement {
namespace {

class WatcherVaultRecord final : public VaultRecord {
 public:
  WatcherVaultRecord(std::shared_ptr<grpc::Channel> watcher,
                     std::map<std::string, evm::Address> vaults)
      : vaults_(std::move(vaults)), chains_(watcher::v1::ChainService::NewStub(watcher)) {}

  Task<Result<VaultWord>> Paid(std::string chain, std::string payout_id) override {
    const auto vault = vaults_.find(chain);
    if (vault == vaults_.end()) {
      co_return Error::NotFound("CHAIN_NOT_FOUND", "there is no vault on " + chain);
    }
    ASSIGN_OR_CO_RETURN(const evm::Bytes data, PaidCallData(payout_id));
    watcher::v1::CallContractRequest request;
    request.set_chain(chain);
    request.set_to_address(vault->second.ToHex());
    request.set_data(std::string(data.begin(), data.end()));
    request.set_block_tag(watcher::v1::BLOCK_TAG_FINALIZED);
    using Async = watcher::v1::ChainService::StubInterface::async_interface;
    const rpc::CallOptions options{.timeout = std::chrono::seconds(5)};
    auto call =
        rpc::CallUnary(*chains_->async(), &Async::CallContract, std::move(request), options);
    const Result<watcher::v1::CallContractResponse> answer = co_await std::move(call);
    if (!answer.ok()) co_return answer.error();
    const std::string& returned = answer->data();
    VaultWord word;
    ASSIGN_OR_CO_RETURN(word.paid, ParseBool(evm::Bytes(returned.begin(), returned.end())));
    word.vault = vault->second.ToHex();
    word.block_number = answer->block().number();
    word.block_hash = answer->block().hash();
    if (answer->block().has_time()) {
      word.block_time = Time(std::chrono::microseconds(
          google::protobuf::util::TimeUtil::TimestampToMicroseconds(answer->block().time())));
    }
    co_return word;
  }

 private:
  const std::map<std::string, evm::Address> vaults_;
  const std::unique_ptr<watcher::v1::ChainService::StubInterface> chains_;
};

}  // namespace

std::unique_ptr<VaultRecord> MakeVaultRecord(std::shared_ptr<grpc::Channel> watcher,
                                             std::map<std::string, evm::Address> vaults) {
  return std::make_unique<WatcherVaultRecord>(std::move(watcher), std::move(vaults));
}

}  // namespace paymesh::settlement
