// A follower's metrics, by follower name: journal_follower_position, journal_follower_lag_seconds
// (age of the last applied entry while entries wait or the stream is down, else 0),
// journal_follower_connected, journal_follower_stalled, journal_follower_applied_total.
// Any thread.
#pragma once

#include <string>

namespace paymesh::runtime {
class Clock;
class Metrics;
}  // namespace paymesh::runtime

namespace paymesh::journal {

class Follower;

// Read at each collection; all three must outlive `metrics`' last Render.
void ExportFollower(runtime::Metrics& metrics, const runtime::Clock& clock, const std::string& name,
                    const Follower& follower);

}  // namespace paymesh::journal
