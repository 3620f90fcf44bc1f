-- Long logs: the database has their first and last lines, the store all of them; short ones cost nothing.
local T = require "spec.support"
local World = require "spec.cli.world"

local LINES = 'for i = 1, %d do print(("line %%06d "):format(i) .. ("x"):rep(88)) end '
local types = {
  l_short = { task = 'task:info("one line")' },
  l_middle = { task = LINES:format(2000) },
  -- what a script says and what it prints travel apart: in order only if the one is there before the other begins
  l_long = { task = 'task:warn("first") task:sleep(0.3) ' .. LINES:format(10000) .. 'task:error("last")', qc = 'attempt:info("judged")\n  return true' },
  l_killed = { task = LINES:format(10000) .. 'task:exec { "sh", "-c", "echo said by a program; head -c 20000000 /dev/zero >x" } task:sleep(20)' }, -- over its disk limit
  l_more = { task = 'local text = ("y"):rep(4000) for i = 1, 20000 do print(i .. " " .. text) end', timeout = "60 s" },
  l_wide = { task = 'task:info(("é"):rep(5000) .. " the end")' },
}
for _, t in pairs(types) do t.max_attempts, t.memory_gb, t.reuse = "1", t.memory_gb or "0.5", "no" end

local world, ran

lazy_setup(function()
  world = World.new(World.pack(types), { EAS_SCRATCH_LIMIT = "10 MB" })
  local tasks = {}
  for name in pairs(types) do tasks[#tasks + 1] = { task = name, name = name } end
  ran = world:run(tasks, "job")
end)

local function whole(name, words)
  local a = world:attempt(name)
  local got = world:eas(("logs %s --full %s"):format(a.attempt, words or ""))
  assert.equal(0, got.status, got.err)
  return got.out, a, got.err
end

local function count(text, part)
  local n = 0
  for _ in text:gmatch(part) do n = n + 1 end
  return n
end

describe("a short log", function()
  it("has no object", function()
    assert.equal(1, ran.status, ran.err) -- the killed one
    assert.equal(3, world:value "SELECT count(*) FROM attempt_log")
    local text, a = whole "l_short"
    assert.truthy(text:find("one line", 1, true), text)
    assert.equal(World.json.null, a.log)
    assert.equal(2000, count(whole "l_middle", "line %d+"))
  end)
end)

describe("a long log", function()
  it("is cut in the database, and says where the rest is", function()
    local a = world:attempt "l_long"
    local text, rows = world:log(a.attempt)
    assert.is_true(#text < 300 * 1024)
    assert.equal("first", rows[1].text)
    assert.equal("judged", rows[#rows].text)
    assert.truthy(text:find(("bytes) left out here; the whole log: eas logs %s --full"):format(a.attempt), 1, true))
    assert.truthy(world:eas("show " .. a.attempt).out:find("eas logs " .. a.attempt .. " --full", 1, true))
  end)

  it("is whole in the store, in order", function()
    local text, a = whole "l_long"
    local want = 1
    for n in text:gmatch "line (%d+) x" do
      assert.equal(want, tonumber(n))
      want = want + 1
    end
    assert.equal(10001, want)
    assert.truthy(text:match "^[^\n]* warn +%S+ l_long  first\n")
    assert.truthy(text:match " error +%S+ l_long  last\n[^\n]* info +%S+ l_long  judged\n$")
    assert.equal(10003, a.log_lines)
    assert.equal(0, a.log_left_out)
    assert.is_true(world:value "SELECT max(size) FROM attempt_log WHERE lines > 20000 OR lines < 11000" < a.log_bytes / 5) -- packed
  end)

  it("can be asked for in parts and as JSON", function()
    local text = whole("l_long", "--level warn")
    assert.equal(2, count(text, "\n"))
    local rows = World.json.decode((whole("l_long", "--json --limit 3")))
    assert.equal(3, #rows)
    assert.same({ "first", 30, "l_long" }, { rows[1].text, rows[1].level, rows[1].type })
    local lines = world:ask("logs " .. world:attempt("l_long").attempt)
    assert.equal(lines[1].at, rows[1].at)
    assert.equal(lines[2].text, rows[2].text)
  end)

  it("loses nothing that was said before a kill", function()
    local text, a = whole "l_killed"
    assert.equal("disk", a.ending, a.error)
    assert.equal(10000, count(text, "line %d+ x"))
    assert.truthy(text:find("said by a program", 1, true))
  end)

  it("is kept up to 64 MB", function()
    local text, a, said = whole "l_more"
    assert.is_true(#text > 60e6 and #text < 72e6, #text)
    assert.is_true(a.log_bytes <= 64 * 2 ^ 20 and a.log_bytes > 63 * 2 ^ 20, a.log_bytes)
    assert.equal(20000, a.log_lines + a.log_left_out)
    assert.truthy(said:find(a.log_left_out .. " more lines were not kept", 1, true), said)
    assert.truthy(world:log(a.attempt):find("the first 64 MB of the log", 1, true))
  end)

  it("may have long lines, cut between characters", function()
    local _, rows = world:log(world:attempt("l_wide").attempt)
    local text = ""
    for _, row in ipairs(rows) do
      assert.is_true(#row.text <= 4096)
      text = text .. row.text
    end
    assert.equal(("é"):rep(5000) .. " the end", text)
  end)
end)

describe("--full", function()
  it("is for one attempt", function()
    local got = world:eas "logs j1 --full"
    assert.equal(2, got.status)
    assert.truthy(got.err:find("--full is for one attempt", 1, true), got.err)
  end)
end)

describe("the objects of logs", function()
  local function objects() return T.sh(("find %s/data/store/objects -type f"):format(T.quote(world.dir))).out end

  it("are what fsck looks for and gc leaves", function()
    assert.equal(3, count(objects(), "\n"))
    assert.equal("", T.sh(("find %s/data/store/tmp -type f"):format(T.quote(world.dir))).out)
    local got = world:ask "fsck --verify"
    assert.same({ true, 3 }, { got.ok, got.logs })
    assert.equal(0, world:ask("gc --grace 0 --yes").removed)
  end)

  it("are missed when they are gone or changed", function()
    local a = world:attempt "l_killed"
    local path = ("%s/data/store/objects/%s/%s"):format(world.dir, a.log:sub(1, 2), a.log)
    assert(os.execute(("chmod u+w %s && printf x >>%s"):format(path, path)) == 0)
    local got = world:eas "fsck --verify"
    assert.equal(1, got.status)
    assert.truthy(got.out:find(a.attempt .. ": changed bytes", 1, true), got.out)
    T.write(path, "no stream")
    got = world:eas("logs " .. a.attempt .. " --full")
    assert.is_true(got.status > 0)
    assert.truthy(got.err:find("damaged", 1, true), got.err)
    os.remove(path)
    got = world:eas "fsck"
    assert.truthy(got.out:find(a.attempt .. ": log without bytes", 1, true), got.out)
  end)
end)
