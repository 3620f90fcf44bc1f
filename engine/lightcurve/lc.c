#include "lightcurve/lc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>

#include "lightcurve/lc_bytes.h"
#include "lightcurve/lc_private.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
enum { GUARD = 64 }; /* behind each column: who reads on is not to find the next one */

static void guard(const char *end, const char *next)
{
  __asan_poison_memory_region(end, (size_t)(next - end));
}
#else
enum { GUARD = 0 };

static void guard(const char *end, const char *next)
{
  (void)end;
  (void)next;
}
#endif

static void guard_columns(const eas_lc_columns *c, size_t cap, const char *end)
{
  guard((const char *)(c->time + cap), (const char *)c->flux);
  guard((const char *)(c->flux + cap), (const char *)c->flux_err);
  guard((const char *)(c->flux_err + cap), (const char *)c->flag);
  guard((const char *)(c->flag + cap), end);
}

/* Columns stand in one block, each at a multiple of 64 bytes, as vector code likes them. A large block asks
 * for large pages: page faults would cost a tenth of reading a file. */
int eas_lc_resize(eas_lc *lc, size_t cap)
{
  eas_lc_columns *c = &lc->c;
  const size_t page = (size_t)2 << 20, column = ((cap * sizeof(double) + 63) & ~(size_t)63) + GUARD;
  size_t bytes = 3 * column + ((cap * sizeof(uint32_t) + 63) & ~(size_t)63) + GUARD;
  size_t align = bytes >= page ? page : 64;
  bytes = (bytes + align - 1) & ~(align - 1);
  char *block = aligned_alloc(align, bytes ? bytes : align);
  if (!block) return EAS_ENOMEM;
  if (align == page) madvise(block, bytes, MADV_HUGEPAGE); /* a wish: failing changes nothing */
  eas_lc_columns old = *c;
  c->time = (double *)(void *)block;
  c->flux = (double *)(void *)(block + column);
  c->flux_err = (double *)(void *)(block + 2 * column);
  c->flag = (uint32_t *)(void *)(block + 3 * column);
  size_t n = old.n < cap ? old.n : cap;
  if (n > 0) {
    memcpy(c->time, old.time, n * sizeof *c->time);
    memcpy(c->flux, old.flux, n * sizeof *c->flux);
    memcpy(c->flux_err, old.flux_err, n * sizeof *c->flux_err);
    memcpy(c->flag, old.flag, n * sizeof *c->flag);
  }
  guard_columns(c, cap, block + bytes);
  free(old.time);
  return 0;
}

int eas_lc_new(eas_lc **out, size_t n, eas_err *err)
{
  if (n > EAS_LC_MAX_ROWS)
    return eas_fail(err, EAS_ELIMIT, "light curve of %zu points: the limit is %d", n, EAS_LC_MAX_ROWS);
  eas_lc *lc = eas_alloc(sizeof *lc);
  lc->metadata = json_object();
  if (!lc->metadata || eas_lc_resize(lc, n) < 0) {
    eas_lc_free(lc);
    return eas_fail(err, EAS_ENOMEM, "light curve of %zu points: no memory", n);
  }
  if (n > 0) {
    memset(lc->c.time, 0, n * sizeof *lc->c.time);
    memset(lc->c.flux, 0, n * sizeof *lc->c.flux);
    memset(lc->c.flag, 0, n * sizeof *lc->c.flag);
  }
  for (size_t i = 0; i < n; i++) lc->c.flux_err[i] = NAN;
  lc->c.n = lc->c.n_rows = n;
  *out = lc;
  return 0;
}

void eas_lc_free(eas_lc *lc)
{
  if (!lc) return;
  free(lc->c.time); /* the block of all columns */
  json_decref(lc->metadata);
  free(lc);
}

static void move_row(eas_lc_columns *c, size_t to, size_t from)
{
  c->time[to] = c->time[from];
  c->flux[to] = c->flux[from];
  c->flux_err[to] = c->flux_err[from];
  c->flag[to] = c->flag[from];
}

typedef struct {
  double time;
  size_t row;
} sort_key;

static int by_time(const void *a, const void *b)
{
  const sort_key *x = a, *y = b;
  if (x->time != y->time) return x->time < y->time ? -1 : 1;
  return x->row < y->row ? -1 : x->row > y->row;
}

/* Stable sort by time; rows without a time sort as if they had the one before them. */
static int sort_rows(eas_lc *lc, eas_err *err)
{
  eas_lc_columns *c = &lc->c;
  sort_key *key = malloc(c->n * sizeof *key);
  eas_lc *copy = NULL;
  if (!key || eas_lc_new(&copy, c->n, err) < 0) {
    free(key);
    return eas_fail(err, EAS_ENOMEM, "light curve of %zu points: no memory to sort it", c->n);
  }
  double last = -INFINITY;
  for (size_t i = 0; i < c->n; i++) {
    if (isfinite(c->time[i])) last = c->time[i];
    key[i] = (sort_key){ last, i };
  }
  qsort(key, c->n, sizeof *key, by_time);
  for (size_t i = 0; i < c->n; i++) {
    copy->c.time[i] = c->time[key[i].row];
    copy->c.flux[i] = c->flux[key[i].row];
    copy->c.flux_err[i] = c->flux_err[key[i].row];
    copy->c.flag[i] = c->flag[key[i].row];
  }
  eas_lc_columns sorted = copy->c;
  sorted.n_rows = c->n_rows;
  copy->c = *c;
  *c = sorted;
  eas_lc_free(copy);
  free(key);
  json_object_set_new(lc->metadata, "time_sorted", json_true());
  return 0;
}

