/* exotrans.h: the filters of an EXOTRANS-like search: wavelets that take variability off and leave transits.
 *
 * Grziwa, Paetzold & Carone 2012 (MNRAS 420, 1045) and Grziwa & Paetzold 2016 (arXiv:1607.08417) describe EXOTRANS; its
 * wavelets, levels and thresholds are not public, so those here are this project's own: the a-trous transform with the
 * B3 spline ("starlet", Starck & Murtagh). c_0 = y; c_(j+1) is c_j smoothed with (1 4 6 4 1) / 16 at steps of 2^j, ends
 * mirrored; details are differences, so that y = c_J + sum of details. The trend of a piece is c_J, found in turns:
 * what lies over three sigma from it, and dips that do in their means, have no part in the next, so that transits do not
 * draw it down.
 * Pieces are independent: [i0, i1) may be cut over threads and calls, and the result is the same bit for bit.
 * No allocation, no I/O, no threads, no state that changes. */
#ifndef EAS_NATIVE_EXOTRANS_H
#define EAS_NATIVE_EXOTRANS_H
#include "eas_native.h"

typedef struct {         /* all borrowed; no array may overlap another */
  size_t n, n_piece;     /* >= 1 */
  const double *y;       /* [n] even cadence; finite where not masked */
  const uint8_t *mask;   /* [n] not 0: no sample: interpolated over; NULL: none */
  const uint32_t *piece; /* [n_piece + 1] first sample of each piece, then n; rising, the first 0 */
  int levels;            /* J, 1 .. 30; fewer in a piece shorter than 8 2^J */
  double *trend;         /* [n] unit of y; NaN in a piece without samples */
} eas_exotrans_job;

/* EAS_OK, EAS_EFEW (n), EAS_EARG (NULL, levels, pieces), EAS_EDATA (not finite where not masked). */
EAS_EXPORT int eas_exotrans_check(const eas_exotrans_job *job);

/* Bytes of scratch, aligned to 64, that one call of eas_exotrans_run needs: grows with the longest piece. */
EAS_EXPORT size_t eas_exotrans_work_size(const eas_exotrans_job *job);

/* Trend of pieces i0 <= i < i1 of a checked job. Returns EAS_OK. */
EAS_EXPORT int eas_exotrans_run(const void *job, size_t i0, size_t i1, void *work);

/* One level: out[n] is in[n] smoothed at steps of 2^level, 0 .. 30; ends mirrored, or periodic. in and out differ. */
EAS_EXPORT void eas_exotrans_smooth(const double *in, size_t n, int level, int periodic, double *out);

/* Jumps that last: where the means of `width` samples on both sides differ by over 7 sigma, by most of it already over a
 * quarter of the width, and no opposite jump follows or goes before within 2 widths (that would be a transit). Writes the first sample
 * behind each into at[max], in order; returns how many. sigma: of y's samples; scratch [2 n]. */
EAS_EXPORT size_t eas_exotrans_jumps(const double *y, const uint8_t *mask, size_t n, size_t width, double sigma,
                                     uint32_t *at, size_t max, double *scratch);

#endif
