#include "mysql/binlog/json_edit.h"

#include <algorithm>
#include <compare>

namespace penstock::binlog {
namespace {

constexpr uint64_t kStepsPerByte = 256;
constexpr size_t kOpenedKeptMax = 100;

Failure Misfit(std::string_view what) {
  return Fail(ErrorCode::kBadData, "a difference does not fit its JSON document: {}", what);
}

// The order of an object's members: shorter keys first, equally long ones by their bytes.
std::strong_ordering CompareKeys(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return a.size() <=> b.size();
  return a.compare(b) <=> 0;
}

}  // namespace

void JsonEditor::Begin(std::string_view document, size_t edit_bytes) {
  root_ = {.value = JsonRoot(document)};
  if (opened_.size() > kOpenedKeptMax) opened_.clear();
  opened_count_ = 0;
  keys_.clear();
  stored_bytes_ = document.size() + edit_bytes;
  bytes_opened_ = 0;
  steps_left_ = kStepsPerByte * stored_bytes_;
}

Status JsonEditor::Replace(std::string_view path, std::string_view value) {
  JsonPathReader reader(path);
  if (reader.ok() && reader.AtEnd()) {
    root_ = {.value = JsonRoot(value)};
    return {};
  }
  JsonPathLeg leg;
  PENSTOCK_ASSIGN(const size_t parent, Parent(reader, leg));
  Opened& container = opened_[parent];
  PENSTOCK_ASSIGN(const Place place, Find(container, leg));
  if (!place.found) return Misfit("nothing to replace");
  PENSTOCK_ASSIGN(const size_t at, Isolate(container, place));
  Piece& piece = container.pieces[at];
  piece = {.value = JsonRoot(value), .key = piece.key};
  return {};
}

Status JsonEditor::Insert(std::string_view path, std::string_view value) {
  JsonPathReader reader(path);
  JsonPathLeg leg;
  PENSTOCK_ASSIGN(const size_t parent, Parent(reader, leg));
  Opened& container = opened_[parent];
  PENSTOCK_ASSIGN(const Place place, Find(container, leg));
  if (place.found && leg.is_key) return Misfit("what is to be inserted is there already");
  PENSTOCK_ASSIGN(const size_t at, Split(container, place));
  PENSTOCK_TRY(InsertPiece(container, at, {.value = JsonRoot(value), .key = leg.key}));
  ++container.size;
  return {};
}

Status JsonEditor::Remove(std::string_view path) {
  JsonPathReader reader(path);
  JsonPathLeg leg;
  PENSTOCK_ASSIGN(const size_t parent, Parent(reader, leg));
  Opened& container = opened_[parent];
  PENSTOCK_ASSIGN(const Place place, Find(container, leg));
  if (!place.found) return Misfit("nothing to remove");
  PENSTOCK_ASSIGN(const size_t at, Isolate(container, place));
  PENSTOCK_TRY(Work(container.pieces.size() - at));
  container.pieces.erase(container.pieces.begin() + static_cast<ptrdiff_t>(at));
  --container.size;
  return {};
}

// Opens all that the path leads through, and leaves its last leg to the caller.
Result<size_t> JsonEditor::Parent(JsonPathReader& path, JsonPathLeg& last) {
  if (path.AtEnd()) return Misfit(path.ok() ? "no path" : "malformed path");
  PENSTOCK_TRY(Open(root_));
  size_t current = root_.opened;
  last = path.Next(keys_);
  for (int depth = 1; !path.AtEnd(); ++depth) {
    if (depth == kJsonDepthMax) return Misfit("nested too deeply");
    PENSTOCK_ASSIGN(const Place place, Find(opened_[current], last));
    if (!place.found) return Misfit("no such place");
    PENSTOCK_ASSIGN(const size_t at, Isolate(opened_[current], place));
    Piece piece = opened_[current].pieces[at];
    PENSTOCK_TRY(Open(piece));
    opened_[current].pieces[at] = piece;
    current = piece.opened;
    last = path.Next(keys_);
  }
  if (!path.ok()) return Misfit("malformed path");
  return current;
}

// References into opened_ do not survive this.
Status JsonEditor::Open(Piece& piece) {
  if (piece.opened != kNotOpened) return {};
  const auto source = JsonContainer::Open(piece.value);
  if (!source) return Misfit("no object or array where one is needed");
  bytes_opened_ += source->entry_bytes();
  if (bytes_opened_ > stored_bytes_) return Misfit("values that share bytes");
  if (opened_count_ == opened_.size()) opened_.emplace_back();
  Opened& opened = opened_[opened_count_];
  opened.source = *source;
  opened.size = source->size();
  opened.pieces.clear();
  if (opened.size > 0) opened.pieces.push_back({.end = static_cast<uint32_t>(opened.size)});
  piece.opened = static_cast<uint32_t>(opened_count_++);
  return {};
}

Result<JsonEditor::Place> JsonEditor::Find(const Opened& container, const JsonPathLeg& leg) {
  if (leg.is_key != container.source.is_object()) {
    return Misfit("an array in place of an object, or the other way round");
  }
  return leg.is_key ? FindKey(container, leg.key) : FindIndex(container, leg);
}

Result<JsonEditor::Place> JsonEditor::FindIndex(const Opened& container, const JsonPathLeg& leg) {
  const bool found = leg.index < container.size;
  const size_t outside = leg.from_end ? 0 : container.size;
  size_t left = !found ? outside : leg.from_end ? container.size - 1 - leg.index : leg.index;
  size_t piece = 0;
  while (piece < container.pieces.size() && left >= container.pieces[piece].size()) {
    left -= container.pieces[piece++].size();
  }
  PENSTOCK_TRY(Work(piece + 1));
  return Place{.piece = piece, .offset = left, .found = found};
}

// Two binary searches: for the first piece that ends at or after the key, and within its run.
Result<JsonEditor::Place> JsonEditor::FindKey(const Opened& container, std::string_view key) {
  const auto before = [&container, key](size_t member) {
    return CompareKeys(container.source.Key(member).value_or(""), key) < 0;
  };
  const auto& pieces = container.pieces;
  const auto piece = std::partition_point(pieces.begin(), pieces.end(), [&](const Piece& p) {
    return p.is_run() ? before(p.end - 1) : CompareKeys(p.key, key) < 0;
  });
  PENSTOCK_TRY(Work(1));
  Place place{.piece = static_cast<size_t>(piece - pieces.begin())};
  if (piece == pieces.end()) return place;
  if (!piece->is_run()) {
    place.found = piece->key == key;
    return place;
  }
  size_t low = piece->begin;
  for (size_t high = piece->end - 1; low < high;) {
    const size_t middle = low + (high - low) / 2;
    if (before(middle)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  place.offset = low - piece->begin;
  place.found = container.source.Key(low) == key;
  return place;
}

// Makes a piece begin at the place; its index.
Result<size_t> JsonEditor::Split(Opened& container, const Place& place) {
  if (place.offset == 0) return place.piece;
  Piece& left = container.pieces[place.piece];
  Piece right = left;
  right.begin += static_cast<uint32_t>(place.offset);
  left.end = right.begin;
  PENSTOCK_TRY(InsertPiece(container, place.piece + 1, right));
  return place.piece + 1;
}

// Makes the member at the place, which was found, a piece of its own; its index.
Result<size_t> JsonEditor::Isolate(Opened& container, const Place& place) {
  PENSTOCK_ASSIGN(const size_t at, Split(container, place));
  const Piece run = container.pieces[at];
  if (!run.is_run()) return at;
  if (run.size() > 1) {
    PENSTOCK_TRY(InsertPiece(container, at + 1, {.begin = run.begin + 1, .end = run.end}));
  }
  const bool is_object = container.source.is_object();
  const auto key = is_object ? container.source.Key(run.begin) : std::string_view();
  const auto value = container.source.Member(run.begin);
  if (!key || !value) return Misfit("the document is malformed");
  container.pieces[at] = {.value = *value, .key = *key};
  return at;
}

Status JsonEditor::InsertPiece(Opened& container, size_t at, const Piece& piece) {
  PENSTOCK_TRY(Work(container.pieces.size() - at + 1));
  container.pieces.insert(container.pieces.begin() + static_cast<ptrdiff_t>(at), piece);
  return {};
}

Status JsonEditor::Work(uint64_t steps) {
  if (steps > steps_left_) return Misfit("too much work for its size");
  steps_left_ -= steps;
  return {};
}

Status JsonEditor::AppendText(std::string& text) const {
  JsonPrinter printer(stored_bytes_ - bytes_opened_, text);
  Print(root_, 0, printer, text);
  if (!printer.ok()) return Fail(ErrorCode::kBadData, "JSON document is malformed");
  return {};
}

// The entries of what was opened were counted when it was.
void JsonEditor::Print(const Piece& piece, int depth, JsonPrinter& printer,
                       std::string& text) const {
  if (piece.opened == kNotOpened) return printer.Value(piece.value, depth);
  if (++depth > kJsonDepthMax) return printer.Fail();
  const Opened& container = opened_[piece.opened];
  const bool is_object = container.source.is_object();
  text += is_object ? '{' : '[';
  for (size_t i = 0; i < container.pieces.size() && printer.ok(); ++i) {
    if (i > 0) text += ", ";
    const Piece& part = container.pieces[i];
    if (part.is_run()) {
      printer.Members(container.source, part.begin, part.end, depth);
      continue;
    }
    if (is_object) printer.Key(part.key);
    if (printer.ok()) Print(part, depth, printer, text);
  }
  text += is_object ? '}' : ']';
}

}  // namespace penstock::binlog
