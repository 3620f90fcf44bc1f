-- The dashboard over a job of very many tasks: pages stay small, and paging reaches everything. 20 000 tasks.
-- EAS_LONG=1 on a quiet machine: a million, and every page within 300 ms of server time.
local T = require "spec.support"
local Http = require "spec.cli.http"
local Roles = require "spec.cli.roles"

local LONG = os.getenv "EAS_LONG"
local N = LONG and 1000000 or 20000
local LIMIT_S = 0.3
local FILL = [[
PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -200000;
BEGIN;
INSERT INTO word (id, text) VALUES (1, ''), (2, 'many'), (3, 'lightcurve'), (4, 'n07');
INSERT INTO task_type (id, name) VALUES (1, 'execution_for_loop'), (2, 'execution_chain'), (3, 'synthesis_batman'), (4, 'transit_search_tls');
INSERT INTO document (id, digest, source, body) VALUES (1, x'00', 'many.json', '{}');
INSERT INTO job (id, name, document, identity, state, seed, root, created_at) VALUES (1, 'many', 1, x'00', 'active', 1, 1, eas_now);
INSERT INTO node (id, job, path) VALUES (1, 1, '$');
INSERT INTO worker (id, host, pid, slots, version, state, started_at, beat_at, lease_until)
  VALUES (1, 4, 1, 8, '0', 'active', eas_now, eas_now, eas_now + 600000000);
-- the root, a chain for every 1000 tasks below it, and the tasks: six tenths passed, some failed or skipped, the rest to come
INSERT INTO task (id, job, ordinal, depth, type, node, directory, state, pending, attempts, accepted, open_children, failed_children, seed, cursor)
  VALUES (1, 1, 0, 0, 1, 1, 2, 'passed', 0, 1, 1, NN / 1000 - 6 * NN / 10000, 6 * NN / 10000, 1, NN / 1000);
INSERT INTO task (id, job, parent, ordinal, depth, type, node, directory, state, pending, attempts, accepted, open_children, failed_children, done, seed, metadata, cursor)
  SELECT value + 1, 1, 1, value - 1, 1, 2, 1, 2, 'passed', 0, 1, 1, CASE WHEN value > 6 * NN / 10000 THEN 1000 ELSE 0 END,
    CASE WHEN value > 6 * NN / 10000 THEN 0 ELSE 2 END, CASE WHEN value > 6 * NN / 10000 THEN 0 ELSE 1 END, 1, '{"size":' || value || '.5}', 1000 FROM generate_series(1, NN / 1000);
INSERT INTO task (id, job, parent, ordinal, depth, type, node, directory, state, pending, attempts, accepted, done, seed)
  SELECT value + 10000, 1, 2 + (value - 1) / 1000, (value - 1) % 1000, 2, 3 + value % 2, 1, 2,
    CASE WHEN value > 0.8 * NN THEN 'waiting' WHEN value > 0.6 * NN THEN 'ready' WHEN value % 1000 = 7 THEN 'failed' WHEN value % 1000 = 8 THEN 'skipped' ELSE 'passed' END,
    CASE WHEN value > 0.8 * NN THEN 1 ELSE 0 END, 1, CASE WHEN value > 0.6 * NN OR value % 1000 IN (7, 8) THEN NULL ELSE value + 10000 END,
    CASE WHEN value > 0.6 * NN THEN 0 ELSE 1 END, value FROM generate_series(1, NN);
INSERT INTO attempt (id, task, job, type, number, state, ending, verdict, worker, queued_at, started_at, ended_at, wall_us, cpu_us, peak_kb, metadata)
  SELECT value + 10000, value + 10000, 1, 3 + value % 2, 1,
    CASE WHEN value > 0.6 * NN + 8 THEN 'queued' WHEN value > 0.6 * NN THEN 'running' ELSE 'ended' END,
    CASE WHEN value > 0.6 * NN THEN NULL WHEN value % 1000 = 7 THEN 'crashed' ELSE 'ok' END,
    CASE WHEN value > 0.6 * NN THEN NULL WHEN value % 1000 = 7 THEN 'fail' ELSE 'pass' END,
    CASE WHEN value > 0.6 * NN + 8 THEN NULL ELSE 1 END, eas_now - 1000000000 + value * 100, CASE WHEN value > 0.6 * NN + 8 THEN NULL ELSE eas_now - 900000000 + value * 100 END,
    CASE WHEN value > 0.6 * NN THEN NULL ELSE eas_now - 900000000 + value * 100 + 18000000 END, CASE WHEN value > 0.6 * NN THEN NULL ELSE 18000000 + value % 1000 END, 17000000, 200000,
    CASE WHEN value > 0.6 * NN OR value % 2 = 0 THEN NULL ELSE '{"period":10.001,"sde":8.4,"outcome":"' || CASE WHEN value % 3 = 0 THEN 'PASS' ELSE 'FAIL' END || '"}' END
    FROM generate_series(1, 0.8 * NN) WHERE value % 1000 <> 8 OR value > 0.6 * NN;
INSERT INTO attempt_note (attempt, error, cause) SELECT id, 'SIGSEGV in power', 'SIGSEGV in power' FROM attempt WHERE ending = 'crashed';
INSERT INTO product (id, job, task, kind, directory, filename, passed)
  SELECT id, 1, id, 3, 2, 'lc_' || id || '.fits', CASE WHEN state = 'passed' THEN id END FROM task WHERE type = 3;
INSERT INTO version (id, product, attempt, digest, size, created_at, verdict)
  SELECT id, id, id, x'00', 1000, eas_now, 'pass' FROM product WHERE passed IS NOT NULL;
INSERT INTO log_line (attempt, seq, at, level, text) SELECT id, 0, started_at, 30, 'a word about ' || id FROM attempt WHERE id % 10 = 1 AND state = 'ended';
INSERT INTO job_type (job, type, waiting, queued, running, passed, failed, skipped, wall_us, ended)
  SELECT 1, t.type, sum(t.state = 'waiting'), sum(coalesce(a.state = 'queued', 0)), sum(coalesce(a.state = 'running', 0)), sum(t.state = 'passed'), sum(t.state = 'failed'),
    sum(t.state = 'skipped'), sum(coalesce(a.wall_us, 0)), sum(coalesce(a.state = 'ended', 0)) FROM task t LEFT JOIN attempt a ON a.task = t.id GROUP BY t.type;
COMMIT;
]]

