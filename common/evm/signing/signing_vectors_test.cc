// What is signed, and what calls and logs carry: transactions, typed data, messages, ABI.
#include <gtest/gtest.h>

#include "common/evm/abi.h"
#include "common/evm/event.h"
#include "common/evm/signing/authorization.h"
#include "common/evm/signing/eip712.h"
#include "common/evm/signing/signature.h"
#include "common/evm/testing/vectors.h"
#include "common/evm/transaction.h"

namespace paymesh::evm {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;
using vectors::Cases;
using vectors::Hex;
using vectors::IsValid;
using vectors::Text;

U256 Number(const value& number) {
  if (number.is_string()) return U256::FromDecimal(Text(number)).value();
  return U256(number.to_number<std::uint64_t>());
}

Transaction TransactionOf(const object& fields) {
  Transaction transaction;
  transaction.chain_id = *Number(fields.at("chainId")).ToUint64();
  transaction.nonce = *Number(fields.at("nonce")).ToUint64();
  transaction.gas_limit = *Number(fields.at("gas")).ToUint64();
  transaction.max_fee_per_gas = Number(fields.at("maxFeePerGas"));
  transaction.max_priority_fee_per_gas = Number(fields.at("maxPriorityFeePerGas"));
  if (const value* to = fields.if_contains("to"); to != nullptr && to->is_string()) {
    transaction.to = Address::Parse(Text(*to)).value();
  }
  transaction.value = Number(fields.at("value"));
  transaction.data = Hex(fields, "data");
  for (const value& entry : fields.at("accessList").as_array()) {
    AccessListEntry listed{Address::Parse(Text(entry.as_object(), "address")).value(), {}};
    for (const value& key : entry.as_object().at("storageKeys").as_array()) {
      listed.storage_keys.push_back(Hash32::Parse(Text(key)).value());
    }
    transaction.access_list.push_back(listed);
  }
  return transaction;
}

TEST(Vectors, EveryTransactionIsSignedToTheSameBytesAndReadBack) {
  int seen = 0;
  for (const value& entry : Cases("eip1559_tx")) {
    const object& vector = entry.as_object();
    SCOPED_TRACE(Text(vector, "name"));
    ++seen;
    const Transaction transaction = TransactionOf(vector.at("tx").as_object());
    const PrivateKey key = PrivateKey::FromBytes(Hex(vector, "privateKey")).value();
    EXPECT_EQ(HexEncode(SerializeUnsigned(transaction)), Text(vector, "unsigned"));
    EXPECT_EQ(SigningHash(transaction).ToHex(), Text(vector, "signingHash"));
    const SignedTransaction signed_here = SignTransaction(transaction, key);
    EXPECT_EQ(HexEncode(signed_here.raw), Text(vector, "signed"));
    EXPECT_EQ(signed_here.hash.ToHex(), Text(vector, "hash"));
    EXPECT_EQ(signed_here.signature.r.ToHex(), Text(vector, "r"));
    EXPECT_EQ(signed_here.signature.s.ToHex(), Text(vector, "s"));
    EXPECT_EQ(signed_here.signature.y_parity, vector.at("yParity").as_int64());
    const Result<SignedTransaction> decoded = DecodeSigned(Hex(vector, "signed"));
    ASSERT_TRUE(decoded.ok()) << decoded.error().message;
    EXPECT_EQ(decoded->transaction, transaction);
    EXPECT_EQ(decoded->hash, signed_here.hash);
    EXPECT_EQ(decoded->from.ToChecksum(), Text(vector, "from"));
  }
  EXPECT_EQ(seen, 22);
}

TEST(Transaction, IsRefusedWhenAnyPartOfItsFormIsOff) {
  const object vector = Cases("eip1559_tx")[0].as_object();
  const Bytes good = Hex(vector, "signed");
  ASSERT_TRUE(DecodeSigned(good).ok());
  EXPECT_FALSE(DecodeSigned({}).ok());
  EXPECT_FALSE(DecodeSigned(Bytes(kMaxTransactionBytes + 1, 2)).ok());
  EXPECT_FALSE(DecodeSigned(Hex(vector, "unsigned")).ok());
  for (std::size_t length = 0; length < good.size(); ++length) {
    EXPECT_FALSE(DecodeSigned(ByteView(good).first(length)).ok());
  }
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_FALSE(DecodeSigned(longer).ok());
  Bytes legacy = good;
  legacy[0] = 1;
  EXPECT_FALSE(DecodeSigned(legacy).ok());
  // The same signer with n - s and the other parity: valid to ecrecover, malleable to us.
  SignedTransaction twin = *DecodeSigned(good);
  const U256 order =
      *U256::FromHex("0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
  twin.signature.s = Hash32::FromU256(*CheckedSub(order, twin.signature.s.ToU256()));
  twin.signature.y_parity ^= 1;
  EXPECT_EQ(RecoverSigner(SigningHash(twin.transaction), twin.signature).error().reason,
            "INVALID_SIGNATURE");
}

Eip712Domain DomainOf(const object& fields) {
  Eip712Domain domain;
  domain.name = Text(fields, "name");
  domain.version = Text(fields, "version");
  domain.chain_id = *Number(fields.at("chainId")).ToUint64();
  domain.verifying_contract = Address::Parse(Text(fields, "verifyingContract")).value();
  return domain;
}

AbiValue ValueOf(const std::string& type, const value& member) {
  if (type == "address") return Address::Parse(Text(member)).value();
  if (type == "bytes32") return Hash32::Parse(Text(member)).value();
  if (type == "bytes") return HexDecode(Text(member)).value();
  if (type == "string") return Text(member);
  return Number(member);
}

struct TypedData {
  Eip712Types types;
  std::string primary;
  AbiValue::List members;
};

TypedData TypedDataOf(const object& vector) {
  TypedData data;
  data.primary = Text(vector, "primaryType");
  const object& message = vector.at("message").as_object();
  for (const auto& entry : vector.at("types").as_object()) {
    for (const value& field : entry.value().as_array()) {
      data.types[std::string(entry.key())].push_back(
          {Text(field.as_object(), "name"), Text(field.as_object(), "type")});
    }
  }
  for (const Eip712Field& field : data.types[data.primary]) {
    data.members.push_back(ValueOf(field.type, message.at(field.name)));
  }
  return data;
}

TransferAuthorization AuthorizationOf(const object& message) {
  return {Address::Parse(Text(message, "from")).value(),
          Address::Parse(Text(message, "to")).value(),
          Number(message.at("value")),
          Number(message.at("validAfter")),
          Number(message.at("validBefore")),
          Hash32::Parse(Text(message, "nonce")).value()};
}

constexpr std::uint64_t kNow = 1'763'800'000;  // 2025, between the vectors' bounds

void CheckSigned(const object& vector, const Hash32& digest) {
  const PrivateKey key = PrivateKey::FromBytes(Hex(vector, "privateKey")).value();
  EXPECT_EQ(HexEncode(key.Sign(digest).ToBytes()), Text(vector, "signature"));
  const Signature signature = Signature::FromBytes(Hex(vector, "signature")).value();
  EXPECT_EQ(RecoverSigner(digest, signature)->ToChecksum(), Text(vector, "signer"));
}

TEST(Vectors, EveryTypedDataDigestIsTheSameAndEveryForgeryRefused) {
  int seen = 0;
  for (const value& entry : Cases("eip712")) {
    const object& vector = entry.as_object();
    SCOPED_TRACE(Text(vector, "name"));
    ++seen;
    const Eip712Domain domain = DomainOf(vector.at("domain").as_object());
    const TypedData data = TypedDataOf(vector);
    const Hash32 struct_hash = StructHash(data.types, data.primary, data.members).value();
    const Hash32 digest = TypedDataDigest(DomainSeparator(domain), struct_hash);
    EXPECT_EQ(DomainSeparator(domain).ToHex(), Text(vector, "domainSeparator"));
    if (vector.contains("structHash")) {
      EXPECT_EQ(struct_hash.ToHex(), Text(vector, "structHash"));
    }
    if (vector.contains("digest")) {
      EXPECT_EQ(digest.ToHex(), Text(vector, "digest"));
    }
    if (IsValid(vector)) CheckSigned(vector, digest);
    if (data.primary == "TransferWithAuthorization") {
      const TransferAuthorization authorization = AuthorizationOf(vector.at("message").as_object());
      EXPECT_EQ(StructHash(authorization), struct_hash);
      EXPECT_EQ(VerifyAuthorization(domain, authorization, Hex(vector, "signature"), kNow).ok(),
                IsValid(vector));
    }
  }
  EXPECT_EQ(seen, 44);
}

TEST(Permit, HasTheDigestOfItsTypedData) {
  for (const value& entry : Cases("eip712")) {
    const object& vector = entry.as_object();
    if (Text(vector, "primaryType") != "Permit") continue;
    const object& message = vector.at("message").as_object();
    const Permit permit{Address::Parse(Text(message, "owner")).value(),
                        Address::Parse(Text(message, "spender")).value(),
                        Number(message.at("value")), Number(message.at("nonce")),
                        Number(message.at("deadline"))};
    EXPECT_EQ(Digest(DomainOf(vector.at("domain").as_object()), permit).ToHex(),
              Text(vector, "digest"));
  }
}

// The example of EIP-712's own text, which nests structs.
TEST(TypedData, NestsStructsAsTheStandardsExampleDoes) {
  const Eip712Types types{{"Person", {{"name", "string"}, {"wallet", "address"}}},
                          {"Mail", {{"from", "Person"}, {"to", "Person"}, {"contents", "string"}}}};
  const AbiValue::List from{AbiValue(std::string("Cow")),
                            *Address::Parse("0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826")};
  const AbiValue::List to{AbiValue(std::string("Bob")),
                          *Address::Parse("0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB")};
  EXPECT_EQ(*EncodeStructType(types, "Mail"),
            "Mail(Person from,Person to,string contents)Person(string name,address wallet)");
  const Hash32 hash =
      StructHash(types, "Mail",
                 {AbiValue(from), AbiValue(to), AbiValue(std::string("Hello, Bob!"))})
          .value();
  EXPECT_EQ(hash.ToHex(), "0xc52c0ee5d84264471806290a3f2c4cecfc5490626bf912d01f240d7a274b371e");
  const Eip712Domain domain{
      "Ether Mail", "1", 1, *Address::Parse("0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"), {}};
  EXPECT_EQ(TypedDataDigest(DomainSeparator(domain), hash).ToHex(),
            "0xbe609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2");
  EXPECT_FALSE(StructHash(types, "Nobody", {}).ok());
  EXPECT_FALSE(StructHash(types, "Mail", {}).ok());
  EXPECT_FALSE(StructHash({{"Loop", {{"next", "Loop"}}}}, "Loop", {AbiValue(from)}).ok());
}

// Text, or {"raw": "0x…"} for bytes.
std::string MessageOf(const value& message) {
  if (message.is_string()) return Text(message);
  const Bytes raw = Hex(message.as_object(), "raw");
  return {raw.begin(), raw.end()};
}

TEST(Vectors, EveryPersonalSignatureIsTheSameOrRefused) {
  int seen = 0;
  for (const value& entry : Cases("personal_sign")) {
    const object& vector = entry.as_object();
    ++seen;
    const Hash32 digest = PersonalMessageHash(MessageOf(vector.at("message")));
    const Signature signature = Signature::FromBytes(Hex(vector, "signature")).value();
    const Address signer = RecoverSigner(digest, signature).value();
    EXPECT_EQ(signer.ToChecksum() == Text(vector, "signer"), IsValid(vector));
    if (vector.contains("hash")) {
      EXPECT_EQ(digest.ToHex(), Text(vector, "hash"));
    }
    if (vector.contains("recovered")) {
      EXPECT_EQ(signer.ToChecksum(), Text(vector, "recovered"));
    }
    if (IsValid(vector)) CheckSigned(vector, digest);
  }
  EXPECT_EQ(seen, 9);
}

TEST(Signature, IsNormalisedFromTheWalletsOtherForm) {
  const PrivateKey key = PrivateKey::FromBytes(Bytes(32, 7)).value();
  const Signature signature = key.Sign(PersonalMessageHash("hello"));
  auto bytes = signature.ToBytes();
  bytes[64] = static_cast<std::uint8_t>(bytes[64] - 27);
  EXPECT_FALSE(Signature::FromBytes(bytes).ok());
  EXPECT_EQ(Signature::Normalise(bytes).value(), signature);
  EXPECT_EQ(Signature::Normalise(signature.ToBytes()).value(), signature);
  bytes[64] = 2;
  EXPECT_FALSE(Signature::Normalise(bytes).ok());
}

TEST(PrivateKey, IsRefusedOutOfRange) {
  EXPECT_FALSE(PrivateKey::FromBytes(Bytes(32)).ok());
  EXPECT_FALSE(PrivateKey::FromBytes(Bytes(32, 0xff)).ok());
  EXPECT_FALSE(PrivateKey::FromBytes(Bytes(31, 1)).ok());
}

std::vector<std::string> ParameterNames(const std::string& signature) {
  std::vector<std::string> names;
  std::stringstream inside(signature.substr(signature.find('(') + 1));
  for (std::string name; std::getline(inside, name, ',');) {
    if (name.ends_with(')')) name.pop_back();
    names.push_back(name);
  }
  return names;
}

void CheckCall(const object& vector) {
  const std::string signature = Text(vector, "signature");
  EXPECT_EQ(HexEncode(Selector(signature)), Text(vector, "selector"));
  const auto types = ParameterNames(signature);
  const array& given = vector.at("args").as_array();
  AbiValue::List arguments;
  for (std::size_t i = 0; i < given.size(); ++i) arguments.push_back(ValueOf(types[i], given[i]));
  EXPECT_EQ(HexEncode(EncodeCall(signature, arguments).value()), Text(vector, "data"));
  EXPECT_EQ(DecodeCall(signature, Hex(vector, "data")).value(), arguments);
}

void CheckLog(const object& vector) {
  std::vector<Hash32> topics;
  for (const value& topic : vector.at("topics").as_array()) {
    topics.push_back(Hash32::Parse(Text(topic)).value());
  }
  const Bytes data = Hex(vector, "data");
  const std::optional<TransferEvent> event = DecodeTransfer(topics, data);
  const auto decoder =
      EventDecoder::Parse("Transfer(address indexed from,address indexed to,uint256 value)");
  EXPECT_EQ(decoder->topic(), kTransferTopic);
  const Result<AbiValue::List> values = decoder->Decode(topics, data);
  EXPECT_EQ(event.has_value(), IsValid(vector));
  EXPECT_EQ(values.ok(), IsValid(vector));
  if (!IsValid(vector)) return;
  const object& decoded = vector.at("decoded").as_object();
  EXPECT_EQ(event->from.ToChecksum(), Text(decoded, "from"));
  EXPECT_EQ(event->to.ToChecksum(), Text(decoded, "to"));
  EXPECT_EQ(event->value.ToString(), Text(decoded, "value"));
  EXPECT_EQ(*values, (AbiValue::List{event->from, event->to, event->value}));
}

TEST(Vectors, EveryCallAndLogIsTheSameOrRefused) {
  int seen = 0;
  for (const value& entry : Cases("abi")) {
    const object& vector = entry.as_object();
    ++seen;
    if (Text(vector, "kind") == "call") {
      CheckCall(vector);
    } else {
      CheckLog(vector);
    }
  }
  EXPECT_EQ(seen, 30);
}

}  // namespace
}  // namespace paymesh::evm
