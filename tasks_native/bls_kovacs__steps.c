/* bls_kovacs__steps.c: the fold of one trial from that of the trial before.
 *
 * From one frequency of an even grid to the next a sample's phase moves by a small part of a bin: most samples stay in theirs.
 * A sample at x crosses into the next bin where its place x g, g = bins frequency, passes a whole number k, which is at trial
 * (k / x - g0) / dg. So all crossings of a block of trials are found by one pass over the samples, counted at the trial and
 * at the edge where they happen, and each trial's bins are those before it plus what crossed: n bins dg span / 2 additions a
 * trial instead of n. Sums are kept in 64-bit fixed point: they are exact whatever the order, so that a trial's bins do not depend
 * on where a call began. Where a crossing is so near to a trial that rounding decides, that trial is left to the definition's own
 * fold; between two trials nothing is looked at, so there rounding does no harm. */
#include <immintrin.h>
#include "bls_kovacs_parts.h"

enum {
  LANES = 8,
  CHUNK = 256 /* samples */,
  BLOCK_MOST = 256 /* trials */,
  CELLS_MOST = 16384 /* of a block: they stay in the cache */
};

static const double crossings_most = 0.9; /* of a sample in a block */
static const double far_away = 2e9;       /* trials: later than any */

typedef int64_t pair __attribute__((vector_size(16))); /* sum and count */

typedef struct {
  size_t at, end; /* trials of the block; the bins are those of the trial before `at` */
  size_t start;   /* of the block */
  double *next;   /* [n] edge that a sample crosses next: a whole number */
  int32_t *edge;  /* [n] the same among the bins */
  pair *bin;      /* [bins + 1] the last repeats nothing: room for whole vectors */
  pair *crossed;  /* [block][bins + 1] at an edge; the last is the first again */
  uint8_t *doubt; /* [block] */
} steps_state;

/* First frequency and step, in edges a day; 0 if the grid is not even. */
static int even_grid(const eas_bls_kovacs_job *job, kovacs_steps *out)
{
  const double *f = job->frequency;
  size_t n = job->n_frequency;
  if (n < 2 || (double)n >= far_away / 2 || !(f[n - 1] > f[0])) return 0;
  double step = (f[n - 1] - f[0]) / (double)(n - 1), bins = (double)job->set.bins;
  for (size_t i = 0; i < n; i++)
    if (!(fabs(f[i] - (f[0] + (double)i * step)) <= 1e-15 * f[n - 1])) return 0;
  *out = (kovacs_steps){ .first = f[0] * bins, .step = step * bins };
  return 1;
}

int kovacs_steps_find(const eas_bls_kovacs_job *job, kovacs_steps *out)
{
  if (!even_grid(job, out)) return 0;
  double span = job->time[job->n - 1] - job->time[0], trials = (double)job->n_frequency;
  double edges = (out->first + 0.5 * trials * out->step) * span, moved = span * out->step;
  if (!(moved <= crossings_most)) return 0;
  double block = fmin(fmin(crossings_most / moved, BLOCK_MOST), CELLS_MOST / (double)job->set.bins);
  out->block = block < 1 ? 1 : (size_t)block;
  out->doubt = 4e-15 * (out->first + trials * out->step) * span + 1e-12;
  /* the slowest sample that crosses an edge at all moves by far more than what rounding takes for the same */
  if (!(out->step > 8 * out->doubt * (out->first + trials * out->step))) return 0;
  return job->set.path == EAS_BLS_KOVACS_PATH_STEPS || (double)job->n * moved <= edges;
}

size_t kovacs_steps_size(const eas_bls_kovacs_job *job)
{
  return kovacs_round(job->n) * (sizeof(double) + sizeof(pair));
}

