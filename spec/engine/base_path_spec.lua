-- base/path.h: names, whole files, removing what children left.
local ffi = require "ffi"
local T = require "spec.support"
T.cdef "engine/base/path.h"
ffi.cdef "int symlink(const char *, const char *); int pipe(int fds[2]); int close(int); int mkdir(const char *, unsigned);"
local C = ffi.C

local err, dir
before_each(function()
  err = ffi.new "eas_err"
  dir = T.tmpdir()
end)

local function message() return ffi.string(err.text) end

describe("eas_path_join", function()
  it("joins, and keeps what is absolute", function()
    local function join(a, b)
      local p = C.eas_path_join(a, b)
      local text = ffi.string(p)
      C.free(p)
      return text
    end
    assert.equal("a/b", join("a", "b"))
    assert.equal("a/b", join("a/", "b"))
    assert.equal("/b", join("a", "/b"))
    assert.equal("b", join("", "b"))
    assert.equal("b.c", ffi.string(C.eas_path_base "x/y/b.c"))
    assert.equal("b", ffi.string(C.eas_path_base "b"))
  end)
end)

describe("eas_path_check_relative", function()
  it("takes names within a folder", function()
    for _, name in ipairs { "a", "a/b.fits", ".hidden", "a/...", "sub dir/ü.txt", ("x"):rep(255) } do
      assert.equal(0, C.eas_path_check_relative(name, err), name)
    end
  end)

  it("refuses those that leave it, or that are two names of one file", function()
    for name, why in pairs {
      [""] = "empty", ["/etc/passwd"] = "absolute", [".."] = "leaves", ["a/../b"] = "leaves", ["a//b"] = "empty part",
      ["a/"] = "empty part", ["./a"] = "'.'", ["a\nb"] = "control byte (0x0a at byte 2)", ["a\127"] = "control byte",
      [("x"):rep(256)] = "255 bytes", ["ok/" .. ("x"):rep(256)] = "255 bytes",
    } do
      assert.equal(C.EAS_EINVAL, C.eas_path_check_relative(name, err), name)
      assert.is_truthy(message():find(why, 1, true), message())
    end
  end)
end)

describe("eas_path_mkdirs", function()
  it("makes all of a path, again too", function()
    assert.equal(0, C.eas_path_mkdirs(dir .. "/a/b//c/", 493, err))
    assert.equal(1, C.eas_path_exists(dir .. "/a/b/c"))
    assert.equal(0, C.eas_path_mkdirs(dir .. "/a/b/c", 493, err))
  end)

  it("names the part that is in the way", function()
    T.write(dir .. "/file", "")
    assert.equal(C.EAS_EIO, C.eas_path_mkdirs(dir .. "/file/x", 493, err))
    assert.is_truthy(message():find(dir .. "/file' is there and is no folder", 1, true), message())
  end)
end)

describe("eas_file_read", function()
  local b
  before_each(function() b = ffi.new "eas_buf" end)
  after_each(function() C.eas_buf_done(b) end)

  it("appends the whole file", function()
    local text = ("0123456789"):rep(50000)
    T.write(dir .. "/f", text)
    C.eas_buf_str(b, "head:")
    assert.equal(0, C.eas_file_read(dir .. "/f", 0, b, err))
    assert.equal("head:" .. text, ffi.string(b.data, b.len))
  end)

  it("reads files without a size", function()
    assert.equal(0, C.eas_file_read("/proc/self/status", 0, b, err))
    assert.matches("Pid:", ffi.string(b.data))
  end)

  it("holds its limit to the byte, and leaves nothing half-read", function()
    T.write(dir .. "/f", "12345")
    assert.equal(0, C.eas_file_read(dir .. "/f", 5, b, err))
    assert.equal(C.EAS_ELIMIT, C.eas_file_read(dir .. "/f", 4, b, err))
    assert.matches("more than 4 bytes", message())
    assert.equal("12345", ffi.string(b.data, b.len))
    assert.equal(C.EAS_ELIMIT, C.eas_file_read("/dev/zero", 1000, b, err))
  end)

  it("says what is not there and what is a folder", function()
    assert.equal(C.EAS_ENOENT, C.eas_file_read(dir .. "/none", 0, b, err))
    assert.equal(C.EAS_EIO, C.eas_file_read(dir, 0, b, err))
    assert.matches("is a folder", message())
  end)
end)

