#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace penstock::binlog {

// Appends the text of a document in MySQL's binary JSON form, exactly as the server prints it:
// {"a": 1, "b": [1, 2.5, "x"]}. No bytes at all are the literal null, as they are for the server.
//
// Bytes that do not follow the format are kBadData and leave `text` with a part of the document.
// Every stored byte is printed at most once (values that share bytes are malformed), so the text is
// bounded by about six times the document, and nesting by the server's own 100 levels.
// https://dev.mysql.com/doc/dev/mysql-server/latest/json__binary_8h.html
Status AppendJsonText(std::string_view document, std::string& text);

}  // namespace penstock::binlog
