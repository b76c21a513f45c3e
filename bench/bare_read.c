// Reads every row of a query over one connection and throws it away: the least that any copy of
// the table must pay. Prints seconds and rows.
//
//   bare_read HOST PORT USER PASSWORD QUERY
#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double Seconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  MYSQL* connection = mysql_init(NULL);
  if (!mysql_real_connect(connection, argv[1], argv[3], argv[4], NULL, (unsigned)atoi(argv[2]),
                          NULL, 0)) {
    fprintf(stderr, "%s\n", mysql_error(connection));
    return 1;
  }
  const double start = Seconds();
  if (mysql_query(connection, argv[5]) != 0) {
    fprintf(stderr, "%s\n", mysql_error(connection));
    return 1;
  }
  MYSQL_RES* result = mysql_use_result(connection);
  unsigned long rows = 0;
  while (mysql_fetch_row(result) != NULL) ++rows;
  printf("%.3f %lu\n", Seconds() - start, rows);
  mysql_free_result(result);
  mysql_close(connection);
  return 0;
}
