// What a hostile or broken node may answer, and what becomes of it.
#include "services/watcher/clients/answers.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include "services/watcher/clients/json_rpc.h"

namespace paymesh::watcher {
namespace {

const std::string kHashA = "0x" + std::string(64, 'a');
const std::string kHashB = "0x" + std::string(64, 'b');
const std::string kHashC = "0x" + std::string(64, 'c');
const std::string kAddress = "0x" + std::string(40, '1');

std::string Envelope(const std::string& result) {
  return R"({"jsonrpc":"2.0","id":1,"result":)" + result + "}";
}

std::string Replaced(std::string text, const std::string& what, const std::string& with) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), with);
}

std::string BlockJson() {
  return R"({"number":"0x10","hash":")" + kHashA + R"(","parentHash":")" + kHashB +
         R"(","timestamp":"0x64","baseFeePerGas":"0x7","logsBloom":"0x)" + std::string(512, '0') +
         R"(","transactions":[")" + kHashC + R"("]})";
}

std::string LogJson(const std::string& index = "0x3") {
  return R"({"address":")" + kAddress + R"(","topics":[")" + kHashA + R"("],"data":"0x00ff",)" +
         R"("blockNumber":"0x10","blockHash":")" + kHashA + R"(","transactionHash":")" + kHashC +
         R"(","transactionIndex":"0x0","logIndex":")" + index + R"(","removed":false})";
}

std::string ReceiptJson() {
  return R"({"transactionHash":")" + kHashC +
         R"(","transactionIndex":"0x0","blockNumber":"0x10",)" + R"("blockHash":")" + kHashA +
         R"(","status":"0x1","gasUsed":"0x5208",)" + R"("effectiveGasPrice":"0x9","logs":[)" +
         LogJson("0x3") + "," + LogJson("0x4") + "]}";
}

bool BlockIsGood(const std::string& json) {
  const auto answers = RpcAnswers::Parse(Envelope(json), 1);
  if (!answers.ok()) return false;
  const auto block = ReadBlock(answers->result(0));
  return block.ok() && block->has_value();
}

bool LogsAreGood(const std::string& json) {
  const auto answers = RpcAnswers::Parse(Envelope(json), 1);
  return answers.ok() && ReadLogs(answers->result(0)).ok();
}

bool ReceiptIsGood(const std::string& json) {
  const auto answers = RpcAnswers::Parse(Envelope(json), 1);
  return answers.ok() && ReadReceipt(answers->result(0)).ok();
}

TEST(Answers, AreReadWhenTheyAreRight) {
  const auto answers = RpcAnswers::Parse(Envelope(BlockJson()), 1);
  ASSERT_TRUE(answers.ok());
  const auto block = ReadBlock(answers->result(0));
  ASSERT_TRUE(block.ok()) << block.error().message;
  EXPECT_EQ((*block)->header.number, 16U);
  EXPECT_EQ((*block)->header.timestamp_seconds, 100U);
  EXPECT_EQ((*block)->transactions.size(), 1U);
  EXPECT_TRUE(LogsAreGood("[" + LogJson() + "]"));
  EXPECT_TRUE(ReceiptIsGood(ReceiptJson()));
}

TEST(Answers, RefuseAHostileBlock) {
  const std::string good = BlockJson();
  EXPECT_FALSE(BlockIsGood("null"));
  EXPECT_FALSE(BlockIsGood("[]"));
  EXPECT_FALSE(BlockIsGood(Replaced(good, R"("0x10")", "16")));
  EXPECT_FALSE(BlockIsGood(Replaced(good, R"("0x10")", R"("0x010")")));
  EXPECT_FALSE(BlockIsGood(Replaced(good, R"("0x10")", R"("16")")));
  EXPECT_FALSE(BlockIsGood(Replaced(good, R"("0x10")", R"("0x")")));
  EXPECT_FALSE(BlockIsGood(Replaced(good, R"("0x10")", R"("-0x1")")));
  EXPECT_FALSE(BlockIsGood(Replaced(good, R"("0x10")", "null")));
  EXPECT_FALSE(BlockIsGood(Replaced(good, R"("0x10")", R"("0x8000000000000000")")));
  EXPECT_FALSE(BlockIsGood(Replaced(good, R"("0x64")", R"("0xffffffffffffff")")));
  EXPECT_FALSE(BlockIsGood(Replaced(good, kHashB, kHashA))) << "its own parent";
  EXPECT_FALSE(BlockIsGood(Replaced(good, kHashB, "0x1234")));
  EXPECT_FALSE(BlockIsGood(Replaced(good, "logsBloom", "bloom")));
  EXPECT_FALSE(BlockIsGood(Replaced(good, "\"" + kHashC + "\"", "{}"))) << "whole transactions";
}

