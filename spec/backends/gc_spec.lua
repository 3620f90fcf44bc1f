-- Control takes away stored bytes that nothing names: one control at a time, a little at a time, never what is young or wanted.
local ffi = require "ffi"
local T = require "spec.support"
local B = require "spec.backends.backend"
local Roles = require "spec.cli.roles"
local new_world = require "spec.backends.world"
T.cdef "engine/control/gc.h"
T.cdef "engine/base/conf.h"
T.cdef "engine/base/log.h"
local C = ffi.C
local HEX = ("%02x"):rep(32)

B.each(function(kind)
  local db, store, dir, err, conf, next_us

  lazy_setup(function() C.eas_log_setup(0, C.eas_log_level "error") end)
  before_each(function()
    db, err, dir, next_us = B.fresh(kind), ffi.new "eas_err", T.tmpdir(), ffi.new "int64_t[1]"
    local out = ffi.new "eas_store *[1]"
    assert(C.eas_store_open(out, dir .. "/store", err) == 0, ffi.string(err.text))
    store, conf = out[0], C.eas_conf_new()
    assert.equal(0, C.eas_conf_finish(conf, err))
  end)
  after_each(function()
    C.eas_store_close(store)
    C.eas_conf_free(conf)
    db:close()
  end)

  local function must(rc) return rc >= 0 and rc or error(ffi.string(err.text), 2) end
  local function path(hex) return ("%s/store/objects/%s/%s"):format(dir, hex:sub(1, 2), hex) end
  -- An object last stored so many days ago; its digest as hex.
  local function put(text, days)
    local d, hex = ffi.new "eas_digest", {}
    must(C.eas_store_put(store, text, #text, d, err))
    for i = 0, 31 do hex[i + 1] = d.b[i] end
    hex = HEX:format(unpack(hex))
    if days then assert(T.sh(("touch -d '%d days ago' %s"):format(days, path(hex))).status == 0) end
    return hex, d
  end
  -- Many of them, without waiting for the disk; two days old. Their digests.
  local function put_many(n)
    local list = {}
    for hex in T.sh(("python3 - %s/store/objects %d"):format(dir, n), [[
import hashlib, os, sys, time
for i in range(int(sys.argv[2])):
    name = hashlib.sha256(b"%d" % i).hexdigest()
    os.makedirs(os.path.join(sys.argv[1], name[:2]), exist_ok=True)
    path = os.path.join(sys.argv[1], name[:2], name)
    open(path, "wb").write(b"%d" % i)
    os.utime(path, (time.time() - 2 * 86400,) * 2)
    print(name)
]]).out:gmatch "%x+" do list[#list + 1] = hex end
    assert.equal(n, #list)
    return list
  end
  local function there(hex) return T.read(path(hex)) ~= nil end
  local function turn(on) return must(C.eas_gc_turn((on or db).c, store, conf, 1, next_us, err)) end
  local function due() db:exec "UPDATE chore SET due_at = 1" end
  local function sweep()
    local n = 1
    due()
    while turn() == 1 do n = n + 1 end
    return n
  end

  it("old bytes that nothing names go, others stay", function()
    local w = new_world(db)
    local task = w:task(w:job(), { outputs = { "x" } })
    local named, digest = put("named", 400)
    local old, young = put("old", 2), put "young"
    local logged = put("logged", 400)
    local worker = w:worker()
    local claim = assert(w:claim(worker, 1))[1]
    claim.versions = { [task.products.x] = "pass" }
    assert(w:commit(worker, { claim }))
    db:exec("UPDATE version SET digest = $1", { blob = ffi.string(digest.b, 32) })
    local bytes = logged:gsub("%x%x", function(x) return string.char(tonumber(x, 16)) end)
    db:exec("INSERT INTO attempt_log (attempt, digest, size, bytes, lines, left_out) VALUES ($1, $2, 6, 6, 1, 0)", claim.attempt, { blob = bytes })
    sweep()
    assert.same({ true, true, true, false }, { there(named), there(logged), there(young), there(old) })
    assert.is_true(next_us[0] > 23 * 3600e6)
    assert.equal("", T.sh(("ls %s/store/tmp"):format(dir)).out)
  end)

  it("the first look only sets the time; then it is due once a day, for one of all controls", function()
    local old = put("old", 2)
    assert.equal(0, turn())
    assert.equal(0, turn())
    assert.is_true(next_us[0] <= 600e6) -- looks now and then who has done it
    assert.is_true(db:value "SELECT due_at - eas_now() FROM chore" > 23 * 3600e6)
    assert.is_true(there(old))
    db:exec "UPDATE chore SET due_at = eas_now() + 50000000" -- as another has it that holds it
    assert.equal(0, turn())
    assert.is_true(there(old))
    due()
    local other = db:again()
    assert.equal(0, turn(other)) -- one turn was enough
    assert.is_false(there(old))
    old = put("old", 2)
    assert.equal(0, turn())
    assert.is_true(there(old))
    other:close()
  end)

  it("goes in turns, which another control takes over", function()
    local list = put_many(600)
    due()
    assert.equal(1, turn())
    local first = 0
    for _, hex in ipairs(list) do first = first + (there(hex) and 0 or 1) end
    assert.is_true(first > 0 and first <= C.EAS_GC_GROUP, "removed in one turn: " .. first)
    local trips = kind == "postgresql" and db:cost(function() due() turn() end)
    local other, n = db:again(), 2
    due()
    while turn(other) == 1 do
      due()
      n = n + 1
    end
    for _, hex in ipairs(list) do assert.is_false(there(hex)) end
    assert.is_true(n <= 80, n .. " turns")
    assert.is_true(not trips or trips <= 12, tostring(trips) .. " round trips of a turn")
    other:close()
  end)

  it("a store that others use too is not touched, and says so", function()
    local old = put("old", 2)
    must(C.eas_gc_join(db.c, store, err))
    sweep()
    assert.is_false(there(old))
    local other = assert(B.open(B.url(kind, true)))
    assert(other:migrate())
    must(C.eas_gc_join(other.c, store, err))
    assert.equal(2, tonumber(T.sh(("ls %s/store/users | wc -l"):format(dir)).out))
    old = put("old", 2)
    sweep()
    assert.is_true(there(old))
    other:close()
  end)

  it("control does it beside its work; --once to the end", function()
    local objects = put_many(300)
    local roles = Roles.new { EAS_DATABASE = db.url, EAS_STORE = dir .. "/store", EAS_LOG_LEVEL = "info" }
    due()
    local got = roles:eas "control --once"
    assert.equal(0, got.status, got.err)
    assert.truthy(got.err:find "objects that no version or log names removed", got.err)
    for _, hex in ipairs(objects) do assert.is_false(there(hex)) end
    local old = put("old", 2)
    assert.equal(0, roles:eas("control --once").status)
    assert.is_true(there(old))
    got = roles:eas("control --once", { EAS_GC_GRACE = "1 min" })
    assert.equal(2, got.status)
    assert.truthy(got.err:find("gc_grace: at least 10 min is wanted, found '1 min'", 1, true), got.err)
    due()
    assert.equal(0, roles:eas("control --once", { EAS_GC_EVERY = "0 s", EAS_GC_GRACE = "1 min" }).status)
    assert.is_true(there(old))
    roles:start "control"
    roles:wait("the sweep", function() return not there(old) end)
    roles:stop()
  end)
end)
