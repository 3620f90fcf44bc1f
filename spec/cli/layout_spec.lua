-- How things look on terminals of several widths: compared with layout.txt, where times are masked. EAS_LAYOUT=write
-- writes it anew, to be looked at before it is committed.
local T = require "spec.support"
local World = require "spec.cli.world"
local Terminal = require "spec.cli.terminal"

local GOLDEN = T.root .. "/spec/cli/layout.txt"
local pack = World.pack {
  maker = { task = 'task:info("making") task:warn("slowly") task:exec { "sh", "-c", "echo 1 2 3 > x.txt" } task:output("text", "x.txt", { n = 3 })' },
  breaks = { task = 'error("no star " .. task.metadata.k)', max_attempts = "1" },
  counts = { task = 'task:set { n = task.metadata.k * 1000, half = task.metadata.k / 3, tag = "k" .. task.metadata.k }' },
  waits = { task = 'task:sleep(1.2)' },
  judged = { qc = 'attempt:check { name = "points", value = 12, limit = 20, verdict = "fail" }\n  return false, "12 points (20 wanted)"' },
}
local tasks = {
  { task = "maker", name = "first", outputs = { text = "a.txt" } },
  { task = "judged", outputs = { text = "never.txt" } },
  { task = "execution_for_loop", parameter = "k", values = { 1, 2, 3 }, task_list = { { task = "counts" }, { task = "breaks" } } },
  { task = "maker", inputs = { text = "never.txt" }, outputs = { text = "second.txt" } },
  { task = "waits" },
}
local world, running, golden, written

local function read_golden()
  local list, name = {}, nil
  for line in (T.read(GOLDEN) or ""):gmatch "([^\n]*)\n" do
    local found = line:match "^==== (.*)$"
    if found then
      name = found
      list[name] = ""
    elseif name then
      list[name] = list[name] .. line .. "\n"
    end
  end
  return list
end

lazy_setup(function()
  T.skip_unless(T.sh("command -v script").status == 0, "no script (util-linux)")
  golden, written = read_golden(), {}
  world = World.new(pack, { EAS_DATA = "data", EAS_HOST = "n07" })
  world:job(tasks, "layout")
  running = Terminal.run(world, "run layout.json --slots 1")
end)
lazy_teardown(function()
  if os.getenv "EAS_LAYOUT" ~= "write" then return end
  local parts = {}
  for _, section in ipairs(written) do parts[#parts + 1] = ("==== %s\n%s"):format(section.name, section.text) end
  T.write(GOLDEN, table.concat(parts))
end)

local function same(name, text)
  text = Terminal.mask(text, world)
  written[#written + 1] = { name = name, text = text }
  if os.getenv "EAS_LAYOUT" ~= "write" then assert.equal(golden[name], text, name) end
end

local function looks(words, columns, env)
  local got = Terminal.run(world, words, { columns = columns, env = env })
  same(("eas %s   (%d columns%s)"):format(words, columns, env and env.LC_ALL and ", ASCII" or ""), got.text)
  if columns >= 50 then assert.is_nil(got.screen.wrapped, words .. ": a line is longer than the terminal") end
  return got
end

describe("the progress block", function()
  it("of a running task", function()
    local found
    for _, frame in ipairs(running.frames) do
      if frame:find("⊘.*waits +1 ▶") then -- how many of the others are claimed ahead is a matter of time
        found = frame:gsub("(%s[cb]%l+s +)%d ▶ +%d ○", "%13 ○"):gsub("(%s[cb]%l+s +)3 ▶", "%13 ○")
      end
    end
    assert.truthy(found, table.concat(running.frames, "----\n"))
    same("the block while a task runs", found)
  end)

  it("at the end stands above the result", function()
    assert.equal(1, running.status)
    assert.is_nil(running.screen.wrapped)
    assert.truthy(running.screen.coloured)
    same("the end of a run", running.text)
  end)

  it("gives way to narrow and low terminals", function()
    for _, size in ipairs { { 60, 24 }, { 40, 4 } } do
      local got = Terminal.run(world, "run layout.json --slots 1 --fresh --quiet", { columns = size[1], rows = size[2] })
      assert.equal(1, got.status) -- the terminal fails if a line of the block is too long
    end
  end)
end)

describe("tables and cards", function()
  it("are as they were, at 100 columns", function()
    for _, words in ipairs { "status j1", "status --all", "tree j1", "errors j1", "results j1", "files j1", "logs t2", "why t6", "show t2", "show a2", "show p1", "show v1" } do
      looks(words, 100)
    end
  end)

  it("lose minor columns under 80, and are blocks under 50", function()
    for _, words in ipairs { "status j1", "errors j1", "results j1", "files j1" } do
      looks(words, 60)
      looks(words, 44)
    end
  end)

  it("of a long check is one line, of any width, that is gone at the end", function()
    for _, columns in ipairs { 46, 100 } do
      local got = Terminal.run(world, "fsck", { columns = columns })
      assert.equal(0, got.status)
      assert.truthy(got.frames[1]:find("0 of 10 checks of the database", 1, true), got.frames[1])
      assert.truthy(got.text:find "^%d+ versions, %d+ links, %d+ long logs, 0 problems\n$", got.text)
      assert.equal(1, #Terminal.run(world, "fsck --no-progress", { columns = columns }).screen.lines)
    end
    assert.equal("", world:eas("fsck").err)
  end)

  it("use ASCII where the terminal has no UTF-8, and no colour where none is wanted", function()
    looks("status j1", 100, { LC_ALL = "C" })
    looks("tree j1", 100, { LC_ALL = "C" })
    assert.truthy(Terminal.run(world, "status j1").screen.coloured)
    assert.is_nil(Terminal.run(world, "status j1", { env = { NO_COLOR = "1" } }).screen.coloured)
    assert.is_nil(Terminal.run(world, "status j1", { env = { TERM = "dumb" } }).screen.coloured)
    assert.truthy(Terminal.run(world, "status j1 --color always", { env = { NO_COLOR = "1" } }).screen.coloured)
  end)
end)

describe("errors", function()
  it("name the place, show it, and say what to do", function()
    T.write(world:path "wrong.json", '{\n  "job_name": "wrong",\n  "task_list": [\n    { "task": "makr", "outputs": { "text": "a.txt" } },\n'
      .. '    { "task": "execution_for_loop", "parameter": "k", "linear_rnge": [1, 2, 3],\n      "task_list": [ { "task": "counts" } ] },\n'
      .. '    { "task": "maker", "inputs": { "text": "none.txt" } }\n  ]\n}\n')
    T.write(world:path "broken.json", '{ "job_name": "broken",\n  "task_list": [ 1, 2 }\n')
    for _, words in ipairs { "run wrong.json", "run broken.json", "sttus", "status --jbo j1", "show t999", "status nobody" } do looks(words, 160) end
  end)
end)
