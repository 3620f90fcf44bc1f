/* zygote_memory.c: makes the prepared memory cheap to clone: fewer pages that a child must copy. */
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>

#include "worker/zygote_own.h"

enum { LARGEST = 96 << 10, CACHED = 1040, MOST = 8 << 20 };

/* What lies free among the blocks in use is taken out of use: a child that got it would write into page after page,
 * each of them a copy. So what children allocate comes from the end of the heap, side by side. */
void eas_memory_settle(void)
{
  malloc_trim(0);
  void *large = malloc(LARGEST); /* so large that it is of the end */
  uintptr_t end = (uintptr_t)large;
  size_t plugged = 0; /* another allocator, as that of ASan, may have no such end */
  free(large);
  for (size_t size = LARGEST - 8; size >= 24; size -= 16) {
    void *p;
    while ((p = malloc(size)) != NULL && (uintptr_t)p < end && plugged < MOST) plugged += size;
    if (plugged >= MOST) return;
    if (size > CACHED) free(p); /* small ones would be kept for the next of their size, here */
  }
}