int kovacs_steps_prepare(kovacs_plan *plan, void *memory)
{
  kovacs_steps *s = &plan->steps;
  size_t n = plan->setup.job->n;
  double scale = kovacs_scale(plan->v, n), *inverse = memory;
  if (scale == 0 || !kovacs_steps_find(plan->setup.job, s)) return 0;
  int64_t *move = (int64_t *)(void *)(inverse + kovacs_round(n));
  for (size_t i = 0; i < kovacs_round(n); i++) {
    inverse[i] = i > 0 && i < n ? 1 / plan->x[i] : 1e300; /* what never crosses an edge does so at the end of time */
    move[2 * i] = i < n ? llrint(plan->v[i] * scale) : 0;
    move[2 * i + 1] = i < n;
  }
  s->inverse = inverse;
  s->move = move;
  s->unscale = 1 / scale;
  return 1;
}

static size_t row_of(const kovacs_plan *plan)
{
  return plan->setup.bins + 1;
}

/* Scratch as one thread sees it; returns its size. memory may be NULL. */
static size_t lay_out(const kovacs_plan *plan, char *memory, steps_state *s)
{
  size_t n = kovacs_round(plan->setup.job->n), row = (row_of(plan) + 3) / 4 * 4, at = (sizeof *s + 63) / 64 * 64;
  *s = (steps_state){ 0 };
  if (memory != NULL) {
    s->next = (double *)(void *)(memory + at);
    s->edge = (int32_t *)(void *)(s->next + n);
    s->bin = (pair *)(void *)(s->edge + n);
    s->crossed = s->bin + row;
    s->doubt = (uint8_t *)(s->crossed + plan->steps.block * row_of(plan));
  }
  at += n * (sizeof(double) + sizeof(int32_t)) + (row + plan->steps.block * row_of(plan)) * sizeof(pair) +
        plan->steps.block;
  return (at + 63) / 64 * 64;
}

size_t kovacs_steps_work(const kovacs_plan *plan)
{
  steps_state s;
  return lay_out(plan, NULL, &s);
}

/* The bins half a step before trial i, from nothing. */
EAS_INLINE void begin(const kovacs_plan *plan, size_t i, void *work)
{
  steps_state *s = work;
  size_t bins = plan->setup.bins;
  double whole = (double)bins, g = plan->steps.first + ((double)i - 0.5) * plan->steps.step;
  lay_out(plan, work, s);
  s->at = s->end = i;
  memset(s->bin, 0, row_of(plan) * sizeof *s->bin);
  for (size_t k = 0; k < kovacs_round(plan->setup.job->n); k++) {
    double place = floor(plan->x[k] * g);
    size_t b = (size_t)(place - whole * floor(place / whole));
    if (b >= bins) b = 0; /* a quotient rounded up to a whole number, or down from it */
    s->bin[b] += *(const pair *)(const void *)(plan->steps.move + 2 * k);
    s->next[k] = place + 1;
    s->edge[k] = (int32_t)(b + 1 < bins ? b + 1 : 0);
  }
}

EAS_TARGET_AVX512 static void begin_avx512(const kovacs_plan *plan, size_t i, void *work)
{
  begin(plan, i, work);
}

EAS_TARGET_AVX2 static void begin_avx2(const kovacs_plan *plan, size_t i, void *work)
{
  begin(plan, i, work);
}

void kovacs_steps_begin(const kovacs_plan *plan, size_t i, void *work)
{
  if (plan->level == EAS_SIMD_AVX512)
    begin_avx512(plan, i, work);
  else if (plan->level == EAS_SIMD_AVX2)
    begin_avx2(plan, i, work);
  else
    begin(plan, i, work);
}

