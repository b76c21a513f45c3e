#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "model/table.h"
#include "mysql/wire/column_type.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  penstock::model::Column column;
  penstock::mysql::ParseColumnType(text, column);
  PENSTOCK_CHECK(column.type_text == text);
  size_t label_bytes = 0;
  for (const std::string& label : column.labels) label_bytes += label.size();
  PENSTOCK_CHECK(column.labels.size() <= size && label_bytes <= size);
  return 0;
}
