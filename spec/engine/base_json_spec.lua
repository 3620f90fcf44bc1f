-- base/json.h: errors with their place, canonical text, paths, near names.
local ffi = require "ffi"
local T = require "spec.support"
T.cdef "engine/base/json.h"
ffi.cdef "void json_delete(json_t *); json_t *json_real(double);"
local C = ffi.C

local function parse(text)
  local err = ffi.new "eas_err"
  local v = C.eas_json_parse(text, #text, "f.json", err)
  if v == nil then
    assert.equal(C.EAS_EFORMAT, err.code)
    return nil, ffi.string(err.text)
  end
  return v
end

local function canonical(text)
  local v = assert(parse(text))
  local p = C.eas_json_canonical(v)
  local out = ffi.string(p)
  C.free(p)
  C.json_delete(v)
  return out
end

local function where(text, path, key)
  local line, column = ffi.new "int[1]", ffi.new "int[1]"
  local rc = C.eas_json_where(text, #text, path, key and 1 or 0, line, column)
  return rc == 0 and ("%d:%d"):format(line[0], column[0]) or rc
end

describe("eas_json_parse", function()
  for text, message in pairs {
    ['{"a":1,\n "b":[1,2}'] = "2:10: expected ',' or ']', found '}'; the '[' is at 2:6",
    ['{"a": [\n  {"b":'] = "2:8: expected a value, found the end of the file; the '{' is at 2:3",
    ['[1'] = "1:3: expected ',' or ']', found the end of the file; the '[' is at 1:1",
    ['{"a" 1}'] = "1:6: expected ':', found '1'",
    ['{"a":1,}'] = "1:8: expected a key in double quotes, found '}'; the '{' is at 1:1",
    ['[1,]'] = "1:4: expected a value, found ']'; the '[' is at 1:1",
    ["{'a':1}"] = "1:2: expected a key in double quotes or '}', found '''; strings take double quotes",
    ['{"a":True}'] = "1:6: JSON writes true, false, null: 'True'",
    ['[nan]'] = "1:2: expected a value or ']', found 'nan'",
    ['[01]'] = "1:2: a number with a leading zero: '01'",
    ['[.5]'] = "1:2: a number needs a digit first: '.5'",
    ['[1.]'] = "1:2: a number needs a digit after its point: '1.'",
    ['[1e]'] = "1:2: a number needs digits in its exponent: '1e'",
    ['["a\nb"]'] = "1:2: a string is not closed on its line: '\"'",
    ['["a\\q"]'] = "1:4: an escape that JSON has not; a backslash itself is \\\\: '\\'",
    ['["\\u12g4"]'] = "1:3: \\u needs four hexadecimal digits: '\\'",
    ['{} x'] = "1:4: expected the end of the text, found 'x'",
    ['# no\n{}'] = "1:1: JSON has no comments: '#'",
    [''] = "1:1: expected a value, found the end of the file",
    ['{"a":1,\n"a":2}'] = '2:1: key "a" stands here twice',
    ['[99999999999999999999]'] = "1:2: number 99999999999999999999 is out of range",
    ['[1e999]'] = "1:2: number 1e999 is out of range",
    ['["a\\u0000"]'] = "1:2: a string holds the character \\u0000",
    [("["):rep(5000)] = "1:5001: expected a value or ']', found the end of the file; the '[' is at 1:5000",
  } do
    it("says what is wrong with " .. text:sub(1, 24):gsub("\n", " "), function()
      local v, why = parse(text)
      assert.is_nil(v)
      assert.equal("f.json:" .. message, why)
    end)
  end

  it("refuses bytes that are no UTF-8, zero bytes and depth without end", function()
    assert.matches("not UTF%-8", select(2, parse '["\255"]'))
    assert.is_nil((parse '["a\0b"]'))
    assert.is_nil((parse "[1]\0"))
    assert.is_nil((parse "[1\0 ,2]"))
    assert.matches("nested deeper than 2048", select(2, parse(("["):rep(5000) .. ("]"):rep(5000))))
  end)

  it("takes a byte-order mark", function()
    assert.equal("{}", canonical "\239\187\191{}")
  end)
end)

describe("eas_json_load", function()
  it("names the file that is not there", function()
    local err = ffi.new "eas_err"
    assert.is_true(C.eas_json_load("/no/such.json", err) == nil)
    assert.equal(C.EAS_ENOENT, err.code)
    assert.matches("^/no/such.json: there is no folder '/no/'", ffi.string(err.text))
  end)

  it("takes an empty file for what it is", function()
    local err, path = ffi.new "eas_err", T.write(T.tmpdir() .. "/e.json", "")
    assert.is_true(C.eas_json_load(path, err) == nil)
    assert.matches("e.json:1:1: expected a value", ffi.string(err.text))
  end)
end)

describe("eas_json_canonical", function()
  it("sorts keys by their bytes and drops blanks", function()
    assert.equal('{"B":[],"a":{"x":null,"y":true},"ä":"ö"}', canonical ' { "a": {"y": true,"x":null}, "ä":"\\u00f6", "B": [ ] } ')
  end)

  it("writes reals with the fewest digits that read back, and marks them", function()
    assert.equal("[0.1,1.0,1e+20,0.30000000000000004,-0.0,5e-324,1.7976931348623157e+308,123456789.12345679]",
      canonical "[0.1, 1.0, 1e20, 0.30000000000000004, -0.0, 5e-324, 1.7976931348623157e308, 123456789.12345679]")
  end)

  it("keeps whole numbers to 2^63", function()
    assert.equal("[9223372036854775807,-9223372036854775808,0]", canonical "[9223372036854775807,-9223372036854775808,-0]")
  end)

  it("escapes what must be", function()
    assert.equal('["\\"\\\\\\u000a\\u0001/"]', canonical '["\\"\\\\\\n\\u0001\\/"]')
  end)

  it("reads back as itself", function()
    local once = canonical '{"k": [1, 2.5, {"z": "x\\ty", "a": []}], "": 0}'
    assert.equal(once, canonical(once))
  end)
end)

describe("places", function()
  local text = '{"task_list": [ {"a":1},\n  {"inputs": {"light.curve": [1,2,\n   3.5], "\\u0061b": {}}} ]}'

  it("are found for values and keys", function()
    assert.equal("1:1", where(text, "$"))
    assert.equal("1:15", where(text, "$.task_list"))
    assert.equal("1:2", where(text, "$.task_list", true))
    assert.equal("2:3", where(text, "$.task_list[1]"))
    assert.equal("3:4", where(text, '$.task_list[1].inputs["light.curve"][2]'))
    assert.equal("2:15", where(text, '$.task_list[1].inputs["light.curve"]', true))
    assert.equal("3:21", where(text, "$.task_list[1].inputs.ab"))
  end)

  it("are none for what is not there, or is no path", function()
    for _, path in ipairs { "$.x", "$.task_list[2]", "$.task_list.a", "$[0]", "$.", "$..a", "task_list", "$.task_list[1",
      "$.task_list[-1]", "$.task_list[x]", '$["task_list]', "$.task_list[99999999999999999999999]", "" } do
      assert.equal(C.EAS_ENOENT, where(text, path), path)
    end
  end)

  it("agree with eas_json_at", function()
    local v = assert(parse(text))
    local found = C.eas_json_at(v, '$.task_list[1].inputs["light.curve"][2]')
    local p = C.eas_json_canonical(found)
    assert.equal("3.5", ffi.string(p))
    C.free(p)
    assert.is_true(C.eas_json_at(v, "$.task_list[2]") == nil)
    assert.is_true(C.eas_json_at(v, "$.task_list[1") == nil)
    assert.is_true(C.eas_json_at(v, "$") == v)
    C.json_delete(v)
  end)
end)

describe("eas_nearest", function()
  local names = ffi.new("const char *[4]", { "transit_search_tls", "null", "linear_range", "verify" })
  local function nearest(word)
    local p = C.eas_nearest(word, names, 4)
    return p ~= nil and ffi.string(p) or nil
  end

  it("forgives two slips, a swap being one", function()
    assert.equal("transit_search_tls", nearest "transit_serch_tls")
    assert.equal("linear_range", nearest "linear_rnge")
    assert.equal("verify", nearest "vreify")
    assert.equal("null", nearest "nul")
  end)

  it("prefers, of two as near, what goes on or ends where the word does, then what begins as it does", function()
    local cases = { -- word, names in this order, the nearest
      { "blsx", "fbls bls", "bls" }, { "blsx", "bls_x fbls bls tls", "bls" }, { "bl", "fbl bls", "bls" }, { "tlss", "qtlss tls", "tls" },
      { "statu", "stats status", "status" }, { "runs", "rungs run", "run" }, { "tile", "mile time title", "time" }, { "import", "report", nil },
      { "mport", "report import", "import" }, { "serach", "reach search", "search" }, { "abc", "xbc abx", "abx" },
      { "perod_min", "period_max period_min", "period_min" }, { "same", "same sane", "same" },
    }
    for _, case in ipairs(cases) do
      local list, n = {}, 0
      for name in case[2]:gmatch "%S+" do n, list[n + 1] = n + 1, name end
      local p = C.eas_nearest(case[1], ffi.new("const char *[?]", n, list), n)
      assert.equal(case[3], p ~= nil and ffi.string(p) or nil, case[1])
    end
  end)

  it("finds nothing in what is far, short or endless", function()
    assert.is_nil(nearest "detrend")
    assert.is_nil(nearest "x")
    assert.is_nil(nearest "")
    assert.is_nil(nearest(("x"):rep(10000)))
  end)
end)
