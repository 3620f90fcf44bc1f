/* fbls__fold.c: the folding of a base period, level by level. */
#include "fbls_parts.h"

enum { LANES = 16 };
typedef float lanes __attribute__((vector_size(4 * LANES), aligned(4)));

EAS_INLINE void add(const float *a, const float *b, size_t n, float *out)
{
  for (size_t i = 0; i < n; i += LANES)
    *(lanes *)(void *)(out + i) = *(const lanes *)(const void *)(a + i) + *(const lanes *)(const void *)(b + i);
}

/* out = head + tail turned left by shift. In whole vectors: what that writes behind the end is overwritten by what comes next, or is
 * the room behind the last row (FBLS_LANES). Rows are short, and ends one by one would take longer than the rest. */
EAS_INLINE void add_turned(const float *head, const float *tail, size_t shift, size_t p, float *out)
{
  size_t whole = p - shift;
  add(head, tail + shift, whole, out);
  add(head + whole, tail, shift, out + whole);
}

/* Rows a and c of head and tail for s: floor(((m_head - 1) s) / m1 + 1/2), and the same of the tail, without a division. */
EAS_INLINE void merge(const float *head, size_t m_head, const float *tail, size_t m_tail, size_t p, size_t n_out,
                      size_t stride, float *out)
{
  size_t m1 = m_head + m_tail - 1, rest_a = m1, rest_c = m1, turn = 0;
  for (size_t k = 0; k < n_out; k++) {
    add_turned(head, tail, turn, p, out + k * p);
    for (rest_a += 2 * (m_head - 1) * stride; rest_a >= 2 * m1; rest_a -= 2 * m1) head += p;
    turn += stride;
    for (rest_c += 2 * (m_tail - 1) * stride; rest_c >= 2 * m1; rest_c -= 2 * m1) {
      tail += p;
      turn--;
    }
    while (turn >= p) turn -= p;
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
