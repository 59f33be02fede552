// Typed reading of YAML configuration. Errors are gathered, not thrown: each read returns a value
// (a default one after an error), and Finish() says everything that was wrong, unknown keys
// included, each with file:line. One thread.
//
//   ASSIGN_OR_RETURN(ConfigNode root, LoadConfig(path));
//   config.expiry = root.Optional<std::chrono::milliseconds>("expiry", 15min);
//   config.url = root.Child("webhooks").Required<std::string>("url");
//   RETURN_IF_ERROR(root.Finish());
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/error/error.h"

namespace paymesh::runtime {

class ConfigNode {
 public:
  // T: std::string, bool, int, std::int64_t, std::uint64_t, double, std::chrono::milliseconds
  // ("500ms", "15s", "10m", "24h"; never a bare number) and std::vector<std::string>.
  template <class T>
  T Required(std::string_view key) const;
  template <class T>
  T Optional(std::string_view key, T otherwise) const;
  template <class T>
  std::optional<T> Maybe(std::string_view key) const;

  // A map below `key`; where it is absent, an empty one, whose required values are then reported.
  ConfigNode Child(std::string_view key) const;
  // The maps in the list below `key`; none when it is absent.
  std::vector<ConfigNode> List(std::string_view key) const;
  bool Has(std::string_view key) const;
  // The keys of this map, in the file's order. Reading them with Required<...> marks them as known.
  std::vector<std::string> Keys() const;

  // Reads a file named by `key`, without trailing white space: how secrets come in. Required, or
  // nothing when the key is absent.
  std::string SecretFile(std::string_view key) const;
  std::optional<std::string> MaybeSecretFile(std::string_view key) const;

  // Reports a rule of the caller's own that `key` breaks, with its line.
  void AddError(std::string_view key, std::string_view message) const;

  // On the root: INVALID_ARGUMENT INVALID_CONFIG with every problem found in the whole file, joined
  // by "; ", or success. Keys that nobody has asked for are problems.
  Status Finish() const;

  struct Impl;
  explicit ConfigNode(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<const Impl> impl_;
};

// NOT_FOUND or INVALID_ARGUMENT INVALID_CONFIG when there is no such file or it is no YAML map.
Result<ConfigNode> LoadConfig(const std::string& path);
// The same from text; `name` stands where the file's name would.
Result<ConfigNode> ParseConfig(const std::string& text, const std::string& name);

// "15s" -> 15,000 ms. Units ms, s, m, h, d; whole, non-negative numbers.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);

}  // namespace paymesh::runtime
