-- output.lua: how busted reports here: what failed and what was skipped, then one line of counts.
-- run-tests adds up those lines. EAS_SPEC_TIMES=S in the environment: also each test that took longer than S seconds.
return function()
  local busted = require "busted"
  local handler = require "busted.outputHandlers.base"()

  local function place(item)
    local trace = item.element.trace or item.trace or {}
    return ("%s:%s"):format((trace.short_src or "?"), trace.currentline or "?")
  end

  local function text(message)
    if type(message) == "string" then return message end
    if message == nil then return "no message" end
    return require("pl.pretty").write(message)
  end

  local function show(items, word)
    for _, item in ipairs(items) do
      io.write(word, " ", place(item), ": ", item.name or "?", "\n")
      io.write("     ", (text(item.message):gsub("\n", "\n     ")), "\n")
      local trace = item.isError and item.trace and item.trace.traceback
      if trace then io.write("     ", (trace:gsub("\n", "\n     ")), "\n") end
    end
  end

  -- A skip in before_each or setup: busted knows those of tests alone. The tests behind it do not run.
  local of_test = handler.basePending
  handler.basePending = function(element, parent, message, trace)
    if handler.inProgress[tostring(element)] then return of_test(element, parent, message, trace) end
    table.insert(handler.pendings, handler.format(element, parent, message, trace))
    handler.pendingsCount = handler.pendingsCount + 1
    return nil, true
  end

  local slow = tonumber(os.getenv "EAS_SPEC_TIMES" or nil)
  if slow then
    busted.subscribe({ "test", "end" }, function(element)
      if (element.duration or 0) >= slow then io.write(("%7.2f s  %s\n"):format(element.duration, handler.getFullName(element))) end
      return nil, true
    end)
  end

  busted.subscribe({ "exit" }, function()
    for _, item in ipairs(handler.pendings) do
      io.write("skip ", item.name or "?", ": ", (text(item.message):gsub("^%S+/spec/support%.lua:%d+: ", "")), "\n")
    end
    show(handler.failures, "FAIL")
    show(handler.errors, "ERROR")
    local failed = handler.failuresCount + handler.errorsCount
    if handler.successesCount + handler.pendingsCount + failed == 0 then
      io.write("ERROR no tests in this spec\n")
      failed = 1
      busted.publish({ "error", "suite" }, { descriptor = "suite" }, nil, "no tests in this spec", {})
    end
    io.write(("tests: %d passed, %d failed, %d skipped\n"):format(handler.successesCount, failed, handler.pendingsCount))
    io.flush()
    return nil, true
  end)

  return handler
end