describe("eas_file_write", function()
  it("replaces a file, with its mode, and leaves no other", function()
    T.write(dir .. "/f", "old")
    assert.equal(0, C.eas_file_write(dir .. "/f", "new\0text", 8, 384, err))
    assert.equal("new\0text", T.read(dir .. "/f"))
    assert.equal("600 f\n", T.sh(("cd %s && stat -c '%%a %%n' * .[!.]* 2>/dev/null"):format(dir)).out)
  end)

  it("leaves the old file when it cannot write", function()
    assert.equal(C.EAS_EIO, C.eas_file_write(dir .. "/none/f", "x", 1, 420, err))
    assert.matches("write '.*/none/f': No such file", message())
    os.execute("mkdir -p " .. dir .. "/full/f")
    assert.equal(C.EAS_EIO, C.eas_file_write(dir .. "/full/f", "x", 1, 420, err)) -- a folder has the name
    assert.equal("f\n", T.sh("ls -A " .. dir .. "/full").out)
  end)

  it("gives the error of a full device", function()
    local fds = ffi.new "int[2]"
    assert.equal(0, C.pipe(fds))
    C.close(fds[1])
    assert.is_true(C.eas_write_all(fds[1], "x", 1) < 0) -- closed
    C.close(fds[0])
  end)
end)

describe("eas_path_remove_tree", function()
  it("does not follow links", function()
    os.execute(("mkdir -p %s/keep %s/tree/a && touch %s/keep/me"):format(dir, dir, dir))
    C.symlink(dir .. "/keep", dir .. "/tree/a/link")
    C.symlink(dir .. "/keep", dir .. "/top")
    assert.equal(0, C.eas_path_remove_tree(dir .. "/tree", err))
    assert.equal(0, C.eas_path_remove_tree(dir .. "/top", err))
    assert.equal("keep\n", T.sh("ls -A " .. dir).out)
    assert.equal(1, C.eas_path_exists(dir .. "/keep/me"))
  end)

  it("crosses closed folders and odd names", function()
    os.execute(("mkdir -p %s/t/a/b && touch %s/t/a/b/f && mkfifo %s/t/p && mkdir %s/t/-x && touch '%s/t/a\nb'"):format(
      dir, dir, dir, dir, dir))
    os.execute(("chmod 000 %s/t/a/b %s/t/a"):format(dir, dir))
    assert.equal(0, C.eas_path_remove_tree(dir .. "/t", err))
    assert.equal(0, C.eas_path_exists(dir .. "/t"))
  end)

  it("removes what is deeper than a path may be long, and than descriptors there are", function()
    local script = [[import os,sys
os.chdir(sys.argv[1])
for i in range(3000): os.mkdir("d"*40); os.chdir("d"*40); open("f","w").close()]]
    T.write(dir .. "/deep.py", script)
    os.execute("mkdir " .. dir .. "/deep")
    T.skip_unless(T.sh("python3 --version").status == 0, "no python3 to build the tree")
    assert.equal(0, T.sh(("python3 %s/deep.py %s/deep"):format(dir, dir)).status)
    assert.equal(0, C.eas_path_remove_tree(dir .. "/deep", err), message())
    assert.equal(0, C.eas_path_exists(dir .. "/deep"))
  end)

  it("takes a file, and nothing at all", function()
    T.write(dir .. "/f", "")
    assert.equal(0, C.eas_path_remove_tree(dir .. "/f", err))
    assert.equal(0, C.eas_path_remove_tree(dir .. "/f", err))
  end)

  it("says what it could not remove", function()
    assert.is_true(C.eas_path_remove_tree("/proc/self/fd", err) < 0)
    assert.matches("remove '/proc/self/fd'", message())
  end)
end)

describe("eas_home", function()
  it("is found from the binary's place", function()
    assert.equal(T.build .. "/share/eas", ffi.string(C.eas_home_share()))
    assert.matches("^" .. T.build:gsub("%p", "%%%0") .. "/lib.*/eas/native$", ffi.string(C.eas_home_native()))
  end)
end)
