/* lc_blocks.h: text in blocks of whole lines and a rest; gzip is inflated by a thread of its own, one or two
 * blocks ahead. Private to lightcurve/. */
#ifndef EAS_LIGHTCURVE_LC_BLOCKS_H
#define EAS_LIGHTCURVE_LC_BLOCKS_H
#include "lightcurve/lc_bytes.h"

enum { EAS_BLOCK = 256 << 10, EAS_BLOCK_REST = 64 << 10, EAS_BLOCK_PAD = 64 };

typedef struct eas_blocks eas_blocks;

/* Over borrowed bytes. Small files, one processor, or no thread to be had: reads in the caller's thread. */
eas_blocks *eas_blocks_open(eas_bytes *bytes);
void eas_blocks_close(eas_blocks *b);

/* The next block, with rest[n_rest] of the last one (n_rest <= EAS_BLOCK_REST, ends where that ended) before
 * it: 1 with *data and *n set, EAS_BLOCK_PAD bytes may be written after; 0 at the end, then *data is the rest; or an
 * EAS_E code. *data holds until the next call. */
int eas_blocks_next(eas_blocks *b, const char *rest, size_t n_rest, char **data, size_t *n, eas_err *err);

#endif
