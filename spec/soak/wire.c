/* wire.c: hosts on one machine, each a network namespace, and the wires between them; compiled and run by hosts.lua.
 *
 *   wire TABLE N     N hosts 10.77.0.1 to N. Prints "PID FD1 ... FDN": /proc/PID/fd/FDi is the namespace of host i.
 *
 * Each host has one device (tun) for 10.77.0.0/24, and every packet of it comes by here. What happens to it stands in
 * TABLE, a file of N x N entries that others change as they like while this runs: from row to column. So a link is cut
 * without anybody being told, as by a cable that is pulled; packets are late or lost for the kernel's real TCP, on
 * machines without a queueing discipline for it. Namespaces, devices and packets end with this process, and it with its
 * standard input. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 32, MTU = 1500, MOST_WAITING = 20000 };

typedef struct {
  int32_t cut, delay_us, loss; /* loss: of a thousand */
  int32_t dropped;             /* counted here */
} link_state;

typedef struct packet {
  struct packet *next;
  int64_t due;
  int to;
  ssize_t n;
  unsigned char bytes[MTU + 64];
} packet;

static packet *waiting; /* by due */
static int n_waiting, tun[MOST], n_hosts;
static link_state *table;

static void die(const char *what)
{
  perror(what);
  exit(1);
}

static int64_t now_us(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void address(struct ifreq *r, const char *text)
{
  struct sockaddr_in a = { .sin_family = AF_INET };
  inet_pton(AF_INET, text, &a.sin_addr);
  memcpy(&r->ifr_addr, &a, sizeof a);
}

static void up(int sock, struct ifreq *r)
{
  r->ifr_flags = IFF_UP | IFF_RUNNING;
  if (ioctl(sock, SIOCSIFFLAGS, r) < 0) die("bring a device up");
}

/* A namespace of its own for host i; this process goes into it. */
static int make_host(int i)
{
  char text[32];
  if (unshare(CLONE_NEWNET) < 0) die("unshare");
  int ns = open("/proc/self/ns/net", O_RDONLY), sock = socket(AF_INET, SOCK_DGRAM, 0);
  struct ifreq lo = { .ifr_name = "lo" }, dev = { .ifr_name = "wire", .ifr_flags = IFF_TUN | IFF_NO_PI };
  up(sock, &lo);
  tun[i] = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
  if (ns < 0 || tun[i] < 0 || ioctl(tun[i], TUNSETIFF, &dev) < 0) die("/dev/net/tun");
  snprintf(text, sizeof text, "10.77.0.%d", i + 1);
  address(&dev, text);
  if (ioctl(sock, SIOCSIFADDR, &dev) < 0) die("address");
  address(&dev, "255.255.255.0");
  if (ioctl(sock, SIOCSIFNETMASK, &dev) < 0) die("netmask");
  up(sock, &dev);
  close(sock);
  return ns;
}

static void deliver(packet *p)
{
  if (write(tun[p->to], p->bytes, (size_t)p->n) < 0 && n_hosts < 0) die("write"); /* a full device drops, as wires do */
  free(p);
}

static void put(packet *p, int from)
{
  link_state *l = &table[from * n_hosts + p->to];
  if (l->cut || random() % 1000 < l->loss || n_waiting >= MOST_WAITING) {
    l->dropped++;
    free(p);
    return;
  }
  if (l->delay_us <= 0) {
    deliver(p);
    return;
  }
  p->due = now_us() + l->delay_us;
  packet **at = &waiting;
  while (*at && (*at)->due <= p->due) at = &(*at)->next;
  p->next = *at;
  *at = p;
  n_waiting++;
}

static void take(int from)
{
  for (;;) {
    packet *p = malloc(sizeof *p);
    p->n = read(tun[from], p->bytes, sizeof p->bytes);
    const unsigned char *b = p->bytes; /* IPv4: destination in bytes 16 to 19 */
    p->to = p->n >= 20 && b[0] >> 4 == 4 && b[16] == 10 && b[17] == 77 && b[18] == 0 ? b[19] - 1 : -1;
    if (p->n > 0 && p->to >= 0 && p->to < n_hosts) {
      put(p, from);
      continue;
    }
    ssize_t n = p->n;
    free(p);
    if (n <= 0) return;
  }
}

static int pause_ms(void)
{
  int64_t us = waiting ? waiting->due - now_us() : 1000000;
  return us <= 0 ? 0 : (int)(us / 1000) + 1;
}

int main(int argc, char **argv)
{
  struct pollfd fds[MOST + 1] = { { .fd = 0, .events = POLLIN } };
  if (argc != 3 || (n_hosts = atoi(argv[2])) < 1 || n_hosts > MOST) return 2;
  int file = open(argv[1], O_RDWR);
  table = mmap(NULL, sizeof *table * (size_t)(n_hosts * n_hosts), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (file < 0 || table == MAP_FAILED) die(argv[1]);
  printf("%d", getpid());
  for (int i = 0; i < n_hosts; i++) {
    printf(" %d", make_host(i));
    fds[i + 1] = (struct pollfd){ .fd = tun[i], .events = POLLIN };
  }
  printf("\n");
  fflush(stdout);
  for (;;) {
    poll(fds, (nfds_t)n_hosts + 1, pause_ms());
    if (fds[0].revents) return 0; /* whoever wanted this is gone */
    for (int i = 0; i < n_hosts; i++)
      if (fds[i + 1].revents) take(i);
    while (waiting && waiting->due <= now_us()) {
      packet *p = waiting;
      waiting = p->next;
      n_waiting--;
      deliver(p);
    }
  }
}
