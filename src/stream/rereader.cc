#include "stream/rereader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/backoff.h"
#include "mysql/wire/binary_row.h"
#include "mysql/wire/start_position.h"
#include "mysql/wire/table_read.h"
#include "obs/log.h"

namespace penstock::stream {
namespace {

// A statement of few enough conditions for every server's optimizer to look each up in the index.
constexpr size_t kKeysPerSelect = 500;
constexpr size_t kKeysPerTransaction = 10'000;

// A commit that waits for its semi-sync acknowledgement is invisible for moments; a replica behind
// a proxy perhaps for longer: then another connection is tried.
constexpr Backoff::Options kVisible{.first = std::chrono::milliseconds(10),
                                    .longest = std::chrono::milliseconds(500)};
constexpr int kVisibleAttemptsMax = 20;

}  // namespace

Rereader::Rereader(const std::vector<StreamTable>& tables, const StreamOptions& options,
                   BatchWriter& writer)
    : tables_(tables), options_(options), writer_(writer) {}

Status Rereader::Write(TableRows& rows, const model::Position& read_to, std::stop_token stop) {
  std::ranges::sort(rows.rereads);
  rows.rereads.erase(std::unique(rows.rereads.begin(), rows.rereads.end()), rows.rereads.end());
  Keys left = rows.rereads;
  Backoff backoff;
  while (!left.empty()) {
    const Keys some = left.first(std::min(left.size(), kKeysPerTransaction));
    Status status = WriteSome(rows, some, read_to, stop);
    if (status) {
      if (backoff.attempts() != 0) options_.on_reread_retry(nullptr);
      backoff.Reset();
      left = left.subspan(some.size());
      continue;
    }
    source_.reset();
    const ErrorCode code = status.error().code;
    if (code != ErrorCode::kRetry && code != ErrorCode::kUnknownOutcome) return status;
    options_.on_reread_retry(&status.error());
    LogWarning({options_.pipe_name, tables_[rows.table].definition.name.ToString()},
               "reading rows again: {}; trying again", status.error().ToString());
    if (!options_.clock->Wait(backoff.Next(), stop)) {
      return Fail(ErrorCode::kCancelled, "stopped");
    }
  }
  return {};
}

Status Rereader::Connect(std::stop_token stop) {
  PENSTOCK_ASSIGN(source_,
                  mysql::Connection::Open(options_.source, options_.pipe_name + " rereads", stop));
  return source_->Execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", stop);
}

Status Rereader::AwaitVisible(const model::Position& position, std::stop_token stop) {
  Backoff backoff(kVisible);
  while (true) {
    PENSTOCK_ASSIGN(const bool visible, mysql::IsVisible(*source_, position, stop));
    if (visible) return {};
    if (backoff.attempts() == kVisibleAttemptsMax) {
      return Fail(ErrorCode::kRetry, "the source does not show yet what it has logged up to {}",
                  position.ToString());
    }
    if (!options_.clock->Wait(backoff.Next(), stop)) {
      return Fail(ErrorCode::kCancelled, "stopped");
    }
  }
}

Status Rereader::WriteSome(TableRows& rows, Keys keys, const model::Position& read_to,
                           std::stop_token stop) {
  const StreamTable& table = tables_[rows.table];
  if (!source_) PENSTOCK_TRY(Connect(stop));
  PENSTOCK_TRY(AwaitVisible(read_to, stop));
  PENSTOCK_TRY(
      mysql::BeginRead(*source_, table.definition, mysql::QueryComment(options_.pipe_name), stop));
  PENSTOCK_ASSIGN(auto writer, typemap::TableWriter::Make(table.definition, table.target_options));
  clickhouse::Block block = writer.NewBlock();
  for (Keys left = keys; !left.empty();) {
    const Keys some = left.first(std::min(left.size(), kKeysPerSelect));
    PENSTOCK_TRY(Read(rows, some, writer, block, stop));
    left = left.subspan(some.size());
  }
  PENSTOCK_TRY(source_->Execute("ROLLBACK", stop));
  PENSTOCK_TRY(writer_.InsertReread(rows.table, block, stop));
  model::AddTo(rows.changes, writer.TakeChanges());
  return {};
}

Status Rereader::Read(const TableRows& rows, Keys keys, typemap::TableWriter& writer,
                      clickhouse::Block& block, std::stop_token stop) {
  const StreamTable& table = tables_[rows.table];
  const model::Table definition = typemap::TableToRead(table.definition, table.target_options);
  mysql::BinaryRowDecoder decoder(definition);
  std::vector<model::Value> row(definition.columns.size());
  PENSTOCK_TRY(source_->StartSelect(
      fmt::format("{}SELECT {} FROM {} WHERE {}", mysql::QueryComment(options_.pipe_name),
                  mysql::SelectList(definition), mysql::FromClause(definition.name, "PRIMARY"),
                  fmt::join(keys, " OR ")),
      stop));
  while (true) {
    PENSTOCK_ASSIGN(const auto packet, source_->NextRow(stop));
    if (!packet) return {};
    PENSTOCK_TRY(decoder.Decode(*packet, row));
    PENSTOCK_TRY(writer.Append(row, rows.reread_version, clickhouse::ChangeKind::kUpdate, block));
    if (block.bytes() < options_.batch_bytes_max) continue;
    PENSTOCK_TRY(writer_.InsertReread(rows.table, block, stop));
    block.Clear();
  }
}

}  // namespace penstock::stream
