/* fbls__fold.c: the folding of a base period, level by level. */
#include "fbls_parts.h"

/* out = head + tail turned left by shift. */
EAS_INLINE void add_turned(const float *restrict head, const float *restrict tail, size_t shift, size_t p,
                           float *restrict out)
{
  size_t whole = p - shift;
  for (size_t i = 0; i < whole; i++) out[i] = head[i] + tail[i + shift];
  for (size_t i = whole; i < p; i++) out[i] = head[i] + tail[i - whole];
}

EAS_INLINE void merge(const float *head, size_t m_head, const float *tail, size_t m_tail, size_t p, size_t n_out,
                      size_t stride, float *out)
{
  size_t m1 = m_head + m_tail - 1;
  for (size_t k = 0; k < n_out; k++) {
    size_t s = k * stride, a = (2 * (m_head - 1) * s + m1) / (2 * m1), c = (2 * (m_tail - 1) * s + m1) / (2 * m1);
    add_turned(head + a * p, tail + c * p, (s - c) % p, p, out + k * p);
  }
}

EAS_TARGET_AVX512 static void merge_avx512(const float *head, size_t m_head, const float *tail, size_t m_tail, size_t p,
                                           size_t n_out, size_t stride, float *out)
{
  merge(head, m_head, tail, m_tail, p, n_out, stride, out);
}

EAS_TARGET_AVX2 static void merge_avx2(const float *head, size_t m_head, const float *tail, size_t m_tail, size_t p,
                                       size_t n_out, size_t stride, float *out)
{
  merge(head, m_head, tail, m_tail, p, n_out, stride, out);
}

const float *fbls_fold(int level, const float *in, size_t m, size_t p, size_t n_out, size_t stride, float *out,
                       float *tmp)
{
  if (m == 1) return in;
  size_t m_head = m / 2, m_tail = m - m_head;
  const float *head = fbls_fold(level, in, m_head, p, m_head, 1, tmp, out);
  const float *tail = fbls_fold(level, in + m_head * p, m_tail, p, m_tail, 1, tmp + m_head * p, out + m_head * p);
  if (level == EAS_SIMD_AVX512)
    merge_avx512(head, m_head, tail, m_tail, p, n_out, stride, out);
  else if (level == EAS_SIMD_AVX2)
    merge_avx2(head, m_head, tail, m_tail, p, n_out, stride, out);
  else
    merge(head, m_head, tail, m_tail, p, n_out, stride, out);
  return out;
}

void eas_fbls_fold(const float *rows, size_t m, size_t p, float *out, float *tmp)
{
  const float *made = fbls_fold(eas_simd_level(), rows, m, p, m, 1, out, tmp);
  if (made != out) memcpy(out, made, m * p * sizeof *out);
}
