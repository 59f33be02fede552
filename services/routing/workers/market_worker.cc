#include "services/routing/workers/market_worker.h"

#include "common/rpc/client.h"
#include "services/routing/convert.h"
#include "services/routing/reasons.h"

namespace paymesh::routing {
namespace {

using namespace std::chrono_literals;
using ChainApi = watcher::v1::ChainService::StubInterface::async_interface;

// latestRoundData() -> (roundId, answer, startedAt, updatedAt, answeredInRound); decimals().
constexpr std::string_view kLatestRoundData("\xfe\xaf\x96\x8c", 4);
constexpr std::string_view kDecimals("\x31\x3c\xe5\x67", 4);

std::optional<U256> Word(const std::string& data, std::size_t index) {
  if (data.size() < 32 * (index + 1)) return std::nullopt;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(data.data()) + 32 * index;
  return U256::FromBigEndian(std::span<const std::uint8_t, 32>(bytes, 32));
}

}  // namespace

MarketWorker::MarketWorker(std::shared_ptr<grpc::Channel> watcher, const Config& config,
                           Market& market, const runtime::Clock& clock, runtime::Logger& log,
                           runtime::Metrics& metrics)
    : stub_(watcher::v1::ChainService::NewStub(std::move(watcher))),
      config_(config),
      market_(market),
      clock_(clock),
      log_(log),
      metrics_(metrics) {
  for (const StaticRate& rate : config.static_rates) {
    static_rates_.push_back(
        {rate.base, rate.quote, *Rate::FromPrice(rate.price, 0, 0), "static", clock.Now()});
  }
}

Task<void> MarketWorker::Run() {
  auto next_feeds = clock_.Steady();
  for (;;) {
    const Status refreshed = co_await RefreshChains();
    if (refreshed.ok() != watcher_answers_) {
      watcher_answers_ = refreshed.ok();
      if (refreshed.ok()) {
        log_.Info("the watcher answers again");
      } else {
        log_.Warn("the watcher does not answer; decisions go on with what was known",
                  {{"err", refreshed.error().ToString()}});
      }
    }
    if (refreshed.ok() && clock_.Steady() >= next_feeds) {
      co_await RefreshFeeds();
      // A feed that cannot be read now (its chain is still being read, say) is asked again soon.
      const bool complete = feeds_.size() == config_.feeds.size();
      next_feeds = clock_.Steady() + (complete ? config_.feed_interval : config_.poll_interval);
    }
    if (!chains_.empty()) Publish();
    co_await runtime::SleepFor(refreshed.ok() ? config_.poll_interval : 250ms);
  }
}

Task<Status> MarketWorker::RefreshChains() {
  rpc::CallOptions options{.timeout = 2s};
  auto listed = co_await rpc::CallUnary(*stub_->async(), &ChainApi::ListChains,
                                        watcher::v1::ListChainsRequest(), options);
  if (!listed.ok()) co_return listed.error();
  std::vector<ChainFacts> chains;
  for (const auto& chain : listed->chains()) {
    U256 max_fee;
    watcher::v1::EstimateFeesRequest request;
    request.set_chain(chain.chain());
    auto fees = co_await rpc::CallUnary(*stub_->async(), &ChainApi::EstimateFees, request, options);
    if (fees.ok())
      max_fee = U256::FromDecimal(fees->max_fee_per_gas()).ok()
                    ? *U256::FromDecimal(fees->max_fee_per_gas())
                    : U256();
    auto facts = FromProto(chain, max_fee, clock_.Now());
    if (!facts) co_return Error::Internal("the watcher described a chain that makes no sense");
    chains.push_back(*std::move(facts));
  }
  chains_ = std::move(chains);
  co_return Status();
}

Task<void> MarketWorker::RefreshFeeds() {
  std::vector<RateEntry> entries;
  for (const FeedConfig& feed : config_.feeds) {
    auto entry = co_await ReadFeed(feed);
    if (entry.ok()) {
      entries.push_back(*std::move(entry));
    } else {
      log_.Warn("a price feed cannot be read",
                {{"pair", feed.base + "/" + feed.quote}, {"err", entry.error().ToString()}});
    }
  }
  feeds_ = std::move(entries);
}

Task<Result<RateEntry>> MarketWorker::ReadFeed(const FeedConfig& feed) {
  watcher::v1::CallContractRequest request;
  request.set_chain(feed.account.chain().ToString());
  request.set_to_address(feed.account.address());
  request.set_block_tag(watcher::v1::BLOCK_TAG_LATEST);
  rpc::CallOptions options{.timeout = 2s};
  request.set_data(std::string(kDecimals));
  auto decimals =
      co_await rpc::CallUnary(*stub_->async(), &ChainApi::CallContract, request, options);
  if (!decimals.ok()) co_return decimals.error();
  request.set_data(std::string(kLatestRoundData));
  auto round = co_await rpc::CallUnary(*stub_->async(), &ChainApi::CallContract, request, options);
  if (!round.ok()) co_return round.error();

  const auto scale = Word(decimals->data(), 0);
  const auto answer = Word(round->data(), 1);
  const auto updated = Word(round->data(), 3);
  const bool sane = scale && *scale <= U256(36) && answer && !answer->IsZero() &&
                    answer->BitLength() < 255 &&  // a signed word: never negative
                    updated && updated->ToUint64().value_or(~0ULL) < 253'402'300'799ULL;
  if (!sane) {
    co_return Error::FailedPrecondition(std::string(reasons::kRateUnavailable),
                                        "the feed's answer makes no sense");
  }
  auto rate = Rate::FromScaledPrice(*answer, static_cast<unsigned>(*scale->ToUint64()), 0, 0);
  if (!rate.ok()) co_return rate.error();
  const Time observed{std::chrono::seconds(*updated->ToUint64())};
  metrics_
      .Gauge("routing_quote_age_seconds", "Age of a pair's price by its source's own word.",
             {{"pair", feed.base + "/" + feed.quote}})
      .Set(std::chrono::duration<double>(clock_.Now() - observed).count());
  co_return RateEntry{feed.base, feed.quote,
                      *rate,     "feed:" + feed.account.ToString(),
                      observed,  observed + feed.max_age};
}

void MarketWorker::Publish() {
  MarketFacts facts;
  facts.chains = chains_;
  std::vector<RateEntry> entries = feeds_;  // before the static ones: a fresh feed wins
  entries.insert(entries.end(), static_rates_.begin(), static_rates_.end());
  facts.rates = RateTable(std::move(entries));
  market_.Publish(std::move(facts));
}

}  // namespace paymesh::routing
