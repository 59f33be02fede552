#include "services/routing/workers/market_worker.h"

#include <utility>

namespace paymesh::routing {
namespace {

using namespace std::chrono_literals;

}  // namespace

MarketWorker::MarketWorker(MarketSource& source, const Config& config, Market& market,
                           const runtime::Clock& clock, runtime::Logger& log,
                           runtime::Metrics& metrics)
    : source_(source),
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
  Result<std::vector<ChainFacts>> chains = co_await source_.ReadChains();
  if (!chains.ok()) co_return chains.error();
  chains_ = *std::move(chains);
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
  const Result<FeedRound> round = co_await source_.ReadFeed(feed.account);
  if (!round.ok()) co_return round.error();
  const Result<Rate> rate = Rate::FromScaledPrice(round->answer, round->decimals, 0, 0);
  if (!rate.ok()) co_return rate.error();
  const Time observed = round->update_time;
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
