-- eas.qc: the object a quality check's handler gets. What it does not name has not passed; nothing passes
-- of an attempt whose ending is not ok.
local core = require "eas.core"
local json = require "eas.json"
local lc = require "eas.lc"
local EVENT = { LOG = 1, CHECK = 6, PRODUCT = 7 }
local VERDICTS = { pass = true, warn = true, fail = true, skip = true, note = true }

local qc = {}
local methods = {}
local meta = {
  __index = function(_, name)
    if methods[name] ~= nil then return methods[name] end
    if name == "error" or name == "requested_metadata" then return nil end
    error(("attempt has no field '%s'"):format(tostring(name)), 2)
  end,
  __tostring = function(self) return ("attempt of %s, ending %s"):format(tostring(rawget(self, "type")), self.ending) end,
}

local function send(type_, value) core.event(type_, 0, assert(json.encode(value))) end

-- A made file: filename, path, size, metadata, and lightcurve, which is opened when it is first looked at.
local output_meta = {
  __index = function(file, name)
    if name ~= "lightcurve" then return nil end
    local curve, why = lc.read(file.path, nil, file.metadata)
    if not curve then error(("output '%s': %s"):format(file.kind, why), 2) end
    rawset(file, "lightcurve", curve)
    return curve
  end,
}

local function made(self, kind, what)
  if not self.outputs[kind] then
    error(("%s: the attempt made no '%s'; it made: %s"):format(what, tostring(kind),
      require("eas.task").names(self.outputs)), 3)
  end
end

function methods.pass(self, kind)
  made(self, kind, "attempt:pass")
  if self.ending ~= "ok" then return self:fail(kind, "the attempt ended with " .. self.ending) end
  send(EVENT.PRODUCT, { kind = kind, pass = true })
end

function methods.fail(self, kind, reason)
  made(self, kind, "attempt:fail")
  send(EVENT.PRODUCT, { kind = kind, pass = false, reason = tostring(reason or "failed a check") })
end

-- Passes all that was made, or fails it with the reason.
function methods.pass_all(self, ok, reason)
  for kind in pairs(self.outputs) do
    if ok then self:pass(kind) else self:fail(kind, reason) end
  end
end

-- Records { name, value, limit, verdict }: pass, warn, fail, skip (not enough data), note (told, judged by nobody).
-- It decides nothing: attempt:require does. Returns true unless the verdict is fail.
function methods.check(_, check)
  if type(check) ~= "table" or type(check.name) ~= "string" then
    error("attempt:check takes { name = , value = , limit = , verdict = }", 2)
  end
  if not VERDICTS[check.verdict] then
    error(("check '%s': verdict is '%s'; it takes pass, warn, fail, skip, note"):format(check.name, tostring(check.verdict)), 2)
  end
  send(EVENT.CHECK, { name = check.name, value = check.value, limit = check.limit, verdict = check.verdict })
  return check.verdict ~= "fail"
end

-- A check that must hold: recorded, and kept in attempt.failed when ok is not true. warn: a warning is all it gives.
function methods.require(self, name, ok, value, limit, warn)
  local verdict = ok == true and "pass" or warn and "warn" or "fail"
  self:check { name = name, value = value, limit = limit, verdict = verdict }
  if verdict == "fail" then
    local why = limit ~= nil and (" (%s)"):format(qc.show(limit)) or ""
    self.failed[#self.failed + 1] = ("%s is %s%s"):format(name, qc.show(value), why)
  end
  return ok == true
end

for name, level in pairs { info = 20, warn = 30 } do
  methods[name] = function(_, format, ...)
    core.event(EVENT.LOG, level, select("#", ...) > 0 and tostring(format):format(...) or tostring(format))
  end
end

-- An input light curve of the attempt that is judged.
function methods.input(self, kind)
  local found = self.inputs[kind]
  if not found then error(("the attempt had no input '%s'"):format(tostring(kind)), 2) end
  local curve, why = lc.read(found.path, nil, found.metadata)
  if not curve then error(("input '%s': %s"):format(kind, why), 2) end
  return curve
end

function qc.show(v)
  if type(v) == "number" then return v == v and ("%.6g"):format(v) or "-" end
  if type(v) == "table" then return json.encode(v) or "?" end
  return tostring(v)
end

local function object(request)
  local outputs = {}
  for kind, file in pairs(request.made or {}) do
    file.kind, file.metadata = kind, file.metadata or {}
    outputs[kind] = setmetatable(file, output_meta)
  end
  return setmetatable({
    type = request.type, number = request.number or 1, ending = request.ending or "error", error = request.error,
    log = request.log or {}, description = request.description or {}, metadata = request.result or {},
    task_metadata = request.metadata or {}, requested_metadata = request.requested_metadata or {},
    inputs = request.inputs or {}, declared = request.outputs or {}, outputs = outputs,
    wall_seconds = request.wall_seconds or 0, failed = {},
  }, meta)
end

-- The verdict: what the handler said, unless the attempt's ending or a missing output says otherwise.
local function judge(attempt, ok, reason)
  if attempt.ending ~= "ok" then
    local said = attempt.error and attempt.error.message
    return false, attempt.ending .. (said and ": " .. said or "")
  end
  for kind in pairs(attempt.declared) do
    if ok and not attempt.outputs[kind] then return false, ("output '%s' was not made"):format(kind) end
  end
  if ok == true then return true end
  return false, reason or attempt.failed[1] or (ok == nil and "its quality check gave no verdict") or "failed its quality check"
end

function qc.define(handler)
  if type(handler) ~= "function" then error("eas.qc takes a function: eas.qc(function(attempt) ... end)", 2) end
  local function run(request)
    local attempt = object(request)
    local ok, reason = judge(attempt, handler(attempt))
    return ok and '{"pass":true}' or assert(json.encode { pass = false, reason = tostring(reason) })
  end
  return { role = "qc", handler = handler, run = run }
end

return qc
