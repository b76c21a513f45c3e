#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "mysql/binlog/column_details.h"
#include "stream/assembler.h"
#include "stream/statement_effect.h"

// Columns that are added to tables that are followed.

namespace penstock::stream {
namespace {

Error NamesNeeded(const model::TableName& table) {
  return {.code = ErrorCode::kNeedsUser,
          .message = fmt::format("columns were added to {}, and the log does not name columns "
                                 "(binlog_row_metadata is not FULL)",
                                 table.ToString()),
          .origin = "source",
          .native_code = 0,
          .remedy =
              "Resync the table (penstock resync); with SET GLOBAL binlog_row_metadata='FULL' "
              "before that, added columns are followed"};
}

Error NeedsResync(std::string message) {
  return {.code = ErrorCode::kNeedsUser,
          .message = std::move(message),
          .origin = "source",
          .native_code = 0,
          .remedy = "Resync the table (penstock resync)"};
}

bool Fits(const model::Column& column, const binlog::ColumnDetails& logged) {
  const bool is_text = !column.charset.empty();
  if (is_text && !logged.charset.empty() && logged.charset != column.charset) return false;
  // Labels that are told in a character set of wider units are not compared.
  const bool wide =
      column.charset == "ucs2" || column.charset.starts_with("utf16") || column.charset == "utf32";
  return logged.labels.empty() || wide || std::ranges::equal(logged.labels, column.labels);
}

bool IsAscii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

void Assembler::AddColumns(size_t table, const ddl::Statement& statement,
                           const binlog::Query& query) {
  const TableState& state = *tables_[table];
  const model::TableName& name = state.definition.name;
  if (!names_are_logged_) {
    Error error = NamesNeeded(name);
    error.message += Shown(query.sql);
    return FenceTable(table, std::move(error));
  }
  const auto until_resync = [&](std::string_view why) {
    FenceUntilResync(table, fmt::format("columns were added, and {}{}", why, Shown(query.sql)));
  };
  const bool is_held = std::ranges::any_of(prepared_.list(), [&](const auto& prepared) {
    return std::ranges::count(prepared.tables, name) != 0;
  });
  if (is_held) return until_resync("a prepared XA transaction holds rows without them");
  if (!query.client_is_utf8 && !IsAscii(query.sql)) {
    return until_resync("the statement is in a character set other than UTF-8");
  }
  auto addition =
      PlanAddition(state.definition, state.table.target_options, statement.added, source_);
  if (addition) {
    added_ = {.table = table, .before = position_, .addition = *std::move(addition)};
    return;
  }
  Error error = std::move(addition).error();
  if (error.code == ErrorCode::kConflict) return until_resync(error.message);
  error.code = ErrorCode::kNeedsUser;
  error.message += Shown(query.sql);
  FenceTable(table, std::move(error));
}

std::optional<AddedColumns> Assembler::TakeAdded() {
  if (!added_) return std::nullopt;
  auto [table, before, addition] = *std::exchange(added_, std::nullopt);
  TableState& state = *tables_[table];
  if (state.fenced) return std::nullopt;
  for (const model::Column& column : addition.definition.columns) {
    if (std::ranges::count(state.definition.columns, column.name, &model::Column::name) == 0) {
      state.unproven.push_back(column.name);
    }
  }
  state.definition = addition.definition;
  state.table.definition = typemap::TableToRead(addition.definition, state.table.target_options);
  state.writer = std::move(addition.writer);
  state.block = {};
  before_.resize(std::max(before_.size(), state.definition.columns.size()));
  after_.resize(before_.size());
  std::erase_if(mapped_, [&, table = table](const auto& entry) {
    return entry.second && entry.second->table == table;
  });
  return AddedColumns{.table = table,
                      .before = std::move(before),
                      .definition = std::move(addition.definition),
                      .columns = std::move(addition.columns)};
}

Status Assembler::Prove(TableState& state, const binlog::TableMap& map) {
  if (state.unproven.empty()) return {};
  const model::Table& table = state.definition;
  if (map.names.empty()) return Fail(NamesNeeded(table.name));
  if (map.types.size() != table.columns.size()) return {};  // does not fit: the decoder says so
  const auto details = binlog::ReadColumnDetails(map);
  for (size_t i = 0; i < details.size(); ++i) {
    const model::Column& column = table.columns[i];
    if (std::ranges::count(state.unproven, column.name) == 0) continue;
    const bool nullable = (static_cast<uint8_t>(map.nullable[i / 8]) >> (i % 8) & 1) != 0;
    if (column.nullable == nullable && Fits(column, details[i])) continue;
    return Fail(NeedsResync(fmt::format(
        "the column `{}` that was added to {} is not what its statement says ({}) in the log",
        column.name, table.name.ToString(), column.type_text)));
  }
  state.unproven.clear();
  return {};
}

// A table of ours that is made "if not exists" may be there as it was, unless it is known to be
// gone.
void Assembler::OnMade(const model::TableName& name, ddl::StatementKind kind) {
  if (!awaits_ || !awaits_(name)) return;
  MadeTable made{.name = name};
  for (size_t i = 0; i < tables_.size(); ++i) {
    if (IsNamed(tables_[i]->definition, name, names_ignore_case_)) made.table = i;
  }
  const bool is_as_it_was = made.table && kind == ddl::StatementKind::kHarmlessChange &&
                            !tables_[*made.table]->table.gone;
  if (!is_as_it_was) made_.push_back(std::move(made));
}

bool Assembler::IsAmong(const std::vector<model::TableName>& named, const TableState& state) const {
  return std::ranges::any_of(named, [&](const model::TableName& name) {
    return IsNamed(state.definition, name, names_ignore_case_);
  });
}

}  // namespace penstock::stream
