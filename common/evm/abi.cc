#include "common/evm/abi.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "common/evm/keccak.h"

namespace paymesh::evm {
namespace {

constexpr std::size_t kWord = 32;
using Kind = AbiType::Kind;

Error BadAbi(std::string why) { return Error::InvalidArgument("INVALID_ABI", std::move(why)); }

std::size_t Padded(std::size_t size) { return (size + kWord - 1) / kWord * kWord; }

// The types of consecutive values: one for each, or the same for all.
class TypeSequence {
 public:
  explicit TypeSequence(const std::vector<AbiType>& each)
      : first_(each.data()), size_(each.size()) {}
  TypeSequence(const AbiType& same, std::size_t count) : first_(&same), step_(0), size_(count) {}

  std::size_t size() const { return size_; }
  const AbiType& operator[](std::size_t i) const { return first_[i * step_]; }
  std::size_t HeadSize() const {
    if (step_ == 0) return size_ * first_->head_size();
    std::size_t total = 0;
    for (std::size_t i = 0; i < size_; ++i) total += first_[i].head_size();
    return total;
  }

 private:
  const AbiType* first_;
  std::size_t step_ = 1;
  std::size_t size_;
};

// ---- Encoding

Status Encode(const AbiType& type, const AbiValue& value, Bytes& out);

template <class T>
const T* As(const AbiValue& value) {
  return std::get_if<T>(&value.variant());
}

bool HasZerosFrom(const Hash32& word, std::size_t from) {
  const ByteView tail = word.view().subspan(from);
  return std::all_of(tail.begin(), tail.end(), [](std::uint8_t byte) { return byte == 0; });
}

// The one word of an elementary static type; empty when the value does not fit the type.
std::optional<Hash32> ToWord(const AbiType& type, const AbiValue& value) {
  switch (type.kind()) {
    case Kind::kAddress:
      if (const auto* address = As<Address>(value)) return address->ToWord();
      break;
    case Kind::kBool:
      if (const auto* flag = As<bool>(value)) return Hash32::FromU256(U256(*flag ? 1 : 0));
      break;
    case Kind::kUint:
      if (const auto* number = As<U256>(value); number && number->BitLength() <= type.size()) {
        return Hash32::FromU256(*number);
      }
      break;
    case Kind::kInt256:
      if (const auto* number = As<U256>(value)) return Hash32::FromU256(*number);
      break;
    case Kind::kFixedBytes:
      if (const auto* bytes = As<Hash32>(value); bytes && HasZerosFrom(*bytes, type.size())) {
        return *bytes;
      }
      break;
    default:
      break;
  }
  return std::nullopt;
}

void AppendNumber(Bytes& out, std::size_t number) { Append(out, U256(number).ToBigEndian()); }

void AppendPadded(Bytes& out, ByteView content) {
  AppendNumber(out, content.size());
  Append(out, content);
  out.resize(out.size() + Padded(content.size()) - content.size());
}

Status EncodeSequence(const TypeSequence& types, const AbiValue::List& values, Bytes& out) {
  if (values.size() != types.size()) return BadAbi("the number of values is not that of the types");
  Bytes tail;
  const std::size_t head_size = types.HeadSize();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (types[i].IsDynamic()) {
      AppendNumber(out, head_size + tail.size());
      RETURN_IF_ERROR(Encode(types[i], values[i], tail));
    } else {
      RETURN_IF_ERROR(Encode(types[i], values[i], out));
    }
  }
  Append(out, tail);
  return {};
}

Status EncodeList(const AbiType& type, const AbiValue::List& list, Bytes& out) {
  if (type.kind() == Kind::kTuple) return EncodeSequence(TypeSequence(type.parts()), list, out);
  if (type.length() == AbiType::kDynamicLength) {
    AppendNumber(out, list.size());
  } else if (type.length() != list.size()) {
    return BadAbi("an array has the wrong length");
  }
  return EncodeSequence(TypeSequence(type.parts()[0], list.size()), list, out);
}

Status Encode(const AbiType& type, const AbiValue& value, Bytes& out) {
  switch (type.kind()) {
    case Kind::kBytes:
      if (const auto* bytes = As<Bytes>(value)) {
        AppendPadded(out, *bytes);
        return {};
      }
      break;
    case Kind::kString:
      if (const auto* text = As<std::string>(value)) {
        AppendPadded(out, AsBytes(*text));
        return {};
      }
      break;
    case Kind::kArray:
    case Kind::kTuple:
      if (const auto* list = As<AbiValue::List>(value)) return EncodeList(type, *list, out);
      break;
    default:
      if (const auto word = ToWord(type, value)) {
        Append(out, word->view());
        return {};
      }
  }
  return BadAbi("a value does not fit its type");
}

// ---- Decoding

class Decoder {
 public:
  // Content of values never overlaps in an honest encoding, so all of it is no more than the data.
  explicit Decoder(ByteView data) : content_left_(data.size()) {}

