/* lc_fits_check.c: looks at the headers of a FITS file before cfitsio does, which ends the process over some
 * that are malformed (an unquoted TTYPE of 70 characters), and takes memory for what others claim. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lightcurve/lc_fits.h"
#include "lightcurve/number.h"

enum { BLOCK = 2880, CARD = 80, AXES = 999 };

typedef struct {
  const eas_fits_source *src;
  char block[BLOCK];
  int hdu;
  int n_card; /* in this header, from 1 */
  int64_t bitpix, axes, pcount, gcount, fields;
  int64_t axis[AXES]; /* as far as they are given */
  int64_t table;      /* 1: binary, 2: ASCII, 0: no table */
  char why[160];
} checker;

static int fail(checker *c, const char *what)
{
  snprintf(c->why, sizeof c->why, "HDU %d: header card %d: %s", c->hdu, c->n_card, what);
  return 0;
}

/* 1, or 0 at the end of the file. */
static int read_block(checker *c, int64_t at)
{
  const eas_fits_source *s = c->src;
  if (at < 0 || at > s->size - BLOCK) return 0;
  if (s->mem) {
    memcpy(c->block, s->mem + at, BLOCK);
    return 1;
  }
  ssize_t n;
  do n = pread(s->fd, c->block, BLOCK, at);
  while (n < 0 && errno == EINTR);
  return n == BLOCK;
}

/* The value field from column 11: a whole number, then blanks or a comment. */
static int whole_number(const char *card, int64_t *out)
{
  const char *p = card + 10, *end = card + CARD;
  while (p < end && *p == ' ') p++;
  int neg = p < end && *p == '-';
  if (p < end && (*p == '-' || *p == '+')) p++;
  int64_t v = 0;
  int n = 0;
  for (; p < end && eas_digit(*p); p++, n++) {
    if (v > INT64_MAX / 10 - 1) return 0;
    v = v * 10 + (*p - '0');
  }
  while (p < end && *p == ' ') p++;
  if (n == 0 || (p < end && *p != '/')) return 0;
  *out = neg ? -v : v;
  return 1;
}

/* 'text', two quotes for one, then blanks or a comment. */
static int quoted(const char *card)
{
  const char *p = card + 10, *end = card + CARD;
  while (p < end && *p == ' ') p++;
  if (p == end || *p++ != '\'') return 0;
  for (;; p++) {
    if (p >= end) return 0;
    if (*p != '\'') continue;
    if (p + 1 < end && p[1] == '\'')
      p++;
    else
      break;
  }
  for (p++; p < end && *p == ' '; p++) continue;
  return p == end || *p == '/';
}

/* "NAXIS12 ", "NAXIS": number after the word, 0 if none; -1: another keyword. */
static int indexed(const char *card, const char *word)
{
  size_t n = strlen(word);
  if (memcmp(card, word, n) != 0) return -1;
  int v = 0;
  size_t i = n;
  for (; i < 8 && eas_digit(card[i]); i++) v = v * 10 + (card[i] - '0');
  for (; i < 8; i++)
    if (card[i] != ' ') return -1;
  return v;
}

static int is(const char *card, const char *word)
{
  return indexed(card, word) == 0;
}

/* Keywords that shape the HDU have values of their kind, in range. */
static int check_card(checker *c, const char *card)
{
  static const char *const texts[] = { "TTYPE", "TFORM", "TUNIT", "TDISP", "TDIM", "EXTNAME" };
  for (int i = 0; i < CARD; i++)
    if (card[i] < 32 || card[i] > 126) return fail(c, "holds bytes that are no text");
  if (card[8] != '=' || card[9] != ' ') return 1;
  int axis = indexed(card, "NAXIS");
  int64_t v = 0;
  int number = is(card, "BITPIX") || axis >= 0 || is(card, "PCOUNT") || is(card, "GCOUNT") || is(card, "TFIELDS") ||
               indexed(card, "TBCOL") > 0 || is(card, "THEAP");
  if (number && !whole_number(card, &v)) return fail(c, "a whole number is expected");
  if (number && !is(card, "BITPIX") && v < 0) return fail(c, "is less than 0");
  if (is(card, "BITPIX")) c->bitpix = v;
  if (axis == 0) c->axes = v;
  if (axis > AXES) return fail(c, "has more than 999 axes");
  if (axis > 0) c->axis[axis - 1] = v;
  if (is(card, "PCOUNT")) c->pcount = v;
  if (is(card, "GCOUNT")) c->gcount = v;
  if (is(card, "TFIELDS")) c->fields = v;
  if (indexed(card, "TBCOL") > 0 && (v < 1 || v > c->axis[0])) return fail(c, "lies outside of its row");
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    if (indexed(card, texts[i]) >= 0 && !quoted(card)) return fail(c, "a text in quotes is expected");
  return 1;
}

