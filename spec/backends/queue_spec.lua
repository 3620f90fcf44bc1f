-- RabbitMQ as the queue: messages ring, are confirmed, held, given back; what a broker's end, a purge and garbage do.
local ffi = require "ffi"
local T = require "spec.support"
local Broker = require "spec.backends.broker"
T.cdef "engine/queue/queue.h"
ffi.cdef "int usleep(unsigned us);"
local C = ffi.C

local err = ffi.new "eas_err"
local opened = {}

local function must(rc)
  if rc < 0 then error(ffi.string(err.text), 2) end
  return rc
end

-- A queue: fails with nil, text, code.
local function open(url)
  local out = ffi.new "eas_queue *[1]"
  local rc = C.eas_queue_open(out, url, nil, err)
  if rc < 0 then return nil, ffi.string(err.text), rc, ffi.string(err.hint) end
  opened[#opened + 1] = out[0]
  return out[0]
end

local function close(q)
  for i = #opened, 1, -1 do
    if opened[i] == q then table.remove(opened, i) end
  end
  C.eas_queue_close(q)
end

local function listen(url, prefetch, types)
  local q = assert(open(url))
  types = types or { "null" }
  local list = ffi.new("const char *[?]", #types + 1, types)
  list[#types] = nil
  must(C.eas_queue_subscribe(q, list, prefetch or 100, err))
  return q
end

local function publish(q, from, to, type)
  for id = from, to or from do must(C.eas_queue_publish(q, type or "null", id, err)) end
  must(C.eas_queue_wait(q, 5000000, err))
end

-- What is heard until n messages came or it was silent for quiet_ms: ids, the last receipt.
local function hear(q, n, quiet_ms)
  local m, ids, receipt, silent = ffi.new "eas_message", {}, nil, 0
  while #ids < n and silent < (quiet_ms or 3000) do
    if must(C.eas_queue_take(q, m, err)) == 1 then
      if m.attempt > 0 then ids[#ids + 1], receipt = tonumber(m.attempt), m.receipt end
      silent = 0
    else
      C.usleep(5000)
      silent = silent + 5
    end
  end
  return ids, receipt
end

local function depth(q, type)
  local n = ffi.new "int64_t[1]"
  must(C.eas_queue_depth(q, type or "null", n, err))
  return tonumber(n[0])
end

local function settles(what, fn, expected)
  local got
  for _ = 1, 1000 do
    got = fn()
    if got == expected then return end
    C.usleep(10000)
  end
  error(("%s: %s, not %s"):format(what, tostring(got), tostring(expected)), 2)
end

teardown(Broker.stop)

describe("RabbitMQ", function()
  after_each(function() while opened[1] do close(opened[1]) end end)

  it("keeps what is published until it is heard and acknowledged, in order, a queue per type", function()
    local url = Broker.url()
    local out = assert(open(url))
    assert.equal(1, C.eas_queue_is_broker(out))
    publish(out, 1, 3)
    publish(out, 7, 7, "verify")
    assert.equal(3, depth(out))
    local q = listen(url)
    local ids, receipt = hear(q, 3)
    assert.same({ 1, 2, 3 }, ids)
    assert.same({}, (hear(q, 1, 100))) -- not the other type's
    must(C.eas_queue_ack(q, receipt, err))
    must(C.eas_queue_ack(q, receipt, err)) -- twice is once
    close(q)
    settles("messages after the acknowledgement", function() return depth(out) end, 0)
    assert.equal(1, depth(out, "verify"))
  end)

  it("gives to others what a listener that ends has not acknowledged", function()
    local url = Broker.url()
    local q = listen(url)
    publish(q, 1, 4)
    local _, receipt = hear(q, 2)
    must(C.eas_queue_ack(q, receipt, err)) -- 1 and 2; 3 and 4 are at hand, or on their way
    hear(q, 2)
    close(q)
    assert.same({ 3, 4 }, (hear(listen(url), 2)))
  end)

  it("holds no more than prefetch, over all types together", function()
    local url = Broker.url()
    local q = listen(url, 4, { "null", "verify" })
    publish(q, 1, 6)
    publish(q, 11, 16, "verify")
    local ids, receipt = hear(q, 12, 300)
    assert.equal(4, #ids)
    must(C.eas_queue_ack(q, receipt, err))
    assert.equal(4, #(hear(q, 12, 300)))
  end)

  it("leaves its messages to others while it is paused, and hears again after", function()
    local url = Broker.url()
    local busy = listen(url, 8)
    publish(busy, 1, 3)
    assert.equal(3, #(hear(busy, 3)))
    must(C.eas_queue_pause(busy, 1, err))
    local idle = listen(url, 8)
    local ids, receipt = hear(idle, 3)
    table.sort(ids)
    assert.same({ 1, 2, 3 }, ids)
    must(C.eas_queue_ack(idle, receipt, err))
    publish(idle, 4)
    assert.same({}, (hear(busy, 1, 200)))
    assert.same({ 4 }, (hear(idle, 1)))
    close(idle)
    must(C.eas_queue_pause(busy, 0, err))
    assert.same({ 4 }, (hear(busy, 1)))
  end)

  it("drops what is no attempt id, and goes on", function()
    local url = Broker.url()
    local prefix = url:match "prefix=([^&]*)"
    local q = listen(url)
    for _, body in ipairs { "garbage", "12x", "-3", "", "0", "99999999999999999999", ("9"):rep(5000) } do
      local sent = T.sh(("amqp-publish -u %s -r %snull -b '%s'"):format(url:match "^[^?]+", prefix, body))
      assert.equal(0, sent.status, sent.err)
    end
    publish(q, 8)
    local ids, receipt = hear(q, 2, 300)
    assert.same({ 8 }, ids)
    must(C.eas_queue_ack(q, receipt, err))
    close(q)
    settles("messages left", function() local out = open(url); local n = depth(out); close(out); return n end, 0)
  end)

  it("speaks TLS, and only to whom it can verify", function()
    local ca = Broker.dir() and Broker.dir() .. "/ca.pem"
    local url = Broker.url(ca and "&cacertfile=" .. ca, "tls")
    local q = listen(url)
    publish(q, 5)
    assert.same({ 5 }, (hear(q, 1)))
    local none, text, code = open(Broker.url(nil, "tls"))
    assert.is_nil(none)
    assert.equal(C.EAS_ECONNECT, code)
    assert.truthy(text:find "verif", text)
    assert.truthy(open(Broker.url("&verify=verify_none", "tls")))
    none, text, code = open(Broker.url("&cacertfile=/nowhere/ca.pem", "tls"))
    assert.is_nil(none)
    assert.equal(C.EAS_EURL, code)
    assert.truthy(text:find("/nowhere/ca.pem", 1, true))
  end)

  it("says in one line what is wrong with an address", function()
    for url, expected in pairs {
      ["amqp://"] = "not an address", ["amqp://h:99999"] = "not an address", ["amqp://h?heart=1"] = "unknown parameter 'heart'",
      ["amqp://h?heartbeat=0"] = "1 to 3600", ["amqp://h?verify=no"] = "verify_none", ["amqps://h?certfile=a"] = "come together",
      ["amqp://h?prefix"] = "NAME=VALUE",
    } do
      local q, text, code, hint = open(url)
      assert.is_nil(q)
      assert.equal(C.EAS_EURL, code)
      assert.truthy(text:find(expected, 1, true), text)
      assert.truthy(hint:find "amqps?://")
    end
    local q, text, code = open "amqp://guest:secret@127.0.0.1:1/x"
    assert.is_nil(q)
    assert.equal(C.EAS_ECONNECT, code)
    assert.equal("queue amqp://127.0.0.1:1/x: nobody listens there", text)
  end)

  it("says whose password is wrong, and never what it was", function()
    local url = Broker.url():gsub("guest:guest@", "guest:hunter2@")
    local q, text, code = open(url)
    assert.is_nil(q)
    assert.equal(C.EAS_ECONNECT, code)
    assert.truthy(text:find("user 'guest' is refused", 1, true), text)
    assert.falsy(text:find "hunter2")
  end)

  it("is looked into by diag/queue-shell, with a client of its own", function()
    local url = Broker.url()
    local prefix = url:match "prefix=([^&]*)"
    T.skip_unless(T.sh("command -v amqp-get").status == 0, "no amqp-get here (Debian: amqp-tools)")
    local dir = T.tmpdir()
    assert.equal(0, T.eas({ "init" }, { env = { EAS_DATA = dir, EAS_QUEUE = url } }).status)
    local out = assert(open(url))
    publish(out, 41, 42)
    local got = T.sh(("cd %s && env PATH=%s:$PATH EAS_DATA=%s EAS_QUEUE=%s SHELL=/bin/sh timeout -k 2 60 %s/diag/queue-shell"):format(T.quote(dir),
      T.quote(T.build .. "/bin"), T.quote(dir), T.quote(url), T.quote(T.root)), ('amqp-get --url "$AMQP_URL" -q %snull; echo " of $AMQP_URL"\n'):format(prefix))
    assert.equal(0, got.status, got.out .. got.err)
    assert.truthy(got.out:find("queues are named " .. prefix .. "TYPE", 1, true), got.out)
    assert.truthy(got.out:find "41[^\n]* of amqp://guest:guest@127%.0%.0%.1:%d+\n", got.out .. got.err)
    close(out)
  end)

  it("finds the broker again after it was killed: what was not confirmed is sent, what waited is there", function()
    local url = Broker.url("&heartbeat=2")
    local out, q = assert(open(url)), listen(url)
    publish(out, 1)
    assert.same({ 1 }, (hear(q, 1)))
    publish(out, 2, 2, "verify")
    C.usleep(2500000) -- Erlang's disk_log keeps 2 s of writes to itself: a queue younger than that is not found again
    Broker.kill()
    local m = ffi.new "eas_message"
    local looked = 0
    for _ = 1, 100 do -- who hears nothing is told to look
      looked = looked + must(C.eas_queue_take(q, m, err))
      C.usleep(2000)
    end
    assert.truthy(looked > 0)
    must(C.eas_queue_publish(out, "null", 9, err))
    local begun = os.clock()
    for _ = 1, 20 do must(C.eas_queue_flush(out, err)) end
    assert.truthy(os.clock() - begun < 0.5)
    assert.equal(C.EAS_ECONNECT, C.eas_queue_depth(out, "null", ffi.new "int64_t[1]", err))
    Broker.again()
    local ids, seen = {}, {}
    for _ = 1, 1500 do -- both look for it, up to 5 s later
      must(C.eas_queue_take(out, m, err))
      local got = hear(q, 1, 10)
      if got[1] then ids[#ids + 1], seen[got[1]] = got[1], true end
      if seen[9] and seen[1] then break end
    end
    assert.truthy(seen[9], "the message published while it was away did not come")
    assert.truthy(seen[1], "what was not acknowledged did not come again")
    settles("the other queue", function() return depth(out, "verify") end, 1)
  end)
end)
