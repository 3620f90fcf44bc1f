-- eas.web.marks: what is worth a look in a plot: transits of a light curve, peaks of a periodogram; and plots as tables.
local ask = require "eas.web.ask"
local format = require "eas.web.format"
local h = require "eas.web.html"
local parts = require "eas.web.parts"

local marks = {}
local MOST_SEARCHES, MOST_MARKS, MOST_ROWS = 4, 200, 40

-- Where a search found a planet in a light curve: { period, t0, attempt, type }, by the first of those that used it.
function marks.transits(users)
  local looked = 0
  for _, u in ipairs(users) do
    if u.type:find "search" and u.state == "passed" and looked < MOST_SEARCHES then
      looked = looked + 1
      local accepted = ask.of("task", { task = u.task }).accepted
      local m = accepted and ask.of("attempt", { attempt = accepted }).metadata
      if m and type(m.period) == "number" and m.period > 0 and type(m.t0) == "number" then
        return { period = m.period, t0 = m.t0, attempt = accepted, type = u.type }
      end
    end
  end
end

-- Mid-times of transits between two times; none if they are too many to be told apart.
function marks.times(t, from, to)
  local out = {}
  local first, last = math.ceil((from - t.t0) / t.period), math.floor((to - t.t0) / t.period)
  if not (last - first < MOST_MARKS) then return out end
  for k = first, last do out[#out + 1] = t.t0 + k * t.period end
  return out
end

-- The highest points of a periodogram that are no shoulder of one another: { x, y } downwards.
function marks.peaks(c, most)
  local x, y, flag, tops, out = c.time.data, c.flux.data, c.flag.data, {}, {}
  for i = 1, c.n - 2 do
    local v = y[i]
    if v == v and flag[i] % 2 == 0 and v > y[i - 1] and v >= y[i + 1] then tops[#tops + 1] = { x[i], v } end
  end
  table.sort(tops, function(a, b) return a[2] > b[2] end)
  for _, p in ipairs(tops) do
    local apart = true
    for _, o in ipairs(out) do apart = apart and math.abs(p[1] / o[1] - 1) > 0.02 end
    if apart and p[1] > 0 then out[#out + 1] = p end
    if #out == most then break end
  end
  return out
end

-- Peaks as links that fold the light curve at them; with scripts the fold beside them moves.
function marks.peak_links(c, attempt, shown)
  local list = marks.peaks(c, 6)
  if #list == 0 then return nil end
  local items = {}
  for i, p in ipairs(list) do
    items[i] = h.li(h.a { href = h.url("/attempts/" .. attempt, { period = ("%.10g"):format(p[1]) }) .. "#fold",
      ["data-peak"] = ("%.10g"):format(p[1]), ["aria-current"] = shown and math.abs(shown / p[1] - 1) < 1e-6 and "true" or nil,
      ("%.6g d (%.4g)"):format(p[1], p[2]) })
  end
  return h.div { class = "peaks", h.span "Fold at a peak: ", h.ul { class = "inline", items } }
end

local function thin(n) return math.max(1, math.ceil(n / MOST_ROWS)) end

-- A plot for those who do not see it: its columns in as many steps as a table has rows.
function marks.curve_table(part)
  local rows, every = {}, thin(#part.x)
  for i = 1, #part.x, every do
    local low, high, sum, n = math.huge, -math.huge, 0, 0
    for k = i, math.min(#part.x, i + every - 1) do
      local a, b = part.lo and part.lo[k] or part.y[k], part.hi and part.hi[k] or part.y[k]
      low, high, sum, n = math.min(low, a), math.max(high, b), sum + (a + b) / 2, n + 1
    end
    rows[#rows + 1] = { format.number(part.x[i]), ("%.6g"):format(low), ("%.6g"):format(sum / n), ("%.6g"):format(high) }
  end
  return h.details { h.summary "as a table", parts.table({ "from " .. part.xname .. " / " .. part.xunit, { "least", n = true },
    { "mean", n = true }, { "greatest", n = true } }, rows, "No points here.", { label = "the plot as a table" }) }
end

function marks.fold_table(f)
  local rows = {}
  local function cell(v) return type(v) == "number" and ("%.6g"):format(v) or "-" end
  for i = 1, #f.x, thin(#f.x) do rows[#rows + 1] = { ("%.4f"):format(f.x[i]), cell(f.all[i]), cell(f.even[i]), cell(f.odd[i]) } end
  return h.details { h.summary "as a table", parts.table({ "days from mid-transit", { "flux", n = true }, { "of even ones", n = true },
    { "of odd ones", n = true } }, rows, "No points here.", { label = "the fold as a table" }) }
end

return marks
