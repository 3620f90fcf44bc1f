/* zygote_wire.h: messages between supervisor and zygote, over a SOCK_SEQPACKET pair. Both sides are the same binary.
 *
 * First the policy (JSON) and its answer (JSON: layers, reasons, or an error). Then for each child a head with
 * descriptors and its strings (one after another, zero-terminated, the request last); where they are long, in a memfd. */
#ifndef EAS_WORKER_ZYGOTE_WIRE_H
#define EAS_WORKER_ZYGOTE_WIRE_H
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sandbox/sandbox.h"

enum {
  EAS_WIRE_SOCKET = 3,         /* descriptor of the zygote's end */
  EAS_WIRE_INLINE = 32 * 1024, /* longer strings go by memfd */
  EAS_WIRE_POLICY = 64 * 1024,
  EAS_WIRE_FDS = 8
};
enum {
  EAS_WIRE_EVENTS,
  EAS_WIRE_OUTPUT,
  EAS_WIRE_ERRORS,
  EAS_WIRE_PAGE,
  EAS_WIRE_FIXED
}; /* then groups, then the memfd */

typedef struct {
  int32_t slot, n_readable, n_groups, in_memfd;
  uint64_t strings, request; /* bytes: all strings with the request and its zero; the request alone */
  eas_limits limits;
} eas_wire_spawn;

typedef struct {
  int64_t started_us; /* eas_tick_us of the clone */
  int32_t pid, error;
} eas_wire_answer; /* error: an errno, or 0 and a pidfd comes along */

/* Sends head (and body, may be empty) with descriptors. 0 or -errno. */
int eas_wire_send(int fd, const void *head, size_t n_head, const void *body, size_t n_body, const int *fds, int n_fds);
/* Receives one message into data; *n_fds: room in, number out; descriptors are close-on-exec. Bytes, 0 at the end, or -errno
 * (-EMSGSIZE: it did not fit; its descriptors are closed). */
ssize_t eas_wire_receive(int fd, void *data, size_t size, int *fds, int *n_fds);

#endif
