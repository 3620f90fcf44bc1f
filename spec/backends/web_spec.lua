-- The dashboard on each database: every page and path of the API, with the role that may only read.
local ffi = require "ffi"
local cjson = require "cjson"
local T = require "spec.support"
local B = require "spec.backends.backend"
local Http = require "spec.cli.http"
local Roles = require "spec.cli.roles"

B.each(function(kind)
  it("shows its pages, and can only read", function()
    local database = B.url(kind)
    local roles = Roles.new { EAS_DATABASE = database, EAS_LOG_LEVEL = "info" }
    finally(function() roles:stop() end)
    assert.equal(0, roles:eas("init").status)
    roles:start "control"
    roles:start "worker --slots 2"
    local job = roles:submit({ { task = "execution_for_loop", parameter = "size", values = { 1, 2 }, task_list = {
      { task = "synthesis_batman", specs = { duration = 5, planet_radius = 3, orbital_period = 2 }, outputs = { lightcurve = "'lc_{size_index}.fits'.format(**metadata)" } },
      { task = "verify", inputs = { lightcurve = "'lc_{size_index}.fits'.format(**metadata)" } } } },
      { task = "error", outputs = { lightcurve = "never.fits" } }, { task = "verify", inputs = { lightcurve = "never.fits" } } }, "shown")
    roles:wait("the end", function() return roles:status(job).done_at ~= cjson.null end)
    local read = database
    if kind == "postgresql" then
      local sql = T.read(T.root .. "/config/postgresql_roles.sql")
      local db = assert(B.open(database))
      db:exec(sql:gsub("%-%-[^\n]*", ""))
      db:close()
      read = database:gsub("://[^@/]*@", "://eas_web@"):gsub("user=%w+", "user=eas_web")
      assert.is_true(read ~= database)
    end
    local web = Http.start(roles, "--actions on", { EAS_DATABASE = read, EAS_WEB_TOKEN = "0123456789abcdef" })
    local ids = { job = job, task = "t2", attempt = web:api("/tasks?state=failed").items[1].attempt, file = web:api("/files").items[1].version }
    for path, methods in pairs(web:api("/openapi.json").paths) do
      if methods.get and not path:find "/events$" and not path:find "/fold$" and not path:find "{table}" then
        local got = web:get((path:gsub("{(%a+)}", ids)))
        assert.equal(200, got.status, path .. ": " .. got.body:sub(1, 300))
        got = web:get((path:gsub("{(%a+)}", ids):gsub("^/api/v1", ""):gsub("/overview", "/")))
        assert.truthy(got.status == 200 or got.status == 404, path .. ": " .. got.body:sub(1, 300))
      end
    end
    for _, state in ipairs { "waiting", "queued", "running", "passed", "reused", "failed", "skipped", "cancelled" } do
      local v = web:api("/tasks?state=" .. state)
      assert.equal(v.counts.matching, #v.items, state)
    end
    assert.equal(1, #web:api "/logs?level=10&text=SAMPLES&limit=1".items)
    assert.equal(1, #web:api("/errors?job=" .. job).items)
    assert.equal(2, #web:api("/tasks/" .. web:api("/tasks?type=verify&state=passed").items[1].task .. "").lineage.nodes)
    local got = web:ask("POST", "/api/v1/" .. job .. "/retry", { Authorization = "Bearer 0123456789abcdef" }, "")
    local bulk = web:ask("POST", "/api/v1/tasks/retry", { Authorization = "Bearer 0123456789abcdef" }, "job=" .. job)
    if kind == "postgresql" then
      assert.truthy(got.status >= 400, got.body) -- its role has no right to
      assert.truthy(bulk.status >= 400 and bulk.status ~= 404, bulk.body)
      assert.equal(1, web:api("/tasks?state=failed").counts.matching)
    else
      assert.equal(200, got.status, got.body)
    end
    ffi.C.usleep(0)
  end)
end)
