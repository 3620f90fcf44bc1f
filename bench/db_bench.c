/* db_bench.c: claims and commits of null tasks against what the disk allows.
 *
 *   db_bench sqlite:PATH | postgresql://...  [TASKS [GROUP]]
 *
 * Fills an empty database with one job of TASKS queued null tasks (default 20000), then claims and commits groups of
 * GROUP (default 32), in slices of 30 ms that take turns with slices of "overwrite 4 KB, fdatasync" on the same disk, of
 * commits of a single changed row, and of bare claims: one statement that takes the oldest GROUP rows of a table with an id, a
 * state, a worker and one index, and nothing else, durably. Prints tasks per second, flushes per second, their ratio, and the CPU time of a group. Rows are counted. */
#include <fcntl.h>

#include "base/clock.h"
#include "db/db.h"
#include "model/attempt.h"
#include "null_tasks.h"

enum { SLICE_US = 30000 };

static void flush_once(int fd, sums *s)
{
  static char page[4096];
  int64_t start = eas_tick_us();
  page[0]++;
  if (pwrite(fd, page, sizeof page, (s->n % 256) * 4096) != (ssize_t)sizeof page || fdatasync(fd) < 0) {
    perror("db_bench: flush");
    exit(1);
  }
  s->n++;
  s->wall += eas_tick_us() - start;
}

/* One row changed, durably: the least that a commit can be. */
static void commit_once(eas_db *db, int64_t worker, sums *s)
{
  eas_err err = { 0 };
  int64_t start = eas_tick_us(), cpu = cpu_us();
  int rc = eas_db_exec(db, "UPDATE worker SET beat_at = beat_at + 1 WHERE id = $1", EAS_ARGS(eas_v_int(worker)), &err);
  must(rc == 1 ? 0 : EAS_EDB, &err);
  s->n++;
  s->wall += eas_tick_us() - start;
  s->cpu += cpu_us() - cpu;
}

enum { BARE_ROWS = 200 * 1000 };

static void bare_fill(eas_db *db)
{
  run(db, eas_strdup("CREATE TABLE bare_task (id BIGINT PRIMARY KEY, state BIGINT NOT NULL, worker BIGINT)"));
  run(db, eas_format(COUNT_TO("%d") "INSERT INTO bare_task (id, state) SELECT i, 0 FROM k", BARE_ROWS));
  run(db, eas_strdup("CREATE INDEX bare_queue ON bare_task (id) WHERE state = 0"));
}

/* The least that a claim of a group can be. */
static void bare_claim(eas_db *db, int size, sums *s)
{
  eas_err err = { 0 };
  eas_rows *rows = NULL;
  int64_t start = eas_tick_us();
  int n = eas_db_query(db,
                       "UPDATE bare_task SET state = 1, worker = 1 WHERE id IN (SELECT id FROM bare_task WHERE state = "
                       "0 ORDER BY id LIMIT $1/*pg  FOR UPDATE SKIP LOCKED*/) RETURNING id",
                       EAS_ARGS(eas_v_int(size)), &rows, &err);
  must(n, &err);
  eas_rows_free(rows);
  s->n += n;
  s->wall += n ? eas_tick_us() - start : 0;
}

int main(int argc, char **argv)
{
  if (argc < 2) {
    fprintf(stderr, "usage: db_bench URL [TASKS [GROUP]]\n");
    return 2;
  }
  int n = argc > 2 ? atoi(argv[2]) : 20000, size = argc > 3 ? atoi(argv[3]) : 32;
  eas_err err = { 0 };
  eas_db *db;
  must(eas_db_open(&db, argv[1], EAS_DB_CREATE, &err), &err);
  must(eas_db_migrate(db, &err), &err);
  fill(db, n);
  bare_fill(db);
  eas_worker_info w = { .host = "bench", .pid = getpid(), .slots = 2, .version = "0", .lease_us = 3600000000 };
  int64_t worker;
  must(eas_worker_register(db, &w, &worker, &err), &err);

  char *path = strncmp(argv[1], "sqlite:", 7) == 0 ? eas_format("%s.flush", argv[1] + 7) : eas_strdup("db_bench.flush");
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  static char zero[256 * 4096];
  if (fd < 0 || write(fd, zero, sizeof zero) != (ssize_t)sizeof zero || fsync(fd) < 0) {
    perror(path);
    return 1;
  }
  sums work = { 0 }, disk = { 0 }, one = { 0 }, bare = { 0 };
  int64_t limit = 20000;
  for (int left = 1; left && work.n < limit;) {
    int64_t until = eas_tick_us() + SLICE_US;
    while (eas_tick_us() < until && left) left = group(db, worker, size, &work);
    until = eas_tick_us() + SLICE_US;
    while (eas_tick_us() < until) flush_once(fd, &disk);
    until = eas_tick_us() + SLICE_US / 3;
    while (eas_tick_us() < until) commit_once(db, worker, &one);
    until = eas_tick_us() + SLICE_US / 3;
    while (eas_tick_us() < until) bare_claim(db, size, &bare);
  }
  int64_t trips, commits;
  eas_db_counts(db, &trips, &commits);
  double rate = (double)work.n * 1e6 / (double)work.wall, flushes = (double)disk.n * 1e6 / (double)disk.wall;
  printf("%d tasks there, %lld claimed and committed in groups of %d\n", n, (long long)work.n, size);
  printf("  %.0f tasks/s, %.0f flushes/s, %.2f tasks per flush\n", rate, flushes, rate / flushes);
  printf("  a group: %.0f us wall, %.0f us cpu (claim %.0f, commit %.0f)\n", (double)work.wall / (double)work.groups,
         (double)work.cpu / (double)work.groups, (double)work.claim_cpu / (double)work.groups,
         (double)(work.cpu - work.claim_cpu) / (double)work.groups);
  printf("  against the flush rate: claims %.1f tasks, commits %.1f tasks, single commits of one row %.2f\n",
         (double)work.n * 1e6 / (double)work.claim_wall / flushes,
         (double)work.n * 1e6 / (double)(work.wall - work.claim_wall) / flushes,
         (double)one.n * 1e6 / (double)one.wall / flushes);
  double bare_rate = (double)bare.n * 1e6 / (double)bare.wall;
  printf("  bare claims of %d: %.1f tasks per flush; ours have %.2f of that rate\n", size, bare_rate / flushes,
         (double)work.n * 1e6 / (double)work.claim_wall / bare_rate);
  unlink(path);
  free(path);
  close(fd);
  eas_db_close(db);
  return 0;
}
