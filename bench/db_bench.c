/* db_bench.c: claims and commits of null tasks against what the disk allows.
 *
 *   db_bench sqlite:PATH | postgresql://...  [TASKS [GROUP]]
 *
 * Fills an empty database with one job of TASKS queued null tasks (default 20000), then claims and commits groups of
 * GROUP (default 32), in slices of 30 ms that take turns with slices of "overwrite 4 KB, fdatasync" on the same disk, of
 * commits of a single changed row, and of bare claims: one statement that takes the oldest GROUP rows of a table with an id, a
 * state, a worker and one index, and nothing else, durably. Ours are not flushed, but the commits are. Prints tasks per second,
 * the CPU time of a group, and what each takes against a flush, by the medians of all of the run. Rows are counted.
 *
 * A ratio to a flush says as much about the disk of that minute as about us. So it prints too what a claim and a commit of
 * one row take without a flush, and computes from that from what flush on each aim can hold. */
#include <fcntl.h>

#include "base/clock.h"
#include "db/db.h"
#include "model/attempt.h"
#include "null_tasks.h"

enum { SLICE_US = 30000 };

/* Wall times of one kind of thing. */
typedef struct {
  int64_t *us;
  int n, cap;
} series;

static void add(series *s, int64_t us)
{
  if (s->n == s->cap) {
    s->cap = s->cap ? 2 * s->cap : 1024;
    s->us = eas_realloc(s->us, (size_t)s->cap * sizeof *s->us);
  }
  s->us[s->n++] = us;
}

static int by_value(const void *a, const void *b)
{
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static double median(series *s)
{
  if (s->n == 0) return 0;
  qsort(s->us, (size_t)s->n, sizeof *s->us, by_value);
  double m = (double)s->us[s->n / 2];
  free(s->us);
  *s = (series){ 0 };
  return m > 0 ? m : 1;
}

static void flush_once(int fd, int turn, series *s)
{
  static char page[4096];
  int64_t start = eas_tick_us();
  page[0]++;
  if (pwrite(fd, page, sizeof page, (turn % 256) * 4096) != (ssize_t)sizeof page || fdatasync(fd) < 0) {
    perror("db_bench: flush");
    exit(1);
  }
  add(s, eas_tick_us() - start);
}

/* One row changed, durably: the least that a commit can be. */
static void commit_once(eas_db *db, int64_t worker, series *s)
{
  eas_err err = { 0 };
  int64_t start = eas_tick_us();
  int rc = eas_db_exec(db, "UPDATE worker SET beat_at = beat_at + 1 WHERE id = $1", EAS_ARGS(eas_v_int(worker)), &err);
  must(rc == 1 ? 0 : EAS_EDB, &err);
  add(s, eas_tick_us() - start);
}

/* The same but for its flush: a round trip, and the work of the database. */
static void unflushed(eas_db *db, int64_t worker, int64_t until, series *s)
{
  int sqlite = eas_db_kind(db) == EAS_DB_SQLITE;
  run(db, eas_strdup(sqlite ? "PRAGMA synchronous = OFF" : "SET synchronous_commit = off"));
  while (eas_tick_us() < until) commit_once(db, worker, s);
  run(db, eas_strdup(sqlite ? "PRAGMA synchronous = FULL" : "RESET synchronous_commit"));
}

enum { BARE_ROWS = 200 * 1000 };

static void bare_fill(eas_db *db)
{
  run(db, eas_strdup("CREATE TABLE bare_task (id BIGINT PRIMARY KEY, state BIGINT NOT NULL, worker BIGINT)"));
  run(db, eas_format(COUNT_TO("%d") "INSERT INTO bare_task (id, state) SELECT i, 0 FROM k", BARE_ROWS));
  run(db, eas_strdup("CREATE INDEX bare_queue ON bare_task (id) WHERE state = 0"));
}

/* The least that a claim of a group can be. */
static void bare_claim(eas_db *db, int size, series *s)
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
  if (n == size) add(s, eas_tick_us() - start);
}

