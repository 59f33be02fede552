// Rows for people (aligned columns) and for programs (CSV, RFC 4180). Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace paymesh::payctl {

struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};

enum class Emphasis { kNone, kBoldHeader };

// Columns as wide as their widest cell, counted in characters, not bytes; no blanks at the end of a
// line. Control characters of a cell are shown as '?', so that data cannot drive a terminal.
std::string RenderTable(const Table& table, Emphasis emphasis);
// One row of a table whose rows come one by one: `widths` are least widths.
std::string RenderRow(const std::vector<std::string>& cells,
                      const std::vector<std::size_t>& widths);

// Header line and rows. Text that a spreadsheet would take for a formula begins with an apostrophe.
std::string RenderCsv(const Table& table);
std::string RenderCsvRow(const std::vector<std::string>& cells);

// Characters of a UTF-8 text.
std::size_t Width(std::string_view text);

}  // namespace paymesh::payctl
