-- The zygote's own life: it may die, be replaced, lose its supervisor; and it knows no secret.
local cjson = require "cjson"
local ffi = require "ffi"
local T = require "spec.support"
T.cdef "engine/worker/zygote.h"
ffi.cdef "struct zygote_pollfd { int fd; short events, revents; }; int poll(struct zygote_pollfd *, unsigned long, int); ssize_t read(int, void *, size_t);"
local C = ffi.C

local HOST = T.build .. "/bin/eas-zygote-host"

local function run(mode, act)
  local got = T.sh(("timeout 60 %s %s %s"):format(T.quote(HOST), mode, act))
  T.skip_unless(got.status ~= 3, (got.err:gsub("\n", " ")))
  assert.equal(0, got.status, got.err)
  return cjson.decode(got.out)
end

for _, mode in ipairs { "full", "userns", "basic" } do
  describe("a zygote in mode " .. mode, function()
    it("may be killed: it is noticed, its child goes on, a new one serves", function()
      local r = run(mode, "zygote_dies")
      assert.equal(1, r.seen)
      assert.equal(C.EAS_ECONNECT, r.code)
      assert.equal(1, r.held_ended)
      assert.equal(1, r.next_ended)
    end)

    it("may be stopped while a child runs", function()
      local r = run(mode, "stopped")
      assert.equal(1, r.ended)
      assert.equal(0, r.status)
      T.soon(r.took, 1)
    end)

    it("dies with its supervisor, and so do its children", function()
      local r = run(mode, "supervisor_dies")
      assert.equal(1, r.started)
      assert.equal(1, r.child_gone)
      assert.equal(1, r.zygote_gone)
      T.soon(r.seconds, 3)
    end)

    it("refuses to serve without a layer that is required", function()
      local r = run(mode, "required")
      assert.equal(C.EAS_EREFUSED, r.code)
      assert.equal("isolation layer 'seccomp' is required and cannot be put on: it is not in use", r.text)
    end)
  end)
end

describe("the supervisor's password", function()
  it("is not in a child's memory, environment or descriptors", function()
    T.skip_unless(T.sh("id -u").out == "0\n", "only root can look into another process")
    T.skip_unless(not T.asan, "AddressSanitizer maps more than can be read")
    local r = run("full", "password")
    assert.equal(1, r.own, "the search finds it where it is")
    assert.equal(0, r.memory)
    assert.equal(0, r.environ)
    assert.is_true(r.looked > 1e6, "bytes of memory searched")
    assert.equal(4, r.fds) -- in, out, err, events
  end)
end)

describe("eas_zygote_start", function()
  local err = ffi.new "eas_err"
  local options, zygote = ffi.new "eas_zygote_options", ffi.new "eas_zygote *[1]"
  local probe = ffi.new "eas_probe"
  local none = ffi.new("const char *[1]")

  it("tells when the program does not start", function()
    options.probe, options.packs, options.exec_path = probe, none, none
    options.exe = "/nonexistent/eas"
    assert.equal(C.EAS_EIO, C.eas_zygote_start(zygote, options, err))
    assert.equal("start '/nonexistent/eas --zygote': No such file or directory", ffi.string(err.text))
  end)

  it("tells when the program is no zygote", function()
    options.exe = "/bin/true"
    assert.equal(C.EAS_ECONNECT, C.eas_zygote_start(zygote, options, err))
    assert.is_truthy(ffi.string(err.text):find "^zygote: ")
  end)

  it("tells when the policy makes no sense", function()
    options.exe = HOST
    options.scratch_root = "/nonexistent/scratch"
    probe.layers, options.use = 7, 7
    assert.equal(0, C.eas_zygote_start(zygote, options, err), ffi.string(err.text)) -- nothing of it is mounted
    local spawn, child = ffi.new "eas_spawn", ffi.new "eas_child"
    spawn.scratch, spawn.request, spawn.request_len = "/nonexistent/scratch/a1", "{}", 2
    assert.equal(0, C.eas_zygote_spawn(zygote[0], spawn, child, err)) -- the child itself finds no place to work in
    C.poll(ffi.new("struct zygote_pollfd[1]", { { child.events, 1 } }), 1, 5000)
    local said = ffi.new "char[512]"
    assert.is_true(C.read(child.events, said, 511) > 8)
    assert.is_truthy(ffi.string(said + 8):find("/nonexistent/scratch/a1: No such file or directory", 1, true))
    C.eas_child_done(child)
    C.eas_zygote_stop(zygote[0])
  end)
end)