/* A group of ours; 0 when nothing is left. */
static int group_once(eas_db *db, int64_t worker, int size, sums *all, series *claims, series *commits)
{
  sums before = *all;
  int n = group(db, worker, size, all);
  int64_t claim = all->claim_wall - before.claim_wall;
  if (n == size) add(claims, claim);
  if (n == size) add(commits, all->wall - before.wall - claim);
  return n;
}

/* Computed, not measured: what a flush of f us would give by what a claim and a commit of one row take without one. A
 * commit's own flush may take longer than overwriting 4 KB does, so that f / (f + own) is the most it can reach. */
static void tell_aims(int sqlite, int size, double claim, double own)
{
  static const struct {
    double claim, commit;
  } aims[] = { { 15, 0.70 }, { 18, 0.75 } };
  double of_claim = aims[sqlite].claim, of_commit = aims[sqlite].commit;
  printf("  without a flush: a claim %.0f us, a commit of one row %.0f us\n", claim, own);
  printf("  computed: claims reach %.0f tasks where a flush takes %.0f us and more, single commits %.2f at best where "
         "it takes %.0f\n",
         of_claim, claim * of_claim / size, of_commit, own * of_commit / (1 - of_commit));
  printf("  computed for flushes of 0.5, 1, 2 ms: claims %.1f, %.1f, %.1f tasks, single commits at best %.2f, %.2f, "
         "%.2f\n",
         size * 500 / claim, size * 1000 / claim, size * 2000 / claim, 500 / (500 + own), 1000 / (1000 + own),
         2000 / (2000 + own));
}

static void tell(int sqlite, int n, int size, const sums *work, series *flushes, series *claims, series *commits,
                 series *one, series *own, series *bare)
{
  double groups = (double)work->groups, flush = median(flushes), claim = median(claims), least = median(bare),
         commit = median(commits), single = median(one);
  printf("%d tasks there, %lld claimed and committed in groups of %d\n", n, (long long)work->n, size);
  printf("  %.0f tasks/s; a group: %.0f us wall, %.0f us cpu (claim %.0f, commit %.0f)\n",
         (double)work->n * 1e6 / (double)work->wall, (double)work->wall / groups, (double)work->cpu / groups,
         (double)work->claim_cpu / groups, (double)(work->cpu - work->claim_cpu) / groups);
  printf("  medians: a flush %.0f us (%.0f flushes/s), a claim %.0f, a commit %.0f, a commit of one row %.0f, a bare "
         "claim %.0f\n",
         flush, 1e6 / flush, claim, commit, single, least);
  printf("  against the flush rate: claims %.1f tasks, commits %.1f tasks, single commits of one row %.2f, bare claims "
         "%.1f tasks\n",
         size * flush / claim, size * flush / commit, flush / single, size * flush / least);
  tell_aims(sqlite, size, claim, median(own));
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
  sums work = { 0 };
  series disk = { 0 }, claims = { 0 }, commits = { 0 }, one = { 0 }, own = { 0 }, bare = { 0 };
  int64_t limit = 20000;
  for (int left = 1; left && work.n < limit;) {
    int64_t until = eas_tick_us() + SLICE_US;
    while (eas_tick_us() < until && left) left = group_once(db, worker, size, &work, &claims, &commits);
    until = eas_tick_us() + SLICE_US;
    while (eas_tick_us() < until) flush_once(fd, disk.n, &disk);
    until = eas_tick_us() + SLICE_US / 3;
    while (eas_tick_us() < until) commit_once(db, worker, &one);
    unflushed(db, worker, eas_tick_us() + SLICE_US / 6, &own);
    until = eas_tick_us() + SLICE_US / 3;
    while (eas_tick_us() < until) bare_claim(db, size, &bare);
  }
  tell(eas_db_kind(db) == EAS_DB_SQLITE, n, size, &work, &disk, &claims, &commits, &one, &own, &bare);
  unlink(path);
  free(path);
  close(fd);
  eas_db_close(db);
  return 0;
}