/* When samples i .. i + CHUNK cross their next edge, in trials since the block's start; whether rounding decides for one. */
EAS_INLINE int32_t find_crossings(const kovacs_steps *t, const steps_state *s, size_t i, size_t m,
                                  double *restrict late, int32_t *restrict when)
{
  const double *restrict next = s->next + i, *restrict inverse = t->inverse + i;
  double first = t->first, per_step = 1 / t->step, start = (double)s->start, near = t->doubt * per_step;
  int32_t block = (int32_t)(s->end - s->start), doubtful = 0;
  for (size_t k = 0; k < m; k++) {
    double p = (next[k] * inverse[k] - first) * per_step;
    p = p < far_away ? p : far_away;
    p -= start;
    int32_t q = (int32_t)p;
    q += (double)q < p;
    double before = (double)q - p, slack = near * inverse[k]; /* 0 <= before < 1 */
    doubtful |= ((before < slack) | (1 - before < slack)) & (q <= block);
    when[k] = q;
    late[k] = before;
  }
  return doubtful;
}

static void mark_doubt(const kovacs_steps *t, const steps_state *s, size_t i, size_t m, const double *late,
                       const int32_t *when)
{
  int32_t block = (int32_t)(s->end - s->start);
  for (size_t k = 0; k < m; k++) {
    double slack = t->doubt / t->step * t->inverse[i + k];
    if (when[k] < block && late[k] < slack) s->doubt[when[k] < 0 ? 0 : when[k]] = 1;
    if (when[k] > 0 && when[k] <= block && 1 - late[k] < slack) s->doubt[when[k] - 1] = 1;
  }
}

/* Writes the k < m with when[k] < block into list, which has room for a vector more; how many. m: whole vectors. */
typedef size_t list_early(const int32_t *when, size_t m, int32_t block, uint32_t *list);

EAS_INLINE size_t list_plain(const int32_t *when, size_t m, int32_t block, uint32_t *list)
{
  size_t found = 0;
  for (size_t k = 0; k < m; k++) {
    list[found] = (uint32_t)k;
    found += when[k] < block;
  }
  return found;
}

EAS_TARGET_AVX512 static size_t list_avx512(const int32_t *when, size_t m, int32_t block, uint32_t *list)
{
  const __m512i end = _mm512_set1_epi32(block), step = _mm512_set1_epi32(2 * LANES);
  __m512i k = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  size_t found = 0;
  for (size_t i = 0; i < m; i += 2 * LANES, k = _mm512_add_epi32(k, step)) {
    __mmask16 early = _mm512_cmplt_epi32_mask(_mm512_loadu_si512(when + i), end);
    _mm512_storeu_si512(list + found, _mm512_maskz_compress_epi32(early, k));
    found += (size_t)__builtin_popcount(early);
  }
  return found;
}

/* Counts what crosses in the block. */
EAS_INLINE void cross(const kovacs_plan *plan, const steps_state *s, list_early *list_them)
{
  const kovacs_steps *t = &plan->steps;
  size_t n = kovacs_round(plan->setup.job->n), row = row_of(plan);
  int32_t block = (int32_t)(s->end - s->start), bins = (int32_t)plan->setup.bins, when[CHUNK];
  uint32_t list[CHUNK + 2 * LANES];
  double late[CHUNK];
  for (size_t i = 0; i < n; i += CHUNK) {
    size_t m = n - i < CHUNK ? n - i : CHUNK;
    if (find_crossings(t, s, i, m, late, when)) mark_doubt(t, s, i, m, late, when);
    size_t found = list_them(when, m, block, list);
    for (size_t e = 0; e < found; e++) {
      size_t k = i + list[e];
      int32_t q = when[list[e]], edge = s->edge[k];
      s->crossed[(size_t)(q > 0 ? q : 0) * row + (size_t)edge] += *(const pair *)(const void *)(t->move + 2 * k);
      s->next[k] += 1;
      s->edge[k] = edge + 1 < bins ? edge + 1 : 0;
    }
  }
}

/* Bins of the next trial, as numbers; behind the last one y and c are written to a whole vector. */
typedef void step_to(const kovacs_plan *plan, const steps_state *s, double *restrict y, double *restrict c);

