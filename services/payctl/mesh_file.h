// mesh.json: where a mesh's services are and which certificates to come with.
// Immutable values; any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/error/error.h"

namespace paymesh::payctl {

struct ServiceAddress {
  std::string grpc;
  std::string health;
  std::string identity;  // SPIFFE URI that it must prove; empty: its host name is checked instead
};

struct ClientFiles {
  std::string certificate;
  std::string key;
};

struct MeshFile {
  std::map<std::string, ServiceAddress> services;  // by name: checkout, routing, …
  std::string ca;
  std::map<std::string, ClientFiles> clients;  // by role: operator, approver, reader, edge
  std::string api_key;                         // the demonstration merchant's; may be empty
};

// INVALID_ARGUMENT INVALID_MESH_FILE.
Result<MeshFile> ParseMeshFile(std::string_view json);

// The file given, else `.local/mesh.json` in `directory` or the nearest folder above that has one;
// empty when there is none.
std::optional<std::string> FindMeshFile(const std::string& given, const std::string& directory);

// Reads and parses. NOT found is INVALID_ARGUMENT MESH_FILE_UNREADABLE.
Result<MeshFile> ReadMeshFile(const std::string& path);

}  // namespace paymesh::payctl
