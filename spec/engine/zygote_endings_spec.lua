-- How children end, and what is left of them, in each mode of isolation: the report of eas-zygote-host (spec/zygote/host.c).
local cjson = require "cjson"
local T = require "spec.support"

local HOST = T.build .. "/bin/eas-zygote-host"

local function run(mode, act)
  local got = T.sh(("timeout 60 %s %s %s"):format(T.quote(HOST), mode, act))
  T.skip_unless(got.status ~= 3, (got.err:gsub("\n", " ")))
  assert.equal(0, got.status, got.err)
  return cjson.decode(got.out)
end

-- The error that the child reported, and its log lines.
local function said(report)
  local lines, err = {}, nil
  for _, event in ipairs(report.events) do
    if event[1] == 5 then err = cjson.decode(event[2]) end
    if event[1] == 1 then lines[#lines + 1] = event[2] end
  end
  return err, table.concat(lines, "\n")
end

local CRASHES = {
  { "segv", 139, "^SIGSEGV at address 0x10 in " },
  { "bus", 135, "^SIGBUS at address 0x%x+ in " },
  { "fpe", 136, "^SIGFPE in " },
  { "ill", 132, "^SIGILL in " },
  { "abort", 134, "^SIGABRT in " },
  { "double_free", 134, "^SIGABRT in " },
  { "stack_overflow", 139, "^SIGSEGV, C stack overflow at address 0x%x+ in " },
  { "thread_segv", 139, "^SIGSEGV at address 0x20 in " },
}

local SANITIZED = { double_free = true, stack_overflow = true, fpe = true }

for _, mode in ipairs { "full", "userns", "basic" } do
  describe("a child in mode " .. mode, function()
    it("that returns has ended well, with its layers noted", function()
      local r = run(mode, "well")
      assert.is_true(r.ended)
      assert.equal(0, r.status)
      assert.equal(15, r.layers % 16) -- limits, no new privileges, seccomp, Landlock
    end)

    it("runs threads", function()
      local r = run(mode, "threads")
      assert.is_true(r.ended)
    end)

    for _, crash in ipairs(CRASHES) do
      it("tells of " .. crash[1] .. ", Lua stack first", function()
        T.skip_unless(not (T.asan and SANITIZED[crash[1]]), "the sanitizers report this themselves")
        local r = run(mode, crash[1])
        local err = assert(said(r))
        assert.equal("crashed", err.ending)
        assert.is_truthy(err.message:find(crash[3]), err.message)
        assert.is_truthy(err.trace:find "^stack traceback:\n%s+script.lua:12: in function 'search'\nnative stack:\n", err.trace)
        assert.equal(crash[2], r.status)
        assert.is_false(r.ended)
      end)
    end

    it("that is asked to stop stops by a Lua error", function()
      local r = run(mode, "polite_loop")
      assert.equal("interrupted", said(r).message)
      assert.equal(1, r.status)
      T.soon(r.seconds, 0.6)
    end)

    for _, act in ipairs { "loop", "ignore_term" } do
      it("that does not hear (" .. act .. ") is stopped with its Lua stack", function()
        local r = run(mode, act)
        local err = said(r)
        assert.equal("timeout", err.ending)
        assert.equal("did not stop when it was asked to", err.message)
        assert.is_truthy(err.trace:find "script.lua:12")
        assert.equal(124, r.status)
        T.soon(r.seconds, 1.5)
      end)
    end

    it("that is stopped before its time is over was cancelled", function()
      local err = cjson.decode(run(mode, "cancelled")[1][2])
      assert.equal("cancelled", err.ending)
      assert.is_truthy(err.trace:find "script.lua:12")
    end)

    it("that uses up its CPU time tells where", function()
      local r = run(mode, "loop_on_cpu")
      local err = said(r)
      assert.equal("cpu", err.ending)
      assert.equal("used more than its CPU limit of 1 s", err.message)
      assert.is_truthy(err.trace:find "script.lua:12")
      assert.equal(152, r.status)
    end)

    it("that writes a file over its limit ends for that", function()
      local r = run(mode, "big_file")
      local err = said(r)
      assert.equal("disk", err.ending)
      assert.equal("wrote a file over its limit of 16 MB", err.message)
      assert.equal(153, r.status)
    end)

    it("that takes memory without end gets no more, or is killed and known for it", function()
      T.skip_unless(not T.asan, "no RLIMIT_AS under AddressSanitizer")
      local r = run(mode, "memory_bomb")
      local _, log = said(r)
      if r.oom then
        assert.equal(9, r.signal)
        assert.is_true(r.peak > 200e6 and r.peak <= 268435456, r.peak)
      else -- 256 MB and 1 GB of slack
        assert.is_true(assert(tonumber(log:match "no more after (%d+) MB")) <= 1280)
      end
    end)

    it("that forks without end is stopped, and nothing of it is left", function()
      local r = run(mode, "fork_bomb")
      local _, log = said(r)
      local forks = tonumber(log:match "forks (%d+)")
      assert.is_true(forks > 5 and forks < 1000, log)
      if mode == "full" then
        assert.is_true(forks <= 24 + (r.refused and 0 or 16))
        assert.equal(math.floor(r.layers / 2048) % 2 == 1, r.refused) -- the pids cgroup tells
      end
      assert.equal(0, r.left)
      if mode ~= "basic" then assert.equal(0, r.left_before) end -- the pid namespace did it
    end)

    it("that forks in all its children is stopped, and nothing of it is left", function()
      assert.equal(0, run(mode, "tree_bomb").left)
    end)

    it("that starts a daemon does not leave it", function()
      local r = run(mode, "daemon")
      local _, log = said(r)
      assert.equal("daemon started", log)
      assert.is_true(r.ended)
      assert.equal(0, r.left)
      if mode ~= "basic" then assert.equal(0, r.left_before) end
    end)

    it("that exits before its end has not ended well", function()
      local r = run(mode, "exit_early")
      assert.equal(0, r.status)
      assert.is_false(r.ended)
    end)

    it("that closes its pipes is still waited for", function()
      local r = run(mode, "close_pipes")
      assert.is_false(r.ended)
      assert.is_true(r.seconds > 0.19)
    end)

    it("that prints 20 MB is read to the end", function()
      local r = run(mode, "flood")
      assert.equal(320 * 65536, r.output)
      assert.is_true(r.ended)
    end)

    it("that sends garbage is not believed", function()
      local r = run(mode, "garbage")
      assert.is_true(r.garbage)
      assert.is_false(r.ended)
    end)

    it("that fails says why", function()
      local r = run(mode, "fail")
      assert.equal("no such period", said(r).message)
      assert.equal(1, r.status)
    end)

    it("gets a request of 1 MB whole", function()
      local events = run(mode, "large")
      assert.is_truthy(events[1][2]:find "^request 104%d%d%d%d %d+$", events[1][2])
      assert.equal(10, events[2][1])
    end)
  end)
end
