#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "model/gtid.h"

namespace penstock::model {

enum class Mechanism : uint8_t { kMysqlGtid, kMariadbGtid, kFile };

std::string_view MechanismName(Mechanism mechanism);  // "mysql_gtid", "mariadb_gtid", "file"

// A place between two transactions of a source's log: everything before it has been seen.
// `file` and `offset` are always kept for people; they decide only under Mechanism::kFile.
struct Position {
  Mechanism mechanism = Mechanism::kFile;
  std::string file;
  uint64_t offset = 0;
  // What tells `file` from another one of its name, of another server or of before a reset: server
  // id and time of its first event (FileMark); 0: not known.
  uint64_t file_mark = 0;
  std::string server = {};  // whose log it is, as that server names itself; "": not known
  MysqlGtidSet mysql;
  MariadbGtidPosition mariadb;

  // The part that decides: a GTID set, a MariaDB position, or "file:offset".
  std::string ToString() const;

  // One line that Parse reads back, for the catalog:
  // "mechanism|file|offset|mysql|mariadb|mark|server", names percent-escaped where they hold a bar,
  // a percent sign or a control character. Parse takes it without the last two, too.
  std::string Serialize() const;
  static Result<Position> Parse(std::string_view serialized);

  bool operator==(const Position&) const = default;
};

constexpr uint64_t FileMark(uint32_t server_id, uint32_t timestamp) {
  return uint64_t{server_id} << 32 | timestamp;
}

// Of the transaction that comes next after some position the first `rows` changes of one table.
struct TransactionPart {
  Position read_to;  // that position and the transaction
  uint64_t rows = 0;

  bool operator==(const TransactionPart&) const = default;
};

}  // namespace penstock::model
