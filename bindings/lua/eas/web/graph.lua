-- eas.web.graph: what a task was made from and what uses it, as a drawing and as a list.
local h = require "eas.web.html"
local format = require "eas.web.format"
local parts = require "eas.web.parts"

local graph = {}
local WIDE, HIGH, GAP_X, GAP_Y = 150, 34, 46, 10

local function short(text)
  return #text > 20 and text:sub(1, 19) .. "\226\128\166" or text
end

local function place(nodes)
  local columns, least = {}, 0
  for _, n in ipairs(nodes) do
    columns[n.step] = columns[n.step] or {}
    table.insert(columns[n.step], n)
    least = math.min(least, n.step)
  end
  local wide, most = 0, 0
  for step, list in pairs(columns) do
    most = math.max(most, #list)
    for i, n in ipairs(list) do
      n.x, n.row, n.of = (step - least) * (WIDE + GAP_X), i, #list
      wide = math.max(wide, n.x + WIDE)
    end
  end
  local high = most * (HIGH + GAP_Y) - GAP_Y
  for _, n in ipairs(nodes) do n.y = (high - (n.of * (HIGH + GAP_Y) - GAP_Y)) / 2 + (n.row - 1) * (HIGH + GAP_Y) end
  return wide, high
end

-- lineage: { nodes = { {task, type, state, step} }, edges = { {from, to, kind} } }
function graph.draw(lineage, self)
  if #lineage.nodes < 2 then return h.p { class = "empty", "It shares no file with another task." } end
  local wide, high = place(lineage.nodes)
  local at, drawn, words = {}, {}, {}
  for _, n in ipairs(lineage.nodes) do at[n.task] = n end
  for i, e in ipairs(lineage.edges) do
    local a, b = at[e.from], at[e.to]
    local x1, y1, x2, y2 = a.x + WIDE, a.y + HIGH / 2, b.x, b.y + HIGH / 2
    drawn[i] = h.path { class = "edge", d = ("M%g %gC%g %g %g %g %g %g"):format(x1, y1, x1 + GAP_X / 2, y1, x2 - GAP_X / 2, y2, x2, y2),
      h.title(e.kind) }
    words[i] = h.li { parts.link(e.from), " makes the ", e.kind, " of ", parts.link(e.to) }
  end
  for _, n in ipairs(lineage.nodes) do
    drawn[#drawn + 1] = h.a { href = "/tasks/" .. n.task, class = "node" .. (n.task == self and " self" or ""),
      h.rect { x = n.x, y = n.y, width = WIDE, height = HIGH, rx = 4, class = "n-" .. n.state },
      h.text { x = n.x + 8, y = n.y + 14, n.task, " ", format.symbol(n.state) },
        h.text { x = n.x + 8, y = n.y + 27, class = "type", short(n.type) } }
  end
  return { h.div { class = "scroll", tabindex = "0", role = "region", ["aria-label"] = "lineage",
      h.svg { class = "graph", width = wide + 4, height = high + 4, viewBox = ("-2 -2 %g %g"):format(wide + 4, high + 4), role = "img",
        ["aria-label"] = ("%d tasks that share files; the list says which"):format(#lineage.nodes), drawn } },
    h.details { h.summary "as a list", h.ul(words) }, lineage.more
      and h.p { class = "hint", "More than 12 at a step: the rest is left out." } }
end

return graph
