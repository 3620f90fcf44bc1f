-- eas report, timings, queues: a job on one page that needs nothing else; how long things took; what waits.
local T = require "spec.support"
local World = require "spec.cli.world"

local SEARCH = [[
  local size, period = task.metadata.size, task.metadata.period
  if size == 3 and period == 20 then error("no <b>bold</b> star & \"nothing\"") end
  local lc = task:input("lightcurve")
  local found = size * 10 >= period
  task:set { outcome = found and "PASS" or "FAIL", target_period = period, period = found and period or period / 2, t0 = 1, duration = 0.2,
             depth = 0.001, sde = 5 + size, credible = size == 1 and not found and "pass" or found and "pass" or "fail",
             alias = not found and "1/2" or nil, n_points = lc.n }]]
local MAKE = [[
  local eas = require "eas"
  local lc = eas.lightcurve(900)
  for i = 0, 899 do
    lc.time[i], lc.flux[i] = i / 30, 1 - ((lc.time[i] + 4) % task.metadata.period < 0.2 and 0.001 or 0)
  end
  task:output("lightcurve", lc)]]
local pack = World.pack {
  make = { task = MAKE }, transit_search_one = { task = SEARCH, max_attempts = "1" }, transit_search_two = { task = SEARCH, max_attempts = "1" },
}
local NAME = "'lc_{size_index}_{period_index}_{draw}.fits'.format(**metadata)"
local tasks = { { task = "execution_for_loop", parameter = "size", label = "radius <i>R</i> (Re)", values = { 1, 2, 3 }, task_list = {
  { task = "execution_for_loop", parameter = "period", values = { 5, 10, 20 }, task_list = {
    { task = "execution_for_loop", parameter = "draw", values = { 1, 2 }, task_list = {
      { task = "make", outputs = { lightcurve = NAME } },
      { task = "transit_search_one", inputs = { lightcurve = NAME } },
      { task = "transit_search_two", inputs = { lightcurve = NAME } },
    } } } } } } }
local world, page

lazy_setup(function()
  world = World.new(pack)
  local job = world:job(tasks, "hostile", { job_name = "<script>alert(1)</script> & co" })
  assert.equal(1, world:eas({ "run", job, "--no-progress" }).status)
  local got = world:eas { "report", "-o", "r.html" }
  assert.equal(0, got.status, got.err)
  page = assert(T.read(world:path "r.html"))
end)

local function holds(...)
  for _, part in ipairs { ... } do assert.truthy(page:find(part, 1, true), part .. " is not in the page") end
end

