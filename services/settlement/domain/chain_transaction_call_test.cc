#include "services/settlement/domain/chain_transaction_call.h"

#include <gtest/gtest.h>

#include "common/evm/abi.h"
#include "common/evm/event.h"
#include "common/evm/keccak.h"
#include "common/evm/signing/signature.h"

namespace paymesh::settlement {
namespace {

evm::Address AddressOf(std::uint8_t last) {
  std::array<std::uint8_t, 20> bytes{};
  bytes[19] = last;
  bytes[0] = 0xaa;
  return evm::Address(bytes);
}

evm::PrivateKey Key(std::uint8_t last) {
  std::array<std::uint8_t, 32> bytes{};
  bytes[31] = last;
  return evm::PrivateKey::FromBytes(bytes).value();
}

const evm::Address kVault = AddressOf(1);
const evm::Address kToken = AddressOf(2);
const evm::Address kMerchant = AddressOf(3);

PayItem Item(std::string id, std::uint64_t amount) {
  return {std::move(id), kToken, kMerchant, U256(amount)};
}

ReceiptLog Log(const evm::Address& address, std::string_view signature,
               std::vector<evm::Hash32> indexed, evm::Bytes data) {
  ReceiptLog log;
  log.address = address;
  log.topics.push_back(evm::Keccak256(signature));
  for (const evm::Hash32& topic : indexed) log.topics.push_back(topic);
  log.data = std::move(data);
  return log;
}

evm::Bytes Word(const U256& value) {
  const auto bytes = value.ToBigEndian();
  return {bytes.begin(), bytes.end()};
}

ReceiptLog PaidLog(const PayItem& item) {
  return Log(kVault, "Paid(bytes32,address,address,uint256)",
             {OnChainPayoutId(item.payout_id), item.token.ToWord(), item.to.ToWord()},
             Word(item.amount));
}
ReceiptLog TransferLog(const PayItem& item) {
  return Log(item.token, "Transfer(address,address,uint256)", {kVault.ToWord(), item.to.ToWord()},
             Word(item.amount));
}
ReceiptLog FailedLog(const PayItem& item, std::string_view error) {
  const auto selector = evm::Selector(error);
  evm::Bytes reason(selector.begin(), selector.end());
  const auto types = evm::AbiType::ParseList("uint256,bytes").value();
  evm::Bytes data = evm::AbiEncode(types, {item.amount, reason}).value();
  return Log(kVault, "PayFailed(bytes32,address,address,uint256,bytes)",
             {OnChainPayoutId(item.payout_id), item.token.ToWord(), item.to.ToWord()},
             std::move(data));
}

TEST(PayBatch, GivesEveryItemGasForTheWorst) {
  const GasLimits limits;
  const Call one = PayBatchCall(kVault, {Item("pot_a", 5)}, limits).value();
  const Call two = PayBatchCall(kVault, {Item("pot_a", 5), Item("pot_b", 6)}, limits).value();
  EXPECT_EQ(two.gas_limit - one.gas_limit, limits.pay_per_item);
  EXPECT_EQ(one.to, kVault);
  EXPECT_FALSE(PayBatchCall(kVault, {}, limits).ok());
  const std::vector<PayItem> many(kMaxPayBatch, Item("pot_a", 5));
  EXPECT_LE(PayBatchCall(kVault, many, limits).value().gas_limit, kMaxTransactionGas);
  const std::vector<PayItem> too_many(kMaxPayBatch + 1, Item("pot_a", 5));
  EXPECT_FALSE(PayBatchCall(kVault, too_many, limits).ok());
}

TEST(PayBatch, ReadsEachItemsOutcome) {
  const std::vector<PayItem> items = {Item("pot_a", 5), Item("pot_b", 6), Item("pot_c", 7),
                                      Item("pot_d", 8)};
  const auto results =
      PayResults(kVault, items,
                 {TransferLog(items[0]), PaidLog(items[0]), FailedLog(items[1], "ZeroAmount()"),
                  FailedLog(items[2], "AlreadyPaid(bytes32)")});
  EXPECT_EQ(results[0].outcome, ItemOutcome::kPaid);
  EXPECT_EQ(results[1].outcome, ItemOutcome::kFailed);
  EXPECT_EQ(results[1].reason, "ZeroAmount");
  EXPECT_EQ(results[2].outcome, ItemOutcome::kAlreadyPaid);
  EXPECT_EQ(results[3].outcome, ItemOutcome::kMissing);
}

TEST(PayBatch, BelievesTheTokenBeforeTheVault) {
  const PayItem item = Item("pot_a", 5);
  EXPECT_EQ(PayResults(kVault, {item}, {PaidLog(item)})[0].outcome, ItemOutcome::kMissing);
  PayItem less = item;
  less.amount = U256(4);
  EXPECT_EQ(PayResults(kVault, {item}, {PaidLog(item), TransferLog(less)})[0].outcome,
            ItemOutcome::kMissing);
}

TEST(PayBatch, IgnoresEventsOfOtherContractsAndOtherAmounts) {
  const PayItem item = Item("pot_a", 5);
  ReceiptLog stranger = PaidLog(item);
  stranger.address = kToken;
  EXPECT_EQ(PayResults(kVault, {item}, {stranger, TransferLog(item)})[0].outcome,
            ItemOutcome::kMissing);
  PayItem other = item;
  other.amount = U256(50);
  EXPECT_EQ(PayResults(kVault, {item}, {PaidLog(other), TransferLog(item)})[0].outcome,
            ItemOutcome::kMissing);
}

TEST(Sweep, ReadsEachDepositsOutcome) {
  const evm::Hash32 a = DepositSalt("pay_a");
  const evm::Hash32 b = DepositSalt("pay_b");
  const auto selector = evm::Selector("NothingToFlush()");
  const auto types = evm::AbiType::ParseList("bytes").value();
  const std::vector<ReceiptLog> logs = {
      Log(kVault, "Flushed(bytes32,address,address,uint256)",
          {a, AddressOf(9).ToWord(), kToken.ToWord()}, Word(U256(5))),
      Log(kVault, "FlushFailed(bytes32,address,address,bytes)",
          {b, AddressOf(8).ToWord(), kToken.ToWord()},
          evm::AbiEncode(types, {evm::Bytes(selector.begin(), selector.end())}).value())};
  const auto results = SweepResults(kVault, {a, b, DepositSalt("pay_c")}, kToken, logs);
  EXPECT_EQ(results[0].outcome, ItemOutcome::kPaid);
  EXPECT_EQ(results[1].outcome, ItemOutcome::kFailed);
  EXPECT_EQ(results[1].reason, "NothingToFlush");
  EXPECT_EQ(results[2].outcome, ItemOutcome::kMissing);
}

TEST(SignedBytes, MustSayWhatWasApproved) {
  const evm::PrivateKey key = Key(1);
  const Call call = PayBatchCall(kVault, {Item("pot_a", 5)}, {}).value();
  const evm::Transaction approved =
      MakeTransaction(31337, 7, call, {U256(2'000'000'000), U256(1'000'000'000)});
  const evm::Bytes raw = evm::SignTransaction(approved, key).raw;
  ASSERT_TRUE(VerifySigned(raw, approved, key.address()).ok());

  const auto mutated = [&](auto change) {
    evm::Transaction other = approved;
    change(other);
    const auto result = VerifySigned(evm::SignTransaction(other, key).raw, approved, key.address());
    return result.ok() ? std::string("accepted") : result.error().metadata.at("field");
  };
  EXPECT_EQ(mutated([](evm::Transaction& t) { t.chain_id = 1; }), "chain_id");
  EXPECT_EQ(mutated([](evm::Transaction& t) { ++t.nonce; }), "nonce");
  EXPECT_EQ(mutated([](evm::Transaction& t) { t.to = kMerchant; }), "to");
  EXPECT_EQ(mutated([](evm::Transaction& t) { t.value = U256(1); }), "value");
  EXPECT_EQ(mutated([](evm::Transaction& t) { t.data.back() ^= 1; }), "data");
  EXPECT_EQ(mutated([](evm::Transaction& t) { ++t.gas_limit; }), "gas_limit");
  EXPECT_EQ(mutated([](evm::Transaction& t) { t.max_fee_per_gas = U256(9'000'000'000); }),
            "max_fee_per_gas");
  EXPECT_EQ(mutated([](evm::Transaction& t) {
              t.access_list.push_back({kToken, {}});
            }),
            "access_list");
  EXPECT_EQ(VerifySigned(raw, approved, Key(2).address()).error().metadata.at("field"), "from");
  EXPECT_FALSE(VerifySigned(evm::Bytes{2, 1}, approved, key.address()).ok());
}

// Selectors as an independent library makes them.
TEST(VaultLimit, IsAskedForByToken) {
  const evm::Bytes limit = LimitCallData(kToken).value(), spent = SpentCallData(kToken).value();
  EXPECT_EQ(evm::HexEncode(evm::ByteView(limit).first(4)), "0x546a2ca4");
  EXPECT_EQ(evm::HexEncode(evm::ByteView(spent).first(4)), "0x8aeac501");
  EXPECT_EQ(ParseUint(Word(U256(500))).value(), U256(500));
  EXPECT_FALSE(ParseUint({}).ok());
}

TEST(RevertReason, SpeaksInNames) {
  const auto selector = evm::Selector("LimitExceeded(address,uint256,uint256)");
  EXPECT_EQ(RevertReason(evm::Bytes(selector.begin(), selector.end())), "LimitExceeded");
  EXPECT_NE(RevertReason({}).find("without data"), std::string::npos);
}

}  // namespace
}  // namespace paymesh::settlement
