#include "common/runtime/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <vector>

namespace paymesh::runtime {
namespace {

std::string Line(std::string_view message, std::vector<LogField> fields) {
  LoggerOptions options;
  options.service = "checkout";
  return RenderLogLine(options, "T", LogLevel::kInfo, message, fields);
}

class Pipe {
 public:
  Pipe() { EXPECT_EQ(::pipe(fds_), 0); }
  ~Pipe() {
    ::close(fds_[0]);
    CloseWriter();
  }
  int writer() const { return fds_[1]; }
  void CloseWriter() {
    if (fds_[1] >= 0) ::close(fds_[1]);
    fds_[1] = -1;
  }
  std::string ReadAll() {
    std::string all;
    char buffer[4096];
    for (ssize_t size; (size = ::read(fds_[0], buffer, sizeof buffer)) > 0;) {
      all.append(buffer, static_cast<std::size_t>(size));
    }
    return all;
  }

 private:
  int fds_[2];
};

TEST(LogLine, IsOneJsonObject) {
  EXPECT_EQ(Line("paid", {{"payment_id", "pay_1"}, {"n", 3}, {"u", 4U}, {"ok", true}, {"x", 1.5}}),
            R"({"ts":"T","level":"info","msg":"paid","service":"checkout",)"
            R"("payment_id":"pay_1","n":3,"u":4,"ok":true,"x":1.5})");
}

TEST(LogLine, EscapesWhatCouldForgeAnotherLine) {
  const std::string line = Line("memo", {{"memo", "\r\n{\"level\":\"error\"}\x01\\"}});
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_NE(line.find(R"(\u000d\u000a{\"level\":\"error\"}\u0001\\)"), std::string::npos);
}

TEST(LogLine, MakesInvalidUtf8Valid) {
  EXPECT_NE(
      Line("m", {{"x", "a\xff\xc3\xa4\xed\xa0\x80"}}).find("a\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd"),
      std::string::npos);
}

TEST(LogLine, CutsLongValues) {
  const std::string huge(1'000'000, 'x');
  EXPECT_LT(Line("m", {{"x", huge}}).size(), 5'000U);
}

TEST(LogLine, RedactsSecretsByKeyAndByForm) {
  for (const char* key : {"password", "Authorization", "api-key", "webhook_secret", "private_key",
                          "conninfo", "PAYMESH_API_KEY"}) {
    EXPECT_EQ(Line("m", {{key, "CANARY"}}).find("CANARY"), std::string::npos) << key;
  }
  EXPECT_EQ(Line("Bearer CANARY failed", {}).find("CANARY"), std::string::npos);
  EXPECT_EQ(Line("m", {{"err", "host=x password=CANARY dbname=y"}}).find("CANARY"),
            std::string::npos);
  EXPECT_NE(Line("m", {{"token", "0xabc"}}).find("0xabc"), std::string::npos);
}

TEST(LogLine, RedactsWhatHasAKeysFormWhereverItStands) {
  const std::string key(64, 'a');
  const std::vector<std::string> texts = {key, "0x" + key, "not an address: '0x" + key + "'",
                                          "pmk_0123456789abcdef", "x=pmk_0 y"};
  for (const std::string& text : texts) {
    EXPECT_NE(Line("m", {{"err", text}}).find("[redacted]"), std::string::npos) << text;
    EXPECT_EQ(Line(text, {}).find(key), std::string::npos) << text;
    EXPECT_EQ(Line(text, {}).find("pmk_0"), std::string::npos) << text;
  }
  const std::string around = Line("m", {{"err", "a pmk_1 b 0x" + key + " c"}});
  EXPECT_NE(around.find("a [redacted] b [redacted] c"), std::string::npos) << around;
  EXPECT_NE(Line("m", {{"block_hash", "0x" + key}}).find(key), std::string::npos);
  EXPECT_NE(Line("m", {{"trace_id", key.substr(32)}}).find(key.substr(32)), std::string::npos);
  EXPECT_NE(Line("m", {{"x", "0x" + key + "a"}}).find(key), std::string::npos);
}

TEST(Logger, WritesLinesOfItsLevelInOrder) {
  Pipe pipe;
  {
    LoggerOptions options;
    options.fd = pipe.writer();
    Logger log(options);
    log.Debug("no");
    log.Info("one");
    log.set_level(LogLevel::kError);
    log.Warn("no");
    log.Error("two");
  }
  pipe.CloseWriter();
  const std::string all = pipe.ReadAll();
  EXPECT_LT(all.find("\"one\""), all.find("\"two\""));
  EXPECT_EQ(all.find("\"no\""), std::string::npos);
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 2);
}

TEST(Logger, NeverBlocksOnAPipeThatNobodyReads) {
  Pipe pipe;
  const auto start = std::chrono::steady_clock::now();
  const std::string kilobyte(1'000, 'x');
  {
    LoggerOptions options;
    options.fd = pipe.writer();
    options.max_queued_lines = 100;
    Logger log(options);
    for (int i = 0; i < 2'000; ++i) log.Info("line", {{"x", kilobyte}});
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
    EXPECT_GT(log.dropped(), 1'000U);
  }  // the destructor gives up as well
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST(Levels, HaveNamesThatParseBack) {
  EXPECT_EQ(ParseLogLevel("warn"), LogLevel::kWarn);
  EXPECT_EQ(ParseLogLevel(LogLevelName(LogLevel::kDebug)), LogLevel::kDebug);
  EXPECT_FALSE(ParseLogLevel("WARN"));
}

}  // namespace
}  // namespace paymesh::runtime
