-- eas archive: a job as one file that queries read, whole before anything is removed.
local T = require "spec.support"
local World = require "spec.cli.world"

local pack, world
setup(function()
  pack = World.pack {
    make = { task = [[task:exec { "sh", "-c", "echo bytes of $1 >made", "sh", tostring(task.metadata.k or "x") }
      task:info("made %s", tostring(task.metadata.k)) task:set { power = task.metadata.k } task:output("configuration", "made")]] },
    read = { task = "task:set { size = #(select(2, task:exec { 'cat', task:input_path 'configuration' })) }" },
    bad = { task = "error 'on purpose'" },
  }
end)
before_each(function() world = World.new(pack) end)
local function found(text, what) assert.is_truthy(text:find(what, 1, true), text) end

local JOB = {
  { task = "execution_for_loop", parameter = "k", values = { 1, 2, 3 }, task_list = {
    { task = "make", outputs = { configuration = "'made_{k}.cfg'.format(**metadata)" }, working_directory = "deep" },
    { task = "read", inputs = { configuration = "'made_{k}.cfg'.format(**metadata)" }, working_directory = "deep" } } },
  { task = "bad" },
}
local FILE = "data/archive/j1-survey.eas"
local function archived(words) return world:eas(("%s --database sqlite:%s"):format(words, world:path(FILE))) end

it("keeps all that queries show, and the bytes", function()
  world:run(JOB, "survey")
  local asked = { "status j1", "tree j1 --all", "results j1 --type make", "logs j1", "errors j1", "files j1", "timings j1", "why t6" }
  local before = {}
  for i, words in ipairs(asked) do before[i] = world:eas(words).out end
  local got = world:eas "archive survey --remove"
  assert.equal(0, got.status, got.err)
  found(got.out, "3 files")
  found(got.out, "out of the database; eas gc frees the bytes")
  assert.equal("0", tostring(world:value "SELECT count(*) FROM task"))
  assert.equal(0, world:value "SELECT count(*) FROM job")
  for i, words in ipairs(asked) do assert.equal(before[i], archived(words).out, words) end
  for _, words in ipairs { "status j1", "status survey", "cancel j1", "pause survey", "resume j1", "retry survey", "rerun j1" } do
    got = world:eas(words) -- who asks for what is not here any more is told where it is
    assert.equal(2, got.status)
    found(got.err, "it was archived: --database sqlite:")
    found(got.err, "/archive/j1-survey.eas")
  end
  assert.is_nil(world:eas("status vey").err:find("archived", 1, true))
  found(T.sh(("sqlite3 -readonly :memory: \"ATTACH '%s' AS old; SELECT count(*) || ' tasks' FROM old.task\""):format(world:path(FILE))).out, "12 tasks")
  assert.equal(3, world:ask("gc --grace 0 --yes").removed)
  got = world:eas { "archive", world:path(FILE), "--into", "out" }
  assert.equal(0, got.status, got.err)
  for k = 1, 3 do assert.equal(("bytes of %d\n"):format(k), T.read(world:path(("out/deep/made_%d.cfg"):format(k)))) end
  assert.equal("444", T.sh("stat -c %a " .. world:path(FILE)).out:match "%d+")
  assert.equal("", T.sh(("ls %s | grep -v '\\.eas$'"):format(world:path "data/archive")).out)
  assert.equal("", T.sh(("sqlite3 %s 'PRAGMA foreign_key_check'"):format(world:path(FILE))).out)
end)

it("takes one job of several and leaves the others as they are", function()
  world:run({ { task = "make", outputs = { configuration = "a.cfg" } } }, "one")
  world:run({ { task = "make", outputs = { configuration = "b.cfg" } } }, "survey")
  assert.equal(0, world:eas("archive survey --remove --into keep.eas").status)
  assert.equal(1, world:value "SELECT count(*) FROM job")
  assert.equal(0, world:eas("files one --verify").status)
  found(world:eas("fsck --verify").out, " 0 problems")
  local file = world:eas("files --database sqlite:keep.eas").out
  found(file, "b.cfg")
  assert.is_nil(file:find("a.cfg", 1, true))
end)

it("removes nothing and leaves no file when it cannot be whole", function()
  world:run(JOB, "survey")
  T.sh(("for f in %s/data/store/objects/*/*; do chmod 644 $f; echo worse >$f; break; done"):format(world.dir))
  local got = world:eas "archive survey --remove"
  assert.equal(2, got.status)
  found(got.err, "is damaged: nothing was archived")
  assert.equal("", T.sh("ls " .. world:path "data/archive").out)
  assert.equal(1, world:value "SELECT count(*) FROM job")
  assert.equal(3, world:value "SELECT count(*) FROM version")
end)

it("overwrites nothing, and notices an archive that was changed", function()
  world:run(JOB, "survey")
  assert.equal(0, world:eas("archive survey").status)
  local got = world:eas "archive survey"
  assert.equal(2, got.status)
  found(got.err, "is there already")
  assert.equal(1, world:value "SELECT count(*) FROM job", "nothing was removed")
  T.sh(("chmod 644 %s; sqlite3 %s \"UPDATE archive_bytes SET bytes = x'00' WHERE rowid = 2\""):format(world:path(FILE), world:path(FILE)))
  got = world:eas { "archive", world:path(FILE), "--into", "out" }
  assert.equal(2, got.status)
  found(got.err, "is damaged or not there")
end)

it("refuses what is under way, what is no job, and what is no archive", function()
  world:run(JOB, "survey")
  world:eas("retry j1")
  local got = world:eas "archive j1"
  assert.equal(2, got.status)
  found(got.err, "is not done")
  assert.equal(2, world:eas("archive j7").status)
  T.write(world:path "text", "hello\n")
  assert.is_true(world:eas({ "archive", "text", "--into", "out" }).status > 0)
  found(world:eas({ "archive", "text" }).err, "--into FOLDER")
end)
