#include "common/evm/bytes.h"

namespace paymesh::evm {
namespace {

int Digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Error BadHex(const char* why) { return Error::InvalidArgument("INVALID_HEX", why); }

void AppendHex(std::string& out, ByteView bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  out.reserve(out.size() + 2 * bytes.size());
  for (const std::uint8_t byte : bytes) {
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 0xf]);
  }
}

// `digits` has twice as many characters as `out` has bytes.
Status DecodeDigits(std::string_view digits, std::span<std::uint8_t> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int high = Digit(digits[2 * i]);
    const int low = Digit(digits[2 * i + 1]);
    if (high < 0 || low < 0) return BadHex("has a character that is not hex");
    out[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return {};
}

}  // namespace

std::string HexEncode(ByteView bytes) {
  std::string text = "0x";
  AppendHex(text, bytes);
  return text;
}

std::string HexEncodeBare(ByteView bytes) {
  std::string text;
  AppendHex(text, bytes);
  return text;
}

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
