// The transition table, README's diagram and the SQL CHECK say the same.
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "common/base/testing/source_dir.h"
#include "services/checkout/domain/state.h"

namespace paymesh::checkout {
namespace {

using Pairs = std::set<std::pair<int, int>>;

std::string ReadSource(const std::string& path) {
  std::ifstream file(SourcePath("/services/checkout/" + path));
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

Pairs Table() {
  Pairs pairs;
  for (const Step& step : kSteps)
    pairs.insert({static_cast<int>(step.from), static_cast<int>(step.to)});
  for (State state : kInitialStates) pairs.insert({0, static_cast<int>(state)});
  return pairs;
}

int NumberOf(const std::string& name) {
  if (name == "[*]") return 0;
  for (State state : kStates) {
    if (StateName(state) == name) return static_cast<int>(state);
  }
  return -1;
}

TEST(TransitionTable, IsWhatTheReadmeDraws) {
  const std::string readme = ReadSource("README.md");
  const std::regex arrow(R"((\[\*\]|[A-Z_]+) --> ([A-Z_]+))");
  Pairs drawn;
  for (std::sregex_iterator it(readme.begin(), readme.end(), arrow), end; it != end; ++it) {
    drawn.insert({NumberOf((*it)[1]), NumberOf((*it)[2])});
  }
  EXPECT_EQ(drawn, Table());
}

TEST(TransitionTable, IsWhatTheDatabaseChecks) {
  const std::string sql = ReadSource("store/migrations/0010_checkout.sql");
  const std::size_t begin = sql.find("payment_transition_step");
  ASSERT_NE(begin, std::string::npos);
  const std::string check = sql.substr(begin, sql.find(");", begin) - begin);
  const std::regex pair(R"(\((\d), (\d)\))");
  Pairs checked;
  for (std::sregex_iterator it(check.begin(), check.end(), pair), end; it != end; ++it) {
    checked.insert({std::stoi((*it)[1]), std::stoi((*it)[2])});
  }
  EXPECT_EQ(checked, Table());
}

}  // namespace
}  // namespace paymesh::checkout
