-- job_world.lua: what the specs of jobs share: a small pack, jobs from text, their tree as lines.
local ffi = require "ffi"
local T = require "spec.support"
local B = require "spec.backends.backend"
local new_world = require "spec.backends.world"
T.cdef "engine/model/job.h"
T.cdef "engine/model/expand.h"
T.cdef "engine/registry/registry.h"
local C = ffi.C

local W = { work = { "null", "error", "make", "use", "verify" } }

-- A registry with the work types above and `bare`, which has no scripts.
function W.registry()
  if W.opened then return W.opened end
  local dir = T.tmpdir()
  os.execute(("mkdir -p %s/registry %s/tasks_lua %s/qc_lua"):format(dir, dir, dir))
  local xml = { "<?xml version='1.0'?>\n<task_type_registry><containers><container><name>here</name><resourceRequirements><cpu>1</cpu>"
    .. "<gpu>0</gpu><memory_gb>1</memory_gb></resourceRequirements></container></containers><tasks>" }
  local function add(name, scripts)
    xml[#xml + 1] = ("<task><name>%s</name><container>all</container></task>"):format(name)
    if scripts then
      T.write(("%s/tasks_lua/%s.lua"):format(dir, name), "return function() end\n")
      T.write(("%s/qc_lua/%s.lua"):format(dir, name), "return function() end\n")
    end
  end
  for _, name in ipairs(W.work) do add(name, true) end
  add "bare"
  for _, name in ipairs { "chain", "for_loop", "do_while_loop", "conditional" } do add("execution_" .. name) end
  T.write(dir .. "/registry/registry.xml", table.concat(xml) .. "</tasks></task_type_registry>\n")
  local packs, out, err = ffi.new "const char *[2]", ffi.new "eas_registry *[1]", ffi.new "eas_err"
  packs[0] = dir
  assert(C.eas_registry_open(out, packs, err) == 0, ffi.string(err.text))
  W.opened = ffi.gc(out[0], C.eas_registry_close)
  return W.opened
end

function W.parse(text, name)
  local out, err = ffi.new "eas_jobfile *[1]", ffi.new "eas_err"
  local rc = C.eas_jobfile_parse(out, name or "job.json", text, #text, err)
  if rc < 0 then return nil, ffi.string(err.text), ffi.string(err.hint) end
  return ffi.gc(out[0], C.eas_jobfile_free)
end

-- What the check prints ("" when all is well) and the number of problems.
function W.check(text, options)
  options = options or {}
  local f, why = W.parse(text, options.name)
  assert(f, why)
  if options.is_lua then f.is_lua = 1 end
  local o, list, err, buf = ffi.new "eas_check_options", ffi.new "eas_problems", ffi.new "eas_err", ffi.new "eas_buf"
  o.input_path = options.input_path or "."
  if options.db then o.db = options.db.c end
  local rc = C.eas_job_check(f, options.registry or W.registry(), o, list, err)
  local n = tonumber(list.n)
  assert((rc == 0) == (n == 0), ffi.string(err.text))
  local text_out = ""
  if n > 0 then
    C.eas_problems_print(list, f, buf)
    text_out = ffi.string(buf.data, buf.len)
    C.eas_buf_done(buf)
  end
  C.eas_problems_done(list)
  return text_out, n
end

-- Only the first lines of the problems, their fixes after " | ", without file and place.
function W.brief(text, options)
  local list, last = {}, nil
  for line in W.check(text, options):gmatch "[^\n]+" do
    local what = line:match "^job%.json:%d+:%d+: (.*)"
    if what then
      list[#list + 1] = what
      last = #list
    elseif last and line:match "^   [^ ]" and not line:match "^   at %$" and not line:match "^ *%d+ |" then
      list[last] = list[last] .. " | " .. line:sub(4)
    end
  end
  return list
end

function W.submit(db, text, options)
  options = options or {}
  local f = assert(W.parse(text, options.name))
  local o, out = ffi.new "eas_submit_options", ffi.new "eas_submitted"
  o.fresh = options.fresh and 1 or 0
  if options.seed then o.has_seed, o.seed = 1, options.seed end
  if options.priority then o.has_priority, o.priority = 1, options.priority end
  o.prototype_names = options.prototype_names and 1 or 0
  o.overrides = options.overrides
  local rc = C.eas_job_submit(db.c, f, W.registry(), o, out, db.err)
  if rc < 0 then return nil, db:message(), rc end
  return tonumber(out.job), out.existed == 1, out.done == 1
end

-- One transaction; what it did.
function W.expand_once(db, options)
  options = options or {}
  local o, out = ffi.new "eas_expand_options", ffi.new "eas_expanded"
  local path = options.input_path or "."
  o.worker, o.input_path, o.max_children = options.worker or 0, path, options.max or 0
  db:must(C.eas_expand_some(db.c, W.registry(), o, out, db.err))
  return { parents = out.n_parents, children = out.n_children, failed = out.n_failed, queued = out.n_queued, more = out.more == 1 }
end

-- Until nothing is left; sums.
function W.expand(db, options)
  local sum = { parents = 0, children = 0, failed = 0, queued = 0, calls = 0 }
  repeat
    local x = W.expand_once(db, options)
    for k in pairs(x) do
      if sum[k] then sum[k] = sum[k] + x[k] end
    end
    sum.calls = sum.calls + 1
  until not x.more and x.parents == 0 and x.children == 0
  return sum
end

-- Tasks of a job as "path type{metadata} state [name]" in order of the tree, indented by depth.
function W.tree(db, job, format)
  local rows, below, lines = db:query([[SELECT t.id, t.parent, t.depth, y.name AS type, n.path, w.text AS name,
    t.metadata, t.state, t.seed, t.turn
    FROM task t JOIN task_type y ON y.id = t.type JOIN node n ON n.id = t.node LEFT JOIN word w ON w.id = t.name
    WHERE t.job = $1 ORDER BY t.depth, t.parent, t.ordinal]], job), {}, {}
  local root
  for _, row in ipairs(rows) do
    if row.parent then
      below[row.parent] = below[row.parent] or {}
      table.insert(below[row.parent], row)
    else
      root = row
    end
  end
  local function walk(row)
    local line = format and format(row) or row.type:gsub("execution_", "") .. (row.metadata or "") .. (row.name and " " .. row.name or "")
    if line then lines[#lines + 1] = ("  "):rep(row.depth) .. line end
    for _, child in ipairs(below[row.id] or {}) do walk(child) end
  end
  walk(root)
  return lines
end

function W.files(db, job)
  local list = {}
  for _, row in ipairs(db:query([[SELECT w.text AS d, p.filename AS f FROM product p JOIN word w ON w.id = p.directory
      WHERE p.job = $1 ORDER BY p.id]], job)) do
    list[#list + 1] = row.d .. (row.d ~= "" and "/" or "") .. row.f
  end
  return list
end

function W.errors(db, job)
  local list = {}
  for _, row in ipairs(db:query([[SELECT n.error AS e FROM attempt_note n JOIN attempt a ON a.id = n.attempt
      WHERE a.job = $1 ORDER BY a.id]], job)) do
    list[#list + 1] = row.e
  end
  return list
end

-- Expands and runs until nothing is left. result(claim) may give fields of a commit's result.
function W.run(db, result, options)
  local w = new_world(db)
  local worker, n = w:worker(), 0
  while true do
    W.expand(db, options)
    local list = assert(w:claim(worker, 16, { types = W.work }))
    if #list == 0 then
      if db:must(C.eas_skip_level(db.c, 100, db.err)) == 0 then return n end
    end
    n = n + #list
    for _, c in ipairs(list) do
      c.versions = {}
      for _, out in pairs(c.outputs) do c.versions[out.product] = "pass" end
      for k, v in pairs(result and result(c) or {}) do c[k] = v end
      if c.verdict == "fail" then
        for k in pairs(c.versions) do c.versions[k] = "fail" end
      end
    end
    if #list > 0 then assert(w:commit(worker, list)) end
  end
end

function W.done(db, job) return db:value("SELECT done_at FROM job WHERE id = $1", job) ~= nil end

W.world, W.backend = new_world, B
return W
