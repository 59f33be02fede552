#include "common/evm/signing/authorization.h"

#include "common/evm/abi.h"
#include "common/evm/keccak.h"

namespace paymesh::evm {
namespace {

constexpr std::string_view kTransferType =
    "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,"
    "uint256 validBefore,bytes32 nonce)";
constexpr std::string_view kPermitType =
    "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)";

void AppendWord(Bytes& out, const U256& number) { Append(out, number.ToBigEndian()); }
void AppendWord(Bytes& out, const Address& address) { Append(out, address.ToWord().view()); }
void AppendWord(Bytes& out, const Hash32& word) { Append(out, word.view()); }

// All members of these structs are single words, so encodeData is their concatenation.
template <class... Members>
Hash32 HashWords(std::string_view type, const Members&... members) {
  Bytes encoded;
  AppendWord(encoded, Keccak256(type));
  (AppendWord(encoded, members), ...);
  return Keccak256(encoded);
}

}  // namespace

Hash32 StructHash(const TransferAuthorization& authorization) {
  return HashWords(kTransferType, authorization.from, authorization.to, authorization.value,
                   authorization.valid_after, authorization.valid_before, authorization.nonce);
}

Hash32 Digest(const Eip712Domain& domain, const TransferAuthorization& authorization) {
  return TypedDataDigest(DomainSeparator(domain), StructHash(authorization));
}

Result<Signature> VerifyAuthorization(const Eip712Domain& domain,
                                      const TransferAuthorization& authorization,
                                      ByteView signature, std::uint64_t now_seconds) {
  ASSIGN_OR_RETURN(const Signature parsed, Signature::FromBytes(signature));
  ASSIGN_OR_RETURN(const Address signer, RecoverSigner(Digest(domain, authorization), parsed));
  if (signer != authorization.from) {
    return Error::InvalidArgument("INVALID_SIGNATURE", "is not the payer's signature over this");
  }
  const U256 now(now_seconds);
  if (now <= authorization.valid_after) {
    return Error::FailedPrecondition("AUTHORIZATION_NOT_YET_VALID", "its time has not come yet");
  }
  if (now >= authorization.valid_before) {
    return Error::FailedPrecondition("AUTHORIZATION_EXPIRED", "its time is over");
  }
  return parsed;
}

Hash32 StructHash(const Permit& permit) {
  return HashWords(kPermitType, permit.owner, permit.spender, permit.value, permit.nonce,
                   permit.deadline);
}

Hash32 Digest(const Eip712Domain& domain, const Permit& permit) {
  return TypedDataDigest(DomainSeparator(domain), StructHash(permit));
}

}  // namespace paymesh::evm
