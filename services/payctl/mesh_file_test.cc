#include "services/payctl/mesh_file.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace paymesh::payctl {
namespace {

constexpr char kMesh[] = R"({
  "services": {"checkout": {"grpc": "127.0.0.1:1", "health": "127.0.0.1:2", "log": "x",
                            "identity": "spiffe://paymesh.local/service/checkout"},
               "routing": {"grpc": "127.0.0.1:3"}},
  "ca": "/tls/ca.crt",
  "clients": {"operator": {"identity": "spiffe://paymesh.local/person/olivia",
                           "certificate": "/tls/olivia.crt", "key": "/tls/olivia.key"}},
  "merchant": null, "unknown": [1, 2]
})";

TEST(MeshFile, IsReadAndUnknownMembersAreIgnored) {
  const auto mesh = ParseMeshFile(kMesh);
  ASSERT_TRUE(mesh.ok());
  EXPECT_EQ(mesh->services.at("checkout").grpc, "127.0.0.1:1");
  EXPECT_EQ(mesh->services.at("checkout").health, "127.0.0.1:2");
  EXPECT_EQ(mesh->services.at("checkout").identity, "spiffe://paymesh.local/service/checkout");
  EXPECT_EQ(mesh->services.at("routing").identity, "");
  EXPECT_EQ(mesh->clients.at("operator").certificate, "/tls/olivia.crt");
  EXPECT_EQ(mesh->ca, "/tls/ca.crt");
  EXPECT_EQ(mesh->api_key, "");
}

TEST(MeshFile, SaysWhatIsWrongWithIt) {
  for (const char* text : {"", "[]", "{", "{}", R"({"services": {}, "clients": 1})"}) {
    const auto mesh = ParseMeshFile(text);
    ASSERT_FALSE(mesh.ok()) << text;
    EXPECT_EQ(mesh.error().reason, "INVALID_MESH_FILE");
  }
}

TEST(MeshFile, IsFoundInTheNearestFolderAbove) {
  std::string pattern = std::filesystem::temp_directory_path() / "mesh_file_XXXXXX";
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
  const std::filesystem::path folder = pattern;
  std::filesystem::create_directories(folder / ".local");
  std::filesystem::create_directories(folder / "a" / "b");
  std::ofstream(folder / ".local" / "mesh.json") << kMesh;
  const auto found = FindMeshFile("", (folder / "a" / "b").string());
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(*found, (folder / ".local" / "mesh.json").string());
  EXPECT_TRUE(ReadMeshFile(*found).ok());
  EXPECT_EQ(FindMeshFile("/given", folder.string()), "/given");
  EXPECT_EQ(ReadMeshFile((folder / "none").string()).error().reason, "MESH_FILE_UNREADABLE");
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace paymesh::payctl
