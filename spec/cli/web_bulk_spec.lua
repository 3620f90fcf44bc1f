-- What the dashboard does to all tasks of a filter: counts first, who may, slices, what follows; and the filter by loop variables.
local cjson = require "cjson"
local T = require "spec.support"
local Http = require "spec.cli.http"
local Roles = require "spec.cli.roles"

local TOKEN = "0123456789abcdef"
local BEARER = { Authorization = "Bearer " .. TOKEN }

describe("actions on all tasks of a filter", function()
  local roles, web, cookie, csrf

  -- j1: failed, and what was skipped because of it; j2: nothing of it has begun.
  setup(function()
    roles = Roles.new { EAS_LOG_LEVEL = "warn" }
    local list = {}
    for i = 1, 3 do
      list[#list + 1] = { task = "error", outputs = { lightcurve = "never_" .. i .. ".fits" } }
      list[#list + 1] = { task = "verify", inputs = { lightcurve = "never_" .. i .. ".fits" } }
    end
    local file = T.write(roles.dir .. "/bad.json", cjson.encode { job_name = "bad", task_list = list })
    assert(roles:eas("run --no-progress " .. file).status == 1)
    roles:submit({ { task = "execution_for_loop", parameter = "size", values = { 1, 2 }, task_list = {
      { task = "execution_for_loop", parameter = "tag", values = { "a,b", "c" }, task_list = {
        { task = "synthesis_batman", specs = { duration = 5 }, outputs = { lightcurve = "'lc_{size_index}_{tag_index}.fits'.format(**metadata)" } },
        { task = "verify", inputs = { lightcurve = "'lc_{size_index}_{tag_index}.fits'.format(**metadata)" } } } } } } }, "open")
    local control = roles:start "control"
    web = Http.start(roles, "--actions on", { EAS_WEB_TOKEN = TOKEN })
    roles:wait("expansion", function() return web:api("/tasks?job=j2&type=verify").counts.matching == 4 end)
    roles:signal(control, 15)
    roles:wait("the end of control", function() return not Roles.alive(control) end)
    cookie = web:ask("POST", "/session", nil, "token=" .. TOKEN).headers["set-cookie"]:match "^[^;]+"
    csrf = web:get("/tasks?job=j1", { Cookie = cookie }).body:match 'name="csrf"[^>]*value="(%x+)"'
  end)
  teardown(function() roles:stop() end)

  local function page(path) return web:get(path, { Cookie = cookie }).body end
  local function post(path, form, headers)
    local all = { Cookie = cookie }
    for k, v in pairs(headers or {}) do all[k] = v end
    return web:ask("POST", path, all, form)
  end
  local function matching(filter) return web:api("/tasks?" .. filter).counts.matching end

  it("are offered with their count, to who may", function()
    assert.is_nil(web:get("/tasks?job=j1&state=failed").body:find("Retry all", 1, true))
    local body = page "/tasks?job=j1&state=failed"
    assert.truthy(body:find(">Retry all 3</button>", 1, true))
    assert.is_nil(body:find("Cancel all", 1, true))
    assert.truthy(page("/tasks?job=j2&type=verify"):find(">Cancel all 4</button>", 1, true))
    assert.is_nil(page("/tasks?job=j1&state=passed"):find("Retry all", 1, true))
  end)

  it("are refused without the token, from another site, and for what is none", function()
    local form = "job=j1&state=failed&csrf=" .. csrf
    assert.equal(401, web:ask("POST", "/tasks/retry", nil, form).status)
    assert.equal(401, web:ask("POST", "/api/v1/tasks/retry", nil, form).status)
    assert.equal(401, web:ask("POST", "/api/v1/tasks/retry", { Authorization = "Bearer wrong" }, form).status)
    assert.equal(403, post("/tasks/retry", "job=j1&state=failed").status)
    assert.equal(403, post("/tasks/retry", "job=j1&state=failed&csrf=" .. ("0"):rep(48)).status)
    assert.equal(403, post("/tasks/retry", form, { Origin = "http://evil.example" }).status)
    assert.equal(403, post("/tasks/cancel", form, { ["Sec-Fetch-Site"] = "cross-site" }).status)
    assert.equal(405, web:get("/tasks/retry").status)
    for wrong, status in pairs { ["state=failed"] = 400, ["job=j1&state=passed"] = 400, ["job=j1&state=odd"] = 400, ["job=t1"] = 400, ["job=j99"] = 404,
      ["job=j1&where=size"] = 400, ["job=j1&type=nope"] = 400, ["job=j2"] = 400 } do
      assert.equal(status, web:ask("POST", "/api/v1/tasks/retry", BEARER, wrong).status, wrong)
    end
    assert.equal(404, web:ask("POST", "/api/v1/tasks/purge", BEARER, "job=j1").status)
    assert.equal(3, matching "job=j1&state=failed")
  end)

  it("retry what failed, and what was skipped because of it waits again", function()
    local got = post("/tasks/retry", "job=j1&state=failed&type=error&csrf=" .. csrf, { Origin = "http://127.0.0.1:" .. web.port })
    assert.equal(303, got.status, got.body)
    assert.equal("/tasks?job=j1&state=failed&type=error", got.headers.location)
    roles:wait("the retry", function() return matching "job=j1&state=queued" == 3 end)
    assert.equal(3, matching "job=j1&state=waiting")
    roles:wait("its end", function() return page("/tasks?job=j1"):find("Retry of failed, error: 3 done", 1, true) end)
  end)

  it("cancel what matches after one more question, and only that; what hangs on it is skipped; retry takes it up", function()
    local got = post("/tasks/cancel", "job=j2&type=synthesis_batman&where=size:1&csrf=" .. csrf)
    assert.equal(200, got.status)
    assert.truthy(got.body:find("would end as cancelled", 1, true) and got.body:find("synthesis_batman, size 1", 1, true), got.body)
    assert.equal(4, matching "job=j2&state=queued")
    assert.equal(303, post("/tasks/cancel", "sure=yes&job=j2&type=synthesis_batman&where=size:1&csrf=" .. csrf).status)
    roles:wait("the cancel", function() return matching "job=j2&state=cancelled" == 2 end)
    assert.equal(2, matching "job=j2&state=queued")
    local why = roles:eas("why " .. web:api("/tasks?job=j2&state=cancelled").items[1].task)
    assert.truthy(why.out:find "by%s+a user\n", why.out)
    local control = roles:start "control"
    roles:wait("what hangs on it", function() return matching "job=j2&state=skipped" == 2 end)
    roles:signal(control, 15)
    got = web:ask("POST", "/api/v1/tasks/retry", BEARER, "job=j2&state=cancelled")
    assert.equal(202, got.status)
    assert.equal(2, cjson.decode(got.body).matching)
    roles:wait("the retry", function() return matching "job=j2&state=waiting" == 4 end)
    assert.equal(4, matching "job=j2&state=queued")
    assert.equal(0, roles:eas("fsck").status)
  end)

  it("of a job that is cancelled are refused: it is taken up as a whole", function()
    assert.equal(200, web:ask("POST", "/api/v1/j1/cancel", BEARER, "").status)
    local got = web:ask("POST", "/api/v1/tasks/cancel", BEARER, "job=j1&state=queued")
    assert.equal(400, got.status)
    assert.truthy(got.body:find("cancelled as a whole", 1, true))
  end)

  it("and lists know loop variables", function()
    local v = web:api "/tasks?job=j2&type=verify&where=size:2,tag:a%252Cb"
    assert.equal(1, #v.items)
    assert.same({ 2, "a,b" }, { v.items[1].parameters.size, v.items[1].parameters.tag })
    assert.equal(2, #web:api("/tasks?job=j2&type=verify&where=size:2.0000000000").items)
    assert.equal(0, #web:api("/tasks?job=j2&where=size:3").items)
    assert.equal(400, web:get("/tasks?job=j2&where=size").status)
    local seen, after = 0, nil
    repeat
      local some = web:api("/tasks?job=j2&where=size:1&limit=2" .. (after and "&after=" .. after or ""))
      assert.is_true(#some.items <= 2)
      seen, after = seen + #some.items, some.next ~= cjson.null and some.next or nil
    until not after
    assert.equal(#web:api("/tasks?job=j2&where=size:1").items, seen)
    assert.truthy(seen >= 4, seen)
  end)
end)