describe("the dashboard of a job of many tasks", function()
  it(("opens every page (%d tasks)"):format(N), function()
    T.skip_unless(T.sh "command -v sqlite3".status == 0, "no sqlite3 here")
    local roles = Roles.new { EAS_LOG_LEVEL = "debug" }
    assert.equal(0, roles:eas("init").status)
    local sql = FILL:gsub("NN", tostring(N)):gsub("eas_now", "(CAST(unixepoch('subsec') * 1000000 AS INTEGER))"):gsub("unixepoch%('subsec'%)", "(julianday('now') - 2440587.5) * 86400")
    local filled = T.sh("sqlite3 -bail " .. T.quote(roles.dir .. "/data/eas.db"), sql)
    assert.equal(0, filled.status, filled.err)
    local web = Http.start(roles, "--actions on", { EAS_WEB_TOKEN = "0123456789abcdef" })
    finally(function() roles:stop() end)
    local t = 10000
    local paths = { "/", "/jobs", "/jobs/j1", "/jobs/j1?task=t2", "/jobs/j1?task=t2&ordinal=500", "/tasks", "/tasks?after=t" .. (t + math.floor(N * 0.55)),
      "/tasks?state=failed", "/tasks?state=skipped&type=synthesis_batman", "/tasks?state=running", "/tasks?state=queued", "/tasks?state=waiting", "/tasks?state=passed",
      "/tasks?state=cancelled", "/tasks/t10001", "/attempts/a10007", "/errors", "/timeline", "/timings", "/results", "/results?sort=-sde", "/maps", "/files", "/files?from=lc_3",
      "/tasks?where=size:3.5", "/tasks?type=transit_search_tls&where=size:" .. math.floor(N / 1000) .. ".5", "/maps?type=transit_search_tls",
      "/logs", "/logs?text=nothing", "/workers", "/api/v1/overview", "/api/v1/tasks.csv" }
    local best, slow = {}, {}
    for _ = 1, LONG and 3 or 1 do -- the first fills caches, and others work on this machine too
      for _, path in ipairs(paths) do
        local got = web:get(path)
        assert.equal(200, got.status, path .. got.body:sub(1, 300))
        assert.truthy(#got.body < 400 * 1024, path)
        local ms = tonumber(roles:log "web":match '.*web: GET [^"]- 200 in ([%d.]+) ms')
        best[path] = math.min(best[path] or ms, ms)
      end
    end
    for _, path in ipairs(paths) do
      if LONG then print(("%7.1f ms %s"):format(best[path], path)) end
      if LONG and best[path] > 1e3 * LIMIT_S then slow[#slow + 1] = ("%.0f ms %s"):format(best[path], path) end
    end
    assert.equal("", table.concat(slow, "\n"))
    local failed = web:api "/tasks?state=failed&limit=1000"
    assert.equal(math.min(1000, failed.counts.matching), #failed.items)
    assert.equal("t" .. (t + 7), failed.items[1].task)
    local waiting, after = web:api "/tasks?state=waiting", nil
    while #waiting.items == 0 do -- a page looks only so long, and says where to go on
      assert.truthy(waiting.next ~= after)
      after = waiting.next
      waiting = web:api("/tasks?state=waiting&after=" .. after)
    end
    assert.equal("t" .. (t + N * 0.8 + 1), waiting.items[1].task)
    -- all that are queued are cancelled between other requests, which wait no longer for it than for a page
    local queued = web:api("/tasks?state=queued").counts.matching
    assert.is_true(queued > 0.19 * N)
    local began, slowest, asked = os.time(), 0, 0
    assert.equal(202, web:ask("POST", "/api/v1/tasks/cancel", { Authorization = "Bearer 0123456789abcdef" }, "job=j1&state=queued").status)
    roles:wait("the cancel", function()
      local from = Http.now()
      assert.equal(200, web:get("/tasks?state=queued").status)
      slowest, asked = math.max(slowest, Http.now() - from), asked + 1
      return web:api("/tasks?state=cancelled").counts.matching == queued
    end, LONG and 600)
    if LONG then print(("%d cancelled in %d s; of %d pages meanwhile the slowest took %.0f ms"):format(queued, os.time() - began, asked, 1e3 * slowest)) end
    assert.equal(0, web:api("/tasks?state=queued").counts.matching)
  end)
end)
