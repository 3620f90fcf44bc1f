/* cmd_web.c: eas web: the dashboard. Requests go to the pages in Lua, events to whoever listens. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/path.h"
#include "cli/commands.h"
#include "cli/web.h"
#include "store/store.h"
#include "web/assets.h"
#include "web/http.h"

enum { TICK_US = 1000 * 1000, BEATS = 5, TOKEN_MIN = 16, SLOW_US = 300 * 1000 };

typedef struct {
  eas_cli *c;
  eas_web_desk desk;
  eas_loop *loop;
  eas_http *http;
  json_t *pulses; /* topic: what was said of it last */
  int ticks;
  char type[128];
} eas_web;

static int unpack_piece(void *arg, const char *data, size_t n)
{
  eas_buf *b = arg;
  if (b->len + n > (size_t)128 << 20) return 1;
  eas_buf_add(b, data, n);
  return 0;
}

/* The page named an object of the store: its bytes, or those packed in it; or a file that is made for it. */
static int send_object(eas_web *w, const json_t *head, eas_http_answer *a, eas_err *err)
{
  const char *object = eas_json_str(head, "object"), *packed = eas_json_str(head, "packed");
  const json_t *export = json_object_get(head, "export");
  eas_digest d;
  if (export) return eas_web_export(w->c, export, &a->fd, err);
  if (!object && !packed) return 0;
  if (eas_digest_parse(object ? object : packed, &d) < 0) return eas_fail(err, EAS_EBUG, "a page named no digest");
  int rc = eas_cli_open_store(w->c, err);
  if (rc < 0) return rc;
  if (object) return eas_store_open_object(w->c->store, &d, &a->fd, err);
  return eas_store_unpack(w->c->store, &d, unpack_piece, &a->body, err);
}

static void plain(eas_http_answer *a, int status, const char *text)
{
  a->status = status;
  eas_buf_clear(&a->body);
  eas_buf_str(&a->body, text);
}

static int send_asset(const char *path, eas_http_answer *a)
{
  const eas_embedded *f = eas_web_asset(path, &a->type);
  if (!f) return 0;
  eas_buf_add(&a->body, f->text, f->size);
  a->headers = json_pack("{s:s,s:s}", "Cache-Control", "max-age=604800", "X-Content-Type-Options", "nosniff");
  return 1;
}

static void use_page(eas_web *w, eas_page *page, eas_http_answer *a)
{
  eas_err err = { 0 };
  const char *type = eas_json_str(page->head, "type"), *topic = eas_json_str(page->head, "topic");
  a->status = (int)eas_json_int(page->head, "status", 200);
  snprintf(w->type, sizeof w->type, "%s", type ? type : "text/html; charset=utf-8");
  a->type = w->type;
  a->headers = json_incref(json_object_get(page->head, "headers"));
  eas_buf_add(&a->body, page->body, page->size);
  if (topic) {
    a->is_stream = 1;
    snprintf(a->topic, sizeof a->topic, "%s", topic);
  }
  if (send_object(w, page->head, a, &err) < 0) {
    eas_log(EAS_WARN, "web: %s", err.text);
    plain(a, err.code == EAS_ENOENT ? 404 : 500, err.text);
    a->type = "text/plain; charset=utf-8";
  }
}

static void on_request(void *arg, const eas_http_request *q, eas_http_answer *a)
{
  eas_web *w = arg;
  eas_page page = { 0 };
  eas_err err = { 0 };
  int64_t from = eas_tick_us();
  if (send_asset(eas_http_path(q), a)) return;
  json_t *request = eas_http_json(q);
  if (!request) {
    plain(a, 400, "the request is no UTF-8\n");
    return;
  }
  if (w->c->runner->web(w->c->runner->arg, request, &page, &err) < 0) {
    eas_log(EAS_ERROR, "web: %s: %s", eas_http_path(q), err.text);
    plain(a, 500, "this page has a defect; the log of eas web says more\n");
  } else {
    use_page(w, &page, a);
  }
  json_decref(request);
  free(page.body);
  json_decref(page.head);
  int64_t took = eas_tick_us() - from;
  eas_log(took > SLOW_US ? EAS_WARN : EAS_DEBUG, "web: %s %s %d in %.1f ms", eas_http_method(q), eas_http_path(q),
          a->status, (double)took / 1e3);
}

/* What a topic ("all", "j3", "a533") stands at now; NULL: the database does not say. Caller frees. */
static char *pulse_of(eas_web *w, const char *topic)
{
  json_t *args = *topic == 'j'                      ? json_pack("{s:s}", "job", topic)
                 : *topic == 'a' && topic[1] != 'l' ? json_pack("{s:s}", "attempt", topic)
                                                    : json_object();
  json_t *v = eas_web_ask(&w->desk, "pulse", args);
  char *pulse = json_dumps(json_array_get(json_object_get(v, "value"), 0), JSON_COMPACT | JSON_ENCODE_ANY);
  json_decref(v);
  json_decref(args);
  return pulse;
}