EAS_INLINE void step_plain(const kovacs_plan *plan, const steps_state *s, double *restrict y, double *restrict c)
{
  size_t bins = plan->setup.bins;
  pair *crossed = s->crossed + (s->at - s->start) * row_of(plan);
  int64_t *restrict bin = (int64_t *)(void *)s->bin;
  crossed[bins] = crossed[0];
  const int64_t *restrict over = (const int64_t *)(const void *)crossed;
  for (size_t b = 0; b < bins; b++) {
    bin[2 * b] += over[2 * b] - over[2 * b + 2];
    bin[2 * b + 1] += over[2 * b + 1] - over[2 * b + 3];
    y[b] = (double)bin[2 * b] * plan->steps.unscale;
    c[b] = (double)bin[2 * b + 1];
  }
}

EAS_TARGET_AVX512 static void step_avx512(const kovacs_plan *plan, const steps_state *s, double *restrict y,
                                          double *restrict c)
{
  const __m512i sums = _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14),
                counts = _mm512_setr_epi64(1, 3, 5, 7, 9, 11, 13, 15);
  const __m512d unscale = _mm512_set1_pd(plan->steps.unscale);
  size_t bins = plan->setup.bins;
  pair *crossed = s->crossed + (s->at - s->start) * row_of(plan);
  crossed[bins] = crossed[0];
  for (size_t b = 0; b < bins; b += LANES) {
    unsigned both = bins - b < LANES ? (1u << 2 * (bins - b)) - 1 : 0xffffu;
    __m512d half[2];
    for (size_t k = 0; k < 2; k++) {
      __mmask8 take = (__mmask8)(both >> 8 * k & 0xffu);
      pair *bin = s->bin + b + 4 * k, *over = crossed + b + 4 * k;
      __m512i gained = _mm512_sub_epi64(_mm512_maskz_loadu_epi64(take, over), _mm512_maskz_loadu_epi64(take, over + 1));
      __m512i now = _mm512_add_epi64(_mm512_maskz_loadu_epi64(take, bin), gained);
      _mm512_mask_storeu_epi64(bin, take, now);
      half[k] = _mm512_cvtepi64_pd(now);
    }
    _mm512_storeu_pd(y + b, _mm512_mul_pd(_mm512_permutex2var_pd(half[0], sums, half[1]), unscale));
    _mm512_storeu_pd(c + b, _mm512_permutex2var_pd(half[0], counts, half[1]));
  }
}

EAS_INLINE int next_trial(const kovacs_plan *plan, size_t i1, steps_state *s, double *y, double *c,
                          list_early *list_them, step_to *step_on)
{
  if (s->at == s->end) {
    size_t block = i1 - s->at < plan->steps.block ? i1 - s->at : plan->steps.block;
    s->start = s->at;
    s->end = s->at + block;
    memset(s->crossed, 0, block * row_of(plan) * sizeof *s->crossed);
    memset(s->doubt, 0, block);
    cross(plan, s, list_them);
  }
  int sure = s->doubt[s->at - s->start] == 0;
  step_on(plan, s, y, c);
  s->at++;
  return sure;
}

EAS_TARGET_AVX512 static int next_avx512(const kovacs_plan *plan, size_t i1, steps_state *s, double *y, double *c)
{
  return next_trial(plan, i1, s, y, c, list_avx512, step_avx512);
}

EAS_TARGET_AVX2 static int next_avx2(const kovacs_plan *plan, size_t i1, steps_state *s, double *y, double *c)
{
  return next_trial(plan, i1, s, y, c, list_plain, step_plain);
}

int kovacs_steps_fold(const kovacs_plan *plan, size_t i1, double *y, double *c, void *work)
{
  if (plan->level == EAS_SIMD_AVX512) return next_avx512(plan, i1, work, y, c);
  if (plan->level == EAS_SIMD_AVX2) return next_avx2(plan, i1, work, y, c);
  return next_trial(plan, i1, work, y, c, list_plain, step_plain);
}
