-- world.lua: a small job written straight into the tables, and whether all that must hold of the tables holds.
local ffi = require "ffi"
local T = require "spec.support"
local B = require "spec.backends.backend"
T.cdef "engine/model/attempt.h"
T.cdef "engine/model/words.h"
ffi.cdef [[ char *json_dumps(const json_t *, size_t); json_t *json_loads(const char *, size_t, void *); void json_delete(json_t *); ]]
local C = ffi.C

local World = {}
World.__index = World

local function json(text)
  local v = C.json_loads(text, 0, nil)
  assert(v ~= nil, text)
  return v
end

local function text_of(v)
  if v == nil then return nil end
  local p = C.json_dumps(v, 0x20 + 0x80) -- compact, sorted
  local s = ffi.string(p)
  C.free(p)
  return s
end

function World:word(text)
  local id = ffi.new "int64_t[1]"
  self.db:must(C.eas_word_id(self.db.c, text, id, self.db.err))
  return tonumber(id[0])
end

function World:type(name)
  local id = ffi.new "int64_t[1]"
  self.db:must(C.eas_type_id(self.db.c, name, id, self.db.err))
  return tonumber(id[0])
end

local function count(self, job, type, state, n)
  self.db:exec(("INSERT INTO job_type (job, type, %s) VALUES ($1, $2, $3) ON CONFLICT (job, type) DO UPDATE SET %s = job_type.%s + $3")
    :format(state, state, state), job, type, n)
end