TEST(Answers, RefuseHostileLogs) {
  const std::string good = LogJson();
  EXPECT_FALSE(LogsAreGood("{}"));
  EXPECT_FALSE(LogsAreGood("[1]"));
  EXPECT_FALSE(LogsAreGood("[" + Replaced(good, "false", "true") + "]"));
  EXPECT_FALSE(
      LogsAreGood("[" + Replaced(good, R"("blockNumber":"0x10")", R"("blockNumber":null)") + "]"));
  EXPECT_FALSE(LogsAreGood("[" + Replaced(good, "0x00ff", "0x00f") + "]"));
  EXPECT_FALSE(LogsAreGood("[" + Replaced(good, kHashC, "0x" + std::string(64, '0')) + "]"));
  EXPECT_FALSE(LogsAreGood("[" + Replaced(good, kAddress, "0x11") + "]"));
  std::string five;
  for (int i = 0; i < 5; ++i) five += (i == 0 ? "\"" : ",\"") + kHashA + "\"";
  EXPECT_FALSE(LogsAreGood("[" + Replaced(good, "\"" + kHashA + "\"", five) + "]"));
}

TEST(Answers, TakeALogOfAnyLengthAndLeaveLongDataUndecoded) {
  const std::string most = "0x" + std::string(2 * kMaxLogDataBytes, '1');
  const auto decoded =
      RpcAnswers::Parse(Envelope("[" + Replaced(LogJson(), "0x00ff", most) + "]"), 1);
  EXPECT_EQ(ReadLogs(decoded->result(0))->front().data.size(), kMaxLogDataBytes);
  const auto longer = RpcAnswers::Parse(
      Envelope("[" + LogJson("0x3") + "," + Replaced(LogJson("0x4"), "0x00ff", most + "11") + "]"),
      1);
  const auto logs = ReadLogs(longer->result(0));
  ASSERT_TRUE(logs.ok()) << logs.error().ToString();
  ASSERT_EQ(logs->size(), 2U);
  EXPECT_FALSE(logs->at(0).data.empty());
  EXPECT_TRUE(logs->at(1).data.empty());
  EXPECT_EQ(logs->at(1).data_digits, most.size() + 2);
  EXPECT_FALSE(LogsAreGood("[" + Replaced(LogJson("0x4"), "0x00ff", most + "11") + "," +
                           Replaced(LogJson("0x4"), "0x00ff", most + "1111") + "]"))
      << "two logs of one index differ in what was not decoded";
}

TEST(Answers, TakeAReceiptWithAForeignLogOfAnyLength) {
  const std::string text = "0x" + std::string(2 * kMaxLogDataBytes + 2, '1');
  EXPECT_TRUE(ReceiptIsGood(Replaced(ReceiptJson(), "0x00ff", text)));
}

TEST(Answers, SortLogsAndDropExactRepeats) {
  const auto answers = RpcAnswers::Parse(
      Envelope("[" + LogJson("0x9") + "," + LogJson("0x3") + "," + LogJson("0x9") + "]"), 1);
  const auto logs = ReadLogs(answers->result(0));
  ASSERT_TRUE(logs.ok());
  ASSERT_EQ(logs->size(), 2U);
  EXPECT_EQ((*logs)[0].log_index, 3U);
  EXPECT_FALSE(
      LogsAreGood("[" + LogJson("0x3") + "," + Replaced(LogJson("0x3"), "00ff", "11ff") + "]"));
}

TEST(Answers, RefuseHostileReceipts) {
  const std::string good = ReceiptJson();
  EXPECT_FALSE(ReceiptIsGood(Replaced(good, R"("status":"0x1",)", "")));
  EXPECT_FALSE(ReceiptIsGood(Replaced(good, R"("status":"0x1")", R"("status":"0x2")")));
  EXPECT_FALSE(ReceiptIsGood(Replaced(good, R"("status":"0x1")", R"("status":"0x0")")))
      << "a failed transaction has no logs";
  EXPECT_FALSE(ReceiptIsGood(Replaced(good, kHashC, kHashB))) << "logs of another transaction";
  EXPECT_FALSE(ReceiptIsGood(Replaced(good, R"("logIndex":"0x4")", R"("logIndex":"0x6")")))
      << "a hole between its logs";
}

