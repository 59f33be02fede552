#include "common/evm/bytes.h"

#include "common/base/hex.h"

namespace paymesh::evm {
namespace {

Error BadHex(const char* why) { return Error::InvalidArgument("INVALID_HEX", why); }

// `digits` has twice as many characters as `out` has bytes.
Status DecodeDigits(std::string_view digits, std::span<std::uint8_t> out) {
  if (!FromHex(digits, out)) return BadHex("has a character that is not hex");
  return {};
}

}  // namespace

std::string HexEncode(ByteView bytes) {
  std::string text = "0x";
  text.reserve(text.size() + 2 * bytes.size());
  AppendHex(text, bytes);
  return text;
}

std::string HexEncodeBare(ByteView bytes) { return ToHex(bytes); }

Result<Bytes> HexDecode(std::string_view text) {
  if (!text.starts_with("0x")) return BadHex("does not begin with 0x");
  return HexDecodeBare(text.substr(2));
}

Result<Bytes> HexDecodeBare(std::string_view text) {
  if (text.size() % 2 != 0) return BadHex("has an odd number of digits");
  Bytes bytes(text.size() / 2);
  RETURN_IF_ERROR(DecodeDigits(text, bytes));
  return bytes;
}

void Append(Bytes& out, ByteView more) { out.insert(out.end(), more.begin(), more.end()); }

Status HexDecodeInto(std::string_view text, std::span<std::uint8_t> out) {
  if (!text.starts_with("0x")) return BadHex("does not begin with 0x");
  if (text.size() != 2 + 2 * out.size()) return BadHex("has the wrong number of digits");
  return DecodeDigits(text.substr(2), out);
}

Result<Hash32> Hash32::Parse(std::string_view text) {
  Hash32 hash;
  RETURN_IF_ERROR(HexDecodeInto(text, hash.bytes_));
  return hash;
}

Result<Hash32> Hash32::FromBytes(ByteView bytes) {
  if (bytes.size() != kSize) return Error::InvalidArgument("INVALID_LENGTH", "needs 32 bytes");
  Hash32 hash;
  std::copy(bytes.begin(), bytes.end(), hash.bytes_.begin());
  return hash;
}

}  // namespace paymesh::evm
