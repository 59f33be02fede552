// What there is to see of outboxes. By outbox: journal_head_position. By follower:
// journal_follower_position, journal_follower_lag_seconds (age of the last applied entry while
// entries wait, fail or cannot arrive, else 0), journal_follower_last_entry_timestamp_seconds,
// journal_follower_failed_attempts, journal_follower_connected, journal_follower_applied_total.
// Any thread.
#pragma once

#include <string>

namespace paymesh::runtime {
class Clock;
class Metrics;
}  // namespace paymesh::runtime

namespace paymesh::outbox {

class Follower;
class Hub;

// Read at each collection; all must outlive `metrics`' last Render.
void ExportFollower(runtime::Metrics& metrics, const runtime::Clock& clock, const std::string& name,
                    const Follower& follower);
void ExportHeads(runtime::Metrics& metrics, const Hub& hub);

}  // namespace paymesh::outbox
