#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/byte_reader.h"
#include "base/status.h"
#include "mysql/binlog/json_value.h"

namespace penstock::binlog {

// Appends the text of a document in MySQL's binary JSON form, exactly as the server prints it:
// {"a": 1, "b": [1, 2.5, "x"]}. No bytes at all are the literal null, as they are for the server.
//
// Bytes that do not follow the format are kBadData and leave `text` with a part of the document.
// Every stored byte is printed at most once (values that share bytes are malformed), so the text is
// bounded by about six times the document, and nesting by the server's own 100 levels.
// https://dev.mysql.com/doc/dev/mysql-server/latest/json__binary_8h.html
Status AppendJsonText(std::string_view document, std::string& text);

// Prints values, for who prints a document in parts. Malformed bytes make `ok()` false for good;
// nothing more is printed then.
class JsonPrinter {
 public:
  // Of the values printed with one printer, together at most `stored_bytes_max` stored bytes are
  // printed.
  JsonPrinter(size_t stored_bytes_max, std::string& text)
      : unspent_(stored_bytes_max), text_(text) {}

  bool ok() const { return ok_; }
  void Fail() { ok_ = false; }

  // `depth`: of what holds the value; 0 at the root.
  void Value(const JsonValue& value, int depth);
  // The quoted key and the colon after it.
  void Key(std::string_view key);
  // Members [begin, end) of a container at `depth`, with what separates them.
  void Members(const JsonContainer& container, size_t begin, size_t end, int depth);

 private:
  // Counts bytes as printed. Values that share bytes run out of them, so neither text nor time can
  // exceed the document by more than a constant factor.
  bool Spend(uint64_t bytes);
  std::string_view Counted(ByteReader& reader);
  void Container(const JsonValue& value, int depth);
  void Scalar(uint8_t type, std::string_view bytes);
  void Literal(uint8_t literal);
  void Double(double number);
  void Opaque(std::string_view bytes);
  void Decimal(std::string_view data);
  void Temporal(uint8_t type, std::string_view data);

  uint64_t unspent_;
  std::string& text_;
  bool ok_ = true;
};

}  // namespace penstock::binlog
