/* scale_bench.c: a whole job of null tasks without their children: submitted, expanded lazily, claimed, committed.
 *
 *   scale_bench PACK URL [LEAVES [GROUP]]
 *
 * Into an empty database of any kind: a loop to LEAVES (default 100 000) null tasks; expansion a slice at a time, held as control
 * holds it while 100 000 attempts are queued; groups of GROUP (default 32) claimed and committed by a worker that runs nothing (what
 * the worker's own loop and children add are other benches: noop_bench, children_bench). Prints what one task costs: wall, our CPU and
 * that of the server's process for us, round trips, commits, rows, bytes of the database; and our memory at its peak. Of a large job
 * a line for each tenth too: whether a task comes to cost more, or memory grows. A database that holds the job already, begun by a run
 * that was stopped, is gone on with: what was under way is handed back first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/buf.h"
#include "base/clock.h"
#include "db/db.h"
#include "model/attempt.h"
#include "model/expand.h"
#include "model/job.h"
#include "null_tasks.h"

enum { LARGE = 1000 * 1000 };

static const char job[] =
    "{ \"task_list\": [ { \"task\": \"execution_for_loop\", \"parameter\": \"i\", \"linear_range\": "
    "[0, %d, %d], \"task_list\": [ { \"task\": \"null\" } ] } ] }";

static int64_t number(eas_db *db, const char *sql)
{
  eas_err err = { 0 };
  eas_rows *rows = NULL;
  must(eas_db_query(db, sql, EAS_NOARGS, &rows, &err), &err);
  int64_t v = eas_rows_int(rows, 0, 0);
  eas_rows_free(rows);
  return v;
}

static int64_t server_us(int64_t pid)
{
  char path[64];
  long long ns = 0;
  snprintf(path, sizeof path, "/proc/%lld/schedstat", (long long)pid);
  FILE *f = pid ? fopen(path, "r") : NULL;
  if (!f) return 0;
  if (fscanf(f, "%lld", &ns) != 1) ns = 0;
  fclose(f);
  return ns / 1000;
}

static int64_t size_of(eas_db *db)
{
  if (eas_db_kind(db) == EAS_DB_POSTGRES) return number(db, "SELECT pg_database_size(current_database())");
  return number(db, "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()");
}

static void submit(eas_db *db, const eas_registry *r, int leaves)
{
  eas_err err = { 0 };
  eas_jobfile *f;
  eas_problems problems = { 0 };
  eas_submitted made;
  char *text = eas_format(job, leaves - 1, leaves);
  must(eas_jobfile_parse(&f, "bench.json", text, strlen(text), &err), &err);
  must(eas_job_check(f, r, &(eas_check_options){ .input_path = ".", .db = db }, &problems, &err), &err);
  must(eas_job_submit(db, f, r, &(eas_submit_options){ 0 }, &made, &err), &err);
  eas_jobfile_free(f);
  free(text);
}

static double share(int64_t us, int64_t n)
{
  return n ? (double)us / (double)n : 0;
}

/* What the tasks since the last line cost. */
static void tell_part(eas_db *db, const sums *expand, const sums *tasks)
{
  static sums last_expand, last;
  static int64_t last_us;
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  int64_t n = tasks->n - last.n, now = eas_tick_us();
  if (last_us)
    printf(
        "%10lld tasks: %.1f us wall each, %.1f of our CPU (expansion %.1f); memory %ld MB at most, database %lld MB\n",
        (long long)tasks->n, share(now - last_us, n), share(expand->cpu - last_expand.cpu + tasks->cpu - last.cpu, n),
        share(expand->cpu - last_expand.cpu, n), u.ru_maxrss / 1024, (long long)size_of(db) / 1000000);
  fflush(stdout);
  last_expand = *expand;
  last = *tasks;
  last_us = now;
}

