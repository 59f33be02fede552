#include "common/config/config.h"

#include <yaml-cpp/yaml.h>

#include <charconv>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace paymesh::runtime {
namespace {

// What all nodes of one file share.
struct Document {
  std::string file;
  std::vector<std::string> problems;
  struct Visited {
    YAML::Node node;
    std::set<std::string> known;
  };
  std::map<std::string, Visited> maps;  // by path: "", "tls", "chains[0]"
};

bool IsNumberText(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

template <class T>
std::optional<T> ParseNumber(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// What a scalar must look like, for the message.
template <class T>
struct Kind;
template <>
struct Kind<std::string> {
  static constexpr const char* kName = "text";
  static std::optional<std::string> Parse(const std::string& text) { return text; }
};
template <>
struct Kind<bool> {
  static constexpr const char* kName = "true or false";
  static std::optional<bool> Parse(const std::string& text) {
    if (text == "true") return true;
    if (text == "false") return false;
    return std::nullopt;
  }
};
template <>
struct Kind<int> {
  static constexpr const char* kName = "a whole number";
  static std::optional<int> Parse(const std::string& text) { return ParseNumber<int>(text); }
};
template <>
struct Kind<std::int64_t> {
  static constexpr const char* kName = "a whole number";
  static std::optional<std::int64_t> Parse(const std::string& text) {
    return ParseNumber<std::int64_t>(text);
  }
};
template <>
struct Kind<std::uint64_t> {
  static constexpr const char* kName = "a whole number, not negative";
  static std::optional<std::uint64_t> Parse(const std::string& text) {
    return ParseNumber<std::uint64_t>(text);
  }
};
template <>
struct Kind<double> {
  static constexpr const char* kName = "a number";
  static std::optional<double> Parse(const std::string& text) { return ParseNumber<double>(text); }
};
template <>
struct Kind<std::chrono::milliseconds> {
  static constexpr const char* kName = "a duration such as 500ms, 15s, 10m or 24h";
  static std::optional<std::chrono::milliseconds> Parse(const std::string& text) {
    return ParseDuration(text);
  }
};

}  // namespace

struct ConfigNode::Impl {
  std::shared_ptr<Document> document;
  YAML::Node node;   // a map, or undefined when it is absent
  std::string path;  // of this map, for messages
  int line = 0;

  std::string PathOf(std::string_view key) const {
    return path.empty() ? std::string(key) : path + "." + std::string(key);
  }
  YAML::Node Find(std::string_view key) const {
    document->maps[path].known.insert(std::string(key));
    if (node.IsDefined() && node.IsMap()) {
      for (const auto& entry : node) {
        if (entry.first.Scalar() == key) return entry.second;
      }
    }
    return YAML::Node(YAML::NodeType::Undefined);
  }
  void Problem(int at_line, const std::string& text) const {
    document->problems.push_back(document->file + ":" + std::to_string(at_line) + ": " + text);
  }
  static int LineOf(const YAML::Node& node) { return node.Mark().line + 1; }

  static std::shared_ptr<const Impl> Make(std::shared_ptr<Document> document, YAML::Node node,
                                          std::string path, int line) {
    auto impl = std::make_shared<Impl>();
    impl->document = std::move(document);
    impl->node.reset(node);
    impl->path = std::move(path);
    impl->line = line;
    impl->document->maps[impl->path].node.reset(node);
    if (node.IsDefined() && node.IsMap()) {
      std::set<std::string> seen;
      for (const auto& entry : node) {
        if (!seen.insert(entry.first.Scalar()).second) {
          impl->Problem(LineOf(entry.first),
                        impl->PathOf(entry.first.Scalar()) + " is given twice");
        }
      }
    }
    return impl;
  }

  template <class T>
  std::optional<T> ReadScalar(const YAML::Node& value, const std::string& name) const {
    if (value.IsScalar()) {
      if (auto parsed = Kind<T>::Parse(value.Scalar())) return parsed;
    }
    Problem(LineOf(value), name + " must be " + Kind<T>::kName);
    return std::nullopt;
  }

  template <class T>
  std::optional<T> Read(const YAML::Node& value, const std::string& name) const {
    if constexpr (std::is_same_v<T, std::vector<std::string>>) {
      std::vector<std::string> list;
      if (!value.IsSequence()) {
        Problem(LineOf(value), name + " must be a list");
        return std::nullopt;
      }
      for (std::size_t i = 0; i < value.size(); ++i) {
        auto item = ReadScalar<std::string>(value[i], name + "[" + std::to_string(i) + "]");
        if (!item) return std::nullopt;
        list.push_back(*std::move(item));
      }
      return list;
    } else {
      return ReadScalar<T>(value, name);
    }
  }
};

template <class T>
std::optional<T> ConfigNode::Maybe(std::string_view key) const {
  const YAML::Node value = impl_->Find(key);
  if (!value.IsDefined()) return std::nullopt;
  return impl_->Read<T>(value, impl_->PathOf(key));
}

template <class T>
T ConfigNode::Optional(std::string_view key, T otherwise) const {
  return Maybe<T>(key).value_or(std::move(otherwise));
}

template <class T>
T ConfigNode::Required(std::string_view key) const {
  if (!Has(key)) {
    impl_->Find(key);
    impl_->Problem(impl_->line, impl_->PathOf(key) + " is missing");
    return T{};
  }
  return Maybe<T>(key).value_or(T{});
}

#define PAYMESH_CONFIG_TYPE(T)                                            \
  template std::optional<T> ConfigNode::Maybe<T>(std::string_view) const; \
  template T ConfigNode::Optional<T>(std::string_view, T) const;          \
  template T ConfigNode::Required<T>(std::string_view) const;
PAYMESH_CONFIG_TYPE(std::string)
PAYMESH_CONFIG_TYPE(bool)
PAYMESH_CONFIG_TYPE(int)
PAYMESH_CONFIG_TYPE(std::int64_t)
PAYMESH_CONFIG_TYPE(std::uint64_t)
PAYMESH_CONFIG_TYPE(double)
PAYMESH_CONFIG_TYPE(std::chrono::milliseconds)
PAYMESH_CONFIG_TYPE(std::vector<std::string>)
#undef PAYMESH_CONFIG_TYPE

ConfigNode ConfigNode::Child(std::string_view key) const {
  YAML::Node value = impl_->Find(key);
  const int line = value.IsDefined() ? Impl::LineOf(value) : impl_->line;
  if (value.IsDefined() && !value.IsMap()) {
    impl_->Problem(line, impl_->PathOf(key) + " must be a map");
    value.reset(YAML::Node(YAML::NodeType::Undefined));
  }
  return ConfigNode(Impl::Make(impl_->document, value, impl_->PathOf(key), line));
}

std::vector<ConfigNode> ConfigNode::List(std::string_view key) const {
  const YAML::Node value = impl_->Find(key);
  std::vector<ConfigNode> nodes;
  if (!value.IsDefined()) return nodes;
  if (!value.IsSequence()) {
    impl_->Problem(Impl::LineOf(value), impl_->PathOf(key) + " must be a list of maps");
    return nodes;
  }
  for (std::size_t i = 0; i < value.size(); ++i) {
    const std::string path = impl_->PathOf(key) + "[" + std::to_string(i) + "]";
    if (!value[i].IsMap()) {
      impl_->Problem(Impl::LineOf(value[i]), path + " must be a map");
      continue;
    }
    nodes.push_back(
        ConfigNode(Impl::Make(impl_->document, value[i], path, Impl::LineOf(value[i]))));
  }
  return nodes;
}

bool ConfigNode::Has(std::string_view key) const {
  if (!impl_->node.IsDefined() || !impl_->node.IsMap()) return false;
  for (const auto& entry : impl_->node) {
    if (entry.first.Scalar() == key) return true;
  }
  return false;
}

std::vector<std::string> ConfigNode::Keys() const {
  std::vector<std::string> keys;
  if (!impl_->node.IsDefined() || !impl_->node.IsMap()) return keys;
  for (const auto& entry : impl_->node) keys.push_back(entry.first.Scalar());
  return keys;
}

std::optional<std::string> ConfigNode::MaybeSecretFile(std::string_view key) const {
  const auto path = Maybe<std::string>(key);
  if (!path) return std::nullopt;
  std::ifstream file(*path, std::ios::binary);
  std::stringstream content;
  if (!file || !(content << file.rdbuf())) {
    AddError(key, "cannot read " + *path);
    return std::nullopt;
  }
  std::string text = content.str();
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  return text;
}

std::string ConfigNode::SecretFile(std::string_view key) const {
  if (!Has(key)) return Required<std::string>(key);
  return MaybeSecretFile(key).value_or("");
}

void ConfigNode::AddError(std::string_view key, std::string_view message) const {
  const YAML::Node value = impl_->Find(key);
  impl_->Problem(value.IsDefined() ? Impl::LineOf(value) : impl_->line,
                 impl_->PathOf(key) + ": " + std::string(message));
}

Status ConfigNode::Finish() const {
  std::vector<std::string> problems = impl_->document->problems;
  for (const auto& [path, visited] : impl_->document->maps) {
    if (!visited.node.IsDefined() || !visited.node.IsMap()) continue;
    for (const auto& entry : visited.node) {
      const std::string& key = entry.first.Scalar();
      if (visited.known.contains(key)) continue;
      problems.push_back(impl_->document->file + ":" + std::to_string(Impl::LineOf(entry.first)) +
                         ": unknown key " + (path.empty() ? key : path + "." + key));
    }
  }
  if (problems.empty()) return {};
  std::string text;
  for (const std::string& problem : problems) text += (text.empty() ? "" : "; ") + problem;
  return Error::InvalidArgument("INVALID_CONFIG", std::move(text));
}

Result<ConfigNode> ParseConfig(const std::string& text, const std::string& name) {
  auto document = std::make_shared<Document>();
  document->file = name;
  try {
    YAML::Node root = YAML::Load(text);
    if (!root.IsMap()) {
      return Error::InvalidArgument("INVALID_CONFIG", name + ":1: must be a YAML map");
    }
    return ConfigNode(ConfigNode::Impl::Make(std::move(document), root, "", 1));
  } catch (const YAML::Exception& e) {
    return Error::InvalidArgument("INVALID_CONFIG",
                                  name + ":" + std::to_string(e.mark.line + 1) + ": " + e.msg);
  }
}

Result<ConfigNode> LoadConfig(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  if (!file || !(content << file.rdbuf())) {
    return Error::NotFound("INVALID_CONFIG", path + ": cannot be read");
  }
  return ParseConfig(content.str(), path);
}

std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  const std::size_t split = text.find_first_not_of("0123456789");
  if (split == std::string_view::npos || split == 0 || split > 12) return std::nullopt;
  const std::string_view digits = text.substr(0, split), unit = text.substr(split);
  std::int64_t scale = 0;
  if (unit == "ms") scale = 1;
  if (unit == "s") scale = 1'000;
  if (unit == "m") scale = 60'000;
  if (unit == "h") scale = 3'600'000;
  if (unit == "d") scale = 86'400'000;
  const auto count = ParseNumber<std::int64_t>(digits);
  if (scale == 0 || !IsNumberText(digits) || !count || *count > INT64_MAX / scale) {
    return std::nullopt;
  }
  return std::chrono::milliseconds(*count * scale);
}

}  // namespace paymesh::runtime
