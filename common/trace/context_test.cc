#include "common/trace/context.h"

#include <gtest/gtest.h>

namespace paymesh::trace {
namespace {

const std::string kTrace = "0af7651916cd43dd8448eb211c80319c";
const std::string kSpan = "b7ad6b7169203331";
const std::string kGood = "00-" + kTrace + "-" + kSpan + "-01";

TEST(Traceparent, IsReadAndWrittenBack) {
  const auto context = ParseTraceparent(kGood);
  ASSERT_TRUE(context);
  EXPECT_EQ(context->trace_id.Hex(), kTrace);
  EXPECT_EQ(context->span_id.Hex(), kSpan);
  EXPECT_TRUE(context->sampled);
  EXPECT_EQ(context->ToTraceparent(), kGood);
}

TEST(Traceparent, WhatTheStandardCallsInvalidIsRefused) {
  const std::string zero_trace(32, '0');
  const std::string zero_span(16, '0');
  const std::vector<std::string> bad = {
      "",
      "00",
      kGood.substr(0, 54),
      kGood + "0",
      kGood + "-more",
      "ff-" + kTrace + "-" + kSpan + "-01",
      "FF-" + kTrace + "-" + kSpan + "-01",
      "0x-" + kTrace + "-" + kSpan + "-01",
      "00-" + zero_trace + "-" + kSpan + "-01",
      "00-" + kTrace + "-" + zero_span + "-01",
      "00-0AF7651916CD43DD8448EB211C80319C-" + kSpan + "-01",
      "00-" + kTrace + "-B7AD6B7169203331-01",
      "00-" + kTrace + "-" + kSpan + "-0g",
      "00-" + kTrace + "-" + kSpan + "-0A",
      "00_" + kTrace + "-" + kSpan + "-01",
      "00-" + kTrace + "_" + kSpan + "-01",
      "00-" + kTrace + "-" + kSpan + "_01",
      "00-" + kTrace.substr(1) + "--" + kSpan + "-01",
      " " + kGood,
      "cc-" + kTrace + "-" + kSpan + "-01.what",
  };
  for (const std::string& text : bad) EXPECT_FALSE(ParseTraceparent(text)) << text;
}

TEST(Traceparent, LaterVersionsAreReadByWhatWeKnowOfThem) {
  for (const std::string& text :
       {"01-" + kTrace + "-" + kSpan + "-01", "fe-" + kTrace + "-" + kSpan + "-01-more-to-come",
        "cc-" + kTrace + "-" + kSpan + "-01-"}) {
    const auto context = ParseTraceparent(text);
    ASSERT_TRUE(context) << text;
    EXPECT_EQ(context->ToTraceparent(), kGood);
  }
}

TEST(Traceparent, OnlyTheSampledFlagIsPassedOn) {
  const auto flags = [](const std::string& two) {
    return ParseTraceparent("00-" + kTrace + "-" + kSpan + "-" + two)->ToTraceparent().substr(53);
  };
  EXPECT_EQ(flags("00"), "00");
  EXPECT_EQ(flags("ff"), "01");
  EXPECT_EQ(flags("fe"), "00");
  EXPECT_EQ(flags("03"), "01");
}

TEST(Tracestate, IsPassedOnAsItIs) {
  for (const std::string text : {"congo=t61rcWkgMzE", "a=1, b=2 ,\tc=3", "a=1,,b=2", "a=1,",
                                 "tenant@vendor=x y z", "0a_-*/=!~"}) {
    EXPECT_EQ(ParseTracestate(text), text);
  }
}

TEST(Tracestate, BeyondItsLimitsIsDropped) {
  std::string many;
  for (int i = 0; i < 33; ++i) many += "k" + std::to_string(i) + "=v,";
  for (const std::string& text :
       {std::string(), std::string(",,"), std::string("novalue"), std::string("a="),
        std::string("=b"), std::string("A=b"), std::string("a=b=c"), std::string("a=1,a=2"),
        std::string("a=\x01"), "a=" + std::string(257, 'x'), std::string(257, 'k') + "=v", many,
        "a=" + std::string(250, 'x') + ",b=" + std::string(250, 'x') +
            ",c=" + std::string(9, 'x')}) {
    EXPECT_EQ(ParseTracestate(text), "") << text;
  }
}

}  // namespace
}  // namespace paymesh::trace
