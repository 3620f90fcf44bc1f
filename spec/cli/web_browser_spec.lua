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

  local function go(path, until_js)
    T.skip_unless(program, "no Chromium here")
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
    local v = web:api("/files?kind=lightcurve").items[1].version
    local vendored = web:get("/static/uPlot.iife.min.js").status == 200
    T.skip_unless(not program or vendored, "uPlot is not built in")
    go("/files/" .. v, "Number((document.querySelector('figure') || { dataset: {} }).dataset.drawn) > 0")
    assert.truthy(browser:eval "document.querySelectorAll('figure canvas').length" == 1)
    assert.truthy(browser:eval "Number(document.querySelector('figure').dataset.points)" > 100)
    browser:eval [[document.querySelector('figure').dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight' }))]]
    browser:wait "Number(document.querySelector('figure').dataset.drawn) > 1"
    browser:eval "document.querySelectorAll('.zoom button')[0].click()"
    browser:wait "Number(document.querySelector('figure').dataset.drawn) > 2"
    local search = web:api("/results").items[1]
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

  it("fits a phone: no page is wider than it", function()
    T.skip_unless(program, "no Chromium here")
    browser:send("Emulation.setDeviceMetricsOverride", { width = 360, height = 740, deviceScaleFactor = 1, mobile = true })
    for _, path in ipairs { "/", "/jobs/j1", "/tasks", "/tasks/t2", "/attempts/a3", "/results", "/timings", "/registry", "/api" } do
      go(path)
      assert.truthy(browser:eval "document.documentElement.scrollWidth" <= 360, path)
    end
  end)
end)
