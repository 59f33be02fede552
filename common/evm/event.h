// Logs decoded into events, with their exact shape: the right number of topics, clean words, no
// missing and no surplus data. An ERC-721 Transfer (4 topics) is thus not an ERC-20 one.
// Immutable values and pure functions; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/error/error.h"
#include "common/evm/abi.h"

namespace paymesh::evm {

// keccak256("Transfer(address,address,uint256)").
inline constexpr Hash32 kTransferTopic{
    std::array<std::uint8_t, 32>{0xdd, 0xf2, 0x52, 0xad, 0x1b, 0xe2, 0xc8, 0x9b, 0x69, 0xc2, 0xb0,
                                 0x68, 0xfc, 0x37, 0x8d, 0xaa, 0x95, 0x2b, 0xa7, 0xf1, 0x63, 0xc4,
                                 0xa1, 0x16, 0x28, 0xf5, 0x5a, 0x4d, 0xf5, 0x23, 0xb3, 0xef}};

// ERC-20's Transfer.
struct TransferEvent {
  Address from;
  Address to;
  U256 value;
  friend bool operator==(const TransferEvent&, const TransferEvent&) = default;
};
// Empty unless the log has exactly that shape: 3 topics, clean addresses, 32 bytes of data.
std::optional<TransferEvent> DecodeTransfer(std::span<const Hash32> topics, ByteView data);

// Any other event, from its declaration: "Paid(bytes32 indexed,address indexed,uint256)".
// Indexed parameters must be of one word (a hashed one could not be decoded).
class EventDecoder {
 public:
  static Result<EventDecoder> Parse(std::string_view declaration);  // INVALID_ABI

  const Hash32& topic() const { return topic_; }
  const std::string& signature() const { return signature_; }
  // The parameters in the order of their declaration. INVALID_LOG when the shape is another.
  Result<AbiValue::List> Decode(std::span<const Hash32> topics, ByteView data) const;

 private:
  EventDecoder() = default;
  std::string signature_;
  Hash32 topic_;
  std::vector<bool> indexed_;
  std::vector<AbiType> indexed_types_;
  std::vector<AbiType> data_types_;
};

}  // namespace paymesh::evm
