#include "common/trace/sampler.h"

#include <gtest/gtest.h>

#include "common/runtime/ids.h"

namespace paymesh::trace {
namespace {

TraceId SomeId(runtime::RandomSource& random) {
  TraceId id;
  random.Fill(id.bytes);
  return id;
}

SpanContext Parent(bool sampled) {
  SpanContext parent = *ParseTraceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00");
  parent.sampled = sampled;
  return parent;
}

TEST(Sampler, TheDefaultFollowsTheParentAndTakesEveryRoot) {
  runtime::SeededRandom random(1);
  const SpanContext yes = Parent(true), no = Parent(false);
  EXPECT_TRUE(Sampler().Sample(nullptr, SomeId(random)));
  EXPECT_TRUE(Sampler().Sample(&yes, yes.trace_id));
  EXPECT_FALSE(Sampler().Sample(&no, no.trace_id));
}

TEST(Sampler, EachNameMeansWhatTheSpecificationSays) {
  runtime::SeededRandom random(1);
  const SpanContext yes = Parent(true), no = Parent(false);
  struct Row {
    const char* name;
    bool root, below_yes, below_no;
  };
  for (const Row& row : {Row{"always_on", true, true, true}, Row{"always_off", false, false, false},
                         Row{"parentbased_always_on", true, true, false},
                         Row{"parentbased_always_off", false, true, false},
                         Row{"parentbased_traceidratio", false, true, false}}) {
    const auto sampler = Sampler::Named(row.name, 0);
    ASSERT_TRUE(sampler) << row.name;
    EXPECT_EQ(sampler->Sample(nullptr, SomeId(random)), row.root) << row.name;
    EXPECT_EQ(sampler->Sample(&yes, yes.trace_id), row.below_yes) << row.name;
    EXPECT_EQ(sampler->Sample(&no, no.trace_id), row.below_no) << row.name;
  }
  EXPECT_FALSE(Sampler::Named("sometimes", 1));
  EXPECT_FALSE(Sampler::Named("", 1));
}

TEST(Sampler, ARatioTakesThatShareOfTracesAndAlwaysTheSame) {
  runtime::SeededRandom random(7);
  const Sampler tenth = *Sampler::Named("traceidratio", 0.1);
  const Sampler all = *Sampler::Named("traceidratio", 1);
  int taken = 0;
  for (int i = 0; i < 20'000; ++i) {
    const TraceId id = SomeId(random);
    const bool sampled = tenth.Sample(nullptr, id);
    EXPECT_EQ(tenth.Sample(nullptr, id), sampled);
    EXPECT_TRUE(all.Sample(nullptr, id));
    taken += sampled ? 1 : 0;
  }
  EXPECT_NEAR(taken, 2'000, 200);
}

}  // namespace
}  // namespace paymesh::trace