  // Offsets inside `frame` count from its start.
  Result<AbiValue::List> DecodeSequence(const TypeSequence& types, ByteView frame) {
    if (types.size() > nodes_left_) return BadAbi("holds too many values");
    nodes_left_ -= types.size();
    AbiValue::List values;
    values.reserve(types.size());
    std::size_t at = 0;
    for (std::size_t i = 0; i < types.size(); ++i) {
      const AbiType& type = types[i];
      if (frame.size() - at < type.head_size()) return BadAbi("ends too early");
      ByteView place = frame.subspan(at);
      at += type.head_size();
      if (type.IsDynamic()) {
        ASSIGN_OR_RETURN(const std::size_t offset, Number(place, frame.size()));
        place = frame.subspan(offset);
      }
      ASSIGN_OR_RETURN(AbiValue value, Decode(type, place));
      values.push_back(std::move(value));
    }
    return values;
  }

 private:
  // The first word of `place`, which must not be above `limit`.
  static Result<std::size_t> Number(ByteView place, std::size_t limit) {
    if (place.size() < kWord) return BadAbi("ends too early");
    const auto number = U256::FromBigEndian(place.first<kWord>()).ToUint64();
    if (!number || *number > limit) return BadAbi("has an offset or a length outside its data");
    return static_cast<std::size_t>(*number);
  }

  Result<AbiValue> Decode(const AbiType& type, ByteView place) {
    switch (type.kind()) {
      case Kind::kBytes: {
        ASSIGN_OR_RETURN(const ByteView content, Content(place));
        return AbiValue(Bytes(content.begin(), content.end()));
      }
      case Kind::kString: {
        ASSIGN_OR_RETURN(const ByteView content, Content(place));
        return AbiValue(std::string(content.begin(), content.end()));
      }
      case Kind::kTuple: {
        ASSIGN_OR_RETURN(AbiValue::List list, DecodeSequence(TypeSequence(type.parts()), place));
        return AbiValue(std::move(list));
      }
      case Kind::kArray:
        return DecodeArray(type, place);
      default:
        return DecodeWord(type, Hash32(*Hash32::FromBytes(place.first(kWord))));
    }
  }

  Result<ByteView> Content(ByteView place) {
    ASSIGN_OR_RETURN(const std::size_t size, Number(place, content_left_));
    place = place.subspan(kWord);
    if (size > place.size()) return BadAbi("ends too early");
    content_left_ -= size;
    return place.first(size);
  }

  Result<AbiValue> DecodeArray(const AbiType& type, ByteView place) {
    std::size_t length = type.length();
    if (length == AbiType::kDynamicLength) {
      ASSIGN_OR_RETURN(length, Number(place, place.size() / kWord));
      place = place.subspan(kWord);
    }
    ASSIGN_OR_RETURN(AbiValue::List list,
                     DecodeSequence(TypeSequence(type.parts()[0], length), place));
    return AbiValue(std::move(list));
  }

