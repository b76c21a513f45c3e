#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "ddl/statement.h"
#include "ddl/tokenizer.h"

// A byte of sql_mode, then a statement.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const penstock::ddl::SqlMode mode{.ansi_quotes = (*data & 1) != 0,
                                    .backslash_escapes = (*data & 2) != 0};
  const std::string_view sql(reinterpret_cast<const char*>(data) + 1, size - 1);
  size_t bytes = 0;
  for (const auto& token : penstock::ddl::Tokenize(sql, mode)) bytes += token.text.size();
  PENSTOCK_CHECK(bytes <= sql.size());
  const auto statement = penstock::ddl::Classify(sql, "shop", mode);
  PENSTOCK_CHECK(statement.tables.size() <= sql.size() + 1);
  return 0;
}
