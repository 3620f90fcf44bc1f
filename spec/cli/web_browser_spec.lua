-- The dashboard in headless Chromium: scripts run and nothing else does, plots are drawn and zoom, pages come alive, phones fit.
-- Skipped where there is no Chromium.
local cjson = require "cjson"
local T = require "spec.support"
local Browser = require "spec.cli.browser"
local Http = require "spec.cli.http"
local Roles = require "spec.cli.roles"

local EVIL = [[<img src=x onerror="document.documentElement.dataset.owned=1"><script>document.documentElement.dataset.owned=2</script>]]
local program = Browser.program()

describe("the dashboard in a browser", function()
  local roles, web, browser
  setup(function()
    if not program then return end
    roles = Roles.new { EAS_LOG_LEVEL = "warn" }
    local file = T.write(roles.dir .. "/job.json", cjson.encode { job_name = "seen", task_list = {
      { task = "synthesis_batman", specs = { duration = 10, planet_radius = 3, orbital_period = 3 }, outputs = { lightcurve = "lc.fits" } },
      { task = "transit_search_bls_reference", lc_duration = 10, inputs = { lightcurve = "lc.fits" }, outputs = { periodogram = "pg.fits" } },
      { task = "execution_for_loop", name = EVIL, parameter = "tag", values = { EVIL }, task_list = { { task = "null", duration = 0 } } } } })
    local got = roles:eas("run --no-progress --json " .. file)
    assert(got.status == 0, got.out .. got.err)
    web = Http.start(roles)
    browser = Browser.start(roles, program)
  end)
  teardown(function()
    if roles then roles:stop() end
  end)

  before_each(function() T.skip_unless(program, "no Chromium here") end)

  local function go(path, until_js)
    browser:go(("http://127.0.0.1:%d%s"):format(web.port, path), ("location.pathname + location.search === %q && (%s)"):format(path, until_js or "document.readyState === 'complete'"))
  end

  it("runs our scripts, and none that a name brought along", function()
    for _, path in ipairs { "/tasks", "/jobs/j1", "/results?type=null", "/timeline" } do
      go(path, "document.getElementById('live') && document.getElementById('live').className === 'on' && !document.getElementById('help').hidden")
      assert.equal("", browser:eval "document.documentElement.dataset.owned || ''")
    end
    go "/tasks"
    assert.is_true(browser:eval "document.body.innerText.includes('<script>document.documentElement')")
    browser:eval "var s = document.createElement('script'); s.textContent = 'document.documentElement.dataset.owned = 3'; document.body.append(s)"
    assert.equal("", browser:eval "document.documentElement.dataset.owned || ''") -- even markup that got in would do nothing
  end)

  it("draws curves that zoom, and folds", function()
    local v = web:api("/files?job=j1&kind=lightcurve").items[1].version
    local vendored = web:get("/static/uPlot.iife.min.js").status == 200
    T.skip_unless(vendored, "uPlot is not built in")
    go("/files/" .. v, "Number((document.querySelector('figure') || { dataset: {} }).dataset.drawn) > 0")
    assert.truthy(browser:eval "document.querySelectorAll('figure canvas').length" == 1)
    assert.truthy(browser:eval "Number(document.querySelector('figure').dataset.points)" > 100)
    browser:eval [[document.querySelector('figure').dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight' }))]]
    browser:wait "Number(document.querySelector('figure').dataset.drawn) > 1"
    browser:eval "document.querySelectorAll('.zoom button')[0].click()"
    browser:wait "Number(document.querySelector('figure').dataset.drawn) > 2"
    local search = web:api("/results?job=j1").items[1]
    go("/attempts/" .. web:api("/tasks/" .. search.task).accepted, "Number((document.querySelector('figure') || { dataset: {} }).dataset.drawn) > 0")
    assert.equal("fold", browser:eval "document.querySelector('figure').dataset.plot")
    -- a peak of its periodogram, taken by key, moves the fold; each plot has a table
    browser:wait "document.querySelectorAll('figure canvas').length === 2 && document.querySelectorAll('a[data-peak]').length > 1"
    browser:eval "window.folds = Number(document.querySelector('figure').dataset.drawn); document.querySelectorAll('a[data-peak]')[1].click()"
    browser:wait "Number(document.querySelector('figure').dataset.drawn) > window.folds && document.getElementById('say').textContent.startsWith('folded at')"
    assert.equal("true", browser:eval "document.querySelectorAll('a[data-peak]')[1].getAttribute('aria-current') || ''")
    assert.is_true(browser:eval "location.search === '' && document.querySelectorAll('figure ~ details table tbody tr').length > 20")
    -- transits of a light curve are visited by key
    go("/files/" .. v, "Number((document.querySelector('figure') || { dataset: {} }).dataset.drawn) > 0")
    browser:eval [[document.querySelector('figure').dispatchEvent(new KeyboardEvent('keydown', { key: 'n' }))]]
    browser:wait "document.getElementById('say').textContent.startsWith('transit ')"
  end)

  it("shows what happens while one looks, and goes by keys", function()
    go("/", "document.getElementById('live') && document.getElementById('live').className === 'on' && !document.getElementById('help').hidden")
    assert.is_false(browser:eval "document.body.innerText.includes('came_later')")
    local file = T.write(roles.dir .. "/later.json", cjson.encode { job_name = "came_later", task_list = { { task = "null", duration = 0 } } })
    assert.equal(0, roles:eas("submit " .. file).status)
    browser:wait "document.body.innerText.includes('came_later')"
    browser:eval "['g', 'j'].forEach(function (k) { document.dispatchEvent(new KeyboardEvent('keydown', { key: k })); })"
    browser:wait "location.pathname === '/jobs' && document.readyState === 'complete'"
    browser:eval "document.getElementById('theme').click(); document.getElementById('theme').click()"
    assert.equal("dark", browser:eval "document.documentElement.dataset.theme")
  end)

  local function plotted(query, more)
    local v = web:api("/files?job=j1&kind=lightcurve").items[1].version
    T.skip_unless(web:get("/static/uPlot.iife.min.js").status == 200, "uPlot is not built in")
    go("/files/" .. v .. query, "Number((document.querySelector('figure') || { dataset: {} }).dataset.drawn) > 0")
    browser:eval([[window.plot = document.querySelector("figure"); window.asked = []; window.fetched = window.fetch;
      window.fetch = function (to) { asked.push(String(to)); return fetched.apply(window, arguments); };
      window.key = function (k) { plot.dispatchEvent(new KeyboardEvent("keydown", { key: k })); };
      window.said = function () { return document.getElementById("say").textContent; };]] .. (more or ""))
    return v
  end
  -- What the plot asked for last: from, to.
  local function range()
    local to = browser:eval "asked[asked.length - 1] || ''"
    return tonumber(to:match "from=([%d.e+-]+)"), tonumber(to:match "to=([%d.e+-]+)")
  end

  it("zooms a plot between two fingers, and moves it along by Shift and drag", function()
    plotted ""
    local box = cjson.decode(browser:eval "JSON.stringify(plot.querySelector('.u-over').getBoundingClientRect())")
    local y, x = box.top + box.height / 2, function(share) return box.left + share * box.width end
    local function touch(type, a, b)
      browser:send("Input.dispatchTouchEvent", { type = type, touchPoints = a and { { x = x(a), y = y, id = 1 }, { x = x(b), y = y, id = 2 } } or {} })
    end
    touch("touchStart", 0.4, 0.6)
    touch("touchMove", 0.3, 0.7)
    touch("touchMove", 0.2, 0.8)
    touch "touchEnd"
    browser:wait "asked.length > 0 && Number(plot.dataset.drawn) > 1"
    local from, to = range() -- 10 days; what was 2 days wide is 6 now: a third of all, around the middle
    assert.truthy(math.abs((to - from) / 10 - 1 / 3) < 0.05 and math.abs((from + to) / 2 - 5) < 0.3, ("%g to %g"):format(from, to))
    local drawn = browser:eval "Number(plot.dataset.drawn)"
    local function mouse(type, share)
      browser:send("Input.dispatchMouseEvent", { type = type, x = x(share), y = y, button = "left", buttons = type == "mouseReleased" and 0 or 1, clickCount = 1, modifiers = 8 })
    end
    mouse("mousePressed", 0.5)
    mouse("mouseMoved", 0.4)
    mouse("mouseMoved", 0.25)
    mouse("mouseReleased", 0.25)
    browser:wait(("asked.length > 1 && Number(plot.dataset.drawn) > %d"):format(drawn))
    local later, last = range()
    assert.truthy(math.abs(later - from - (to - from) / 4) < 0.1 and math.abs(last - later - (to - from)) < 0.01, ("%g to %g"):format(later, last))
  end)

  it("shows flagged samples by q, and gives a plot as SVG and as data", function()
    local v = plotted("?from=2&to=2.3", [[URL.createObjectURL = function (b) { b.text().then(function (t) { window.saved = t; }); return "#"; }; HTMLAnchorElement.prototype.click = function () {}]])
    local n = #(web:api("/files/" .. v .. "/plot?from=2&to=2.3&flagged=1").flagged_x or {})
    browser:eval "key('q')"
    browser:wait(("said() === '%d flagged samples are shown' && asked[0].includes('flagged=1')"):format(n))
    browser:eval "key('q')"
    browser:wait "said() === 'flagged samples are left out'"
    browser:eval "key('s')"
    browser:wait "(window.saved || '').startsWith('<svg')"
    assert.is_true(browser:eval [[(function () {
      var svg = new DOMParser().parseFromString(saved, "image/svg+xml"), line = svg.querySelector(".series");
      return !svg.querySelector("parsererror") && line.getAttribute("d").length > 100 && /^rgb/.test(line.getAttribute("stroke"));
    })()]])
    browser:eval "window.saved = ''; key('d')"
    browser:wait "saved.startsWith('x,y\\n') && saved.split('\\n').length === plot.dataset.points - 0 + 2"
  end)

  it("tells of new rows instead of moving what one reads", function()
    local list = {}
    for i = 1, 5 do list[i] = { task = "null", duration = 0 } end
    local later = roles:submit(list, "grows")
    go("/tasks?job=" .. later, "document.getElementById('live') && document.getElementById('live').className === 'on'")
    assert.equal(1, browser:eval "document.querySelectorAll('main tbody tr').length") -- its root; nobody has expanded it yet
    local control = roles:start "control"
    browser:wait "document.getElementById('new') && document.getElementById('new').textContent === '5 new'"
    assert.equal(1, browser:eval "document.querySelectorAll('main tbody tr').length")
    roles:signal(control, 15)
    browser:eval "document.getElementById('new').click()"
    browser:wait "document.readyState === 'complete' && document.querySelectorAll('main tbody tr').length === 6"
  end)

  it("says what a cell of a map is where it has the focus, and copies a line to type", function()
    go("/maps?job=j1", "document.querySelector('.map a[data-says]') && !document.getElementById('help').hidden")
    browser:send("Emulation.setFocusEmulationEnabled", { enabled = true })
    browser:eval "document.querySelector('.map a[data-says]').focus()"
    browser:wait "/found [01] of 1, .*SDE [0-9.]+/.test(document.querySelector('.map .says').textContent)"
    go("/attempts/a3", "document.querySelector('.copy')")
    browser:eval "navigator.clipboard.writeText = function (t) { window.copied = t; return Promise.resolve(); }; document.querySelector('.copy').click()"
    browser:wait "window.copied === 'eas shell --attempt a3' && document.querySelector('.copy').textContent === 'Copied'"
  end)

  it("fits a phone: no page is wider than it", function()
    browser:send("Emulation.setDeviceMetricsOverride", { width = 360, height = 740, deviceScaleFactor = 1, mobile = true })
    for _, path in ipairs { "/", "/jobs/j1", "/tasks", "/tasks/t2", "/attempts/a3", "/results", "/timings", "/registry", "/api" } do
      go(path)
      assert.truthy(browser:eval "document.documentElement.scrollWidth" <= 360, path)
    end
  end)
end)
