/* log.c: one write(2) per line, so that lines of several processes do not mix. */
#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/path.h"
#include "base/trace.h"

typedef struct {
  int64_t job, task, attempt;
  char type[96], trace_id[EAS_TRACE_ID];
} context;

static int log_format = EAS_LOG_HUMAN;
static int log_level = EAS_INFO;
static _Thread_local context here;
static struct {
  void (*before)(void *);
  void (*after)(void *);
  void *arg;
} hooks;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static const struct {
  int level;
  const char *name;
} levels[] = { { EAS_DEBUG, "debug" }, { EAS_INFO, "info" }, { EAS_WARN, "warn" }, { EAS_ERROR, "error" } };

void eas_log_setup(int format, int level)
{
  log_format = format;
  log_level = level;
}

int eas_log_level(const char *name)
{
  for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
    if (strcmp(levels[i].name, name) == 0) return levels[i].level;
  return -1;
}

const char *eas_log_level_name(int level)
{
  const char *name = levels[0].name;
  for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
    if (level >= levels[i].level) name = levels[i].name;
  return name;
}

void eas_log_context(int64_t job, int64_t task, int64_t attempt, const char *type)
{
  here.job = job;
  here.task = task;
  here.attempt = attempt;
  snprintf(here.type, sizeof here.type, "%s", type ? type : "");
}

void eas_log_trace(const char *trace_id)
{
  snprintf(here.trace_id, sizeof here.trace_id, "%s", trace_id ? trace_id : "");
}

int eas_log_wanted(int level)
{
  return level >= log_level;
}

void eas_log_hooks(void (*before)(void *), void (*after)(void *), void *arg)
{
  pthread_mutex_lock(&lock);
  hooks.before = before;
  hooks.after = after;
  hooks.arg = arg;
  pthread_mutex_unlock(&lock);
}

/* Between double quotes; what could end the line or the quotes is escaped. */
static void quoted(eas_buf *b, const char *s)
{
  eas_buf_char(b, '"');
  for (; *s; s++) {
    unsigned char c = (unsigned char)*s;
    if (c == '"' || c == '\\')
      eas_buf_printf(b, "\\%c", c);
    else if (c == '\n')
      eas_buf_str(b, "\\n");
    else if (c == '\t')
      eas_buf_str(b, "\\t");
    else if (c < 0x20 || c == 0x7f)
      eas_buf_printf(b, "\\u%04x", c);
    else
      eas_buf_char(b, (char)c);
  }
  eas_buf_char(b, '"');
}

/* A terminal must not be driven by what a file or a child put into a message. */
static void plain(eas_buf *b, const char *s)
{
  for (; *s; s++) {
    unsigned char c = (unsigned char)*s;
    eas_buf_char(b, c < 0x20 || c == 0x7f ? ' ' : (char)c);
  }
}

static void write_human(eas_buf *b, int64_t now, int level, const char *message)
{
  char stamp[32];
  eas_time_format(now, 0, stamp);
  eas_buf_printf(b, "%.8s %-5s ", stamp + 11, eas_log_level_name(level));
  if (here.attempt)
    eas_buf_printf(b, "a%lld  ", (long long)here.attempt);
  else if (here.task)
    eas_buf_printf(b, "t%lld  ", (long long)here.task);
  else if (here.job)
    eas_buf_printf(b, "j%lld  ", (long long)here.job);
  if (here.type[0]) eas_buf_printf(b, "%s  ", here.type);
  plain(b, message);
}

static void field(eas_buf *b, const char *name, char letter, int64_t id)
{
  if (!id) return;
  const char *shape = log_format == EAS_LOG_JSON ? ",\"%s\":\"%c%lld\"" : " %s=%c%lld";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  eas_buf_printf(b, shape, name, letter, (long long)id);
#pragma GCC diagnostic pop
}

static void write_fields(eas_buf *b, int64_t now, int level, const char *message)
{
  int json = log_format == EAS_LOG_JSON;
  char stamp[32], host[65] = "";
  eas_time_format(now, 3, stamp);
  gethostname(host, sizeof host - 1);
  if (json)
    eas_buf_printf(b, "{\"time\":\"%s\",\"level\":\"%s\"", stamp, eas_log_level_name(level));
  else
    eas_buf_printf(b, "time=%s level=%s", stamp, eas_log_level_name(level));
  field(b, "job", 'j', here.job);
  field(b, "task", 't', here.task);
  field(b, "attempt", 'a', here.attempt);
  if (here.type[0]) {
    eas_buf_str(b, json ? ",\"type\":" : " type=");
    if (json)
      quoted(b, here.type);
    else
      plain(b, here.type);
  }
  if (here.trace_id[0]) eas_buf_printf(b, json ? ",\"trace_id\":\"%s\"" : " trace_id=%s", here.trace_id);
  eas_buf_str(b, json ? ",\"host\":" : " host=");
  if (json)
    quoted(b, host);
  else
    plain(b, host);
  eas_buf_str(b, json ? ",\"msg\":" : " msg=");
  quoted(b, message);
  if (json) eas_buf_char(b, '}');
}

void eas_log(int level, const char *format, ...)
{
  if (!eas_log_wanted(level)) return;
  eas_buf message, line;
  eas_buf_init(&message);
  eas_buf_init(&line);
  va_list ap;
  va_start(ap, format);
  eas_buf_vprintf(&message, format, ap);
  va_end(ap);
  while (message.len > 0 && message.data[message.len - 1] == '\n') message.data[--message.len] = 0;
  int64_t now = eas_now_us();
  if (log_format == EAS_LOG_HUMAN)
    write_human(&line, now, level, message.data);
  else
    write_fields(&line, now, level, message.data);
  eas_buf_char(&line, '\n');

  pthread_mutex_lock(&lock);
  if (hooks.before) hooks.before(hooks.arg);
  eas_write_all(STDERR_FILENO, line.data, line.len);
  if (hooks.after) hooks.after(hooks.arg);
  pthread_mutex_unlock(&lock);
  eas_buf_done(&message);
  eas_buf_done(&line);
}
