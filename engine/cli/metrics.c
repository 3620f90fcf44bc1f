/* metrics.c: what worker and control tell of themselves, and of the cluster as the database knows it. The names are in
 * docs/operations.md. */
#include "cli/metrics.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "model/view.h"
#include "web/http.h"

enum { KEPT_US = 5 * 1000 * 1000 }; /* an answer of the database serves all who ask within it */

struct eas_metrics {
  eas_session *s;
  eas_http *http;
  json_t *load, *needed; /* as the database said last; NULL: it did not answer */
  int64_t asked_us;
};

static void head(eas_buf *b, const char *name, const char *type, const char *help)
{
  eas_buf_printf(b, "# HELP eas_%s %s\n# TYPE eas_%s %s\n", name, help, name, type);
}

static void one(eas_buf *b, const char *name, const char *type, const char *help, int64_t value)
{
  head(b, name, type, help);
  eas_buf_printf(b, "eas_%s %" PRId64 "\n", name, value);
}

/* The value of a label, between its quotes. */
static void quoted(eas_buf *b, const char *s)
{
  eas_buf_char(b, '"');
  for (; *s; s++) {
    if (*s == '"' || *s == '\\') eas_buf_char(b, '\\');
    eas_buf_char(b, *s == '\n' ? ' ' : *s);
  }
  eas_buf_char(b, '"');
}

static void ask(struct eas_metrics *m)
{
  eas_err err = { 0 };
  eas_cli *c = m->s->c;
  if (m->asked_us && eas_tick_us() - m->asked_us < KEPT_US) return;
  json_decref(m->load);
  json_decref(m->needed);
  m->load = m->needed = NULL;
  if (eas_view_load(c->db, &m->load, &err) < 0 || eas_view_needed(c->db, c->registry, &m->needed, &err) < 0)
    eas_log(EAS_DEBUG, "metrics: %s", err.text);
  m->asked_us = eas_tick_us();
}

static void tasks(const struct eas_metrics *m, eas_buf *b)
{
  static const char *const states[] = { "waiting", "queued", "running", "passed",
                                        "reused",  "failed", "skipped", "cancelled" };
  size_t i;
  json_t *v;
  head(b, "tasks", "gauge", "Tasks by type and state, over all jobs.");
  json_array_foreach(json_object_get(m->load, "types"), i, v) for (int k = 0; k < 8; k++)
  {
    eas_buf_str(b, "eas_tasks{type=");
    quoted(b, eas_json_str(v, "type"));
    eas_buf_printf(b, ",state=\"%s\"} %" PRId64 "\n", states[k], eas_json_int(v, states[k], 0));
  }
  head(b, "attempts_ended_total", "counter", "Attempts ended, by type, over all workers.");
  json_array_foreach(json_object_get(m->load, "types"), i, v)
  {
    eas_buf_str(b, "eas_attempts_ended_total{type=");
    quoted(b, eas_json_str(v, "type"));
    eas_buf_printf(b, "} %" PRId64 "\n", eas_json_int(v, "ended", 0));
  }
}

static void leases(const struct eas_metrics *m, eas_buf *b)
{
  int64_t workers = 0, slots = 0, running = 0, least = INT64_MAX;
  size_t i;
  json_t *v;
  json_array_foreach(json_object_get(m->load, "workers"), i, v)
  {
    int64_t lease = eas_json_int(v, "lease_us", 0);
    workers += eas_json_int(v, "slots", 0) > 0;
    slots += eas_json_int(v, "slots", 0);
    running += eas_json_int(v, "running", 0);
    least = lease < least ? lease : least;
  }
  one(b, "workers", "gauge", "Workers with a lease.", workers);
  one(b, "slots", "gauge", "Their slots.", slots);
  one(b, "running", "gauge", "Attempts they hold.", running);
  head(b, "lease_seconds_left", "gauge", "Until the first lease of a worker or control is over; negative: it is lost.");
  if (least != INT64_MAX) eas_buf_printf(b, "eas_lease_seconds_left %.3f\n", (double)least / 1e6);
}

