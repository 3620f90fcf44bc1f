-- eas.web.timeline_plot: what the slots of workers did, as bars; of very many attempts or slots, how much ran at a time. Time in
-- which nothing ran is folded.
local h = require "eas.web.html"
local format = require "eas.web.format"

local timeline_plot = {}
local LEFT, WIDE, HIGH, GAP = 150, 1000, 18, 4
local MOST_BARS, MOST_LANES, MOST_FOLDS, COLUMN, TALL = 2000, 48, 12, 4, 44
local SEAM = 0.7 -- pixels between bars, at least
local NARROW = 2 -- bars that would be less wide than this many pixels are drawn together
local FOLDED, FOLD_FROM, FOLD_US = 0.03, 0.08, 2e6 -- width of a fold, and from which gap on, of all busy time
local STATES = { "passed", "running", "failed" }

local function state_of(a)
  return a.state == "running" and "running" or a.verdict == "pass" and "passed" or "failed"
end

local function name_of(a) return ("%s %s"):format(a.host or "?", a.worker or "") end

-- Lanes: one for each slot of a worker; what runs has not told its slot yet, and takes a free one. nil: too many to be drawn.
local function lanes_of(items, now)
  local by, list = {}, {}
  for _, a in ipairs(items) do
    local name = name_of(a)
    local own, found = by[name] or {}, nil
    by[name] = own
    for _, lane in ipairs(own) do
      if a.slot and a.slot == lane.slot or not a.slot and lane.until_us <= a.started_at then
        found = lane
        break
      end
    end
    if not found then
      if #list == MOST_LANES then return nil end
      found = { name = name, slot = a.slot, key = ("%s %03d"):format(name, a.slot or 500 + #own) }
      own[#own + 1], list[#list + 1] = found, found
    end
    found[#found + 1], found.until_us = a, math.max(found.until_us or 0, a.ended_at or now)
  end
  table.sort(list, function(a, b) return a.key < b.key end)
  return list
end

-- Busy stretches of time, and the gaps between them that are folded. items: by start.
local function scale_of(items, now)
  local first, reach, gaps = items[1].started_at, items[1].started_at, {}
  for _, a in ipairs(items) do
    if a.started_at > reach then gaps[#gaps + 1] = { reach, a.started_at } end
    reach = math.max(reach, a.ended_at or now)
  end
  table.sort(gaps, function(a, b) return a[2] - a[1] > b[2] - b[1] end)
  local idle, folds = 0, {}
  for _, g in ipairs(gaps) do idle = idle + g[2] - g[1] end
  local busy = math.max(reach - first - idle, 1e3)
  for i = 1, math.min(#gaps, MOST_FOLDS) do
    local wide = gaps[i][2] - gaps[i][1]
    if wide > FOLD_FROM * busy and wide > FOLD_US then folds[#folds + 1] = gaps[i] end
  end
  table.sort(folds, function(a, b) return a[1] < b[1] end)
  local folded = 0
  for _, g in ipairs(folds) do folded = folded + g[2] - g[1] end
  local shown = math.max(reach - first - folded, 1e3)
  local per = (WIDE - LEFT) / (shown * (1 + FOLDED * #folds))
  local parts, t, x = {}, first, LEFT
  local function add(to, wide, is_fold)
    parts[#parts + 1] = { t, to, x, x + wide, is_fold }
    t, x = to, x + wide
  end
  for _, g in ipairs(folds) do
    add(g[1], (g[1] - t) * per)
    add(g[2], FOLDED * shown * per, true)
  end
  add(math.max(reach, t + 1), math.max(reach - t, 1) * per)
  return { parts = parts, first = first, last = reach, folded = folded, n_folds = #folds, busy = busy, at = function(us)
    for i = 1, #parts do
      local p = parts[i]
      if us <= p[2] or i == #parts then return p[3] + math.min(1, math.max(0, (us - p[1]) / (p[2] - p[1]))) * (p[4] - p[3]) end
    end
  end }
end

-- Clock times below, folds through all lanes.
local function frame(scale, total, drawn)
  local edge = -math.huge
  for i, p in ipairs(scale.parts) do
    if p[5] then
      drawn[#drawn + 1] = h.g { class = "fold", h.rect { x = ("%.2f"):format(p[3]), y = 0, width = ("%.2f"):format(p[4] - p[3]),
        height = total }, h.title("nothing ran for " .. format.duration(p[2] - p[1])) }
    else
      local last, ticks = i == #scale.parts, math.max(1, math.floor((p[4] - p[3]) / 200))
      for k = 0, ticks do
        local x = p[3] + k / ticks * (p[4] - p[3])
        local at_end = last and k == ticks
        if at_end and x - 60 > edge or not at_end and x > edge and x < WIDE - 70 then
          drawn[#drawn + 1] = h.text { x = ("%.1f"):format(x), y = total + 14, class = "tick",
            ["text-anchor"] = at_end and "end" or "start", format.clock(p[1] + (p[2] - p[1]) * k / ticks) }
          edge = x + 62
        end
      end
    end
  end
end

-- Bars that can be pointed at, and those that are too narrow for it, in one path per state.
local function bars(lanes, scale, now, drawn)
  local small = {}
  for i, lane in ipairs(lanes) do
    local y = (i - 1) * (HIGH + GAP)
    drawn[#drawn + 1] = h.text { x = 0, y = y + 13, class = "lane", lane.name }
    drawn[#drawn + 1] = h.rect { x = LEFT, y = y, width = WIDE - LEFT, height = HIGH, class = "track" }
    local reach = {}
    for k, a in ipairs(lane) do
      local x, x1, state = scale.at(a.started_at), scale.at(a.ended_at or now), state_of(a)
      -- its results waited for others to be committed with, while the slot had the next
      if lane[k + 1] then x1 = math.max(x, math.min(x1, scale.at(lane[k + 1].started_at) - SEAM)) end
      if x1 - x >= NARROW then
        drawn[#drawn + 1] = h.a { href = "/attempts/" .. a.attempt,
          h.rect { x = ("%.2f"):format(x), y = y + 1, width = ("%.2f"):format(x1 - x), height = HIGH - 2, class = "f-" .. state,
          h.title(("%s %s %s %s"):format(a.attempt, a.type, a.ending or a.state, format.duration(a.wall_us or now - a.started_at))) } }
      else
        local open = reach[state]
        if open and x <= open[2] + 0.5 then
          open[2] = math.max(open[2], x1)
        else
          open = { x, x1, y }
          reach[state], small[state] = open, small[state] or {}
          table.insert(small[state], open)
        end
      end
    end
  end
  for _, state in ipairs(STATES) do
    local d = {}
    for i, s in ipairs(small[state] or {}) do
      local wide = math.max(0.8, s[2] - s[1])
      d[i] = ("M%.1f %dh%.1fv%dh-%.1fz"):format(s[1], s[3] + 1, wide, HIGH - 2, wide)
    end
    if #d > 0 then drawn[#drawn + 1] = h.path { class = "f-" .. state, d = table.concat(d) } end
  end
  return #lanes * (HIGH + GAP)
end

-- Of each worker (of more than fit: of all) how many ran at a time, by state. Returns its height, and the most that ran at once.
local function density(items, scale, now, drawn)
  local by, names, n = {}, {}, math.ceil((WIDE - LEFT) / COLUMN)
  for _, a in ipairs(items) do by[name_of(a)] = true end
  for name in pairs(by) do names[#names + 1] = name end
  table.sort(names)
  local one = #names > MOST_LANES / 4 and ("%d workers"):format(#names)
  if one then names = { one } end
  for _, name in ipairs(names) do by[name] = { passed = {}, running = {}, failed = {} } end
  for _, a in ipairs(items) do
    local sums = by[one or name_of(a)][state_of(a)]
    local x0, x1 = (scale.at(a.started_at) - LEFT) / COLUMN, (scale.at(a.ended_at or now) - LEFT) / COLUMN
    for k = math.floor(x0), math.min(n - 1, math.floor(x1)) do
      sums[k] = (sums[k] or 0) + math.max(0, math.min(x1, k + 1) - math.max(x0, k))
    end
  end
  local most = 0
  for _, name in ipairs(names) do
    for k = 0, n - 1 do
      local sum = 0
      for _, state in ipairs(STATES) do sum = sum + (by[name][state][k] or 0) end
      most = math.max(most, sum)
    end
  end
  for i, name in ipairs(names) do
    local y = i * (TALL + GAP) - GAP
    drawn[#drawn + 1] = h.text { x = 0, y = y - TALL / 2 + 4, class = "lane", name }
    drawn[#drawn + 1] = h.rect { x = LEFT, y = y - TALL, width = WIDE - LEFT, height = TALL, class = "track" }
    local below = {}
    for _, state in ipairs(STATES) do
      local d = {}
      for k = 0, n - 1 do
        local high = (by[name][state][k] or 0) / most * TALL
        if high >= 0.1 then
          d[#d + 1] = ("M%d %.1fh%dv-%.1fh-%dz"):format(LEFT + k * COLUMN, y - (below[k] or 0), COLUMN, high, COLUMN)
          below[k] = (below[k] or 0) + high
        end
      end
      if #d > 0 then drawn[#drawn + 1] = h.path { class = "f-" .. state, d = table.concat(d) } end
    end
  end
  return #names * (TALL + GAP), most
end

-- items: attempts that began, newest first. open: their job is not done.
function timeline_plot.draw(items, now, open)
  if #items == 0 then return h.p { class = "empty", ["data-live"] = "timeline", "No attempt has begun yet." } end
  local sorted, running, drawn = {}, false, {}
  for i, a in ipairs(items) do sorted[i], running = a, running or a.state == "running" end
  table.sort(sorted, function(a, b) return a.started_at < b.started_at end)
  local scale = scale_of(sorted, now)
  local lanes = #items <= MOST_BARS and lanes_of(sorted, now) or nil
  local total, most
  if lanes then total = bars(lanes, scale, now, drawn) else total, most = density(sorted, scale, now, drawn) end
  frame(scale, total, drawn)
  local words = ("%s attempts%s over %s"):format(format.count(#items), lanes and (" on %d slots"):format(#lanes) or
    (", at most %.0f at once"):format(most), format.duration(scale.last - scale.first))
  if scale.n_folds > 0 then
    words = ("%s; %s in which nothing ran, %s, folded"):format(words, scale.n_folds == 1 and "a gap" or scale.n_folds .. " gaps",
      format.duration(scale.folded))
  end
  if open and not running then words = ("%s; idle since %s"):format(words, format.clock(scale.last)) end
  return h.figure { class = "scroll", ["data-live"] = "timeline", tabindex = "0", role = "region", ["aria-label"] = "timeline",
    h.svg { class = "timeline", viewBox = ("0 0 %d %d"):format(WIDE, total + 20), width = WIDE, height = total + 20, role = "img",
      ["aria-label"] = words .. "; the table lists them", drawn }, h.figcaption(words .. ".") }
end

return timeline_plot
