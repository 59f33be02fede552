#include "common/journal/metrics.h"

#include <algorithm>
#include <chrono>

#include "common/journal/follower.h"
#include "common/runtime/clock.h"
#include "common/runtime/metrics.h"

namespace paymesh::journal {
namespace {

constexpr int kStalledAfter = 3;  // failures of one batch in a row

double LagSeconds(const FollowerStats& stats, pg::Time now) {
  const bool behind = !stats.connected || stats.failed_attempts > 0 || stats.buffered > 0;
  if (!behind || stats.last_entry_time == pg::Time()) return 0;
  return std::max(0.0, std::chrono::duration<double>(now - stats.last_entry_time).count());
}

}  // namespace

void ExportFollower(runtime::Metrics& metrics, const runtime::Clock& clock, const std::string& name,
                    const Follower& follower) {
  const runtime::Metrics::Labels labels{{"follower", name}};
  auto& position = metrics.Gauge("journal_follower_position", "The cursor.", labels);
  auto& lag = metrics.Gauge("journal_follower_lag_seconds",
                            "How far the applied entries are behind, when they are.", labels);
  auto& connected =
      metrics.Gauge("journal_follower_connected", "1 while the stream is open.", labels);
  auto& stalled =
      metrics.Gauge("journal_follower_stalled", "1 while an entry cannot be applied.", labels);
  auto& applied = metrics.Counter("journal_follower_applied_total", "Entries applied.", labels);
  metrics.OnCollect([&, &clock = clock, &follower = follower] {
    const FollowerStats stats = follower.stats();
    position.Set(static_cast<double>(stats.position));
    lag.Set(LagSeconds(stats, clock.Now()));
    connected.Set(stats.connected ? 1 : 0);
    stalled.Set(stats.failed_attempts >= kStalledAfter ? 1 : 0);
    const double more = static_cast<double>(stats.applied) - applied.Value();
    if (more > 0) applied.Increment(more);
  });
}

}  // namespace paymesh::journal
