#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "mysql/binlog/json_binary.h"
#include "mysql/binlog/json_path.h"
#include "mysql/binlog/json_value.h"

namespace penstock::binlog {

// A document in MySQL's binary JSON form that is changed in places and then printed. What is not
// changed stays a view of the bytes: an object or array that an edit leads through is held as
// pieces, each a run of its members as they were, or one member of its own. So memory follows the
// edits, not the document: about 250 bytes for each object or array opened, 60 for each edit.
//
// An edit that does not fit the document (no such place; a key that is there already) or that is
// malformed is kBadData; the document must not be used then. Reusable by Begin(). One thread at a
// time.
class JsonEditor {
 public:
  // `edit_bytes`: of all paths and values of the edits to come. Bounds the work, which is at most
  // 256 steps (a piece passed, compared or moved) for a byte of document and edits together; a
  // thousand edits of one array stay far below that. All views must live until AppendText().
  void Begin(std::string_view document, size_t edit_bytes);

  // `path` as in JsonPathReader, `value` a document of its own.
  Status Replace(std::string_view path, std::string_view value);
  // A new member of an object. In an array, before what is at the path; at its end where the path
  // leads beyond it, at its start where [last-N] leads before it.
  Status Insert(std::string_view path, std::string_view value);
  Status Remove(std::string_view path);

  // As AppendJsonText() would print the changed document.
  Status AppendText(std::string& text) const;

 private:
  static constexpr uint32_t kNotOpened = UINT32_MAX;

  struct Piece {
    uint32_t begin = 0;  // members [begin, end) of the source, when there are any; else one member:
    uint32_t end = 0;
    uint32_t opened = kNotOpened;  // index in opened_, or
    JsonValue value{};
    std::string_view key{};  // within an object

    bool is_run() const { return begin < end; }
    size_t size() const { return is_run() ? end - begin : 1; }
  };
  struct Opened {
    JsonContainer source;
    size_t size = 0;  // members now
    std::vector<Piece> pieces;
  };
  // The place of a member, or, not found, where it is to be inserted.
  struct Place {
    size_t piece = 0;
    size_t offset = 0;  // within a run
    bool found = false;
  };

  Result<size_t> Parent(JsonPathReader& path, JsonPathLeg& last);
  Status Open(Piece& piece);
  Result<Place> Find(const Opened& container, const JsonPathLeg& leg);
  Result<Place> FindIndex(const Opened& container, const JsonPathLeg& leg);
  Result<Place> FindKey(const Opened& container, std::string_view key);
  Result<size_t> Split(Opened& container, const Place& place);
  Result<size_t> Isolate(Opened& container, const Place& place);
  Status InsertPiece(Opened& container, size_t at, const Piece& piece);
  Status Work(uint64_t steps);
  void Print(const Piece& piece, int depth, JsonPrinter& printer, std::string& text) const;

  Piece root_;
  std::vector<Opened> opened_;  // in use: the first opened_count_
  size_t opened_count_ = 0;
  std::deque<std::string> keys_;  // that had escapes in their path
  uint64_t stored_bytes_ = 0;     // of document and edits
  uint64_t bytes_opened_ = 0;     // of entries of what was opened
  uint64_t steps_left_ = 0;
};

}  // namespace penstock::binlog
