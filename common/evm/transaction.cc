#include "common/evm/transaction.h"

#include <utility>

#include "common/evm/keccak.h"
#include "common/evm/rlp.h"

namespace paymesh::evm {
namespace {

constexpr std::uint8_t kType = 0x02;
constexpr std::size_t kUnsignedFields = 9;
constexpr std::size_t kSignedFields = 12;

Error BadTransaction(const char* why) { return Error::InvalidArgument("INVALID_TRANSACTION", why); }

RlpItem Number(std::uint64_t value) { return RlpItem(U256(value)); }

RlpItem AccessListItem(const std::vector<AccessListEntry>& entries) {
  RlpItem::List list;
  for (const AccessListEntry& entry : entries) {
    RlpItem::List keys;
    for (const Hash32& key : entry.storage_keys) keys.emplace_back(key.view());
    list.push_back(RlpItem(RlpItem::List{RlpItem(entry.address.view()), RlpItem(std::move(keys))}));
  }
  return RlpItem(std::move(list));
}

RlpItem::List Fields(const Transaction& transaction) {
  return {Number(transaction.chain_id),
          Number(transaction.nonce),
          RlpItem(transaction.max_priority_fee_per_gas),
          RlpItem(transaction.max_fee_per_gas),
          Number(transaction.gas_limit),
          transaction.to ? RlpItem(transaction.to->view()) : RlpItem(),
          RlpItem(transaction.value),
          RlpItem(transaction.data),
          AccessListItem(transaction.access_list)};
}

Bytes Typed(RlpItem::List fields) {
  Bytes bytes{kType};
  Append(bytes, RlpEncode(RlpItem(std::move(fields))));
  return bytes;
}

Result<std::uint64_t> ToUint64(const RlpItem& item) {
  ASSIGN_OR_RETURN(const U256 number, item.ToU256());
  const std::optional<std::uint64_t> small = number.ToUint64();
  if (!small) return BadTransaction("has a field of more than 64 bits");
  return *small;
}

Result<ByteView> ToBytes(const RlpItem& item) {
  if (item.IsList()) return BadTransaction("has a list where bytes belong");
  return ByteView(item.bytes());
}

Result<AccessListEntry> ParseAccessListEntry(const RlpItem& item) {
  if (!item.IsList() || item.list().size() != 2 || !item.list()[1].IsList()) {
    return BadTransaction("has a malformed access list");
  }
  AccessListEntry entry;
  ASSIGN_OR_RETURN(const ByteView address, ToBytes(item.list()[0]));
  ASSIGN_OR_RETURN(entry.address, Address::FromBytes(address));
  for (const RlpItem& key : item.list()[1].list()) {
    ASSIGN_OR_RETURN(const ByteView bytes, ToBytes(key));
    ASSIGN_OR_RETURN(const Hash32 word, Hash32::FromBytes(bytes));
    entry.storage_keys.push_back(word);
  }
  return entry;
}

Result<Transaction> ParseFields(const RlpItem::List& fields) {
  Transaction transaction;
  ASSIGN_OR_RETURN(transaction.chain_id, ToUint64(fields[0]));
  ASSIGN_OR_RETURN(transaction.nonce, ToUint64(fields[1]));
  ASSIGN_OR_RETURN(transaction.max_priority_fee_per_gas, fields[2].ToU256());
  ASSIGN_OR_RETURN(transaction.max_fee_per_gas, fields[3].ToU256());
  ASSIGN_OR_RETURN(transaction.gas_limit, ToUint64(fields[4]));
  ASSIGN_OR_RETURN(const ByteView to, ToBytes(fields[5]));
  if (!to.empty()) {
    ASSIGN_OR_RETURN(transaction.to, Address::FromBytes(to));
  }
  ASSIGN_OR_RETURN(transaction.value, fields[6].ToU256());
  ASSIGN_OR_RETURN(const ByteView data, ToBytes(fields[7]));
  transaction.data.assign(data.begin(), data.end());
  if (!fields[8].IsList()) return BadTransaction("has a malformed access list");
  for (const RlpItem& item : fields[8].list()) {
    ASSIGN_OR_RETURN(AccessListEntry entry, ParseAccessListEntry(item));
    transaction.access_list.push_back(std::move(entry));
  }
  return transaction;
}

Result<Signature> ParseSignature(const RlpItem::List& fields) {
  ASSIGN_OR_RETURN(const std::uint64_t parity, ToUint64(fields[kUnsignedFields]));
  if (parity > 1) return BadTransaction("has a parity that is neither 0 nor 1");
  ASSIGN_OR_RETURN(const U256 r, fields[kUnsignedFields + 1].ToU256());
  ASSIGN_OR_RETURN(const U256 s, fields[kUnsignedFields + 2].ToU256());
  return Signature{Hash32::FromU256(r), Hash32::FromU256(s), static_cast<std::uint8_t>(parity)};
}

Result<SignedTransaction> ParseSigned(ByteView raw) {
  ASSIGN_OR_RETURN(const RlpItem item, RlpDecode(raw.subspan(1)));
  if (!item.IsList() || item.list().size() != kSignedFields) {
    return BadTransaction("does not have the 12 fields of a signed transaction");
  }
  SignedTransaction result;
  ASSIGN_OR_RETURN(result.transaction, ParseFields(item.list()));
  ASSIGN_OR_RETURN(result.signature, ParseSignature(item.list()));
  ASSIGN_OR_RETURN(result.from, RecoverSigner(SigningHash(result.transaction), result.signature));
  return result;
}

SignedTransaction Assemble(const Transaction& transaction, const Signature& signature,
                           const Address& from) {
  SignedTransaction result;
  result.transaction = transaction;
  result.signature = signature;
  RlpItem::List fields = Fields(transaction);
  fields.push_back(Number(signature.y_parity));
  fields.push_back(RlpItem(signature.r.ToU256()));
  fields.push_back(RlpItem(signature.s.ToU256()));
  result.raw = Typed(std::move(fields));
  result.hash = Keccak256(result.raw);
  result.from = from;
  return result;
}

}  // namespace

Bytes SerializeUnsigned(const Transaction& transaction) { return Typed(Fields(transaction)); }

Hash32 SigningHash(const Transaction& transaction) {
  return Keccak256(SerializeUnsigned(transaction));
}

SignedTransaction SignTransaction(const Transaction& transaction, const PrivateKey& key) {
  return Assemble(transaction, key.Sign(SigningHash(transaction)), key.address());
}

Result<SignedTransaction> AttachSignature(const Transaction& transaction,
                                          const Signature& signature) {
  ASSIGN_OR_RETURN(const Address from, RecoverSigner(SigningHash(transaction), signature));
  return Assemble(transaction, signature, from);
}

Result<SignedTransaction> DecodeSigned(ByteView raw) {
  if (raw.size() > kMaxTransactionBytes) return BadTransaction("is larger than 128 KiB");
  if (raw.empty() || raw[0] != kType) return BadTransaction("is not of type 2 (EIP-1559)");
  Result<SignedTransaction> result = ParseSigned(raw);
  if (!result.ok()) {
    return Error::InvalidArgument("INVALID_TRANSACTION", result.error().message);
  }
  result->raw.assign(raw.begin(), raw.end());
  result->hash = Keccak256(raw);
  return result;
}

}  // namespace paymesh::evm
