#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::cli {

// What a command prints its answer as: a table for people, or what the API answers.
enum class OutputFormat : uint8_t { kTable, kJson, kYaml };

// Text for people. What came from elsewhere (names, error texts) is printed with its control
// characters replaced, so that it cannot move the cursor of a terminal.
std::string Printable(std::string_view text);

// The characters a terminal shows of UTF-8 text, combining and double-width ones aside; what
// Coloured adds is none.
size_t Width(std::string_view text);
// At most `width` of them.
std::string Shorten(std::string_view text, size_t width);

// Columns as wide as their widest cell, two spaces between them.
std::string FormatTable(const std::vector<std::string>& header,
                        const std::vector<std::vector<std::string>>& rows);

std::string WithThousands(uint64_t number);  // "1,234,567"
std::string FormatBytes(double bytes);       // "350 B", "4.2 MB", "1.3 TB"
std::string FormatSeconds(double seconds);   // "350 ms", "4.2 s", "3 min 20 s", "2 h 5 min"

// A value of the API's answer as the text of a cell: "" where it is null or not there.
std::string Cell(const nlohmann::json& object, const char* key);
// Of a table in an answer: "shop.orders".
std::string SourceName(const nlohmann::json& table);

// "██████░░░░" of `width` characters; `share` from 0 to 1.
std::string ProgressBar(double share, size_t width);

// Whether what is printed may be coloured: a terminal reads it that has colours, and NO_COLOR is
// not set.
bool ColoursWanted();

// In the colour with this number by ECMA-48 ("1;31"), where that is wanted.
std::string Coloured(std::string_view text, std::string_view colour, bool wanted);
// A state of a pipe or a table, in the colour of what it means.
std::string ColouredState(std::string_view state, bool wanted = ColoursWanted());

void Print(std::string_view text);       // to stdout, at once
void PrintError(std::string_view text);  // "penstock: text" and a line end to stderr

}  // namespace penstock::cli
