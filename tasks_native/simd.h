/* simd.h: which vector instructions a kernel's fast paths may use.
 *
 * Chosen when a job is prepared, kept in the job's plan. EAS_SIMD=sse2|avx2|avx512
 * pins a level (a level that the machine lacks falls to the best it has). */
#ifndef EAS_SIMD_H
#define EAS_SIMD_H
#include <stdlib.h>
#include <string.h>

enum { EAS_SIMD_SSE2, EAS_SIMD_AVX2, EAS_SIMD_AVX512 };

#define EAS_TARGET_AVX2 __attribute__((target("avx2,fma")))
#ifdef __clang__
#define EAS_TARGET_AVX512 __attribute__((target("avx2,fma,avx512f,avx512dq,avx512vl,avx512bw")))
#else
#define EAS_TARGET_AVX512 __attribute__((target("avx2,fma,avx512f,avx512dq,avx512vl,avx512bw,prefer-vector-width=512")))
#endif
#define EAS_INLINE static inline __attribute__((always_inline))

static inline int eas_simd_level(void)
{
  int best = EAS_SIMD_SSE2;
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) best = EAS_SIMD_AVX2;
  if (best == EAS_SIMD_AVX2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
    best = EAS_SIMD_AVX512;

  const char *pin = getenv("EAS_SIMD");
  int wanted = best;
  if (pin != NULL && strcmp(pin, "sse2") == 0) wanted = EAS_SIMD_SSE2;
  if (pin != NULL && strcmp(pin, "avx2") == 0) wanted = EAS_SIMD_AVX2;
  return wanted < best ? wanted : best;
}

#endif
