-- store/store.h: objects under their hash, links for people, what remains when the disk fails; in a folder, and in an
-- object store behind the folder.
local ffi = require "ffi"
local T = require "spec.support"
local backends = require "spec.engine.store_backends"
T.cdef "engine/store/store.h"
T.cdef "engine/store/store_seam.h"
ffi.cdef [[
int open(const char *, int, ...);
int close(int);
ssize_t read(int, void *, size_t);
int *__errno_location(void);
int symlink(const char *, const char *);
int fork(void);
int waitpid(int, int *, int);
void _exit(int);
]]
local C = ffi.C
local ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" -- FIPS 180-2: "abc"

for _, B in ipairs(backends) do describe(B.name, function()
local err, dir, store, digest, size
setup(function() B:start() end)
teardown(function() B:stop() end)
before_each(function()
  B:skip_unless_there()
  err, digest, size = ffi.new "eas_err", ffi.new "eas_digest", ffi.new "int64_t[1]"
  dir = T.tmpdir()
  store = B:open(dir .. "/store", err)
end)
after_each(function()
  C.eas_store_close(store)
  store = nil
end)

local function message() return ffi.string(err.text) end
local function hex(d)
  local out = ffi.new "char[65]"
  C.eas_digest_hex(d or digest, out)
  return ffi.string(out)
end
local function put(text) return C.eas_store_put(store, text, #text, digest, err) end
local function object(name) return ("%s/store/objects/%s/%s"):format(dir, name:sub(1, 2), name) end
local function shell(command) return (T.sh(command).out:gsub("\n$", "")) end
local function files() return shell(("cd %s/store && find . -type f -o -type l | sort"):format(dir)) end
local function found(text, what) assert.is_truthy(text:find(what, 1, true), text) end

describe("eas_store_open", function()
  it("makes its folders and opens them again", function()
    assert.equal(B.remote and "objects\ntmp" or "objects\nproducts\ntmp", shell("ls " .. dir .. "/store"))
    assert.equal(0, put "abc")
    assert.equal(0, C.eas_store_flush(store, err), message())
    local again = B:open(B.remote and dir .. "/other" or "file://" .. dir .. "/store", err)
    assert.equal(1, C.eas_store_has(again, digest))
    assert.equal(1, C.eas_store_expects(again, digest))
    assert.equal(0, C.eas_store_probe(again, err), message())
    assert.equal(shell("realpath " .. dir .. (B.remote and "/other" or "/store")), ffi.string(C.eas_store_root(again)))
    assert.is_true(C.eas_store_free_bytes(again) > 0)
    C.eas_store_close(again)
  end)

  it("refuses what is no folder, and says so", function()
    local other = ffi.new "eas_store *[1]"
    assert.equal(C.EAS_EURL, C.eas_store_open(other, "ftp://bucket", err))
    found(message(), "a folder is expected")
    assert.equal(C.EAS_EURL, C.eas_store_open(other, "s3://bucket", err))
    found(message(), "needs a folder for its cache")
    assert.equal(C.EAS_EURL, C.eas_store_open(other, "file://", err))
    T.write(dir .. "/file", "x")
    assert.is_true(C.eas_store_open(other, dir .. "/file", err) < 0)
    found(message(), dir .. "/file")
    T.sh(("mkdir %s/trap && ln -s /tmp %s/trap/objects"):format(dir, dir))
    assert.is_true(C.eas_store_open(other, dir .. "/trap", err) < 0, "a link instead of objects/")
  end)
end)

describe("eas_store_put", function()
  it("keeps bytes under their hash, for reading only", function()
    assert.equal(0, put "abc")
    assert.equal(ABC, hex())
    assert.equal("abc", T.read(object(ABC)))
    assert.equal("444 1", shell("stat -c '%a %h' " .. object(ABC)))
    local path = C.eas_store_path(store, digest)
    assert.equal(object(ABC):gsub("^" .. dir, shell("realpath " .. dir)), ffi.string(path))
    C.free(path)
    assert.equal("", shell("ls " .. dir .. "/store/tmp"))
  end)

  it("keeps nothing twice, and touches what comes again", function()
    assert.equal(0, put "abc")
    local inode = shell("stat -c %i " .. object(ABC))
    T.sh("touch -d 2001-01-01 " .. object(ABC))
    assert.equal(0, put "abc")
    assert.equal(inode, shell("stat -c %i " .. object(ABC)))
    assert.is_true(tonumber(shell("stat -c %Y " .. object(ABC))) > 1e9 + 1e8)
  end)

  it("keeps an empty object", function()
    assert.equal(0, put "")
    assert.equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", hex())
    assert.equal(0, C.eas_store_flush(store, err), message())
    assert.equal(0, C.eas_store_verify(store, digest, err))
  end)

  it("does not believe an object of another size", function()
    assert.equal(0, put "abc")
    T.sh(("chmod 644 %s && echo longer > %s"):format(object(ABC), object(ABC)))
    if B.remote then -- of a copy, that is no loss
      assert.equal(0, put "abc")
      assert.equal("abc", T.read(object(ABC)))
      return
    end
    assert.equal(C.EAS_EFORMAT, put "abc")
    found(message(), "damaged")
    assert.equal("longer\n", T.read(object(ABC)), "never overwritten")
  end)
end)

describe("eas_store_copy", function()
  it("copies and leaves the file alone", function()
    local text = ("0123456789"):rep(400000)
    T.write(dir .. "/in", text)
    assert.equal(0, C.eas_store_copy(store, dir .. "/in", digest, size, err))
    assert.equal(4000000, tonumber(size[0]))
    assert.equal(text, T.read(dir .. "/in"))
    assert.equal("644", shell(("chmod 644 %s/in; stat -c %%a %s/in"):format(dir, dir)))
    assert.equal(text, T.read(object(hex())))
    size[0] = 0
    assert.equal(0, C.eas_store_copy(store, dir .. "/in", digest, size, err), "known already")
    assert.equal(4000000, tonumber(size[0]))
  end)

  it("takes files, not folders, pipes or nothing", function()
    T.sh("mkfifo " .. dir .. "/pipe")
    for name, code in pairs { [dir] = C.EAS_EFORMAT, [dir .. "/pipe"] = C.EAS_EFORMAT, [dir .. "/none"] = C.EAS_ENOENT,
                              ["/dev/null"] = C.EAS_EFORMAT } do
      assert.equal(code, C.eas_store_copy(store, name, digest, size, err), name)
      found(message(), name)
    end
    assert.equal("", files())
  end)
end)

describe("objects", function()
  it("are opened, verified and removed", function()
    put "abc"
    assert.equal(0, C.eas_store_flush(store, err), message())
    local fd = ffi.new "int[1]"
    assert.equal(0, C.eas_store_open_object(store, digest, fd, err))
    local buf = ffi.new "char[8]"
    assert.equal(3, tonumber(C.read(fd[0], buf, 8)))
    C.close(fd[0])
    assert.equal(0, C.eas_store_verify(store, digest, err))
    local bytes = B:bytes(dir .. "/store", ABC)
    T.sh(("chmod 644 %s && printf abd > %s"):format(bytes, bytes))
    assert.equal(C.EAS_EFORMAT, C.eas_store_verify(store, digest, err))
    found(message(), "hash to")
    assert.equal(0, C.eas_store_remove(store, digest, 1, err)) -- stored since 1970: it stays
    assert.equal(1, C.eas_store_has(store, digest))
    assert.equal(1, C.eas_store_remove(store, digest, C.eas_store_now_us(store), err))
    assert.equal(0, C.eas_store_has(store, digest))
    assert.equal(C.EAS_ENOENT, C.eas_store_remove(store, digest, 1, err))
    assert.equal("", T.sh("ls " .. dir .. "/store/tmp").out)
    assert.equal(C.EAS_ENOENT, C.eas_store_verify(store, digest, err))
    assert.equal(C.EAS_ENOENT, C.eas_store_open_object(store, digest, fd, err))
    found(message(), ABC)
  end)

  it("are walked in order; what is none is passed over", function()
    local want = {}
    for i = 1, 40 do
      put("object " .. i)
      want[i] = hex()
    end
    table.sort(want)
    assert.equal(0, C.eas_store_flush(store, err), message())
    T.write(object(want[1]) .. ".bak", "")
    T.write(dir .. "/store/objects/README", "")
    local got = {}
    local fn = ffi.cast("eas_store_walk_fn *", function(_, d, bytes, mtime)
      got[#got + 1] = hex(d)
      assert(bytes == 8 or bytes == 9)
      assert(mtime > 1600000000000000LL)
      return #got == 40 and 7 or 0
    end)
    jit.off(true, true)
    assert.equal(7, C.eas_store_walk(store, nil, fn, nil, err), "fn's value ends the walk")
    assert.same(want, got)
    got = {}
    assert.equal(0, C.eas_digest_parse(want[30], digest))
    assert.equal(0, C.eas_store_walk(store, digest, fn, nil, err)) -- from there on
    fn:free()
    for i = 1, 10 do assert.equal(want[30 + i], got[i]) end
    assert.equal(10, #got)
  end)
end)

if not B.remote then describe("links", function()
  it("lead people to objects, wherever the store is moved", function()
    put "abc"
    assert.equal(0, C.eas_store_link(store, "job/size_1", "lc.fits", digest, err))
    assert.equal(0, C.eas_store_link(store, "", "top.fits", digest, err))
    assert.equal("abc", T.read(dir .. "/store/products/job/size_1/lc.fits"))
    assert.equal("abc", T.read(dir .. "/store/products/top.fits"))
    T.sh(("mv %s/store %s/moved"):format(dir, dir))
    assert.equal("abc", T.read(dir .. "/moved/products/job/size_1/lc.fits"))
    assert.equal("", shell("ls " .. dir .. "/moved/tmp"))
  end)

  it("are replaced at once, listed, and removed with their empty folders", function()
    put "abc"
    C.eas_store_link(store, "a/b", "x", digest, err)
    put "new"
    assert.equal(0, C.eas_store_link(store, "a/b", "x", digest, err))
    C.eas_store_link(store, "a", "y", digest, err)
    assert.equal("new", T.read(dir .. "/store/products/a/b/x"))
    T.sh(("ln -s /etc/passwd %s/store/products/a/foreign; echo > %s/store/products/a/plain"):format(dir, dir))
    local got = {}
    local fn = ffi.cast("eas_store_links_fn *", function(_, d, name, digest_)
      got[#got + 1] = ("%s|%s|%s"):format(ffi.string(d), ffi.string(name), hex(digest_) == hex())
      return 0
    end)
    jit.off(true, true)
    assert.equal(0, C.eas_store_links(store, fn, nil, err))
    fn:free()
    table.sort(got)
    assert.same({ "a/b|x|true", "a|y|true" }, got)
    assert.equal(0, C.eas_store_unlink(store, "a/b", "x", err))
    assert.equal(1, T.sh("test -e " .. dir .. "/store/products/a/b").status)
    assert.equal(C.EAS_ENOENT, C.eas_store_unlink(store, "a/b", "x", err))
    assert.equal(C.EAS_EEXIST, C.eas_store_unlink(store, "a", "plain", err))
  end)

  it("leave the folder by no name, and replace nothing of others", function()
    put "abc"
    for _, pair in ipairs { { "..", "x" }, { "/tmp", "x" }, { "a/../..", "x" }, { "a", "../x" }, { "a", "b/c" }, { "a", "" },
                            { "a", ".." }, { "a\n", "x" } } do
      assert.is_true(C.eas_store_link(store, pair[1], pair[2], digest, err) < 0, pair[1] .. "/" .. pair[2])
    end
    T.write(dir .. "/store/products/mine", "by hand")
    assert.equal(C.EAS_EEXIST, C.eas_store_link(store, "", "mine", digest, err))
    assert.equal("by hand", T.read(dir .. "/store/products/mine"))
    C.symlink(dir, dir .. "/store/products/out")
    assert.equal(C.EAS_EEXIST, C.eas_store_link(store, "out", "x", digest, err))
    found(message(), "not a folder")
    assert.equal(1, T.sh("test -e " .. dir .. "/x").status)
    C.eas_store_link(store, "a", "b", digest, err)
    assert.equal(C.EAS_EEXIST, C.eas_store_link(store, "a/b", "c", digest, err), "a product is no folder")
  end)
end) end

describe("a disk that fails", function()
  local kept
  before_each(function()
    jit.off(true, true)
    kept = ffi.new("eas_store_seams", C.eas_store_seam)
  end)
  after_each(function() C.eas_store_seam = kept end)
  local ENOSPC, EIO = 28, 5
  local function failing(kind, errno, calls)
    local left = calls or 1
    return ffi.cast(kind, function()
      left = left - 1
      C.__errno_location()[0] = errno
      return left >= 0 and -1 or 0
    end)
  end

  it("leaves nothing behind when it is full", function()
    C.eas_store_seam.write_all = function() return -ENOSPC end
    assert.equal(C.EAS_ENOSPC, put "abc")
    found(message(), "no space left on device")
    assert.equal("", files())
  end)

  it("leaves nothing behind when the bytes cannot be synced", function()
    local fn = failing("int (*)(int)", EIO)
    C.eas_store_seam.fdatasync = fn
    assert.equal(C.EAS_EIO, put "abc")
    found(message(), "sync")
    assert.equal("", files())
    assert.equal(0, C.eas_store_has(store, digest))
    fn:free()
  end)

  if B.remote then return end

  it("syncs a folder again if that failed", function()
    put "abc"
    local fn = failing("int (*)(int)", EIO)
    C.eas_store_seam.fsync = fn
    assert.equal(C.EAS_EIO, C.eas_store_flush(store, err))
    found(message(), "sync objects/ba")
    local n = 0
    local count = ffi.cast("int (*)(int)", function() n = n + 1 return 0 end)
    C.eas_store_seam.fsync = count
    assert.equal(0, C.eas_store_flush(store, err))
    assert.equal(2, n, "objects/ba and objects")
    put "abc"
    assert.equal(0, C.eas_store_flush(store, err))
    assert.equal(3, n, "objects is known to be there")
    assert.equal(0, C.eas_store_flush(store, err))
    assert.equal(3, n, "nothing new")
    fn:free()
    count:free()
  end)

  it("costs one sync for many objects in one folder", function()
    local n = 0
    local count = ffi.cast("int (*)(int)", function() n = n + 1 return 0 end)
    C.eas_store_seam.fsync = count
    local folders, k = {}, 0
    for i = 1, 600 do
      put("many " .. i)
      local folder = hex():sub(1, 2)
      if not folders[folder] then folders[folder], k = true, k + 1 end
    end
    assert.equal(0, C.eas_store_flush(store, err))
    assert.equal(k + 1, n)
    count:free()
  end)
end)

describe("four processes that store the same at once", function()
  it("all succeed, and each object is whole and there once", function()
    local pids = {}
    for k = 1, 4 do
      pids[k] = C.fork()
      if pids[k] == 0 then
        local bad = 0
        for i = 1, 150 do
          local n = (i * (2 * k + 1)) % 150 -- each in an order of its own
          bad = bad - put(("%d "):format(n):rep(1000))
          if not B.remote then bad = bad - C.eas_store_link(store, "all", "same", digest, err) end
        end
        C._exit((bad == 0 and C.eas_store_flush(store, err) == 0) and 0 or 1)
      end
    end
    for k = 1, 4 do
      local status = ffi.new "int[1]"
      C.waitpid(pids[k], status, 0)
      assert.equal(0, status[0])
    end
    assert.equal("150", shell(("find %s/store/objects -type f | wc -l"):format(dir)))
    assert.equal("", shell(("ls %s/store/tmp"):format(dir)))
    local check = "while read f; do s=$(sha256sum < $f); [ ${s%% *} = ${f##*/} ] || echo $f; done"
    assert.equal("", shell(("cd %s/store/objects && find . -type f | "):format(dir) .. check))
    if not B.remote then assert.is_truthy(T.read(dir .. "/store/products/all/same"):match "^%d+ ") return end
    local n = 0
    local fn = ffi.cast("eas_store_walk_fn *", function(_, d)
      n = n + 1
      return C.eas_store_verify(store, d, err)
    end)
    jit.off(true, true)
    assert.equal(0, C.eas_store_walk(store, nil, fn, nil, err), message())
    fn:free()
    assert.equal(150, n)
  end)
end)

describe("eas_store_sweep_tmp", function()
  it("removes what is old and leaves what is new", function()
    T.write(dir .. "/store/tmp/old", "x")
    T.sh("touch -d '2 hours ago' " .. dir .. "/store/tmp/old")
    T.write(dir .. "/store/tmp/new", "x")
    assert.equal(1, C.eas_store_sweep_tmp(store, 3600 * 1000000LL, err))
    assert.equal("new", shell("ls " .. dir .. "/store/tmp"))
    assert.equal(1, C.eas_store_sweep_tmp(store, 0, err))
  end)
end)
end) end