/* One NaN for all: LuaJIT takes the bits of others, read from an array, for values that are no numbers. */
void eas_lc_look(eas_lc_columns *c, size_t from, size_t to, eas_lc_order *order)
{
  for (size_t i = from; i < to; i++) {
    double t = c->time[i];
    if (isnan(c->flux_err[i])) c->flux_err[i] = NAN;
    if (!isfinite(c->flux[i])) {
      c->flag[i] |= EAS_LC_BAD;
      if (isnan(c->flux[i])) c->flux[i] = NAN;
    }
    if (isfinite(t)) {
      order->backwards |= t < order->last;
      order->equal |= t == order->last;
      order->last = t;
    } else {
      c->flag[i] |= EAS_LC_BAD;
      if (isnan(t)) c->time[i] = NAN;
    }
  }
}

/* Keeps the first of equal times. */
static void drop_equal(eas_lc_columns *c)
{
  size_t n = 0;
  double last = -INFINITY;
  for (size_t i = 0; i < c->n; i++) {
    if (c->time[i] == last) continue;
    if (isfinite(c->time[i])) last = c->time[i];
    if (n != i) move_row(c, n, i);
    n++;
  }
  c->n_duplicate = c->n - n;
  c->n = n;
}

int eas_lc_settle(eas_lc *lc, const eas_lc_order *order, eas_err *err)
{
  lc->c.n_rows = lc->c.n;
  if (order->backwards) {
    int rc = sort_rows(lc, err);
    if (rc < 0) return rc;
  }
  if (order->backwards || order->equal) drop_equal(&lc->c);
  return 0;
}

int eas_lc_read(eas_lc **out, const char *path, const eas_lc_options *options, eas_err *err)
{
  eas_bytes *bytes;
  int rc = eas_bytes_open(&bytes, path, err);
  if (rc < 0) return rc;
  const char *head;
  size_t n;
  rc = eas_bytes_peek(bytes, &head, &n, err);
  if (rc < 0) goto done;
  if (n >= 9 && memcmp(head, "SIMPLE  =", 9) == 0) {
    rc = eas_lc_fits_bytes(out, bytes, path, options, err);
    goto done;
  }
  rc = eas_lc_text_bytes(out, bytes, options, err);
done:
  eas_bytes_close(bytes);
  return rc;
}

static int ends_with(const char *s, const char *end)
{
  size_t n = strlen(s), m = strlen(end);
  return n >= m && strcasecmp(s + n - m, end) == 0;
}

int eas_lc_write(const eas_lc *lc, const char *path, eas_err *err)
{
  if (ends_with(path, ".gz") || ends_with(path, ".txt"))
    return eas_lc_write_text(lc, path, ends_with(path, ".gz"), err);
  return eas_lc_write_fits(lc, path, err);
}

/* New light curve of the rows that keep[] marks. */
static int subset(eas_lc **out, const eas_lc *lc, const unsigned char *keep, eas_err *err)
{
  const eas_lc_columns *c = &lc->c;
  size_t n = 0;
  for (size_t i = 0; i < c->n; i++) n += keep[i];
  eas_lc *copy;
  int rc = eas_lc_new(&copy, n, err);
  if (rc < 0) return rc;
  size_t k = 0;
  for (size_t i = 0; i < c->n; i++) {
    if (!keep[i]) continue;
    copy->c.time[k] = c->time[i];
    copy->c.flux[k] = c->flux[i];
    copy->c.flux_err[k] = c->flux_err[i];
    copy->c.flag[k] = c->flag[i];
    k++;
  }
  copy->c.n_rows = c->n_rows;
  copy->c.n_duplicate = c->n_duplicate;
  json_decref(copy->metadata);
  copy->metadata = json_deep_copy(lc->metadata);
  *out = copy;
  return 0;
}

int eas_lc_truncate(eas_lc **out, const eas_lc *lc, double duration, eas_err *err)
{
  if (!(duration > 0)) return eas_fail(err, EAS_EINVAL, "light curve: duration %g d: must be more than 0", duration);
  unsigned char *keep = eas_alloc(lc->c.n + 1);
  double t0 = NAN;
  int inside = 1; /* a row without a time goes where its neighbour before it goes */
  for (size_t i = 0; i < lc->c.n; i++) {
    double t = lc->c.time[i];
    if (isnan(t0) && isfinite(t)) t0 = t;
    if (isfinite(t)) inside = t < t0 + duration;
    keep[i] = (unsigned char)inside;
  }
  int rc = subset(out, lc, keep, err);
  free(keep);
  return rc;
}

int eas_lc_clean(eas_lc **out, const eas_lc *lc, eas_err *err)
{
  unsigned char *keep = eas_alloc(lc->c.n + 1);
  double last = -INFINITY;
  for (size_t i = 0; i < lc->c.n; i++) {
    double t = lc->c.time[i];
    keep[i] = !(lc->c.flag[i] & EAS_LC_BAD) && isfinite(t) && isfinite(lc->c.flux[i]) && t > last;
    if (keep[i]) last = t;
  }
  int rc = subset(out, lc, keep, err);
  free(keep);
  return rc;
}
