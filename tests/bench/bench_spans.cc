// What a span costs the call that it describes, in nanoseconds: recorded, not sampled, and in a
// process that exports nothing. The kinds take turns, so that a busy machine is busy for all.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/trace/batch_processor.h"
#include "common/trace/tracer.h"

namespace {

using namespace paymesh;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr int kRepetitions = 5;
constexpr int kSpans = 200'000;

class Nowhere final : public trace::Exporter {
 public:
  Result<std::size_t> Export(const trace::Spans&, steady_clock::time_point) override {
    return std::size_t{0};
  }
  void Cancel() override {}
};

// What a served call does with its span.
void Serve(trace::Tracer& tracer, const trace::SpanContext& parent) {
  trace::Span span = tracer.Start("paymesh.checkout.v1.PaymentService/CreatePayment",
                                  {.kind = trace::Kind::kServer, .parent = &parent});
  span.Set("rpc.system", "grpc");
  span.Set("rpc.service", "paymesh.checkout.v1.PaymentService");
  span.Set("rpc.method", "CreatePayment");
  span.Set("payment_id", "pay_01m82swyg3yz95cp02aj3qt737");
  span.Set("rpc.grpc.status_code", std::int64_t{0});
}

struct Row {
  std::string what;
  std::function<void()> once;
  std::vector<double> nanoseconds = {};
};

void Measure(Row& row) {
  const auto begun = steady_clock::now();
  for (int i = 0; i < kSpans; ++i) row.once();
  row.nanoseconds.push_back(std::chrono::duration<double, std::nano>(steady_clock::now() - begun) /
                            1ns / kSpans);
}

}  // namespace

int main() {
  runtime::SystemClock clock;
  runtime::SystemRandom random;
  trace::BatchProcessor processor(std::make_unique<Nowhere>(), {});
  trace::Tracer silent(clock, random);
  trace::Tracer recording(clock, random, {.sink = &processor});
  const std::string text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const trace::SpanContext sampled = *trace::ParseTraceparent(text);
  trace::SpanContext unsampled = sampled;
  unsampled.sampled = false;
  std::array<Row, 4> rows{
      Row{"recorded, five attributes, to the queue", [&] { Serve(recording, sampled); }},
      Row{"not sampled", [&] { Serve(recording, unsampled); }},
      Row{"nothing is exported", [&] { Serve(silent, sampled); }},
      Row{"traceparent read and written",
          [&] { (void)trace::ParseTraceparent(text)->ToTraceparent(); }}};
  for (int i = 0; i < kRepetitions; ++i) {
    for (Row& row : rows) Measure(row);
  }
  std::printf("%-42s %8s %8s %8s\n", "nanoseconds a span", "median", "lowest", "highest");
  for (Row& row : rows) {
    std::sort(row.nanoseconds.begin(), row.nanoseconds.end());
    std::printf("%-42s %8.0f %8.0f %8.0f\n", row.what.c_str(), row.nanoseconds[kRepetitions / 2],
                row.nanoseconds.front(), row.nanoseconds.back());
  }
  processor.Shutdown(5s);
  const trace::BatchStats stats = processor.stats();
  std::printf("spans: %llu taken, %llu dropped because the queue was full\n",
              static_cast<unsigned long long>(stats.exported),
              static_cast<unsigned long long>(stats.dropped_full));
  const bool all = stats.exported + stats.dropped_full == std::uint64_t{kRepetitions} * kSpans;
  return all ? 0 : 1;
}
