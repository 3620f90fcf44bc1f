-- base/conf.h: the sources of values and their order, units, secrets; config/eas.conf says the same as the table.
local ffi = require "ffi"
local T = require "spec.support"
T.cdef "engine/base/conf.h"
local C = ffi.C

local conf, err
before_each(function()
  conf, err = C.eas_conf_new(), ffi.new "eas_err"
end)
after_each(function() C.eas_conf_free(conf) end)

local function get(key) return ffi.string(C.eas_conf_str(conf, key)) end
local function message() return ffi.string(err.text) end
local function set(key, value) return C.eas_conf_set(conf, key, value, "--" .. key, err) end

local function shown(key)
  local p = C.eas_conf_shown(conf, key)
  local text = ffi.string(p)
  C.free(p)
  return text
end

local function read(text)
  local path = T.write(T.tmpdir() .. "/eas.conf", text)
  return C.eas_conf_read(conf, path, err), path
end

local function environment(list)
  local env = ffi.new("const char *[?]", #list + 1, list)
  env[#list] = nil
  return C.eas_conf_read_env(conf, ffi.cast("char *const *", env), err)
end

describe("config/eas.conf", function()
  local n = ffi.new "int[1]"
  local keys = C.eas_conf_keys(n)

  it("lists every key, with its default, after a comment", function()
    local text, found = T.read(T.root .. "/config/eas.conf"), {}
    for comment, key, value in text:gmatch "(#[^\n]+)\n#([%w_]+):([^\n]*)" do
      assert.is_truthy(#comment > 10, key)
      found[key] = value:gsub("^ ", "")
    end
    for i = 0, n[0] - 1 do
      local key = keys[i]
      local name = ffi.string(key.name)
      if ffi.string(key.type) ~= "secret" then assert.equal(ffi.string(key.initial), found[name], name) end
      assert.equal("EAS_" .. name:upper(), ffi.string(key.env))
      assert.is_true(#ffi.string(key.help) > 10)
      found[name] = nil
    end
    assert.same({}, found)
  end)

  it("changes nothing as it stands", function()
    assert.equal(0, C.eas_conf_read(conf, T.root .. "/config/eas.conf", err))
    for i = 0, n[0] - 1 do assert.equal("default", ffi.string(C.eas_conf_source(conf, keys[i].name))) end
  end)

  it("can be used with every line switched on", function()
    local text = T.read(T.root .. "/config/eas.conf"):gsub("\n#([%w_]+:)", "\n%1")
    assert.equal(0, (read(text)), message())
    assert.equal(0, C.eas_conf_finish(conf, err), message())
  end)
end)

describe("a file", function()
  it("is read by lines, with comments, ':' or '='", function()
    local rc, path = read "# top\n\n data : /x:y # why\nslots=3\r\n\tdatabase: sqlite:a#b.db\n"
    assert.equal(0, rc, message())
    assert.equal("/x:y", get "data")
    assert.equal("sqlite:a#b.db", get "database")
    assert.equal(3, tonumber(C.eas_conf_int(conf, "slots")))
    assert.equal(path .. ":3", ffi.string(C.eas_conf_source(conf, "data")))
  end)

  it("names line, key and the nearest key", function()
    local rc, path = read "data: x\nlog_levl: info\n"
    assert.equal(C.EAS_EINVAL, rc)
    assert.equal(path .. ":2: unknown key 'log_levl'", message())
    assert.equal("use log_level", ffi.string(err.hint))
  end)

  it("is refused with a line that is none, a key twice, a bad value", function()
    assert.equal(C.EAS_EFORMAT, (read "data\n"))
    assert.matches("eas.conf:1: expected 'key: value', found 'data'", message(), 1, true)
    assert.equal(C.EAS_EFORMAT, (read "slots: 1\nslots: 2\n"))
    assert.matches("'slots' is set twice", message())
    assert.equal(C.EAS_EINVAL, (read "slots: many\n"))
    assert.matches("eas.conf:1: slots: expected a whole number, found 'many'", message(), 1, true)
  end)

  it("that is not there is an error", function()
    assert.equal(C.EAS_ENOENT, C.eas_conf_read(conf, "/no/such.conf", err))
    assert.matches("/no/such.conf", message())
  end)
end)

describe("values", function()
  it("are checked by their type", function()
    for key, bad in pairs {
      slots = { "", "-1", "1.5", " 1", "1000001", "0x10", "99999999999999999999" },
      lease = { "", "60", "s", "-1 s", "1 parsec", "1e9 s", "0x10 s", "inf s", "99999999999 d" },
      scratch_limit = { "", "16", "16 gb", "-1 GB" },
      log_level = { "", "warning", "Info", "debug info" },
      color = { "yes" },
      data = { "", "a\nb" },
    } do
      for _, value in ipairs(bad) do
        assert.equal(C.EAS_EINVAL, set(key, value), key .. "=" .. value)
        assert.is_truthy(message():find("--" .. key .. ": " .. key .. ":", 1, true), message())
      end
    end
  end)

  it("have units", function()
    for text, us in pairs { ["500 ms"] = 5e5, ["60 s"] = 6e7, ["1.5min"] = 9e7, ["24 h"] = 8.64e10, ["2 d"] = 1.728e11, ["7 us"] = 7 } do
      assert.equal(0, set("lease", text), text)
      assert.equal(us, tonumber(C.eas_conf_duration_us(conf, "lease")), text)
    end
    for text, bytes in pairs { ["0 B"] = 0, ["64 MB"] = 64e6, ["1.5 GB"] = 1.5e9, ["2KiB"] = 2048, ["1 TiB"] = 2 ^ 40 } do
      assert.equal(0, set("scratch_limit", text), text)
      assert.equal(bytes, tonumber(C.eas_conf_bytes(conf, "scratch_limit")), text)
    end
  end)

  it("follow their order, and say where they came from", function()
    read "slots: 2\nlog_level: warn\n"
    assert.equal(0, environment { "EAS_SLOTS=3", "HOME=/root", "EAS_LOG_LEVEL=" })
    assert.equal("3", get "slots")
    assert.equal("warn", get "log_level") -- a variable that is empty is not set
    assert.equal("EAS_SLOTS", ffi.string(C.eas_conf_source(conf, "slots")))
    set("slots", "4")
    assert.equal("4", get "slots")
    assert.equal("--slots", ffi.string(C.eas_conf_source(conf, "slots")))
  end)
end)

describe("the environment", function()
  it("refuses what is nearly one of ours, not what is others'", function()
    assert.equal(0, environment { "EAS_WEB_SERVICE_HOST=10.0.0.1", "EAS_SIMD=avx2", "EASY=1" })
    assert.equal(C.EAS_EINVAL, environment { "EAS_DATABSE=x" })
    assert.equal("environment: unknown variable 'EAS_DATABSE'", message())
    assert.equal("use EAS_DATABASE", ffi.string(err.hint))
  end)

  it("names the variable of a bad value", function()
    assert.equal(C.EAS_EINVAL, environment { "EAS_LEASE=1" })
    assert.matches("^EAS_LEASE: lease: expected a time with its unit", message())
  end)
end)

describe("eas_conf_finish", function()
  it("puts what is empty below data, and counts CPUs", function()
    assert.equal(0, C.eas_conf_finish(conf, err))
    assert.equal("sqlite:eas-data/eas.db", get "database")
    assert.equal("eas-data/store", get "store")
    assert.equal("eas-data/scratch", get "scratch")
    assert.is_true(C.eas_conf_int(conf, "slots") >= 1)
  end)

  it("keeps what was given", function()
    set("data", "/d")
    set("store", "/elsewhere")
    assert.equal(0, C.eas_conf_finish(conf, err))
    assert.equal("sqlite:/d/eas.db", get "database")
    assert.equal("/elsewhere", get "store")
  end)

  it("refuses a lease that one late renewal loses", function()
    set("lease", "20 s")
    assert.equal(C.EAS_EINVAL, C.eas_conf_finish(conf, err))
    assert.matches("lease: 20 s is under three times lease_renew %(10 s%)", message())
  end)
end)

describe("secrets", function()
  local function finish() return C.eas_conf_finish(conf, err) end

  it("come from a file's first line into the URL, encoded, and are not shown", function()
    local file = T.write(T.tmpdir() .. "/secret", "p@ss:w/ü\nsecond line\n")
    set("database", "postgresql://eas@db.example:5433/eas?sslmode=require")
    set("database_password_file", file)
    assert.equal(0, finish(), message())
    assert.equal("postgresql://eas:p%40ss%3Aw%2F%C3%BC@db.example:5433/eas?sslmode=require", get "database")
    assert.equal("postgresql://eas:***@db.example:5433/eas?sslmode=require", shown "database")
    assert.equal("***", shown "database_password")
  end)

  it("come from the environment for the broker too", function()
    set("queue", "amqp://eas@mq/vhost")
    assert.equal(0, environment { "EAS_QUEUE_PASSWORD=hush" })
    assert.equal(0, finish(), message())
    assert.equal("amqp://eas:hush@mq/vhost", get "queue")
    assert.equal("amqp://eas:***@mq/vhost", shown "queue")
  end)

  it("are hidden wherever a URL or a string of keywords holds them", function()
    for url, hidden in pairs {
      ["postgresql://u:p@h/d"] = "postgresql://u:***@h/d",
      ["postgresql://u:p:q@x@h/d"] = "postgresql://u:***@h/d",
      ["postgresql://h/d?user=u&password=p&x=1"] = "postgresql://h/d?user=u&password=***&x=1",
      ["postgresql://u:a@h/d?password=b"] = "postgresql://u:***@h/d?password=***",
      ["host=h password='a b' user=u"] = "host=h password=*** user=u",
      ["host=h password=ab"] = "host=h password=***",
      ["sqlite:a:b@c"] = "sqlite:a:b@c",
      ["postgresql://u@h:5432/d"] = "postgresql://u@h:5432/d",
    } do
      set("database", url)
      assert.equal(hidden, shown "database")
    end
  end)

  it("may not stand in a file or on a command line", function()
    assert.equal(C.EAS_EINVAL, set("database_password", "x"))
    assert.matches("may not stand here, where others can read it", message())
    assert.equal(C.EAS_EINVAL, (read "queue_password: x\n"))
    assert.is_nil(message():find("x", 1, true) and message():match ": x$")
  end)

  it("must be there, and be wanted once", function()
    set("database", "postgresql://u@h/d")
    set("database_password_file", "/no/such")
    assert.equal(C.EAS_ENOENT, finish())
    assert.matches("^database_password_file: /no/such: there is no folder", message())
    set("database_password_file", T.write(T.tmpdir() .. "/empty", "\n"))
    assert.equal(C.EAS_EFORMAT, finish())
    set("database_password_file", T.write(T.tmpdir() .. "/p", "x"))
    set("database", "postgresql://u:p@h/d")
    assert.equal(C.EAS_EINVAL, finish())
    assert.matches("has a password and so has database_password", message())
  end)

  it("need a user in the URL", function()
    set("database", "postgresql://h/d")
    environment { "EAS_DATABASE_PASSWORD=x" }
    assert.equal(C.EAS_EURL, finish())
    assert.matches("names no user", message())
  end)
end)
