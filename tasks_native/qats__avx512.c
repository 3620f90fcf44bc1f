/* qats__avx512.c: rows of qats by vectors of 16. */
#include <immintrin.h>
#define QATS_NAME qats_fast_avx512
#define QATS_TARGET EAS_TARGET_AVX512
#define VEC __m512
#define LANES 16
#define LOAD _mm512_load_ps
#define LOADU _mm512_loadu_ps
#define STORE _mm512_store_ps
#define STOREU _mm512_storeu_ps
#define ADD _mm512_add_ps
#define MAX _mm512_max_ps
#define SET _mm512_set1_ps
/* r one state on, after the last of `before` */
#define SHIFT(r, before)                                                                                               \
  _mm512_castsi512_ps(_mm512_alignr_epi32(_mm512_castps_si512(r), _mm512_castps_si512(before), 15))
#define HMAX(v) _mm512_reduce_max_ps(v)
#define ENDS                                                                                                           \
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY,    \
      -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY,               \
      -INFINITY /* as many zeros as lanes, then as many of these */
#include "qats_rows.h"
