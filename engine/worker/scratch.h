/* scratch.h: how much an attempt has written, looked at while it runs. */
#ifndef EAS_WORKER_SCRATCH_H
#define EAS_WORKER_SCRATCH_H
#include <stdint.h>

/* Bytes on disk below a folder; links are not followed, other disks not entered, at most 200 000 entries looked at. */
int64_t eas_scratch_bytes(const char *path);

#endif
