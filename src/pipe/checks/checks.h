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
void AddWarning(std::vector<Finding>& findings, std::string message, std::string remedy,
                std::string statement = "");
void AddWarning(std::vector<Finding>& findings, std::string message, const Remedy& remedy);
void AddError(std::vector<Finding>& findings, std::string message, std::string remedy,
              std::string statement = "");
void AddError(std::vector<Finding>& findings, std::string message, const Remedy& remedy);
void AddError(std::vector<Finding>& findings, const Error& error);

// What could not be looked at (`what`: "the source's foreign keys"). A server that refuses for want
// of a right has nothing wrong with it: a warning that names the right, and the statement that
// gives it, where there is one. Anything else is an error.
void AddUnanswered(std::vector<Finding>& findings, std::string_view what, const Error& error,
                   std::string grant = "");

// Whether a server says with it that the user lacks a right.
bool IsRefusal(const Error& error);

// Adds `message` as kOk unless something has been found since the findings were `before` many.
void AddOkIfNone(std::vector<Finding>& findings, size_t before, std::string message);

// A global variable of the source, as SHOW prints it; "" where the server does not know it.
std::string SourceVariable(const CheckContext& context, std::string_view name);

// How it is changed at this source.
Remedy Change(const CheckContext& context, const VariableChange& change);

// "GRANT SELECT ON *.* TO 'penstock'@'%';", and the same for ClickHouse.
std::string Grant(const CheckContext& context, std::string_view what);
std::string GrantAtDestination(const CheckContext& context, std::string_view what);

// `schema`.`table` of the source.
std::string QuotedName(const model::TableName& name);

// "9.5 min", for people.
std::string DurationText(double seconds);

// The mapped tables whose definitions were read, with their mappings.
void ForEachTable(const CheckContext& context,
                  const std::function<void(const TableMapping&, const model::Table&)>& visit);

bool IsExcluded(const TableMapping& mapping, std::string_view column);

void CheckPipeName(CheckContext& context, std::vector<Finding>& findings);
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
void CheckTablePatterns(CheckContext& context, std::vector<Finding>& findings);
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
void CheckShards(CheckContext& context, std::vector<Finding>& findings);
void CheckTargetOwners(CheckContext& context, std::vector<Finding>& findings);
void CheckTargetTables(CheckContext& context, std::vector<Finding>& findings);
void CheckWriterEndpoint(CheckContext& context, std::vector<Finding>& findings);
void CheckTimeZone(CheckContext& context, std::vector<Finding>& findings);
void CheckGtidMode(CheckContext& context, std::vector<Finding>& findings);
void CheckLogRetention(CheckContext& context, std::vector<Finding>& findings);
void CheckLogFilters(CheckContext& context, std::vector<Finding>& findings);
void CheckReplicaUpdates(CheckContext& context, std::vector<Finding>& findings);
void CheckStorageEngines(CheckContext& context, std::vector<Finding>& findings);
void CheckSnapshotSize(CheckContext& context, std::vector<Finding>& findings);
void CheckMaterializedViews(CheckContext& context, std::vector<Finding>& findings);

}  // namespace penstock::pipe
