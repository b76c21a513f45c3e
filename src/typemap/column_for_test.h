#pragma once

#include <cstdint>
#include <string>

#include "model/table.h"

namespace penstock::typemap {

// Columns named "c", NOT NULL unless asked for.
inline model::Column Of(model::SqlType type, bool nullable = false) {
  model::Column column;
  column.name = "c";
  column.type = type;
  column.type_text = "type text";
  column.nullable = nullable;
  return column;
}

inline model::Column Unsigned(model::SqlType type) {
  model::Column column = Of(type);
  column.is_unsigned = true;
  return column;
}

inline model::Column WithScale(model::SqlType type, uint32_t scale, uint32_t precision = 0) {
  model::Column column = Of(type);
  column.scale = scale;
  column.precision = precision;
  return column;
}

}  // namespace penstock::typemap
