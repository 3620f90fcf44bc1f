-- sandbox/sandbox.h: names of layers, the probe, cgroups of a slot.
local ffi = require "ffi"
local T = require "spec.support"
T.cdef "engine/sandbox/sandbox.h"
local C = ffi.C

local err = ffi.new "eas_err"
local bits = ffi.new "unsigned[1]"

local function probe()
  local p = ffi.new "eas_probe"
  C.eas_sandbox_probe(p)
  return p
end

local function has(p, layer)
  return bit.band(p.layers, layer) ~= 0
end

describe("eas_layer_parse", function()
  it("reads names, with blanks or commas", function()
    assert.equal(0, C.eas_layer_parse("rlimits no_new_privs,seccomp", bits, err))
    assert.equal(7, bits[0])
    assert.equal(0, C.eas_layer_parse("", bits, err))
    assert.equal(0, bits[0])
  end)

  it("knows the names that it gives", function()
    for i = 0, C.EAS_LAYER_COUNT - 1 do
      local name = ffi.string(C.eas_layer_name(2 ^ i))
      assert.equal(0, C.eas_layer_parse(name, bits, err))
      assert.equal(2 ^ i, bits[0])
    end
  end)

  it("names the nearest of a wrong one", function()
    bits[0] = 99
    assert.equal(C.EAS_EINVAL, C.eas_layer_parse("rlimits landlok", bits, err))
    assert.equal("no isolation layer is called 'landlok'", ffi.string(err.text))
    assert.equal("did you mean 'landlock'?", ffi.string(err.hint))
    assert.equal(99, bits[0]) -- untouched
  end)
end)

describe("eas_sandbox_probe", function()
  it("has a reason for each layer that is missing, and for no other", function()
    local p = probe()
    for i = 0, C.EAS_LAYER_COUNT - 1 do
      local reason = ffi.string(p.reason[i])
      assert.equal(has(p, 2 ^ i), reason == "", ffi.string(C.eas_layer_name(2 ^ i)) .. ": " .. reason)
    end
  end)

  it("always finds limits and no new privileges", function()
    local p = probe()
    assert.is_true(has(p, C.EAS_LAYER_RLIMITS))
    assert.is_true(has(p, C.EAS_LAYER_NO_NEW_PRIVS))
  end)

  it("leaves the process as it was", function()
    local before = T.read "/proc/self/status":match "Seccomp:%s*(%d)"
    local mounts = T.read "/proc/self/mountinfo"
    probe()
    assert.equal(before, T.read "/proc/self/status":match "Seccomp:%s*(%d)")
    assert.equal(mounts, T.read "/proc/self/mountinfo")
  end)

  it("knows root, and gives uids to slots from 61000", function()
    assert.equal(ffi.C.geteuid() == 0, probe().is_root == 1)
    assert.equal(61003, C.eas_slot_uid(3))
  end)
end)

describe("eas_slot_group", function()
  local p = probe()
  local wanted = bit.bor(C.EAS_LAYER_CGROUP_MEMORY, C.EAS_LAYER_CGROUP_PIDS)
  local why = ffi.string(p.reason[10]) .. " " .. ffi.string(p.reason[11])

  it("is made, limited and removed", function()
    T.skip_unless(bit.band(p.layers, wanted) == wanted, why)
    local g = ffi.new "eas_slot_group *[1]"
    assert.equal(0, C.eas_slot_group_open(g, p, 77, err), ffi.string(err.text))
    local folder = ("%s/eas.%d.slot77"):format(ffi.string(p.cgroup_pids), C.getpid())
    local limits = ffi.new("eas_limits", { memory_bytes = 64 * 1048576, processes = 5, cpus = 1 })
    assert.equal(0, C.eas_slot_group_set(g[0], limits, err), ffi.string(err.text))
    assert.equal("5\n", T.read(folder .. "/pids.max"))
    assert.equal(0, C.eas_slot_group_oom(g[0]))
    assert.equal(0, C.eas_slot_group_kill(g[0])) -- nobody is in it
    local fds = ffi.new "int[3]"
    assert.is_true(C.eas_slot_group_fds(g[0], fds) >= 1)
    C.eas_slot_group_close(g[0])
    assert.is_nil(T.read(folder .. "/pids.max"))
  end)

  it("takes a process in and kills it", function()
    T.skip_unless(bit.band(p.layers, wanted) == wanted, why)
    local g = ffi.new "eas_slot_group *[1]"
    assert.equal(0, C.eas_slot_group_open(g, p, 78, err))
    local pid = tonumber(T.sh("sleep 60 >/dev/null 2>&1 & echo $!").out)
    assert.equal(0, C.eas_slot_group_add(g[0], pid, err), ffi.string(err.text))
    assert.is_true(C.eas_slot_group_kill(g[0]) > 0)
    local state = (T.read(("/proc/%d/stat"):format(pid)) or ") Z"):match "%) (%a)"
    assert.equal("Z", state) -- dead; init reaps it
    C.eas_slot_group_close(g[0])
  end)

  it("says that there is none when there is none", function()
    local nothing, g = ffi.new "eas_probe", ffi.new "eas_slot_group *[1]"
    assert.equal(C.EAS_ENOENT, C.eas_slot_group_open(g, nothing, 0, err))
    assert.equal("no cgroup is to be had here", ffi.string(err.text))
  end)
end)
