-- The task object of docs/scripting.md: what each call sends, and what misuse says.
local T = require "spec.support"
local run = require "spec.tasks.run"

local function fails(body, pattern, request)
  local got = run.body(body, request)
  assert.is_nil(got.finished)
  assert.equal(1, got.status)
  assert.truthy(got.error.message:find(pattern, 1, true), "message is: " .. got.error.message)
  return got
end

describe("a task script", function()
  it("ends with the end marker when its handler returns", function()
    local got = run.body "task:info('hello')"
    assert.is_true(got.finished)
    assert.equal(0, got.status)
    assert.same({ level = 20, text = "hello" }, got.log[1])
    assert.equal(64, #got.code.task)
  end)

  it("sees what it was asked for", function()
    local got = run.body([[task:set{ a = task.description.x, m = task.metadata.size, r = task.requested_metadata.first.period,
      seed = task.seed, threads = task.threads, attempt = task.attempt, name = task.name } ]], {
      description = { x = 2.5 }, metadata = { size = "big" }, requested_metadata = { first = { period = 3 } },
      seed = 9007199254740991, threads = 2, attempt = 12, task_name = "look" })
    assert.same({ a = 2.5, m = "big", r = 3, seed = 9007199254740991, threads = 2, attempt = 12, name = "look" }, got.metadata)
  end)

  it("has all levels of log, formatted or as they are", function()
    local got = run.body "task:warn('%d of %d', 1, 2) task:error('100 %') task:debug('d')"
    assert.same({ { level = 30, text = "1 of 2" }, { level = 40, text = "100 %" }, { level = 10, text = "d" } }, got.log)
  end)

  it("gets text that is no UTF-8 through as U+FFFD in metadata", function()
    assert.equal("a\239\191\189b", run.body("task:set{ t = 'a\\255b' }").metadata.t)
  end)

  it("fails with message, trace and source line", function()
    local got = fails("local t = nil\nreturn t.x", "tasks_lua/x.lua:4: attempt to index local 't'")
    assert.truthy(got.error.trace:find("   4 | return t.x", 1, true))
    assert.is_nil(got.error.trace:find("eas/host", 1, true))
  end)

  it("fails with errors that are no text", function()
    fails("error({ code = 3 })", 'an error that is a table: {"code":3}')
    fails("error(setmetatable({}, { __tostring = function() return 'mine' end }))", "mine")
    fails("error(true)", "an error that is a boolean: true")
    fails("error()", "an error that is a nil")
  end)

  it("says which field there is not", function()
    fails("return task.sed", "task has no field 'sed'")
  end)

  it("hands what it prints to the worker", function()
    assert.same({ "one\t2" }, run.body("print('one', 2)").stdout)
  end)
end)

describe("task:set", function()
  it("keeps whole numbers whole, others exact, NaN as null", function()
    local got = run.body "task:set{ n = 3, big = 2^52, x = 0.1, third = 1/3, nan = 0/0, list = { 1, 2.5 }, ok = true }"
    assert.equal('{"big":4503599627370496,"list":[1,2.5],"n":3,"nan":null,"ok":true,"third":0.3333333333333333,"x":0.1}',
      got.metadata_text)
  end)

  it("refuses infinity, functions and loops, by name", function()
    fails("task:set{ a = { b = 1/0 } }", "task:set: a.b: infinity cannot be stored")
    fails("task:set{ f = print }", "task:set: f: a function cannot be stored")
    fails("local t = {} t.t = t task:set(t)", "nested more than 100 deep")
    fails("task:set(3)", "task:set takes a table, not a number")
    fails("task:set{ [1.5] = 2 }", "key 1.5 is not a text")
  end)
end)

describe("task:output", function()
  local outputs = { lightcurve = { filename = "made/lc one.txt" }, debugging = { filename = "d.dat" } }

  it("writes a light curve into scratch/out, with its metadata", function()
    local got = run.body([[local lc = eas.lightcurve(3, { a = 1 })
      for i = 0, 2 do lc.time[i], lc.flux[i] = i, 1 - i / 10 end
      task:output("lightcurve", lc)]], { outputs = outputs })
    assert.is_true(got.finished)
    assert.same({ kind = "lightcurve", file = "lightcurve-lc_one.txt", metadata = { a = 1 } }, got.outputs.lightcurve)
    assert.truthy(T.read(got.scratch .. "/out/lightcurve-lc_one.txt"))
  end)

  it("moves a file of scratch", function()
    local scratch = T.tmpdir()
    T.write(scratch .. "/some.dat", "x")
    local got = run.body('task:output("debugging", "some.dat", { n = 1 })', { outputs = outputs }, { scratch = scratch })
    assert.same({ n = 1 }, got.outputs.debugging.metadata)
    assert.equal("x", T.read(scratch .. "/out/debugging-d.dat"))
  end)

  it("is asked for by the job entry", function()
    local got = run.body("task:set{ a = task:wants 'lightcurve', b = task:wants 'other' }", { outputs = outputs })
    assert.same({ a = true, b = false }, got.metadata)
    fails("task:output('other', 'x')", "output 'other' is not in the job entry, which has: debugging, lightcurve", { outputs = outputs })
    fails("task:output('debugging', 'nothing')", "there is no file", { outputs = outputs })
    fails("task:output('debugging', 5)", "takes a light curve, an object with :write(path), or a path, not a number", { outputs = outputs })
  end)

  it("writes tables as FITS or text", function()
    local body = [[local t = { n = 2, columns = { "a", "b" }, a = eas.array { 1, 2.5 }, b = eas.array { 0/0, -1 } }
      task:output("debugging", eas.table(t, { a = "d" }))]]
    local got = run.body(body, { outputs = { debugging = { filename = "t.txt" } } })
    assert.equal("# a b\n1 nan\n2.5 -1\n", T.read(got.scratch .. "/out/debugging-t.txt"))
    got = run.body(body, { outputs = { debugging = { filename = "t.fits" } } })
    local fits = T.read(got.scratch .. "/out/debugging-t.fits")
    assert.equal(3 * 2880, #fits)
    assert.truthy(fits:find("TTYPE2  = 'b       '", 1, true))
    assert.equal("\63\240\0\0\0\0\0\0", fits:sub(5761, 5768)) -- 1.0, big-endian
    assert.equal("\64\4\0\0\0\0\0\0", fits:sub(5777, 5784))   -- 2.5
  end)
end)

describe("task:input", function()
  it("opens a light curve with the metadata of its version", function()
    local got = run.body("local lc = task:input('lightcurve') task:set{ n = lc.n, mes = lc.metadata.mes, p = task:input_path('lightcurve') }",
      { inputs = { lightcurve = { path = run.light_curve(20), filename = "a.txt", metadata = { mes = 4 } } } })
    assert.equal(20, got.metadata.n)
    assert.equal(4, got.metadata.mes)
    assert.truthy(got.metadata.p:match "lc%.txt$")
  end)

  it("names what there is", function()
    fails("task:input('lc')", "no input 'lc'; the job entry has: lightcurve", { inputs = { lightcurve = { path = "/x" } } })
    fails("task:input('lc')", "the job entry has: none")
    fails("task:input('lightcurve')", "input 'lightcurve' (b.fits)", { inputs = { lightcurve = { path = "/nowhere", filename = "b.fits" } } })
  end)
end)

describe("task:settings", function()
  local body = [[local set = task:settings { top = { nil, "one" }, specs = { noise = { 0, "relative" }, on = { true, "?" },
    kind = { "a", "?", one_of = { "a", "b" } } } }
    task:set{ top = set.top or "none", noise = set.specs.noise, on = set.specs.on, kind = set.specs.kind } ]]

  it("fills in defaults and reads what .cfg files give as text", function()
    assert.same({ top = "none", noise = 0, on = true, kind = "a" }, run.body(body).metadata)
    assert.same({ top = 5, noise = 0.5, on = false, kind = "b" },
      run.body(body, { description = { task = "x", top = "5", specs = { noise = "0.5", on = "false", kind = "b" } } }).metadata)
  end)

  it("names the nearest of an unknown one", function()
    fails(body, "specs: unknown setting 'noize'; use noise", { description = { specs = { noize = 1 } } })
    fails(body, "x: unknown setting 'spec'; use specs", { description = { task = "x", spec = {} } })
    fails(body, "specs: unknown setting 'temperature'; it has kind, noise, on", { description = { specs = { temperature = 1 } } })
    fails(body, "specs: noise takes a number, not 'much'", { description = { specs = { noise = "much" } } })
    fails(body, "specs: kind is 'c'; it takes a, b", { description = { specs = { kind = "c" } } })
  end)
end)

describe("task:exec", function()
  it("runs a program without a shell and logs its lines", function()
    local got = run.body [[local status, text = task:exec { "sh", "-c", "echo out; echo '$HOME'; echo bad >&2; exit 3" }
      task:set{ status = status, text = text } ]]
    assert.equal(3, got.metadata.status)
    assert.equal("out\n$HOME", got.metadata.text)
    local levels = {}
    for _, line in ipairs(got.log) do levels[line.text] = line.level end
    assert.same({ out = 20, ["$HOME"] = 20, bad = 30 }, levels)
  end)

  it("says 128 and the signal, and long lines come in pieces", function()
    assert.equal(137, run.body("task:set{ s = task:exec { 'sh', '-c', 'kill -9 $$' } }").metadata.s)
    local got = run.body "task:set{ n = #select(2, task:exec { 'sh', '-c', 'head -c 9000 /dev/zero | tr \"\\\\0\" x', quiet = true }) }"
    assert.equal(9002, got.metadata.n)
  end)

  it("raises when the program cannot be started", function()
    fails("task:exec { '/no/such' }", "exec '/no/such': No such file or directory")
    fails("task:exec { 5 }", "exec: argument 0 is a number, not a text")
    fails("task:exec 'ls'", "task:exec takes a list")
  end)

  it("reads a file, or nothing", function()
    local scratch = T.tmpdir()
    T.write(scratch .. "/in.txt", "one\ntwo\n")
    local got = run.body([[task:set{ a = select(2, task:exec { "cat", stdin = "in.txt" }), b = select(2, task:exec { "cat" }),
      c = select(2, task:exec { "cat", stdin = task.scratch .. "/in.txt" }) }]], nil, { scratch = scratch })
    assert.same({ a = "one\ntwo", b = "", c = "one\ntwo" }, got.metadata)
    fails("task:exec { 'cat', stdin = 'none.txt' }", "none.txt' to read")
  end)

  it("is ended by the soft time-out", function()
    local got = run.body("task:exec { 'sleep', '30' }", nil, { soft = 300 })
    assert.equal("timeout", got.error.ending)
  end)
end)

describe("task:spawn", function()
  it("sends task objects", function()
    assert.same({ { task = "null", duration = 0 } }, run.body("task:spawn { task = 'null', duration = 0 }").spawn)
    assert.equal(2, #run.body("task:spawn { { task = 'null' }, { task = 'error' } }").spawn)
    fails("task:spawn { { tusk = 'null' } }", "task:spawn: item 1 has no 'task'")
    assert.is_nil(run.body("task:spawn {}").spawn)
  end)

  it("sends long lists in parts, and metadata of at most 1 MB", function()
    local got = run.body "local list = {} for i = 1, 30000 do list[i] = { task = 'null', duration = i, name = 'a task with a name' } end task:spawn(list)"
    assert.equal(30000, #got.spawn)
    assert.equal(30000, got.spawn[30000].duration)
    fails("task:set { t = ('x'):rep(2e6) }", "task:set: the metadata take 1.9 MB, at most 1 MB may be kept")
    assert.is_true(run.body("task:info(('x'):rep(2e6))").finished)
  end)
end)

describe("progress and stopping", function()
  it("writes numbers that the worker reads", function()
    local got = run.body "task:progress(3, 8)"
    assert.same({ "3", "8" }, { got.done, got.total })
  end)

  it("is cancelled while it waits or computes", function()
    assert.equal("cancelled", run.body("task:sleep(20)", nil, { cancel = 200 }).error.ending)
    assert.equal("cancelled", run.body("while true do task:progress(1, 2) end", nil, { cancel = 200 }).error.ending)
  end)

  it("gets a Lua traceback from a soft time-out", function()
    local got = run.body("task:sleep(20)", nil, { soft = 200 })
    assert.equal("timeout", got.error.ending)
    assert.truthy(got.error.message:find("time limit of 1 s reached", 1, true))
    assert.truthy(got.error.trace:find("tasks_lua/x.lua:3", 1, true))
  end)

  it("gives its Lua stack when a compiled loop does not hear the time-out", function()
    local got = run.body("local x = 0\nwhile true do x = x + 1 end", nil, { soft = 300 })
    if got.error then -- interpreted: the hook was heard
      assert.equal("timeout", got.error.ending)
    else
      assert.equal(124, got.status)
      assert.truthy(table.concat(got.stdout, "\n"):find("tasks_lua/x.lua:4", 1, true))
    end
  end)
end)
