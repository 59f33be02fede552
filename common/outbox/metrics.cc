#include "common/outbox/metrics.h"

#include <algorithm>
#include <chrono>

#include "common/outbox/follower/follower.h"
#include "common/outbox/hub/hub.h"
#include "common/runtime/clock.h"
#include "common/runtime/metrics.h"

namespace paymesh::outbox {
namespace {

double Seconds(pg::Time time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

double LagSeconds(const FollowerStats& stats, pg::Time now) {
  const bool behind = !stats.connected || stats.failed_attempts > 0 || stats.buffered > 0;
  if (!behind || stats.last_entry_time == pg::Time()) return 0;
  return std::max(0.0, std::chrono::duration<double>(now - stats.last_entry_time).count());
}

}  // namespace

void ExportFollower(runtime::Metrics& metrics, const runtime::Clock& clock, const std::string& name,
                    const Follower& follower) {
  const runtime::Metrics::Labels labels{{"follower", name}};
  auto& position =
      metrics.Gauge("journal_follower_position", "Position of the last applied entry.", labels);
  auto& lag = metrics.Gauge("journal_follower_lag_seconds",
                            "How far the applied entries are behind, when they are.", labels);
  auto& last = metrics.Gauge("journal_follower_last_entry_timestamp_seconds",
                             "When the last applied entry was written, Unix time.", labels);
  auto& attempts = metrics.Gauge("journal_follower_failed_attempts",
                                 "Failures in a row of the batch at hand.", labels);
  auto& connected =
      metrics.Gauge("journal_follower_connected", "1 while the stream is open.", labels);
  auto& applied = metrics.Counter("journal_follower_applied_total", "Entries applied.", labels);
  metrics.OnCollect([&, &clock = clock, &follower = follower] {
    const FollowerStats stats = follower.stats();
    position.Set(static_cast<double>(stats.position));
    lag.Set(LagSeconds(stats, clock.Now()));
    if (stats.last_entry_time != pg::Time()) last.Set(Seconds(stats.last_entry_time));
    attempts.Set(stats.failed_attempts);
    connected.Set(stats.connected ? 1 : 0);
    runtime::Follow(applied, static_cast<double>(stats.applied));
  });
}

void ExportHeads(runtime::Metrics& metrics, const Hub& hub) {
  metrics.OnCollect([&metrics, &hub] {
    for (const auto& [outbox, position] : hub.stats().heads) {
      metrics.Gauge("journal_head_position", "Position of the newest entry.", {{"journal", outbox}})
          .Set(static_cast<double>(position));
    }
  });
}

}  // namespace paymesh::outbox
