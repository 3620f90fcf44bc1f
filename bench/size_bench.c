/* size_bench.c: what claim and commit cost in a large database, against a small one.
 *
 *   size_bench SMALL_URL LARGE_URL [TASKS [GROUP [GROUPS]]]
 *
 * Fills two empty databases of one kind, with a thousand queued null tasks (again whenever they are done) and with TASKS
 * (default a million). Then groups of GROUP (default 32) are claimed and committed in each by turns, GROUPS times (default
 * 500). Prints the CPU time of a group, ours and the server's, and the ratios of the sums and of the medians. */
#include "base/buf.h"
#include "base/clock.h"
#include "db/db.h"
#include "model/attempt.h"
#include "null_tasks.h"

enum { SMALL = 1000 };

typedef struct {
  eas_db *db;
  int64_t worker, n_left;
  int server; /* process of the server that answers us; 0: none */
  int64_t *cpu, *wall;
  int n;
} side;

static int64_t server_us(const side *s)
{
  char path[64];
  long long ns = 0;
  snprintf(path, sizeof path, "/proc/%d/schedstat", s->server);
  FILE *f = s->server ? fopen(path, "r") : NULL;
  if (!f) return 0;
  if (fscanf(f, "%lld", &ns) != 1) ns = 0;
  fclose(f);
  return ns / 1000;
}

static void open_side(side *s, const char *url, int n, int groups)
{
  eas_err err = { 0 };
  must(eas_db_open(&s->db, url, EAS_DB_CREATE, &err), &err);
  must(eas_db_migrate(s->db, &err), &err);
  empty(s->db);
  fill(s->db, n);
  if (eas_db_kind(s->db) == EAS_DB_POSTGRES) {
    eas_rows *rows;
    run(s->db, eas_strdup("ANALYZE"));
    must(eas_db_query(s->db, "SELECT pg_backend_pid()", EAS_NOARGS, &rows, &err), &err);
    s->server = (int)eas_rows_int(rows, 0, 0);
    eas_rows_free(rows);
  }
  eas_worker_info w = { .host = "bench", .pid = getpid(), .slots = 2, .version = "0", .lease_us = 3600000000 };
  must(eas_worker_register(s->db, &w, &s->worker, &err), &err);
  s->n_left = n;
  s->cpu = eas_alloc((size_t)groups * sizeof *s->cpu);
  s->wall = eas_alloc((size_t)groups * sizeof *s->wall);
}

static void one(side *s, int size, int n)
{
  if (s->n_left < size) {
    empty(s->db);
    fill(s->db, n);
    s->n_left = n;
  }
  sums sum = { 0 };
  int64_t before = server_us(s);
  s->n_left -= group(s->db, s->worker, size, &sum);
  s->cpu[s->n] = sum.cpu + server_us(s) - before;
  s->wall[s->n++] = sum.wall;
}

static int by_value(const void *a, const void *b)
{
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static double sum_of(int64_t *v, int n)
{
  double sum = 0;
  for (int i = 0; i < n; i++) sum += (double)v[i];
  return sum;
}

static double median_of(int64_t *v, int n)
{
  qsort(v, (size_t)n, sizeof *v, by_value);
  return (double)v[n / 2];
}

int main(int argc, char **argv)
{
  if (argc < 3) {
    fprintf(stderr, "usage: size_bench SMALL_URL LARGE_URL [TASKS [GROUP [GROUPS]]]\n");
    return 2;
  }
  int n = argc > 3 ? atoi(argv[3]) : 1000000, size = argc > 4 ? atoi(argv[4]) : 32;
  int groups = argc > 5 ? atoi(argv[5]) : 500;
  side small = { 0 }, large = { 0 };
  open_side(&small, argv[1], SMALL, groups + 32);
  open_side(&large, argv[2], n, groups + 32);
  for (int i = 0; i < 32; i++) { /* statements prepared, pages of the filling gone */
    one(&small, size, SMALL);
    one(&large, size, n);
  }
  small.n = large.n = 0;
  for (int i = 0; i < groups; i++) {
    one(&small, size, SMALL);
    one(&large, size, n);
  }
  printf("groups of %d, %d each: CPU of a group at %d tasks %.0f us, at %d tasks %.0f us\n", size, groups, SMALL,
         sum_of(small.cpu, groups) / groups, n, sum_of(large.cpu, groups) / groups);
  printf("  CPU ratio %.3f of sums, %.3f of medians; wall ratio %.3f of sums, %.3f of medians\n",
         sum_of(large.cpu, groups) / sum_of(small.cpu, groups),
         median_of(large.cpu, groups) / median_of(small.cpu, groups),
         sum_of(large.wall, groups) / sum_of(small.wall, groups),
         median_of(large.wall, groups) / median_of(small.wall, groups));
  eas_db_close(small.db);
  eas_db_close(large.db);
  free(small.cpu);
  free(small.wall);
  free(large.cpu);
  free(large.wall);
  return 0;
}
