/* qats__avx2.c: rows of qats by vectors of 8. */
#include <immintrin.h>
#define QATS_NAME qats_fast_avx2
#define QATS_TARGET EAS_TARGET_AVX2
#define VEC __m256
#define LANES 8
#define LOAD _mm256_load_ps
#define LOADU _mm256_loadu_ps
#define STORE _mm256_store_ps
#define STOREU _mm256_storeu_ps
#define ADD _mm256_add_ps
#define MAX _mm256_max_ps
#define SET _mm256_set1_ps
/* r one state on, after the last of `before` */
#define SHIFT(r, before)                                                                                               \
  _mm256_castsi256_ps(                                                                                                 \
      _mm256_alignr_epi8(_mm256_castps_si256(r), _mm256_castps_si256(_mm256_permute2f128_ps(before, r, 0x21)), 12))
#define HMAX(v) largest_of_4(_mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1)))
#define ENDS                                                                                                           \
  0, 0, 0, 0, 0, 0, 0, 0, -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY,                 \
      -INFINITY /* as many zeros as lanes, then as many of these */
#include "qats_rows.h"
