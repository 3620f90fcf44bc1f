-- model/expand.h: slices, cursors, seeds, holding back; a kill at any moment; task:spawn.
local ffi = require "ffi"
local B = require "spec.backends.backend"
local W = require "spec.engine.job_world"
local T = require "spec.support"
local C = ffi.C
ffi.cdef [[ int fork(void); int waitpid(int, int *, int); int kill(int, int); void _exit(int); int usleep(unsigned); ]]

local grid = [[{ "working_directory": "g", "task_list": [
  { "task": "execution_for_loop", "name": "rows", "parameter": "i", "linear_range": [0, 29, 30], "task_list": [
    { "task": "make", "outputs": { "lc": "'lc_{i}'.format(**metadata)" } },
    { "task": "use", "name": "s", "inputs": { "lc": "'lc_{i}'.format(**metadata)" } },
    { "task": "execution_for_loop", "parameter": "k", "values": ["a", "b"], "task_list": [ { "task": "null" } ] },
    { "task": "null", "requires_metadata_from": ["s"] } ] },
  { "task": "execution_conditional", "requires_metadata_from": ["rows"], "criterion": true, "task_list": [
    { "task": "use", "inputs": { "lc": "lc_7" } } ] } ] }]]
local GRID = 1 + 2 + 30 * (1 + 4 + 2 * 2) + 1 + 1

