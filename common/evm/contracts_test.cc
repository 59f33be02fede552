#include "common/evm/contracts.h"

#include <gtest/gtest.h>

#include <map>

#include "common/evm/create2.h"
#include "common/evm/keccak.h"
#include "common/evm/testing/vectors.h"

namespace paymesh::evm {
namespace {

using boost::json::object;
using boost::json::value;
using vectors::LoadFile;
using vectors::Text;

const Address kToken = *Address::Parse("0x70997970c51812dc3a010c7d01b50e0d17dc79c8");
const Address kTo = *Address::Parse("0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc");

TEST(DepositAddress, IsTheOneThatTheFactoryGives) {
  const object file = LoadFile("deploy/contracts/deposit_addresses.json");
  const DepositScheme scheme{Address::Parse(Text(file, "factory")).value(),
                             Hash32::Parse(Text(file, "initCodeHash")).value()};
  EXPECT_EQ(CloneInitCodeHash(Address::Parse(Text(file, "implementation")).value()),
            scheme.init_code_hash);
  int seen = 0;
  for (const value& entry : file.at("cases").as_array()) {
    const object& listed = entry.as_object();
    const std::string id = Text(listed, "paymentId");
    EXPECT_EQ(HashOfId(id).ToHex(), Text(listed, "salt"));
    EXPECT_EQ(DepositAddress(scheme, id).ToChecksum(), Text(listed, "depositAddress"));
    ++seen;
  }
  EXPECT_GT(seen, 0);
}

// "Paid(bytes32,address)" of an entry of a contract's ABI, with tuples written out.
std::string TypesOf(const object& entry, const char* list) {
  std::string types;
  for (const value& parameter : entry.at(list).as_array()) {
    std::string type = Text(parameter.as_object(), "type");
    if (type.starts_with("tuple")) {
      type = TypesOf(parameter.as_object(), "components") + type.substr(5);
    }
    types += (types.empty() ? "" : ",") + type;
  }
  return "(" + types + ")";
}

TEST(Contracts, HaveTheEventsAndFunctionsThatWeUse) {
  std::map<std::string, std::string> entries;  // by name
  for (const char* contract : {"Vault", "DepositFactory"}) {
    const object artifact =
        LoadFile(std::string("deploy/contracts/artifacts/") + contract + ".json");
    for (const value& entry : artifact.at("abi").as_array()) {
      const object& item = entry.as_object();
      if (!item.contains("name")) continue;
      const std::string name = Text(item, "name");
      entries[Text(item, "type") + " " + name] = name + TypesOf(item, "inputs");
    }
  }
  const ContractLogs logs;
  EXPECT_EQ(entries["event Paid"], logs.paid().signature());
  EXPECT_EQ(entries["event PayFailed"], logs.pay_failed().signature());
  EXPECT_EQ(entries["event Flushed"], logs.flushed().signature());
  EXPECT_EQ(entries["event FlushFailed"], logs.flush_failed().signature());
  const auto calls = [&](const Bytes& data, const char* entry) {
    const auto selector = Selector(entries[std::string("function ") + entry]);
    return std::equal(selector.begin(), selector.end(), data.begin());
  };
  EXPECT_TRUE(calls(EncodePay({}), "pay"));
  EXPECT_TRUE(calls(EncodePayBatch({}), "payBatch"));
  EXPECT_TRUE(calls(EncodeIsPaid({}), "paid"));
  EXPECT_TRUE(calls(EncodeSweep({}, {}), "sweep"));
}

TEST(Contracts, AreCalledWithTheBytesThatOthersSend) {
  std::map<std::string, std::string> calls;  // by name, the first one of each
  const object file = vectors::Load("abi_dynamic");
  for (const value& entry : file.at("calls").as_array()) {
    const std::string signature = Text(entry.as_object(), "signature");
    calls.emplace(signature.substr(0, signature.find('(')), Text(entry.as_object(), "data"));
  }
  const Hash32 one = Keccak256("1");
  const Hash32 two = Keccak256("2");
  const Address c = *Address::Parse("0x90f79bf6eb2c4f870365e785982e1f101e93b906");
  const U256 large({0, 0, 0, 1ULL << 63});
  EXPECT_EQ(HexEncode(EncodeIsPaid(one)), calls["paid"]);
  EXPECT_EQ(HexEncode(EncodePay({one, kToken, kTo, U256(1)})), calls["pay"]);
  EXPECT_EQ(HexEncode(EncodePayBatch({{one, kToken, kTo, U256(1)}, {two, kToken, c, large}})),
            calls["payBatch"]);
  EXPECT_EQ(HexEncode(EncodeSweep({one, two}, kToken)), calls["sweep"]);
}

TEST(ContractLogs, TellPaidFromFailed) {
  const ContractLogs logs;
  const Hash32 id = HashOfId("pot_1");
  const auto types = AbiType::ParseList("uint256").value();
  const Bytes amount = AbiEncode(types, {U256(5)}).value();
  const auto paid = logs.ReadPayout(
      std::vector<Hash32>{logs.paid().topic(), id, kToken.ToWord(), kTo.ToWord()}, amount);
  ASSERT_TRUE(paid);
  EXPECT_EQ(paid->payout.payout_id, id);
  EXPECT_EQ(paid->payout.token, kToken);
  EXPECT_EQ(paid->payout.to, kTo);
  EXPECT_EQ(paid->payout.amount, U256(5));
  EXPECT_FALSE(paid->failure);

  const auto failed_types = AbiType::ParseList("uint256,bytes").value();
  const Bytes reason{1, 2, 3};
  const Bytes failed_data = AbiEncode(failed_types, {U256(5), reason}).value();
  const std::vector<Hash32> topics{logs.pay_failed().topic(), id, kToken.ToWord(), kTo.ToWord()};
  const auto failed = logs.ReadPayout(topics, failed_data);
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->failure, reason);
  EXPECT_FALSE(logs.ReadPayout(topics, amount));
  EXPECT_FALSE(logs.ReadPayout({}, amount));
  EXPECT_FALSE(logs.ReadFlush(topics, failed_data));
}

TEST(ContractLogs, TellFlushedFromFailed) {
  const ContractLogs logs;
  const Hash32 salt = HashOfId("pay_1");
  const Bytes amount = AbiEncode(AbiType::ParseList("uint256").value(), {U256(5)}).value();
  const auto flushed = logs.ReadFlush(
      std::vector<Hash32>{logs.flushed().topic(), salt, kTo.ToWord(), kToken.ToWord()}, amount);
  ASSERT_TRUE(flushed);
  EXPECT_EQ(flushed->salt, salt);
  EXPECT_EQ(flushed->deposit, kTo);
  EXPECT_EQ(flushed->token, kToken);
  EXPECT_EQ(flushed->amount, U256(5));
  const Bytes reason = AbiEncode(AbiType::ParseList("bytes").value(), {Bytes{9}}).value();
  const auto failed = logs.ReadFlush(
      std::vector<Hash32>{logs.flush_failed().topic(), salt, kTo.ToWord(), kToken.ToWord()},
      reason);
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->failure, Bytes{9});
}

}  // namespace
}  // namespace paymesh::evm
