-- model/expand.h: which tasks a job becomes; the semantics of every kind of flow control.
local B = require "spec.backends.backend"
local W = require "spec.engine.job_world"
local T = require "spec.support"

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

  local function tree(text, options)
    local job = assert(W.submit(db, text))
    W.expand(db, options)
    return W.tree(db, job), job
  end

  describe("a chain", function()
    it("makes a task of each item, in order", function()
      local lines = tree [[{ "task_list": [ { "task": "null", "name": "a" }, { "task": "execution_chain", "task_list": [ { "task": "make" } ] },
        { "task": "'u' 'se'.format(**metadata)" } ] }]]
      assert.same({ "chain", "  null a", "  chain", "    make", "  use" }, lines)
    end)

    it("is done at once when its list is empty", function()
      local lines, job = tree [[{ "task_list": [ { "task": "execution_chain", "task_list": [] } ] }]]
      assert.same({ "chain", "  chain" }, lines)
      assert.is_true(W.done(db, job))
    end)

    it("hands down directory and label, and overrides them", function()
      local _, job = tree [[{ "job_name": "all", "working_directory": "top", "task_list": [
        { "task": "make", "outputs": { "a": "1" } },
        { "task": "execution_chain", "working_directory": "'sub_{}'.format(2)", "job_name": "part", "task_list": [
          { "task": "make", "outputs": { "a": "1" } }, { "task": "make", "working_directory": "deep/er", "outputs": { "a": "1" } } ] } ] }]]
      assert.same({ "top/1", "sub_2/1", "deep/er/1" }, W.files(db, job))
      local labels = {}
      for _, row in ipairs(db:query "SELECT w.text AS label FROM task t LEFT JOIN word w ON w.id = t.label ORDER BY t.depth, t.id") do
        labels[#labels + 1] = row.label or "-"
      end
      assert.same({ "-", "-", "part", "part", "part" }, labels)
      assert.equal("all", db:value("SELECT name FROM job WHERE id = $1", job))
    end)

    it("ties tasks by files and by metadata", function()
      local _, job = tree [[{ "task_list": [ { "task": "make", "name": "m", "outputs": { "lc": "a" } }, { "task": "use", "inputs": { "lc": "a" } },
        { "task": "null", "requires_metadata_from": ["m"] }, { "task": "use", "inputs": { "x": "a", "y": "a" }, "requires_metadata_from": ["m"] } ] }]]
      local states = {}
      for _, row in ipairs(db:query("SELECT state, pending FROM task WHERE job = $1 AND depth = 1 ORDER BY ordinal", job)) do
        states[#states + 1] = row.state .. " " .. row.pending
      end
      assert.same({ "ready 0", "waiting 1", "waiting 1", "waiting 3" }, states)
      assert.equal(4, W.run(db))
      assert.is_true(W.done(db, job))
    end)

    it("takes of two tasks with one name the later", function()
      tree [[{ "task_list": [ { "task": "null", "name": "a" }, { "task": "make", "name": "a" }, { "task": "use", "requires_metadata_from": ["a", "a"] } ] }]]
      assert.equal(1, db:value "SELECT count(*) FROM task_need")
      assert.equal("make", db:value "SELECT y.name FROM task_need n JOIN task t ON t.id = n.needed JOIN task_type y ON y.id = t.type")
    end)
  end)

  describe("a for loop", function()
    local function loop(what, body)
      return ([[{ "task_list": [ { "task": "execution_for_loop", "parameter": "p", %s, "task_list": %s } ] }]]):format(what, body or '[ { "task": "null" } ]')
    end
    local function values(what)
      local list = {}
      local job = assert(W.submit(db, loop(what)))
      W.expand(db)
      for _, row in ipairs(db:query("SELECT metadata AS m FROM task WHERE job = $1 AND metadata IS NOT NULL ORDER BY ordinal", job)) do
        list[#list + 1] = row.m:gsub(',"p_index":%d+', "")
      end
      return list
    end

    it("has a chain per value, which alone holds the variables", function()
      assert.same({ "chain", "  for_loop", '    chain{"p":3,"p_index":0}', "      null", '    chain{"p":"x","p_index":1}', "      null",
                    '    chain{"p":0.5,"p_index":2}', "      null", '    chain{"p":true,"p_index":3}', "      null" },
        (tree(loop '"values": [3, "\'x\'", "(1 / 2)", true]')))
    end)

    it("keeps whole ranges whole and others real, both ends exact", function()
      assert.same({ '{"p":0}', '{"p":2}', '{"p":4}' }, values '"linear_range": [0, 4, 3]')
      assert.same({ '{"p":0.0}', '{"p":1.5}', '{"p":3.0}' }, values '"linear_range": [0, 3, 3]')
      assert.same({ '{"p":0.0}', '{"p":2.0}' }, values '"linear_range": [0.0, 2, 2]')
      assert.same({ '{"p":5}' }, values '"linear_range": [5, 9, 1]')
      assert.same({ '{"p":9}', '{"p":5}' }, values '"linear_range": [9, "(2 + 3)", 2]')
      assert.same({ '{"p":1.0}', '{"p":10.0}', '{"p":100.0}' }, values '"log_range": [1, 100, 3]')
    end)

    it("prefers values, then linear_range, then log_range", function()
      assert.same({ '{"p":7}' }, values '"log_range": [1, 2, 2], "linear_range": [1, 2, 2], "values": [7]')
      assert.same({ '{"p":1}', '{"p":2}' }, values '"log_range": [5, 6, 2], "linear_range": [1, 2, 2]')
    end)

    it("is done at once without values or without a body", function()
      for _, text in ipairs { loop '"values": []', loop '"linear_range": [1, 2, 0]', loop('"values": [1, 2]', "[]") } do
        local lines, job = tree(text)
        assert.same({ "chain", "  for_loop" }, lines)
        assert.is_true(W.done(db, job))
      end
    end)

    it("gives its variables to all below", function()
      local _, job = tree [[{ "working_directory": "d", "task_list": [ { "task": "execution_for_loop", "parameter": "size", "values": [1, 2.5],
        "task_list": [ { "task": "execution_for_loop", "parameter": "tda", "values": ["bls", "tls"], "task_list": [
          { "task": "make", "outputs": { "lc": "'{tda}_{size}_{size_index}_{tda_index}.gz'.format(**metadata)" } } ] } ] } ] }]]
      assert.same({ "d/bls_1_0_0.gz", "d/tls_1_0_1.gz", "d/bls_2.5_1_0.gz", "d/tls_2.5_1_1.gz" }, W.files(db, job))
    end)

    it("formats numbers as the prototype did, when asked to", function()
      local body = loop('"values": [1, 2]', [=[ [ { "task": "make", "outputs": { "a": "'f_{p}_{p_index}'.format(**metadata)" } } ] ]=])
      local job = assert(W.submit(db, body, { prototype_names = true }))
      local other = assert(W.submit(db, (body:gsub("^{", '{ "compat": "prototype", "seed": 3,'))))
      W.expand(db)
      assert.same({ "f_1.0_0.0", "f_2.0_1.0" }, W.files(db, job))
      assert.same({ "f_1.0_0.0", "f_2.0_1.0" }, W.files(db, other))
    end)

    it("goes over files, sorted, and names them without endings", function()
      local dir = T.tmpdir()
      os.execute("mkdir -p " .. dir .. "/tess/folder.fits")
      for _, name in ipairs { "b.fits", "a.lc.fits.gz", "B.fits", "c.txt" } do T.write(dir .. "/tess/" .. name, "") end
      local lines = tree(loop '"files": "tess/*.fits*"', { input_path = dir })
      assert.same({ "chain", "  for_loop", '    chain{"p":"tess/B.fits","p_index":0,"p_name":"B"}', "      null",
                    '    chain{"p":"tess/a.lc.fits.gz","p_index":1,"p_name":"a.lc"}', "      null",
                    '    chain{"p":"tess/b.fits","p_index":2,"p_name":"b"}', "      null" }, lines)
    end)

    it("finds files once: what comes while it is opened changes nothing", function()
      local dir = T.tmpdir()
      for i = 1, 9 do T.write(("%s/f%d"):format(dir, i), "") end
      local job = assert(W.submit(db, loop '"files": "f*"'))
      repeat
        W.expand_once(db, { input_path = dir, max = 3 })
        T.write(dir .. "/f0", "")
      until db:value "SELECT count(*) FROM attempt WHERE state = 'queued' AND type IN (SELECT id FROM task_type WHERE name LIKE 'execution%')" == 0
      local names = {}
      for _, row in ipairs(db:query("SELECT metadata AS m FROM task WHERE job = $1 AND metadata IS NOT NULL ORDER BY ordinal", job)) do
        names[#names + 1] = row.m:match '"p":"([^"]*)"'
      end
      assert.same({ "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9" }, names)
    end)
  end)

  describe("a conditional", function()
    it("opens one branch", function()
      assert.same({ "chain", "  for_loop", '    chain{"i":1,"i_index":0}', "      conditional", "        chain", "          null",
                    '    chain{"i":2,"i_index":1}', "      conditional", "        chain", "          make" },
        (tree [[{ "task_list": [ { "task": "execution_for_loop", "parameter": "i", "values": [1, 2], "task_list": [
          { "task": "execution_conditional", "criterion": "(metadata['i'] > 1) and (metadata['i_index'] == 1)",
            "task_list": [ { "task": "make" } ], "else_task_list": [ { "task": "null" } ] } ] } ] }]]))
    end)

    it("passes when the chosen list is not there", function()
      local lines, job = tree [[{ "task_list": [ { "task": "execution_conditional", "criterion": false, "task_list": [ { "task": "make" } ] },
        { "task": "execution_conditional", "criterion": "(1 < 2)", "else_task_list": [ { "task": "make" } ] } ] }]]
      assert.same({ "chain", "  conditional", "  conditional" }, lines)
      assert.is_true(W.done(db, job))
    end)

    it("sees the metadata it requires", function()
      local job = assert(W.submit(db, [[{ "task_list": [ { "task": "make", "name": "first" }, { "task": "execution_conditional",
        "requires_metadata_from": ["first"], "criterion": "(requested_metadata['first']['outcome'] == 'PASS')",
        "task_list": [ { "task": "use" } ], "else_task_list": [ { "task": "null" } ] } ] }]]))
      W.run(db, function() return { metadata = '{"outcome":"PASS"}' } end)
      assert.same({ "chain", "  make first", "  conditional", "    chain", "      use" }, W.tree(db, job))
      assert.is_true(W.done(db, job))
    end)
  end)

  describe("a do-while loop", function()
    local text = [[{ "task_list": [ { "task": "execution_do_while_loop", "iteration_name": "w", "requires_metadata_from_child": ["search"],
      "repeat_criterion": "(requested_metadata['search']['outcome'] == 'PASS') and (metadata['w_index'] < 3)", "task_list": [
        { "task": "make", "outputs": { "lc": "'lc_{w_index}'.format(**metadata)" } },
        { "task": "use", "name": "search", "inputs": { "lc": "'lc_{w_index}'.format(**metadata)" } } ] } ] }]]

    it("runs its body with a counter from 1, as long as its criterion holds", function()
      local job = assert(W.submit(db, text))
      assert.equal(6, W.run(db, function() return { metadata = '{"outcome":"PASS"}' } end))
      assert.same({ "lc_1", "lc_2", "lc_3" }, W.files(db, job))
      assert.same({ "chain", "  do_while_loop", '    chain{"w_index":1}', "      make", "      use search", "      do_while_loop",
                    '        chain{"w_index":2}', "          make", "          use search", "          do_while_loop",
                    '            chain{"w_index":3}', "              make", "              use search", "              do_while_loop" },
        W.tree(db, job))
      assert.is_true(W.done(db, job))
      assert.equal(0, db:value("SELECT failed_children FROM task t JOIN job j ON j.root = t.id WHERE j.id = $1", job))
    end)

    it("runs it at least once", function()
      local job = assert(W.submit(db, text))
      assert.equal(2, W.run(db, function() return { metadata = '{"outcome":"FAIL"}' } end))
      assert.same({ "lc_1" }, W.files(db, job))
      assert.is_true(W.done(db, job))
    end)

    it("ends as failed when a task of its body fails", function()
      local job = assert(W.submit(db, text))
      W.run(db, function(c) return c.type == "use" and { ending = "error", verdict = "fail" } or {} end)
      assert.same({ "passed", "  passed", "    passed", "      passed", "      failed", "      skipped" },
        W.tree(db, job, function(row) return row.state end))
      assert.is_true(W.done(db, job))
    end)

    it("may stand in another", function()
      local job = assert(W.submit(db, [[{ "task_list": [ { "task": "execution_do_while_loop", "iteration_name": "a", "repeat_criterion":
        "(metadata['a_index'] < 2)", "task_list": [ { "task": "execution_do_while_loop", "iteration_name": "b",
        "repeat_criterion": "(metadata['b_index'] < 2)", "task_list": [ { "task": "make",
          "outputs": { "x": "'{a_index}{b_index}'.format(**metadata)" } } ] } ] } ] }]]))
      W.run(db)
      local files = W.files(db, job)
      table.sort(files)
      assert.same({ "11", "12", "21", "22" }, files)
      assert.is_true(W.done(db, job))
    end)
  end)

  it("expands what the prototype's demonstration jobs are made of", function()
    local text = [[{ "job_name": "size_scan", "working_directory": "demo", "task_list": [
      { "task": "execution_for_loop", "parameter": "synthesis_tool", "values": ["ma"], "task_list": [
        { "task": "execution_for_loop", "parameter": "size", "values": ["(constants.Rearth / 8)", "(constants.Rearth * 0.25)", "(constants.Rearth)"],
          "task_list": [
          { "task": "execution_for_loop", "parameter": "period", "log_range": ["(7 * constants.day)", "(constants.year)", 2], "task_list": [
            { "task": "'{synthesis_tool}ke'.format(**metadata)",
              "outputs": { "lightcurve": "'evsize_{synthesis_tool}_{size_index}_{period_index}.gz'.format(**metadata)" },
              "specs": { "duration": "(1.5 * constants.month)", "planet_radius": "(metadata['size'])", "noise": "(constants.plato_noise)",
                "t0": "(random.random() * 200)", "semi_major_axis": "(pow(metadata['period']/365.25, 2/3))", "nsr": "(73 / 5)" } },
            { "task": "execution_for_loop", "parameter": "tda", "values": ["se", "sed"], "task_list": [
              { "task": "'u{tda}'.format(**metadata)",  "name": "transit_detection",
                "inputs": { "'light' + 'curve'": "'evsize_{synthesis_tool}_{size_index}_{period_index}.gz'.format(**metadata)" } } ] } ] } ] } ] } ] }]]
    assert.same({ "unknown task type 'used' | use use; all types: eas registry list" }, W.brief(text))
    text = text:gsub('"se", "sed"', '"se", "se"')
    assert.same({}, W.brief(text))
    local job = assert(W.submit(db, text))
    assert.equal(6 + 12, W.run(db))
    assert.same({ "demo/evsize_ma_0_0.gz", "demo/evsize_ma_0_1.gz", "demo/evsize_ma_1_0.gz", "demo/evsize_ma_1_1.gz", "demo/evsize_ma_2_0.gz",
                  "demo/evsize_ma_2_1.gz" }, W.files(db, job))
    assert.equal(1, db:value([[SELECT count(*) FROM task WHERE job = $1 AND metadata = '{"size":0.0111393575,"size_index":0}']], job))
    assert.equal(3, db:value([[SELECT count(*) FROM task WHERE job = $1 AND metadata = '{"period":365.25,"period_index":1}']], job))
    assert.is_true(W.done(db, job))
  end)

  it("ends a do-while loop that would go on for ever", function()
    local job = assert(W.submit(db, [[{ "task_list": [ { "task": "execution_do_while_loop", "iteration_name": "w", "requires_metadata_from_child": ["n"],
      "repeat_criterion": "(1 < 2)", "task_list": [ { "task": "null", "name": "n" } ] } ] }]]))
    W.expand(db)
    db:exec("UPDATE task SET turn = 10000 WHERE job = $1 AND state = 'waiting'", job) -- as if it had turned so often
    assert.equal(1, W.run(db))
    assert.same({ "$.task_list[0].repeat_criterion: it was true 10000 times; a do-while loop has at most as many turns" }, W.errors(db, job))
    assert.is_true(W.done(db, job))
  end)

  describe("requires_metadata_from", function()
    it("waits for flow control until its children are there", function()
      local job = assert(W.submit(db, [[{ "task_list": [ { "task": "execution_for_loop", "name": "grid", "parameter": "i", "values": [1],
        "task_list": [ { "task": "make" } ] }, { "task": "use", "requires_metadata_from": ["grid"] } ] }]]))
      W.expand(db)
      assert.equal("ready", db:value("SELECT t.state FROM task t JOIN task_type y ON y.id = t.type WHERE y.name = 'use' AND t.job = $1", job))
      assert.equal(2, W.run(db))
      assert.is_true(W.done(db, job))
    end)
  end)

  describe("files", function()
    it("of an earlier place in the document are known at a later one", function()
      local job = assert(W.submit(db, [[{ "task_list": [
        { "task": "execution_for_loop", "parameter": "i", "values": [0, 1], "task_list": [ { "task": "execution_chain", "task_list": [
          { "task": "make", "outputs": { "lc": "'lc_{i}'.format(**metadata)" } } ] } ] },
        { "task": "execution_for_loop", "parameter": "k", "values": [1, 0], "task_list": [
          { "task": "use", "inputs": { "lc": "'lc_{k}'.format(**metadata)" } } ] } ] }]]))
      assert.equal(4, W.run(db))
      assert.same({}, W.errors(db, job))
      assert.is_true(W.done(db, job))
    end)

    it("may be those of an earlier job, once they passed", function()
      local first = assert(W.submit(db, [[{ "working_directory": "d", "task_list": [ { "task": "make", "outputs": { "lc": "lc" } } ] }]]))
      W.run(db)
      local second = assert(W.submit(db, [[{ "working_directory": "d", "task_list": [ { "task": "use", "inputs": { "lc": "lc" } } ] }]]))
      assert.equal(1, W.run(db))
      assert.equal(first, db:value "SELECT p.job FROM task_input i JOIN product p ON p.id = i.product")
      assert.is_true(W.done(db, second))
      local third = assert(W.submit(db, [[{ "working_directory": "e", "task_list": [ { "task": "use", "inputs": { "lc": "lc" } } ] }]]))
      W.expand(db)
      assert.same({ "$.task_list[0].inputs: Task use could not find input e/lc" }, W.errors(db, third))
    end)

    it("whose maker has failed already let their user be skipped", function()
      local job = assert(W.submit(db, [[{ "task_list": [ { "task": "make", "name": "m", "outputs": { "lc": "lc" } }, { "task": "null", "name": "n" },
        { "task": "execution_conditional", "requires_metadata_from": ["n"], "criterion": true, "task_list": [ { "task": "use",
          "inputs": { "lc": "lc" } } ] } ] }]]))
      W.expand(db)
      local w = W.world(db)
      local worker = w:worker()
      local list = w:claim(worker, 2, { types = { "make" } })
      list[1].ending, list[1].verdict = "error", "fail"
      assert(w:commit(worker, list))
      local C = require "ffi".C
      while db:must(C.eas_skip_level(db.c, 10, db.err)) > 0 do end
      W.run(db)
      assert.equal("skipped", db:value("SELECT t.state FROM task t JOIN task_type y ON y.id = t.type WHERE y.name = 'use' AND t.job = $1", job))
      assert.is_true(W.done(db, job))
    end)
  end)

  describe("what cannot be expanded", function()
    local function fails(text, message)
      local job = assert(W.submit(db, text))
      W.expand(db)
      assert.same({ message }, W.errors(db, job))
      return job
    end

    it("fails as a whole, nothing of it is born", function()
      local job = fails([[{ "task_list": [ { "task": "null" }, { "task": "use", "inputs": { "lc": "nowhere" } } ] }]],
        "$.task_list[1].inputs: Task use could not find input nowhere")
      assert.equal(1, db:value("SELECT count(*) FROM task WHERE job = $1", job))
      local a = db:query("SELECT * FROM attempt WHERE job = $1", job)[1]
      assert.same({ "ended", "error", "fail" }, { a.state, a.ending, a.verdict })
      assert.equal("failed", db:value("SELECT state FROM task WHERE job = $1", job))
      assert.is_true(W.done(db, job))
    end)

    it("says what is wrong and where", function()
      fails([[{ "task_list": [ { "task": "make", "outputs": { "a": "x" } }, { "task": "make", "outputs": { "a": "x" } } ] }]],
        "$.task_list[1].outputs: Task make creates pre-existing file x")
      fails([[{ "seed": 2, "task_list": [ { "task": "make", "outputs": { "a": "'{q}'.format(**metadata)" } } ] }]],
        "$.task_list[0].outputs.a: expression, column 3: no metadata named 'q' here; no name is known here")
      fails([[{ "task_list": [ { "task": "null", "requires_metadata_from": ["b"] }, { "task": "null", "name": "b" } ] }]],
        "$.task_list[0]: Task requires metadata from unknown previous task b")
      fails([[{ "task_list": [ { "task": "nulle" } ] }]], "$.task_list[0].task: unknown task type 'nulle'; use null; all types: eas registry list")
      fails([[{ "task_list": [ { "task": "make", "outputs": { "a": "../x" } } ] }]],
        "$.task_list[0].outputs.a: file name '../x' has a part '..', which leaves its folder; a plain file name, such as \"lc.fits\"")
      fails([=[{ "task_list": [ { "task": "execution_for_loop", "parameter": "p", "values": [[1]], "task_list": [ { "task": "null" } ] } ] }]=],
        "$.task_list[0].values[0]: a loop's value is a number, a string or a boolean, found a list")
      fails([[{ "task_list": [ { "task": "execution_conditional", "criterion": "(1 / 0)", "task_list": [ { "task": "null" } ] } ] }]],
        "$.task_list[0].criterion: expression, column 4: division by zero")
    end)

    it("leaves what hangs on it to be skipped, and others alone", function()
      local job = assert(W.submit(db, [[{ "task_list": [ { "task": "execution_chain", "name": "bad", "task_list": [ { "task": "nope" } ] },
        { "task": "use", "requires_metadata_from": ["bad"] }, { "task": "null" } ] }]]))
      assert.equal(1, W.run(db))
      local states = {}
      for _, row in ipairs(db:query("SELECT state FROM task WHERE job = $1 ORDER BY id", job)) do states[#states + 1] = row.state end
      assert.same({ "passed", "failed", "skipped", "passed" }, states)
      assert.is_true(W.done(db, job))
    end)
  end)
end)
