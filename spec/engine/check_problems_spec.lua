-- model/job.h, eas_job_check: everything that is wrong with a job, at once, with place and cure.
local B = require "spec.backends.backend"
local W = require "spec.engine.job_world"
local T = require "spec.support"

-- One problem of a list of tasks: "what | fix".
local function task(text, want, options)
  assert.same(type(want) == "table" and want or { want }, W.brief('{ "task_list": [ ' .. text .. " ] }", options))
end

local function fine(text, options) assert.equal("", (W.check('{ "task_list": [ ' .. text .. " ] }", options))) end

describe("the report", function()
  it("shows line, column, path, source, caret and cure, by line", function()
    assert.equal([[
grid.json:9:7: unknown field 'linear_rnge' in execution_for_loop
   at $.task_list[0].linear_rnge
    9 |       "linear_rnge": [1, 4, 4],
      |       ^^^^^^^^^^^^^
   use linear_range: [start, stop, count]
grid.json:12:32: output 'lc.fits' would be made once per 'size'
   at $.task_list[0].task_list[0].outputs.lightcurve
   12 |                                "lc.fits" } },
      |                                ^^^^^^^^^
   put the loop variable in: "'lc_{size_index}.fits'.format(**metadata)"
grid.json:14:15: unknown task type 'verfy'
   at $.task_list[0].task_list[1].task
   14 |     { "task": "verfy",
      |               ^^^^^^^
   use verify; all types: eas registry list
grid.json:16:38: expression: no metadata named 'sise' here
   at $.task_list[0].task_list[1].inputs.lightcurve
   16 |       "inputs": {"lightcurve": "'lc_{sise}.fits'.format(**metadata)"},
      |                                      ^^^^ column 6 of the expression
   known here: size, size_index
grid.json:21:31: no earlier task makes 'detrended.fits'
   at $.task_list[1].inputs.lightcurve
   21 |     "inputs": { "lightcurve": "detrended.fits" } },
      |                               ^^^^^^^^^^^^^^^^
   a later one does, $.task_list[2] (line 22); move it before this one
eas: grid.json: 5 errors, nothing was stored
]], (W.check([[
{
  "job_name": "grid",
  "working_directory": "grid",
  "task_list": [
    {
      "task": "execution_for_loop",
      "parameter": "size",

      "linear_rnge": [1, 4, 4],
      "task_list": [
    { "task": "make", "outputs": { "lightcurve":
                               "lc.fits" } },

    { "task": "verfy",

      "inputs": {"lightcurve": "'lc_{sise}.fits'.format(**metadata)"},
      "lc_duration": 730 } ]
    },

    { "task": "use",
    "inputs": { "lightcurve": "detrended.fits" } },
    { "task": "make", "outputs": { "lightcurve": "detrended.fits" } }
  ]
}
]], { name = "grid.json" })))
  end)

  it("gives the path alone for a Lua job", function()
    assert.equal([[
job.lua: expression: no metadata named 'a' here
   at $.task_list[0].name
   column 12 of the expression
   no name is known here
eas: job.lua: 1 error, nothing was stored
]], (W.check([[{ "task_list": [ { "task": "null", "name": "(metadata['a'])" } ] }]], { name = "job.lua", is_lua = true })))
  end)

  it("shows twenty, then a count", function()
    local items = {}
    for i = 1, 23 do items[i] = '{ "task": "nulle" }' end
    local text, n = W.check('{ "task_list": [\n' .. table.concat(items, ",\n") .. "] }")
    assert.equal(23, n)
    local _, shown = text:gsub("unknown task type", "")
    assert.equal(20, shown)
    assert.truthy(text:find("\nand 3 more\neas: job.json: 23 errors, nothing was stored\n", 1, true))
  end)

  it("cuts long lines around the place, keeps tabs, counts escapes", function()
    local text = W.check('{ "task_list": [\t{ "task": "null", "x": "' .. ("y"):rep(200) .. '", "name": "\'\\u00e9{\\u0071}\'.format(**metadata)" } ] }')
    local at = text:match "\n      | ( *%^+ column %d+ of the expression)"
    assert.truthy(at)
    assert.truthy(text:find("no metadata named 'q' here", 1, true))
    assert.truthy(text:find("^job.json:1:%d+"))
    local source, caret = text:match "\n +1 | ([^\n]*)\n      | ( *)%^"
    assert.equal("\\u0071", source:sub(#caret + 1, #caret + 6))
  end)
end)

describe("fields", function()
  it("of a job are known", function()
    assert.same({ "a job needs a field 'task_list' | add task_list: [ { \"task\": \"TYPE\" } ]", "unknown field 'job_nme' in a job | use job_name: \"NAME\"",
      "seed: a whole number of 0 or more is wanted, found one below", "priority: a whole number is wanted, found a string",
      "compat: \"prototype\" is the only value | compat: \"prototype\" formats numbers in names as the prototype did, 0.0 for 0" },
      W.brief '{ "job_nme": "x", "seed": -1, "priority": "a", "compat": "v2" }')
    assert.same({ "task_list: a list of tasks is wanted, found an object" }, W.brief '{ "task_list": {} }')
    assert.same({ "job_name: a string is wanted, found an integer" }, W.brief '{ "task_list": [], "job_name": 3 }')
    assert.same({ "expression: no metadata named 'x' here | no name is known here" }, W.brief [[{ "task_list": [], "working_directory": "(metadata['x'])" }]])
    assert.same({ "file name '/a' is absolute; names are relative to their folder | a folder inside the output store, such as \"my_grid\"" },
      W.brief '{ "task_list": [], "working_directory": "/a" }')
    assert.equal("", (W.check '{ "task_list": [], "comment": "why", "seed": 0, "priority": -3, "compat": "prototype" }'))
  end)

  it("of flow control are known, those of tasks are the script's", function()
    task('{ "task": "execution_chain", "task_lst": [] }', "unknown field 'task_lst' in execution_chain | use task_list: [ { \"task\": \"TYPE\" } ]")
    task('{ "task": "execution_chain", "task_list": [], "parameter": "x" }', "unknown field 'parameter' in execution_chain | fields are task, name, inputs, "
      .. "outputs, job_name, working_directory, requires_metadata_from, requires_done, requires_passed_fraction, task_list, comment")
    task('{ "task": "execution_conditional", "criterion": true, "task_list": [], "else_tasklist": [] }',
      "unknown field 'else_tasklist' in execution_conditional | use else_task_list: [ { \"task\": \"TYPE\" } ]")
    fine '{ "task": "null", "anything": { "at": ["all"] } }'
  end)

  it("that are needed are named", function()
    task("{ }", "a task object needs a field 'task' | add \"task\": \"TYPE\"; all types: eas registry list")
    task('{ "task": "execution_chain" }', "execution_chain needs a field 'task_list' | add task_list: [ { \"task\": \"TYPE\" } ]")
    task('{ "task": "execution_for_loop", "values": [1], "task_list": [] }', "execution_for_loop needs a field 'parameter' | add \"parameter\": \"NAME\"")
    task('{ "task": "execution_for_loop", "parameter": "p", "task_list": [] }', "execution_for_loop needs values, linear_range, log_range or files"
      .. " | add values: [1, 2], linear_range: [start, stop, count], log_range or files: \"*.fits\"")
    task('{ "task": "execution_do_while_loop", "task_list": [] }', {
      "execution_do_while_loop needs a field 'iteration_name' | add iteration_name: \"NAME\"",
      "execution_do_while_loop needs a field 'repeat_criterion' | add repeat_criterion: \"(EXPRESSION)\"" })
    task('{ "task": "execution_conditional", "task_list": [] }', "execution_conditional needs a field 'criterion' | add criterion: \"(EXPRESSION)\"")
    task('{ "task": "execution_conditional", "criterion": true }',
      "execution_conditional needs a field 'task_list' | add task_list: [ { \"task\": \"TYPE\" } ]")
    fine '{ "task": "execution_conditional", "criterion": true, "else_task_list": [] }'
  end)

  it("have the right types", function()
    task("7", "a task is an object, found an integer | { \"task\": \"TYPE\" }")
    task('{ "task": 7 }', "a string is wanted, found an integer")
    task('{ "task": "null", "name": 7 }', "a string is wanted, found an integer")
    task('{ "task": "null", "inputs": ["a"] }', "inputs: an object of semantic types and file names is wanted, found a list | { \"lightcurve\": \"lc.fits\" }")
    task('{ "task": "null", "outputs": { "a": 1.5 } }', "a string is wanted, found a number")
    task('{ "task": "null", "requires_metadata_from": "a" }',
      "requires_metadata_from: a list of names is wanted, found a string | [\"name of an earlier task\"]")
    task('{ "task": "execution_for_loop", "parameter": "", "values": [1], "task_list": [] }', "parameter: a name is wanted, found an empty string")
    task('{ "task": "execution_for_loop", "parameter": "p", "values": 3, "task_list": [] }', "values: a list is wanted, found an integer | values: [1, 2, 3]")
    task('{ "task": "execution_conditional", "criterion": "true", "task_list": [] }',
      "criterion: an expression is wanted, found a plain string, which would always be true | put it in brackets: \"(true)\"")
    task('{ "task": "execution_chain", "task_list": [], "outputs": { "a": "b" } }',
      "execution_chain makes no outputs itself | name the outputs in the tasks of its list")
    fine '{ "task": "null", "name": "(1 + 1)", "inputs": null, "outputs": {} }'
  end)

  it("of ranges are three numbers", function()
    local function range(text, want)
      task('{ "task": "execution_for_loop", "parameter": "p", ' .. text .. ', "task_list": [] }', want)
    end
    range('"linear_range": [1, 2]', "linear_range: 3 numbers are wanted, found 2 | use linear_range: [start, stop, count]")
    range('"log_range": 5', "log_range: a list of 3 numbers is wanted, found an integer | use log_range: [start, stop, count]")
    range('"linear_range": [1, "x", 3]', "a number is wanted, found a string | use linear_range: [start, stop, count]")
    range('"linear_range": [1, 2, 2.5]', "the count is a whole number from 0 to 10000000, found 2.5 | use linear_range: [start, stop, count]")
    range('"linear_range": [1, 2, -1]', "the count is a whole number from 0 to 10000000, found -1 | use linear_range: [start, stop, count]")
    range('"log_range": [0, 10, 3]', "log_range: start and stop are above 0, found 0 and 10")
    range('"linear_range": [1, "(2 +)", 3]',
      { (W.brief('{ "task_list": [ { "task": "execution_for_loop", "parameter": "p", "linear_range": [1, "(2 +)", 3], "task_list": [] } ] }')[1]) })
  end)
end)

describe("types", function()
  it("are known and have both scripts", function()
    task('{ "task": "nulle" }', "unknown task type 'nulle' | use null; all types: eas registry list")
    task('{ "task": "something_else" }', "unknown task type 'something_else' | all types: eas registry list")
    local list = W.brief '{ "task_list": [ { "task": "bare" } ] }'
    assert.equal(1, #list)
    assert.truthy(list[1]:find "bare")
    task([[{ "task": "execution_for_loop", "parameter": "t", "values": ["make", "mak"], "task_list": [ { "task": "'{t}'.format(**metadata)" } ] }]],
      "unknown task type 'mak' | use make; all types: eas registry list")
  end)
end)

describe("files", function()
  it("are made before they are used", function()
    fine '{ "task": "make", "outputs": { "a": "x" } }, { "task": "use", "inputs": { "b": "x" } }'
    task('{ "task": "use", "inputs": { "b": "lc.fitz" } }, { "task": "make", "outputs": { "a": "lc.fits" } }',
      "no earlier task makes 'lc.fitz' | use 'lc.fits', made by $.task_list[1]")
    task('{ "task": "use", "inputs": { "b": "x" }, "outputs": { "a": "x" } }', "no earlier task makes 'x' | it is an output of this task itself")
    task('{ "task": "use", "inputs": { "b": "some" } }',
      "no earlier task makes 'some' | inputs name what an earlier task has in its outputs, in the same working directory")
    task([[{ "task": "make", "outputs": { "a": "xyz" }, "working_directory": "d" }, { "task": "use", "inputs": { "a": "xyz" } }]],
      "no earlier task makes 'xyz' | inputs name what an earlier task has in its outputs, in the same working directory")
  end)

  it("made in a list that is opened later are not there yet", function()
    local loop = [[{ "task": "execution_for_loop", "parameter": "i", "values": [1], "task_list": [ { "task": "make", "outputs": { "a": "x" } } ] },
]]
    task(loop .. '{ "task": "use", "inputs": { "a": "x" } }',
      "no earlier task makes 'x' | $.task_list[0].task_list[0] (line 1) does, in a list that is opened later; put this task into an execution_chain")
    fine(loop .. '{ "task": "execution_chain", "task_list": [ { "task": "use", "inputs": { "a": "x" } } ] }')
  end)

  it("are made once", function()
    task('{ "task": "make", "outputs": { "a": "x" } },\n { "task": "make", "outputs": { "b": "x" } }',
      "output 'x' is made twice | $.task_list[0] (line 1) makes it too; give one of them another name")
    local function loops(name, want)
      local text = ([[{ "task": "execution_for_loop", "parameter": "i", "values": [1, 2], "task_list": [ { "task": "execution_for_loop", "parameter": "k",
        "linear_range": [1, 500, 500], "task_list": [ { "task": "make", "outputs": { "a": "%s" } } ] } ] }]]):format(name)
      if want then task(text, want) else fine(text) end
    end
    loops("'lc_{i}_{k_index}.gz'.format(**metadata)")
    loops("'lc_{k}.tar.gz'.format(**metadata)", "output 'lc_1.tar.gz' would be made once per 'i'"
      .. " | put the loop variable in: \"'lc_{k}_{i_index}.tar.gz'.format(**metadata)\"")
    loops("lc", "output 'lc' would be made once per 'k' | put the loop variable in: \"'lc_{k_index}'.format(**metadata)\"")
    loops("'l' + 'c'", "output 'lc' would be made once per 'k' | put the loop variable k_index into its name")
  end)

  it("of a do-while loop have the turn in their names", function()
    local function loop(name, criterion)
      return ([[{ "task": "execution_do_while_loop", "iteration_name": "w", "requires_metadata_from_child": ["m"], "repeat_criterion": "%s",
        "task_list": [ { "task": "make", "name": "m", "outputs": { "a": "%s" } } ] }]]):format(criterion, name)
    end
    fine(loop("'x_{w_index}'.format(**metadata)", "(requested_metadata['m']['ok'])"))
    task(loop("x", "(requested_metadata['m']['ok'])"), "output 'x' would be made once per 'w' | put the loop variable in: \"'x_{w_index}'.format(**metadata)\"")
    fine(loop("x", "(metadata['w_index'] < 1)"))
    -- the prototype's own examples: a second turn that never comes
    assert.equal("", (W.check(('{ "compat": "prototype", "task_list": [ %s ] }'):format(loop("x", "(requested_metadata['m']['ok'])")))))
  end)

  it("may have one name in branches that exclude each other", function()
    fine [[{ "task": "null", "name": "n" }, { "task": "execution_conditional", "requires_metadata_from": ["n"],
      "criterion": "(requested_metadata['n']['a'] > 1)",
      "task_list": [ { "task": "make", "outputs": { "a": "x" } } ], "else_task_list": [ { "task": "make", "outputs": { "b": "x" } } ] },
      { "task": "execution_chain", "task_list": [ { "task": "use", "inputs": { "c": "x" } } ] }]]
  end)

  it("of a branch that is not taken are not missed", function()
    fine [[{ "task": "execution_for_loop", "parameter": "i", "values": [0, 1, 2], "task_list": [ { "task": "make",
      "outputs": { "a": "'x{i}'.format(**metadata)" } },
      { "task": "execution_conditional", "criterion": "(metadata['i'] > 0)", "task_list": [ { "task": "use",
        "inputs": { "a": "'x{}'.format(metadata['i'] - 1)" } } ] } ] }]]
    task([[{ "task": "execution_conditional", "criterion": false, "task_list": [ { "task": "nulle", "inputs": { "a": "none" } } ] }]],
      "unknown task type 'nulle' | use null; all types: eas registry list")
  end)

  it("of a range that is not looked at whole are not missed", function()
    local function last(name, want)
      local text = ([[{ "task": "execution_for_loop", "parameter": "i", "linear_range": [0, 999, 1000], "task_list": [ { "task": "make", "outputs":
        { "a": "'lc_{i}.fits'.format(**metadata)" } } ] }, { "task": "execution_chain", "task_list": [ { "task": "use",
          "inputs": { "a": "%s" } } ] }]]):format(name)
      if want then task(text, want) else fine(text) end
    end
    last "lc_999.fits"
    last "lc_512.fits"
    last("curve_512.fits", "no earlier task makes 'curve_512.fits' | inputs name what an earlier task has in its outputs, in the same working directory")
  end)

  it("whose names depend on results or chance are left to the run", function()
    fine [[{ "task": "null", "name": "n" }, { "task": "execution_chain", "requires_metadata_from": ["n"], "task_list": [
      { "task": "make", "outputs": { "a": "'x_{}'.format(requested_metadata['n']['q'])" } }, { "task": "use",
        "inputs": { "a": "'x_{}'.format(requested_metadata['n']['q'])" } } ] }]]
    fine [[{ "task": "execution_for_loop", "parameter": "i", "values": ["(random.random() * 200)"], "task_list": [ { "task": "make", "outputs":
      { "a": "'x_{i}'.format(**metadata)" } }, { "task": "use", "inputs": { "a": "'x_{i}'.format(**metadata)" }, "name": "'a' + metadata['i']" } ] }]]
  end)

  it("stay in their folder", function()
    task('{ "task": "make", "outputs": { "a": "../x" } }', "file name '../x' has a part '..', which leaves its folder | a plain file name, such as \"lc.fits\"")
    task('{ "task": "use", "inputs": { "a": "/etc/passwd" } }',
      "file name '/etc/passwd' is absolute; names are relative to their folder | a plain file name, such as \"lc.fits\"")
    task('{ "task": "null", "working_directory": "a/../../b" }',
      "file name 'a/../../b' has a part '..', which leaves its folder | a folder inside the output store, such as \"my_grid\"")
  end)

  it("of `files:` are there", function()
    local dir = T.tmpdir()
    T.write(dir .. "/a.fits", "")
    local function loop(pattern)
      return ('{ "task": "execution_for_loop", "parameter": "f", "files": "%s", "task_list": [ { "task": "null" } ] }'):format(pattern)
    end
    fine(loop "*.fits", { input_path = dir })
    task(loop "*.txt", "files: nothing matches '*.txt' in " .. dir .. " | patterns are looked for in the input folder: input_path, EAS_INPUT_PATH",
      { input_path = dir })
    task(loop "../*.fits", "files: file name '../*.fits' has a part '..', which leaves its folder"
      .. " | a pattern inside the input folder, such as \"tess/*.fits\"", { input_path = dir })
    task(loop "x", "files: open '" .. dir .. "/no': No such file or directory | the input folder is input_path, EAS_INPUT_PATH", { input_path = dir .. "/no" })
  end)

  it("may be those of an earlier job", function()
    local db = B.fresh "sqlite"
    local user = '{ "working_directory": "d", "task_list": [ { "task": "use", "inputs": { "a": "x" } } ] }'
    assert(W.submit(db, '{ "working_directory": "d", "task_list": [ { "task": "make", "outputs": { "a": "x" } } ] }'))
    W.expand(db)
    assert.equal(1, #W.brief(user, { db = db })) -- not passed yet
    W.run(db)
    assert.same({}, W.brief(user, { db = db }))
    assert.equal(1, #W.brief(user))
    db:close()
  end)
end)

describe("names", function()
  it("in requires_metadata_from are of earlier tasks of the list", function()
    fine '{ "task": "null", "name": "a" }, { "task": "null", "requires_metadata_from": ["a"] }'
    task('{ "task": "null", "requires_metadata_from": ["b"] }, { "task": "null", "name": "b" }',
      "no earlier task of this list is named 'b' | task_list[1] is, but comes later; move it before this one")
    task('{ "task": "null", "name": "fisrt" }, { "task": "null", "requires_metadata_from": ["first"] }',
      "no earlier task of this list is named 'first' | use fisrt")
    task('{ "task": "null", "name": "me", "requires_metadata_from": ["me"] }',
      "no earlier task of this list is named 'me' | it is the name of this task itself")
    task('{ "task": "null", "name": "a" }, { "task": "execution_chain", "task_list": [ { "task": "null", "requires_metadata_from": ["a"] } ] }',
      "no earlier task of this list is named 'a' | name a task of the same list, before this one")
  end)

  it("in requires_metadata_from_child are of the body", function()
    task([[{ "task": "execution_do_while_loop", "iteration_name": "w", "requires_metadata_from_child": ["b", 3], "repeat_criterion": "(1 > 2)",
      "task_list": [ { "task": "null", "name": "a" } ] }]],
      { "no task of the loop's list is named 'b' | give a task of its task_list this name", "a name is wanted, found an integer" })
  end)
end)

describe("expressions", function()
  it("are looked at where they are evaluated, with what is known there", function()
    local name_it = " | name the task in requires_metadata_from (requires_metadata_from_child in a do-while loop)"
    task([[{ "task": "execution_conditional", "criterion": "(requested_metadata['a']['b'] == 1)", "task_list": [] }]],
      "expression: no metadata requested from a task named 'a'" .. name_it)
    -- what a loop requires is not handed down to its body
    task([[{ "task": "null", "name": "a" }, { "task": "execution_for_loop", "parameter": "i", "values": ["(requested_metadata['a']['b'])"],
      "requires_metadata_from": ["a"], "task_list": [ { "task": "null", "name": "'{}'.format(requested_metadata['a']['b'])" } ] }]],
      "expression: no metadata requested from a task named 'a'" .. name_it)
    task([[{ "task": "execution_do_while_loop", "iteration_name": "w", "repeat_criterion": "(metadata['v_index'] < 2)", "task_list": [] }]],
      "expression: no metadata named 'v_index' here | known here: w_index")
  end)

  it("are looked at in the settings of tasks, at any depth, once per place", function()
    task([[{ "task": "null", "specs": { "x": [1, "(metadata['nowhere'])"] } }]],
      "expression: no metadata named 'nowhere' here | no name is known here")
    task([[{ "task": "execution_for_loop", "parameter": "i", "values": [1, 2, 3], "task_list": [
      { "task": "null", "duration": "(1 / 0)" } ] }]], "expression: division by zero")
    fine [[{ "task": "null", "name": "a" }, { "task": "null", "requires_metadata_from": ["a"],
      "specs": { "x": "(requested_metadata['a']['known when it runs'])", "r": "(random.random() * 200)" } }]]
  end)
end)

describe("a big job", function()
  it("is looked at in time", function()
    local values = {}
    for i = 1, 30000 do values[i] = i end
    local started = os.clock()
    fine(([[{ "task": "execution_for_loop", "parameter": "i", "values": [%s], "task_list": [ { "task": "make",
      "outputs": { "a": "'x_{i}'.format(**metadata)" } },
      { "task": "use", "inputs": { "a": "'x_{i}'.format(**metadata)" } } ] },
      { "task": "execution_chain", "task_list": [ { "task": "use", "inputs": { "a": "x_29000" } } ] }]]):format(table.concat(values, ",")))
    assert.is_true(os.clock() - started < 5)
  end)
end)
