#include "common/trace/tracer.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace paymesh::trace {
namespace {

using namespace std::chrono_literals;

class Kept final : public Sink {
 public:
  void Take(std::unique_ptr<SpanData> span) override { spans.push_back(std::move(span)); }
  std::vector<std::unique_ptr<SpanData>> spans;
};

struct Fixture {
  explicit Fixture(Sampler sampler = {})
      : tracer(clock, random, {.sampler = sampler, .sink = &kept}) {}
  runtime::FakeClock clock;
  runtime::SeededRandom random{1};
  Kept kept;
  Tracer tracer;
};

const std::string kYes = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const std::string kNo = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

TEST(Tracer, AChildSharesItsParentsTraceAndState) {
  Fixture f;
  SpanContext parent = *ParseTraceparent(kYes);
  parent.state = "vendor=1";
  Span span = f.tracer.Start("work", {.kind = Kind::kServer, .parent = &parent});
  EXPECT_EQ(span.context().trace_id, parent.trace_id);
  EXPECT_NE(span.context().span_id, parent.span_id);
  EXPECT_EQ(span.context().state, "vendor=1");
  EXPECT_TRUE(span.context().sampled);
  f.clock.Advance(1500us);
  span.Set("rpc.method", "Decide");
  span.Set("count", std::int64_t{3});
  span.Set("ok", true);
  span.AddEvent("retried");
  span.SetOutcome(Outcome::kError, "no");
  span.End();
  span.End();
  ASSERT_EQ(f.kept.spans.size(), 1U);
  const SpanData& data = *f.kept.spans[0];
  EXPECT_EQ(data.parent, parent.span_id);
  EXPECT_EQ(data.end - data.start, 1500us);
  EXPECT_EQ(data.attributes.size(), 3U);
  EXPECT_EQ(std::get<std::string>(data.attributes[0].second), "Decide");
  EXPECT_EQ(data.events.size(), 1U);
  EXPECT_EQ(data.message, "no");
}

TEST(Tracer, ASpanThatIsNotSampledHasIdsAndNothingElse) {
  Fixture f;
  const SpanContext parent = *ParseTraceparent(kNo);
  {
    Span span = f.tracer.Start("work", {.parent = &parent});
    EXPECT_FALSE(span.recording());
    EXPECT_TRUE(span.context().valid());
    EXPECT_NE(span.context().span_id, parent.span_id);
    EXPECT_FALSE(span.context().sampled);
    span.Set("key", "value");
    span.SetOutcome(Outcome::kError);
  }
  EXPECT_TRUE(f.kept.spans.empty());
}

TEST(Tracer, WithoutASinkTheCallersContextGoesOnAsItCame) {
  runtime::FakeClock clock;
  runtime::SeededRandom random(1);
  Tracer tracer(clock, random);
  const SpanContext parent = *ParseTraceparent(kYes);
  EXPECT_EQ(tracer.Start("work", {.parent = &parent}).context().ToTraceparent(), kYes);
  const Span root = tracer.Start("work");
  EXPECT_TRUE(root.context().valid());
  EXPECT_FALSE(root.context().sampled);
}

TEST(Tracer, ALinkedRootIsSampledAsItsCauseIs) {
  Fixture f(*Sampler::Named("parentbased_traceidratio", 0));
  const SpanContext yes = *ParseTraceparent(kYes), no = *ParseTraceparent(kNo);
  f.tracer.Start("seen", {.links = {&yes, 1}});
  f.tracer.Start("unseen", {.links = {&no, 1}});
  f.tracer.Start("root");
  ASSERT_EQ(f.kept.spans.size(), 1U);
  const SpanData& data = *f.kept.spans[0];
  EXPECT_EQ(data.name, "seen");
  EXPECT_TRUE(data.parent.IsZero());
  EXPECT_NE(data.context.trace_id, yes.trace_id);
  ASSERT_EQ(data.links.size(), 1U);
  EXPECT_EQ(data.links[0].ToTraceparent(), kYes);
}

TEST(Tracer, WorkForSeveralIsBelowTheFirstThatIsSampledAndLinkedToTheOthers) {
  Fixture f;
  const std::vector<SpanContext> causes = {
      *ParseTraceparent(kNo), *ParseTraceparent(kYes),
      *ParseTraceparent("00-11111111111111111111111111111111-2222222222222222-00"),
      *ParseTraceparent("00-33333333333333333333333333333333-4444444444444444-01")};
  f.tracer.StartFor(causes, "batch", Kind::kClient);
  const SpanData& data = *f.kept.spans.at(0);
  EXPECT_EQ(data.parent.Hex(), "b7ad6b7169203331");
  ASSERT_EQ(data.links.size(), 1U);
  EXPECT_EQ(data.links[0].span_id.Hex(), "4444444444444444");
  EXPECT_FALSE(f.tracer.StartFor({causes.data(), 1}, "alone", Kind::kClient).recording());
  EXPECT_TRUE(f.tracer.StartFor({}, "nobody's", Kind::kClient).context().valid());
}

TEST(Tracer, EverythingInASpanIsBoundedAndWhatIsLostIsCounted) {
  Fixture f;
  {
    Span span = f.tracer.Start(std::string(5'000, 'n'));
    for (int i = 0; i < 200; ++i) {
      span.Set("key", std::string(5'000, 'v'));
      span.AddEvent("event");
      span.AddLink(*ParseTraceparent(kYes));
    }
    span.AddLink(SpanContext());
    span.SetOutcome(Outcome::kError, std::string(1'023, 'a') + "é");
  }
  const SpanData& data = *f.kept.spans.at(0);
  EXPECT_EQ(data.name.size(), kMaxText);
  EXPECT_EQ(data.attributes.size(), kMaxAttributes);
  EXPECT_EQ(std::get<std::string>(data.attributes[0].second).size(), kMaxText);
  EXPECT_EQ(data.dropped_attributes, 72U);
  EXPECT_EQ(data.events.size(), kMaxEvents);
  EXPECT_EQ(data.dropped_events, 72U);
  EXPECT_EQ(data.links.size(), kMaxLinks);
  EXPECT_EQ(data.dropped_links, 72U);
  EXPECT_EQ(data.message, std::string(1'023, 'a')) << "no half of a character is left";
}

TEST(Tracer, ASpanOfThePastBeganWhenItSays) {
  Fixture f;
  const Time begun = f.clock.Now();
  f.clock.Advance(2s);
  Span span = f.tracer.Start("batch", {.start = &begun});
  f.clock.Advance(1s);
  span.End();
  EXPECT_EQ(f.kept.spans.at(0)->start, begun);
  EXPECT_EQ(f.kept.spans.at(0)->end - begun, 3s);
}

TEST(Tracer, IdsDoNotRepeat) {
  Fixture f;
  std::vector<std::string> ids;
  for (int i = 0; i < 1'000; ++i) ids.push_back(f.tracer.Start("root").context().trace_id.Hex());
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(std::unique(ids.begin(), ids.end()), ids.end());
}

TEST(Span, MovesWithWhatItHolds) {
  Fixture f;
  Span span = f.tracer.Start("first");
  span = f.tracer.Start("second");
  EXPECT_EQ(f.kept.spans.size(), 1U) << "what is replaced has ended";
  Span other = std::move(span);
  span.End();
  EXPECT_EQ(f.kept.spans.size(), 1U);
  other.End();
  EXPECT_EQ(f.kept.spans.at(1)->name, "second");
}

}  // namespace
}  // namespace paymesh::trace
