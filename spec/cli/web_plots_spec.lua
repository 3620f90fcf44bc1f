-- What the server draws: the timeline with folded gaps and of very many attempts, peaks of a periodogram, transits in view.
package.loaded["eas.core"] = package.loaded["eas.core"] or { ask = function(name) error("nobody to ask: " .. name) end } -- nothing here asks the engine
local plot = require "eas.web.timeline_plot"
local h = require "eas.web.html"
local marks = require "eas.web.marks"

local T0, S = 1.7e15, 1e6
local function attempt(i, from, to, more)
  local a = { attempt = "a" .. i, type = "null", state = to and "ended" or "running", verdict = to and "pass", host = "n07", worker = "w1",
    started_at = T0 + from * S, ended_at = to and T0 + to * S, wall_us = to and (to - from) * S }
  for k, v in pairs(more or {}) do a[k] = v end
  return a
end
local function drawn(items, now, open) return h.render(plot.draw(items, T0 + now * S, open)) end
local function count(text, what) return select(2, text:gsub(what, "")) end

describe("the timeline", function()
  it("folds time in which nothing ran, and says since when nothing runs", function()
    local text = drawn({ attempt(1, 0, 10), attempt(2, 2, 10), attempt(3, 3600, 3610, { verdict = "fail" }) }, 4000, true)
    assert.truthy(text:find("3 attempts on 2 slots over 1:00 h; a gap in which nothing ran, 59:50 min, folded; idle since", 1, true), text)
    assert.equal(1, count(text, '<g class="fold">'))
    local width = tonumber(text:match 'class="f%-passed" height="16" width="([%d.]+)"')
    assert.is_true(width > 380) -- ten of twenty busy seconds, not of an hour
    assert.equal(1, count(text, 'class="f%-failed"'))
  end)

  it("folds nothing where something ran, and is not idle then", function()
    local text = drawn({ attempt(1, 0, 10), attempt(2, 9, nil) }, 4000, true)
    assert.is_nil(text:find "fold")
    assert.is_nil(text:find "idle")
    assert.equal(1, count(text, 'class="f%-running"'))
  end)

  it("stays small: narrow bars are drawn together, very many attempts or slots as how much ran", function()
    local narrow, wide, all = {}, {}, {}
    for i = 1, 2000 do narrow[i] = attempt(i, i * 0.01, i * 0.01 + 0.009) end
    for i = 1, 500 do wide[i] = attempt(i, i * 0.001, 100) end
    for i = 1, 5000 do all[i] = attempt(i, i, i + 2, { verdict = i % 7 == 0 and "fail" or "pass", worker = "w" .. i % 40 }) end
    local text = drawn(narrow, 100)
    assert.is_true(#text < 20000 and count(text, "<a ") == 0, #text)
    text = drawn(wide, 100)
    assert.is_true(#text < 60000 and text:find("at most 500 at once", 1, true) ~= nil, text:sub(-300))
    text = drawn(all, 6000)
    assert.is_true(#text < 60000 and text:find("40 workers", 1, true) ~= nil and text:find("at most 2 at once", 1, true) ~= nil, text:sub(-300))
  end)

  it("of nothing, and of moments without length, is drawn too", function()
    assert.truthy(drawn({}, 1):find "No attempt has begun yet")
    assert.truthy(drawn({ attempt(1, 0, 0), attempt(2, 0, 0) }, 0):find "2 attempts")
    assert.is_nil(drawn({ attempt(1, 5, 5), attempt(2, 5, nil) }, 5):find "nan")
  end)
end)

it("peaks are the highest points, none a shoulder of another", function()
  local ffi = require "ffi"
  local n = 1001
  local x, y, flag = ffi.new("double[?]", n), ffi.new("double[?]", n), ffi.new("int32_t[?]", n)
  for i = 0, n - 1 do x[i], y[i] = 1 + i * 0.01, 0.1 + (i % 2) * 0.01 end
  y[200], y[202], y[500], y[700] = 9, 8.9, 7, 20 -- at 3, its shoulder, 6, and a flagged one
  flag[700] = 1
  local list = marks.peaks({ n = n, time = { data = x }, flux = { data = y }, flag = { data = flag } }, 2)
  assert.same({ { x[200], 9 }, { x[500], 7 } }, list)
end)

it("transits in view are marked, unless they are too many to be told apart", function()
  assert.same({ 10.5, 13, 15.5 }, marks.times({ period = 2.5, t0 = 0.5 }, 9, 17))
  assert.same({}, marks.times({ period = 0.001, t0 = 0 }, 0, 1000))
end)

it("the line at one half goes between the middles of cells, and to the edge of the map", function()
  local map = require "eas.plot.map"
  local share = { { 0, 0 }, { 1, 0.5 } } -- [column][row]
  local list = map.contour(2, 2, function(k, r) return share[k][r] end)
  local function has(x, y)
    for _, s in ipairs(list) do
      for _, p in ipairs(s) do
        if math.abs(p[1] - x) < 1e-9 and math.abs(p[2] - y) < 1e-9 then return true end
      end
    end
  end
  assert.truthy(has(1, 0) and has(1, 0.5) and has(1.5, 1.5) and has(1.5, 2))
  assert.same({}, map.contour(1, 4, function() return 1 end))
  assert.same({}, map.contour(2, 2, function(k, r) return (k ~= 2 or r ~= 2) and 1 or nil end))
end)
