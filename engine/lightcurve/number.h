/* number.h: decimal text to double, exactly as strtod in the C locale, but ten times faster.
 *
 * Scan first, convert then: the text reader converts seconds to days from the scanned
 * digits, so that a time is rounded once. Decimal numbers only: no hexadecimal, no nan, no inf.
 * Text must be followed by EAS_NUMBER_PAD readable bytes. */
#ifndef EAS_LIGHTCURVE_NUMBER_H
#define EAS_LIGHTCURVE_NUMBER_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined __SSE2__
#include <emmintrin.h>
#endif

/* In the loops over millions of numbers a call costs as much as the work. */
#define EAS_INLINE inline __attribute__((always_inline))

enum { EAS_NUMBER_QMIN = -64, EAS_NUMBER_QMAX = 64, EAS_NUMBER_PAD = 32 };
extern const uint64_t eas_number_powers[EAS_NUMBER_QMAX - EAS_NUMBER_QMIN + 1][2];

typedef struct {
  uint64_t w; /* digits as an integer; meaningless if many */
  int q;      /* value = w * 10^q */
  int neg;
  int many; /* more than 19 significant digits */
} eas_decimal;

/* The value of text [p, end) by strtod: for what the fast way below leaves. */
double eas_number_slow(const char *p, const char *end);

/* A whole text of n bytes, blanks not allowed. Returns 0, or EAS_EFORMAT. Accepts nan and inf. */
int eas_number_parse(const char *text, size_t n, double *out);

/* nan, inf, infinity in any case, signed: end of the word, or NULL. *out is quiet NaN or infinity. */
const char *eas_number_word(const char *p, double *out);

static inline int eas_digit(char c)
{
  return (unsigned char)(c - '0') < 10;
}

/* 0 if all of 8 bytes are digits: none borrows below '0', none carries over '9'. */
static inline uint64_t eas_strangers8(uint64_t v)
{
  return ((v + 0x4646464646464646u) | (v - 0x3030303030303030u)) & 0x8080808080808080u;
}

/* 8 digits to a number in three steps: pairs, fours, eight (little endian). */
static EAS_INLINE uint64_t eas_value8(uint64_t v)
{
  v -= 0x3030303030303030u;
  v = v * 10 + (v >> 8);
  v = (((v & 0x000000ff000000ffu) * 0x000f424000000064u) + (((v >> 16) & 0x000000ff000000ffu) * 0x0000271000000001u)) >>
      32;
  return v;
}

/* Appends the digits at p to *w; returns where they end. */
static EAS_INLINE const char *eas_digits_scan(const char *p, uint64_t *w)
{
  uint64_t v = *w;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  static const uint64_t ten[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000 };
  for (;;) {
    uint64_t chunk, strangers;
    memcpy(&chunk, p, 8);
    strangers = eas_strangers8(chunk);
    if (strangers) { /* the lowest one is exact: nothing borrows or carries below it */
      int n = __builtin_ctzll(strangers) >> 3;
      if (n > 0) /* zeros in front instead of what follows */
        v = v * ten[n] + eas_value8(chunk << (64 - 8 * n) | UINT64_C(0x3030303030303030) >> 8 * n);
      *w = v;
      return p + n;
    }
    v = v * 100000000u + eas_value8(chunk);
    p += 8;
  }
#else
  for (; eas_digit(*p); p++) v = v * 10 + (uint64_t)(*p - '0');
  *w = v;
  return p;
#endif
}

/* More than 19 digits may still be 19 significant ones. */
static inline int eas_digits_many(const char *p, ptrdiff_t n)
{
  for (; n > 19 && (*p == '0' || *p == '.'); p++) n -= *p == '0';
  return n > 19;
}

/* "d.dddddddddddddddddde+dd", as %.18e writes nearly all: its end, or NULL if p holds something else. */
static EAS_INLINE const char *eas_decimal_scan18(const char *p, eas_decimal *d)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  uint64_t a, b, c;
  memcpy(&a, p + 2, 8);
  memcpy(&b, p + 10, 8);
  memcpy(&c, p + 16, 8); /* digits but for "e+", which are taken for zeros */
  c = (c & ~(UINT64_C(0xffff) << 32)) | UINT64_C(0x3030) << 32;
  int sign = 44 - p[21]; /* '+' 1, '-' -1 */
  if (eas_strangers8(a) | eas_strangers8(b) | eas_strangers8(c)) return NULL;
  if (!eas_digit(p[0]) || eas_digit(p[24]) || (sign != 1 && sign != -1)) return NULL;
  uint64_t head = (uint64_t)(p[0] - '0') * 100000000u + eas_value8(a);
  d->w = (head * 100000000u + eas_value8(b)) * 100 + (uint64_t)((p[18] - '0') * 10 + (p[19] - '0'));
  d->q = sign * ((p[22] - '0') * 10 + (p[23] - '0')) - 18;
  d->many = 0;
  return p + 24;
#else
  (void)p, (void)d;
  return NULL;
#endif
}

/* The n < 9 digits at p, none if n is 0. */
static EAS_INLINE uint64_t eas_value_of(const char *p, int n)
{
  uint64_t chunk;
  memcpy(&chunk, p, 8);
  return n == 0 ? 0 : eas_value8(chunk << (64 - 8 * n) | (n == 8 ? 0 : UINT64_C(0x3030303030303030) >> 8 * n));
}

