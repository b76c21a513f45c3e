// Loaded before a penstock (LD_PRELOAD), kills it at a statement of its catalog: the one that holds
// the text of PENSTOCK_KILL_AT. With PENSTOCK_KILL_AFTER set it is executed, and the transaction
// that it is part of is committed, before anyone is told.
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char* wanted;
static const char* after;
static int is_met;

static int HoldsWanted(sqlite3_stmt* statement) {
  char* sql = sqlite3_expanded_sql(statement);
  const int holds = sql != NULL && strstr(sql, wanted) != NULL;
  sqlite3_free(sql);
  return holds;
}

static int Watch(unsigned event, void* context, void* statement, void* detail) {
  (void)context, (void)detail;
  if (event == SQLITE_TRACE_STMT && HoldsWanted(statement)) is_met = 1;
  const int is_committed =
      event == SQLITE_TRACE_PROFILE && strcmp(sqlite3_sql(statement), "COMMIT") == 0;
  if (is_met && (after == NULL || is_committed)) kill(getpid(), SIGKILL);
  return 0;
}

static int WatchConnection(sqlite3* connection, char** error, const void* api) {
  (void)error, (void)api;
  return sqlite3_trace_v2(connection, SQLITE_TRACE_STMT | SQLITE_TRACE_PROFILE, Watch, NULL);
}

__attribute__((constructor)) static void Begin(void) {
  wanted = getenv("PENSTOCK_KILL_AT");
  after = getenv("PENSTOCK_KILL_AFTER");
  if (wanted != NULL) sqlite3_auto_extension((void (*)(void))WatchConnection);
}