-- A job with a passed root. options: name, priority, state, places (entries of its document), fields (more of it, as JSON).
function World:job(options)
  options = options or {}
  local db, job, document, root, node, attempt = self.db, {}, self.db:id "document", self.db:id "task", self.db:id "node", self.db:id "attempt"
  job.id, job.root, job.document, job.nodes, job.n = self.db:id "job", root, document, {}, 0
  job.type = self:type "execution_chain"
  local entries = {}
  for i = 0, (options.places or 20) - 1 do entries[#entries + 1] = ('{"task": "null", "place": %d}'):format(i) end
  db:exec("INSERT INTO document (id, digest, source, body) VALUES ($1, $2, 'job.json', $3)", document,
    { blob = ("%032d"):format(document) }, '{"task_list": [' .. table.concat(entries, ", ") .. "]" .. (options.fields and ", " .. options.fields or "") .. "}")
  db:exec("INSERT INTO job (id, name, document, identity, state, priority, seed, root, created_at) VALUES ($1, $2, $3, $4, $5, $6, 1, $7, eas_now())",
    job.id, options.name or "stars", document, { blob = ("%032d"):format(job.id) }, options.state or "active", options.priority or 0, root)
  db:exec("INSERT INTO node (id, job, path) VALUES ($1, $2, '$')", node, job.id)
  db:exec("INSERT INTO task (id, job, ordinal, depth, type, node, directory, state, pending, attempts, seed, metadata)"
    .. " VALUES ($1, $2, 0, 0, $3, $4, $5, 'ready', 0, 1, 1, $6)", root, job.id, job.type, node, self:word "out", options.metadata)
  db:exec("INSERT INTO attempt (id, task, job, type, number, state, ending, verdict, queued_at, ended_at)"
    .. " VALUES ($1, $2, $3, $4, 1, 'ended', 'ok', 'pass', 0, 0)", attempt, root, job.id, job.type)
  db:exec("UPDATE task SET state = 'passed', accepted = $2, done = 1 WHERE id = $1", root, attempt)
  db:exec("UPDATE job SET done_at = eas_now() WHERE id = $1", job.id) -- until there are children
  count(self, job.id, job.type, "passed", 1)
  return job
end

local function node_of(self, job, place)
  if not job.nodes[place] then
    job.nodes[place] = self.db:id "node"
    self.db:exec("INSERT INTO node (id, job, path) VALUES ($1, $2, $3)", job.nodes[place], job.id, ("$.task_list[%d]"):format(place))
  end
  return job.nodes[place]
end

-- A task below the root (or options.parent): type, name, metadata, outputs (list of kinds), inputs (kind -> product),
-- needs (name -> task), place, passed (a flow-control task whose children are made). Gives { id, job, attempt, products }.
function World:task(job, options)
  options = options or {}
  local db, task = self.db, { id = self.db:id "task", job = job.id, products = {} }
  local parent = options.parent or { id = job.root, depth = 0 }
  local pending, type = 0, self:type(options.type or "null")
  for _ in pairs(options.inputs or {}) do pending = pending + 1 end
  for _ in pairs(options.needs or {}) do pending = pending + 1 end
  task.depth, task.type = parent.depth + 1, type
  local ordinal = db:value("SELECT count(*) FROM task WHERE parent = $1", parent.id)
  db:exec("INSERT INTO task (id, job, parent, ordinal, depth, type, node, name, directory, label, state, pending, attempts, seed, metadata)"
    .. " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)", task.id, job.id, parent.id, ordinal, task.depth, type,
    node_of(self, job, options.place or 0), options.name and self:word(options.name), self:word "out", options.label and self:word(options.label),
    pending > 0 and "waiting" or "ready", pending, pending > 0 and 0 or 1, 7000 + task.id, options.metadata)
  db:exec("UPDATE task SET open_children = open_children + 1, done = 0 WHERE id = $1", parent.id)
  db:exec("UPDATE job SET done_at = NULL WHERE id = $1", job.id)
  for _, kind in ipairs(options.outputs or {}) do
    task.products[kind] = db:id "product"
    db:exec("INSERT INTO product (id, job, task, kind, directory, filename) VALUES ($1, $2, $3, $4, $5, $6)", task.products[kind],
      job.id, task.id, self:word(kind), self:word "out", ("%s_%d.fits"):format(kind, task.id))
  end
  for kind, product in pairs(options.inputs or {}) do
    db:exec("INSERT INTO task_input (task, kind, product, met) VALUES ($1, $2, $3, 0)", task.id, self:word(kind), product)
  end
  for name, needed in pairs(options.needs or {}) do
    db:exec("INSERT INTO task_need (task, name, needed, met) VALUES ($1, $2, $3, 0)", task.id, self:word(name), needed.id)
  end
  if pending > 0 then
    count(self, job.id, type, "waiting", 1)
    return task
  end
  task.attempt = db:id "attempt"
  if options.passed then
    db:exec("INSERT INTO attempt (id, task, job, type, number, state, ending, verdict, queued_at, ended_at)"
      .. " VALUES ($1, $2, $3, $4, 1, 'ended', 'ok', 'pass', 0, 0)", task.attempt, task.id, job.id, type)
    db:exec("UPDATE task SET state = 'passed', accepted = $2 WHERE id = $1", task.id, task.attempt)
    count(self, job.id, type, "passed", 1)
  else
    db:exec("INSERT INTO attempt (id, task, job, type, number, state, not_before, queued_at) VALUES ($1, $2, $3, $4, 1, 'queued', $5, eas_now())",
      task.attempt, task.id, job.id, type, options.not_before or 0)
    count(self, job.id, type, "queued", 1)
  end
  return task
end

function World:worker(lease_s, db)
  db = db or self.db
  local info, id = ffi.new "eas_worker_info", ffi.new "int64_t[1]"
  local host, version = "here", "0.1.0"
  info.host, info.pid, info.slots, info.version, info.lease_us = host, 4711, 2, version, (lease_s or 60) * 1000000
  db:must(C.eas_worker_register(db.c, info, id, db.err))
  return tonumber(id[0])
end

-- Claims up to max; gives a list of tables, next_us; or nil, message, code. options: types, db.
function World:claim(worker, max, options)
  options = options or {}
  local db, names = options.db or self.db, options.types or { "null" }
  local types = ffi.new("const char *[?]", #names + 1, names)
  types[#names] = nil
  local out, next_us, list = ffi.new "eas_claims", ffi.new "int64_t[1]", {}
  local rc = C.eas_attempt_claim(db.c, options.registry, worker, types, max, out, next_us, db.err)
  if rc < 0 then return nil, db:message(), rc end
  assert(rc == out.n)
  for i = 0, out.n - 1 do
    local c = out.list[i]
    local claim = {
      attempt = tonumber(c.attempt), task = tonumber(c.task), job = tonumber(c.job), token = tonumber(c.token), number = c.number,
      type = ffi.string(c.type), task_name = ffi.string(c.task_name), job_name = ffi.string(c.job_name),
      directory = ffi.string(c.directory), entry = text_of(c.entry), metadata = text_of(c.metadata),
      requested = text_of(c.requested_metadata), inputs = {}, outputs = {}, seed = tonumber(c.seed), queued_us = tonumber(c.queued_us),
      n_lost = c.n_lost, n_memory = c.n_memory, rerun = c.rerun,
      policy = { max_attempts = c.policy.max_attempts, max_losses = c.policy.max_losses, kinds = c.policy.kinds, delay_us = tonumber(c.policy.delay_us) }
    }
    for k = 0, c.n_inputs - 1 do
      local x = c.inputs[k]
      claim.inputs[ffi.string(x.kind)] = { filename = ffi.string(x.filename), directory = ffi.string(x.directory), product = tonumber(x.product),
        version = tonumber(x.version), digest = ffi.string(x.digest.b, 32), size = tonumber(x.size), metadata = text_of(x.metadata) }
    end
    for k = 0, c.n_outputs - 1 do
      local x = c.outputs[k]
      claim.outputs[ffi.string(x.kind)] = { filename = ffi.string(x.filename), product = tonumber(x.product) }
    end
    list[i + 1] = claim
  end
  C.eas_claims_done(out)
  return list, tonumber(next_us[0])
end

-- Commits results { attempt, token, ending = "ok", verdict = "pass", reason, error, metadata = json, versions = { product -> verdict },
-- log = { text... }, first_seq, again, delay_us, key, reused, wall_us, ran_us, slot }. Gives n_ready, list of stale flags, whether control has something to do; or nil, message, code.
function World:commit(worker, list, db, registry)
  db = db or self.db
  local results, keep, out, made = ffi.new("eas_result[?]", #list), { list }, ffi.new "eas_committed", {}
  local function json_of(text)
    if not text then return nil end
    made[#made + 1] = json(text)
    return made[#made]
  end
  for i, r in ipairs(list) do
    local x = results[i - 1]
    x.attempt, x.token, x.ending, x.verdict = r.attempt, r.token, r.ending or "ok", r.verdict or "pass"
    x.reason, x.error, x.reused, x.wall_us, x.again, x.delay_us = r.reason, r.error, r.reused or 0, r.wall_us or 1000, r.again and 1 or 0, r.delay_us or 0
    x.ran_us, x.slot, x.metadata = r.ran_us or 0, r.slot or 0, json_of(r.metadata)
    x.description = json_of(r.description)
    if r.key then
      local key = ffi.new "eas_digest"
      C.eas_hash(r.key, #r.key, key)
      keep[#keep + 1] = key
      x.prov_key = key
    end
    if r.versions then
      local versions, n = ffi.new("eas_result_version[?]", 8), 0
      for product, verdict in pairs(r.versions) do
        local v = versions[n]
        v.product, v.size, v.verdict, v.reason = product, 5, verdict, verdict == "fail" and "poor" or nil
        v.metadata = json_of '{"points": 3}'
        C.eas_hash("bytes" .. product .. r.attempt, #("bytes" .. product .. r.attempt), v.digest)
        n = n + 1
      end
      keep[#keep + 1] = versions
      x.versions, x.n_versions = versions, n
    end
    if r.log then
      local log = ffi.new("eas_log_entry[?]", #r.log)
      for k, text in ipairs(r.log) do log[k - 1].at_us, log[k - 1].level, log[k - 1].text = 5, 20, text end
      keep[#keep + 1] = log
      x.log, x.n_log, x.first_seq = log, #r.log, r.first_seq or 0
    end
  end
  local rc = C.eas_attempt_commit(db.c, registry, worker, results, #list, out, db.err)
  for _, v in ipairs(made) do C.json_delete(v) end -- nobody else holds them
  if rc < 0 then return nil, db:message(), rc end
  local stale = {}
  for i = 1, #list do stale[i] = results[i - 1].stale == 1 end
  return out.n_ready, stale, out.control == 1
end

function World:held(list)
  local held = ffi.new("eas_held[?]", #list + 1)
  for i, c in ipairs(list) do held[i - 1].attempt, held[i - 1].token = c.attempt, c.token end
  return held, #list
end

local function id_of(task) return type(task) == "table" and task.id or task end
function World:state(task) return self.db:value("SELECT state FROM task WHERE id = $1", id_of(task)) end
function World:row(task) return self.db:query("SELECT * FROM task WHERE id = $1", id_of(task))[1] end
function World:attempts(task) return self.db:query("SELECT * FROM attempt WHERE task = $1 ORDER BY number", id_of(task)) end

-- Runs everything that is queued to a pass, until nothing is. Gives the number of attempts.
function World:run_all(worker, types)
  local n = 0
  while true do
    local list = assert(self:claim(worker, 16, { types = types }))
    if #list == 0 then return n end
    n = n + #list
    for _, c in ipairs(list) do
      c.versions = {}
      for _, out in pairs(c.outputs) do c.versions[out.product] = "pass" end
    end
    assert(self:commit(worker, list))
  end
end

-- --- what must always hold ---

local function none(self, what, sql)
  local rows = self.db:query(sql)
  if #rows > 0 then
    local words = {}
    for name, v in pairs(rows[1]) do words[#words + 1] = name .. "=" .. tostring(v) end
    error(("%s: %d rows, first: %s"):format(what, #rows, table.concat(words, " ")), 3)
  end
end

function World:check()
  none(self, "a ready task has one open attempt, others none",
    [[SELECT * FROM (SELECT t.id, t.state, (SELECT count(*) FROM attempt a WHERE a.task = t.id AND a.state <> 'ended') AS n FROM task t) q
      WHERE n <> CASE WHEN state = 'ready' THEN 1 ELSE 0 END]])
  none(self, "attempts are counted", "SELECT id, attempts FROM task t WHERE attempts <> (SELECT count(*) FROM attempt a WHERE a.task = t.id)")
  none(self, "pending counts unmet edges",
    [[SELECT * FROM (SELECT t.id, t.state, t.pending, (SELECT count(*) FROM task_input i WHERE i.task = t.id AND i.met = 0)
      + (SELECT count(*) FROM task_need n WHERE n.task = t.id AND n.met = 0)
      + (SELECT count(*) FROM task_gather g WHERE g.task = t.id AND g.met = 0) AS n FROM task t) q WHERE n <> pending]])
  none(self, "ties say what hangs on a task, if they say anything",
    [[SELECT * FROM (SELECT t.id, t.ties, CASE WHEN EXISTS (SELECT 1 FROM task_input i WHERE i.task = t.id) THEN 1 ELSE 0 END
      + CASE WHEN EXISTS (SELECT 1 FROM product p WHERE p.task = t.id) THEN 2 ELSE 0 END
      + CASE WHEN EXISTS (SELECT 1 FROM task_need n WHERE n.task = t.id) OR EXISTS (SELECT 1 FROM task_gather g WHERE g.task = t.id) THEN 4 ELSE 0 END
      + CASE WHEN t.name IS NULL THEN 0 ELSE 8 END AS found FROM task t WHERE t.ties IS NOT NULL) q WHERE ties <> found]])
  none(self, "what others need has a name", "SELECT n.task FROM task_need n JOIN task m ON m.id = n.needed WHERE m.ties IS NOT NULL AND m.name IS NULL")
  none(self, "a met input has a passed version, and one that is unmet has none, or is made anew",
    [[SELECT i.task FROM task_input i JOIN product p ON p.id = i.product JOIN task m ON m.id = p.task
      WHERE (i.met = 1 AND p.passed IS NULL) OR (i.met = 0 AND p.passed IS NOT NULL AND m.state = 'passed')]])
  none(self, "done is decided without open children",
    "SELECT id, state, open_children, done FROM task WHERE (done = 1) <> (state NOT IN ('waiting', 'ready') AND open_children = 0)")
  none(self, "open children are counted",
    [[SELECT * FROM (SELECT t.id, t.open_children, (SELECT count(*) FROM task c WHERE c.parent = t.id AND c.done = 0) AS n FROM task t) q WHERE n <> open_children]])
  none(self, "failed children are counted",
    [[SELECT * FROM (SELECT t.id, t.failed_children, (SELECT count(*) FROM task c WHERE c.parent = t.id AND c.done = 1
      AND (c.state <> 'passed' OR c.failed_children > 0)) AS n FROM task t) q WHERE n <> failed_children]])
  none(self, "a job is done when its root is",
    "SELECT j.id, j.done_at, t.done FROM job j JOIN task t ON t.id = j.root WHERE (j.done_at IS NOT NULL) <> (t.done = 1)")
  none(self, "counters are what a count gives", [[
    SELECT * FROM (SELECT job, type, sum(waiting) AS w, sum(queued) AS q, sum(running) AS r, sum(passed) AS p, sum(reused) AS u,
      sum(failed) AS f, sum(skipped) AS s, sum(cancelled) AS c, sum(ended) AS e, sum(wall_us) AS us FROM (
      SELECT job, type, waiting, queued, running, passed, reused, failed, skipped, cancelled, ended, wall_us FROM job_type
      UNION ALL
      SELECT t.job, t.type, -CASE WHEN t.state = 'waiting' THEN 1 ELSE 0 END, -CASE WHEN o.state = 'queued' THEN 1 ELSE 0 END,
        -CASE WHEN o.state = 'running' THEN 1 ELSE 0 END, -CASE WHEN t.state = 'passed' AND a.ending <> 'reused' THEN 1 ELSE 0 END,
        -CASE WHEN t.state = 'passed' AND a.ending = 'reused' THEN 1 ELSE 0 END, -CASE WHEN t.state = 'failed' THEN 1 ELSE 0 END,
        -CASE WHEN t.state = 'skipped' THEN 1 ELSE 0 END, -CASE WHEN t.state = 'cancelled' THEN 1 ELSE 0 END, 0, 0
        FROM task t LEFT JOIN attempt o ON o.task = t.id AND o.state <> 'ended' LEFT JOIN attempt a ON a.id = t.accepted
      UNION ALL
      SELECT job, type, 0, 0, 0, 0, 0, 0, 0, 0, -1, -wall_us FROM attempt WHERE wall_us IS NOT NULL
    ) all_rows GROUP BY job, type) sums WHERE w <> 0 OR q <> 0 OR r <> 0 OR p <> 0 OR u <> 0 OR f <> 0 OR s <> 0 OR c <> 0 OR e <> 0 OR us <> 0]])
end

-- The one claim that there is.
function World:claim_one(worker, options)
  local list = assert(self:claim(worker, 1, options))
  return assert(list[1], "nothing to claim")
end

return function(db) return setmetatable({ db = db, NULL = B.NULL }, World) end
