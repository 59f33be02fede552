// What it costs to record an event: nanoseconds each, the median of several rounds, by one thread
// and by two that move the same metric. Fails when an event costs a microsecond or more. Usage:
// bench_metrics [--rounds N] [--events N]
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "common/rpc/call_metrics.h"
#include "paymesh/checkout/v1/payment_service.pb.h"

namespace {

using paymesh::rpc::CallMetrics;
using paymesh::runtime::Metrics;

constexpr double kLimit = 1'000;  // nanoseconds an event
constexpr char kTrace[] = "0af7651916cd43dd8448eb211c80319c";

struct Options {
  int rounds = 7;
  int events = 1'000'000;
};

// Nanoseconds an event, by `threads` at once.
double Measure(const Options& options, int threads, const std::function<void(int)>& events) {
  std::vector<double> rounds;
  for (int round = 0; round < options.rounds; ++round) {
    std::vector<std::thread> others;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 1; i < threads; ++i) others.emplace_back([&] { events(options.events); });
    events(options.events);
    for (std::thread& other : others) other.join();
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
    rounds.push_back(took.count() / options.events);
  }
  std::nth_element(rounds.begin(), rounds.begin() + options.rounds / 2, rounds.end());
  return rounds[static_cast<std::size_t>(options.rounds / 2)];
}

class Bench {
 public:
  explicit Bench(Options options) : options_(options) {}

  // `event` is called once for each event, with its number.
  template <class Event>
  void Run(const char* name, Event event) {
    const std::function<void(int)> events = [&event](int count) {
      for (int i = 0; i < count; ++i) event(i);
    };
    const double alone = Measure(options_, 1, events);
    const double contended = Measure(options_, 2, events);
    std::printf("%-40s %8.1f ns   two threads at once %8.1f ns\n", name, alone, contended);
    failed_ |= alone >= kLimit;
  }
  bool failed() const { return failed_; }

 private:
  const Options options_;
  bool failed_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("What it costs to record an event");
  app.add_option("--rounds", options.rounds)->check(CLI::Range(1, 100));
  app.add_option("--events", options.events)->check(CLI::Range(1'000, 100'000'000));
  CLI11_PARSE(app, argc, argv);

  Metrics metrics;
  auto& counter = metrics.Counter("a_total", "A counter.");
  auto& histogram = metrics.Traced("b_seconds", "A histogram.", Metrics::CallBuckets());
  const auto* service =
      paymesh::checkout::v1::CreatePaymentRequest::descriptor()->file()->FindServiceByName(
          "PaymentService");
  const CallMetrics call(metrics, paymesh::rpc::Side::kServer,
                         service->FindMethodByName("GetPayment"));
  const auto value = [](int i) { return .0001 * (i % 1'000); };

  Bench bench(options);
  bench.Run("a counter is incremented", [&](int) { counter.Increment(); });
  bench.Run("a histogram observes", [&](int i) { histogram.Observe(value(i)); });
  bench.Run("a histogram observes with an exemplar",
            [&](int i) { histogram.Observe(value(i), kTrace); });
  bench.Run("a metric is looked up again", [&](int) { metrics.Counter("a_total", "A counter."); });
  const auto record = [&](int i, const char* trace) {
    call.Started();
    call.Received();
    call.Sent();
    call.Handled(0, std::chrono::duration<double>(value(i)), trace);
  };
  bench.Run("a served call, all five metrics", [&](int i) { record(i, ""); });
  bench.Run("a served call that is sampled", [&](int i) { record(i, kTrace); });
  return bench.failed() ? 1 : 0;
}
