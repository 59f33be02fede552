#include "services/payctl/mesh_file.h"

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace paymesh::payctl {
namespace {

namespace json = boost::json;

Error Bad(const std::string& message) {
  return Error::InvalidArgument("INVALID_MESH_FILE", message);
}

// The text of a member, or empty when it is absent or no string.
std::string Text(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  const json::string* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string() : std::string(text->begin(), text->end());
}

const json::object* Object(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value == nullptr ? nullptr : value->if_object();
}

}  // namespace

Result<MeshFile> ParseMeshFile(std::string_view text) {
  json::error_code code;
  const json::value value = json::parse(text, code);
  if (code) return Bad("not JSON: " + code.message());
  const json::object* root = value.if_object();
  if (root == nullptr) return Bad("not a JSON object");
  const json::object* services = Object(*root, "services");
  const json::object* clients = Object(*root, "clients");
  if (services == nullptr || clients == nullptr) return Bad("no `services` or no `clients`");
  MeshFile mesh;
  mesh.ca = Text(*root, "ca");
  for (const auto& [name, entry] : *services) {
    if (const json::object* service = entry.if_object()) {
      mesh.services[std::string(name)] = {Text(*service, "grpc"), Text(*service, "health"),
                                          Text(*service, "identity")};
    }
  }
  for (const auto& [name, entry] : *clients) {
    if (const json::object* client = entry.if_object()) {
      mesh.clients[std::string(name)] = {Text(*client, "certificate"), Text(*client, "key")};
    }
  }
  if (const json::object* merchant = Object(*root, "merchant")) {
    mesh.api_key = Text(*merchant, "api_key");
  }
  return mesh;
}

std::optional<std::string> FindMeshFile(const std::string& given, const std::string& directory) {
  if (!given.empty()) return given;
  namespace fs = std::filesystem;
  std::error_code ignored;
  for (fs::path folder = directory;; folder = folder.parent_path()) {
    const fs::path candidate = folder / ".local" / "mesh.json";
    if (fs::is_regular_file(candidate, ignored)) return candidate.string();
    if (folder == folder.parent_path()) return std::nullopt;
  }
}

Result<MeshFile> ReadMeshFile(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) {
    return Error::InvalidArgument("MESH_FILE_UNREADABLE", "cannot read " + path);
  }
  Result<MeshFile> mesh = ParseMeshFile(text.str());
  if (mesh.ok()) return mesh;
  return Bad(path + ": " + mesh.error().message);
}

}  // namespace paymesh::payctl
