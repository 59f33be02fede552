#include "common/config/config.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

namespace paymesh::runtime {
namespace {

using namespace std::chrono_literals;

ConfigNode Parse(const std::string& text) { return ParseConfig(text, "c.yaml").value(); }
std::string Problems(const ConfigNode& root) {
  const Status status = root.Finish();
  return status.ok() ? "" : status.error().message;
}

TEST(Config, ReadsEveryType) {
  const ConfigNode root = Parse(
      "s: text\nb: true\ni: -3\nu: 18446744073709551615\nd: 1.5\nt: 500ms\nl: [a, b]\nm: {x: 1}\n"
      "list:\n  - {y: 2}\n  - {y: 3}\n");
  EXPECT_EQ(root.Required<std::string>("s"), "text");
  EXPECT_TRUE(root.Required<bool>("b"));
  EXPECT_EQ(root.Required<int>("i"), -3);
  EXPECT_EQ(root.Required<std::uint64_t>("u"), UINT64_MAX);
  EXPECT_EQ(root.Required<double>("d"), 1.5);
  EXPECT_EQ(root.Required<std::chrono::milliseconds>("t"), 500ms);
  EXPECT_EQ(root.Required<std::vector<std::string>>("l"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(root.Child("m").Required<int>("x"), 1);
  const auto list = root.List("list");
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].Required<int>("y"), 2);
  EXPECT_EQ(list[1].Required<int>("y"), 3);
  EXPECT_EQ(root.Optional("absent", 7), 7);
  EXPECT_FALSE(root.Maybe<int>("absent"));
  EXPECT_EQ(Problems(root), "");
}

TEST(Config, NamesUnknownKeysWithTheirLines) {
  const ConfigNode root =
      Parse("good: 1\nbad: 2\nmap:\n  fine: 3\n  worse: 4\nlist:\n  - {odd: 5}\n");
  root.Required<int>("good");
  root.Child("map").Required<int>("fine");
  root.List("list");
  EXPECT_EQ(Problems(root),
            "c.yaml:2: unknown key bad; c.yaml:7: unknown key list[0].odd; "
            "c.yaml:5: unknown key map.worse");
}

TEST(Config, GathersAllProblems) {
  const ConfigNode root = Parse("n: x\nt: 15\nm: 1\nm: 2\n");
  root.Required<int>("n");
  root.Required<std::chrono::milliseconds>("t");
  root.Required<std::string>("missing");
  root.Required<int>("m");
  root.Child("tls").Required<std::string>("key");
  root.AddError("n", "is wrong in a way of its own");
  const std::string problems = Problems(root);
  for (const char* part : {"c.yaml:1: n must be a whole number", "c.yaml:2: t must be a duration",
                           "missing is missing", "c.yaml:4: m is given twice", "tls.key is missing",
                           "c.yaml:1: n: is wrong in a way of its own"}) {
    EXPECT_NE(problems.find(part), std::string::npos) << part << " in " << problems;
  }
}

TEST(Config, RefusesWhatIsNoYamlMap) {
  EXPECT_FALSE(ParseConfig("- a\n- b\n", "c").ok());
  EXPECT_FALSE(ParseConfig("", "c").ok());
  const auto broken = ParseConfig("a: 1\nb: [\n", "c.yaml");
  ASSERT_FALSE(broken.ok());
  EXPECT_TRUE(broken.error().message.starts_with("c.yaml:"));
  EXPECT_EQ(LoadConfig("/nowhere.yaml").error().message, "/nowhere.yaml: cannot be read");
}

TEST(Config, ReadsSecretsFromFiles) {
  const std::string path = testing::TempDir() + "secret_file";
  std::ofstream(path) << "s3cret\n\n";
  const ConfigNode root = Parse("key_file: " + path + "\nother_file: /nowhere\n");
  EXPECT_EQ(root.SecretFile("key_file"), "s3cret");
  EXPECT_EQ(root.SecretFile("other_file"), "");
  EXPECT_EQ(Problems(root), "c.yaml:2: other_file: cannot read /nowhere");
  std::remove(path.c_str());
}

TEST(Durations, NeedAUnit) {
  EXPECT_EQ(ParseDuration("24h"), 24h);
  EXPECT_EQ(ParseDuration("10m"), 10min);
  EXPECT_EQ(ParseDuration("2d"), 48h);
  for (const char* bad : {"", "5", "s", "-1s", "1.5s", "1 s", "1w", "99999999999999s"}) {
    EXPECT_FALSE(ParseDuration(bad)) << bad;
  }
}

}  // namespace
}  // namespace paymesh::runtime
