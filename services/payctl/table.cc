#include "services/payctl/table.h"

#include <algorithm>

namespace paymesh::payctl {
namespace {

std::string Printable(std::string_view cell) {
  std::string text(cell);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return text;
}

std::string CsvCell(const std::string& cell) {
  std::string text = cell;
  if (!text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos) {
    text.insert(text.begin(), '\'');
  }
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

}  // namespace

std::size_t Width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;  // bytes that begin a character
  }));
}

std::string RenderRow(const std::vector<std::string>& cells,
                      const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string cell = Printable(cells[i]);
    line += cell;
    if (i + 1 == cells.size()) break;
    const std::size_t wanted = i < widths.size() ? widths[i] : 0;
    const std::size_t width = Width(cell);
    line.append((wanted > width ? wanted - width : 0) + 2, ' ');
  }
  while (line.ends_with(' ')) line.pop_back();
  return line + "\n";
}

std::string RenderTable(const Table& table, Emphasis emphasis) {
  std::vector<std::size_t> widths;
  for (const std::string& column : table.columns) widths.push_back(Width(column));
  for (const auto& row : table.rows) {
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], Width(row[i]));
    }
  }
  std::string header = RenderRow(table.columns, widths);
  if (emphasis == Emphasis::kBoldHeader) {
    header = "\x1b[1m" + header.substr(0, header.size() - 1) + "\x1b[0m\n";
  }
  std::string text = header;
  for (const auto& row : table.rows) text += RenderRow(row, widths);
  return text;
}

std::string RenderCsvRow(const std::vector<std::string>& cells) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line += ',';
    line += CsvCell(cells[i]);
  }
  return line + "\r\n";
}

std::string RenderCsv(const Table& table) {
  std::string text = RenderCsvRow(table.columns);
  for (const auto& row : table.rows) text += RenderCsvRow(row);
  return text;
}

}  // namespace paymesh::payctl
