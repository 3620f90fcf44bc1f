/* qats_rows.h: one trial of qats in single precision, for the vectors of whoever includes it: QATS_NAME, QATS_TARGET,
 * VEC, LANES, LOAD, LOADU, STORE, STOREU, ADD, MAX, SET, SHIFT, HMAX, ENDS. Sums and maxima alone: all levels give the same bits.
 *
 * Rows have -infinity before their first state and behind their last, so that no window needs care at its ends. */
#include "qats_parts.h"

#define QATS_INLINE QATS_TARGET static inline __attribute__((always_inline))

QATS_INLINE size_t round_up(size_t n)
{
  return (n + LANES - 1) / LANES * LANES;
}

QATS_INLINE void fill(float *row, size_t n)
{
  for (size_t i = 0; i < n; i += LANES) STOREU(row + i, SET(-INFINITY));
}

static inline float largest_of_4(__m128 v)
{
  v = _mm_max_ps(v, _mm_movehl_ps(v, v));
  return _mm_cvtss_f32(_mm_max_ss(v, _mm_shuffle_ps(v, v, 1)));
}

/* The largest of n numbers, n >= 1; the ends of vectors may overlap. */
QATS_INLINE float largest(const float *row, size_t n)
{
  float most = row[0];
  if (n < LANES) {
    for (size_t i = 1; i < n; i++) most = row[i] > most ? row[i] : most;
    return most;
  }
  VEC a = LOADU(row + n - LANES), b = LOADU(row);
  if (n > 2 * LANES) b = MAX(LOADU(row + n - 2 * LANES), b);
  for (size_t i = 0; i + 2 * LANES <= n; i += 2 * LANES) {
    a = MAX(LOADU(row + i), a);
    b = MAX(LOADU(row + i + LANES), b);
  }
  return HMAX(MAX(a, b));
}

/* A vector of row m in r, at state i: that of row m + rows. last: the vectors before it, of each row. */
QATS_INLINE VEC climb(int rows, VEC r, const float *d, size_t step, VEC *last)
{
  for (int k = 0; k < rows; k++) {
    VEC most = MAX(SHIFT(r, last[k]), r);
    last[k] = r;
    r = ADD(LOADU(d + (size_t)(k + 1) * step), most);
  }
  return r;
}

/* Windows of two states, the usual case: rows m + 1 .. m + rows stay in registers, only the last is stored, over row m
 * or, where m is 1, read from D itself. */
QATS_INLINE void pass(const qats_span *s, size_t m, int rows, float *row, const float *d)
{
  static const float ends[2 * LANES] = { ENDS };
  VEC last[QATS_PASS], none = SET(-INFINITY);
  size_t first = qats_row(s, m), length = qats_row(s, m + (size_t)rows), step = s->step_min;
  size_t i = 0, whole = m == 1 ? first / LANES * LANES : round_up(first);
  const float *from = m == 1 ? d : row;
  if (whole > round_up(length)) whole = round_up(length); /* a state needs none behind it, and D ends there */
  for (int k = 0; k < rows; k++) last[k] = none;
  d += (m - 1) * step;
  for (; i < whole; i += LANES) STORE(row + i, climb(rows, LOADU(from + i), d + i, step, last));
  if (i < first && i < length) {
    VEC r = ADD(LOADU(from + i), LOADU(ends + LANES - (first - whole))); /* 0 to what is of the row, -infinity behind */
    STORE(row + i, climb(rows, r, d + i, step, last));
    i += LANES;
  }
  for (; i < length; i += LANES) STORE(row + i, climb(rows, none, d + i, step, last));
}

QATS_INLINE void judge(const qats_span *s, size_t m, const float *row, eas_qats_peak *peak)
{
  size_t lo, hi;
  if (m < s->rows_least || !qats_ends(s, m, &lo, &hi)) return;
  double score = (double)largest(row + lo, hi - lo + 1) / sqrt((double)(m * s->width));
  if (score > peak->s) *peak = (eas_qats_peak){ score, (uint32_t)m, 0 };
}