  static Result<AbiValue> DecodeWord(const AbiType& type, const Hash32& word) {
    const U256 number = word.ToU256();
    switch (type.kind()) {
      case Kind::kAddress: {
        ASSIGN_OR_RETURN(const Address address, Address::FromWord(word));
        return AbiValue(address);
      }
      case Kind::kBool:
        if (number > U256(1)) return BadAbi("has a bool that is neither 0 nor 1");
        return AbiValue::Bool(!number.IsZero());
      case Kind::kUint:
        if (number.BitLength() > type.size()) return BadAbi("has a number too large for its type");
        return AbiValue(number);
      case Kind::kFixedBytes:
        if (!HasZerosFrom(word, type.size())) return BadAbi("has bytes behind a bytesN");
        return AbiValue(word);
      default:
        return AbiValue(number);
    }
  }

  std::size_t nodes_left_ = kMaxAbiNodes;
  std::size_t content_left_;
};

// "transfer(address,uint256)" gives "address,uint256".
Result<std::vector<AbiType>> ParameterTypes(std::string_view signature) {
  const std::size_t open = signature.find('(');
  if (open == 0 || open == std::string_view::npos || !signature.ends_with(')')) {
    return BadAbi("a signature is name(types)");
  }
  return AbiType::ParseList(signature.substr(open + 1, signature.size() - open - 2));
}

constexpr std::size_t kMaxRevertText = 256;

// A revert's text is chosen by a stranger's contract: keep it short and printable.
std::string Printable(std::string text) {
  text.resize(std::min(text.size(), kMaxRevertText));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return text;
}

}  // namespace

Result<Bytes> AbiEncode(const std::vector<AbiType>& types, const AbiValue::List& values) {
  Bytes out;
  RETURN_IF_ERROR(EncodeSequence(TypeSequence(types), values, out));
  return out;
}

Result<AbiValue::List> AbiDecode(const std::vector<AbiType>& types, ByteView data) {
  return Decoder(data).DecodeSequence(TypeSequence(types), data);
}

std::array<std::uint8_t, 4> Selector(std::string_view signature) {
  const Hash32 hash = Keccak256(signature);
  return {hash.bytes()[0], hash.bytes()[1], hash.bytes()[2], hash.bytes()[3]};
}

Result<Bytes> EncodeCall(std::string_view signature, const AbiValue::List& arguments) {
  ASSIGN_OR_RETURN(const std::vector<AbiType> types, ParameterTypes(signature));
  const auto selector = Selector(signature);
  Bytes out(selector.begin(), selector.end());
  ASSIGN_OR_RETURN(const Bytes encoded, AbiEncode(types, arguments));
  Append(out, encoded);
  return out;
}

Result<AbiValue::List> DecodeCall(std::string_view signature, ByteView data) {
  ASSIGN_OR_RETURN(const std::vector<AbiType> types, ParameterTypes(signature));
  const auto selector = Selector(signature);
  if (data.size() < selector.size() ||
      !std::equal(selector.begin(), selector.end(), data.begin())) {
    return BadAbi("is a call of another function");
  }
  return AbiDecode(types, data.subspan(selector.size()));
}

Result<AbiValue::List> DecodeReturn(std::string_view types, ByteView data) {
  ASSIGN_OR_RETURN(const std::vector<AbiType> parsed, AbiType::ParseList(types));
  return AbiDecode(parsed, data);
}

std::string DescribeRevert(ByteView data) {
  if (const auto error = DecodeCall("Error(string)", data); error.ok()) {
    return Printable((*error)[0].Get<std::string>());
  }
  if (const auto panic = DecodeCall("Panic(uint256)", data); panic.ok()) {
    return "panic " + (*panic)[0].Get<U256>().ToQuantity();
  }
  return data.empty() ? std::string()
                      : HexEncode(data.first(std::min<std::size_t>(data.size(), 4)));
}

}  // namespace paymesh::evm
