/* commit_store.c: note, log lines and versions of an attempt that ended. */
#include "model/commit.h"
#include "model/settle.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

/* --- checking --- */

static int is_one_of(const char *word, const char *const *list)
{
  for (; word && *list; list++)
    if (strcmp(word, *list) == 0) return 1;
  return 0;
}

int eas_result_check(const eas_result *r, eas_err *err)
{
  static const char *const endings[] = { "ok",   "error",     "crashed", "timeout",   "cpu",    "memory",
                                         "disk", "processes", "lost",    "cancelled", "reused", NULL };
  static const char *const verdicts[] = { "pass", "fail", NULL };
  long long id = (long long)r->attempt;
  if (!is_one_of(r->ending, endings))
    return eas_fail(err, EAS_EINVAL, "attempt %lld: '%s' is no ending", id, r->ending ? r->ending : "");
  if (!is_one_of(r->verdict, verdicts))
    return eas_fail(err, EAS_EINVAL, "attempt %lld: '%s' is no verdict", id, r->verdict ? r->verdict : "");
  int good = strcmp(r->ending, "ok") == 0 || strcmp(r->ending, "reused") == 0;
  if (!good && strcmp(r->verdict, "pass") == 0)
    return eas_fail(err, EAS_EINVAL, "attempt %lld: cannot pass, since it ended by %s", id, r->ending);
  for (int i = 0; i < r->n_versions; i++) {
    const eas_result_version *v = &r->versions[i];
    if (!is_one_of(v->verdict, verdicts))
      return eas_fail(err, EAS_EINVAL, "attempt %lld: product %lld has no verdict", id, (long long)v->product);
    if (!good && strcmp(v->verdict, "pass") == 0)
      return eas_fail(err, EAS_EINVAL, "attempt %lld: product %lld cannot pass, since the attempt ended by %s", id,
                      (long long)v->product, r->ending);
  }
  return 0;
}

/* --- text --- */

/* Bytes of the UTF-8 character at s, 0 if there is none. */
static size_t character(const unsigned char *s)
{
  if (s[0] < 0x80) return 1;
  size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
  if (s[0] < 0xc2 || s[0] > 0xf4) return 0;
  for (size_t i = 1; i < n; i++)
    if ((s[i] & 0xc0) != 0x80) return 0;
  if (s[0] == 0xe0 && s[1] < 0xa0) return 0; /* overlong */
  if (s[0] == 0xed && s[1] > 0x9f) return 0; /* half of a surrogate pair */
  if ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f)) return 0;
  return n;
}

char *eas_clean_text(const char *s)
{
  if (!s) return NULL;
  const unsigned char *p = (const unsigned char *)s;
  eas_buf out;
  eas_buf_init(&out);
  while (*p) {
    size_t n = character(p);
    if (n)
      eas_buf_add(&out, p, n);
    else
      eas_buf_str(&out, "\xef\xbf\xbd");
    p += n ? n : 1;
  }
  return eas_buf_take(&out);
}

static char *dump(const json_t *v)
{
  return v ? json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY) : NULL;
}

/* What failures are grouped by: the error, else the reason, with every number as N. */
static char *cause_of(const eas_result *r)
{
  if (strcmp(r->verdict, "pass") == 0) return NULL;
  const char *text = r->error ? r->error : r->reason ? r->reason : r->ending;
  char *clean = eas_clean_text(text);
  eas_buf out;
  eas_buf_init(&out);
  for (const char *p = clean; *p;) {
    size_t digits = strspn(p, "0123456789");
    if (digits) {
      eas_buf_char(&out, 'N');
      p += digits;
      if (*p == '.' && strspn(p + 1, "0123456789")) p += 1 + strspn(p + 1, "0123456789");
      size_t sign = (*p == 'e' || *p == 'E') && (p[1] == '-' || p[1] == '+');
      if ((*p == 'e' || *p == 'E') && strspn(p + 1 + sign, "0123456789"))
        p += 1 + sign + strspn(p + 1 + sign, "0123456789");
    } else {
      eas_buf_char(&out, *p++);
    }
  }
  free(clean);
  return eas_buf_take(&out);
}

/* --- rows --- */