/* "1325.300000000": at most 15 digits and a point, unsigned, no exponent, as most tables have: where the
 * digits are is known from one comparison of 16 bytes. Its end, or NULL if p holds something else. */
static EAS_INLINE const char *eas_decimal_scan16(const char *p, eas_decimal *d)
{
#if defined __SSE2__
  static const uint64_t ten[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000 };
  __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
  /* '0' .. '9' moved to the bottom of the signed bytes: one comparison tells them */
  __m128i digit = _mm_cmplt_epi8(_mm_add_epi8(x, _mm_set1_epi8(80)), _mm_set1_epi8(-118));
  unsigned other = ~(unsigned)_mm_movemask_epi8(digit) | 0x10000u;
  int whole = __builtin_ctz(other);
  if (whole > 8 || p[whole] != '.') return NULL;
  const char *fraction = p + whole + 1;
  int n = __builtin_ctz(other >> (whole + 1));
  char after = fraction[n];
  if (whole + n == 0 || whole + 1 + n >= 16 || after == 'e' || after == 'E') return NULL;
  uint64_t head = whole == 1 ? (uint64_t)(*p - '0') : eas_value_of(p, whole);
  if (n >= 8) {
    const char *last = fraction + n - 8; /* the last 8 at once, the few before them one by one */
    for (; fraction < last; fraction++) head = head * 10 + (uint64_t)(*fraction - '0');
    d->w = head * 100000000u + eas_value_of(last, 8);
    fraction = last + 8 - n;
  } else {
    d->w = head * ten[n] + eas_value_of(fraction, n);
  }
  d->q = -n;
  d->many = 0;
  return fraction + n;
#else
  (void)p, (void)d;
  return NULL;
#endif
}

/* End of the number that starts at p, or NULL if none does. */
static EAS_INLINE const char *eas_decimal_scan(const char *p, eas_decimal *d)
{
  uint64_t w = 0;
  d->neg = *p == '-';
  p += *p == '-' || *p == '+';
  if (p[1] == '.' && p[20] == 'e') {
    const char *end = eas_decimal_scan18(p, d);
    if (end) return end;
  }
  const char *simple = eas_decimal_scan16(p, d);
  if (simple) return simple;
  const char *first = p;
  p = eas_digits_scan(p, &w);
  ptrdiff_t n = p - first;
  long q = 0;
  if (*p == '.') {
    const char *point = ++p;
    p = eas_digits_scan(p, &w);
    q = -(long)(p - point);
    n += p - point;
  }
  if (n == 0) return NULL;
  if ((*p | 0x20) == 'e') {
    p++;
    int down = *p == '-';
    p += *p == '-' || *p == '+';
    if (!eas_digit(*p)) return NULL;
    long e = 0;
    for (; eas_digit(*p); p++)
      if (e < 100000) e = e * 10 + (*p - '0');
    q += down ? -e : e;
  }
  d->w = w;
  d->q = q < -100000 ? -100000 : q > 100000 ? 100000 : (int)q;
  d->many = n > 19 && eas_digits_many(first, n);
  return p;
}

/* Correctly rounded w * 10^q into *out; 0 if that takes the slow way (Clinger 1990 for small
 * numbers, Lemire 2021 algorithm 1 else; halves, subnormals and overflow are left to strtod). */
static EAS_INLINE int eas_decimal_fast(const eas_decimal *d, double *out)
{
  static const double ten[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
  if (d->many) return 0;
  if (d->w == 0) {
    *out = d->neg ? -0.0 : 0.0;
    return 1;
  }
  if (d->w <= (UINT64_C(1) << 53) && d->q >= -22 && d->q <= 22) {
    double v = (double)d->w;
    v = d->q < 0 ? v / ten[-d->q] : v * ten[d->q];
    *out = d->neg ? -v : v;
    return 1;
  }
  if (d->q < EAS_NUMBER_QMIN || d->q > EAS_NUMBER_QMAX) return 0;
  const uint64_t *power = eas_number_powers[d->q - EAS_NUMBER_QMIN];
  int lz = __builtin_clzll(d->w);
  uint64_t w = d->w << lz;
  __extension__ typedef unsigned __int128 u128;
  u128 product = (u128)w * power[0];
  uint64_t hi = (uint64_t)(product >> 64), lo = (uint64_t)product;
  if ((hi & 0x1ff) == 0x1ff) {
    uint64_t more = (uint64_t)((u128)w * power[1] >> 64);
    lo += more;
    hi += lo < more;
  }
  int upper = (int)(hi >> 63);
  uint64_t m = hi >> (upper + 9);
  if (lo == UINT64_MAX || (lo <= 1 && (m & 3) == 1)) return 0;
  /* floor(q log2 10) = q 217706 >> 16 in this range */
  int exponent = ((217706 * d->q) >> 16) + 63 + upper - lz + 1023;
  m = (m + (m & 1)) >> 1;
  if (m >> 53) {
    m >>= 1;
    exponent++;
  }
  if (exponent <= 0 || exponent >= 2047) return 0;
  uint64_t bits = (m & 0xfffffffffffffu) | (uint64_t)exponent << 52 | (uint64_t)d->neg << 63;
  memcpy(out, &bits, 8);
  return 1;
}

static inline double eas_decimal_double(const eas_decimal *d, const char *p, const char *end)
{
  double v;
  return eas_decimal_fast(d, &v) ? v : eas_number_slow(p, end);
}

#endif
