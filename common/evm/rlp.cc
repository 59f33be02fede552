#include "common/evm/rlp.h"

#include <algorithm>
#include <utility>

namespace paymesh::evm {
namespace {

// Up to this many bytes of payload the length is part of the first byte.
constexpr std::size_t kMaxShortLength = 55;
constexpr std::uint8_t kStringOffset = 0x80;
constexpr std::uint8_t kListOffset = 0xc0;

Bytes MinimalBigEndian(const U256& number) {
  const auto bytes = number.ToBigEndian();
  const auto first =
      std::find_if(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte != 0; });
  return Bytes(first, bytes.end());
}

void AppendHeader(Bytes& out, std::uint8_t offset, std::size_t length) {
  if (length <= kMaxShortLength) {
    out.push_back(static_cast<std::uint8_t>(offset + length));
    return;
  }
  const Bytes digits = MinimalBigEndian(U256(length));
  out.push_back(static_cast<std::uint8_t>(offset + kMaxShortLength + digits.size()));
  Append(out, digits);
}

void AppendItem(Bytes& out, const RlpItem& item) {
  if (item.IsList()) {
    Bytes payload;
    for (const RlpItem& member : item.list()) AppendItem(payload, member);
    AppendHeader(out, kListOffset, payload.size());
    Append(out, payload);
    return;
  }
  const Bytes& bytes = item.bytes();
  const bool is_its_own_code = bytes.size() == 1 && bytes[0] < kStringOffset;
  if (!is_its_own_code) AppendHeader(out, kStringOffset, bytes.size());
  Append(out, bytes);
}

Error BadRlp(const char* why) { return Error::InvalidArgument("INVALID_RLP", why); }

// Takes `count` bytes off the front.
Result<ByteView> Take(ByteView& data, std::size_t count) {
  if (count > data.size()) return BadRlp("ends too early");
  const ByteView head = data.first(count);
  data = data.subspan(count);
  return head;
}

// The payload whose header's first byte is `code`.
Result<ByteView> TakePayload(ByteView& data, std::uint8_t code, std::uint8_t offset) {
  const std::size_t short_length = code - offset;
  if (short_length <= kMaxShortLength) return Take(data, short_length);
  ASSIGN_OR_RETURN(const ByteView digits, Take(data, short_length - kMaxShortLength));
  if (digits[0] == 0) return BadRlp("has a length with a leading zero");
  std::size_t length = 0;  // at most 8 digits
  for (const std::uint8_t digit : digits) length = (length << 8) | digit;
  if (length <= kMaxShortLength) return BadRlp("has a short length in the long form");
  return Take(data, length);
}

Result<RlpItem> TakeItem(ByteView& data, unsigned depth);

Result<RlpItem> TakeList(ByteView& data, std::uint8_t code, unsigned depth) {
  if (depth == kMaxRlpDepth) return BadRlp("nests too deeply");
  ASSIGN_OR_RETURN(ByteView payload, TakePayload(data, code, kListOffset));
  RlpItem::List list;
  while (!payload.empty()) {
    ASSIGN_OR_RETURN(RlpItem member, TakeItem(payload, depth + 1));
    list.push_back(std::move(member));
  }
  return RlpItem(std::move(list));
}

Result<RlpItem> TakeItem(ByteView& data, unsigned depth) {
  ASSIGN_OR_RETURN(const ByteView head, Take(data, 1));
  const std::uint8_t code = head[0];
  if (code < kStringOffset) return RlpItem(head);
  if (code >= kListOffset) return TakeList(data, code, depth);
  ASSIGN_OR_RETURN(const ByteView payload, TakePayload(data, code, kStringOffset));
  if (payload.size() == 1 && payload[0] < kStringOffset) {
    return BadRlp("has a single byte in the long form");
  }
  return RlpItem(payload);
}

}  // namespace

RlpItem::RlpItem(const U256& number) : value_(MinimalBigEndian(number)) {}

Result<U256> RlpItem::ToU256() const {
  if (IsList()) return BadRlp("has a list where a number belongs");
  const Bytes& digits = bytes();
  if (!digits.empty() && digits[0] == 0) return BadRlp("has a number with a leading zero");
  if (digits.size() > U256::kBytes) return BadRlp("has a number of more than 32 bytes");
  return U256::FromBytes(digits);
}

Bytes RlpEncode(const RlpItem& item) {
  Bytes out;
  AppendItem(out, item);
  return out;
}

Result<RlpItem> RlpDecode(ByteView data) {
  ASSIGN_OR_RETURN(RlpItem item, TakeItem(data, 0));
  if (!data.empty()) return BadRlp("has bytes behind its end");
  return item;
}

}  // namespace paymesh::evm
