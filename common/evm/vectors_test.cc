// Everything that is not signed: hashes, addresses, RLP, CREATE2, BIP-32, EIP-681.
#include "common/evm/testing/vectors.h"

#include <gtest/gtest.h>

#include "common/evm/address.h"
#include "common/evm/create2.h"
#include "common/evm/eip681.h"
#include "common/evm/keccak.h"
#include "common/evm/rlp.h"

namespace paymesh::evm {
namespace {

using boost::json::object;
using boost::json::value;
using vectors::Cases;
using vectors::Hex;
using vectors::IsValid;
using vectors::Load;
using vectors::Text;

TEST(Vectors, EveryKeccakDigestIsTheSame) {
  int seen = 0;
  for (const value& entry : Cases("keccak256")) {
    const object& vector = entry.as_object();
    EXPECT_EQ(Keccak256(Hex(vector, "input")).ToHex(), Text(vector, "keccak256"));
    ++seen;
  }
  EXPECT_EQ(seen, 20);
}

TEST(Vectors, EveryAddressChecksumIsTheSameOrRefused) {
  int seen = 0;
  for (const value& entry : Cases("eip55")) {
    const object& vector = entry.as_object();
    ++seen;
    if (!IsValid(vector)) {
      EXPECT_FALSE(Address::Parse(Text(vector, "input")).ok()) << Text(vector, "input");
      continue;
    }
    const Result<Address> address = Address::Parse(Text(vector, "checksum"));
    ASSERT_TRUE(address.ok());
    EXPECT_EQ(address->ToHex(), Text(vector, "lower"));
    EXPECT_EQ(address->ToChecksum(), Text(vector, "checksum"));
    EXPECT_EQ(Address::Parse(Text(vector, "lower")).value(), *address);
  }
  EXPECT_EQ(seen, 30);
}

RlpItem ItemOf(const value& decoded) {
  if (decoded.is_string()) return RlpItem(HexDecode(Text(decoded)).value());
  RlpItem::List list;
  for (const value& member : decoded.as_array()) list.push_back(ItemOf(member));
  return RlpItem(std::move(list));
}

TEST(Vectors, EveryRlpItemIsTheSameOrRefused) {
  int seen = 0;
  for (const value& entry : Cases("rlp")) {
    const object& vector = entry.as_object();
    ++seen;
    const Bytes encoded = Hex(vector, "encoded");
    const Result<RlpItem> decoded = RlpDecode(encoded);
    ASSERT_EQ(decoded.ok(), IsValid(vector)) << Text(vector, "encoded").substr(0, 80);
    if (!IsValid(vector)) continue;
    EXPECT_EQ(*decoded, ItemOf(vector.at("decoded")));
    EXPECT_EQ(RlpEncode(*decoded), encoded);
  }
  EXPECT_EQ(seen, 17);
}

TEST(Rlp, RefusesWhatWouldExhaustMemoryOrStack) {
  EXPECT_FALSE(RlpDecode(Bytes{}).ok());
  EXPECT_FALSE(RlpDecode(Bytes(10'000, 0xc1)).ok());
  EXPECT_FALSE(RlpDecode(*HexDecode("0xbfffffffffffffffff")).ok());
  EXPECT_FALSE(RlpDecode(*HexDecode("0xffffffffffffffffff00")).ok());
}

TEST(Vectors, EveryCreate2AddressIsTheSame) {
  int seen = 0;
  for (const value& entry : Cases("create2")) {
    const object& vector = entry.as_object();
    ++seen;
    const Hash32 hash = Hash32::Parse(Text(vector, "initCodeHash")).value();
    const Address deployer = Address::Parse(Text(vector, "deployer")).value();
    const Hash32 salt = Hash32::Parse(Text(vector, "salt")).value();
    EXPECT_EQ(Create2Address(deployer, salt, hash).ToChecksum(), Text(vector, "address"));
    if (!vector.contains("initCode")) continue;
    const Bytes code = Hex(vector, "initCode");
    EXPECT_EQ(Keccak256(code), hash);
    if (!vector.contains("note")) continue;
    const Address implementation = Address::FromBytes(ByteView(code).subspan(20, 20)).value();
    EXPECT_EQ(CloneInitCode(implementation), code);
    EXPECT_EQ(CloneInitCodeHash(implementation), hash);
  }
  EXPECT_EQ(seen, 20);
}

TEST(Vectors, EveryPaymentUriIsTheSameOrRefused) {
  int seen = 0;
  for (const value& entry : Cases("eip681")) {
    const object& vector = entry.as_object();
    ++seen;
    const Result<Eip681Uri> uri = ParseUri(Text(vector, "uri"));
    ASSERT_EQ(uri.ok(), IsValid(vector)) << Text(vector, "uri");
    if (!IsValid(vector)) continue;
    const object& parsed = vector.at("parsed").as_object();
    EXPECT_EQ(uri->target.ToChecksum(), Text(parsed, "target_address"));
    EXPECT_EQ(uri->has_pay_prefix, parsed.contains("prefix"));
    EXPECT_EQ(uri->chain_id.has_value(), parsed.contains("chain_id"));
    if (uri->chain_id) {
      EXPECT_EQ(std::to_string(*uri->chain_id), Text(parsed, "chain_id"));
    }
    EXPECT_EQ(uri->function, parsed.contains("function_name") ? Text(parsed, "function_name") : "");
    const object parameters =
        parsed.contains("parameters") ? parsed.at("parameters").as_object() : object();
    EXPECT_EQ(uri->parameters.size(), parameters.size());
    for (const auto& [name, text] : uri->parameters) {
      const std::string expected = Text(parameters, name.c_str());
      if (name == "address") {
        EXPECT_EQ(Address::Parse(text).value(), Address::Parse(expected).value());
      } else {
        EXPECT_EQ(ParseUriNumber(text).value(), ParseUriNumber(expected).value());
      }
    }
  }
  EXPECT_EQ(seen, 13);
}

}  // namespace
}  // namespace paymesh::evm