typedef struct {
  char topic[96][64];
  int n;
} topics;

static void add_topic(void *arg, const char *topic)
{
  topics *t = arg;
  if (t->n < 96) memcpy(t->topic[t->n++], topic, 64);
}

static void on_tick(void *arg)
{
  eas_web *w = arg;
  topics t = { .n = 0 };
  json_t *now = json_object();
  eas_http_topics(w->http, add_topic, &t);
  for (int i = 0; i < t.n; i++) {
    char *pulse = pulse_of(w, t.topic[i]);
    const char *last = eas_json_str(w->pulses, t.topic[i]);
    if (pulse && (!last || strcmp(last, pulse) != 0)) {
      char *event = eas_format("event: change\ndata: %s\n\n", pulse);
      eas_http_publish(w->http, t.topic[i], event);
      free(event);
    }
    json_object_set_new(now, t.topic[i], json_string(pulse ? pulse : ""));
    free(pulse);
  }
  json_decref(w->pulses);
  w->pulses = now;
  if (t.n && ++w->ticks % BEATS == 0) eas_http_publish(w->http, NULL, "event: beat\ndata: {}\n\n");
  eas_loop_after(w->loop, TICK_US, on_tick, w);
}

static void on_signal(void *arg, int signo)
{
  eas_web *w = arg;
  (void)signo;
  eas_loop_stop(w->loop);
}

static int check(const eas_cli *c, eas_err *err)
{
  if (!eas_conf_int(c->conf, "web_actions")) return 0;
  if (strlen(eas_conf_str(c->conf, "web_token")) >= TOKEN_MIN) return 0;
  eas_fail(err, EAS_EINVAL, "web_actions: there is no token of %d characters or more", TOKEN_MIN);
  return eas_hint(err, "set EAS_WEB_TOKEN, or web_token_file: FILE; openssl rand -hex 16 makes one");
}

static int serve(eas_web *w, eas_err *err)
{
  static const int signals[] = { SIGINT, SIGTERM };
  eas_cli *c = w->c;
  const char *listen = eas_conf_str(c->conf, "web_listen");
  int rc = eas_loop_new(&w->loop, err);
  if (rc >= 0) rc = eas_loop_signals(w->loop, signals, 2, on_signal, w, err);
  w->desk = (eas_web_desk){ c, rc >= 0 ? eas_bulks_new(c, w->loop) : NULL, eas_web_places_new() };
  if (rc >= 0) rc = c->runner->web_open(c->runner->arg, eas_home_share(), eas_web_ask, &w->desk, err);
  if (rc >= 0) rc = eas_http_open(&w->http, w->loop, listen, 1, on_request, w, err);
  if (rc < 0) return rc;
  const char *colon = strrchr(listen, ':');
  int any = colon == listen;
  printf("http://%.*s:%d/\n", any ? 9 : (int)(colon - listen), any ? "127.0.0.1" : listen, eas_http_port(w->http));
  fflush(stdout);
  if (strncmp(listen, "127.", 4) != 0 && strncmp(listen, "[::1]", 5) != 0 && strncmp(listen, "localhost:", 10) != 0)
    eas_log(EAS_WARN, "web: whoever reaches %s may read everything; a proxy that asks who is there belongs before it",
            listen);
  on_tick(w);
  return eas_loop_run(w->loop, err);
}

static int cmd_web(eas_cli *c)
{
  eas_web w = { .c = c, .pulses = json_object() };
  eas_err err = { 0 };
  int rc = check(c, &err);
  if (rc >= 0) rc = eas_cli_open_registry(c, &err);
  if (rc >= 0) rc = eas_cli_open_db(c, EAS_DB_READ, &err);
  if (rc >= 0) rc = serve(&w, &err);
  eas_http_close(w.http);
  eas_bulks_free(w.desk.bulks);
  eas_web_places_free(w.desk.places);
  eas_loop_free(w.loop);
  json_decref(w.pulses);
  return rc < 0 ? eas_cli_fail(c, &err) : EAS_EXIT_OK;
}

static const eas_option WEB[] = {
  { "--listen", "HOST:PORT", "web_listen", "where (default 127.0.0.1:5000); port 0: any" },
  { "--actions", "on|off", "web_actions", "retry, pause, resume, cancel, for who has the token" },
  { 0 }
};

const eas_command eas_cmd_web = {
  .name = "web",
  .args = "",
  .summary = "dashboard for a browser, and the same as JSON",
  .detail = "Opens the database for reading only, prints its address, and serves until it is stopped. The JSON API is\n"
            "below /api/v1, described by /api/v1/openapi.json.",
  .examples = "  eas web --data first_planets\n  eas web --listen :8080 --actions on",
  .groups = EAS_O_DATA | EAS_O_WORK,
  .options = WEB,
  .max_args = 0,
  .run = cmd_web
};
