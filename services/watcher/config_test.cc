#include "services/watcher/config.h"

#include <gtest/gtest.h>

#include "common/base/testing/source_dir.h"
#include "common/host/common_config.h"

namespace paymesh::watcher {
namespace {

TEST(Config, OfTheExampleIsValidAndHoldsTheDefaults) {
  const auto root = runtime::LoadConfig(SourcePath("/services/watcher/watcher.example.yaml"));
  ASSERT_TRUE(root.ok());
  runtime::ReadCommonConfig(*root);
  const Config config = ReadConfig(*root);
  const Status problems = root->Finish();
  EXPECT_TRUE(problems.ok()) << problems.error().message;
  const Config defaults;
  EXPECT_EQ(config.poll_interval, defaults.poll_interval);
  EXPECT_EQ(config.node_timeout, defaults.node_timeout);
  EXPECT_EQ(config.lease_ttl, defaults.lease_ttl);
  EXPECT_EQ(config.match, defaults.match);
  EXPECT_EQ(config.max_step_blocks, defaults.max_step_blocks);
  EXPECT_EQ(config.retained_blocks, defaults.retained_blocks);
}

TEST(Config, NamesWhatIsWrong) {
  const auto root = runtime::ParseConfig(
      "follow: {match: some, max_step_blocks: 0, poll_interval: 0s, unknown: 1}", "test.yaml");
  ASSERT_TRUE(root.ok());
  ReadConfig(*root);
  const Status problems = root->Finish();
  ASSERT_FALSE(problems.ok());
  for (const char* part : {"match", "max_step_blocks", "poll_interval", "unknown"}) {
    EXPECT_NE(problems.error().message.find(part), std::string::npos) << part;
  }
}

}  // namespace
}  // namespace paymesh::watcher
