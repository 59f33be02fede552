#include "common/evm/signing/eip712.h"

#include <set>
#include <utility>

#include "common/evm/keccak.h"

namespace paymesh::evm {
namespace {

constexpr unsigned kMaxDepth = 8;

Error BadTypedData(std::string why) {
  return Error::InvalidArgument("INVALID_TYPED_DATA", std::move(why));
}

std::string_view WithoutArrays(std::string_view type) { return type.substr(0, type.find('[')); }

Result<const std::vector<Eip712Field>*> FindStruct(const Eip712Types& types,
                                                   std::string_view name) {
  const auto found = types.find(std::string(name));
  if (found == types.end()) return BadTypedData("names an unknown struct");
  return &found->second;
}

// Adds the structs that `name` refers to, directly or not.
Status Collect(const Eip712Types& types, std::string_view name, unsigned depth,
               std::set<std::string>& seen) {
  if (depth > kMaxDepth) return BadTypedData("nests more than 8 deep");
  ASSIGN_OR_RETURN(const auto* fields, FindStruct(types, name));
  for (const Eip712Field& field : *fields) {
    const std::string base(WithoutArrays(field.type));
    if (!types.contains(base) || !seen.insert(base).second) continue;
    RETURN_IF_ERROR(Collect(types, base, depth + 1, seen));
  }
  return {};
}

void AppendStruct(std::string& out, std::string_view name, const std::vector<Eip712Field>& fields) {
  out.append(name).append("(");
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) out += ',';
    out.append(fields[i].type).append(" ").append(fields[i].name);
  }
  out += ')';
}

class Hasher {
 public:
  explicit Hasher(const Eip712Types& types) : types_(types) {}

  Result<Hash32> HashStruct(std::string_view name, const AbiValue::List& members, unsigned depth) {
    if (depth > kMaxDepth) return BadTypedData("nests more than 8 deep");
    ASSIGN_OR_RETURN(const auto* fields, FindStruct(types_, name));
    if (fields->size() != members.size()) return BadTypedData("has the wrong number of members");
    ASSIGN_OR_RETURN(const std::string type, EncodeStructType(types_, name));
    Bytes encoded;
    Append(encoded, Keccak256(type).view());
    for (std::size_t i = 0; i < members.size(); ++i) {
      ASSIGN_OR_RETURN(const Hash32 word, EncodeField((*fields)[i].type, members[i], depth + 1));
      Append(encoded, word.view());
    }
    return Keccak256(encoded);
  }

 private:
  Result<Hash32> EncodeField(std::string_view type, const AbiValue& value, unsigned depth) {
    if (type.ends_with(']')) return HashArray(type, value, depth);
    if (types_.contains(std::string(type))) {
      const auto* members = std::get_if<AbiValue::List>(&value.variant());
      if (members == nullptr) return BadTypedData("has a value that does not fit its type");
      return HashStruct(type, *members, depth);
    }
    if (type == "string") {
      const auto* text = std::get_if<std::string>(&value.variant());
      if (text != nullptr) return Keccak256(*text);
    } else if (type == "bytes") {
      const auto* bytes = std::get_if<Bytes>(&value.variant());
      if (bytes != nullptr) return Keccak256(*bytes);
    } else {
      return EncodeAtom(type, value);
    }
    return BadTypedData("has a value that does not fit its type");
  }

  Result<Hash32> HashArray(std::string_view type, const AbiValue& value, unsigned depth) {
    if (depth > kMaxDepth) return BadTypedData("nests more than 8 deep");
    const std::size_t open = type.rfind('[');
    const auto* list = std::get_if<AbiValue::List>(&value.variant());
    if (open == std::string_view::npos || list == nullptr) {
      return BadTypedData("has a value that does not fit its type");
    }
    const std::string_view length = type.substr(open + 1, type.size() - open - 2);
    if (!length.empty() && length != std::to_string(list->size())) {
      return BadTypedData("has an array of the wrong length");
    }
    Bytes words;
    for (const AbiValue& element : *list) {
      ASSIGN_OR_RETURN(const Hash32 word, EncodeField(type.substr(0, open), element, depth + 1));
      Append(words, word.view());
    }
    return Keccak256(words);
  }

  static Result<Hash32> EncodeAtom(std::string_view type, const AbiValue& value) {
    const Result<AbiType> parsed = AbiType::Parse(type);
    if (!parsed.ok() || parsed->kind() == AbiType::Kind::kTuple) {
      return BadTypedData("names an unknown type");
    }
    const Result<Bytes> word = AbiEncode({*parsed}, {value});
    if (!word.ok()) return BadTypedData("has a value that does not fit its type");
    return Hash32::FromBytes(*word);
  }

  const Eip712Types& types_;
};

}  // namespace

Hash32 DomainSeparator(const Eip712Domain& domain) {
  std::vector<Eip712Field> fields;
  AbiValue::List members;
  const auto add = [&](const char* type, const char* name, AbiValue value) {
    fields.push_back({name, type});
    members.push_back(std::move(value));
  };
  if (domain.name) add("string", "name", AbiValue(*domain.name));
  if (domain.version) add("string", "version", AbiValue(*domain.version));
  if (domain.chain_id) add("uint256", "chainId", AbiValue::Number(*domain.chain_id));
  if (domain.verifying_contract) {
    add("address", "verifyingContract", AbiValue(*domain.verifying_contract));
  }
  if (domain.salt) add("bytes32", "salt", AbiValue(*domain.salt));
  return StructHash({{"EIP712Domain", fields}}, "EIP712Domain", members).value();
}

Result<std::string> EncodeStructType(const Eip712Types& types, std::string_view name) {
  std::set<std::string> referred;
  RETURN_IF_ERROR(Collect(types, name, 0, referred));
  referred.erase(std::string(name));
  std::string text;
  AppendStruct(text, name, types.at(std::string(name)));
  for (const std::string& other : referred) AppendStruct(text, other, types.at(other));
  return text;
}

Result<Hash32> StructHash(const Eip712Types& types, std::string_view name,
                          const AbiValue::List& members) {
  return Hasher(types).HashStruct(name, members, 0);
}

Hash32 TypedDataDigest(const Hash32& domain_separator, const Hash32& struct_hash) {
  Bytes preimage{0x19, 0x01};
  Append(preimage, domain_separator.view());
  Append(preimage, struct_hash.view());
  return Keccak256(preimage);
}

}  // namespace paymesh::evm
