/* eas_native.h: what all kernels share: return codes, visibility.
 *
 * A kernel is libc and libm only; it knows nothing of the engine. Every kernel
 * NAME has NAME_job, NAME_check, NAME_work_size and NAME_run in the form that
 * docs/kernels.md describes, so that one pool can cut its range over threads. */
#ifndef EAS_NATIVE_H
#define EAS_NATIVE_H

#ifndef EAS_CDEF
#include <stddef.h>
#include <stdint.h>
#define EAS_EXPORT __attribute__((visibility("default")))

/* Hidden from cdef: LuaJIT refuses a second declaration of a constant, and
 * every kernel's header includes this one. eas.native has the codes for Lua. */
enum {
  EAS_OK = 0,     /* done */
  EAS_EARG = -1,  /* a setting or a size is outside of what the kernel takes */
  EAS_EDATA = -2, /* an array holds what it must not (NaN, unsorted time, ...) */
  EAS_EFEW = -3,  /* too few points */
  EAS_EGRID = -4, /* nothing to search */
  EAS_NONE = -5   /* no candidate: results are NaN */
};
#else
#define EAS_EXPORT
#endif

#endif
