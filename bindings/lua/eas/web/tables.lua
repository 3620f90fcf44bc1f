-- eas.web.tables: lists of flat objects as tables of text.
local format = require "eas.web.format"
local json = require "eas.json"

local tables = {}

-- Columns of a list: those that are named, else all there are, in order of first sight.
function tables.columns(items, named)
  if named then return named end
  local list, seen = {}, {}
  for _, item in ipairs(items) do
    local keys = {}
    for k in pairs(item) do keys[#keys + 1] = k end
    table.sort(keys)
    for _, k in ipairs(keys) do
      if not seen[k] then seen[k], list[#list + 1] = true, k end
    end
  end
  return list
end

-- A cell that a spreadsheet would take for a formula is made a text.
local function cell(v)
  if v == nil then return "" end
  if type(v) == "number" then return json.number(v) or "" end
  if type(v) == "boolean" then return v and "1" or "0" end
  local text = format.value(v)
  if text:find "^[=+%-@\t\r]" then text = "'" .. text end
  return text:find '[",\r\n]' and '"' .. text:gsub('"', '""') .. '"' or text
end

function tables.csv(items, named)
  local columns = tables.columns(items, named)
  local lines = { table.concat(columns, ",") }
  for _, item in ipairs(items) do
    local cells = {}
    for i, c in ipairs(columns) do cells[i] = cell(item[c]) end
    lines[#lines + 1] = table.concat(cells, ",")
  end
  return table.concat(lines, "\r\n") .. "\r\n"
end

return tables