TEST(Answers, RefuseLogsThatDoNotFitTheirBlock) {
  const auto block_answers = RpcAnswers::Parse(Envelope(BlockJson()), 1);
  const NodeBlock block = **ReadBlock(block_answers->result(0));
  const auto check = [&](const std::string& log) {
    const auto answers = RpcAnswers::Parse(Envelope("[" + log + "]"), 1);
    return CheckLogs(block, *ReadLogs(answers->result(0))).ok();
  };
  EXPECT_TRUE(check(LogJson()));
  EXPECT_FALSE(check(Replaced(LogJson(), R"("blockNumber":"0x10")", R"("blockNumber":"0x11")")));
  EXPECT_FALSE(
      check(Replaced(LogJson(), R"("transactionIndex":"0x0")", R"("transactionIndex":"0x1")")));
  EXPECT_FALSE(check(Replaced(LogJson(), kHashC, kHashB)));
}

TEST(JsonRpc, RefusesWhatIsNotExactlyTheAnswers) {
  const char* kBad[] = {
      "",
      "<html>busy</html>",
      "{",
      "[]",
      R"({"jsonrpc":"2.0","id":1})",
      R"({"jsonrpc":"2.0","id":2,"result":1})",
      R"({"jsonrpc":"2.0","id":"1","result":1})",
      R"({"jsonrpc":"2.0","id":null,"result":1})",
      R"({"jsonrpc":"2.0","id":1,"result":1,"error":{"code":1,"message":"x"}})",
      R"([{"jsonrpc":"2.0","id":1,"result":1}])",
  };
  for (const char* body : kBad) EXPECT_FALSE(RpcAnswers::Parse(body, 1).ok()) << body;
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += '[';
  EXPECT_FALSE(RpcAnswers::Parse(deep, 1).ok());
  const char* kBadPairs[] = {
      R"({"jsonrpc":"2.0","id":1,"result":1})",
      R"([{"jsonrpc":"2.0","id":1,"result":1}])",
      R"([{"jsonrpc":"2.0","id":1,"result":1},{"jsonrpc":"2.0","id":1,"result":1}])",
      R"([{"jsonrpc":"2.0","id":1,"result":1},{"jsonrpc":"2.0","id":3,"result":1}])",
      R"([{"id":1,"result":1},{"id":2,"result":1},{"id":2,"result":1}])",
  };
  for (const char* body : kBadPairs) EXPECT_FALSE(RpcAnswers::Parse(body, 2).ok()) << body;
}

TEST(JsonRpc, MatchesABatchInAnyOrder) {
  const auto answers = RpcAnswers::Parse(
      R"([{"id":2,"error":{"code":-32000,"message":"no","data":"0x12"}},{"id":1,"result":"0x5"}])",
      2);
  ASSERT_TRUE(answers.ok());
  EXPECT_EQ(answers->error(0), nullptr);
  EXPECT_EQ(*ReadUint64(answers->result(0)), 5U);
  ASSERT_NE(answers->error(1), nullptr);
  EXPECT_EQ(answers->error(1)->data, "0x12");
}

TEST(JsonRpc, TellsANodeWithoutATagFromOneInTrouble) {
  for (const RpcError& absent :
       std::vector<RpcError>{{-32602, "invalid argument 0: hex string without 0x prefix", ""},
                             {-32000, "'finalized' tag not supported on pre-merge network", ""},
                             {-32000, "safe block not found", ""},
                             {-39001, "Unknown block", ""}}) {
    EXPECT_TRUE(SaysNoSuchTag(absent)) << absent.message;
  }
  for (const RpcError& trouble : std::vector<RpcError>{{-32005, "daily request count exceeded", ""},
                                                       {429, "slow down", ""},
                                                       {-32602, "rate limit reached", ""},
                                                       {-32603, "Internal error", ""},
                                                       {-32000, "header not found", ""},
                                                       {-32000, "upstream connect error", ""}}) {
    EXPECT_FALSE(SaysNoSuchTag(trouble)) << trouble.message;
  }
}

TEST(JsonRpc, EscapesWhatItQuotes) { EXPECT_EQ(Quote("a\"b\\c\n"), "\"a\\\"b\\\\c\\u000a\""); }

}  // namespace
}  // namespace paymesh::watcher