/* Expansion and claims by turns, as one process of `run` does it. */
static void work(eas_db *db, const eas_registry *r, int leaves, int size, sums *expand, sums *tasks)
{
  eas_err err = { 0 };
  int64_t worker;
  eas_worker_info w = { .host = "bench", .pid = getpid(), .slots = 2, .version = "0", .lease_us = 3600000000 };
  must(eas_worker_register(db, &w, &worker, &err), &err);
  must(eas_rescue(db, r, worker, NULL, &err), &err);
  int64_t renew_at = eas_tick_us() + w.lease_us / 4;
  int64_t part = leaves >= LARGE ? leaves / 10 : INT64_MAX, tell_at = tasks->n - tasks->n % part;
  for (int idle = 0; tasks->n < leaves;) {
    if (eas_tick_us() > renew_at) {
      must(eas_worker_renew(db, worker, w.lease_us, &err), &err);
      renew_at = eas_tick_us() + w.lease_us / 4;
    }
    if (part < INT64_MAX && tasks->n >= tell_at) {
      tell_part(db, expand, tasks);
      tell_at += part;
    }
    eas_expanded made = { 0 };
    int64_t wall = eas_tick_us(), cpu = cpu_us();
    must(eas_expand_some(db, r, &(eas_expand_options){ .input_path = "." }, &made, &err), &err);
    expand->wall += eas_tick_us() - wall;
    expand->cpu += cpu_us() - cpu;
    expand->n += made.n_children;
    int got = 1;
    for (int i = 0; i < 300 && got > 0; i++) got = group(db, worker, size, tasks); /* then a look at expansion again */
    idle = got == 0 && made.n_children == 0 ? idle + 1 : 0;
    if (idle > 300 && tasks->n < leaves) must(EAS_EBUG, &(eas_err){ .text = "nothing is left to do" });
    if (idle) usleep(100 * 1000); /* what was handed back comes again after a while */
  }
}

int main(int argc, char **argv)
{
  eas_err err = { 0 };
  eas_registry *r;
  eas_db *db;
  if (argc < 3) {
    fprintf(stderr, "usage: scale_bench PACK URL [LEAVES [GROUP]]\n");
    return 2;
  }
  int leaves = argc > 3 ? atoi(argv[3]) : 100 * 1000, size = argc > 4 ? atoi(argv[4]) : 32;
  must(eas_registry_open(&r, (const char *const[]){ argv[1], NULL }, &err), &err);
  must(eas_db_open(&db, argv[2], EAS_DB_CREATE, &err), &err);
  must(eas_db_migrate(db, &err), &err);
  int64_t pid = eas_db_kind(db) == EAS_DB_POSTGRES ? number(db, "SELECT pg_backend_pid()") : 0;
  int64_t bytes = size_of(db), trips0, trips, commits0, commits, server = server_us(pid), wall = eas_tick_us();
  sums expand = { 0 }, tasks = { 0 };
  eas_db_counts(db, &trips0, &commits0);
  if (number(db, "SELECT count(*) FROM job") == 0) submit(db, r, leaves);
  int64_t begun = number(
      db, "SELECT COALESCE(SUM(c.passed), 0) FROM job_type c JOIN task_type y ON y.id = c.type AND y.name = 'null'");
  tasks.n = begun;
  work(db, r, leaves, size, &expand, &tasks);
  wall = eas_tick_us() - wall;
  server = server_us(pid) - server;
  eas_db_counts(db, &trips, &commits);
  bytes = size_of(db) - bytes;
  int64_t rows = number(db, "SELECT (SELECT count(*) FROM task) + (SELECT count(*) FROM attempt)");
  int64_t open_tasks = number(db, "SELECT count(*) FROM task WHERE state <> 'passed'");
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  double n = (double)(tasks.n - begun);
  printf("%.0f tasks in groups of %d: %.1f s, %.0f a second; peak memory %ld MB; %lld tasks not passed\n", n, size,
         1e-6 * (double)wall, n / (1e-6 * (double)wall), u.ru_maxrss / 1024, (long long)open_tasks);
  printf("a task: %.1f us wall (expansion %.1f), %.1f us of our CPU (expansion %.1f), %.1f us of the server's; %.2f "
         "round trips, "
         "%.3f commits; %.2f rows, %.0f bytes\n",
         (double)wall / n, (double)expand.wall / n, (double)(expand.cpu + tasks.cpu) / n, (double)expand.cpu / n,
         (double)server / n, (double)(trips - trips0) / n, (double)(commits - commits0) / n, (double)rows / n,
         (double)bytes / n);
  eas_db_close(db);
  eas_registry_close(r);
  return open_tasks ? 1 : 0;
}
