#include "services/payctl/table.h"

#include <gtest/gtest.h>

namespace paymesh::payctl {
namespace {

TEST(Table, AlignsColumnsByCharactersAndLeavesNoBlanksAtTheEnd) {
  const Table table{{"NAME", "N"}, {{"Café", "1"}, {"Bar", ""}}};
  EXPECT_EQ(RenderTable(table, Emphasis::kNone),
            "NAME  N\n"
            "Café  1\n"
            "Bar\n");
}

TEST(Table, KeepsControlCharactersFromTheTerminal) {
  const Table table{{"A"}, {{"x\x1b[31my\nz"}}};
  EXPECT_EQ(RenderTable(table, Emphasis::kNone), "A\nx?[31my?z\n");
}

TEST(Table, WithoutRowsIsItsHeader) {
  EXPECT_EQ(RenderTable({{"A", "B"}, {}}, Emphasis::kNone), "A  B\n");
  EXPECT_EQ(RenderTable({{"A", "B"}, {}}, Emphasis::kBoldHeader), "\x1b[1mA  B\x1b[0m\n");
}

TEST(Csv, QuotesWhatNeedsItAndDefusesFormulas) {
  const Table table{{"A", "B"}, {{"a,b", "say \"hi\""}, {"=1+1", "two\nlines"}}};
  EXPECT_EQ(RenderCsv(table),
            "A,B\r\n"
            "\"a,b\",\"say \"\"hi\"\"\"\r\n"
            "'=1+1,\"two\nlines\"\r\n");
}

TEST(Rows, KeepTheirWidthsWhenTheyComeOneByOne) {
  EXPECT_EQ(RenderRow({"a", "b"}, {4, 1}), "a     b\n");
  EXPECT_EQ(RenderRow({"wider", "b"}, {4, 1}), "wider  b\n");
}

}  // namespace
}  // namespace paymesh::payctl
