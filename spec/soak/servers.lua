-- servers.lua: what the chaos needs of the machine: a clock that may jump, a disk that may be full.
local ffi = require "ffi"
local T = require "spec.support"

local S = {}

local function must(command)
  local got = T.sh(command)
  assert(got.status == 0, command .. ": " .. got.err .. got.out)
  return got.out
end

-- --- a clock that jumps ---

local SHIFT = [[
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static long shift(void)
{
  static const long *at;
  if (!at) {
    int fd = open(getenv("EAS_SOAK_CLOCK"), O_RDONLY | O_CLOEXEC);
    void *p = fd < 0 ? MAP_FAILED : mmap(0, sizeof *at, PROT_READ, MAP_SHARED, fd, 0);
    if (fd >= 0) close(fd);
    if (p == MAP_FAILED) return 0;
    at = p;
  }
  return *at;
}
int clock_gettime(clockid_t id, struct timespec *t)
{
  int rc = (int)syscall(SYS_clock_gettime, id, t);
  if (rc == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) t->tv_sec += shift();
  return rc;
}
time_t time(time_t *out)
{
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  if (out) *out = t.tv_sec;
  return t.tv_sec;
}
int gettimeofday(struct timeval *tv, void *zone)
{
  struct timespec t;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &t);
  tv->tv_sec = t.tv_sec;
  tv->tv_usec = t.tv_nsec / 1000;
  return 0;
}
]]

ffi.cdef [[
typedef struct { long seconds; } eas_soak_clock;
int open(const char *, int, ...);
int close(int);
void *mmap(void *, size_t, int, int, int, long);
]]

local Clock = {}
Clock.__index = Clock

-- A clock for the processes started with its environment; the machine's own is not touched.
function S.clock(dir)
  local c = setmetatable({ file = dir .. "/clock", lib = dir .. "/clock.so" }, Clock)
  T.write(c.lib .. ".c", SHIFT)
  must(("cc -shared -fPIC -O1 -o %s %s.c"):format(c.lib, c.lib))
  T.write(c.file, ("\0"):rep(8))
  local fd = ffi.C.open(c.file, 2)
  assert(fd >= 0)
  c.at = ffi.cast("eas_soak_clock *", ffi.C.mmap(nil, 8, 3, 1, fd, 0))
  ffi.C.close(fd)
  return c
end

function Clock:jump(seconds) self.at.seconds = seconds end
function Clock:env() return { LD_PRELOAD = self.lib, EAS_SOAK_CLOCK = self.file } end

-- --- a small disk ---

local Disk = {}
Disk.__index = Disk

-- A file system of its own at a new folder; nil and why, where none can be mounted.
function S.disk(megabytes)
  local dir = T.tmpdir()
  local got = T.sh(("mount -t tmpfs -o size=%dm,mode=755 eas-soak %s"):format(megabytes, dir))
  if got.status ~= 0 then return nil, "no disk of our own can be mounted: " .. got.err:gsub("%s+$", "") end
  -- a spec that is killed cannot unmount it
  os.execute(("setsid bash -c 'tail --pid=%d -f /dev/null; umount -l %s' >/dev/null 2>&1 </dev/null &"):format(ffi.C.getpid(), dir))
  return setmetatable({ dir = dir }, Disk)
end

function Disk:fill() T.sh(("head -c 1G /dev/zero >%s/filler"):format(self.dir)) end
function Disk:free() T.sh(("rm -f %s/filler"):format(self.dir)) end
function Disk:unmount() T.sh("umount -l " .. self.dir) end

return S
