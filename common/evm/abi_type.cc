#include <charconv>
#include <optional>
#include <utility>

#include "common/evm/abi.h"

namespace paymesh::evm {
namespace {

constexpr unsigned kMaxDepth = 8;
// Keeps head sizes far from overflow: 1,000 words to the power of the depth fit in 64 bits with the
// limit on a whole value below.
constexpr std::size_t kMaxFixedLength = 1'000;
constexpr std::size_t kMaxHeadSize = 32 * kMaxAbiNodes;
constexpr std::size_t kMaxTypes = 64;

Error BadType(std::string why) { return Error::InvalidArgument("INVALID_ABI", std::move(why)); }

std::optional<unsigned> ParseNumber(std::string_view digits) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size() || digits.front() == '0') {
    return std::nullopt;
  }
  return number;
}

}  // namespace

// A recursive descent over the text of a type list.
class AbiTypeParser {
 public:
  explicit AbiTypeParser(std::string_view text) : rest_(text) {}

  Result<std::vector<AbiType>> ParseAll() {
    std::vector<AbiType> types;
    if (rest_.empty()) return types;
    ASSIGN_OR_RETURN(types, ParseSequence(0));
    if (!rest_.empty()) return BadType("a type list has something behind its end");
    return types;
  }

 private:
  Result<std::vector<AbiType>> ParseSequence(unsigned depth) {
    std::vector<AbiType> types;
    do {
      ASSIGN_OR_RETURN(AbiType type, ParseOne(depth));
      types.push_back(std::move(type));
      if (types.size() > kMaxTypes) return BadType("a type list has more than 64 members");
    } while (Skip(','));
    return types;
  }

  Result<AbiType> ParseOne(unsigned depth) {
    if (depth > kMaxDepth) return BadType("types nest more than 8 deep");
    AbiType type;
    if (Skip('(')) {
      ASSIGN_OR_RETURN(type, ParseTuple(depth));
    } else {
      const std::size_t end = rest_.find_first_of(",()[]");
      ASSIGN_OR_RETURN(type, Elementary(rest_.substr(0, end)));
      rest_.remove_prefix(std::min(end, rest_.size()));
    }
    for (unsigned suffixes = depth; Skip('['); ++suffixes) {
      if (suffixes > kMaxDepth) return BadType("types nest more than 8 deep");
      ASSIGN_OR_RETURN(type, ParseArray(std::move(type)));
    }
    return type;
  }

  Result<AbiType> ParseTuple(unsigned depth) {
    AbiType tuple;
    tuple.kind_ = AbiType::Kind::kTuple;
    ASSIGN_OR_RETURN(tuple.parts_, ParseSequence(depth + 1));
    if (!Skip(')')) return BadType("a tuple is not closed");
    std::size_t size = 0;
    for (const AbiType& part : tuple.parts_) {
      tuple.dynamic_ = tuple.dynamic_ || part.dynamic_;
      size += part.head_size_;
    }
    return Sized(std::move(tuple), size);
  }

  Result<AbiType> ParseArray(AbiType element) {
    AbiType array;
    array.kind_ = AbiType::Kind::kArray;
    array.length_ = AbiType::kDynamicLength;
    if (!Skip(']')) {
      const std::size_t end = rest_.find(']');
      if (end == std::string_view::npos) return BadType("an array is not closed");
      const std::optional<unsigned> length = ParseNumber(rest_.substr(0, end));
      if (!length || *length > kMaxFixedLength) return BadType("an array's length is unreasonable");
      rest_.remove_prefix(end + 1);
      array.length_ = *length;
    }
    array.dynamic_ = element.dynamic_ || array.length_ == AbiType::kDynamicLength;
    const std::size_t size = array.dynamic_ ? 0 : array.length_ * element.head_size_;
    array.parts_.push_back(std::move(element));
    return Sized(std::move(array), size);
  }

  static Result<AbiType> Sized(AbiType type, std::size_t static_size) {
    if (static_size > kMaxHeadSize) return BadType("a type is unreasonably large");
    type.head_size_ = type.dynamic_ ? 32 : static_size;
    return type;
  }

  static Result<AbiType> Elementary(std::string_view name) {
    AbiType type;
    if (name == "address") {
      type.kind_ = AbiType::Kind::kAddress;
    } else if (name == "bool") {
      type.kind_ = AbiType::Kind::kBool;
    } else if (name == "int256") {
      type.kind_ = AbiType::Kind::kInt256;
    } else if (name == "bytes" || name == "string") {
      type.kind_ = name == "bytes" ? AbiType::Kind::kBytes : AbiType::Kind::kString;
      type.dynamic_ = true;
    } else if (name.starts_with("uint") && name.size() > 4) {
      type.kind_ = AbiType::Kind::kUint;
      type.size_ = ParseNumber(name.substr(4)).value_or(0);
      if (type.size_ == 0 || type.size_ > 256 || type.size_ % 8 != 0) return Unknown(name);
    } else if (name.starts_with("bytes") && name.size() > 5) {
      type.kind_ = AbiType::Kind::kFixedBytes;
      type.size_ = ParseNumber(name.substr(5)).value_or(0);
      if (type.size_ == 0 || type.size_ > 32) return Unknown(name);
    } else {
      return Unknown(name);
    }
    return type;
  }

  static Error Unknown(std::string_view name) {
    return BadType("not a type that is supported here: " + std::string(name.substr(0, 32)));
  }

  bool Skip(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::string_view rest_;
};

Result<AbiType> AbiType::Parse(std::string_view text) {
  ASSIGN_OR_RETURN(std::vector<AbiType> types, ParseList(text));
  if (types.size() != 1) return BadType("exactly one type is needed");
  return std::move(types.front());
}

Result<std::vector<AbiType>> AbiType::ParseList(std::string_view text) {
  return AbiTypeParser(text).ParseAll();
}

}  // namespace paymesh::evm
