/* bell_bench.c: how long after a commit another process hears its bell.
 *
 *   bell_bench URL [ROUNDS]       (a database that nothing else uses)
 *
 * A child waits at the database's bell as the event loop does, and looks for what was written; the parent commits a row with
 * a ring, ROUNDS times (default 500), with pauses of some milliseconds so that the child sleeps. Prints the time from the
 * start of the commit to the child's having read the row: median, p99, longest. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "db/db.h"

typedef struct {
  volatile int ready;
  volatile int64_t seen; /* rounds */
  volatile int64_t at_us;
} shared;

static void must(int rc, const eas_err *err)
{
  if (rc >= 0) return;
  fprintf(stderr, "bell_bench: %s\n", err->text);
  exit(1);
}

static void listen_for(const char *url, shared *s, int rounds)
{
  eas_err err = { 0 };
  eas_db *db;
  must(eas_db_open(&db, url, 0, &err), &err);
  int fd = eas_db_bell_fd(db, &err);
  must(fd, &err);
  s->ready = 1;
  while (s->seen < rounds) {
    struct pollfd p = { .fd = fd, .events = POLLIN };
    if (poll(&p, 1, 10000) <= 0) exit(1);
    eas_db_bell_clear(db);
    eas_rows *rows;
    must(eas_db_query(db, "SELECT max(id) FROM word WHERE text LIKE 'bell %'", EAS_NOARGS, &rows, &err), &err);
    int64_t id = eas_rows_int(rows, 0, 0);
    eas_rows_free(rows);
    s->at_us = eas_tick_us();
    if (id > s->seen) s->seen = id;
  }
  eas_db_close(db);
  exit(0);
}

static int by_value(const void *a, const void *b)
{
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static int64_t one(eas_db *db, shared *s, int i)
{
  eas_err err = { 0 };
  char text[32];
  snprintf(text, sizeof text, "bell %d", i);
  int64_t start = eas_tick_us();
  must(eas_db_begin(db, &err), &err);
  must(eas_db_send(db, "INSERT INTO word (id, text) VALUES ($1, $2)", EAS_ARGS(eas_v_int(i), eas_v_text(text)), NULL,
                   &err),
       &err);
  must(eas_db_ring(db, &err), &err);
  must(eas_db_commit(db, &err), &err);
  while (s->seen < i) usleep(50);
  return s->at_us - start;
}

int main(int argc, char **argv)
{
  if (argc < 2) {
    fprintf(stderr, "usage: bell_bench URL [ROUNDS]\n");
    return 2;
  }
  int rounds = argc > 2 ? atoi(argv[2]) : 500;
  eas_err err = { 0 };
  eas_db *db;
  must(eas_db_open(&db, argv[1], EAS_DB_CREATE, &err), &err);
  must(eas_db_migrate(db, &err), &err);
  must(eas_db_exec(db, "DELETE FROM word WHERE text LIKE 'bell %'", EAS_NOARGS, &err), &err);
  shared *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (s == MAP_FAILED) return 1;
  pid_t child = fork();
  if (child == 0) listen_for(argv[1], s, rounds);
  while (!s->ready) usleep(1000);
  int64_t *took = eas_alloc((size_t)rounds * sizeof *took);
  for (int i = 1; i <= rounds; i++) {
    took[i - 1] = one(db, s, i);
    usleep(3000);
  }
  qsort(took, (size_t)rounds, sizeof *took, by_value);
  printf("%d bells: median %.2f ms, p99 %.2f ms, longest %.2f ms, commit included\n", rounds,
         (double)took[rounds / 2] / 1e3, (double)took[rounds * 99 / 100] / 1e3, (double)took[rounds - 1] / 1e3);
  free(took);
  eas_db_close(db);
  return waitpid(child, NULL, 0) == child ? 0 : 1;
}
