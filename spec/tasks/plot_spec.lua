-- eas.plot: recovery maps and folds as pictures: escaped, readable, and what they say is right.
local T = require "spec.support"

-- Runs a script with eas.*; what it printed.
local function lua(text)
  local got = T.eas { "lua", T.write(T.tmpdir() .. "/a.lua", text) }
  assert.equal(0, got.status, got.err)
  return got.out
end

local function is_xml(text)
  local path = T.write(T.tmpdir() .. "/x.svg", text)
  local got = T.sh("xmllint --noout " .. path .. " 2>&1 || /usr/bin/python3 -c 'import sys,xml.dom.minidom as m;m.parse(sys.argv[1])' " .. path)
  assert.equal(0, got.status, got.out .. got.err)
end

local MAP = [[
local map = require "eas.plot.map"
local function cell(n, found, more)
  local c = { n = n, found = found, alias = 0, open = 0, failed = 0 }
  for k, v in pairs(more or {}) do c[k] = v end
  return c
end
local recovery = { columns = { name = "period", values = { 10, 20, 40 } },
  rows = { name = "r", label = "radius <b>&\"'</b> (Re)", values = { 1, 2 } } }
local panel = { type = "transit_search_<tls>", where = { name = "a&b" }, n = 90, found = 50,
  cells = { { cell(20, 4), cell(3, 0, { alias = 2 }), nil }, { cell(20, 16), cell(20, 20), cell(20, 10, { open = 5 }) } } }
]]

describe("a recovery map", function()
  it("is XML, with every word escaped and every cell told", function()
    local text = lua(MAP .. "io.write(map.svg(recovery, panel, { standalone = true }))")
    is_xml(text)
    assert.is_nil(text:find("<b>", 1, true))
    assert.is_nil(text:find("<tls>", 1, true))
    for _, part in ipairs { "&lt;tls&gt;, name a&amp;b", "radius &lt;b&gt;&amp;&quot;&#39;&lt;/b&gt; (Re)", "4/20", "16/20", "0/3", "2 alias",
                            'class="few"', "url(#hatch0", "5 not ended", 'class="half"', "period (days)", "50 of 90 found" } do
      assert.truthy(text:find(part, 1, true), part .. " is not in " .. text)
    end
  end)

  it("says where half is found: between the middles of cells", function()
    -- column 10: 0.2 at 1, 0.8 at 2: half at 1.5
    assert.equal("1.5 10\n", lua(MAP .. "local h = map.half(recovery, panel) print(h[1].row, h[1].column)"):gsub("\t", " "))
    local text = lua(MAP .. "print(map.sentence(recovery, panel))")
    assert.equal("<tls>, name a&b recovered 50 of 90; it finds half from radius <b>&\"'</b> 1.5 at period 10, 1.5 at period 20\n", text)
  end)

  it("of no loop is one cell", function()
    is_xml(lua [[local map = require "eas.plot.map"
      io.write(map.svg({}, { type = "x", where = {}, n = 1, found = 1, cells = { { { n = 1, found = 1 } } } }, { standalone = true }))]])
  end)

  it("has ink that stands out from each shade", function()
    local out = lua [[
      local svg = require "eas.plot.svg"
      local function light(hex)
        local sum = 0
        for k, w in ipairs { 0.2126, 0.7152, 0.0722 } do
          local c = tonumber(hex:sub(2 * k, 2 * k + 1), 16) / 255
          sum = sum + w * (c <= 0.04045 and c / 12.92 or ((c + 0.055) / 1.055) ^ 2.4)
        end
        return sum
      end
      local least, before = 99, 2
      for i = 0, 100 do
        local fill, ink = svg.shade(i / 100)
        local a, b = light(fill) + 0.05, light(ink) + 0.05
        least = math.min(least, math.max(a, b) / math.min(a, b))
        assert(light(fill) < before, "darker with each step")
        before = light(fill)
      end
      print(least)]]
    assert.truthy(tonumber(out) >= 4.5, out)
  end)
end)

describe("a fold", function()
  it("shows the dip, its depth in ppm and hours", function()
    local text = lua [[
      local eas = require "eas"
      local lc = eas.lightcurve(4000)
      for i = 0, 3999 do
        lc.time[i] = i * 0.02
        local phase = (lc.time[i] - 1 + 2.5) % 5 - 2.5
        lc.flux[i] = 1 - (math.abs(phase) < 0.1 and 0.001 or 0)
      end
      io.write(require("eas.plot.fold").svg(lc, { period = 5, t0 = 1, duration = 0.2, depth = 0.001, title = "<lc>", standalone = true }))]]
    is_xml(text)
    for _, part in ipairs { "&lt;lc&gt;", "flux − 1 (ppm)", ">-1000<", "hours from mid-transit", ">-5<", ">5<", 'class="model"', 'class="bin"' } do
      assert.truthy(text:find(part, 1, true), part .. " is not in " .. text)
    end
    assert.truthy(#text < 60000)
  end)

  it("refuses what cannot be folded", function()
    local out = lua [[
      local eas = require "eas"
      local fold = require "eas.plot.fold"
      print(select(2, pcall(fold.svg, eas.lightcurve(10), { t0 = 1 })))
      print(select(2, pcall(fold.svg, eas.lightcurve(3), { period = 1, t0 = 0 })))]]
    assert.equal("there is no period to fold at, so no plot\nonly 1 samples are near mid-transit\n", out)
  end)
end)
