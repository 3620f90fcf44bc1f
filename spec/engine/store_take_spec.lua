-- store/store.h: eas_store_take: files of children, who may have done anything to them; into a folder, and on the way to
-- an object store.
local ffi = require "ffi"
local T = require "spec.support"
local backends = require "spec.engine.store_backends"
T.cdef "engine/store/store.h"
T.cdef "engine/store/store_seam.h"
ffi.cdef [[
int open(const char *, int, ...);
int close(int);
int *__errno_location(void);
int fork(void);
int waitpid(int, int *, int);
int kill(int, int);
void _exit(int);
int chown(const char *, unsigned, unsigned);
]]
local C = ffi.C
local O_DIRECTORY, O_RDONLY = 65536, 0
local ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

for _, B in ipairs(backends) do describe(B.name, function()
local err, dir, scratch, fd, store, digest, size
setup(function() B:start() end)
teardown(function() B:stop() end)
before_each(function()
  B:skip_unless_there()
  err, digest, size = ffi.new "eas_err", ffi.new "eas_digest", ffi.new "int64_t[1]"
  dir = T.tmpdir()
  scratch = dir .. "/scratch"
  T.sh("mkdir " .. scratch)
  fd = C.open(scratch, O_RDONLY + O_DIRECTORY)
  store = B:open(dir .. "/store", err)
end)
after_each(function()
  if not store then return end
  C.eas_store_close(store)
  store = nil
  C.close(fd)
end)

local function message() return ffi.string(err.text) end
local function hex()
  local out = ffi.new "char[65]"
  C.eas_digest_hex(digest, out)
  return ffi.string(out)
end
local function object(name) return ("%s/store/objects/%s/%s"):format(dir, name:sub(1, 2), name) end
local function shell(command) return (T.sh(("cd %s && %s"):format(dir, command)).out:gsub("\n$", "")) end
local function stored() return shell "find store/objects store/tmp -type f" end
local function take(name, limit) return C.eas_store_take(store, fd, name, limit or 0, digest, size, err) end

-- Takes must fail with this code and word, and leave store and scratch as they were.
local function refused(code, word, name, limit)
  local before = shell "find scratch -printf '%p %y %m %n %s\\n' | sort"
  assert.equal(code, take(name, limit), name)
  assert.is_truthy(message():find(word, 1, true), message())
  assert.equal("", stored())
  assert.equal(before, shell "find scratch -printf '%p %y %m %n %s\\n' | sort")
end

describe("eas_store_take", function()
  it("moves a file in and makes it read-only", function()
    T.write(scratch .. "/lc.fits", "abc")
    local inode = shell "stat -c %i scratch/lc.fits"
    assert.equal(0, take "lc.fits")
    assert.equal(ABC, hex())
    assert.equal(3, tonumber(size[0]))
    assert.equal(inode .. " 444 1", shell("stat -c '%i %a %h' " .. object(ABC)), "moved, not copied")
    assert.equal("", shell "ls scratch")
  end)

  it("takes from folders below", function()
    shell "mkdir -p scratch/a/b"
    T.write(scratch .. "/a/b/c", "abc")
    assert.equal(0, take "a/b/c")
    assert.equal("abc", T.read(object(ABC)))
  end)

  it("takes what is there already away, and touches the object", function()
    T.write(scratch .. "/x", "abc")
    T.write(scratch .. "/y", "abc")
    assert.equal(0, take "x")
    shell("touch -d 2001-01-01 " .. object(ABC))
    assert.equal(0, take "y")
    assert.equal("", shell "ls scratch")
    assert.is_true(tonumber(shell("stat -c %Y " .. object(ABC))) > 1.6e9)
  end)

  it("gives an object the time of its storing, not that of its maker's choice", function()
    T.write(scratch .. "/x", "abc")
    shell "touch -d 1971-01-01 scratch/x"
    assert.equal(0, take "x")
    assert.is_true(tonumber(shell("stat -c %Y " .. object(ABC))) > 1.6e9)
  end)

  it("opens up what its maker closed, and takes off its special bits", function()
    T.write(scratch .. "/x", "abc")
    shell "chmod 000 scratch/x"
    assert.equal(0, take "x")
    T.write(scratch .. "/suid", "suid")
    shell "chmod 6777 scratch/suid"
    assert.equal(0, take "suid")
    assert.equal("444", shell("stat -c %a " .. object(hex())))
  end)

  it("makes another's file the caller's", function()
    T.skip_unless(C.geteuid() == 0, "not root")
    T.write(scratch .. "/x", "abc")
    assert.equal(0, C.chown(scratch .. "/x", 61001, 61001))
    assert.equal(0, take "x")
    assert.equal("0 0 444", shell("stat -c '%u %g %a' " .. object(ABC)))
  end)

  it("copies from another disk", function()
    local shm = shell "mktemp -d /dev/shm/eas-spec-XXXXXX"
    T.skip_unless(shm ~= "" and shell("stat -c %d " .. shm) ~= shell "stat -c %d .", "no second disk")
    local other = C.open(shm, O_RDONLY + O_DIRECTORY)
    T.write(shm .. "/x", ("abc"):rep(1000000))
    local rc = C.eas_store_take(store, other, "x", 0, digest, size, err)
    C.close(other)
    local left = shell("ls " .. shm)
    T.sh("rm -r " .. shm)
    assert.equal(0, rc, message())
    assert.equal("", left)
    assert.equal(3000000, tonumber(size[0]))
    assert.equal(0, C.eas_store_flush(store, err), message())
    assert.equal(0, C.eas_store_verify(store, digest, err))
    assert.equal("444", shell("stat -c %a " .. object(hex())))
  end)

  it("keeps the limit of bytes", function()
    T.write(scratch .. "/x", "abc")
    refused(C.EAS_ELIMIT, "3 bytes, the limit is 2", "x", 2)
    shell "truncate -s 20G scratch/sparse"
    refused(C.EAS_ELIMIT, "21474836480 bytes", "sparse", 16000000000LL)
    if B.remote then refused(C.EAS_ELIMIT, "the limit is 5000000000", "sparse", 0) end
    assert.equal(0, take("x", 3))
  end)
end)

describe("an attack", function()
  it("by a symbolic link is refused, wherever the link stands", function()
    T.write(dir .. "/secret", "secret")
    shell "ln -s ../secret scratch/x; ln -s .. scratch/up; ln -s /etc scratch/etc; ln -s x scratch/chain"
    shell "mkdir scratch/in; touch scratch/in/f; ln -s in scratch/alias"
    refused(C.EAS_EFORMAT, "symbolic link", "x")
    refused(C.EAS_EFORMAT, "symbolic link", "chain")
    refused(C.EAS_EFORMAT, "link", "up/secret")
    refused(C.EAS_EFORMAT, "link", "etc/passwd")
    refused(C.EAS_EFORMAT, "link", "alias/f")
    assert.equal("secret", T.read(dir .. "/secret"))
  end)

  it("by a hard link is refused, and the other name stays as it was", function()
    T.write(dir .. "/secret", "secret")
    shell "chmod 600 secret; ln secret scratch/x"
    refused(C.EAS_EFORMAT, "has 2 links", "x")
    assert.equal("600", shell "stat -c %a secret")
  end)

  it("by a name that leaves the folder is refused", function()
    T.write(dir .. "/secret", "secret")
    for _, name in ipairs { "../secret", "a/../../secret", dir .. "/secret", "", ".", "..", "a//b", "x\n" } do
      assert.equal(C.EAS_EFORMAT, take(name), name)
      assert.is_truthy(message():find("output", 1, true), message())
    end
    assert.equal("", stored())
  end)

  it("by what is no file is refused, at once", function()
    shell "mkfifo scratch/pipe; mkdir scratch/folder; cd scratch && python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"socket\")'"
    refused(C.EAS_EFORMAT, "is a pipe", "pipe")
    refused(C.EAS_EFORMAT, "is a folder", "folder")
    if shell "ls scratch/socket" ~= "" then refused(C.EAS_EFORMAT, "is a socket", "socket") end
    refused(C.EAS_ENOENT, "no such file was made", "none")
    refused(C.EAS_EFORMAT, "no folder", "pipe/x")
  end)

  it("by a device is refused without opening it", function()
    T.skip_unless(T.sh(("mknod %s/zero c 1 5"):format(scratch)).status == 0, "cannot make devices")
    refused(C.EAS_EFORMAT, "is a device", "zero")
  end)

  it("is refused without openat2, too", function()
    jit.off(true, true)
    local kept = ffi.new("eas_store_seams", C.eas_store_seam)
    local fn = ffi.cast("long (*)(int, const char *, int)", function()
      C.__errno_location()[0] = 38 -- ENOSYS
      return -1
    end)
    C.eas_store_seam.open_beneath = fn
    shell "ln -s .. scratch/up; mkdir -p scratch/a/b; echo -n abc > scratch/a/b/c; ln -s b scratch/a/link"
    T.write(dir .. "/secret", "secret")
    local ok, why = pcall(function()
      refused(C.EAS_EFORMAT, "link", "up/secret")
      refused(C.EAS_EFORMAT, "link", "a/link/c")
      assert.equal(0, take "a/b/c")
      assert.equal(ABC, hex())
    end)
    C.eas_store_seam = kept
    fn:free()
    assert.is_true(ok, why)
  end)
end)

describe("a disk that fails", function()
  it("leaves the output where it was", function()
    jit.off(true, true)
    local kept = ffi.new("eas_store_seams", C.eas_store_seam)
    T.write(scratch .. "/x", "abc")
    local function fails(field, kind, errno)
      local fn = ffi.cast(kind, function()
        C.__errno_location()[0] = errno
        return -1
      end)
      C.eas_store_seam[field] = fn
      local rc = take "x"
      C.eas_store_seam = kept
      fn:free()
      assert.equal(errno == 28 and C.EAS_ENOSPC or C.EAS_EIO, rc, field)
      assert.equal("x", shell "ls scratch")
      assert.equal("", stored())
    end
    fails("fdatasync", "int (*)(int)", 28)
    fails("rename", "int (*)(int, const char *, int, const char *)", 5)
    assert.equal(0, take "x")
  end)
end)

-- The process is killed at the n-th system call of a take; what is left must be no object, or a whole one.
describe("kill -9 between two steps", function()
  local function killed_at(step, from_copy)
    local pid = C.fork()
    if pid == 0 then
      local n = 0
      local function hit()
        n = n + 1
        if n == step then C.kill(C.getpid(), 9) end
      end
      local kept = ffi.new("eas_store_seams", C.eas_store_seam)
      local sync = ffi.cast("int (*)(int)", function(f) hit() return kept.fdatasync(f) end)
      local rename = ffi.cast("int (*)(int, const char *, int, const char *)", function(a, b, c, d)
        hit()
        local rc = kept.rename(a, b, c, d)
        local errno = C.__errno_location()[0]
        hit()
        C.__errno_location()[0] = errno
        return rc
      end)
      local write = ffi.cast("int (*)(int, const void *, size_t)", function(f, p, k)
        hit()
        local rc = kept.write_all(f, p, k)
        hit()
        return rc
      end)
      C.eas_store_seam.fdatasync, C.eas_store_seam.rename, C.eas_store_seam.write_all = sync, rename, write
      local rc
      if from_copy then rc = C.eas_store_copy(store, scratch .. "/x", digest, size, err) else rc = take "x" end
      C._exit(rc == 0 and 0 or 1)
    end
    local status = ffi.new "int[1]"
    C.waitpid(pid, status, 0)
    return status[0]
  end

  for _, from_copy in ipairs { false, true } do
    it(from_copy and "of a copy" or "of a take", function()
      jit.off(true, true)
      local text, kills = ("x"):rep(3000000), 0
      for step = 1, 20 do
        shell "rm -rf store/objects/* store/tmp/* scratch/x"
        T.write(scratch .. "/x", text)
        local status = killed_at(step, from_copy)
        if status == 0 then break end
        assert.equal(9, status)
        kills = kills + 1
        for path in stored():gmatch "[^\n]+" do
          if path:find "objects" then
            assert.equal(path:match "[^/]+$", shell("sha256sum <" .. path):match "^%x+")
          else
            assert.is_truthy(path:find "^store/tmp/", path)
          end
        end
        if not from_copy then
          assert.is_true(shell "ls scratch" == "x" or stored():find "objects" ~= nil, "neither here nor there")
        end
        C.eas_store_sweep_tmp(store, 0, err)
        shell "rm -f scratch/x" -- it may be read-only already
        T.write(scratch .. "/x", text)
        assert.equal(0, take "x", "the next start finds all in order")
      end
      assert.equal(0, C.eas_store_flush(store, err), message())
      assert.equal(0, C.eas_store_verify(store, digest, err), message())
      assert.is_true(kills >= 3 and kills < 20, kills)
    end)
  end
end)
end) end
