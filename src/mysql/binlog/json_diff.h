#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "mysql/binlog/json_edit.h"

namespace penstock::binlog {

// Applies the differences that a PARTIAL_UPDATE_ROWS_EVENT holds in place of a JSON document.
// Keeps its space from one document to the next. One thread at a time.
class JsonPatcher {
 public:
  // Appends the text that `document`, in MySQL's binary JSON form, has with `differences` applied,
  // as AppendJsonText() prints it. kBadData for malformed bytes and for differences that do not fit
  // the document: `text` holds a part then. Work and text are bounded as JsonEditor and
  // AppendJsonText() say.
  Status AppendText(std::string_view document, std::string_view differences, std::string& text);

 private:
  Status Apply(std::string_view differences);

  JsonEditor editor_;
};

}  // namespace penstock::binlog
