#include "common/evm/abi.h"

#include <gtest/gtest.h>

#include <random>

#include "common/evm/event.h"
#include "common/evm/keccak.h"
#include "common/evm/signing/eip712.h"
#include "common/evm/testing/vectors.h"

namespace paymesh::evm {
namespace {

using boost::json::object;
using boost::json::value;
using vectors::Hex;
using vectors::Load;
using vectors::Text;

AbiValue ValueOf(const AbiType& type, const value& json);

AbiValue::List ListOf(const AbiType& type, const value& json) {
  AbiValue::List list;
  const auto& members = json.as_array();
  for (std::size_t i = 0; i < members.size(); ++i) {
    const bool tuple = type.kind() == AbiType::Kind::kTuple;
    list.push_back(ValueOf(type.parts()[tuple ? i : 0], members[i]));
  }
  return list;
}

// The left-aligned word of a bytesN.
Hash32 WordOf(const std::string& hex) {
  Bytes bytes = HexDecode(hex).value();
  bytes.resize(32);
  return Hash32::FromBytes(bytes).value();
}

AbiValue ValueOf(const AbiType& type, const value& json) {
  switch (type.kind()) {
    case AbiType::Kind::kAddress:
      return Address::Parse(Text(json)).value();
    case AbiType::Kind::kBool:
      return AbiValue::Bool(json.as_bool());
    case AbiType::Kind::kFixedBytes:
      return WordOf(Text(json));
    case AbiType::Kind::kBytes:
      return HexDecode(Text(json)).value();
    case AbiType::Kind::kString:
      return Text(json);
    case AbiType::Kind::kArray:
    case AbiType::Kind::kTuple:
      return ListOf(type, json);
    default:
      return json.is_string() ? U256::FromDecimal(Text(json)).value()
                              : U256(json.to_number<std::uint64_t>());
  }
}

AbiValue::List ValuesOf(const std::vector<AbiType>& types, const value& json) {
  AbiValue::List values;
  for (std::size_t i = 0; i < types.size(); ++i) {
    values.push_back(ValueOf(types[i], json.as_array()[i]));
  }
  return values;
}

TEST(Abi, EncodesAndDecodesDynamicTypesAsOthersDo) {
  const object file = Load("abi_dynamic");
  for (const value& entry : file.at("calls").as_array()) {
    const object& vector = entry.as_object();
    const std::string signature = Text(vector, "signature");
    SCOPED_TRACE(signature);
    const std::size_t open = signature.find('(');
    const auto types =
        AbiType::ParseList(signature.substr(open + 1, signature.size() - open - 2)).value();
    const AbiValue::List arguments = ValuesOf(types, vector.at("args"));
    EXPECT_EQ(HexEncode(EncodeCall(signature, arguments).value()), Text(vector, "data"));
    EXPECT_EQ(DecodeCall(signature, Hex(vector, "data")).value(), arguments);
  }
  for (const value& entry : file.at("values").as_array()) {
    const object& vector = entry.as_object();
    const auto types = AbiType::ParseList(Text(vector, "types")).value();
    const AbiValue::List values = ValuesOf(types, vector.at("args"));
    EXPECT_EQ(HexEncode(AbiEncode(types, values).value()), Text(vector, "data"));
    EXPECT_EQ(DecodeReturn(Text(vector, "types"), Hex(vector, "data")).value(), values);
  }
}

TEST(TypedData, WithArraysAndAWitnessHasTheSameDigestElsewhere) {
  const object file = Load("abi_dynamic");
  const object& vector = file.at("typedData").as_array()[0].as_object();
  const object& domain = vector.at("domain").as_object();
  Eip712Types types;
  for (const auto& entry : vector.at("types").as_object()) {
    for (const value& field : entry.value().as_array()) {
      types[std::string(entry.key())].push_back(
          {Text(field.as_object(), "name"), Text(field.as_object(), "type")});
    }
  }
  const object& message = vector.at("message").as_object();
  const object& witness = message.at("witness").as_object();
  const auto permission = [](const value& json) -> AbiValue {
    const object& fields = json.as_object();
    return AbiValue::List{Address::Parse(Text(fields, "token")).value(),
                          U256::FromDecimal(Text(fields, "amount")).value()};
  };
  const auto number = [&](const char* name) -> AbiValue {
    return U256::FromDecimal(Text(message, name)).value();
  };
  AbiValue::List tags, notes, parts;
  for (const value& tag : witness.at("tags").as_array()) tags.push_back(WordOf(Text(tag)));
  for (const value& note : witness.at("notes").as_array()) notes.push_back(Text(note));
  for (const value& part : witness.at("parts").as_array()) parts.push_back(permission(part));
  const AbiValue::List members{
      permission(message.at("permitted")), Address::Parse(Text(message, "spender")).value(),
      number("nonce"), number("deadline"),
      AbiValue::List{Hash32::Parse(Text(witness, "salt")).value(), tags, notes, parts}};
  Eip712Domain parsed;
  parsed.name = Text(domain, "name");
  parsed.chain_id = 31337;
  parsed.verifying_contract = Address::Parse(Text(domain, "verifyingContract")).value();
  EXPECT_EQ(TypedDataDigest(DomainSeparator(parsed),
                            StructHash(types, Text(vector, "primaryType"), members).value())
                .ToHex(),
            Text(vector, "digest"));
}

TEST(Abi, RefusesTypesItDoesNotKnow) {
  for (const char* text : {"uint",
                           "uint7",
                           "uint0",
                           "uint264",
                           "uint08",
                           "int128",
                           "bytes0",
                           "bytes33",
                           "byte",
                           "address ",
                           " address",
                           "address[",
                           "address]",
                           "address[0]",
                           "address[1001]",
                           "address[-1]",
                           "(address",
                           "()",
                           "",
                           "address,",
                           ",address",
                           "fixed128x18",
                           "function",
                           "Struct",
                           "((((((((((bool))))))))))",
                           "bool[][][][][][][][][][][]",
                           "bool[1000][1000][1000]"}) {
    EXPECT_FALSE(AbiType::Parse(text).ok()) << text;
  }
}

TEST(Abi, RefusesValuesThatDoNotFit) {
  const auto encode = [](const char* type, AbiValue given) {
    return AbiEncode({AbiType::Parse(type).value()}, {std::move(given)}).ok();
  };
  EXPECT_TRUE(encode("uint8", U256(255)));
  EXPECT_FALSE(encode("uint8", U256(256)));
  EXPECT_FALSE(encode("uint8", std::string("1")));
  EXPECT_FALSE(encode("address", U256(1)));
  EXPECT_FALSE(encode("bool", U256(1)));
  EXPECT_FALSE(encode("bytes4", Hash32::FromU256(U256(1))));
  EXPECT_FALSE(encode("bool[2]", AbiValue::List{AbiValue::Bool(true)}));
  EXPECT_FALSE(encode("(bool,bool)", AbiValue::List{AbiValue::Bool(true)}));
  EXPECT_FALSE(EncodeCall("transfer(address,uint256)", {U256(1)}).ok());
  EXPECT_FALSE(EncodeCall("transfer", {}).ok());
}

bool Decodes(const char* types, const std::string& words) {
  return DecodeReturn(types, HexDecode("0x" + words).value()).ok();
}

std::string Word(const std::string& tail, char fill = '0') {
  return std::string(64 - tail.size(), fill) + tail;
}

TEST(Abi, RefusesDirtyOrAbsurdData) {
  EXPECT_FALSE(Decodes("uint256", ""));
  EXPECT_FALSE(Decodes("bool", Word("2")));
  EXPECT_FALSE(Decodes("uint8", Word("100")));
  EXPECT_FALSE(Decodes("address", Word("", 'f')));
  EXPECT_FALSE(Decodes("bytes4", Word("1")));
  EXPECT_FALSE(Decodes("string", Word("40")));
  EXPECT_FALSE(Decodes("string", Word("", 'f')));
  EXPECT_FALSE(Decodes("string", Word("20") + Word("1")));
  EXPECT_FALSE(Decodes("string", Word("20") + Word("", 'f')));
  EXPECT_FALSE(Decodes("uint256[]", Word("20") + Word("ffffffff")));
  EXPECT_FALSE(Decodes("uint256[]", Word("20") + Word("2") + Word("1")));
  EXPECT_TRUE(Decodes("uint256[]", Word("20") + Word("1") + Word("1")));
}

TEST(Abi, UnfoldsNoMoreThanItsLimits) {
  // Each level holds 100 elements that all share the next level: 100 million numbers in 13 kB.
  std::string words = Word("20");
  for (int level = 0; level < 3; ++level) {
    words += Word("64");
    for (int i = 0; i < 100; ++i) words += Word("c80");
  }
  words += Word("64");
  for (int i = 0; i < 100; ++i) words += Word("1");
  EXPECT_FALSE(Decodes("uint256[][][][]", words));
  // Three strings that share one tail: 288 bytes of content in 224 bytes.
  const std::string tail = Word("60") + std::string(0xc0, 'a');
  EXPECT_FALSE(Decodes("string,string,string", Word("60") + Word("60") + Word("60") + tail));
}

TEST(Abi, SurvivesRandomBytes) {
  std::mt19937_64 random(1);
  const auto types = AbiType::ParseList("(bytes32,address,uint256)[],string,bytes[]").value();
  for (int i = 0; i < 5'000; ++i) {
    Bytes data(random() % 512);
    for (auto& byte : data) byte = random() % 4 ? 0 : static_cast<std::uint8_t>(random() % 256);
    const Result<AbiValue::List> values = AbiDecode(types, data);
    if (values.ok()) {
      EXPECT_TRUE(AbiEncode(types, *values).ok());
    }
  }
}

TEST(Revert, IsDescribedBrieflyAndPrintably) {
  const auto reason = [](std::string text) {
    return DescribeRevert(EncodeCall("Error(string)", {AbiValue(std::move(text))}).value());
  };
  EXPECT_EQ(reason("paused"), "paused");
  EXPECT_EQ(reason("a\nb\x1b[0m"), "a?b?[0m");
  EXPECT_EQ(reason(std::string(1000, 'x')).size(), 256u);
  EXPECT_EQ(DescribeRevert(EncodeCall("Panic(uint256)", {U256(0x11)}).value()), "panic 0x11");
  EXPECT_EQ(DescribeRevert(*HexDecode("0xdeadbeef00")), "0xdeadbeef");
  EXPECT_EQ(DescribeRevert({}), "");
}

TEST(Event, IsDecodedInTheOrderOfItsDeclaration) {
  const EventDecoder paid = EventDecoder::Parse(
                                "Paid(bytes32 indexed payoutId, address token, address indexed to, "
                                "uint256 amount, string note)")
                                .value();
  EXPECT_EQ(paid.signature(), "Paid(bytes32,address,address,uint256,string)");
  const Hash32 id = Keccak256("payout");
  const Address token = *Address::Parse("0x70997970C51812dc3A010C7d01b50e0d17dc79C8");
  const Address to = *Address::Parse("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC");
  const auto types = AbiType::ParseList("address,uint256,string").value();
  Bytes data = AbiEncode(types, {token, U256(5), std::string("thanks")}).value();
  const std::vector<Hash32> topics{paid.topic(), id, to.ToWord()};
  EXPECT_EQ(paid.Decode(topics, data).value(),
            (AbiValue::List{id, token, to, U256(5), std::string("thanks")}));

  EXPECT_FALSE(paid.Decode({}, data).ok());
  EXPECT_FALSE(paid.Decode(std::span(topics).first(2), data).ok());
  EXPECT_FALSE(paid.Decode(std::vector<Hash32>{paid.topic(), id, id}, data).ok());
  EXPECT_FALSE(paid.Decode(topics, ByteView(data).first(data.size() - 32)).ok());
  data.back() = 1;
  EXPECT_FALSE(paid.Decode(topics, data).ok()) << "dirty padding";
  data.back() = 0;
  data.resize(data.size() + 32);
  EXPECT_FALSE(paid.Decode(topics, data).ok()) << "surplus data";
}

TEST(Event, IsRefusedWhenItsDeclarationIsMalformed) {
  for (const char* text :
       {"", "Paid", "(address)", "Paid(address", "Paid(address,)", "Paid(string indexed x)",
        "Paid(Thing)", "P(bool indexed,bool indexed,bool indexed,bool indexed)"}) {
    EXPECT_FALSE(EventDecoder::Parse(text).ok()) << text;
  }
  EXPECT_TRUE(EventDecoder::Parse("Paused()").ok());
}

}  // namespace
}  // namespace paymesh::evm
