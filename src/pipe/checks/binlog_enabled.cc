#include "pipe/checks/checks.h"

namespace penstock::pipe {
namespace {

// Hosted servers log where backups are kept, or a cluster is told to.
Remedy HowToTurnOn(Hosting hosting) {
  switch (hosting) {
    case Hosting::kRds:
      return {.text = "Turn on automated backups, which the log comes with",
              .statement =
                  "aws rds modify-db-instance --db-instance-identifier INSTANCE "
                  "--backup-retention-period 1 --apply-immediately"};
    case Hosting::kAurora:
      return {.text =
                  "Set binlog_format to ROW in the DB cluster parameter group, and reboot the "
                  "writer",
              .statement =
                  "aws rds modify-db-cluster-parameter-group "
                  "--db-cluster-parameter-group-name GROUP --parameters "
                  "ParameterName=binlog_format,ParameterValue=ROW,"
                  "ApplyMethod=pending-reboot"};
    case Hosting::kCloudSql:
      return {.text = "Turn on binary logging (the instance restarts)",
              .statement = "gcloud sql instances patch INSTANCE --enable-bin-log"};
    case Hosting::kAzure:
    case Hosting::kSelf:
      break;
  }
  return {.text =
              "Put log_bin=binlog and server_id=1 (any number of its own) under [mysqld] in "
              "the server's configuration, and restart the server",
          .statement = ""};
}

}  // namespace

void CheckBinlogEnabled(CheckContext& context, std::vector<Finding>& findings) {
  if (SourceVariable(context, "log_bin") == "ON") return AddOk(findings, "the binary log is on");
  AddError(findings, "the source's binary log is off (log_bin=OFF), so changes cannot be followed",
           HowToTurnOn(context.facts->hosting));
}

}  // namespace penstock::pipe
