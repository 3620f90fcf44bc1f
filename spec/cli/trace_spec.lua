-- One id from submit to commit: in the job's row, the logs of submit, control and worker, the child, and what commands show.
local ffi = require "ffi"
local T = require "spec.support"
local World = require "spec.cli.world"
T.cdef "engine/base/trace.h"

local ID = "4bf92f3577b34da6a3ce929d0e0e4736"
local PARENT = "00-" .. ID .. "-00f067aa0ba902b7-01"

local function begin(text)
  local id = ffi.new "char[33]"
  ffi.C.eas_trace_begin(text, id)
  return ffi.string(id)
end

describe("a trace id", function()
  it("is the caller's, or a new one when what the caller says is no traceparent", function()
    assert.equal(ID, begin(PARENT))
    assert.equal(ID, begin("01-" .. ID .. "-00f067aa0ba902b7-00-more of a later version"))
    local seen = {}
    for _, text in ipairs { "", "00", PARENT:upper(), "00-" .. ("0"):rep(32) .. "-00f067aa0ba902b7-01", "00-" .. ID .. "-" .. ("0"):rep(16) .. "-01",
      "ff-" .. ID .. "-00f067aa0ba902b7-01", PARENT .. "-x", PARENT:sub(1, -2), PARENT:gsub("-", "_"), "00-" .. ID .. "-00f067aa0ba902b7-0g" } do
      local id = begin(text)
      assert.equal(1, ffi.C.eas_trace_is_id(id), text)
      assert.are_not.equal(ID, id, text)
      assert.is_nil(seen[id])
      seen[id] = true
    end
    assert.equal(1, ffi.C.eas_trace_is_id(begin(nil)))
  end)
end)

describe("from submit to commit", function()
  local world, job
  setup(function()
    world = World.new(World.pack { say = { task = [[task:info("a line of this trace")
      local _, text = task:exec { "sh", "-c", "printenv TRACEPARENT" }
      task:set { program = text, own = task.traceparent }]] } })
    local file = world:job({ { task = "say" } }, "traced")
    local got = world:eas("submit " .. file .. " --json", { env = { TRACEPARENT = PARENT, EAS_LOG_LEVEL = "debug", EAS_LOG_FORMAT = "logfmt" } })
    assert.equal(0, got.status, got.err)
    job = World.json.decode(got.out)
    assert.truthy(got.err:find("job=j1 trace_id=" .. ID, 1, true), got.err)
    got = world:eas("submit " .. file .. " --json", { env = { TRACEPARENT = PARENT:gsub("4bf", "aaa") } })
    assert.equal(ID, World.json.decode(got.out).trace_id) -- it was there already
  end)

  it("control, worker and child have it", function()
    assert.equal(ID, job.trace_id)
    local got = world:eas("control --once", { env = { EAS_LOG_LEVEL = "debug", EAS_LOG_FORMAT = "json" } })
    local line = got.err:match "[^\n]*tasks made[^\n]*"
    assert.equal(ID, World.json.decode(line).trace_id)
    got = world:eas("worker --once --slots 1", { env = { EAS_LOG_LEVEL = "debug", EAS_LOG_FORMAT = "logfmt" } })
    assert.equal(0, got.status, got.err)
    local a = world:attempt "say"
    local n = tonumber(a.attempt:sub(2))
    for _, what in ipairs { "started", "committed" } do
      local found
      for text in got.err:gmatch "[^\n]+" do
        found = found or text:find(what, 1, true) and text:find(("attempt=a%d type=say trace_id=%s"):format(n, ID), 1, true)
      end
      assert.truthy(found, what .. "\n" .. got.err)
    end
    assert.equal(("00-%s-%016x-01"):format(ID, n), a.metadata.program)
    assert.equal(a.metadata.program, a.metadata.own)
  end)

  it("commands show it, and find by it what was logged", function()
    local a = world:attempt "say"
    assert.equal(ID, a.trace_id)
    assert.equal(ID, world:ask("show " .. a.task).trace_id)
    assert.equal(ID, world:ask("status j1").trace_id)
    assert.truthy(world:eas("show " .. a.attempt).out:find("traced  " .. ID, 1, true))
    world:eas { "submit", world:job({ { task = "say" } }, "other") }
    world:eas "control --once"
    world:eas "worker --once --slots 1"
    local other = world:ask("status j2").trace_id
    assert.equal(32, #other)
    assert.are_not.equal(ID, other)
    local lines = world:ask("logs --trace " .. ID)
    assert.equal("a line of this trace", lines[1].text)
    for _, line in ipairs(lines) do assert.equal(a.attempt, line.attempt) end
    assert.equal(0, #world:ask("logs --trace " .. ID:reverse()))
    for _, words in ipairs { "logs --trace 4BF9", "logs j1 --trace " .. ID } do
      local got = world:eas(words)
      assert.truthy(got.status ~= 0 and got.err:find "%-%-trace", got.err)
    end
  end)
end)
