/* control_bench.c: what control costs that has nothing to do, and how long a small job waits behind a large one, by size.
 *
 *   control_bench URL [TASKS [TURNS]]
 *
 * Fills an empty database with a thousand queued null tasks, then with TASKS (default a million). In each: TURNS (default 200)
 * of what control does when it looks and finds nothing (expansion, rescue, skipping, gathering, cancelling), then a second
 * job of ten tasks, and the claim that gives its first to a worker while the large job has two running. Prints medians. */
#include "base/buf.h"
#include "base/clock.h"
#include "db/db.h"
#include "model/attempt.h"
#include "model/expand.h"
#include "model/job.h"
#include "null_tasks.h"

enum { SMALL = 1000, CLAIMS = 9 };

static int by_value(const void *a, const void *b)
{
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static int64_t median_of(int64_t *v, int n)
{
  qsort(v, (size_t)n, sizeof *v, by_value);
  return v[n / 2];
}

/* One look that finds nothing to do. */
static void look(eas_db *db, int64_t worker)
{
  eas_err err = { 0 };
  eas_expand_options o = { .worker = worker, .max_children = 200 };
  eas_expanded made;
  eas_due due;
  int n_ready;
  must(eas_expand_some(db, NULL, &o, &made, &err), &err);
  must(eas_job_due(db, worker, &due, &err), &err);
  must(eas_rescue(db, NULL, 0, &n_ready, &err), &err);
  if (made.n_children || due.skips || due.cancels || due.gathers)
    must(EAS_EBUG, &(eas_err){ .text = "there was something to do" });
}

/* Ten tasks of a second job, with ids of their own. */
static void small_job(eas_db *db, int first)
{
  run(db,
      eas_strdup("INSERT INTO job (id, name, document, identity, state, seed, created_at) SELECT 2, 'small', document, "
                 "identity, 'active', 1, eas_now() FROM job WHERE id = 1"));
  run(db,
      eas_format(
          COUNT_TO("10") "INSERT INTO task (id, job, ordinal, depth, type, node, directory, state, pending, attempts,"
                         " seed) SELECT %d + i, 2, i, 2, type, node, directory, 'ready', 0, 1, 1 FROM k, task"
                         " WHERE id = (SELECT min(task) FROM attempt)",
          first));
  run(db, eas_strdup("INSERT INTO attempt (id, task, job, type, number, state, queued_at) SELECT id, id, 2, type, 1, "
                     "'queued', 0 FROM task WHERE job = 2"));
  run(db, eas_strdup("INSERT INTO job_type (job, type, queued) SELECT 2, type, 10 FROM job_type WHERE job = 1"));
}

static int64_t claim(eas_db *db, int64_t worker, int max, int64_t *job)
{
  static const char *const types[] = { "null", NULL };
  eas_err err = { 0 };
  eas_claims c;
  int64_t next, wall = eas_tick_us();
  must(eas_attempt_claim(db, NULL, worker, types, max, &c, &next, &err), &err);
  wall = eas_tick_us() - wall;
  *job = c.n ? c.list[0].job : 0;
  eas_claims_done(&c);
  return wall;
}

static void measure(eas_db *db, int n, int turns)
{
  eas_err err = { 0 };
  int64_t worker, job, *wall = eas_alloc((size_t)turns * sizeof *wall), *cpu = eas_alloc((size_t)turns * sizeof *cpu);
  empty(db);
  fill(db, n);
  if (eas_db_kind(db) == EAS_DB_POSTGRES) run(db, eas_strdup("ANALYZE"));
  eas_worker_info w = { .host = "bench", .pid = getpid(), .slots = 2, .version = "0", .lease_us = 3600000000 };
  must(eas_worker_register(db, &w, &worker, &err), &err);
  for (int i = 0; i < 20; i++) look(db, worker);
  for (int i = 0; i < turns; i++) {
    int64_t t = eas_tick_us(), c = cpu_us();
    look(db, worker);
    wall[i] = eas_tick_us() - t;
    cpu[i] = cpu_us() - c;
  }
  claim(db, worker, 2, &job); /* the large job runs on both slots */
  small_job(db, n + 100000);
  int64_t of_small[CLAIMS];
  for (int i = 0; i < CLAIMS; i++) {
    of_small[i] = claim(db, worker, 1, &job);
    if (i == 0 && job != 2) must(EAS_EBUG, &(eas_err){ .text = "the claim went to the large job" });
  }
  int64_t first = of_small[0];
  printf(
      "%8d tasks: idle look %lld us wall, %lld us CPU of ours; first claim of the small job %lld us, median %lld us\n",
      n, (long long)median_of(wall, turns), (long long)median_of(cpu, turns), (long long)first,
      (long long)median_of(of_small, CLAIMS));
  must(eas_worker_end(db, worker, &err), &err);
  free(wall);
  free(cpu);
}

int main(int argc, char **argv)
{
  if (argc < 2) {
    fprintf(stderr, "usage: control_bench URL [TASKS [TURNS]]\n");
    return 2;
  }
  eas_db *db;
  eas_err err = { 0 };
  int n = argc > 2 ? atoi(argv[2]) : 1000000, turns = argc > 3 ? atoi(argv[3]) : 200;
  must(eas_db_open(&db, argv[1], EAS_DB_CREATE, &err), &err);
  must(eas_db_migrate(db, &err), &err);
  measure(db, SMALL, turns);
  measure(db, n, turns);
  eas_db_close(db);
  return 0;
}
