-- docs/job_format.md: its jobs pass the check, its expressions give what it says.
local ffi = require "ffi"
local T = require "spec.support"
T.cdef "engine/base/json.h"
T.cdef "engine/expr/expr.h"
T.cdef "engine/model/job.h"
ffi.cdef "void json_delete(json_t *);"
local C = ffi.C

local text = T.read(T.root .. "/docs/job_format.md")

local function blocks(language)
  local list = {}
  for body in text:gmatch("```" .. language .. "\n(.-)```") do list[#list + 1] = body end
  return list
end

local function canonical(v)
  local p = C.eas_json_canonical(v)
  local out = ffi.string(p)
  C.free(p)
  return out
end

describe("docs/job_format.md", function()
  it("is short", function()
    assert.truthy(select(2, text:gsub("\n", "")) < 200)
    assert.equal(4, #blocks "json")
  end)

  for i, body in ipairs(blocks "json") do
    it("shows a job that passes the check: " .. i, function()
      local err, packs = ffi.new "eas_err", ffi.new "const char *[2]"
      local registry, file = ffi.new "eas_registry *[1]", ffi.new "eas_jobfile *[1]"
      packs[0] = T.root
      assert(C.eas_registry_open(registry, packs, err) == 0, ffi.string(err.text))
      assert(C.eas_jobfile_parse(file, "job.json", body, #body, err) == 0, ffi.string(err.text))
      local problems, out = ffi.new "eas_problems", ffi.new "eas_buf"
      local rc = C.eas_job_check(file[0], registry[0], ffi.new "eas_check_options", problems, err)
      if rc < 0 then C.eas_problems_print(problems, file[0], out) end
      assert(rc == 0, out.data ~= nil and ffi.string(out.data) or ffi.string(err.text))
      C.eas_problems_done(problems)
      C.eas_jobfile_free(file[0])
      C.eas_registry_close(registry[0])
    end)
  end

  local metadata = [[{"size_index": 0, "period": 63.2877, "star": "kplr01"}]]
  for line in blocks("python")[1]:gmatch "[^\n]+" do
    local expression, expected = line:match "^(.-)%s+#%s(.+)$"
    it("says what " .. expression .. " gives", function()
      local err, out = ffi.new "eas_err", ffi.new "json_t *[1]"
      local scope = ffi.new "eas_expr_scope"
      scope.metadata = C.eas_json_parse(metadata, #metadata, "metadata", err)
      assert(C.eas_expr_eval(expression, scope, out, nil, err) == 0, ffi.string(err.text))
      local json = expected:gsub("'", '"')
      local want = C.eas_json_parse(json, #json, "expected", err)
      assert(want ~= nil, ffi.string(err.text))
      assert.equal(canonical(want), canonical(out[0]))
    end)
  end
end)