-- What a job has become, ids left out: equal jobs have equal snapshots.
local function snapshot(db, job)
  local lines = W.tree(db, job, function(row)
    return ("%s %s %s %s %s"):format(row.type, row.path, row.metadata or "", row.state, tostring(row.seed))
  end)
  for _, row in ipairs(db:query([[SELECT n.path AS a, m.path AS b, p.filename AS f, count(*) AS n FROM task_input i JOIN task t ON t.id = i.task
      JOIN node n ON n.id = t.node JOIN product p ON p.id = i.product JOIN task k ON k.id = p.task JOIN node m ON m.id = k.node
      WHERE t.job = $1 GROUP BY n.path, m.path, p.filename ORDER BY 1, 2, 3]], job)) do
    lines[#lines + 1] = ("%s <- %s %s %d"):format(row.a, row.b, row.f, row.n)
  end
  for _, row in ipairs(db:query([[SELECT n.path AS a, count(*) AS n FROM task_need d JOIN task t ON t.id = d.task JOIN node n ON n.id = t.node
      WHERE t.job = $1 GROUP BY n.path ORDER BY 1]], job)) do
    lines[#lines + 1] = ("%s needs %d"):format(row.a, row.n)
  end
  return lines
end

local function same_job(want, got)
  for i = 1, math.max(#want, #got) do assert.equal(want[i], got[i], "line " .. i) end
end

B.each(function(kind)
  local db
  before_each(function() db = B.emptied(kind) end)
  after_each(function()
    if db then
      W.world(db):check()
      db:close()
    end
    db = nil
  end)

  describe("slices", function()
    it("of any size give the same job, with the same seeds", function()
      local whole = assert(W.submit(db, grid))
      assert.equal(GRID - 1, W.expand(db).children)
      local want = snapshot(db, whole)
      for _, max in ipairs { 1, 2, 3, 7, 64, 200 } do
        local job = assert(W.submit(db, grid, { fresh = true }))
        local sum = W.expand(db, { max = max })
        assert.equal(GRID - 1, sum.children)
        assert.is_true(sum.calls >= (GRID - 1) / max)
        same_job(want, snapshot(db, job))
      end
    end)

    it("hold invariants after each of them", function()
      assert(W.submit(db, grid))
      local w = W.world(db)
      repeat
        local x = W.expand_once(db, { max = 5 })
        assert.is_true(x.children <= 5)
        w:check()
      until x.parents == 0 and x.children == 0
    end)

    it("of a long list keep names and files of what is born already", function()
      local items = {}
      for i = 0, 39 do
        items[#items + 1] = i == 0 and '{ "task": "make", "name": "first", "outputs": { "lc": "lc" } }'
          or '{ "task": "use", "inputs": { "lc": "lc" }, "requires_metadata_from": ["first"] }'
      end
      local job = assert(W.submit(db, '{ "task_list": [' .. table.concat(items, ", ") .. "] }"))
      assert.equal(6, W.expand_once(db, { max = 6 }).children)
      local w = W.world(db)
      local worker = w:worker()
      local list = w:claim(worker, 1, { types = { "make" } })
      for _, out in pairs(list[1].outputs) do list[1].versions = { [out.product] = "pass" } end
      assert(w:commit(worker, list)) -- it has passed before its later siblings are born
      W.expand(db, { max = 6 })
      assert.equal(39, db:value("SELECT count(*) FROM task WHERE job = $1 AND state = 'ready'", job))
      assert.equal(78, db:value "SELECT (SELECT count(*) FROM task_input WHERE met = 1) + (SELECT count(*) FROM task_need WHERE met = 1)")
      assert.equal(39, W.run(db))
      assert.is_true(W.done(db, job))
    end)

    it("work while children of earlier ones run and end", function()
      local job = assert(W.submit(db, grid))
      local w = W.world(db)
      local worker = w:worker()
      local n = 0
      for _ = 1, 300 do
        W.expand_once(db, { max = 3 })
        local list = w:claim(worker, 2, { types = W.work })
        for _, c in ipairs(list) do
          c.versions = {}
          for _, out in pairs(c.outputs) do c.versions[out.product] = "pass" end
        end
        n = n + #list
        if #list > 0 then assert(w:commit(worker, list)) end
        if n % 20 == 0 then w:check() end
      end
      assert.is_true(W.done(db, job))
      assert.equal(30 * 5 + 1, n)
    end)
  end)

  describe("seeds", function()
    local function seeds(text, options)
      local job, map = assert(W.submit(db, text, options)), {}
      W.expand(db)
      for _, row in ipairs(db:query([[SELECT n.path, p.metadata AS m, t.seed FROM task t JOIN node n ON n.id = t.node LEFT JOIN task p ON p.id = t.parent
          WHERE t.job = $1]], job)) do
        map[row.path .. (row.m or "")] = tostring(row.seed)
      end
      return map
    end
    local function loop(values)
      return ('{ "task_list": [ { "task": "execution_for_loop", "parameter": "p", "values": %s, "task_list": [ { "task": "null" }, { "task": "null" } ] } ] }')
        :format(values)
    end

    it("depend on place and value, not on ids or neighbours", function()
      local a, b = seeds(loop "[1, 2]"), seeds(loop "[1, 3, 2]")
      assert.equal(a['$.task_list[0].task_list[0]{"p":1,"p_index":0}'], b['$.task_list[0].task_list[0]{"p":1,"p_index":0}'])
      assert.equal(a['$.task_list[0].task_list[1]{"p":2,"p_index":1}'], b['$.task_list[0].task_list[1]{"p":2,"p_index":2}'])
    end)

    it("all differ, and with the job's seed all change", function()
      local a, b = seeds(loop "[1, 2]"), seeds(loop "[1, 2]", { seed = 2 })
      local seen = {}
      for place, seed in pairs(a) do
        assert.not_equal(seed, b[place])
        assert.is_nil(seen[seed], place)
        seen[seed] = true
      end
    end)
  end)

  describe("order", function()
    it("is deepest first, so that few chains wait", function()
      assert(W.submit(db, grid))
      local most = 0
      repeat
        local x = W.expand_once(db, { max = 10 })
        local n = db:value "SELECT count(*) FROM attempt a JOIN task_type y ON y.id = a.type WHERE a.state = 'queued' AND y.name LIKE 'execution%'"
        most = math.max(most, n)
      until x.parents == 0 and x.children == 0
      assert.is_true(most <= 12, most)
    end)

    it("is by priority of jobs, then age", function()
      local a, b = W.submit(db, '{ "task_list": [ { "task": "null" } ] }'), (W.submit(db, '{ "task_list": [ { "task": "use" } ] }', { priority = 1 }))
      local function born(job) return db:value("SELECT count(*) FROM task WHERE job = $1", job) end
      W.expand_once(db)
      assert.same({ 1, 2 }, { born(a), born(b) })
      W.expand_once(db)
      assert.same({ 2, 2 }, { born(a), born(b) })
    end)

    it("holds a job back that has 100 000 attempts queued", function()
      local a = W.submit(db, grid)
      W.expand_once(db, { max = 20 })
      local other = W.world(db):type "verify"
      db:exec("INSERT INTO job_type (job, type, queued) VALUES ($1, $2, 100000)", a, other)
      assert.equal(0, W.expand_once(db).children)
      db:exec("DELETE FROM job_type WHERE job = $1 AND type = $2", a, other)
      assert.is_true(W.expand(db).children > 0)
    end)
  end)

  describe("task:spawn", function()
    local JSON = "json_loads"
    local function spawn(parent, text)
      local items = C[JSON](text, 0, nil)
      assert(items ~= nil)
      local n, err = ffi.new "int[1]", ffi.new "eas_err"
      db:begin()
      local rc = C.eas_expand_spawn(db.c, W.registry(), parent, 1, items, n, err)
      C.json_delete(items)
      if rc < 0 then
        db:rollback()
        return nil, ffi.string(err.text)
      end
      assert(db:commit())
      return n[0]
    end

    it("adds children below a task, with its metadata and what it names", function()
      local job = assert(W.submit(db, [[{ "working_directory": "d", "task_list": [ { "task": "execution_for_loop", "parameter": "p", "values": [4],
        "task_list": [ { "task": "make", "outputs": { "lc": "lc" } } ] } ] }]]))
      W.expand(db)
      local parent = db:value "SELECT t.id FROM task t JOIN task_type y ON y.id = t.type WHERE y.name = 'make'"
      assert.equal(2, spawn(parent, [=[ [ { "task": "make", "name": "m", "outputs": { "x": "'x_{p}'.format(**metadata)" } },
        { "task": "use", "inputs": { "x": "x_4", "lc": "lc" }, "requires_metadata_from": ["m"] }, { "task": "null" } ] ]=]))
      assert.equal(1, spawn(parent, '[ { "task": "null" } ]'))
      assert.same({ "d/lc", "d/x_4" }, W.files(db, job))
      local rows = db:query([[SELECT t.ordinal, t.state, t.pending, n.path, t.depth FROM task t JOIN node n ON n.id = t.node
        WHERE t.parent = $1 ORDER BY ordinal]], parent)
      assert.same({ "0 ready 0 [0]", "1 waiting 3 [1]", "2 ready 0 [2]", "3 ready 0 [0]" }, (function()
        local list = {}
        for i, row in ipairs(rows) do list[i] = ("%d %s %d %s"):format(row.ordinal, row.state, row.pending, row.path:match "^spawn:%d+(%[%d+%])$") end
        return list
      end)())
      assert.equal(4, db:value("SELECT open_children FROM task WHERE id = $1", parent))
      W.run(db)
      assert.is_true(W.done(db, job))
    end)

    it("may be flow control", function()
      local job = assert(W.submit(db, '{ "task_list": [ { "task": "null" } ] }'))
      W.expand(db)
      local parent = db:value "SELECT t.id FROM task t WHERE t.depth = 1"
      assert.equal(0, spawn(parent, [=[ [ { "task": "execution_for_loop", "parameter": "p", "values": [1, 2], "task_list": [
        { "task": "make", "outputs": { "x": "'x_{p}'.format(**metadata)" } } ] },
        { "task": "execution_do_while_loop", "iteration_name": "w",
          "repeat_criterion": "(metadata['w_index'] < 2)", "task_list": [ { "task": "use" } ] } ] ]=]))
      assert.equal(5, W.run(db))
      local files = W.files(db, job)
      table.sort(files)
      assert.same({ "x_1", "x_2" }, files)
      assert.is_true(W.done(db, job))
    end)

    it("refuses a wrong list and stores nothing of it", function()
      assert(W.submit(db, '{ "task_list": [ { "task": "null" } ] }'))
      W.expand(db)
      local parent, before = db:value "SELECT t.id FROM task t WHERE t.depth = 1", db:value "SELECT count(*) FROM task"
      for text, why in pairs {
        ['{ "task": "null" }'] = "spawn: a list of task objects is wanted, found an object",
        ['[ { "task": "null" }, { "task": "nulle" } ]'] = "[1].task: unknown task type 'nulle'",
        ['[ { "task": "use", "inputs": { "a": "none" } } ]'] = "[0].inputs: Task use could not find input none",
        ['[ { "task": "execution_chain", "tasklist": [] } ]'] = "spawn[0].tasklist: unknown field 'tasklist' in execution_chain",
        ['[ 5 ]'] = "[0]: a task is an object, found an integer"
      } do
        local n, message = spawn(parent, text)
        assert.is_nil(n)
        assert.truthy(message:find(why, 1, true), message)
      end
      assert.equal(before, db:value "SELECT count(*) FROM task")
      assert.equal(0, spawn(parent, "[]"))
    end)
  end)

  it("gives a task its ancestors' values, its own last", function()
    local job = assert(W.submit(db, [[{ "task_list": [ { "task": "execution_for_loop", "parameter": "p", "values": [1], "task_list": [
      { "task": "execution_for_loop", "parameter": "p", "values": ["x"], "task_list": [ { "task": "execution_for_loop", "parameter": "q",
      "values": [2.5], "task_list": [ { "task": "null" } ] } ] } ] } ] }]]))
    W.expand(db)
    local out, err = ffi.new "json_t *[1]", ffi.new "eas_err"
    local leaf = db:value("SELECT max(id) FROM task WHERE job = $1", job)
    assert.equal(0, C.eas_task_metadata(db.c, leaf, out, err))
    local text = C.json_dumps(out[0], 0x20 + 0x80)
    assert.equal('{"p":"x","p_index":0,"q":2.5,"q_index":0}', ffi.string(text))
    C.free(text)
    C.json_delete(out[0])
  end)
end)

describe("a kill", function()
  -- A child process submits and expands in small slices; it is killed at a random moment; another goes on.
  it("leaves no child missing or doubled", function()
    local want
    math.randomseed(7)
    for round = 1, 12 do
      local url = "sqlite:" .. T.tmpdir() .. "/eas.db"
      local db = assert(B.open(url))
      assert(db:migrate())
      db:close()
      local pid = C.fork()
      if pid == 0 then
        local ok = pcall(function()
          local mine = assert(B.open(url, 0))
          W.submit(mine, grid)
          W.expand(mine, { max = 4 })
        end)
        C._exit(ok and 0 or 1)
      end
      C.usleep(round == 1 and 3000000 or math.random(200, 40000))
      C.kill(pid, 9)
      C.waitpid(pid, nil, 0)
      db = assert(B.open(url, 0))
      W.world(db):check()
      local job = assert(W.submit(db, grid))
      W.expand(db, { max = 50 })
      W.world(db):check()
      want = want or snapshot(db, job)
      same_job(want, snapshot(db, job))
      assert.equal(GRID, db:value("SELECT count(*) FROM task WHERE job = $1", job))
      db:close()
    end
  end)
end)
