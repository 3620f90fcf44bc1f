/* qats__sse2.c: rows of qats by vectors of 4. */
#include <immintrin.h>
#define QATS_NAME qats_fast_sse2
#define QATS_TARGET
#define VEC __m128
#define LANES 4
#define LOAD _mm_load_ps
#define LOADU _mm_loadu_ps
#define STORE _mm_store_ps
#define STOREU _mm_storeu_ps
#define ADD _mm_add_ps
#define MAX _mm_max_ps
#define SET _mm_set1_ps
/* r one state on, after the last of `before` */
#define SHIFT(r, before)                                                                                               \
  _mm_castsi128_ps(_mm_or_si128(_mm_slli_si128(_mm_castps_si128(r), 4), _mm_srli_si128(_mm_castps_si128(before), 12)))
#define HMAX(v) largest_of_4(v)
#define ENDS 0, 0, 0, 0, -INFINITY, -INFINITY, -INFINITY, -INFINITY /* as many zeros as lanes, then as many of these */
#include "qats_rows.h"
