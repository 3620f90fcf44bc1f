-- base/loop.h: order of timers, watches that change while handled, signals; base/log.h: what a line looks like.
local ffi = require "ffi"
local T = require "spec.support"
T.cdef "engine/base/loop.h"
T.cdef "engine/base/log.h"
T.cdef "engine/base/clock.h"
ffi.cdef [[
int pipe(int fds[2]); int close(int); int dup(int); int dup2(int, int); int kill(pid_t, int);
ssize_t read(int, void *, size_t); ssize_t write(int, const void *, size_t);
]]
local C = ffi.C
jit.off() -- a compiled call of C that calls back into Lua ends the process

local EPOLLIN, SIGUSR1, SIGUSR2 = 1, 10, 12

describe("eas_loop", function()
  local loop, keep, fds
  before_each(function()
    local out = ffi.new "eas_loop *[1]"
    assert.equal(0, C.eas_loop_new(out, nil))
    loop, keep, fds = out[0], {}, ffi.new "int[2]"
    assert.equal(0, C.pipe(fds))
  end)
  after_each(function()
    C.eas_loop_free(loop)
    C.close(fds[0])
    C.close(fds[1])
    for _, callback in ipairs(keep) do callback:free() end
  end)

  local function callback(type, fn)
    local made = ffi.cast(type, fn)
    keep[#keep + 1] = made
    return made
  end
  local function after(us, fn) return C.eas_loop_after(loop, us, callback("eas_loop_fn *", fn), nil) end
  local function turn(us) assert.equal(0, C.eas_loop_turn(loop, us or 0, nil)) end
  local function watch(fn) return C.eas_loop_watch(loop, fds[0], EPOLLIN, callback("eas_loop_fd_fn *", fn), nil, nil) end

  it("fires timers by time, equal ones in the order they were set", function()
    local seen = {}
    for i, us in ipairs { 3000, 1000, 2000, 1000, 0, -5 } do after(us, function() seen[#seen + 1] = i end) end
    after(4000, function() C.eas_loop_stop(loop) end)
    assert.equal(0, C.eas_loop_run(loop, nil))
    assert.equal("5 6 2 4 3 1", table.concat(seen, " "))
  end)

  it("never fires early, nor what was cancelled", function()
    local fired
    local start = C.eas_tick_us()
    local gone = after(1000, function() fired = "cancelled one" end)
    after(5000, function() C.eas_loop_stop(loop) end)
    C.eas_loop_cancel(loop, gone)
    C.eas_loop_cancel(loop, gone)
    C.eas_loop_cancel(loop, 0)
    C.eas_loop_run(loop, nil)
    assert.is_true(C.eas_tick_us() - start >= 5000)
    assert.is_nil(fired)
  end)

  it("tells nobody while a watch rests, and the next one of what came meanwhile", function()
    local seen = {}
    watch(function() seen[#seen + 1] = "first" end)
    C.eas_loop_rest(loop, fds[0])
    C.write(fds[1], "x", 1)
    turn(1000)
    assert.same({}, seen)
    assert.equal(0, watch(function() seen[#seen + 1] = "second" end))
    turn(1000)
    assert.same({ "second" }, seen)
    C.eas_loop_rest(loop, fds[0])
    C.eas_loop_unwatch(loop, fds[0])
    assert.equal(0, watch(function() seen[#seen + 1] = "third" end))
    turn(1000)
    assert.same({ "second", "third" }, seen)
  end)

  it("keeps its heap in order through many timers and cancels", function()
    local seen, ids = {}, {}
    for i = 1, 300 do
      local us, timer = (i * 7919) % 300 * 10, {}
      timer.from = C.eas_tick_us() + us -- due between the two
      ids[i] = C.eas_loop_after(loop, us, callback("eas_loop_fn *", function() seen[#seen + 1] = timer end), nil)
      timer.to = C.eas_tick_us() + us
    end
    for i = 3, 300, 3 do C.eas_loop_cancel(loop, ids[i]) end
    after(20000, function() C.eas_loop_stop(loop) end)
    C.eas_loop_run(loop, nil)
    assert.equal(200, #seen)
    for i = 2, #seen do assert.is_true(seen[i - 1].from <= seen[i].to) end
  end)

  it("lets a timer set itself without starving a turn", function()
    local n = 0
    local again
    again = callback("eas_loop_fn *", function()
      n = n + 1
      C.eas_loop_after(loop, 0, again, nil)
    end)
    C.eas_loop_after(loop, 0, again, nil)
    turn()
    assert.equal(1, n)
  end)

  it("sleeps no longer than asked", function()
    local start = C.eas_tick_us()
    turn(2000)
    local slept = tonumber(C.eas_tick_us() - start)
    assert.is_true(slept >= 2000 and slept < 500000, slept)
  end)

  it("hands over readable descriptors until they are unwatched", function()
    local n = 0
    assert.equal(0, watch(function(_, fd)
      n = n + 1
      assert(fd == fds[0])
      if n == 2 then C.eas_loop_unwatch(loop, fd) end
    end))
    turn()
    assert.equal(0, n)
    C.write(fds[1], "x", 1)
    for _ = 1, 4 do turn() end
    assert.equal(2, n)
  end)

  it("drops the event of a watch that an earlier handler removed and another took over", function()
    local other, old, new = ffi.new "int[2]", 0, 0
    assert.equal(0, C.pipe(other))
    local later = callback("eas_loop_fd_fn *", function() new = new + 1 end)
    local function swap(mine, theirs)
      return function()
        old = old + 1
        C.eas_loop_unwatch(loop, theirs)
        C.eas_loop_unwatch(loop, mine)
        assert(C.eas_loop_watch(loop, theirs, EPOLLIN, later, nil, nil) == 0)
      end
    end
    C.eas_loop_watch(loop, fds[0], EPOLLIN, callback("eas_loop_fd_fn *", swap(fds[0], other[0])), nil, nil)
    C.eas_loop_watch(loop, other[0], EPOLLIN, callback("eas_loop_fd_fn *", swap(other[0], fds[0])), nil, nil)
    C.write(fds[1], "x", 1)
    C.write(other[1], "x", 1)
    turn()
    assert.equal("1 0", old .. " " .. new)
    turn()
    assert.equal("1 1", old .. " " .. new)
    C.close(other[0])
    C.close(other[1])
  end)

  it("refuses what is no descriptor, and is changed only while watched", function()
    local err = ffi.new "eas_err"
    local fn = callback("eas_loop_fd_fn *", function() end)
    assert.equal(C.EAS_EINVAL, C.eas_loop_watch(loop, -1, EPOLLIN, fn, nil, err))
    assert.equal(C.EAS_EIO, C.eas_loop_watch(loop, 999, EPOLLIN, fn, nil, err))
    assert.matches("watch of descriptor 999", ffi.string(err.text))
    assert.equal(C.EAS_ENOENT, C.eas_loop_change(loop, fds[0], EPOLLIN))
    assert.equal(0, watch(function() end))
    assert.equal(C.EAS_EIO, watch(function() end)) -- twice
    assert.equal(0, C.eas_loop_change(loop, fds[0], 0))
  end)

  it("runs what was deferred at the end of the turn, and what that defers", function()
    local seen = {}
    local second = callback("eas_loop_fn *", function() seen[#seen + 1] = "second" end)
    C.eas_loop_defer(loop, callback("eas_loop_fn *", function()
      seen[#seen + 1] = "first"
      C.eas_loop_defer(loop, second, nil)
    end), nil)
    after(0, function() seen[#seen + 1] = "timer" end)
    turn(-1)
    assert.equal("timer first second", table.concat(seen, " "))
  end)

  it("delivers signals between handlers", function()
    local got = {}
    local fn = callback("eas_loop_signal_fn *", function(_, signo) got[#got + 1] = signo end)
    local set = ffi.new("int[2]", SIGUSR1, SIGUSR2)
    assert.equal(0, C.eas_loop_signals(loop, set, 2, fn, nil, nil))
    C.kill(C.getpid(), SIGUSR1)
    C.kill(C.getpid(), SIGUSR2)
    turn()
    table.sort(got)
    assert.equal("10 12", table.concat(got, " "))
  end)
end)

describe("eas_log", function()
  local function captured(format, write)
    local path = T.tmpdir() .. "/log"
    local file = assert(io.open(path, "w"))
    local saved = C.dup(2)
    ffi.cdef "int fileno(FILE *);"
    C.dup2(C.fileno(file), 2)
    C.eas_log_setup(format, C.EAS_INFO)
    write()
    C.dup2(saved, 2)
    C.close(saved)
    file:close()
    C.eas_log_context(0, 0, 0, nil)
    return T.read(path)
  end

  local function line()
    C.eas_log_context(3, 418, 533, "transit_search_tls")
    C.eas_log(C.EAS_DEBUG, "not seen")
    C.eas_log(C.EAS_WARN, "say \"%s\"\n", 'a\nb\27[31m')
  end

  it("is for people: time, level, attempt, type, and nothing that drives a terminal", function()
    assert.matches('^%d%d:%d%d:%d%d warn  a533  transit_search_tls  say "a b %[31m"\n$', captured(C.EAS_LOG_HUMAN, line))
  end)

  it("is logfmt", function()
    assert.matches('^time=%d+%-%d+%-%d+T[%d:]+%.%d%d%dZ level=warn job=j3 task=t418 attempt=a533 type=transit_search_tls'
      .. ' host=%S+ msg="say \\"a\\nb\\u001b%[31m\\""\n$', captured(C.EAS_LOG_LOGFMT, line))
  end)

  it("is JSON", function()
    local text = captured(C.EAS_LOG_JSON, line)
    T.cdef "engine/base/json.h"
    ffi.cdef "void json_delete(json_t *);"
    local v = C.eas_json_parse(text, #text, "log", nil)
    assert.is_true(v ~= nil, text)
    assert.equal('say "a\nb\27[31m"', ffi.string(C.eas_json_str(v, "msg")))
    assert.equal("a533", ffi.string(C.eas_json_str(v, "attempt")))
    C.json_delete(v)
  end)

  it("leaves out what it does not know, and knows its levels", function()
    local text = captured(C.EAS_LOG_LOGFMT, function() C.eas_log(C.EAS_ERROR, "x") end)
    assert.is_nil(text:find("job=", 1, true))
    assert.equal(C.EAS_WARN, C.eas_log_level "warn")
    assert.equal(-1, C.eas_log_level "warning")
    assert.equal("error", ffi.string(C.eas_log_level_name(C.EAS_ERROR)))
  end)
end)
