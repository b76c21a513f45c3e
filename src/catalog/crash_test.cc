// SIGKILL between any two statements: every call is there whole or not at all, and every call that
// answered is there.
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "catalog/catalog_for_test.h"

namespace penstock::catalog {
namespace {

using Call = std::function<Status(Catalog&)>;

Transition FromTo(const char* from, const char* to) {
  return {.from = from, .to = to, .resume_state = to, .reason = "ordered", .at = kTestTime};
}

EventRecord Told() {
  return {.at = kTestTime, .level = "info", .kind = "quarantine", .text = "retried"};
}
Status WantsRetry(Catalog& catalog) { return catalog.WantRetry("a", {2}, Told()); }
Status MovesRetry(Catalog& catalog) {
  return catalog.SaveRetry("a", {{2, SomeCheckpoint(510).position}},
                           {.changes = {SomeChange(2, "v", 1)}, .settled = {2}});
}
Status EndsRetry(Catalog& catalog) {
  return catalog.EndRetry("a", {{.table_id = 2, .start = SomeCheckpoint(520).position}}, Told());
}

// Each call once, in an order in which each has something to do. Table ids are 1 and 2.
const std::vector<Call>& Calls() {
  static const std::vector<Call> calls = {
      [](Catalog& catalog) { return catalog.CreatePipe(SomePipe("a")); },
      [](Catalog& catalog) {
        std::vector<TableRecord> tables = {SomeTable("t"), SomeTable("u")};
        return catalog.FinishSetup("a", tables, SomeCheckpoint(), ToSnapshot());
      },
      [](Catalog& catalog) {
        return catalog.AddPartitions(1, {PartitionRecord{}, PartitionRecord{}}, true,
                                     {.rows = 5, .bytes = 50});
      },
      [](Catalog& catalog) { return catalog.BeginAttempt(1, 1, kTestTime).map([](uint32_t) {}); },
      [](Catalog& catalog) { return catalog.FinishPartition(1, {.index = 1, .rows = 3}, {}); },
      [](Catalog& catalog) {
        Checkpoint checkpoint = SomeCheckpoint();
        checkpoint.sent = {.read_to = SomeCheckpoint(400).position, .table_ids = {1, 2}};
        return catalog.SaveCheckpoint(
            "a", checkpoint,
            {.inserts = {{.table_id = 1, .target = "t", .start = {}, .start_part = {}},
                         {.table_id = 2, .target = "u", .start = {}, .start_part = {}}}});
      },
      [](Catalog& catalog) {
        return catalog.BeginSnapshot("a", {{.table_id = 1, .name = "t_resync_1", .uuid = {}}},
                                     SomeCheckpoint().position);
      },
      [](Catalog& catalog) {
        return catalog.SettleInsert({.table_id = 2, .target = "u", .start = {}, .start_part = {}},
                                    /*is_there=*/true);
      },
      [](Catalog& catalog) {
        return catalog.SaveCheckpoint(
            "a", SomeCheckpoint(500),
            {.batch = BatchRecord{.rows = 9, .finished_at = kTestTime},
             .changes = {SomeChange(1, "Größe", 2)},
             .quarantines = {{2, {SomeCheckpoint().position, "its columns changed", kTestTime}}},
             .truncated = {1}});
      },
      WantsRetry,
      MovesRetry,
      EndsRetry,
      [](Catalog& catalog) { return catalog.AddEvent("a", Told()); },
      [](Catalog& catalog) {
        return catalog.SaveTransition("a", {.from = "Snapshot",
                                            .to = "Failed",
                                            .resume_state = "Snapshot",
                                            .reason = "broken",
                                            .at = kTestTime});
      },
      [](Catalog& catalog) {
        return catalog.WantReload("a", {1, 2}, /*forget_position=*/true, FromTo("Failed", "Setup"));
      },
      [](Catalog& catalog) {
        TableRecord table = SomeTable("t2");
        table.id = 1;
        table.load_target = "t2_resync";
        table.start = SomeCheckpoint().position;
        return catalog.BeginReload("a", {table}, SomeCheckpoint(), FromTo("Setup", "Snapshot"));
      },
      [](Catalog& catalog) {
        return catalog.EndReload("a", {1, 2}, FromTo("Snapshot", "Resync"));
      },
      [](Catalog& catalog) {
        return catalog.BeginDeletion("a", {{.url = "", .target = "t1", .drop_target = true}});
      },
      [](Catalog& catalog) { return catalog.DeletePipe("a"); },
  };
  return calls;
}

template <typename T>
T Must(Result<T> result) {
  EXPECT_TRUE(result) << result.error().ToString();
  return *std::move(result);
}

// All that the catalog answers, as one text.
std::string Dump(Catalog& catalog) {
  std::string text;
  for (const PipeRecord& pipe : Must(catalog.Pipes())) text += Describe(pipe);
  for (const PipeRecord& pipe : Must(catalog.DeletedPipes())) text += "deleted " + Describe(pipe);
  for (const RemovalRecord& removal : Must(catalog.Removals("a"))) text += removal.target + "\n";
  for (const Transition& transition : Must(catalog.Transitions("a", 100))) {
    text += fmt::format("{} {} {}\n", transition.from, transition.to, transition.reason);
  }
  for (const TableRecord& table : Must(catalog.Tables("a"))) {
    text += fmt::format("{} {} {} {}\n", table.id, table.definition.name.ToString(),
                        table.partitions_planned, table.rows_estimated);
    if (const auto& quarantine = table.quarantine) {
      text += fmt::format("from {} {} {}\n", quarantine->position.Serialize(), quarantine->retrying,
                          quarantine->gone);
    }
    if (table.start) text += fmt::format("start {}\n", table.start->Serialize());
  }
  for (const InsertRecord& insert : Must(catalog.Inserts("a"))) {
    text += fmt::format("insert into {}\n", insert.target);
  }
  for (const PartitionRecord& partition : Must(catalog.Partitions("a"))) {
    text += fmt::format("  {} {} {} {}\n", partition.index, partition.done, partition.rows,
                        partition.started_at.count());
  }
  for (const ValueChangeRecord& record : Must(catalog.ValueChanges("a"))) {
    text += fmt::format("{} {} {}\n", record.table_id, record.column, record.counts.total());
  }
  if (const auto checkpoint = catalog.LoadCheckpoint("a")) {
    text +=
        fmt::format("{} {}\n", checkpoint->position.Serialize(), checkpoint->versions_reserved_end);
  }
  for (const EventRecord& event : Must(catalog.Events("a", 100))) text += event.text + "\n";
  for (const BatchRecord& batch : Must(catalog.Batches("a", 100))) {
    text += fmt::format("batch {} {}\n", batch.number, batch.rows);
  }
  return text;
}

// Attempt numbers only show by being taken: after a crash the next must be higher than any that
// was answered.
uint32_t NextAttempt(Catalog& catalog) {
  const auto next = catalog.BeginAttempt(1, 0, kTestTime);
  return next ? *next : 0;
}

FixedClock& TestClock() {
  static FixedClock clock;
  return clock;
}

Result<std::unique_ptr<Catalog>> OpenIn(const std::filesystem::path& folder) {
  return Catalog::Open({.data_dir = folder / "data", .secret_key_file = {}, .clock = &TestClock()});
}

// --- In the child: SQLite tells of each statement as it begins and ends ---

int statements_left = 0;

int KillAtStatement(unsigned, void*, void*, void*) {
  if (--statements_left == 0) ::kill(::getpid(), SIGKILL);
  return 0;
}

int WatchConnection(sqlite3* connection, char**, const void*) {
  return sqlite3_trace_v2(connection, SQLITE_TRACE_STMT | SQLITE_TRACE_PROFILE, KillAtStatement,
                          nullptr);
}

// Opens the catalog and runs the calls, a byte into `answered` after each one; the process is
// killed at the k-th statement, or ends with 0 when there are fewer.
[[noreturn]] void RunAndDie(const std::filesystem::path& folder, int k, int answered) {
  statements_left = k;
  sqlite3_auto_extension(reinterpret_cast<void (*)()>(WatchConnection));
  auto catalog = OpenIn(folder);
  if (!catalog) ::_exit(2);
  for (const Call& call : Calls()) {
    if (!call(**catalog)) ::_exit(3);
    if (::write(answered, "x", 1) != 1) ::_exit(4);
  }
  ::_exit(0);
}

struct Outcome {
  bool killed;
  size_t answered;
};

Outcome RunChild(const std::filesystem::path& folder, int k) {
  int pipe_ends[2];
  EXPECT_EQ(::pipe(pipe_ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(pipe_ends[0]);
    RunAndDie(folder, k, pipe_ends[1]);
  }
  ::close(pipe_ends[1]);
  size_t answered = 0;
  char byte = 0;
  while (::read(pipe_ends[0], &byte, 1) == 1) ++answered;
  ::close(pipe_ends[0]);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << status;
  return {.killed = WIFSIGNALED(status), .answered = answered};
}

// What the catalog answers after each number of calls.
std::vector<std::string> ExpectedDumps() {
  const TemporaryFolder folder;
  auto catalog = OpenIn(folder.path());
  EXPECT_TRUE(catalog);
  std::vector<std::string> dumps = {Dump(**catalog)};
  for (const Call& call : Calls()) {
    EXPECT_TRUE(call(**catalog));
    dumps.push_back(Dump(**catalog));
  }
  return dumps;
}

TEST(Crash, EveryCallIsAllOrNothingWhereverTheProcessDies) {
  constexpr size_t kAttemptCall = 3;  // its index in Calls()
  const std::vector<std::string> expected = ExpectedDumps();
  int kills = 0;
  for (int k = 1;; ++k) {
    const TemporaryFolder folder;
    const Outcome outcome = RunChild(folder.path(), k);
    if (!outcome.killed) break;
    ++kills;
    auto catalog = OpenIn(folder.path());
    ASSERT_TRUE(catalog) << "statement " << k << ": " << catalog.error().ToString();
    const std::string found = Dump(**catalog);
    const size_t next = std::min(outcome.answered + 1, Calls().size());
    EXPECT_TRUE(found == expected[outcome.answered] || found == expected[next])
        << "statement " << k << ", " << outcome.answered << " calls answered:\n"
        << found;
    if (outcome.answered > kAttemptCall && !(*catalog)->Tables("a")->empty()) {
      EXPECT_GE(NextAttempt(**catalog), 2u) << "statement " << k;
    }
  }
  // Migrations, keys and each call's own: should the hook ever see nothing, this fails.
  EXPECT_GT(kills, 100);
}

}  // namespace
}  // namespace penstock::catalog
