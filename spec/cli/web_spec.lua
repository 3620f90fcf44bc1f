-- The dashboard as plain HTTP: pages and API of a real job, names that are markup, bad requests, ranges, events, actions.
local ffi = require "ffi"
local cjson = require "cjson"
local T = require "spec.support"
local Http = require "spec.cli.http"
local Roles = require "spec.cli.roles"

local EVIL = "<script>alert(1)</script>\"'&amp;"
local roles, web, job

-- One job for all: a light curve and its search, a task that fails, one that waits for it, a name that is markup.
setup(function()
  roles = Roles.new { EAS_LOG_LEVEL = "warn" }
  local file = T.write(roles.dir .. "/job.json", cjson.encode { job_name = "web" .. EVIL, working_directory = "w", task_list = {
    { task = "execution_for_loop", parameter = "size", values = { 1, 2 }, task_list = {
      { task = "synthesis_batman", specs = { duration = 20, planet_radius = "(metadata['size'])", orbital_period = 3 },
        outputs = { lightcurve = "'lc_{size_index}.fits'.format(**metadata)" } },
      { task = "transit_search_bls_reference", lc_duration = 20, inputs = { lightcurve = "'lc_{size_index}.fits'.format(**metadata)" } } } },
    { task = "execution_for_loop", name = EVIL, parameter = "tag", values = { EVIL }, task_list = { { task = "null", duration = 0 } } },
    { task = "error", outputs = { lightcurve = "never.fits" } },
    { task = "verify", inputs = { lightcurve = "never.fits" } } } })
  local got = roles:eas("run --no-progress --json " .. file)
  assert(got.status == 1, got.out .. got.err)
  job = cjson.decode(got.out).job
  web = Http.start(roles)
end)
teardown(function() roles:stop() end)

local function ok(path)
  local got = web:get(path)
  assert.equal(200, got.status, path .. ": " .. got.body:sub(1, 300))
  return got
end

