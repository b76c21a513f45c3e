#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipe/checks/check.h"

// What the checks share, and their list. For pipe/checks/ only.
namespace penstock::pipe {

void AddOk(std::vector<Finding>& findings, std::string message);
void AddWarning(std::vector<Finding>& findings, std::string message, std::string remedy);
void AddError(std::vector<Finding>& findings, std::string message, std::string remedy);
void AddError(std::vector<Finding>& findings, const Error& error);

// Adds `message` as kOk unless something has been found since the findings were `before` many.
void AddOkIfNone(std::vector<Finding>& findings, size_t before, std::string message);

// Whether the pipe follows the log, so that the log's checks apply. Where not, says so.
bool FollowsLog(const CheckContext& context, std::vector<Finding>& findings);

// A global variable of the source. Absent where the server does not know it, or could not be asked
// (which is then a finding).
std::optional<std::string> SourceVariable(CheckContext& context, std::string_view name,
                                          std::vector<Finding>& findings);

// The mapped tables whose definitions were read, with their mappings.
void ForEachTable(const CheckContext& context,
                  const std::function<void(const TableMapping&, const model::Table&)>& visit);

bool IsExcluded(const TableMapping& mapping, std::string_view column);

void CheckTableMapping(CheckContext& context, std::vector<Finding>& findings);
void CheckSourceConnection(CheckContext& context, std::vector<Finding>& findings);
void CheckSourceVersion(CheckContext& context, std::vector<Finding>& findings);
void CheckBinlogEnabled(CheckContext& context, std::vector<Finding>& findings);
void CheckBinlogFormat(CheckContext& context, std::vector<Finding>& findings);
void CheckBinlogRowImage(CheckContext& context, std::vector<Finding>& findings);
void CheckBinlogRowMetadata(CheckContext& context, std::vector<Finding>& findings);
void CheckRowValueOptions(CheckContext& context, std::vector<Finding>& findings);
void CheckTransactionCompression(CheckContext& context, std::vector<Finding>& findings);
void CheckServerId(CheckContext& context, std::vector<Finding>& findings);
void CheckReplicationPrivilege(CheckContext& context, std::vector<Finding>& findings);
void CheckStartPosition(CheckContext& context, std::vector<Finding>& findings);
void CheckXaTransactions(CheckContext& context, std::vector<Finding>& findings);
void CheckTablesExist(CheckContext& context, std::vector<Finding>& findings);
void CheckSelectPrivilege(CheckContext& context, std::vector<Finding>& findings);
void CheckTableEngines(CheckContext& context, std::vector<Finding>& findings);
void CheckTableKeys(CheckContext& context, std::vector<Finding>& findings);
void CheckSystemVersioning(CheckContext& context, std::vector<Finding>& findings);
void CheckTableColumns(CheckContext& context, std::vector<Finding>& findings);
void CheckSnapshotConsistency(CheckContext& context, std::vector<Finding>& findings);
void CheckReplicaLag(CheckContext& context, std::vector<Finding>& findings);
void CheckForeignKeyCascades(CheckContext& context, std::vector<Finding>& findings);
void CheckDestinationConnection(CheckContext& context, std::vector<Finding>& findings);
void CheckDestinationVersion(CheckContext& context, std::vector<Finding>& findings);
void CheckDestinationDatabase(CheckContext& context, std::vector<Finding>& findings);
void CheckDestinationPrivileges(CheckContext& context, std::vector<Finding>& findings);
void CheckColumnTypes(CheckContext& context, std::vector<Finding>& findings);
void CheckKeyValues(CheckContext& context, std::vector<Finding>& findings);
void CheckTargetTables(CheckContext& context, std::vector<Finding>& findings);

}  // namespace penstock::pipe
