#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace penstock::binlog {

// One step from a value to one within it.
struct JsonPathLeg {
  bool is_key = false;
  std::string_view key{};  // of an object
  uint32_t index = 0;      // of an array, from 0
  bool from_end = false;   // `index` counts from the last element back
};

// Reads a path as the server writes it into its log, leg by leg: $.a."b c"[3][last-1]. A path of
// another form makes `ok()` false for good, and is then at its end.
class JsonPathReader {
 public:
  explicit JsonPathReader(std::string_view text);

  bool ok() const { return ok_; }
  bool AtEnd() const { return rest_.empty(); }

  // The next leg; only while not at the end. Its key is a view of the path, or, where the path has
  // escapes in it, of a string that is added to `unescaped`.
  JsonPathLeg Next(std::deque<std::string>& unescaped);

 private:
  JsonPathLeg Fail();
  bool Skip(std::string_view text);
  JsonPathLeg Key(std::deque<std::string>& unescaped);
  JsonPathLeg Index();

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace penstock::binlog
