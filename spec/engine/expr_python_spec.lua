-- engine/expr against Python: each row is an expression and what Python 3.11 gives for it, as JSON.
local ffi = require "ffi"
local T = require "spec.support"
T.cdef "engine/base/json.h"
T.cdef "engine/expr/expr.h"
ffi.cdef "void json_delete(json_t *);"
local C = ffi.C

local METADATA = [[{"size": 1.5, "size_index": 3, "period": 2.5, "name": "abc", "big": 9007199254740993, "neg": -7, "t": true,
  "u": "né€", "l": [1, 2.5, "x"], "n0": 0, "cadence": 25.0, "impact": 0.25}]]
local REQUESTED = [[{"d": {"outcome": "PASS", "sde": 9.25}}]]

-- Text with escapes stands here as Python and the job file's reader see it.
local ROWS = {
  { [[(2 + 2)]], [[4]] },
  { [[('%.3f' % pi)]], [["3.142"]] },
  { [[(constants.Rearth / 8)]], [[0.0111393575]] },
  { [[(73 / 5)]], [[14.6]] },
  { [[(73 * 5)]], [[365]] },
  { [[(7 * constants.day)]], [[7]] },
  { [[(1.5 * constants.month)]], [[42.0]] },
  { [[(pow(metadata['period']/365.25, 2/3))]], [[0.03604955067848692]] },
  { [[(requested_metadata['d']['outcome'] == 'PASS') and (metadata['size_index'] < 3)]], [[false]] },
  { [['lc_{size_index}_{size}.fits'.format(**metadata)]], [["lc_3_1.5.fits"]] },
  { [['{name:>8}|{name:<8}|{name:^8}|{name:*^9}|{name:.2}'.format(**metadata)]], [["     abc|abc     |  abc   |***abc***|ab"]] },
  { [['{size:.3f} {size:8.3f} {size:+e} {size:G} {size:%} {size:010.2f} {size:,}'.format(**metadata)]],
    [["1.500    1.500 +1.500000e+00 1.5 150.000000% 0000001.50 1.5"]] },
  { [['{big:,} {big:_} {big:x} {big:#X} {size_index:03d} {neg:+d} {neg:05d} {neg: d}'.format(**metadata)]],
    [["9,007,199,254,740,993 9_007_199_254_740_993 20000000000001 0X20000000000001 003 -7 -0007 -7"]] },
  { [['{0} {1} {0}'.format(1, 'a')]], [["1 a 1"]] },
  { [['{} {}'.format(1.0, None)]], [["1.0 None"]] },
  { [['{{}} {x}'.format(x=5)]], [["{} 5"]] },
  { [['{t} {t:d} {t:5}'.format(**metadata)]], [["True 1     1"]] },
  { [['{u:5}|{u:€>6}|{u:.2}'.format(**metadata)]], [["né€  |€€€né€|né"]] },
  { [[(len(metadata['u']))]], [[3]] },
  { [[(metadata['u'][1])]], [["é"]] },
  { [[(metadata['u'][-1])]], [["€"]] },
  { [[(metadata['l'])]], [=[[1, 2.5, "x"]]=] },
  { [[(metadata['l'][2])]], [["x"]] },
  { [[(1 < 2 < 3)]], [[true]] },
  { [[(1 < 3 < 2)]], [[false]] },
  { [[(not 1 == 2)]], [[true]] },
  { [[(-2 ** 2)]], [[-4]] },
  { [[(2 ** -1)]], [[0.5]] },
  { [[(2 ** 3 ** 2)]], [[512]] },
  { [[(-7 // 2, -7 % 2, 7 // -2, 7 % -2, -7.5 // 2, -7.5 % 2, 7.5 % -2)]], [=[[-4, 1, -4, -1, -4.0, 0.5, -0.5]]=] },
  { [[(0.1 + 0.2)]], [[0.30000000000000004]] },
  { [[(1e16)]], [[1e+16]] },
  { [[(1e15)]], [[1000000000000000.0]] },
  { [[(1e22)]], [[1e+22]] },
  { [[(1.0)]], [[1.0]] },
  { [[(1e-4)]], [[0.0001]] },
  { [[(1e-5)]], [[1e-05]] },
  { [[(123456789012345678.0)]], [[1.2345678901234568e+17]] },
  { [[(str(1e16))]], [["1e+16"]] },
  { [[(str(1e15))]], [["1000000000000000.0"]] },
  { [[(str(1e22))]], [["1e+22"]] },
  { [[(str(1.0))]], [["1.0"]] },
  { [[(str(1e-4))]], [["0.0001"]] },
  { [[(str(1e-5))]], [["1e-05"]] },
  { [[(str(5e-324))]], [["5e-324"]] },
  { [[(str(1.7976931348623157e308))]], [["1.7976931348623157e+308"]] },
  { [[(str(2.0**-44))]], [["5.684341886080802e-14"]] },
  { [[('a' 'b' "c")]], [["abc"]] },
  { [[('a' in 'abc', 'x' not in 'abc', 1 in (1,2), 2.0 in [1,2], 'size' in metadata)]], [=[[true, true, true, true, true]]=] },
  { [[(1 if 0 else 2 if 1 else 3)]], [[2]] },
  { [[(round(2.5))]], [[2]] },
  { [[(round(3.5))]], [[4]] },
  { [[(round(-2.5))]], [[-2]] },
  { [[(round(2.675, 2))]], [[2.67]] },
  { [[(round(1234, -2))]], [[1200]] },
  { [[(round(1250, -2))]], [[1200]] },
  { [[(round(1350.0, -2))]], [[1400.0]] },
  { [[(round(0.5))]], [[0]] },
  { [[(round(1e300, 2))]], [[1e+300]] },
  { [[(round(1250.0,-2))]], [[1200.0]] },
  { [[(round(5.0,-1))]], [[0.0]] },
  { [[(round(15.0,-1))]], [[20.0]] },
  { [[(round(4.0,-1))]], [[0.0]] },
  { [[(round(51.0,-2))]], [[100.0]] },
  { [[(round(50.0,-2))]], [[0.0]] },
  { [[(int('12'))]], [[12]] },
  { [[(int(' -7 '))]], [[-7]] },
  { [[(int(3.9))]], [[3]] },
  { [[(int(-3.9))]], [[-3]] },
  { [[(float('1e5'))]], [[100000.0]] },
  { [[(float(' 2 '))]], [[2.0]] },
  { [[(float('1_0.5'))]], [[10.5]] },
  { [[(int('1_000'))]], [[1000]] },
  { [[(abs(-3), abs(-2.5), abs(True))]], [=[[3, 2.5, 1]]=] },
  { [[(min(1,2.0), max(1,1.0), min([3,1]), max('a','b'))]], [=[[1, 1, 1, "b"]]=] },
  { [[(log(8,2))]], [[3.0]] },
  { [[(log(100))]], [[4.605170185988092]] },
  { [[(exp(1))]], [[2.718281828459045]] },
  { [[(sqrt(2))]], [[1.4142135623730951]] },
  { [[(sin(1))]], [[0.8414709848078965]] },
  { [[(cos(1))]], [[0.5403023058681398]] },
  { [[(True + 1, True and 'x', 0 or 'y', '' or 0, None)]], [=[[2, "x", "y", 0, null]]=] },
  { [[('a' * 3, 3 * 'ab', 'a' * -1)]], [=[["aaa", "ababab", ""]]=] },
  { [[('%d %s %5.2f %-5d| %05d %x %#x %o %e %g %%' % (3, 'a', 2.5, 7, -42, 255, 255, 8, 1.5, 1e10))]],
    [["3 a  2.50 7    | -0042 ff 0xff 10 1.500000e+00 1e+10 %"]] },
  { [[('%(size).2f %(name)s' % metadata)]], [["1.50 abc"]] },
  { [[('%s' % 1.0)]], [["1.0"]] },
  { [[('%s' % None)]], [["None"]] },
  { [[('%5s|%-5s|%.1s' % ('ab','ab','ab'))]], [["   ab|ab   |a"]] },
  { [[('%.5d|%8.3d|%+d|% d' % (42, 7, 5, 5))]], [["00042|     007|+5| 5"]] },
  { [[(1 == 1.0, 'a' == 1, None == 0, [1] == [1.0], (1,) == [1])]], [=[[true, false, false, true, false]]=] },
  { [[(9007199254740993 == 9007199254740992.0, 9007199254740993 > 9007199254740992.0)]], [=[[false, true]]=] },
  { [[(0x1F, 0o17, 0b101, 1_000)]], [=[[31, 15, 5, 1000]]=] },
  { [[('\n\t\x41\u20ac\101\q\'')]], [["\n\tA€A\\q'"]] },
  { [[(1,)]], [=[[1]]=] },
  { [[()]], [=[[]]=] },
  { [=[[1]]=], [=[[1]]=] },
  { [["it's"]], [["it's"]] },
  { [['a' 'b'.format()]], [["ab"]] },
  { [[(str([1, 'a', 2.0, None, True, (1,)]))]], [["[1, 'a', 2.0, None, True, (1,)]"]] },
  { [[(str(metadata['l']))]], [["[1, 2.5, 'x']"]] },
  { [[(" 'x' ")]], [[" 'x' "]] },
  { [[(not not 3)]], [[true]] },
  { [[(- - 3)]], [[3]] },
  { [[(+True)]], [[1]] },
  { [[(-True)]], [[-1]] },
  { [[(1 - -1)]], [[2]] },
  { [[(00)]], [[0]] },
  { [[(1.e3, .5, 5.)]], [=[[1000.0, 0.5, 5.0]]=] },
  { [[('{:.3}'.format(123456.0))]], [["1.23e+05"]] },
  { [[('{:.3}'.format(1.0))]], [["1.0"]] },
  { [[('{:.1}'.format(1.0))]], [["1e+00"]] },
  { [[('{:.3}'.format(99.96))]], [["1e+02"]] },
  { [[('{:.2}'.format(0.0001234))]], [["0.00012"]] },
  { [[('{:.5}'.format(12345.678))]], [["1.2346e+04"]] },
  { [[('{:.0}'.format(5.5))]], [["6e+00"]] },
  { [[('{:.2}'.format(10.0))]], [["1e+01"]] },
  { [[('{:.17}'.format(0.1))]], [["0.10000000000000001"]] },
  { [[('{:10.4}|'.format(3.14159265))]], [["     3.142|"]] },
  { [[('{:.1}'.format(123.0))]], [["1e+02"]] },
  { [[('{:.1}'.format(0.5))]], [["0.5"]] },
  { [[('{:.2}'.format(99.5))]], [["1e+02"]] },
  { [[('{:.3}'.format(100.0))]], [["1e+02"]] },
  { [[('{:.4}'.format(100.0))]], [["100.0"]] },
  { [[('{:c}'.format(65), '{:5c}|'.format(65), '%c%c' % (66, 'x'))]], [=[["A", "    A|", "Bx"]]=] },
  { [[('{:=+8d}'.format(5), '{:x=8d}'.format(-5), '{:^9.2f}'.format(2.5))]], [=[["+      5", "-xxxxxx5", "  2.50   "]]=] },
  { [[('{:n} {:n}'.format(5, 2.5))]], [["5 2.5"]] },
  { [[('{:08.3f} {:08}'.format(-2.5, 'ab'))]], [["-002.500 ab000000"]] },
  { [[('{:g} {:g} {:g}'.format(1e10, 0.0001, 100000.0))]], [["1e+10 0.0001 100000"]] },
  { [[('%d' % 2.9, '%i' % -2.9)]], [=[["2", "-2"]]=] },
  { [[('%5c|' % 'a')]], [["    a|"]] },
  { [[('%+.2e' % 12345.678)]], [["+1.23e+04"]] },
  { [[('%s' % 'a' 'b')]], [["ab"]] },
  { [[('abc' < 'abd', 'abc' < 'ab')]], [=[[true, false]]=] },
  { [[(float('nan') == float('nan'))]], [[false]] },
  { [[(pow(2, 0.5), pow(2, 10), pow(2.0, 3))]], [=[[1.4142135623730951, 1024, 8.0]]=] },
  { [[(1 == 1 == 1)]], [[true]] },
  { [[(1 != 2 != 1)]], [[true]] },
  { [[(3 > 2 >= 2)]], [[true]] },
  { [[(1 < 2 > 1)]], [[true]] },
}

local function parse(text)
  local err = ffi.new "eas_err"
  local v = C.eas_json_parse(text, #text, "table", err)
  assert(v ~= nil, ffi.string(err.text))
  return v
end

local function canonical(v)
  local p = C.eas_json_canonical(v)
  local text = ffi.string(p)
  C.free(p)
  return text
end

describe("expressions as Python has them", function()
  local metadata, requested = parse(METADATA), parse(REQUESTED)

  for _, row in ipairs(ROWS) do
    it(row[1], function()
      local scope = ffi.new("eas_expr_scope", { metadata = metadata, requested_metadata = requested, seed = 1 })
      local out, info, err = ffi.new "json_t *[1]", ffi.new "eas_expr_info", ffi.new "eas_err"
      local rc = C.eas_expr_eval(row[1], scope, out, info, err)
      assert(rc == 0, ffi.string(err.text))
      local expected = parse(row[2])
      assert.equal(canonical(expected), canonical(out[0]))
      assert.equal(0, info.has_random + info.unknown)
      C.json_delete(expected)
      C.json_delete(out[0])
    end)
  end
end)
