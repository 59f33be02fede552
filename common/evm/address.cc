#include "common/evm/address.h"

#include <algorithm>

#include "common/money/address_text.h"

namespace paymesh::evm {
namespace {

constexpr std::size_t kPadding = Hash32::kSize - Address::kSize;

// Text that AssetId or AccountId has checked already.
Address OfChecked(std::string_view lower_case) { return Address::Parse(lower_case).value(); }

}  // namespace

Result<Address> Address::Parse(std::string_view text) {
  ASSIGN_OR_RETURN(const std::string lower, NormaliseAddress(text));
  Address address;
  RETURN_IF_ERROR(HexDecodeInto(lower, address.bytes_));
  return address;
}

Result<Address> Address::FromBytes(ByteView bytes) {
  if (bytes.size() != kSize) return Error::InvalidArgument("INVALID_LENGTH", "needs 20 bytes");
  Address address;
  std::copy(bytes.begin(), bytes.end(), address.bytes_.begin());
  return address;
}

Result<Address> Address::FromWord(const Hash32& word) {
  const ByteView padding = word.view().first(kPadding);
  if (std::any_of(padding.begin(), padding.end(), [](std::uint8_t byte) { return byte != 0; })) {
    return Error::InvalidArgument("INVALID_ADDRESS", "the word holds more than an address");
  }
  return FromBytes(word.view().subspan(kPadding));
}

Address Address::Of(const AssetId& asset) { return OfChecked(asset.token()); }
Address Address::Of(const AccountId& account) { return OfChecked(account.address()); }

Hash32 Address::ToWord() const {
  std::array<std::uint8_t, Hash32::kSize> word{};
  std::copy(bytes_.begin(), bytes_.end(), word.begin() + kPadding);
  return Hash32(word);
}

std::string Address::ToChecksum() const { return ChecksumAddress(ToHex()); }

}  // namespace paymesh::evm