/* Steps that differ by one. */
QATS_INLINE void trial_narrow(const qats_span *s, const float *d, float *row, eas_qats_peak *out)
{
  judge(s, 1, d, out);
  for (size_t m = 1; m < s->rows_most;) {
    size_t rows = s->rows_least > m + 1 ? s->rows_least - m : 1; /* a row that is judged is stored */
    if (rows > QATS_PASS) rows = QATS_PASS;
    if (rows == 1) pass(s, m, 1, row, d);
    if (rows == 2) pass(s, m, 2, row, d);
    if (rows == 3) pass(s, m, 3, row, d);
    if (rows == 4) pass(s, m, 4, row, d);
    m += rows;
    judge(s, m, row, out);
  }
}

/* Windows of `spread` + 1 states, few enough to look at each. */
QATS_INLINE void row_direct(float *row, const float *before, const float *d, size_t length, size_t spread)
{
  for (size_t i = 0; i < length; i += LANES) {
    VEC most = LOAD(before + i);
    for (size_t k = 1; k <= spread; k++) most = MAX(LOADU(before + i - k), most);
    STORE(row + i, ADD(LOADU(d + i), most));
  }
}

/* out[i] = the larger of in[i] and in[i - back], from `first` (below 0) on. */
QATS_INLINE void widen(float *out, const float *in, ptrdiff_t first, size_t length, size_t back)
{
  ptrdiff_t end = (ptrdiff_t)length;
  for (ptrdiff_t i = first; i < end; i += LANES) STORE(out + i, MAX(LOADU(in + (i - (ptrdiff_t)back)), LOAD(in + i)));
}

/* Wide windows: maxima of 1, 2, 4, ... states, then two of them that overlap. */
QATS_INLINE void row_doubled(float *row, const float *before, const float *d, size_t length, size_t spread,
                             float *const spare[2])
{
  const float *wide = before;
  size_t size = 1;
  for (int k = 0; 2 * size <= spread + 1; k ^= 1, size *= 2) {
    widen(spare[k], wide, -(ptrdiff_t)round_up(spread + 1 - 2 * size), length, size);
    wide = spare[k];
  }
  size_t back = spread + 1 - size;
  for (size_t i = 0; i < length; i += LANES)
    STORE(row + i, ADD(LOADU(d + i), MAX(LOADU(wide + i - back), LOAD(wide + i))));
}

QATS_INLINE void next_row(float *row, const float *before, const float *d, size_t length, size_t spread,
                          float *const spare[2])
{
  if (spread == 0)
    row_direct(row, before, d, length, 0);
  else if (spread == 2)
    row_direct(row, before, d, length, 2);
  else if (spread <= 4)
    row_direct(row, before, d, length, spread);
  else
    row_doubled(row, before, d, length, spread, spare);
}

QATS_INLINE void trial_wide(const qats_span *s, const float *d, float *work, eas_qats_peak *out)
{
  size_t spread = s->spread < s->n ? s->spread : s->n;
  size_t cells = qats_cells(qats_row_most(s), spread), left = round_up(spread + QATS_PAD / 2);
  float *row[4];
  for (int k = 0; k < 4; k++) {
    row[k] = work + (size_t)k * cells + left;
    fill(row[k] - left, left);
  }
  size_t length = qats_row(s, 1), at = 0;
  for (size_t i = 0; i < length; i += LANES) STORE(row[0] + i, LOADU(d + i));
  fill(row[0] + length, spread + 2 * LANES);
  judge(s, 1, row[0], out);
  for (size_t m = 2; m <= s->rows_most; m++) {
    length = qats_row(s, m);
    next_row(row[at ^ 1], row[at], d + (m - 1) * s->step_min, length, spread, row + 2);
    at ^= 1;
    fill(row[at] + length, spread + 2 * LANES);
    judge(s, m, row[at], out);
  }
}

QATS_TARGET void QATS_NAME(const qats_span *s, const float *d, float *work, eas_qats_peak *out)
{
  *out = (eas_qats_peak){ 0, 0, 0 };
  if (s->spread == 1)
    trial_narrow(s, d, work, out);
  else
    trial_wide(s, d, work, out);
}