int eas_log_send(eas_db *db, int64_t attempt, int64_t token, int64_t first, const eas_log_entry *log, int n,
                 eas_err *err)
{
  for (int i = 0; i < n; i++) {
    char *text = eas_clean_text(log[i].text ? log[i].text : "");
    eas_val a[] = { eas_v_int(attempt),      eas_v_int(first + i), eas_v_int(log[i].at_us),
                    eas_v_int(log[i].level), eas_v_text(text),     eas_v_int(token) };
    int rc =
        token
            ? eas_db_send(db,
                          "INSERT INTO log_line (attempt, seq, at, level, text) SELECT id, $2, $3, $4, $5 FROM attempt"
                          " WHERE id = $1 AND token = $6 AND " EAS_STATE_IS(
                              "state", "running") " ON CONFLICT (attempt, seq) DO NOTHING",
                          a, 6, NULL, err)
            : eas_db_send(db,
                          "INSERT INTO log_line (attempt, seq, at, level, text) VALUES ($1, $2, $3, $4, $5)"
                          " ON CONFLICT (attempt, seq) DO NOTHING",
                          a, 5, NULL, err);
    free(text);
    if (rc < 0) return rc;
  }
  return 0;
}

int eas_result_store(eas_db *db, const eas_result *r, eas_err *err)
{
  int rc = 0;
  int failed = strcmp(r->verdict, "fail") == 0;
  if (failed || r->reason || r->error || r->trace || r->checks || r->description || r->provenance) {
    char *text[] = { eas_clean_text(r->reason),
                     eas_clean_text(r->error),
                     eas_clean_text(r->trace),
                     dump(r->checks),
                     dump(r->description),
                     dump(r->provenance),
                     cause_of(r) };
    rc = eas_db_send(db,
                     "INSERT INTO attempt_note (attempt, reason, error, trace, checks, description, provenance, cause)"
                     " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                     EAS_ARGS(eas_v_int(r->attempt), eas_v_text(text[0]), eas_v_text(text[1]), eas_v_text(text[2]),
                              eas_v_text(text[3]), eas_v_text(text[4]), eas_v_text(text[5]), eas_v_text(text[6])),
                     NULL, err);
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) free(text[i]);
  }
  if (rc >= 0 && r->usage)
    rc = eas_db_send(db,
                     "INSERT INTO attempt_usage (attempt, points) VALUES ($1, $2) ON CONFLICT (attempt) DO UPDATE SET "
                     "points = excluded.points",
                     EAS_ARGS(eas_v_int(r->attempt), eas_v_text(r->usage)), NULL, err);
  const eas_result_log *w = r->whole_log;
  if (rc >= 0 && w)
    rc = eas_db_send(db,
                     "INSERT INTO attempt_log (attempt, digest, size, bytes, lines, left_out) VALUES ($1, $2, $3, $4, "
                     "$5, $6)",
                     EAS_ARGS(eas_v_int(r->attempt), eas_v_blob(&w->digest, sizeof w->digest), eas_v_int(w->size),
                              eas_v_int(w->bytes), eas_v_int(w->lines), eas_v_int(w->left_out)),
                     NULL, err);
  return rc < 0 ? rc : eas_log_send(db, r->attempt, 0, r->first_seq, r->log, r->n_log, err);
}

int eas_versions_store(eas_db *db, const eas_result *r, int64_t task, const int64_t *ids, int *tickets, eas_err *err)
{
  for (int i = 0; i < r->n_versions; i++) {
    const eas_result_version *v = &r->versions[i];
    char *reason = eas_clean_text(v->reason), *metadata = dump(v->metadata);
    int rc = eas_db_send(
        db,
        "INSERT INTO version (/*sqlite id, */product, attempt, digest, size, created_at, verdict, reason, metadata)"
        " SELECT /*sqlite $9, */id, $2, $3, $4, eas_now(), $5, $6, $7 FROM product WHERE id = $1 AND task = $8",
        EAS_ARGS(eas_v_int(v->product), eas_v_int(r->attempt), eas_v_blob(&v->digest, sizeof v->digest),
                 eas_v_int(v->size), eas_v_text(v->verdict), eas_v_text(reason), eas_v_text(metadata), eas_v_int(task),
                 eas_v_int(ids[i])),
        &tickets[i], err);
    free(reason);
    free(metadata);
    if (rc < 0) return rc;
  }
  return 0;
}
