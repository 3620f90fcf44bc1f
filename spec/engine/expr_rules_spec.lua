-- engine/expr: what it refuses and where, what is not known yet, chance, whole documents, bounds.
local ffi = require "ffi"
local T = require "spec.support"
T.cdef "engine/base/json.h"
T.cdef "engine/expr/expr.h"
ffi.cdef "void json_delete(json_t *);"
local C = ffi.C

local kept = {} -- documents live as long as the spec: their values are shared

local function parse(text)
  local err = ffi.new "eas_err"
  local v = C.eas_json_parse(text, #text, "spec", err)
  assert(v ~= nil, ffi.string(err.text))
  kept[#kept + 1] = v
  return v
end

local function canonical(v)
  local p = C.eas_json_canonical(v)
  local text = ffi.string(p)
  C.free(p)
  return text
end

local function scope(options)
  local s = ffi.new "eas_expr_scope"
  s.metadata = parse(options.metadata or "{}")
  s.requested_metadata = options.requested and parse(options.requested) or nil
  s.seed, s.draws = options.seed or 1, options.draws or 0
  s.names = options.names and parse(options.names) or nil
  s.prototype_names, s.dry = options.prototype and 1 or 0, options.dry and 1 or 0
  return s
end

-- Evaluates: the value's canonical text, or nil, message, hint; then info, code and scope.
local function eval(text, options)
  local s, out = scope(options or {}), ffi.new "json_t *[1]"
  local info, err = ffi.new "eas_expr_info", ffi.new "eas_err"
  local rc = C.eas_expr_eval(text, s, out, info, err)
  if rc < 0 then
    return { message = ffi.string(err.text), hint = ffi.string(err.hint), column = info.column, length = info.length, code = rc }
  end
  local value = canonical(out[0])
  C.json_delete(out[0])
  return { value = value, unknown = info.unknown == 1, random = info.has_random == 1, draws = tonumber(s.draws) }
end

describe("eas_expr_is", function()
  it("goes by the first byte that is no blank", function()
    for text, is in pairs { ["(1)"] = 1, [" 'a'"] = 1, ['\n\t"a"'] = 1, ["a"] = 0, [""] = 0, [" "] = 0, ["1 + 1"] = 0, ["[1]"] = 0 } do
      assert.equal(is, C.eas_expr_is(text), text)
    end
  end)
end)

describe("an error", function()
  local names = '{"size": 1, "size_index": 0}'
  -- expression, column, underlined, message, hint
  for _, row in ipairs {
    { "'lc_{sise}.fits'.format(**metadata)", 6, 4, "no metadata named 'sise' here", "known here: size, size_index" },
    { "(metadata['sise'])", 12, 4, "no metadata named 'sise' here", "known here: size, size_index" },
    { "(metadata['si\\x73e'])", 11, 9, "no metadata named 'sise' here", "known here: size, size_index" },
    { "(constants.Reart)", 12, 5, "no constant 'Reart'", "use Rearth; the constants are 9 names" },
    { "(size)", 2, 4, "no name 'size'", "write metadata['size']" },
    { "(metadata.size)", 11, 4, "expected format after '.', found 'size'", "write metadata['size']" },
    { "(__import__('os').system('id'))", 2, 10, "no name '__import__'", "expressions know pow, min" },
    { "(open('/etc/passwd'))", 2, 4, "no name 'open'", "expressions know" },
    { "(random.seed(1))", 9, 4, "random has no 'seed'", "it has random, uniform, randint, gauss, choice" },
    { "(1 + )", 6, 1, "expected a value, found ')'" },
    { "(1 +", 5, 1, "expected a value, found the end" },
    { "(1 2)", 4, 1, "expected ')' for the '(' of column 1, found '2'" },
    { "(1", 3, 1, "expected ')' for the '(' of column 1, found the end" },
    { "(metadata['size')", 17, 1, "expected ']' for the '[' of column 10, found ')'" },
    { "'a' 1", 5, 1, "expected an operator or the end, found '1'" },
    { "'abc", 1, 1, "the text is not closed: no ' ends it" },
    { "(f'{size}')", 2, 1, "'f' before a text means nothing here", "write '{name}'.format(**metadata)" },
    { "(lambda: 1)", 8, 1, "':' means nothing here" },
    { "(1 if 2)", 8, 1, "expected 'else', found ')'" },
    { "(1 / 0)", 4, 1, "division by zero" },
    { "(1 % 0.0)", 4, 1, "division by zero" },
    { "(0 ** -1)", 4, 1, "division by zero: 0 to a negative power" },
    { "((-8) ** 0.5)", 7, 1, "a fractional power of a negative number is no real number" },
    { "(2 ** 63)", 4, 1, "the whole number is beyond 64 bits", "compute with reals: write 2.0 for 2" },
    { "(9223372036854775807 + 1)", 22, 1, "the whole number is beyond 64 bits", "compute with reals: write 2.0 for 2" },
    { "(9223372036854775808)", 2, 19, "the whole number 9223372036854775808 is beyond 64 bits", "write it as a real" },
    { "(int(1e19))", 2, 9, "the whole number is beyond 64 bits", "keep it real" },
    { "(1e308 * 10)", 2, 10, "the result is infinite, no number that can be kept" },
    { "(float('nan'))", 2, 12, "the result is not a number, no number that can be kept" },
    { "('lc_' + 1)", 8, 1, "'+' does not work between text and a whole number", "make the number a text: str(x)" },
    { "(1 < 'a')", 4, 1, "a whole number and text have no order" },
    { "(1 in 2)", 4, 1, "'in' cannot look for a whole number in a whole number" },
    { "(-'a')", 2, 1, "'-' does not work on text" },
    { "(sqrt(-1))", 2, 8, "the square root of a negative number" },
    { "(log(0))", 2, 6, "the logarithm of a number that is not above 0" },
    { "(pow(1))", 2, 6, "pow takes 2 arguments, found 1" },
    { "(sqrt(1, 2))", 2, 10, "sqrt takes 1 argument, found 2" },
    { "(int('1.5'))", 2, 10, "'1.5' is no whole number of 64 bits" },
    { "([1, 2][2])", 9, 1, "position 2 is outside of a list of 2" },
    { "(1[0])", 4, 1, "a whole number has no parts" },
    { "('{:.3q}'.format(1.5))", 5, 3, "a real number takes one of the types e E f F g G % n" },
    { "('{:d}'.format('a'))", 5, 1, "text takes the type s or none" },
    { "('{!r}'.format(1))", 4, 2, "'!' in a field is not part of the expression language" },
    { "('{0.real}'.format(1))", 4, 6, "a field holds a name or a number, no '.' or '['" },
    { "('{} {}'.format(1))", 6, 2, "there are fewer values after 'format(' than this field needs" },
    { "('{0} {}'.format(1, 2))", 7, 2, "{} and {0} do not go together" },
    { "('{a'.format(a=1))", 3, 1, "no '}' closes this field" },
    { "('a}'.format(a=1))", 4, 1, "a '}' without '{'", "write }} for a brace that is meant as text" },
    { "('{size}'.format(size=2, **metadata))", 4, 4, "this name is given twice after 'format('" },
    { "('{size}'.format())", 4, 4, "no value of this name is given after 'format('", "write .format(**metadata)" },
    { "('%d %d' % (1,))", 10, 1, "there are fewer values after '%' than the text needs" },
    { "('%d' % (1, 2))", 7, 1, "there are more values after '%' than the text needs" },
    { "('%d' % 'a')", 7, 1, "%d takes a number, found text" },
    { "('%q' % 1)", 7, 1, "expected one of d i u s x X o f F e E g G c % after '%'" },
    { "('\\0')", 3, 2, "'\\0' stands for no character" },
    { "(007)", 2, 3, "a whole number does not start with 0", "write 7" },
    { "(1 & 2)", 4, 1, "'&' means nothing here" },
    { "(é)", 2, 1, "a character outside of quotes that is no letter of a name" },
    { "(requested_metadata['d']['x'])", 22, 1, "no metadata requested from a task named 'd'", "name the task in requires_metadata_from" },
  } do
    it(("of %s is at column %d"):format(row[1], row[2]), function()
      local got = eval(row[1], { metadata = names })
      assert.equal("expression: " .. row[4], got.message)
      assert.same({ row[2], row[3] }, { got.column, got.length })
      assert.equal(row[5] or "", got.hint:sub(1, #(row[5] or "")))
    end)
  end

  it("has the column in its text when there is no info", function()
    local out, err = ffi.new "json_t *[1]", ffi.new "eas_err"
    assert.equal(C.EAS_EFORMAT, C.eas_expr_eval("(1 +)", scope {}, out, nil, err))
    assert.equal("expression, column 5: expected a value, found ')'", ffi.string(err.text))
  end)

  it("is one without anybody to tell, too", function()
    local out = ffi.new "json_t *[1]"
    assert.equal(C.EAS_ENOENT, C.eas_expr_eval("(size)", scope { metadata = '{"size": 1}' }, out, nil, nil))
    assert(out[0] == nil)
  end)

  it("names the nearest of many names", function()
    local got = eval("(metadata['perid'])", { metadata = '{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"period":1}' })
    assert.equal("use period; known here are 9 names", got.hint)
  end)
end)

describe("what is not known yet", function()
  local function dry(text, options)
    options = options or {}
    options.dry = true
    options.metadata = options.metadata or '{"i": 1, "later": null}'
    return eval(text, options)
  end

  it("spreads to what uses it", function()
    for _, text in ipairs {
      "(requested_metadata['d']['outcome'] == 'PASS') and (metadata['i'] < 3)", "(requested_metadata['d']['sde'] + 1)",
      "'{i}_{later}'.format(**metadata)", "(random.random() * 200)", "('%d' % requested_metadata['d']['n'])", "([1, metadata['later']])",
      "(1 if requested_metadata['d']['x'] else 2)", "(not metadata['later'])", "(sqrt(metadata['later']))", "(metadata['later']['x'])",
      "(1 if requested_metadata['d']['x'] else 1 / 0)", "(0 < metadata['later'] < 3)", "(-metadata['later'])", "(requested_metadata)",
    } do
      local got = dry(text)
      assert.same({ "null", true }, { got.value, got.unknown }, text)
    end
  end)

  it("does not hide names that nobody gives", function()
    for _, text in ipairs { "(requested_metadata['d']['outcome'] == 'PASS') and (metadata['j'] < 3)", "'{later}{j}'.format(**metadata)",
      "(1 if metadata['later'] else metadata['j'])", "(random.uniform(0, metadata['j']))" } do
      assert.equal(C.EAS_ENOENT, dry(text).code, text)
    end
  end)

  it("checks the names of requested tasks where they are known", function()
    assert.is_true(dry("(requested_metadata['d']['sde'] > 7)", { requested = '{"d": {}}' }).unknown)
    assert.equal("true", dry("(requested_metadata['d']['sde'] > 7)", { requested = '{"d": {"sde": 9}}' }).value)
    assert.equal(C.EAS_ENOENT, dry("(requested_metadata['e']['sde'] > 7)", { requested = '{"d": {}}' }).code)
  end)

  it("leaves what is known alone, and draws nothing", function()
    assert.equal("false", dry("(metadata['i'] > 3 and requested_metadata['d']['x'])").value)
    assert.equal(0, dry("(random.random())").draws)
    assert.is_true(dry("(random.random())").random)
  end)
end)

describe("chance", function()
  it("is the same for the same seed and number of draws", function()
    local all = eval("([random.random(), random.random(), random.random()])", { seed = 42 })
    assert.equal(3, all.draws)
    local second = eval("([random.random(), random.random()])", { seed = 42, draws = 1 })
    assert.equal(all.value:match ",(.*)$", second.value:match "^%[(.*)$")
    assert.are_not.equal(all.value, eval("([random.random(), random.random(), random.random()])", { seed = 43 }).value)
  end)

  it("is SplitMix64", function() -- first outputs for state 1: 0x910a2dec89025cc1, 0xbeeb8da1658eec67
    local u1, u2 = eval("([random.random(), random.random()])", { seed = 1 }).value:match "%[(.-),(.-)%]"
    for u, z in pairs { [u1] = 0x910a2dec89025cc1ULL, [u2] = 0xbeeb8da1658eec67ULL } do
      assert.equal((tonumber(z / 2048) + 0.5) * 2^-53, tonumber(u))
    end
  end)

  it("stays in its bounds", function()
    for draws = 0, 400 do
      local got = eval("([random.randint(1, 6), random.uniform(5, 7), random.choice(['a', 'b'])])", { seed = 7, draws = draws })
      local face, u, letter = got.value:match '^%[(%d+),([%d.]+),"([ab])"%]$'
      assert(tonumber(face) >= 1 and tonumber(face) <= 6 and tonumber(u) > 5 and tonumber(u) < 7 and letter, got.value)
    end
  end)

  it("has normal numbers of the right width", function()
    local n, sum, square = 2000, 0, 0
    for i = 1, n do
      local v = tonumber(eval("(random.gauss(10, 2))", { seed = 3, draws = 2 * i }).value)
      sum, square = sum + v, square + v * v
    end
    local mean = sum / n
    assert(math.abs(mean - 10) < 0.2 and math.abs(math.sqrt(square / n - mean * mean) - 2) < 0.15)
  end)
end)

describe("names of the prototype", function()
  it("have real numbers where ours are whole", function()
    local metadata = '{"a": 0, "b": 1.5, "c": "x", "d": true}'
    assert.equal('"0_1.5_x_True"', eval("'{a}_{b}_{c}_{d}'.format(**metadata)", { metadata = metadata }).value)
    assert.equal('"0.0_1.5_x_True"', eval("'{a}_{b}_{c}_{d}'.format(**metadata)", { metadata = metadata, prototype = true }).value)
    assert.equal('"3"', eval("'{}'.format(3)", { prototype = true }).value)
  end)

  it("come from eas_expr_text, too", function()
    for json, text in pairs {
      ["3"] = "3|3.0", ["2.5"] = "2.5|2.5", ['"x"'] = "x|x", ["[1, \"a'b\"]"] = "[1, \"a'b\"]|[1.0, \"a'b\"]", ["null"] = "None|None",
    } do
      local v = parse(json)
      local plain, prototype = C.eas_expr_text(v, 0), C.eas_expr_text(v, 1)
      assert.equal(text, ffi.string(plain) .. "|" .. ffi.string(prototype))
      C.free(plain)
      C.free(prototype)
    end
  end)
end)

describe("a document", function()
  local function tree(text, options)
    local s, out, where = scope(options or {}), ffi.new "json_t *[1]", ffi.new "char[256]"
    local raw = ffi.new("const char *[3]", { "task_list", "repeat_criterion" })
    local info, err = ffi.new "eas_expr_info", ffi.new "eas_err"
    local rc = C.eas_expr_tree(parse(text), raw, s, out, where, 256, info, err)
    if rc < 0 then return ffi.string(where), ffi.string(err.text), info end
    return canonical(out[0]), info
  end

  it("has its strings and keys evaluated, but for what stays raw", function()
    local got = tree([[{"task": "'t_{x}'.format(**metadata)", "n": [1, "(2 + 2)", "literal"], "'k' '2'": true,
      "task_list": [{"a": "(1 +"}], "repeat_criterion": "(no)"}]], { metadata = '{"x": 1}' })
    assert.equal([[{"k2":true,"n":[1,4,"literal"],"repeat_criterion":"(no)","task":"t_1","task_list":[{"a":"(1 +"}]}]], got)
  end)

  it("draws in document order", function()
    local got = tree([[{"z": "(random.random())", "a": "(random.random())"}]], { seed = 5 })
    local first = eval("(random.random())", { seed = 5 }).value
    assert.equal(first, got:match '"z":([%d.e-]+)')
  end)

  it("says where it fails", function()
    for text, expected in pairs {
      ['{"inputs": {"lc": "(metadata[\'x\'])"}}'] = ".inputs.lc",
      ['{"a": [1, {"b": "(1 +"}]}'] = ".a[1].b",
      ['{"a.b": ["(1 / 0)"]}'] = '["a.b"][0]',
      ['{"a": {"(1 +": 2}}'] = '.a["(1 +"]',
      ['{"a": {"k": 1, "\'k\'": 2}}'] = ".a.'k'",
    } do
      local where, message = tree(text)
      assert.equal(expected:gsub("^%.a%[\"%(1 %+\"%]$", ".a.(1 +"), where, message)
    end
    local _, message, info = tree '{"a": {"(1 +": 2}}'
    assert.equal("expression: expected a value, found the end", message)
    assert.equal(1, info.in_key)
  end)

  it("marks what is not known yet", function()
    local got, info = tree('{"a": "(metadata[\'later\'] + 1)", "b": "(random.random())"}', { metadata = '{"later": null}', dry = true })
    assert.same({ '{"a":null,"b":null}', 1, 1 }, { got, info.unknown, info.has_random })
  end)
end)

describe("a filter", function()
  it("names its fields bare", function()
    local row = '{"recovered": false, "size": 2.5, "type": "tls", "alias": null}'
    for text, value in pairs {
      ["(recovered == false and size >= 2)"] = "true", ["(type == 'bls')"] = "false", ["(alias == null)"] = "true", ["(size)"] = "2.5",
    } do
      assert.equal(value, eval(text, { names = row }).value, text)
    end
    assert.equal("expression: no name 'true'", eval("(true)").message)
    assert.equal("expression: no name 'sise'", eval("(sise > 2)", { names = row }).message)
  end)
end)

describe("a bound", function()
  for name, case in pairs {
    depth = { ("("):rep(100) .. "1" .. (")"):rep(100), "expression: it is nested deeper than 64" },
    signs = { "(" .. ("-"):rep(1000) .. "1)", "expression: it is nested deeper than 64" },
    powers = { "(" .. ("1 ** "):rep(1000) .. "1)", "expression: it is nested deeper than 64" },
    terms = { "(1" .. (" + 1"):rep(2000) .. ")", "expression: it has more than 1024 terms in a row" },
    length = { "'" .. ("a"):rep(70000) .. "'", "expression: it is longer than 64 KB" },
    product = { "('a' * 10 ** 9)", "expression: it makes a text of more than 64 KB" },
    doubling = { "('a' * 65536 + 'b')", "expression: it makes a text of more than 64 KB" },
    fields = { "('{0}{0}'.format('a' * 40000))", "expression: it makes a text of more than 64 KB" },
    width = { "('{:99999}'.format(1))", "expression: a width or precision is above 1000" },
    percent = { "('%99999d' % 1)", "expression: a width or precision is above 1000" },
    memory = { "(" .. ("'a' * 65000 == "):rep(100) .. "'b')", "expression: it needs more than 4 MB of memory" },
    arguments = { "(max(" .. ("1,"):rep(100) .. "))", "expression: a function takes at most 64 arguments" },
  } do
    it("holds: " .. name, function()
      local got = eval(case[1])
      assert.equal(case[2], got.message)
    end)
  end

  it("is not in the way of long sums", function()
    assert.equal("1000", eval("(1" .. (" + 1"):rep(999) .. ")").value)
  end)
end)
