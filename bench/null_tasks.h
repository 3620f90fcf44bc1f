/* null_tasks.h: a database full of queued null tasks, and groups of them claimed and committed: for benchmarks. */
#ifndef EAS_BENCH_NULL_TASKS_H
#define EAS_BENCH_NULL_TASKS_H
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "db/db.h"
#include "model/attempt.h"
#include "model/words.h"

enum { FAN = 1000 };

static inline void must(int rc, const eas_err *err)
{
  if (rc >= 0) return;
  fprintf(stderr, "%s: %s\n", program_invocation_short_name, err->text);
  exit(1);
}

static inline int64_t cpu_us(void)
{
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static inline void run(eas_db *db, char *sql)
{
  eas_err err = { 0 };
  must(eas_db_exec(db, sql, EAS_NOARGS, &err), &err);
  free(sql);
}

static inline void empty(eas_db *db)
{
  if (eas_db_kind(db) == EAS_DB_POSTGRES) {
    run(db, eas_strdup("TRUNCATE job, document, node, task, attempt, job_type CASCADE"));
  } else {
    run(db, eas_strdup("DELETE FROM job"));
    run(db, eas_strdup("DELETE FROM document"));
  }
}

#define COUNT_TO(n) "WITH RECURSIVE k (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM k WHERE i + 1 < " n ") "

/* A root, chains of FAN tasks each below it, all queued. */
static inline void fill(eas_db *db, int n)
{
  eas_err err = { 0 };
  int64_t null, chain, word;
  int n_chains = (n + FAN - 1) / FAN;
  must(eas_db_begin(db, &err), &err);
  must(eas_type_id(db, "null", &null, &err), &err);
  must(eas_type_id(db, "execution_chain", &chain, &err), &err);
  must(eas_word_id(db, "out", &word, &err), &err);
  eas_val bytes = eas_v_blob("bench", 5);
  must(eas_db_exec(db, "INSERT INTO document (id, digest, source, body) VALUES (1, $1, 'bench.json', $2)",
                   EAS_ARGS(bytes, eas_v_text("{\"task_list\": [{\"task\": \"null\"}]}")), &err),
       &err);
  must(eas_db_exec(db,
                   "INSERT INTO job (id, name, document, identity, state, seed, root, created_at)"
                   " VALUES (1, 'bench', 1, $1, 'active', 1, 1, eas_now())",
                   EAS_ARGS(bytes), &err),
       &err);
  run(db, eas_strdup("INSERT INTO node (id, job, path) VALUES (1, 1, '$'), (2, 1, '$.task_list[0]')"));
  static const char columns[] = "id, job, parent, ordinal, depth, type, node, directory, state, pending, attempts, "
                                "accepted, open_children, seed, ties";
  run(db, eas_format("INSERT INTO task (%s) VALUES (1, 1, NULL, 0, 0, %lld, 1, %lld, 'passed', 0, 1, 1, %d, 1, 0)",
                     columns, (long long)chain, (long long)word, n_chains));
  run(db, eas_format(COUNT_TO("%d") "INSERT INTO task (%s) SELECT 2 + i, 1, 1, i, 1, %lld, 1, %lld, 'passed', 0, 1, 1,"
                                    " CASE WHEN (i + 1) * %d > %d THEN %d - i * %d ELSE %d END, 1, 0 FROM k",
                     n_chains, columns, (long long)chain, (long long)word, FAN, n, n, FAN, FAN));
  run(db, eas_format(COUNT_TO("%d") "INSERT INTO task (%s) SELECT %d + i, 1, 2 + i / %d, i %% %d, 2, %lld, 2, %lld, "
                                    "'ready', 0, 1, NULL, 0, i, 0 FROM k",
                     n, columns, 2 + n_chains, FAN, FAN, (long long)null, (long long)word));
  run(db, eas_strdup("INSERT INTO attempt (id, task, job, type, number, state, queued_at) SELECT id, id, 1, type, 1, "
                     "'queued', 0 FROM task WHERE depth = 2"));
  run(db, eas_format("INSERT INTO job_type (job, type, queued) VALUES (1, %lld, %d)", (long long)null, n));
  if (eas_db_kind(db) == EAS_DB_POSTGRES) run(db, eas_format("SELECT setval('attempt_id_seq', %d)", n + n_chains + 10));
  must(eas_db_commit(db, &err), &err);
  if (eas_db_kind(db) == EAS_DB_SQLITE) /* filling is not what is measured */
    run(db, eas_strdup("PRAGMA wal_checkpoint(TRUNCATE)"));
}

typedef struct {
  int64_t n, wall, cpu, claim_wall, claim_cpu, groups;
} sums;

/* One group: claimed, passed, committed. Returns how many. */
static inline int group(eas_db *db, int64_t worker, int size, sums *s)
{
  static const char *const types[] = { "null", NULL };
  eas_err err = { 0 };
  eas_claims c;
  int64_t wall = eas_tick_us(), cpu = cpu_us(), next;
  must(eas_attempt_claim(db, NULL, worker, types, size, &c, &next, &err), &err);
  s->claim_cpu += cpu_us() - cpu;
  s->claim_wall += eas_tick_us() - wall;
  eas_result *r = eas_alloc((size_t)(c.n + 1) * sizeof *r);
  for (int i = 0; i < c.n; i++)
    r[i] = (eas_result){
      .attempt = c.list[i].attempt, .token = c.list[i].token, .ending = "ok", .verdict = "pass", .wall_us = 1
    };
  if (c.n) must(eas_attempt_commit(db, NULL, worker, r, c.n, NULL, &err), &err);
  for (int i = 0; i < c.n; i++)
    if (r[i].stale) must(EAS_ESTALE, &(eas_err){ .text = "an attempt was stale" });
  int n = c.n;
  free(r);
  eas_claims_done(&c);
  s->n += n;
  s->groups += n > 0;
  s->wall += eas_tick_us() - wall;
  s->cpu += cpu_us() - cpu;
  return n;
}

#endif
