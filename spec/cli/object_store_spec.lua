-- A job whose products live in an object store: runs, other machines, outages, damage, and what children see of it.
local T = require "spec.support"
local S3 = require "spec.s3.server"
local World = require "spec.cli.world"

local server, world, pack
setup(function()
  if select(2, S3.installed()) then return end
  server = S3.start(T.tmpdir())
  pack = World.pack {
    make = { task = [[task:exec { "sh", "-c", "echo bytes of $1 >made", "sh", task.description.number or "one" }
      for k = 1, (task.description.lines or 0) do task:info("line %d of a long log, which goes to the store", k) end
      task:output("configuration", "made")]] },
    read = { task = [[local status, text = task:exec { "cat", task:input_path "configuration" }
      local _, env = task:exec { "sh", "-c", "env; ls " .. task:input_path("configuration"):match "^(.*)/objects" .. "/objects" }
      task:set { text = text, env = env, status = status }]] },
  }
end)
teardown(function() if server then server:stop() end end)
local turn = 0
before_each(function()
  T.skip_unless(server, S3.why)
  turn = turn + 1
  server:faults {}
  server:seen()
  world = World.new(pack, { EAS_STORE = "s3://light/world" .. turn, EAS_S3_ENDPOINT = server.endpoint, EAS_SLOTS = "2",
                            AWS_ACCESS_KEY_ID = S3.id, AWS_SECRET_ACCESS_KEY = S3.secret, EAS_S3_STALL = "1 s" })
end)
local function found(text, what) assert.is_truthy(text:find(what, 1, true), text) end

local JOB = {
  { task = "make", outputs = { configuration = "one.cfg" }, working_directory = "deep/er" },
  { task = "read", name = "reader", inputs = { configuration = "one.cfg" }, working_directory = "deep/er" },
}
-- The reader once more, by whoever runs the job on.
local function read_again()
  for _, t in ipairs(world:tasks()) do
    if t.name == "reader" then assert.equal(0, world:eas("rerun " .. t.task).status) end
  end
  return world:eas "run job.json --no-progress"
end
local function forget() T.sh("rm -rf " .. world:path "data/store-cache") end

it("runs; queries, checks and copies find what it made; children know nothing of the server", function()
  local got = world:run(JOB)
  assert.equal(0, got.status, got.out .. got.err)
  found(got.out, ("Files    s3://light/world%d     eas files j1 --data"):format(turn))
  local a = world:attempt "reader"
  assert.equal("bytes of one", a.metadata.text)
  for _, secret in ipairs { "AWS_", S3.secret, server.endpoint, "s3://" } do assert.is_nil(a.metadata.env:find(secret, 1, true), secret) end
  assert.is_nil(("\n" .. a.metadata.env .. "\n"):match "\n%x%x\n", "no child lists the cache")
  assert.equal(0, world:eas("files --verify").status)
  found(world:eas("fsck --verify").out, "1 versions read again, 0 links, 0 long logs, 0 problems")
  assert.equal(0, world:eas("files --into out").status)
  assert.equal("bytes of one\n", T.read(world:path "out/deep/er/one.cfg"))
  found(world:eas("doctor").out, ("✓ store s3://light/world%d, cache"):format(turn))
end)

it("is read on another machine, once, and gc finds what no row names", function()
  assert.equal(0, world:run(JOB).status)
  forget()
  server:seen()
  local got = read_again()
  assert.equal(0, got.status, got.out .. got.err)
  assert.equal(1, server:seen().GET)
  T.sh(("cp %s/light/world%d/objects/*/*object %s"):format(server.directory, turn, world.dir))
  local stray = ("%s/light/world%d/objects/ba"):format(server.directory, turn)
  local name = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
  T.sh(("mkdir -p %s; printf abc >%s/%s._S3rver_object; cp %s/../*/*metadata.json %s/%s._S3rver_metadata.json"):format(stray, stray, name, stray, stray, name))
  assert.equal(1, world:ask("gc --grace 0").objects)
  assert.equal(1, world:ask("gc --grace 0 --yes").removed)
  found(world:eas("fsck").out, " 0 problems")
end)

it("waits for a server that is away, and loses nothing", function()
  server:faults { { method = "PUT", match = "objects/", kind = "status", status = 503, times = 7 } }
  local got = world:run(JOB)
  assert.equal(0, got.status, got.out .. got.err)
  found(got.err, "503 SlowDown")
  found(got.err, "kept and tried again")
  assert.equal("bytes of one", world:attempt("reader").metadata.text)
  forget()
  server:faults { { method = "GET", kind = "status", status = 500, times = 6 } }
  got = read_again()
  assert.equal(0, got.status, got.out .. got.err)
  found(got.err, "fetch inputs")
end)

it("gives no task damaged bytes, and says which they are", function()
  assert.equal(0, world:run(JOB).status)
  forget()
  T.sh(("for f in %s/light/world%d/objects/*/*object; do printf worse >$f; done"):format(server.directory, turn))
  assert.equal(1, read_again().status)
  found(World.json.encode((world:attempt "reader")), "is damaged: its bytes hash to")
  local bad = world:eas "files --verify"
  assert.equal(1, bad.status)
  found(bad.out, "damaged")
  assert.equal(1, world:eas("fsck --verify").status)
end)

it("keeps long logs there", function()
  local got = world:run { { task = "make", lines = 6000, outputs = { configuration = "one.cfg" } } }
  assert.equal(0, got.status, got.err)
  forget()
  local text = world:eas("logs " .. world:attempt("make").attempt .. " --full").out
  found(text, "line 3000 of")
  found(text, "line 6000 of")
end)

it("is refused where it cannot work, with what to do", function()
  local env = { AWS_SECRET_ACCESS_KEY = "wrong-one" }
  local got = world:eas("doctor", { env = env })
  assert.equal(1, got.status)
  found(got.out, "✗ store s3://light/world")
  found(got.out, "403 SignatureDoesNotMatch")
  assert.is_nil((got.out .. got.err):find "wrong%-one")
  got = world:eas("init", { env = { EAS_STORE = "s3://nowhere/x" } })
  assert.equal(3, got.status)
  found(got.err, "NoSuchBucket")
  found(got.err, "make the bucket first")
  assert.equal(2, world:eas("init", { env = { EAS_STORE = "s3://a/x" } }).status)
end)
