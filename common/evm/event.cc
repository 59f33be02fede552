#include "common/evm/event.h"

#include <utility>

#include "common/evm/keccak.h"

namespace paymesh::evm {
namespace {

constexpr std::size_t kMaxIndexed = 3;

Error BadEvent(const char* why) { return Error::InvalidArgument("INVALID_ABI", why); }
Error BadLog(const char* why) { return Error::InvalidArgument("INVALID_LOG", why); }

std::string_view Trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// Cuts the text at the commas that are not inside of a tuple.
std::vector<std::string_view> SplitParameters(std::string_view text) {
  std::vector<std::string_view> parts;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '(') ++depth;
    if (text[i] == ')') --depth;
    if (text[i] != ',' || depth != 0) continue;
    parts.push_back(Trim(text.substr(begin, i - begin)));
    begin = i + 1;
  }
  if (!Trim(text).empty()) parts.push_back(Trim(text.substr(begin)));
  return parts;
}

bool IsOneWord(const AbiType& type) {
  return !type.IsDynamic() && type.kind() != AbiType::Kind::kArray &&
         type.kind() != AbiType::Kind::kTuple;
}

}  // namespace

std::optional<TransferEvent> DecodeTransfer(std::span<const Hash32> topics, ByteView data) {
  if (topics.size() != 3 || topics[0] != kTransferTopic || data.size() != U256::kBytes) {
    return std::nullopt;
  }
  const Result<Address> from = Address::FromWord(topics[1]);
  const Result<Address> to = Address::FromWord(topics[2]);
  if (!from.ok() || !to.ok()) return std::nullopt;
  return TransferEvent{*from, *to, U256::FromBigEndian(data.first<U256::kBytes>())};
}

Result<EventDecoder> EventDecoder::Parse(std::string_view declaration) {
  const std::size_t open = declaration.find('(');
  if (open == 0 || open == std::string_view::npos || !declaration.ends_with(')')) {
    return BadEvent("an event is name(parameters)");
  }
  EventDecoder decoder;
  decoder.signature_ = std::string(declaration.substr(0, open + 1));
  for (const std::string_view parameter :
       SplitParameters(declaration.substr(open + 1, declaration.size() - open - 2))) {
    // "type", "type name", "type indexed" or "type indexed name".
    const std::string_view type_text = parameter.substr(0, parameter.find(' '));
    const std::string_view rest = Trim(parameter.substr(type_text.size()));
    const bool indexed = rest == "indexed" || rest.starts_with("indexed ");
    ASSIGN_OR_RETURN(AbiType type, AbiType::Parse(type_text));
    if (indexed && !IsOneWord(type)) return BadEvent("an indexed parameter is hashed");
    if (!decoder.indexed_.empty()) decoder.signature_ += ',';
    decoder.signature_ += type_text;
    decoder.indexed_.push_back(indexed);
    (indexed ? decoder.indexed_types_ : decoder.data_types_).push_back(std::move(type));
  }
  if (decoder.indexed_types_.size() > kMaxIndexed) return BadEvent("has over 3 indexed parameters");
  decoder.signature_ += ')';
  decoder.topic_ = Keccak256(decoder.signature_);
  return decoder;
}

Result<AbiValue::List> EventDecoder::Decode(std::span<const Hash32> topics, ByteView data) const {
  if (topics.empty() || topics[0] != topic_) return BadLog("is another event");
  if (topics.size() != 1 + indexed_types_.size()) return BadLog("has the wrong number of topics");
  Bytes words;
  for (const Hash32& topic : topics.subspan(1)) Append(words, topic.view());
  const Result<AbiValue::List> from_topics = AbiDecode(indexed_types_, words);
  if (!from_topics.ok()) return BadLog("has a malformed topic");
  const Result<AbiValue::List> from_data = AbiDecode(data_types_, data);
  // Encoding again shows surplus data, dirty padding and overlapping values.
  if (!from_data.ok() || *AbiEncode(data_types_, *from_data) != Bytes(data.begin(), data.end())) {
    return BadLog("has malformed data");
  }
  AbiValue::List values;
  auto next_topic = from_topics->begin();
  auto next_datum = from_data->begin();
  for (const bool indexed : indexed_) values.push_back(indexed ? *next_topic++ : *next_datum++);
  return values;
}

}  // namespace paymesh::evm
