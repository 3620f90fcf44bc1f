/* scratch.c: see scratch.h. */
#include "worker/scratch.h"

#include <fts.h>
#include <stddef.h>
#include <sys/stat.h>

enum { ENTRIES_MAX = 200000, BLOCK = 512 };

int64_t eas_scratch_bytes(const char *path)
{
  char *roots[] = { (char *)(uintptr_t)path, 0 };
  int64_t sum = 0;
  int n = 0;
  FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
  if (!walk) return 0;
  for (FTSENT *e = fts_read(walk); e && n < ENTRIES_MAX; e = fts_read(walk), n++)
    if (e->fts_info == FTS_F || e->fts_info == FTS_D) sum += (int64_t)e->fts_statp->st_blocks * BLOCK;
  fts_close(walk);
  return sum;
}