/* Reads cards to END. On success *end is where the data begin. */
static int check_header(checker *c, int64_t at, int64_t *end)
{
  c->n_card = 0;
  c->axes = c->bitpix = c->pcount = c->fields = c->table = 0;
  c->gcount = 1;
  memset(c->axis, 0, sizeof c->axis);
  for (;; at += BLOCK) {
    if (!read_block(c, at)) {
      snprintf(c->why, sizeof c->why, "HDU %d: the file ends early, in a header: it is cut short", c->hdu);
      return 0;
    }
    for (int i = 0; i < BLOCK; i += CARD) {
      const char *card = c->block + i;
      c->n_card++;
      if (c->n_card == 1) {
        if (memcmp(card, c->hdu == 0 ? "SIMPLE  =" : "XTENSION=", 9) != 0)
          return fail(c, c->hdu == 0 ? "SIMPLE is expected" : "XTENSION is expected");
        c->table =
            c->hdu == 0 ? 0 : memcmp(card + 10, "'BINTABLE'", 10) == 0 || memcmp(card + 10, "'A3DTABLE'", 10) == 0;
        if (c->hdu > 0 && !quoted(card)) return fail(c, "a text in quotes is expected");
      }
      if (memcmp(card, "END     ", 8) == 0) {
        *end = at + BLOCK;
        return 1;
      }
      if (!check_card(c, card)) return 0;
    }
  }
}

/* Bytes of data that the header claims; -1: absurd. */
static int64_t data_size(const checker *c)
{
  int64_t bits = c->bitpix < 0 ? -c->bitpix : c->bitpix;
  if (c->axes > AXES || (bits != 8 && bits != 16 && bits != 32 && bits != 64) || c->fields > AXES) return -1;
  int64_t n = c->axes > 0;
  for (int64_t i = 0; i < c->axes; i++)
    if (__builtin_mul_overflow(n, c->axis[i], &n)) return -1;
  if (__builtin_add_overflow(n, c->pcount, &n) || __builtin_mul_overflow(n, c->gcount, &n) ||
      __builtin_mul_overflow(n, bits / 8, &n) || n > INT64_MAX / 2)
    return -1;
  return n;
}

int eas_fits_check(eas_fits_table *t, const eas_fits_source *src, eas_err *err)
{
  checker *c = eas_alloc(sizeof *c);
  c->src = src;
  int64_t at = 0;
  t->n_hdu = 0;
  for (c->hdu = 0; at < src->size; c->hdu++) {
    int64_t data;
    if (!check_header(c, at, &data)) break;
    int64_t n = data_size(c);
    if (n < 0) {
      snprintf(c->why, sizeof c->why, "HDU %d: its size makes no sense", c->hdu);
      break;
    }
    if (n > src->size - data) {
      if (c->table)
        snprintf(c->why, sizeof c->why, "HDU %d: %lld rows of %lld bytes, the file ends early: it is cut short", c->hdu,
                 (long long)c->axis[1], (long long)c->axis[0]);
      else
        snprintf(c->why, sizeof c->why, "HDU %d: the file ends early, in its data: it is cut short", c->hdu);
      break;
    }
    t->n_hdu = c->hdu + 1;
    at = data + (n + BLOCK - 1) / BLOCK * BLOCK;
  }
  memcpy(t->why, c->why, sizeof t->why);
  free(c);
  if (t->n_hdu > 0) return 0;
  return eas_fail(err, EAS_EFORMAT, "%s: %s", t->name, t->why[0] ? t->why : "the file is empty");
}