static void needed(const struct eas_metrics *m, eas_buf *b)
{
  static const char *const what[][2] = { { "queued", "Slots that what waits could fill, by container." },
                                         { "slots", "Slots there are, by container." },
                                         { "missing", "Slots that are missing, by container." } };
  size_t i;
  json_t *v;
  for (int k = 0; k < 3; k++) {
    char name[64];
    snprintf(name, sizeof name, "container_%s", what[k][0]);
    head(b, name, "gauge", what[k][1]);
    json_array_foreach(m->needed, i, v)
    {
      eas_buf_printf(b, "eas_%s{container=", name);
      quoted(b, eas_json_str(v, "container"));
      eas_buf_printf(b, "} %" PRId64 "\n", eas_json_int(v, what[k][0], 0));
    }
  }
}

static void depths(const struct eas_metrics *m, eas_buf *b)
{
  const eas_session *s = m->s;
  int64_t n = 0;
  if (!eas_queue_is_broker(s->queue)) return;
  head(b, "queue_messages", "gauge", "Messages that wait with the broker, by type; none: the broker is away.");
  for (int i = 0; s->types[i] && eas_queue_depth(s->queue, s->types[i], &n, NULL) >= 0; i++) {
    eas_buf_str(b, "eas_queue_messages{type=");
    quoted(b, s->types[i]);
    eas_buf_printf(b, "} %" PRId64 "\n", n);
  }
}

static int64_t renewed_us(const struct eas_metrics *m)
{
  eas_worker_status st;
  if (!m->s->worker) return eas_control_renewed_us(m->s->control);
  eas_worker_status_get(m->s->worker, &st);
  return st.tally->renewed_us;
}

static void histogram(eas_buf *b, const char *name, const char *help, const eas_histogram *h)
{
  int64_t below = 0;
  head(b, name, "histogram", help);
  for (int i = 0; i < EAS_TALLY_BUCKETS; i++) {
    below += h->bucket[i];
    eas_buf_printf(b, "eas_%s_bucket{le=\"%g\"} %" PRId64 "\n", name, (double)eas_tally_bounds_us[i] / 1e6, below);
  }
  eas_buf_printf(b, "eas_%s_bucket{le=\"+Inf\"} %" PRId64 "\neas_%s_sum %.6f\neas_%s_count %" PRId64 "\n", name, h->n,
                 name, (double)h->sum_us / 1e6, name, h->n);
}

static void own_work(const struct eas_metrics *m, eas_buf *b)
{
  eas_worker_status st;
  if (!m->s->worker) return;
  eas_worker_status_get(m->s->worker, &st);
  const eas_tally *t = st.tally;
  one(b, "worker_slots", "gauge", "Slots of this worker.", st.slots);
  one(b, "worker_slots_busy", "gauge", "Of them, taken.", st.busy);
  one(b, "worker_children", "gauge", "Processes of attempts that live.", st.children);
  one(b, "worker_claimed", "gauge", "Attempts claimed and not started yet.", st.claimed);
  one(b, "worker_uncommitted", "gauge", "Attempts that ended and are not in the database yet.", st.uncommitted);
  one(b, "worker_draining", "gauge", "1: it takes nothing more.", st.draining);
  one(b, "worker_zygotes_total", "counter", "Zygotes started; a new one at each change of code.", st.zygotes);
  one(b, "worker_attempts_claimed_total", "counter", "Attempts claimed.", t->claimed);
  one(b, "worker_attempts_passed_total", "counter", "Attempts ended with the verdict pass.", t->passed);
  one(b, "worker_log_bytes_total", "counter", "Bytes of log of ended attempts.", t->log_bytes);
  head(b, "worker_attempts_ended_total", "counter", "Attempts ended by this worker, by ending.");
  for (int i = 0; i < EAS_TALLY_ENDINGS; i++)
    eas_buf_printf(b, "eas_worker_attempts_ended_total{ending=\"%s\"} %" PRId64 "\n", eas_tally_endings[i],
                   t->ended[i]);
  histogram(b, "worker_claim_seconds", "What a claim takes, found or not.", &t->claim);
  histogram(b, "worker_commit_seconds", "What the commit of a group takes.", &t->commit);
}

