/* zygote_memory.c: makes the prepared memory cheap to clone: fewer mappings, and fewer pages that a child must copy. */
#include <fcntl.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "worker/zygote_own.h"

#if defined(__SANITIZE_ADDRESS__)
enum { WITH_ASAN = 1 };
#else
enum { WITH_ASAN = 0 };
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

enum { MAPPINGS = 256, HUGE_PAGE = 2 << 20 };

static const char NO_FILE[] = "00:00 0";
static uintptr_t heap; /* where it begins; 0: not known */

typedef struct {
  uintptr_t from, to;
  char rights[5], file[32]; /* file: device and inode */
} mapping;

enum { LARGEST = 96 << 10, CACHED = 1040, MOST = 8 << 20 };

/* What lies free among the blocks in use is taken out of use: a child that got it would write into page after page,
 * each of them a copy. So what children allocate comes from the end of the heap, side by side. */
static void plug_heap(void)
{
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

static int read_mappings(int proc_self, mapping *m)
{
  char line[4200];
  int n = 0, fd = proc_self < 0 ? -1 : openat(proc_self, "maps", O_RDONLY | O_CLOEXEC);
  FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
  while (f && n < MAPPINGS && fgets(line, sizeof line, f)) {
    unsigned long from, to;
    char device[16], inode[16];
    if (sscanf(line, "%lx-%lx %4s %*s %15s %15s", &from, &to, m[n].rights, device, inode) != 5) continue;
    m[n].from = from;
    m[n].to = to;
    snprintf(m[n++].file, sizeof m->file, "%s %s", device, inode);
  }
  if (f) fclose(f);
  return n;
}

/* The same file goes on, with these rights. */
static int goes_on(const mapping *a, const mapping *b, const char *rights)
{
  return a->to == b->from && strcmp(a->file, b->file) == 0 && strcmp(b->rights, rights) == 0;
}

/* This program's own code, copied into huge pages: a clone takes over one entry of a table for each of them, where it had a
 * fault for every 64 KB. The copy comes to the place of what it is the same as, in one step. */
static void copy_code(uintptr_t from, uintptr_t to)
{
  uintptr_t here = (uintptr_t)copy_code, at = (from + HUGE_PAGE - 1) & ~((uintptr_t)HUGE_PAGE - 1);
  size_t size = at < to ? (to - at) & ~((size_t)HUGE_PAGE - 1) : 0;
  if (WITH_ASAN || size == 0 || here < from || here >= to) return;
  char *room = mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (room == MAP_FAILED) return;
  uintptr_t aligned = ((uintptr_t)room + HUGE_PAGE - 1) & ~((uintptr_t)HUGE_PAGE - 1);
  char *copy = room + (aligned - (uintptr_t)room);
  int huge = madvise(copy, size, MADV_HUGEPAGE) == 0;
  if (huge) memcpy(copy, (const void *)at, size);
  if (huge && madvise(copy, size, MADV_COLLAPSE) == 0 && mprotect(copy, size, PROT_READ | PROT_EXEC) == 0)
    mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)at); /* refused: all is as it was */
  else
    munmap(copy, size);
  if (copy > room) munmap(room, (size_t)(copy - room));
  munmap(copy + size, HUGE_PAGE - (size_t)(copy - room));
}

/* A shared library is mapped in five pieces. Its tables before and behind the code are only read, as the code is: with the
 * same rights they are one mapping. What is set up once and read then stays as it is, before what is written. */
static void join_code(int proc_self)
{
  mapping *m = eas_alloc(MAPPINGS * sizeof *m);
  int n = read_mappings(proc_self, m);
  for (int i = 0; i < n; i++) {
    if (strcmp(m[i].rights, "r-xp") != 0 || strcmp(m[i].file, NO_FILE) == 0) continue;
    int first = i, last = i;
    if (i > 0 && strcmp(m[i - 1].rights, "r--p") == 0 && goes_on(&m[i - 1], &m[i], "r-xp")) first--;
    if (i + 2 < n && goes_on(&m[i], &m[i + 1], "r--p") && !goes_on(&m[i + 1], &m[i + 2], "rw-p")) last++;
    if (first < last) mprotect((void *)m[first].from, m[last].to - m[first].from, PROT_READ | PROT_EXEC);
    copy_code(m[first].from, m[last].to);
  }
  free(m);
}

/* The heap begins where a huge page may. */
void eas_memory_begin(void)
{
  uintptr_t end = (uintptr_t)sbrk(0), whole = (end + HUGE_PAGE - 1) & ~((uintptr_t)HUGE_PAGE - 1);
  if (end != UINTPTR_MAX && sbrk((intptr_t)(whole - end)) != (void *)-1) heap = whole;
}

/* The heap in one huge page: a clone takes over the tables of its parts together, and drops them together. What is left of it
 * is the heap's too; a block behind it keeps it from being given back. */
static void join_heap(void)
{
  enum { MOST_BLOCKS = HUGE_PAGE / LARGEST + 2 };
  void *block[MOST_BLOCKS];
  int n = 0;
  if (!heap) return;
  do block[n] = malloc(LARGEST);
  while ((uintptr_t)block[n++] < heap + HUGE_PAGE && n < MOST_BLOCKS);
  if ((uintptr_t)block[n - 1] - heap < 2 * HUGE_PAGE) madvise((void *)heap, HUGE_PAGE, MADV_COLLAPSE); /* a hint */
  for (int i = 0; i < n - 1; i++) free(block[i]);
}

void eas_memory_settle(int proc_self)
{
  join_code(proc_self);
  malloc_trim(0);
  join_heap();
  plug_heap();
}
