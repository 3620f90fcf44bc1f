/* notice.h: hears of changes under the packs' folders (inotify), so that an edited script is used by the next attempt. */
#ifndef EAS_WORKER_NOTICE_H
#define EAS_WORKER_NOTICE_H
#include "base/loop.h"

typedef struct eas_notice eas_notice;

/* Watches tasks_lua, qc_lua (with lib) and native of each pack, and calls fn when a file was written, moved or
 * removed. NULL when inotify cannot be had: code then changes by SIGHUP only. */
eas_notice *eas_notice_open(eas_loop *loop, const char *const *packs, eas_loop_fn *fn, void *arg);
void eas_notice_close(eas_notice *n);

#endif
