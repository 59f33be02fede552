// The two DER structures in which key services speak of secp256k1, read strictly: one encoding for
// each value (X.690, 10 and 11) and nothing after it.
// Pure functions; any thread.
#pragma once

#include "common/error/error.h"
#include "common/evm/address.h"
#include "common/evm/bytes.h"
#include "common/money/u256.h"

namespace paymesh::evm {

struct EcdsaScalars {
  U256 r;
  U256 s;
};

// ECDSA-Sig-Value of RFC 3279: a sequence of two integers. INVALID_DER for lengths that are not
// minimal or do not add up, padded, negative or too large integers, and trailing bytes. Says
// nothing about the range of the scalars.
Result<EcdsaScalars> ParseDerSignature(ByteView der);

// SubjectPublicKeyInfo of RFC 5480 with an uncompressed point of secp256k1. INVALID_DER for
// anything else, INVALID_KEY when the point is not on the curve.
Result<Address> AddressOfSubjectPublicKey(ByteView der);

}  // namespace paymesh::evm
