#include <map>

#include "cli/command_table.h"

namespace penstock::cli {

std::vector<std::string> ExamplesOf(const std::string& command) {
  static const std::map<std::string, std::vector<std::string>> examples = {
      {"serve",
       {"penstock serve --embedded-clickhouse",
        "penstock serve --config /etc/penstock/penstock.yaml",
        "penstock serve --data-dir /srv/penstock --clickhouse-url http://ch.example:8123"}},
      {"clickhouse", {"penstock clickhouse --data-dir ch --http-port 8123 --tcp-port 9000"}},
      {"check", {"penstock check -f shop.yaml", "penstock check -f shop.yaml --output json"}},
      {"create",
       {"penstock create -f shop.yaml --wait", "penstock create -f - --wait < shop.yaml"}},
      {"list", {"penstock list", "penstock list --output json"}},
      {"show", {"penstock show shop", "penstock show shop --output yaml"}},
      {"tables", {"penstock tables shop", "penstock tables shop --ddl"}},
      {"events", {"penstock events shop --limit 20"}},
      {"errors", {"penstock errors shop --limit 20"}},
      {"batches", {"penstock batches shop --limit 20"}},
      {"partitions", {"penstock partitions shop", "penstock partitions shop shop.orders"}},
      {"pause", {"penstock pause shop --wait"}},
      {"resume", {"penstock resume shop --wait"}},
      {"resync",
       {"penstock resync shop --wait",
        "penstock resync shop --table shop.orders --table shop.items"}},
      {"retry", {"penstock retry shop --wait", "penstock retry shop --table shop.orders"}},
      {"add-table",
       {"penstock add-table shop shop.orders shop.items:order_items --wait",
        "penstock add-table shop '`shop.eu`.`orders:2026`:orders_2026'"}},
      {"remove-table",
       {"penstock remove-table shop shop.orders", "penstock remove-table shop shop.orders --drop"}},
      {"set",
       {"penstock set shop syncIntervalSeconds=5 pullBatchSize=50000",
        "penstock set shop host=db2.example source.mysql.credentials.passwordEnv=DB_PASSWORD"}},
      {"delete", {"penstock delete shop --wait"}},
      {"status", {"penstock status shop", "penstock status shop --watch"}},
      {"keys create", {"penstock keys create --name terraform"}},
      {"keys list", {"penstock keys list --data-dir /srv/penstock"}},
      {"keys delete", {"penstock keys delete 0123456789abcdef"}},
      {"backup",
       {"penstock backup penstock.tar", "penstock backup penstock.tar --data-dir /srv/penstock"}},
      {"completion",
       {"penstock completion bash > ~/.local/share/bash-completion/completions/penstock",
        "penstock completion zsh > ~/.zfunc/_penstock",
        "penstock completion fish > ~/.config/fish/completions/penstock.fish"}},
  };
  const auto found = examples.find(command);
  return found == examples.end() ? std::vector<std::string>() : found->second;
}

}  // namespace penstock::cli
