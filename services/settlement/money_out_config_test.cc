#include "services/settlement/money_out_config.h"

#include <gtest/gtest.h>

#include <string>

namespace paymesh::settlement {
namespace {

struct Read {
  MoneyOutConfig config;
  std::string problems;
};

Read ReadSignerText(const std::string& signer) {
  const auto root = runtime::ParseConfig("signer: " + signer, "test.yaml");
  Read read{ReadMoneyOutConfig(*root), ""};
  const Status status = root->Finish();
  if (!status.ok()) read.problems = status.error().message;
  return read;
}

TEST(SignerConfig, IsAKeystore) {
  const Read read = ReadSignerText("{keystore_file: a.json, password_file: b}");
  EXPECT_EQ(read.problems, "");
  EXPECT_EQ(read.config.keystore_file, "a.json");
  EXPECT_EQ(read.config.password_file, "b");
  EXPECT_FALSE(read.config.kms);
}

TEST(SignerConfig, OrAKeyInKms) {
  const Read read = ReadSignerText(
      "{kms: {key_id: alias/paymesh, region: eu-central-1, endpoint: 'http://127.0.0.1:4566',"
      " requests_per_second: 50}}");
  EXPECT_EQ(read.problems, "");
  ASSERT_TRUE(read.config.kms);
  EXPECT_EQ(read.config.kms->key_id, "alias/paymesh");
  EXPECT_EQ(read.config.kms->region, "eu-central-1");
  EXPECT_EQ(read.config.kms->endpoint, "http://127.0.0.1:4566");
  EXPECT_EQ(read.config.kms->requests_per_second, 50);
  const Read least = ReadSignerText("{kms: {key_id: alias/paymesh}}");
  EXPECT_EQ(least.problems, "");
  EXPECT_EQ(least.config.kms->region, "");
}

TEST(SignerConfig, IsNotBothAndNotNeither) {
  EXPECT_NE(ReadSignerText("{}").problems.find("keystore_file"), std::string::npos);
  EXPECT_NE(ReadSignerText("{kms: {key_id: a}, keystore_file: b}").problems.find("keystore_file"),
            std::string::npos);
  EXPECT_NE(ReadSignerText("{kms: {region: a}}").problems.find("key_id"), std::string::npos);
  EXPECT_NE(ReadSignerText("{kms: {key_id: a, key: b}}").problems.find("key"), std::string::npos);
}

TEST(SignerConfig, SendsNothingInPlainTextToAnotherMachine) {
  for (const char* endpoint : {"http://kms.example.com", "https://kms.example.com/x", "kms"}) {
    const Read read =
        ReadSignerText(std::string("{kms: {key_id: a, endpoint: '") + endpoint + "'}}");
    EXPECT_NE(read.problems.find("endpoint"), std::string::npos) << endpoint;
  }
  EXPECT_NE(ReadSignerText("{kms: {key_id: a, requests_per_second: 0}}").problems, "");
}

}  // namespace
}  // namespace paymesh::settlement
