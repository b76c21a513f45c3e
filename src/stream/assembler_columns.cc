#include <fmt/format.h>

#include <algorithm>
#include <utility>

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
  state.definition = addition.definition;
  state.table.definition = typemap::TableToRead(addition.definition, state.table.target_options);
  state.writer = std::move(addition.writer);
  state.block = {};
  state.unproven = true;
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
  if (!state.unproven) return {};
  if (map.names.empty()) return Fail(NamesNeeded(state.definition.name));
  state.unproven = false;
  return {};
}

}  // namespace penstock::stream