describe("eas report", function()
  it("counts what was found, over the loops, averaged over repetitions", function()
    holds("<strong>one recovered 14 of 16</strong> (88 %)", "two recovered 14 of 16", "4 of 54 tasks did not pass", "Each cell averages over draw.")
    holds("14 of 16 found", ">2/2<", ">0/2<", "2 alias", "radius &lt;i&gt;R&lt;/i&gt; (Re)", "found 0 of 0, 2 failed",
      "it finds half from radius &lt;i&gt;R&lt;/i&gt; 1.5 at period 20")
    local _, maps = page:gsub("Recovery map: ", "")
    assert.truthy(maps >= 2)
  end)

  it("tells false alarms, results, folds, timings and the way to repeat it", function()
    holds('<th scope="row">one</th><td class="r" data-v="16">16</td><td class="r" data-v="14">14</td><td class="r" data-v="14">14</td>'
      .. '<td class="r" data-v="2">2</td><td class="r" data-v="2">2</td><td class="r" data-v="0">0</td>')
    holds("Best: found", "Missed, although significant", "hours from mid-transit", 'class="model"', "true period (d)", "how long attempts ran")
    holds("eas run _script_alert_1___script____co.json --seed 1", "data:application/json;base64,", "qc <code", "as a table")
  end)

  it("shows failures with their traceback", function()
    holds("<strong>2</strong> error of transit_search_one", "no &lt;b&gt;bold&lt;/b&gt; star &amp; &quot;nothing&quot;", "transit_search_one.lua:4")
  end)

  it("escapes every value, and asks for nothing from anywhere", function()
    assert.is_nil(page:find("<b>bold", 1, true))
    assert.is_nil(page:find("alert(1)</script>", 1, true))
    holds("&lt;script&gt;alert(1)&lt;/script&gt; &amp; co", "default-src 'none'")
    local rest = page:gsub('xmlns="http://www.w3.org/2000/svg"', ""):gsub("'http://www.w3.org/2000/svg'", "")
    assert.is_nil(rest:find "https?://")
    assert.is_nil(rest:find "<link") assert.is_nil(rest:find "@import") assert.is_nil(rest:find "url%([^#]")
    local _, scripts = page:gsub("<script", "")
    assert.equal(1, scripts)
    local check = T.write(world:path "check.py", [[
import html.parser, sys
void = {"meta", "rect", "path", "circle"}
class P(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(); self.open = []; self.ids = set()
    def handle_startendtag(self, tag, attrs): pass
    def handle_starttag(self, tag, attrs):
        for k, v in attrs:
            if k == "id":
                assert v not in self.ids, v
                self.ids.add(v)
            assert not k.startswith("on"), k
        if tag not in void: self.open.append(tag)
    def handle_endtag(self, tag):
        assert self.open.pop() == tag, (tag, self.getpos())
p = P(); p.feed(open(sys.argv[1]).read()); assert p.open == [], p.open
]])
    if T.sh("test -x /usr/bin/python3").status == 0 then
      local got = T.sh(("/usr/bin/python3 %s %s"):format(check, world:path "r.html"))
      assert.equal(0, got.status, got.err)
    end
  end)

  it("goes into the data folder, to a file or to stdout; says what is wrong", function()
    local got = world:ask "report j1"
    assert.equal("j1", got.job)
    assert.equal(got.bytes, #T.read(world:path "data/report.html"))
    got = world:eas { "report", "-o", "-" }
    assert.truthy(got.out:find "^<!DOCTYPE html>")
    got = world:eas { "report", "-o", "/nowhere/r.html" }
    assert.equal(2, got.status)
    assert.truthy(got.err:find("/nowhere/r.html", 1, true) and got.err:find("-o FILE", 1, true), got.err)
    assert.equal(2, world:eas("report j9").status)
  end)

  it("of a job that searched nothing has no map", function()
    local other = World.new(pack)
    assert.equal(0, other:run({ { task = "null", duration = 0 } }, "nothing").status)
    local text = other:eas({ "report", "-o", "-" }).out
    assert.truthy(text:find("All 1 task passed", 1, true), text)
    assert.is_nil(text:find('id="recovery"', 1, true))
    assert.truthy(text:find("Nothing failed.", 1, true))
  end)
end)

describe("eas timings", function()
  it("by type, most CPU first; a row for each attempt", function()
    local rows = world:ask "timings"
    assert.equal(3, #rows)
    for i, r in ipairs(rows) do
      assert.equal(18, r.n)
      assert.truthy(r.wall_median_us > 0 and r.wall_median_us <= r.wall_p95_us and r.wall_p95_us <= r.wall_max_us and r.wall_max_us <= r.wall_us)
      assert.truthy(r.queued_median_us <= r.queued_p99_us)
      assert.truthy(i == 1 or r.cpu_us <= rows[i - 1].cpu_us)
    end
    assert.equal(18, #world:ask "timings --each --type make")
    local longest = world:ask("timings --each --sort -wall_us --limit 1")[1]
    assert.truthy(longest.parameters.size and longest.wall_us >= rows[1].wall_median_us)
    local csv = world:eas("timings --csv").out
    assert.truthy(csv:find "^type,n,wall_median_seconds,", csv)
    csv = world:eas("timings --each --csv --type make").out
    assert.truthy(csv:find "^attempt,task,type,started,wall,cpu,queued,ending,host,size,", csv)
    assert.equal(19, select(2, csv:gsub("\n", "")))
    assert.truthy(world:eas("timings").out:find "transit_search_one +18 ")
    assert.equal(2, world:eas("timings --since soon").status)
  end)
end)

describe("eas queues", function()
  it("says what waits, and that nobody is there to run it", function()
    local w = World.new(pack)
    assert.truthy(w:eas("init").status == 0 and w:eas("queues").out:find("nothing is queued", 1, true))
    local job = w:job({ { task = "null", duration = 0 } })
    assert.equal(0, w:eas({ "submit", job }).status)
    local rows = w:ask "queues"
    assert.equal("execution_chain", rows[1].type)
    assert.equal(1, rows[1].queued)
    assert.equal(0, w:eas("control --once").status)
    rows = w:ask "queues"
    assert.same({ "null", 1, 0, 0 }, { rows[1].type, rows[1].queued, rows[1].running, rows[1].slots })
    assert.truthy(w:eas("queues").out:find("no worker runs 1 of these", 1, true))
  end)
end)
