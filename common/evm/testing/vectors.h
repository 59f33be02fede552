// For tests: the files of tests/vectors, made by independent implementations.
// One thread.
#pragma once

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>
#include <sstream>
#include <string>

#include "common/base/testing/source_dir.h"
#include "common/evm/bytes.h"

namespace paymesh::evm::vectors {

// A file below the repository's root; throws when it cannot be read, which fails the test.
inline boost::json::object LoadFile(const std::string& path) {
  std::ifstream file(SourcePath("/" + path));
  std::stringstream text;
  text << file.rdbuf();
  return boost::json::parse(text.str()).as_object();
}

inline boost::json::object Load(const std::string& name) {
  return LoadFile("tests/vectors/" + name + ".json");
}

// A copy of a file's cases, so that a loop may run over it directly.
inline boost::json::array Cases(const std::string& name) {
  return Load(name).at("cases").as_array();
}

inline std::string Text(const boost::json::value& value) { return std::string(value.as_string()); }
inline std::string Text(const boost::json::object& object, const char* name) {
  return Text(object.at(name));
}
inline Bytes Hex(const boost::json::object& object, const char* name) {
  return HexDecode(Text(object, name)).value();
}
// A vector without the field is a valid one.
inline bool IsValid(const boost::json::object& object) {
  const auto* valid = object.if_contains("valid");
  return valid == nullptr || valid->as_bool();
}

}  // namespace paymesh::evm::vectors
