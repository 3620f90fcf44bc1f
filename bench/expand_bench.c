/* expand_bench.c: submitting and expanding a loop to 20 000 leaf tasks, against bare inserts of the same rows.
 *
 *   expand_bench PACK [ROUNDS]
 *   expand_bench PACK URL [LEAVES]
 *
 * PACK is the folder with registry/ (the source tree). Each round, in a fresh folder under TMPDIR: check, submit and expand
 * 20 000 x 1 and 5000 x 4 tasks (synthesis, verify, search, a task that needs its metadata); then the same tables are
 * copied, row by row as SQLite does it, into a second database of the same schema (the limit). Prints medians of wall and
 * CPU time, the longest transaction, tasks per second and the ratio to the limit. Rows are counted.
 * With a URL: once, into that empty database of any kind, a loop to LEAVES (default 100 000) leaf tasks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/path.h"
#include "db/db.h"
#include "model/expand.h"
#include "model/job.h"

enum { MOST_ROUNDS = 25 };

static const char one_of[] =
    "{ \"task_list\": [ { \"task\": \"execution_for_loop\", \"parameter\": \"i\", \"linear_range\": [0, %d, %d],"
    " \"task_list\": [ { \"task\": \"null\" } ] } ] }";
static const char four[] =
    "{ \"working_directory\": \"g\", \"task_list\": [ { \"task\": \"execution_for_loop\", \"parameter\": \"i\", "
    "\"linear_range\": [0, 4999, 5000],"
    " \"task_list\": [ { \"task\": \"synthesis_batman\", \"outputs\": { \"lightcurve\": "
    "\"'lc_{i_index}.fits'.format(**metadata)\" } },"
    " { \"task\": \"verify\", \"inputs\": { \"lightcurve\": \"'lc_{i_index}.fits'.format(**metadata)\" } },"
    " { \"task\": \"transit_search_bls_reference\", \"name\": \"s\", \"inputs\": { \"lightcurve\": "
    "\"'lc_{i_index}.fits'.format(**metadata)\" } },"
    " { \"task\": \"null\", \"requires_metadata_from\": [\"s\"] } ] } ] }";

static void must(int rc, const eas_err *err)
{
  if (rc >= 0) return;
  fprintf(stderr, "expand_bench: %s\n", err->text);
  exit(1);
}

static int64_t cpu_us(void)
{
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

typedef struct {
  double wall, cpu, longest, limit_cpu;
  int64_t tasks, rows;
} sample;

static int64_t number(eas_db *db, const char *sql)
{
  eas_err err = { 0 };
  eas_rows *rows = NULL;
  must(eas_db_query(db, sql, EAS_NOARGS, &rows, &err), &err);
  int64_t v = eas_rows_int(rows, 0, 0);
  eas_rows_free(rows);
  return v;
}

static void expand(eas_db *db, const eas_registry *r, const char *text, sample *out)
{
  eas_err err = { 0 };
  eas_jobfile *f;
  eas_problems problems = { 0 };
  eas_submitted job;
  eas_expanded made;
  eas_expand_options o = { .input_path = "." };
  int64_t wall = eas_tick_us(), cpu = cpu_us();
  must(eas_jobfile_parse(&f, "bench.json", text, strlen(text), &err), &err);
  must(eas_job_check(f, r, &(eas_check_options){ .input_path = ".", .db = db }, &problems, &err), &err);
  must(eas_job_submit(db, f, r, &(eas_submit_options){ 0 }, &job, &err), &err);
  do {
    int64_t started = eas_tick_us();
    must(eas_expand_some(db, r, &o, &made, &err), &err);
    double took = 1e-3 * (double)(eas_tick_us() - started);
    if (took > out->longest) out->longest = took;
  } while (made.n_parents || made.n_children);
  out->wall = 1e-6 * (double)(eas_tick_us() - wall);
  out->cpu = 1e-6 * (double)(cpu_us() - cpu);
  eas_jobfile_free(f);
}

/* The same rows, without anybody thinking about them. */
static void copy_rows(eas_db *db, const char *path, sample *out)
{
  static const char *const tables[] = { "word", "task_type", "document", "job",        "node",
                                        "task", "attempt",   "product",  "task_input", "task_need" };
  eas_err err = { 0 };
  eas_buf sql;
  eas_buf_init(&sql);
  eas_buf_printf(&sql, "ATTACH DATABASE '%s' AS bare", path);
  must(eas_db_exec(db, sql.data, EAS_NOARGS, &err), &err);
  int64_t cpu = cpu_us();
  must(eas_db_begin(db, &err), &err);
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
    eas_buf_clear(&sql);
    eas_buf_printf(&sql, "INSERT INTO bare.%s SELECT * FROM main.%s ORDER BY 1", tables[i], tables[i]);
    int n = eas_db_exec(db, sql.data, EAS_NOARGS, &err);
    must(n, &err);
    out->rows += n;
  }
  must(eas_db_commit(db, &err), &err);
  out->limit_cpu = 1e-6 * (double)(cpu_us() - cpu);
  eas_buf_done(&sql);
}

