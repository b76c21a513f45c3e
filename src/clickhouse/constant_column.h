#pragma once

#include <string>
#include <string_view>

#include "clickhouse/block.h"

namespace penstock::clickhouse {

// A column of strings that has one value in every row.
class ConstantColumn {
 public:
  ConstantColumn(std::string_view name, std::string_view value) : name_(name) {
    Buffer cell;
    cell.AppendVarint(value.size());
    cell.Append(value);
    cell_ = cell.view();
  }

  ColumnData NewColumn() const {
    ColumnData column;
    column.name = name_;
    column.type = "String";
    return column;
  }
  void Append(ColumnData& column) const { column.values.Append(std::string_view(cell_)); }

 private:
  std::string name_;
  std::string cell_;  // as Native has it
};

}  // namespace penstock::clickhouse
