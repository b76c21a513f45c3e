#include "typemap/table_map.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"

namespace penstock::typemap {
namespace {

Failure Refuse(std::string message, std::string_view remedy) {
  return Fail({.code = ErrorCode::kInvalidArgument,
               .message = std::move(message),
               .origin = "source",
               .native_code = 0,
               .remedy = std::string(remedy)});
}

bool Holds(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

const model::Column* FindColumn(const model::Table& source, const std::string& name) {
  const auto found = std::ranges::find(source.columns, name, &model::Column::name);
  return found == source.columns.end() ? nullptr : &*found;
}

const ColumnOverride* FindOverride(const TargetOptions& options, const std::string& name) {
  const auto found = std::ranges::find(options.overrides, name, &ColumnOverride::column);
  return found == options.overrides.end() ? nullptr : &*found;
}

// Names with arguments in brackets, as in CODEC(Delta(4), ZSTD(3)); nothing that could end the
// statement it is put into.
bool IsCodec(std::string_view text) {
  int depth = 0;
  for (const char c : text) {
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (depth < 0 || (!plain && std::string_view("(), _'").find(c) == std::string_view::npos)) {
      return false;
    }
  }
  return depth == 0;
}

Status CheckNames(const model::Table& source, const TargetOptions& options) {
  for (const std::string& name : options.excluded_columns) {
    if (FindColumn(source, name) == nullptr) {
      return Refuse(fmt::format("excluded column {} does not exist", name), "");
    }
  }
  for (const model::Column& column : source.columns) {
    if (clickhouse::IsMetaColumn(column.name) && !Holds(options.excluded_columns, column.name)) {
      return Refuse(
          fmt::format("column {} has the name of a column that penstock adds", column.name),
          "Exclude or rename the column");
    }
  }
  return {};
}

Status CheckKeyColumn(const model::Table& source, const TargetOptions& options,
                      const std::string& name) {
  const model::Column* column = FindColumn(source, name);
  if (column == nullptr) {
    return Refuse(fmt::format("sorting key column {} does not exist", name), "");
  }
  if (Holds(options.excluded_columns, name)) {
    return Refuse(fmt::format("key column {} is excluded", name),
                  "Keep the columns of the key: rows are told apart by them");
  }
  return MapColumn(*column, options.TypesOf(source, name), true).map([](const ColumnMapping&) {});
}

std::vector<std::string> NamesOfKey(const model::Table& source, const TargetOptions& options) {
  std::vector<std::string> names;
  for (const size_t index : source.key) names.push_back(source.columns[index].name);
  if (!WholeRowIsKey(source, options)) return names;
  for (const model::Column& column : source.columns) {
    if (!Holds(options.excluded_columns, column.name)) names.push_back(column.name);
  }
  return names;
}

Result<std::vector<std::string>> CheckedSortingKey(const model::Table& source,
                                                   const TargetOptions& options) {
  if (source.key.empty() && !options.whole_row_may_be_key &&
      !clickhouse::KeepsEveryChange(options.engine)) {
    return Refuse("the table has no primary key and no unique key without nullable columns",
                  "Add a primary key (an invisible one will do), or set identicalRowsMayCollapse, "
                  "or tableEngine: MergeTree");
  }
  std::vector<std::string> names;
  if (options.engine == clickhouse::Engine::kNull) return names;
  for (const std::string& name : options.sorting_keys) {
    if (Holds(names, name)) return Refuse(fmt::format("sorting key {} is given twice", name), "");
    names.push_back(name);
  }
  for (const std::string& name : NamesOfKey(source, options)) {
    if (!Holds(names, name)) names.push_back(name);
  }
  for (const std::string& name : names) PENSTOCK_TRY(CheckKeyColumn(source, options, name));
  if (!options.tells_source) return names;
  std::vector<std::string> key = {std::string(clickhouse::kSourceSchemaColumn),
                                  std::string(clickhouse::kSourceTableColumn)};
  std::ranges::move(names, std::back_inserter(key));
  return key;
}

// The error with the table's name before its message.
template <typename T>
Result<T> In(const model::Table& source, Result<T> result) {
  if (result) return result;
  return Fail(result.error().In(source.name.ToString()));
}

struct Plan {
  std::vector<std::string> sorting_key;
  std::vector<size_t> columns;  // of the source, those not excluded
};

Result<Plan> MakePlan(const model::Table& source, const TargetOptions& options) {
  PENSTOCK_TRY(CheckNames(source, options));
  PENSTOCK_TRY(CheckOverrides(source, options));
  Plan plan;
  PENSTOCK_ASSIGN(plan.sorting_key, CheckedSortingKey(source, options));
  for (size_t i = 0; i < source.columns.size(); ++i) {
    if (!Holds(options.excluded_columns, source.columns[i].name)) plan.columns.push_back(i);
  }
  return plan;
}

Result<std::vector<clickhouse::DestinationColumn>> MakeDestinationColumns(
    const model::Table& source, const TargetOptions& options) {
  PENSTOCK_ASSIGN(const Plan plan, MakePlan(source, options));
  std::vector<clickhouse::DestinationColumn> columns;
  for (const size_t index : plan.columns) {
    const model::Column& column = source.columns[index];
    PENSTOCK_ASSIGN(ColumnMapping mapping, MapColumn(column, options.TypesOf(source, column.name),
                                                     Holds(plan.sorting_key, column.name)));
    const ColumnOverride* chosen = FindOverride(options, column.name);
    columns.push_back({.name = column.name,
                       .type = std::move(mapping.declared_type),
                       .codec = chosen == nullptr ? "" : chosen->codec});
  }
  if (options.tells_source)
    std::ranges::move(clickhouse::SourceColumns(), std::back_inserter(columns));
  return columns;
}

}  // namespace

Status CheckOverrides(const model::Table& source, const TargetOptions& options) {
  for (const ColumnOverride& chosen : options.overrides) {
    if (FindColumn(source, chosen.column) == nullptr) {
      return Refuse(fmt::format("columnOverrides names {}, which does not exist", chosen.column),
                    "Check the name, in upper and lower case too");
    }
    if (Holds(options.excluded_columns, chosen.column)) {
      return Refuse(
          fmt::format("column {} is in columnOverrides and in excludedColumns", chosen.column),
          "Keep one of them");
    }
    if (FindOverride(options, chosen.column) != &chosen) {
      return Refuse(fmt::format("columnOverrides names {} twice", chosen.column), "");
    }
    if (!IsCodec(chosen.codec)) {
      return Refuse(fmt::format("column {}: {} is no codec", chosen.column, chosen.codec),
                    "Write what stands in CODEC(...), for instance ZSTD(3)");
    }
  }
  return {};
}

TypeOptions TargetOptions::TypesOf(const model::Table& source, const std::string& column) const {
  TypeOptions of_column = types;
  of_column.nullable_keys = WholeRowIsKey(source, *this);
  if (const ColumnOverride* chosen = FindOverride(*this, column)) {
    of_column.target_type = chosen->target_type;
  }
  return of_column;
}

bool WholeRowIsKey(const model::Table& source, const TargetOptions& options) {
  return source.key.empty() && options.whole_row_may_be_key &&
         !clickhouse::KeepsEveryChange(options.engine);
}

std::optional<clickhouse::Shard> ShardOf(const model::Table& source, const TargetOptions& options) {
  if (!options.tells_source) return std::nullopt;
  return clickhouse::Shard{.schema = source.name.schema, .table = source.name.table};
}

Result<std::vector<std::string>> SortingKey(const model::Table& source,
                                            const TargetOptions& options) {
  return In(source, CheckedSortingKey(source, options));
}

bool SortedByPrimaryKey(const model::Table& source, const TargetOptions& options) {
  return source.key_is_primary && std::ranges::all_of(options.sorting_keys, [&](const auto& name) {
           return std::ranges::any_of(
               source.key, [&](size_t index) { return source.columns[index].name == name; });
         });
}

Result<std::vector<clickhouse::DestinationColumn>> DestinationColumns(
    const model::Table& source, const TargetOptions& options) {
  return In(source, MakeDestinationColumns(source, options));
}

model::Table TableToRead(const model::Table& source, const TargetOptions& options) {
  model::Table table = source;
  for (model::Column& column : table.columns) {
    if (Holds(options.excluded_columns, column.name)) column.type = model::SqlType::kUnsupported;
  }
  return table;
}

Result<TableWriter> TableWriter::Make(const model::Table& source, const TargetOptions& options) {
  return In(source, MakeUnnamed(source, options));
}

Result<TableWriter> TableWriter::MakeUnnamed(const model::Table& source,
                                             const TargetOptions& options) {
  PENSTOCK_ASSIGN(const Plan plan, MakePlan(source, options));
  TableWriter writer;
  const bool is_null = options.engine == clickhouse::Engine::kNull;
  const std::vector<std::string> source_key = NamesOfKey(source, options);
  writer.tells_kind_ = clickhouse::KeepsEveryChange(options.engine);
  writer.source_columns_ = source.columns.size();
  writer.columns_.reserve(plan.columns.size());
  for (const size_t index : plan.columns) {
    const model::Column& column = source.columns[index];
    const bool in_key = Holds(plan.sorting_key, column.name);
    ColumnPlan made{.source_index = index,
                    .in_key = in_key,
                    .name = column.name,
                    .mapping = {},
                    .writer = nullptr,
                    .plain = std::nullopt};
    const TypeOptions types = options.TypesOf(source, column.name);
    PENSTOCK_ASSIGN(made.mapping, MapColumn(column, types, in_key));
    PENSTOCK_ASSIGN(made.writer, MakeColumnWriter(column, types, in_key));
    made.plain = made.writer->plain_integer();
    if (in_key || (is_null && Holds(source_key, column.name))) {
      writer.key_columns_.push_back(index);
    }
    writer.columns_.push_back(std::move(made));
  }
  writer.row_starts_.resize(writer.columns_.size());
  if (const auto shard = ShardOf(source, options)) {
    writer.constants_ = {clickhouse::ConstantColumn(clickhouse::kSourceSchemaColumn, shard->schema),
                         clickhouse::ConstantColumn(clickhouse::kSourceTableColumn, shard->table)};
  }
  return writer;
}

clickhouse::Block TableWriter::NewBlock() const {
  clickhouse::Block block;
  block.columns.resize(columns_.size() + (tells_kind_ ? 3 : 2));
  for (size_t i = 0; i < columns_.size(); ++i) {
    block.columns[i].name = columns_[i].name;
    block.columns[i].type = columns_[i].mapping.native_type;
    block.columns[i].nullable = columns_[i].mapping.nullable;
    block.columns[i].prefix = columns_[i].mapping.native_prefix;
  }
  clickhouse::ColumnData& version = block.columns[columns_.size()];
  version.name = clickhouse::VersionColumn();
  version.type = "UInt64";
  clickhouse::ColumnData& is_deleted = block.columns[columns_.size() + 1];
  is_deleted.name = clickhouse::IsDeletedColumn();
  is_deleted.type = "UInt8";
  if (tells_kind_) {
    block.columns.back().name = clickhouse::kKindColumn;
    block.columns.back().type = clickhouse::kKindType;
  }
  for (const auto& constant : constants_) block.columns.push_back(constant.NewColumn());
  return block;
}

Status TableWriter::Append(model::Row row, uint64_t version, clickhouse::ChangeKind kind,
                           clickhouse::Block& out) {
  return AppendCells<false>(row, version, kind, out);
}

Status TableWriter::AppendDeletion(model::Row row, uint64_t version, clickhouse::Block& out) {
  return AppendCells<true>(row, version, clickhouse::ChangeKind::kDelete, out);
}

template <bool kKeyOnly>
Status TableWriter::AppendCells(model::Row row, uint64_t version, clickhouse::ChangeKind kind,
                                clickhouse::Block& out) {
  if (row.size() != source_columns_) [[unlikely]] {
    return Fail(ErrorCode::kBadData, "a row of {} values where the table has {} columns",
                row.size(), source_columns_);
  }
  const size_t count = columns_.size();
  for (size_t i = 0; i < count; ++i) {
    const ColumnPlan& plan = columns_[i];
    const model::Value& value = row[plan.source_index];
    clickhouse::ColumnData& column = out.columns[i];
    row_starts_[i] = column.values.size();
    if (kKeyOnly && !plan.in_key) {
      plan.writer->AppendNothing(column);
      continue;
    }
    if (plan.plain && plan.plain->Holds(value)) {
      column.values.AppendLow(value.u, plan.plain->bytes);
      if (plan.plain->nullable) column.nulls.Append(uint8_t{0});
      continue;
    }
    Status appended = plan.writer->Append(value, column);
    if (!appended) [[unlikely]] {
      TakeBack(i, out);
      return appended;
    }
  }
  out.columns[count].values.Append(version);
  out.columns[count + 1].values.Append(
      static_cast<uint8_t>(kind == clickhouse::ChangeKind::kDelete));
  if (tells_kind_) out.columns[count + 2].values.Append(static_cast<uint8_t>(kind));
  for (size_t i = 0; i < constants_.size(); ++i) {
    constants_[i].Append(out.columns[out.columns.size() - constants_.size() + i]);
  }
  ++out.rows;
  return {};
}

void TableWriter::TakeBack(size_t cells, clickhouse::Block& out) const {
  for (size_t i = 0; i < cells; ++i) out.columns[i].Truncate(out.rows, row_starts_[i]);
}

bool TableWriter::IsWhole(model::Row row) const {
  PENSTOCK_CHECK(row.size() == source_columns_);
  return std::ranges::none_of(columns_, [&](const ColumnPlan& column) {
    return row[column.source_index].kind == model::ValueKind::kAbsent;
  });
}

bool TableWriter::HoldsKey(model::Row row) const {
  PENSTOCK_CHECK(row.size() == source_columns_);
  return std::ranges::none_of(key_columns_,
                              [&](size_t i) { return row[i].kind == model::ValueKind::kAbsent; });
}

// A key column maps one to one (what would not is refused by its writer), so source cells differ
// exactly when their destination bytes do.
bool TableWriter::KeyChanged(model::Row before, model::Row after) const {
  PENSTOCK_CHECK(before.size() == source_columns_ && after.size() == source_columns_);
  return std::ranges::any_of(key_columns_, [&](size_t i) { return !(before[i] == after[i]); });
}

model::ValueChanges TableWriter::TakeChanges() {
  model::ValueChanges changes;
  for (const ColumnPlan& plan : columns_) {
    const model::ChangeCounts counts = std::exchange(plan.writer->changes(), {});
    if (counts.total() != 0) changes.push_back({.column = plan.name, .counts = counts});
  }
  return changes;
}

void TableWriter::SaveChanges(std::vector<model::ChangeCounts>& saved) const {
  saved.clear();
  for (const ColumnPlan& plan : columns_) saved.push_back(plan.writer->changes());
}

void TableWriter::RestoreChanges(const std::vector<model::ChangeCounts>& saved) {
  PENSTOCK_CHECK(saved.size() == columns_.size());
  for (size_t i = 0; i < saved.size(); ++i) columns_[i].writer->changes() = saved[i];
}

}  // namespace penstock::typemap