static void round_of(const eas_registry *r, const char *text, sample *out)
{
  eas_err err = { 0 };
  const char *tmp = getenv("TMPDIR");
  char *dir = eas_format("%s/expand-bench-XXXXXX", tmp ? tmp : "/tmp");
  if (!mkdtemp(dir)) {
    perror(dir);
    exit(1);
  }
  char *url = eas_format("sqlite:%s/eas.db", dir), *bare = eas_format("sqlite:%s/bare.db", dir);
  eas_db *db, *other;
  must(eas_db_open(&db, url, EAS_DB_CREATE, &err), &err);
  must(eas_db_migrate(db, &err), &err);
  must(eas_db_open(&other, bare, EAS_DB_CREATE, &err), &err);
  must(eas_db_migrate(other, &err), &err);
  eas_db_close(other);
  *out = (sample){ 0 };
  expand(db, r, text, out);
  out->tasks = number(db, "SELECT count(*) FROM task");
  copy_rows(db, bare + strlen("sqlite:"), out);
  eas_db_close(db);
  eas_path_remove_tree(dir, NULL);
  free(url);
  free(bare);
  free(dir);
}

static int by_value(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(const sample *s, int n, size_t offset)
{
  double v[MOST_ROUNDS];
  for (int i = 0; i < n; i++) memcpy(&v[i], (const char *)&s[i] + offset, sizeof *v);
  qsort(v, (size_t)n, sizeof *v, by_value);
  return v[n / 2];
}

static void report(const char *name, const sample *s, int n)
{
  double wall = median(s, n, offsetof(sample, wall)), cpu = median(s, n, offsetof(sample, cpu));
  double limit = median(s, n, offsetof(sample, limit_cpu)), longest = median(s, n, offsetof(sample, longest));
  printf("%-9s %lld tasks, %lld rows: %.2f s wall, %.2f s CPU, %.0f tasks/s of CPU; longest transaction %.0f ms; bare "
         "rows %.2f s CPU, ratio %.2f\n",
         name, (long long)s[0].tasks, (long long)s[0].rows, wall, cpu, (double)s[0].tasks / cpu, longest, limit,
         cpu / limit);
}

static void once(const eas_registry *r, const char *url, int leaves)
{
  eas_err err = { 0 };
  eas_db *db;
  sample s = { 0 };
  must(eas_db_open(&db, url, EAS_DB_CREATE, &err), &err);
  must(eas_db_migrate(db, &err), &err);
  char *text = eas_format(one_of, leaves - 1, leaves);
  expand(db, r, text, &s);
  free(text);
  s.tasks = number(db, "SELECT count(*) FROM task");
  int64_t queued = number(db, "SELECT count(*) FROM attempt WHERE state = 'queued'");
  if (queued != leaves) must(EAS_EBUG, &(eas_err){ .text = "not all leaves are queued" });
  int64_t trips, commits;
  eas_db_counts(db, &trips, &commits);
  printf("%d leaves, %lld tasks: %.2f s wall, %.2f s of our CPU; longest transaction %.0f ms; %lld round trips, %lld "
         "commits\n",
         leaves, (long long)s.tasks, s.wall, s.cpu, s.longest, (long long)trips, (long long)commits);
  eas_db_close(db);
}

int main(int argc, char **argv)
{
  eas_err err = { 0 };
  eas_registry *r;
  sample a[MOST_ROUNDS], b[MOST_ROUNDS];
  if (argc < 2) {
    fprintf(stderr, "usage: expand_bench PACK [ROUNDS] | PACK URL [LEAVES]\n");
    return 2;
  }
  int n = argc > 2 ? atoi(argv[2]) : 5;
  if (n < 1 || n > MOST_ROUNDS) n = 5;
  must(eas_registry_open(&r, (const char *const[]){ argv[1], NULL }, &err), &err);
  if (argc > 2 && strchr(argv[2], ':')) {
    once(r, argv[2], argc > 3 ? atoi(argv[3]) : 100 * 1000);
    eas_registry_close(r);
    return 0;
  }
  char *one = eas_format(one_of, 19999, 20000);
  for (int i = 0; i < n; i++) { /* in turns, so that a busy moment hits both */
    round_of(r, one, &a[i]);
    round_of(r, four, &b[i]);
  }
  report("20000 x 1", a, n);
  report("5000 x 4", b, n);
  free(one);
  eas_registry_close(r);
  return 0;
}
