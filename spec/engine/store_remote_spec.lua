-- store/store.h on an object store: what becomes of bytes when the server is slow, fails, dies, or gives back others.
local ffi = require "ffi"
local T = require "spec.support"
local S3 = require "spec.s3.server"
local B = require("spec.engine.store_backends").s3
ffi.cdef "int unsetenv(const char *);"
local C = ffi.C
local ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
local DAY_AGO = "touch -d '1 day ago' "

local err, dir, store, digest
setup(function() B:start() end)
teardown(function() B:stop() end)
before_each(function()
  B:skip_unless_there()
  err, digest = ffi.new "eas_err", ffi.new "eas_digest"
  dir = T.tmpdir()
  store = B:open(dir .. "/cache", err)
  B.server:seen()
end)
after_each(function()
  if B.server then B.server:faults {} end
  if store then C.eas_store_close(store) end
  store = nil
end)

local function message() return ffi.string(err.text) end
local function found(what) assert.is_truthy(message():find(what, 1, true), message()) end
local function put(text, to)
  local rc = C.eas_store_put(store, text, #text, to or digest, err)
  assert(rc == 0, message())
end
local function flush() return C.eas_store_flush(store, err) end
local function shell(command) return (T.sh(command).out:gsub("\n$", "")) end
local function bytes(hex) return B:bytes(dir, hex or ABC) end
local function hex(d)
  local out = ffi.new "char[65]"
  C.eas_digest_hex(d, out)
  return ffi.string(out)
end
-- Another worker: nothing in its cache.
local function elsewhere(limit) return B:open(dir .. "/elsewhere", err, limit) end
local function fetch(s, d)
  local pin = ffi.new "int[1]"
  local rc = C.eas_store_fetch(s, d or digest, 1, pin, err)
  return rc, pin
end
local function cached(folder) return shell(("find %s/%s/objects -type f | wc -l"):format(dir, folder)) end

describe("what is put", function()
  it("is brought away by the flush, once, on condition that it is not there", function()
    put "abc"
    assert.equal(0, B.server:seen().PUT)
    assert.equal(0, flush(), message())
    assert.equal("abc", T.read(bytes()))
    assert.equal(1, B.server:seen().PUT)
    assert.equal(0, flush(), message())
    assert.equal(0, B.server:seen().PUT, "nothing waits any more")
  end)

  it("is not sent over what is there, but renewed when gc might take it for old", function()
    put "abc"
    assert.equal(0, flush(), message())
    B.server:seen()
    put "abc"
    assert.equal(0, flush(), message())
    local seen = B.server:seen()
    assert.same({ 1, 1 }, { seen.PUT, seen.HEAD }, "refused; it is young")
    shell(DAY_AGO .. bytes())
    put "abc"
    assert.equal(0, flush(), message())
    assert.equal(2, B.server:seen().PUT, "refused; put again")
    assert.is_true(os.time() - tonumber(shell("stat -c %Y " .. bytes())) < 100)
  end)

  it("is mended there if it has another size", function()
    put "abc"
    assert.equal(0, flush(), message())
    T.write(bytes(), "longer")
    put "abc"
    assert.equal(0, flush(), message())
    assert.equal("abc", T.read(bytes()))
  end)

  it("goes to a server that knows no conditions, too", function()
    T.write(B.server.control .. "/unconditional", "")
    put "abc"
    assert.equal(0, flush(), message())
    os.remove(B.server.control .. "/unconditional")
    assert.equal("abc", T.read(bytes()))
  end)

  it("by the hundred goes side by side, each once", function()
    for i = 1, 100 do put("object " .. i % 90) end
    assert.equal(0, flush(), message())
    assert.equal(90, B.server:seen().PUT)
  end)
end)

describe("what is large", function()
  local MB = 2 ^ 20
  local text, name
  setup(function()
    text = ("0123456789abcdef"):rep(12 * MB / 16 + 1) -- two parts of 5 MiB, and a bit
    name = T.sh("sha256sum", text).out:match "%x+"
  end)
  local function uploads() return shell(("find %s -path '*uploads*' -type f | wc -l"):format(B.server.directory)) end
  local function there()
    for _ = 1, 100 do -- the server answers before the last byte is written
      local got = T.read(bytes(name))
      if got and #got == #text then return got == text end
      T.sh "sleep 0.02"
    end
  end

  it("goes in parts, and comes back whole; what is there is not sent again", function()
    put(text)
    assert.equal(0, flush(), message())
    local seen = B.server:seen()
    assert.same({ 3, 2, 0 }, { seen.PUT, seen.POST, seen.DELETE })
    assert.is_true(there())
    local other = elsewhere()
    local rc, pin = fetch(other)
    assert.equal(0, rc, message())
    C.eas_store_unpin(pin, 1)
    C.eas_store_close(other)
    B.server:seen()
    put(text)
    assert.equal(0, flush(), message())
    seen = B.server:seen()
    assert.same({ 0, 0 }, { seen.PUT, seen.POST })
    assert.equal("0", uploads())
  end)

  it("is tried again part by part", function()
    B.server:faults { { method = "PUT", match = "partNumber=2", kind = "status", status = 503, times = 2 } }
    put(text)
    assert.equal(0, flush(), message())
    assert.equal(5, B.server:seen().PUT)
    assert.is_true(there())
  end)

  it("is taken away again when a part or the end fails, and sent anew by the next flush", function()
    for _, fault in ipairs { { method = "PUT", match = "partNumber=3", kind = "status", status = 400, times = 1 },
      { method = "POST", match = "uploadId=", kind = "status", status = 404, code = "NoSuchUpload", times = 1 },
      { method = "POST", match = "uploadId=", kind = "status", status = 200, code = "InternalError", times = 1 } } do
      B.server:faults { fault }
      put(text)
      assert.equal(C.EAS_ECONNECT, flush())
      assert.truthy((T.read(B.server.control .. "/seen")):find("DELETE [^\n]*" .. name .. "%?uploadId=%x+\n")) -- which this server does not act on
      B.server:seen()
      assert.is_nil(T.read(bytes(name)))
    end
    assert.equal(0, flush(), message())
    assert.is_true(there())
  end)

  it("in parts that are too small for S3 is refused at once", function()
    local set, texts = S3.settings(B.server.endpoint, dir .. "/small")
    set.part_bytes = 1000000
    assert.equal(C.EAS_EINVAL, C.eas_store_open_with(ffi.new "eas_store *[1]", "s3://light/x", set, err))
    assert.is_true(#texts > 0)
    found "s3_part: at least 5.3 MB is wanted"
  end)
end)

describe("a listing", function()
  it("is read page by page", function()
    for i = 1, 30 do put("page " .. i) end
    assert.equal(0, flush(), message())
    T.write(B.server.control .. "/pages", "")
    B.server:seen()
    local got, sorted = {}, {}
    local fn = ffi.cast("eas_store_walk_fn *", function(_, d, size)
      got[#got + 1], sorted[#got + 1] = hex(d), hex(d)
      assert(size == 6 or size == 7)
      return 0
    end)
    jit.off(true, true)
    local rc = C.eas_store_walk(store, nil, fn, nil, err)
    fn:free()
    os.remove(B.server.control .. "/pages")
    assert.equal(0, rc, message())
    table.sort(sorted)
    assert.same(sorted, got)
    assert.equal(30, #got)
    assert.equal(5, B.server:seen().GET)
  end)
end)

describe("what is read", function()
  it("is fetched once and read from the cache after", function()
    put "abc"
    assert.equal(0, flush(), message())
    local other = elsewhere()
    for _ = 1, 3 do
      local rc, pin = fetch(other)
      assert.equal(0, rc, message())
      assert.equal("abc", T.read(dir .. "/elsewhere/objects/ba/" .. ABC))
      C.eas_store_unpin(pin, 1)
      assert.equal(-1, pin[0])
    end
    assert.equal(1, B.server:seen().GET)
    C.eas_store_close(other)
  end)

  it("from a damaged cache is fetched anew", function()
    put "abc"
    assert.equal(0, flush(), message())
    C.eas_store_close(store)
    local file = ("%s/cache/objects/ba/%s"):format(dir, ABC)
    shell(("chmod 644 %s; printf abd >%s"):format(file, file))
    store = B:open(dir .. "/cache", err) -- another process: it trusts no file before it hashed it
    local rc, pin = fetch(store)
    assert.equal(0, rc, message())
    assert.equal("abc", T.read(file))
    C.eas_store_unpin(pin, 1)
  end)

  it("leaves the cache in the order of its use, and never while it is in use", function()
    local list, pins = {}, {}
    for i = 1, 10 do
      list[i] = ffi.new "eas_digest"
      put(("%d"):format(i % 10):rep(1000), list[i])
    end
    assert.equal(0, flush(), message())
    local small = elsewhere(5000)
    for i = 1, 4 do
      local rc
      rc, pins[i] = fetch(small, list[i])
      assert.equal(0, rc, message())
    end
    C.eas_store_unpin(pins[2], 1)
    C.eas_store_unpin(pins[3], 1)
    for i, age in ipairs { "4", "2", "3", "1" } do
      shell(("touch -d '%s hours ago' %s/elsewhere/objects/*/%s"):format(age, dir, hex(list[i])))
    end
    for i = 5, 6 do
      local rc, pin = fetch(small, list[i])
      assert.equal(0, rc, message())
      C.eas_store_unpin(pin, 1)
    end
    local function there(i) return shell(("ls %s/elsewhere/objects/*/%s | wc -l"):format(dir, hex(list[i]))) == "1" end
    assert.same({ true, false, false, true }, { there(1), there(2), there(3), there(4) }) -- 1 is the oldest, and pinned
    for i = 7, 10 do
      local rc, pin = fetch(small, list[i])
      assert.equal(0, rc, message())
      C.eas_store_unpin(pin, 1)
    end
    assert.is_true(there(1) and there(4) and there(10))
    assert.is_true(tonumber(cached "elsewhere") <= 5, cached "elsewhere")
    C.eas_store_close(small)
  end)

  it("and is not there says so at once", function()
    C.eas_hash("never put", 9, digest)
    assert.equal(C.EAS_ENOENT, (fetch(store)))
    found "404"
    assert.equal(1, B.server:seen().GET)
    assert.equal(0, C.eas_store_has(store, digest))
  end)
end)

describe("a server that", function()
  it("answers 500 and 503 is asked again, ever later", function()
    B.server:faults { { method = "PUT", kind = "status", status = 503, times = 1 },
                      { method = "PUT", kind = "status", status = 500, code = "InternalError", times = 1 } }
    put "abc"
    assert.equal(0, flush(), message())
    assert.equal(3, B.server:seen().PUT)
    assert.equal("abc", T.read(bytes()))
  end)

  it("fails for good is told of, and the bytes wait for the next flush", function()
    B.server:faults { { method = "PUT", kind = "status", status = 503, times = 4 } }
    put "abc"
    assert.equal(C.EAS_ECONNECT, flush())
    found "after 4 tries"
    found "503 SlowDown"
    assert.equal("abc", T.read(("%s/cache/objects/ba/%s"):format(dir, ABC)))
    assert.equal(0, flush(), message())
    assert.equal("abc", T.read(bytes()))
  end)

  it("stands still is left and asked again", function()
    put "abc"
    assert.equal(0, flush(), message())
    B.server:faults { { method = "GET", kind = "stall", ms = 4000, times = 1 } }
    local other = elsewhere()
    local rc, pin = fetch(other)
    assert.equal(0, rc, message())
    assert.equal(2, B.server:seen().GET)
    C.eas_store_unpin(pin, 1)
    C.eas_store_close(other)
  end)

  it("breaks off in the middle is asked again, and nothing half is kept", function()
    put(("0123456789"):rep(100000))
    assert.equal(0, flush(), message())
    local other = elsewhere()
    B.server:faults { { method = "GET", kind = "cut", times = 5 } }
    assert.equal(C.EAS_ECONNECT, (fetch(other)))
    assert.equal("0", cached "elsewhere")
    assert.equal("", shell(("ls %s/elsewhere/tmp"):format(dir)))
    local rc, pin = fetch(other) -- one fault is left
    assert.equal(0, rc, message())
    assert.equal(hex(digest), shell(("cat %s/elsewhere/objects/*/%s | sha256sum"):format(dir, hex(digest))):match "^%x+")
    C.eas_store_unpin(pin, 1)
    C.eas_store_close(other)
  end)

  it("gives other bytes is asked once more; if they stay others, they are refused", function()
    put "abc"
    assert.equal(0, flush(), message())
    B.server:faults { { method = "GET", kind = "flip", times = 1 } }
    local other = elsewhere()
    local rc, pin = fetch(other)
    assert.equal(0, rc, message())
    C.eas_store_unpin(pin, 1)
    C.eas_store_close(other)
    T.write(bytes(), "abd")
    shell(("rm -r %s/elsewhere"):format(dir))
    other = elsewhere()
    assert.equal(C.EAS_EFORMAT, (fetch(other)))
    found("object " .. ABC .. " is damaged: its bytes hash to a52d159f")
    assert.equal("0", cached "elsewhere")
    assert.equal(C.EAS_EFORMAT, C.eas_store_verify(other, digest, err))
    C.eas_store_close(other)
  end)

  it("is killed and comes again loses nothing that was flushed, and gets what was not", function()
    put "abc"
    assert.equal(0, flush(), message())
    put "later"
    B.server:kill()
    assert.equal(C.EAS_ECONNECT, flush())
    found "at http://localhost:"
    assert.is_true(C.eas_store_has(store, digest) < 0, "nobody can say")
    B.server:again()
    assert.equal(0, flush(), message())
    assert.equal("later", T.read(bytes(hex(digest))))
    assert.equal("abc", T.read(bytes()))
  end)

  it("is given up by who does not wait any longer", function()
    B.server:faults { { method = "PUT", kind = "status", status = 503, times = 100 } }
    put "abc"
    C.eas_store_stop(store)
    assert.equal(C.EAS_EINTR, flush())
  end)
end)

describe("what cannot work is refused", function()
  local function open(url, set)
    local box = ffi.new "eas_store *[1]"
    local own, texts = S3.settings(B.server.endpoint, dir .. "/cache")
    for name, value in pairs(set or {}) do own[name] = value end
    local rc = C.eas_store_open_with(box, url, own, err)
    assert(#texts > 0)
    if rc < 0 then return rc end
    rc = C.eas_store_probe(box[0], err)
    C.eas_store_close(box[0])
    return rc
  end

  it("when it is named", function()
    for _, url in ipairs { "s3://", "s3://x", "s3:///prefix", "s3://light/a b", "s3://light/%2e", "s3://li?ght/x" } do
      assert.equal(C.EAS_EURL, open(url), url)
    end
    for _, endpoint in ipairs { "localhost:9000", "ftp://localhost", "http://user@localhost", "http://localhost/path" } do
      assert.equal(C.EAS_EURL, open("s3://light/x", { endpoint = endpoint }), endpoint)
      found(endpoint)
    end
  end)

  it("when the server says no: no such bucket, wrong keys, nobody there", function()
    assert.equal(0, open "s3://light/x", message())
    assert.equal(C.EAS_ECONNECT, open "s3://dark/x")
    found "NoSuchBucket"
    C.setenv("AWS_SECRET_ACCESS_KEY", "wrong", 1)
    assert.equal(C.EAS_ECONNECT, open "s3://light/x")
    C.setenv("AWS_SECRET_ACCESS_KEY", S3.secret, 1)
    found "403 SignatureDoesNotMatch"
    assert.is_nil(message():find "wrong")
    assert.equal(C.EAS_ECONNECT, open("s3://light/x", { endpoint = "http://localhost:1", tries = 1 }))
    found "http://localhost:1"
  end)

  it("without credentials; they may stand in a file", function()
    C.unsetenv "AWS_ACCESS_KEY_ID"
    C.setenv("HOME", dir, 1)
    assert.equal(C.EAS_EINVAL, open "s3://light/x")
    found "none found"
    local file = T.write(dir .. "/keys", "[other]\naws_access_key_id = x\n")
    assert.equal(C.EAS_EINVAL, open("s3://light/x", { credentials_file = file }))
    found "[default]"
    T.write(dir .. "/keys", "[default]\naws_access_key_id = S3RVER\naws_secret_access_key = S3RVER\n")
    assert.equal(0, open("s3://light/x", { credentials_file = file }), message())
    C.setenv("AWS_ACCESS_KEY_ID", S3.id, 1)
  end)

  it("over TLS, when the certificate is nobody's", function()
    local made = T.sh(("cd %s && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout key -out cert"):format(dir))
    assert.equal(0, made.status, made.err)
    local server = S3.start(T.tmpdir(), { key = dir .. "/key", cert = dir .. "/cert" })
    local rc = open("s3://light/x", { endpoint = server.endpoint, tries = 1 })
    local why = message()
    C.setenv("AWS_CA_BUNDLE", dir .. "/cert", 1)
    local good = open("s3://light/x", { endpoint = server.endpoint })
    C.unsetenv "AWS_CA_BUNDLE"
    server:stop()
    assert.equal(C.EAS_ECONNECT, rc)
    assert.is_truthy(why:find("certificate", 1, true), why)
    assert.equal(0, good, message())
  end)
end)
