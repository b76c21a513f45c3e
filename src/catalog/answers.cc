#include "catalog/answers.h"

#include <chrono>

namespace penstock::catalog {
namespace {

constexpr UnixMicros kAnswerAge = std::chrono::hours(24);
constexpr int64_t kAnswersMax = 1'000;

}  // namespace

Result<std::optional<AnswerRecord>> ReadAnswer(Sqlite& database, const std::string& key,
                                               UnixMicros wall) {
  std::optional<AnswerRecord> answer;
  PENSTOCK_TRY(
      database.Query("SELECT request_hash, status, body, at FROM answers WHERE key = ? AND at > ?",
                     {key, ToStored(wall - kAnswerAge)}, [&](const SqlRow& row) {
                       answer = AnswerRecord{.key = key,
                                             .request_hash = row.Text(0),
                                             .status = static_cast<int>(row.Int(1)),
                                             .body = row.Text(2),
                                             .at = row.Time(3)};
                       return Status();
                     }));
  return answer;
}

Status StoreAnswer(Sqlite& database, const AnswerRecord& answer) {
  PENSTOCK_TRY(database.Run(
      "INSERT OR REPLACE INTO answers (key, request_hash, status, body, at) VALUES (?, ?, ?, ?, ?)",
      {answer.key, Blob{answer.request_hash}, static_cast<int64_t>(answer.status), answer.body,
       ToStored(answer.at)}));
  PENSTOCK_TRY(
      database.Run("DELETE FROM answers WHERE at <= ?1 OR key IN "
                   "(SELECT key FROM answers ORDER BY at DESC LIMIT -1 OFFSET ?2)",
                   {ToStored(answer.at - kAnswerAge), kAnswersMax}));
  return {};
}

}  // namespace penstock::catalog
