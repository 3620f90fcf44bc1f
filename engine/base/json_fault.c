/* json_fault.c: says what is wrong with a text that is no JSON, and where. */
#include <stdlib.h>

#include "base/json_scan.h"

typedef enum { VALUE, VALUE_OR_END, KEY, KEY_OR_END, COLON, NEXT, DONE } state;

typedef struct {
  char kind;
  size_t at;
} bracket;

typedef struct {
  bracket *open; /* those not closed yet, outermost first */
  size_t n, cap;
  state want;
} parse;

static void push(parse *p, char kind, size_t at)
{
  if (p->n == p->cap) {
    p->cap = p->cap ? p->cap * 2 : 32;
    p->open = eas_realloc(p->open, p->cap * sizeof *p->open);
  }
  p->open[p->n++] = (bracket){ kind, at };
  p->want = kind == '{' ? KEY_OR_END : VALUE_OR_END;
}

static void after_value(parse *p)
{
  p->want = p->n > 0 ? NEXT : DONE;
}

static int closes(const parse *p, char kind)
{
  return p->n > 0 && kind == (p->open[p->n - 1].kind == '{' ? '}' : ']');
}

/* One token further: 1 if it may stand there. */
static int accept(parse *p, eas_token t)
{
  int may_end = p->want == VALUE_OR_END || p->want == KEY_OR_END || p->want == NEXT;
  if (may_end && closes(p, t.kind)) {
    p->n--;
    after_value(p);
    return 1;
  }
  switch (p->want) {
  case VALUE:
  case VALUE_OR_END:
    if (t.kind == '{' || t.kind == '[') {
      push(p, t.kind, t.start);
      return 1;
    }
    if (t.kind != 's' && t.kind != 'n' && t.kind != 'w') return 0;
    after_value(p);
    return 1;
  case KEY:
  case KEY_OR_END: p->want = COLON; return t.kind == 's';
  case COLON: p->want = VALUE; return t.kind == ':';
  case NEXT: p->want = p->open[p->n - 1].kind == '{' ? KEY : VALUE; return t.kind == ',';
  default: return 0;
  }
}

static const char *wanted(const parse *p, state want)
{
  int object = p->n > 0 && p->open[p->n - 1].kind == '{';
  switch (want) {
  case VALUE: return "a value";
  case VALUE_OR_END: return "a value or ']'";
  case KEY: return "a key in double quotes";
  case KEY_OR_END: return "a key in double quotes or '}'";
  case COLON: return "':'";
  case NEXT: return object ? "',' or '}'" : "',' or ']'";
  default: return "the end of the text";
  }
}

static void describe(const parse *p, state want, const char *text, eas_token t, eas_buf *out)
{
  if (t.kind == '?' && t.why && text[t.start] != '\'') {
    eas_buf_printf(out, "%s: '%.*s'", t.why, (int)(t.end - t.start > 40 ? 40 : t.end - t.start), text + t.start);
    return;
  }
  eas_buf_printf(out, "expected %s, found ", wanted(p, want));
  size_t n = t.end - t.start;
  if (t.kind == 0)
    eas_buf_str(out, "the end of the file");
  else if (t.kind == 's' && n > 2)
    eas_buf_printf(out, "%.*s%s", (int)(n > 40 ? 40 : n), text + t.start, n > 40 ? "..." : "");
  else
    eas_buf_printf(out, "'%.*s'%s", (int)(n > 40 ? 40 : n), text + t.start, n > 40 ? "..." : "");
  if (t.why) eas_buf_printf(out, "; %s", t.why);
  if (p->n > 0 && (want == NEXT || t.kind == 0 || t.kind == '}' || t.kind == ']')) {
    int line, column;
    eas_scan_line(text, p->open[p->n - 1].at, &line, &column);
    eas_buf_printf(out, "; the '%c' is at %d:%d", p->open[p->n - 1].kind, line, column);
  }
}

int eas_scan_fault(const char *text, size_t len, size_t *at, eas_buf *message)
{
  parse p = { .want = VALUE };
  eas_scan s = { text, len, 0 };
  for (;;) {
    eas_token t = eas_scan_next(&s);
    state want = p.want;
    int end = t.kind == 0 && want == DONE;
    if (!end && accept(&p, t)) continue;
    if (!end) {
      *at = t.start;
      describe(&p, want, text, t, message);
    }
    free(p.open);
    return !end;
  }
}
