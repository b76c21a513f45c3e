#include "pipe/checks/checks.h"

namespace penstock::pipe {

// A reader of an Aurora cluster has the cluster's data, and no log of its own.
void CheckWriterEndpoint(CheckContext& context, std::vector<Finding>& findings) {
  const std::string aurora = SourceVariable(context, "aurora_version");
  if (aurora.empty()) return AddOk(findings, "not an Aurora cluster");
  if (SourceVariable(context, "innodb_read_only") != "ON") {
    return AddOk(findings, fmt::format("the writer of an Aurora {} cluster", aurora));
  }
  AddError(findings,
           fmt::format("{} leads to a reader of an Aurora cluster, which has no binary log to "
                       "follow",
                       context.spec.source.host),
           "Use the cluster's writer endpoint as the host "
           "(NAME.cluster-ID.REGION.rds.amazonaws.com, without "
           "-ro)",
           "aws rds describe-db-clusters --db-cluster-identifier CLUSTER --query "
           "'DBClusters[0].Endpoint'");
}

}  // namespace penstock::pipe
