#include "services/routing/clients/watcher_client.h"

#include <optional>
#include <span>
#include <string>
#include <utility>

#include "common/evm/abi.h"
#include "common/rpc/client/client.h"
#include "paymesh/watcher/v1/chain_service.grpc.pb.h"
#include "services/routing/convert.h"
#include "services/routing/reasons.h"

namespace paymesh::routing {
namespace {

namespace watcherpb = ::paymesh::watcher::v1;
using Async = watcherpb::ChainService::StubInterface::async_interface;

constexpr std::chrono::seconds kTimeout{2};
constexpr std::uint64_t kMaxDecimals = 36;
constexpr std::uint64_t kEndOfTime = 253'402'300'799;  // 9999-12-31T23:59:59Z

// The data of a call without arguments.
std::string CallData(std::string_view signature) {
  const auto selector = evm::Selector(signature);
  return {selector.begin(), selector.end()};
}

std::optional<U256> Word(const std::string& data, std::size_t index) {
  if (data.size() < 32 * (index + 1)) return std::nullopt;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(data.data()) + 32 * index;
  return U256::FromBigEndian(std::span<const std::uint8_t, 32>(bytes, 32));
}

// `round` is (roundId, answer, startedAt, updatedAt, answeredInRound).
Result<FeedRound> ToRound(const std::string& decimals, const std::string& round) {
  const auto scale = Word(decimals, 0);
  const auto answer = Word(round, 1);
  const auto updated = Word(round, 3);
  const bool sane = scale && *scale <= U256(kMaxDecimals) && answer && !answer->IsZero() &&
                    answer->BitLength() < 255 &&  // a signed word: never negative
                    updated && updated->ToUint64().value_or(~0ULL) < kEndOfTime;
  if (!sane) {
    return Error::FailedPrecondition(std::string(reasons::kRateUnavailable),
                                     "the feed's answer makes no sense");
  }
  return FeedRound{.answer = *answer,
                   .decimals = static_cast<unsigned>(*scale->ToUint64()),
                   .update_time = Time(std::chrono::seconds(*updated->ToUint64()))};
}

class WatcherClient final : public MarketSource {
 public:
  WatcherClient(std::shared_ptr<grpc::ChannelInterface> channel, const runtime::Clock& clock)
      : stub_(watcherpb::ChainService::NewStub(std::move(channel))), clock_(clock) {}

  Task<Result<std::vector<ChainFacts>>> ReadChains() override {
    const rpc::CallOptions options{.timeout = kTimeout};
    auto list = rpc::CallUnary(*stub_->async(), &Async::ListChains, watcherpb::ListChainsRequest(),
                               options);
    const Result<watcherpb::ListChainsResponse> listed = co_await std::move(list);
    if (!listed.ok()) co_return listed.error();
    std::vector<ChainFacts> chains;
    for (const watcherpb::Chain& chain : listed->chains()) {
      watcherpb::EstimateFeesRequest request;
      request.set_chain(chain.chain());
      auto estimate = rpc::CallUnary(*stub_->async(), &Async::EstimateFees, request, options);
      const Result<watcherpb::EstimateFeesResponse> fees = co_await std::move(estimate);
      U256 max_fee;  // of a chain without an estimate: zero
      if (fees.ok()) {
        const Result<U256> parsed = U256::FromDecimal(fees->max_fee_per_gas());
        if (parsed.ok()) max_fee = *parsed;
      }
      auto facts = FromProto(chain, max_fee, clock_.Now());
      if (!facts) co_return Error::Internal("the watcher described a chain that makes no sense");
      chains.push_back(*std::move(facts));
    }
    co_return chains;
  }

  Task<Result<FeedRound>> ReadFeed(AccountId feed) override {
    watcherpb::CallContractRequest request;
    request.set_chain(feed.chain().ToString());
    request.set_to_address(feed.address());
    request.set_block_tag(watcherpb::BLOCK_TAG_LATEST);
    const rpc::CallOptions options{.timeout = kTimeout};
    request.set_data(CallData("decimals()"));
    auto ask_decimals = rpc::CallUnary(*stub_->async(), &Async::CallContract, request, options);
    const Result<watcherpb::CallContractResponse> decimals = co_await std::move(ask_decimals);
    if (!decimals.ok()) co_return decimals.error();
    request.set_data(CallData("latestRoundData()"));
    auto ask_round = rpc::CallUnary(*stub_->async(), &Async::CallContract, request, options);
    const Result<watcherpb::CallContractResponse> round = co_await std::move(ask_round);
    if (!round.ok()) co_return round.error();
    co_return ToRound(decimals->data(), round->data());
  }

 private:
  std::unique_ptr<watcherpb::ChainService::StubInterface> stub_;
  const runtime::Clock& clock_;
};

}  // namespace

std::unique_ptr<MarketSource> MakeWatcherClient(std::shared_ptr<grpc::ChannelInterface> channel,
                                                const runtime::Clock& clock) {
  return std::make_unique<WatcherClient>(std::move(channel), clock);
}

}  // namespace paymesh::routing