static int open_files(void)
{
  int n = 0;
  DIR *d = opendir("/proc/self/fd");
  if (!d) return 0;
  while (readdir(d)) n++;
  closedir(d);
  return n - 3; /* . .. and its own */
}

static void process(eas_buf *b)
{
  struct rusage u;
  long pages = 0;
  FILE *f = fopen("/proc/self/statm", "r");
  if (f) {
    if (fscanf(f, "%*d %ld", &pages) != 1) pages = 0;
    fclose(f);
  }
  getrusage(RUSAGE_SELF, &u);
  eas_buf_printf(b, "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total %.3f\n",
                 (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
                     (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6);
  eas_buf_printf(b, "# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes %ld\n",
                 pages * sysconf(_SC_PAGESIZE));
  eas_buf_printf(b, "# TYPE process_open_fds gauge\nprocess_open_fds %d\n", open_files());
}

/* What all workers together do is told by control alone: sums over what is scraped come out right. */
static void metrics(struct eas_metrics *m, eas_buf *b)
{
  head(b, "info", "gauge", "Always 1; what runs here.");
  eas_buf_printf(b, "eas_info{version=\"%s\",role=\"%s\"} 1\n", EAS_VERSION, m->s->worker ? "worker" : "control");
  head(b, "lease_age_seconds", "gauge", "Since this process last renewed its lease: since the database last answered.");
  eas_buf_printf(b, "eas_lease_age_seconds %.3f\n", (double)(eas_tick_us() - renewed_us(m)) / 1e6);
  if (m->s->control) {
    ask(m);
    one(b, "database_up", "gauge", "1: the database answered.", m->load && m->needed);
    if (m->load) {
      tasks(m, b);
      leases(m, b);
    }
    if (m->needed) needed(m, b);
    depths(m, b);
  }
  own_work(m, b);
  process(b);
}

/* Healthy while the lease holds: a database that is away for less is waited for. That an answer comes says that the loop turns. */
static int health(const struct eas_metrics *m, eas_buf *b)
{
  int64_t age = eas_tick_us() - renewed_us(m), lease = eas_conf_duration_us(m->s->c->conf, "lease");
  int ok = age < lease;
  eas_buf_printf(b, "%s\nlease renewed %.1f s ago, lasts %.0f s\n",
                 ok ? "ok" : "no lease: the database is out of reach", (double)age / 1e6, (double)lease / 1e6);
  if (m->s->stopping) eas_buf_str(b, "draining\n");
  return ok ? 200 : 503;
}

static void answer(void *arg, const eas_http_request *q, eas_http_answer *a)
{
  if (strcmp(eas_http_path(q), "/healthz") == 0) {
    a->status = health(arg, &a->body);
  } else if (strcmp(eas_http_path(q), "/metrics") == 0) {
    a->type = "text/plain; version=0.0.4; charset=utf-8";
    metrics(arg, &a->body);
  } else {
    a->status = 404;
    eas_buf_str(&a->body, "here are /metrics and /healthz\n");
  }
}

int eas_metrics_open(eas_session *s, eas_err *err)
{
  const char *where = eas_conf_str(s->c->conf, "metrics");
  if (!*where) return 0;
  struct eas_metrics *m = s->metrics = eas_alloc(sizeof *m);
  m->s = s;
  int rc = eas_http_open(&m->http, s->loop, where, 0, answer, m, err);
  if (rc < 0) return eas_err_prefix(err, "metrics"), rc;
  eas_log(EAS_INFO, "metrics on port %d", eas_http_port(m->http));
  return 0;
}

void eas_metrics_close(eas_session *s)
{
  if (!s->metrics) return;
  eas_http_close(s->metrics->http);
  json_decref(s->metrics->load);
  json_decref(s->metrics->needed);
  free(s->metrics);
  s->metrics = NULL;
}