describe("pages", function()
  local PAGES = { "/", "/jobs", "/jobs/j1", "/tasks", "/tasks?state=failed", "/tasks?type=verify", "/tasks/t1", "/attempts/a2", "/errors", "/results",
    "/maps", "/timeline", "/timings", "/files", "/logs?level=10", "/workers", "/registry", "/api", "/session" }

  it("are there, whole, under a strict policy, and load nothing from elsewhere", function()
    for _, path in ipairs(PAGES) do
      local got = ok(path)
      assert.equal("text/html; charset=utf-8", got.headers["content-type"])
      local policy = got.headers["content-security-policy"]
      assert.truthy(policy:find("default-src 'none'", 1, true) and policy:find("script-src 'self';", 1, true), path)
      assert.is_nil(policy:find "unsafe")
      assert.equal("nosniff", got.headers["x-content-type-options"])
      assert.truthy(got.body:find "</html>%s*$", path)
      for _, tag in ipairs { "main", "header", "nav", "h1", "title" } do assert.truthy(got.body:find("</" .. tag .. ">", 1, true), path .. " " .. tag) end
      for to in got.body:gmatch "[%s](?:src)=\"([^\"]*)\"" do assert.truthy(to:find "^/static/", to) end
      assert.is_nil(got.body:find "%sstyle=", path .. ": style in markup")
      assert.is_nil(got.body:find "%son%a+=", path .. ": script in markup")
      assert.truthy(#got.body < 100 * 1024, path)
    end
  end)

  it("show names as text, whatever they are", function()
    for _, path in ipairs { "/", "/jobs/j1", "/tasks", "/errors", "/results", "/timeline", "/files" } do
      local body = ok(path).body
      assert.is_nil(body:find("<script>alert", 1, true), path)
    end
    assert.truthy(ok("/jobs/j1").body:find("web&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;amp;", 1, true))
    assert.truthy(ok("/tasks").body:find("&lt;script&gt;alert(1)", 1, true))
    local got = web:get "/tasks?type=%3Cscript%3Ealert(1)%3C/script%3E%22"
    assert.equal(200, got.status)
    assert.is_nil(got.body:find("<script>alert", 1, true))
    got = web:get "/nope%3Cscript%3Ealert(1)%3C%2Fscript%3E"
    assert.equal(404, got.status)
    assert.is_nil(got.body:find("<script>alert", 1, true))
  end)

  it("answer what a person asks first", function()
    local body = ok("/jobs/" .. job).body
    for _, text in ipairs { "transit_search_bls_reference", "execution_for_loop", "7 of 7 ended", "1 failed", "Failures" } do
      assert.truthy(body:find(text, 1, true), text)
    end
    local failed = web:api "/tasks?state=failed"
    assert.equal(1, #failed.items)
    assert.equal("error", failed.items[1].type)
    local attempt = ok("/attempts/" .. failed.items[1].attempt).body
    assert.truthy(attempt:find('<pre class="trace">', 1, true))
    assert.truthy(attempt:find 'class="source">%s+%d+ |')
    local skipped = web:api("/tasks?state=skipped").items[1]
    local task = ok("/tasks/" .. skipped.task).body
    assert.truthy(task:find("never.fits", 1, true) and task:find(failed.items[1].task, 1, true))
    assert.truthy(ok("/errors").body:find("1 of 7 tasks failed, 1 were skipped", 1, true))
    local map = ok("/maps").body
    assert.truthy(map:find("transit_search_bls_reference", 1, true) and map:find('<title>size 1: found %d of 1[^<]*, SDE [%d.]+</title>'), map)
    local cell = map:match('href="(/tasks%?job=j1&amp;type=transit_search_bls_reference&amp;where=size:2)"')
    assert.truthy(cell, map)
    assert.truthy(ok((cell:gsub("&amp;", "&"))).body:find("1 match <b>size 2</b>", 1, true))
    assert.truthy(ok("/timeline").body:find('class="f-passed"', 1, true))
  end)

  it("draw curves, and fold them at what was found", function()
    local files = web:api "/files?kind=lightcurve"
    assert.equal("lc_0.fits", files.items[1].filename)
    local v = files.items[1].version
    local page = ok("/files/" .. v).body
    assert.truthy(page:find('<svg aria-label="', 1, true) and page:find('class="series ', 1, true))
    local p = web:api("/files/" .. v .. "/plot?from=2&to=2.3")
    assert.truthy(#p.x > 50 and p.x[1] >= 2 and p.x[#p.x] <= 2.3 and #p.x == #p.y)
    local search = web:api("/results").items[1]
    local a = web:api("/tasks/" .. search.task).accepted
    local f = web:api("/attempts/" .. a .. "/fold")
    assert.truthy(math.abs(f.period - search.period) < 1e-9)
    assert.equal(#f.x, #f.all)
    assert.truthy(ok("/attempts/" .. a).body:find('id="fold"', 1, true))
    assert.equal(404, web:get("/api/v1/attempts/" .. a .. "/fold?period=-1").status)
    assert.equal(404, web:get("/attempts/" .. a .. "/fold").status)
  end)
end)

describe("the API", function()
  it("is described, path by path, and each path answers", function()
    local d = web:api "/openapi.json"
    assert.equal("3.0.3", d.openapi)
    local n = 0
    local ids = { job = job, task = "t2", attempt = "a3", file = web:api("/files?kind=lightcurve").items[1].version }
    for path, methods in pairs(d.paths) do
      if methods.get and not path:find "/events$" and not path:find "/fold$" and not path:find "{table}" then
        local got = web:get((path:gsub("{(%a+)}", ids)))
        assert.equal(200, got.status, path .. ": " .. got.body:sub(1, 200))
        assert.truthy(got.headers["content-type"]:find(path:find "%.csv$" and "^text/csv" or "^application/json"))
        n = n + 1
      end
    end
    assert.truthy(n >= 24, n)
  end)

  it("pages by key, each row once", function()
    local seen, after, n = {}, nil, 0
    repeat
      local page = web:api("/tasks?limit=3" .. (after and "&after=" .. after or ""))
      for _, t in ipairs(page.items) do
        assert.is_nil(seen[t.task])
        seen[t.task], n = true, n + 1
      end
      after = page.next ~= cjson.null and page.next or nil
    until not after
    assert.equal(n, web:api("/tasks").counts.matching)
  end)

  it("writes tables that no spreadsheet runs", function()
    local csv = ok("/api/v1/tasks.csv").body
    assert.truthy(csv:find "^task,type,name,state,")
    assert.truthy(csv:find(',"<script>alert(1)</script>""\'&amp;",', 1, true), csv)
    assert.equal("SIMPLE  =", ok("/api/v1/results.fits").body:sub(1, 9))
    assert.truthy(ok("/api/v1/results.votable?type=transit_search_bls_reference").body:find("<VOTABLE", 1, true))
    assert.equal(404, web:get("/api/v1/results.xlsx").status)
    assert.equal(2, select(2, ok("/api/v1/results.csv").body:gsub("\r\n", "")) - 1)
  end)
end)

describe("requests that are wrong", function()
  it("get an error that says so", function()
    for path, status in pairs { ["/nope"] = 404, ["/jobs/j99"] = 404, ["/tasks/t99"] = 404, ["/attempts/a99"] = 404, ["/files/v99"] = 404, ["/tasks/1"] = 404,
      ["/tasks?state=odd"] = 400, ["/tasks?limit=x"] = 400, ["/tasks?what=1"] = 400, ["/tasks?job=t1"] = 400, ["/tasks?after=t1x"] = 400,
      ["/tasks?job=j99999999999999999999"] = 400, ["/timeline?longer=nan"] = 400, ["/static/../../etc/passwd"] = 404, ["/static/%2e%2e/eas"] = 404,
      ["/files/..%2f..%2fetc%2fpasswd/download"] = 404, ["/%ff%fe"] = 404, ["/attempts/a1'--"] = 404, ["//evil"] = 404 } do
      local got = web:get(path)
      assert.equal(status, got.status, path)
      if not path:find "static" and not path:find "%%" then
        got = web:get("/api/v1" .. path)
        assert.equal(status, got.status, path)
        local e = cjson.decode(got.body).error
        assert.truthy(#e.code > 0 and #e.message > 0, path)
      end
    end
    assert.equal(405, web:ask("POST", "/tasks", nil, "a=1").status)
    assert.equal(405, web:ask("DELETE", "/tasks").status)
    assert.equal(200, web:ask("HEAD", "/tasks").status)
    assert.equal("", web:ask("HEAD", "/tasks").body)
  end)

  it("too large, broken or slow ones harm nobody", function()
    assert.truthy(web:raw("GET /" .. ("a"):rep(40000) .. " HTTP/1.1\r\nHost: localhost\r\n\r\n"):find "^HTTP/1.1 4%d%d")
    assert.truthy(web:raw("GET / HTTP/1.1\r\nHost: localhost\r\nX: " .. ("b"):rep(60000) .. "\r\n\r\n"):find "^HTTP/1.1 4%d%d")
    assert.truthy(web:raw("POST /session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n"):find "^HTTP/1.1 413")
    local chunks = ("10000\r\n" .. ("c"):rep(65536) .. "\r\n"):rep(3) .. "0\r\n\r\n"
    assert.truthy(web:raw("POST /session HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" .. chunks):find "^HTTP/1.1 413")
    for _, bytes in ipairs { "\0\0\0\0\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "\22\3\1\2\0\1\0\1\252\3\3", ("\255"):rep(500) .. "\r\n\r\n" } do
      web:raw(bytes, 300)
    end
    local idle = {}
    for i = 1, 30 do idle[i] = web:connect() end
    ffi.C.send(idle[1], "GET / HT", 8, 0x4000)
    assert.equal(200, web:get("/").status)
    for _, fd in ipairs(idle) do ffi.C.close(fd) end
  end)

  it("for another host are refused: a name that somebody points here", function()
    assert.equal(421, web:get("/", { Host = "evil.example" }).status)
    assert.equal(421, web:get("/api/v1/jobs", { Host = "evil.example:80" }).status)
    assert.equal(200, web:get("/", { Host = "localhost:1234" }).status)
  end)

  it("at random end in an answer, never in a defect", function()
    math.randomseed(7)
    local words = { "jobs", "tasks", "attempts", "files", "logs", "api", "v1", "j1", "t1", "a1", "v1", "..", "%00", "%ff", "{task}", "a'\"", "-1", "plot", "fold", "log",
      "download", "events.csv", "results.csv" }
    local keys = { "job", "after", "limit", "state", "type", "sort", "x", "y", "from", "to", "period", "seq", "text", "minutes", "longer", "directory", "ordinal", "task" }
    local values = { "j1", "t1", "-1", "1e999", "nan", "%27%3B--", "0", "99999999999999", "%E2%98%83", "%ff", "lightcurve", "-period", "a2", "" }
    for _ = 1, 150 do
      local path = {}
      for _ = 1, math.random(1, 4) do path[#path + 1] = words[math.random(#words)] end
      local query = {}
      for _ = 1, math.random(0, 2) do query[#query + 1] = keys[math.random(#keys)] .. "=" .. values[math.random(#values)] end
      local to = "/" .. table.concat(path, "/") .. (#query > 0 and "?" .. table.concat(query, "&") or "")
      if not to:find "events" then
        local got = web:get(to)
        assert.truthy(got.status < 500, to .. ": " .. got.status .. "\n" .. roles:log "web")
      end
    end
    for _, route in ipairs { "/jobs/j1", "/tasks", "/files", "/logs", "/results", "/maps", "/timeline", "/timings" } do
      for _, key in ipairs(keys) do
        local to = ("%s?%s=%s"):format(route, key, values[math.random(#values)])
        local got = web:get(to)
        assert.truthy(got.status < 500, to .. ": " .. got.status .. "\n" .. roles:log "web")
      end
    end
  end)
end)

describe("downloads", function()
  it("give the bytes, and parts of them", function()
    local v = web:api("/files?kind=lightcurve").items[1]
    local to = "/files/" .. v.version .. "/download"
    local whole = ok(to)
    assert.equal(v.size, #whole.body)
    assert.equal('attachment; filename="lc_0.fits"', whole.headers["content-disposition"])
    assert.equal("SIMPLE", whole.body:sub(1, 6))
    local part = web:get(to, { Range = "bytes=2-5" })
    assert.equal(206, part.status)
    assert.equal("MPLE", part.body)
    assert.equal("bytes 2-5/" .. v.size, part.headers["content-range"])
    assert.equal(whole.body:sub(-3), web:get(to, { Range = "bytes=-3" }).body)
    assert.equal(whole.body:sub(v.size), web:get(to, { Range = ("bytes=%d-"):format(v.size - 1) }).body)
    assert.equal(416, web:get(to, { Range = "bytes=" .. v.size .. "-" }).status)
    for _, odd in ipairs { "bytes=5-2", "bytes=a-b", "lines=1-2", "bytes=1-2,4-5", "bytes=-" } do
      assert.equal(200, web:get(to, { Range = odd }).status, odd)
    end
  end)

  it("give a whole log as text", function()
    local a = web:api("/tasks?state=failed").items[1].attempt
    local got = ok("/attempts/" .. a .. "/log")
    assert.equal("text/plain; charset=utf-8", got.headers["content-type"])
    assert.truthy(#got.body > 0)
  end)
end)

describe("actions", function()
  local TOKEN = "0123456789abcdef"

  it("are off", function()
    local got = web:ask("POST", "/api/v1/" .. job .. "/retry", { Authorization = "Bearer " .. TOKEN }, "")
    assert.equal(403, got.status)
    assert.truthy(got.body:find "actions are off")
    assert.is_nil(ok("/jobs/" .. job).body:find "<button type=\"submit\">Retry")
  end)

  it("need a token that is long enough", function()
    local got = roles:eas("web --actions on --listen 127.0.0.1:0", { EAS_WEB_TOKEN = "short" })
    assert.equal(2, got.status)
    assert.truthy(got.err:find "no token of 16 characters")
  end)

  it("need the token, by header or by a form of this very site", function()
    local acting = Http.start(roles, "--actions on", { EAS_WEB_TOKEN = TOKEN }, "acting")
    local retry = "/api/v1/" .. job .. "/retry"
    assert.equal(401, acting:ask("POST", retry, nil, "").status)
    assert.equal(401, acting:ask("POST", retry, { Authorization = "Bearer wrong" }, "").status)
    assert.equal(405, acting:get(retry).status)
    assert.equal(403, acting:ask("POST", "/session", nil, "token=nope").status)
    local login = acting:ask("POST", "/session", nil, "token=" .. TOKEN)
    assert.equal(303, login.status)
    local cookie = login.headers["set-cookie"]
    assert.truthy(cookie:find "HttpOnly" and cookie:find "SameSite=Strict")
    cookie = cookie:match "^[^;]+"
    local page = acting:get("/jobs/" .. job, { Cookie = cookie }).body
    local csrf = page:match 'name="csrf"[^>]*value="(%x+)"'
    assert.truthy(csrf)
    assert.equal(403, acting:ask("POST", "/" .. job .. "/retry", { Cookie = cookie }, "").status)
    assert.equal(403, acting:ask("POST", "/" .. job .. "/retry", { Cookie = cookie }, "csrf=" .. ("0"):rep(48)).status)
    assert.equal(403, acting:ask("POST", "/" .. job .. "/retry", { Cookie = cookie, Origin = "http://evil.example" }, "csrf=" .. csrf).status)
    assert.equal(403, acting:ask("POST", "/" .. job .. "/retry", { Cookie = cookie, ["Sec-Fetch-Site"] = "cross-site" }, "csrf=" .. csrf).status)
    assert.equal(1, web:api("/jobs/" .. job).counts.failed)
    local done = acting:ask("POST", "/" .. job .. "/retry", { Cookie = cookie, Origin = "http://127.0.0.1:" .. acting.port }, "csrf=" .. csrf)
    assert.equal(303, done.status, done.body)
    assert.equal(0, web:api("/jobs/" .. job).counts.failed)
    local bearer = { Authorization = "Bearer " .. TOKEN }
    for _, verb in ipairs { "pause", "resume", "cancel" } do
      assert.equal(200, acting:ask("POST", ("/api/v1/%s/%s"):format(job, verb), bearer, "").status, verb)
    end
    assert.equal("cancelled", web:api("/jobs/" .. job).gate)
    assert.equal(400, acting:ask("POST", ("/api/v1/%s/resume"):format(job), bearer, "").status)
    assert.equal(400, acting:ask("POST", ("/api/v1/%s/explode"):format(job), bearer, "").status)
    assert.equal(404, acting:ask("POST", "/api/v1/j99/pause", bearer, "").status)
  end)
end)

describe("events", function()
  it("say that something has changed", function()
    local fd = web:connect()
    local request = "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
    ffi.C.send(fd, request, #request, 0x4000)
    local first = Http.read(fd, 3000, function(t) return t:find "event: change" end)
    assert.truthy(first:find("Content-Type: text/event-stream", 1, true))
    local file = T.write(roles.dir .. "/more.json", cjson.encode { job_name = "more", task_list = { { task = "null", duration = 0 } } })
    assert.equal(0, roles:eas("submit " .. file).status)
    local more = Http.read(fd, 3000, function(t) return t:find '"newest":%s*"j2"' end)
    assert.truthy(more:find "event: change" and more:find '"newest":%s*"j2"', more)
    ffi.C.close(fd)
    assert.equal(200, web:get("/").status)
  end)
end)

describe("without", function()
  it("a database or an address, eas web says so", function()
    local got = T.eas({ "web", "--data", roles.dir .. "/none" })
    assert.equal(2, got.status)
    assert.truthy(got.err:find "there is no database here yet")
    got = roles:eas "web --listen nowhere"
    assert.equal(2, got.status)
    assert.truthy(got.err:find "HOST:PORT is wanted")
    got = roles:eas("web --listen 127.0.0.1:" .. web.port)
    assert.equal(3, got.status)
    assert.truthy(got.err:find "in use")
  end)
end)
