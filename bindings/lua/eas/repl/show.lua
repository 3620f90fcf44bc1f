-- eas.repl.show: values as text for a person: sorted, two levels deep, twenty items; arrays and light curves in a line.
local array = require "eas.array"
local lc = require "eas.lc"
local show = { depth = 2, items = 20, width = 100 }

local keywords = {}
for word in ("and break do else elseif end false for function goto if in local nil not or repeat return then true until while")
  :gmatch "%a+" do
  keywords[word] = true
end

local function quote(text)
  if #text > 400 then text = text:sub(1, 400) .. "…" end
  return '"' .. text:gsub('[%c"\\]', function(c)
    return c == "\n" and "\\n" or c == "\t" and "\\t" or c:byte() < 32 and ("\\%d"):format(c:byte()) or "\\" .. c
  end) .. '"'
end

local function number(x)
  if x ~= x then return "NaN" end
  if x == math.floor(x) and math.abs(x) < 2 ^ 53 then return ("%d"):format(x) end
  return ("%.10g"):format(x)
end

-- "lightcurve: 8640 points, 0.00 to 89.99 d, 15 min, 3 flagged"
local function curve_text(curve)
  local n, flagged = curve.n, 0
  if n < 2 then return tostring(curve) end
  for i = 0, n - 1 do if curve.flag[i] ~= 0 then flagged = flagged + 1 end end
  local steps = {}
  for i = 1, math.min(n - 1, 1000) do steps[i] = curve.time[i] - curve.time[i - 1] end
  table.sort(steps)
  local minutes = steps[math.ceil(#steps / 2)] * 1440
  local step = minutes >= 1 and ("%.4g min"):format(minutes) or ("%.4g s"):format(minutes * 60)
  return ("%s, %s, %d flagged"):format(tostring(curve), step, flagged)
end

local function array_text(a)
  local n = tonumber(a.n)
  if n == 0 then return "array[0]" end
  if n <= 8 then
    local list = {}
    for i = 0, n - 1 do list[#list + 1] = number(tonumber(a[i])) end
    return ("array[%d] %s"):format(n, table.concat(list, "  "))
  end
  return tostring(a)
end

local function function_text(f)
  local info = debug.getinfo(f, "S")
  if info.what == "C" then return "function (built in)" end
  return ("function %s:%d"):format(info.short_src, info.linedefined)
end

-- One line of what is no plain table; nil for those.
local function plain(v)
  local kind = type(v)
  if kind == "string" then return quote(v) end
  if kind == "number" then return number(v) end
  if kind == "function" then return function_text(v) end
  if kind == "cdata" then return array.is(v) and array_text(v) or tostring(v) end
  if kind ~= "table" then return tostring(v) end
  if lc.is(v) then return curve_text(v) end
end

-- Numbers first, then texts, then the rest by their kind.
local function before(a, b)
  if type(a) == type(b) and (type(a) == "number" or type(a) == "string") then return a < b end
  if type(a) ~= type(b) then return type(a) == "number" or type(b) ~= "number" and type(a) < type(b) end
  return tostring(a) < tostring(b)
end

local function sorted_keys(t)
  local keys = {}
  for k in next, t do
    if not (type(k) == "string" and k:sub(1, 1) == "_") then keys[#keys + 1] = k end
  end
  table.sort(keys, before)
  return keys
end

local function key_text(k)
  if type(k) == "string" then return k:match "^[%a_][%w_]*$" and not keywords[k] and k or "[" .. quote(k) .. "]" end
  return "[" .. (type(k) == "number" and number(k) or tostring(k)) .. "]"
end

local write

-- Stamps of the database: microseconds, UTC.
local function stamp(key, v)
  if type(v) ~= "number" or v < 1e15 or type(key) ~= "string" then return nil end
  if not (key == "at" or key == "first" or key == "last" or key:match "_at$") then return nil end
  return os.date("!%Y-%m-%d %H:%M:%S", math.floor(v / 1e6))
end

local function parts_of(t, depth, seen)
  local parts, keys, at = {}, sorted_keys(t), 1
  for i, k in ipairs(keys) do
    if i > show.items then
      parts[#parts + 1] = ("… %d more"):format(#keys - show.items)
      break
    end
    local value = rawget(t, k)
    local text = stamp(k, value) or write(value, depth + 1, seen)
    if k == at then at = at + 1 else text = key_text(k) .. " = " .. text end
    parts[#parts + 1] = text
  end
  return parts
end

local function with_text(t)
  local meta = getmetatable(t)
  if type(meta) == "table" and meta.columns then return ("%d rows"):format(#t) end
  if type(meta) ~= "table" or type(rawget(meta, "__tostring")) ~= "function" then return nil end
  local ok, text = pcall(tostring, t)
  return ok and text or nil
end

function write(v, depth, seen)
  local text = plain(v) or depth > 0 and with_text(v)
  if text then return text end
  if seen[v] then return "<again>" end
  if next(v) == nil then return "{}" end
  if depth >= show.depth then return "{…}" end
  seen[v] = true
  local parts = parts_of(v, depth, seen)
  seen[v] = nil
  local line = "{ " .. table.concat(parts, ", ") .. " }"
  if #line + 2 * depth <= show.width and not line:find "\n" then return line end
  local pad = ("  "):rep(depth + 1)
  return "{\n" .. pad .. table.concat(parts, "\n" .. pad) .. "\n" .. ("  "):rep(depth) .. "}"
end

local function columns_of(text) return select(2, text:gsub("[^\128-\191]", "")) end

local function cell_text(v, name)
  if v == nil then return "-" end
  if type(v) == "string" then return (v:gsub("[%c]+", " ")) end
  if type(v) ~= "table" or getmetatable(v) then return stamp(name, v) or (write(v, show.depth, {})) end
  local parts = {}
  for _, k in ipairs(sorted_keys(v)) do
    local text = type(v[k]) == "number" and ("%.6g"):format(v[k]) or tostring(v[k])
    if type(v[k]) ~= "table" then parts[#parts + 1] = tostring(k) .. "=" .. text end
  end
  return table.concat(parts, " ")
end

-- Rows of a question to the database as a table; rows.columns says which, in which order.
function show.rows(rows)
  if #rows == 0 then return "none" end
  local names = getmetatable(rows).columns
  local lines, widths, last = {}, {}, math.min(#rows, 50)
  for i = 0, last do
    lines[i] = {}
    for k, name in ipairs(names) do
      local text = i == 0 and name or cell_text(rows[i][name], name)
      if columns_of(text) > 60 then text = text:sub(1, 58):gsub("[\192-\255][\128-\191]*$", "") .. "…" end
      lines[i][k] = text
      widths[k] = math.max(widths[k] or 0, columns_of(text))
    end
  end
  for i = 0, last do
    for k, text in ipairs(lines[i]) do
      local pad = (" "):rep(widths[k] - columns_of(text))
      lines[i][k] = i > 0 and type(rows[i][names[k]]) == "number" and pad .. text or text .. pad
    end
    lines[i] = table.concat(lines[i], "  "):gsub("%s+$", "")
  end
  local more = #rows > last and ("\n… %d more rows"):format(#rows - last) or ""
  return table.concat(lines, "\n", 0, last) .. more
end

-- A value in one line: tables without a text of their own only say how much is in them.
function show.short(v)
  local text = plain(v) or with_text(v)
  if text then return text end
  local n = 0
  for _ in next, v do n = n + 1 end
  return n == 0 and "{}" or #v == n and ("{ %d items }"):format(n) or ("{ %d fields }"):format(n)
end

-- A value as the prompt prints it. Things with a text of their own come with their fields below it.
function show.value(v)
  local meta = type(v) == "table" and getmetatable(v)
  if type(meta) == "table" and meta.columns then return show.rows(v) end
  local text = plain(v)
  if text then return text end
  local head = with_text(v)
  if not head then return write(v, 0, {}) end
  if type(meta) == "table" and meta.brief then return head end
  local parts = parts_of(v, 0, { [v] = true })
  return #parts > 0 and head .. "\n  " .. table.concat(parts, "\n  ") or head
end

-- Values of one line at the prompt.
function show.list(n, values)
  local parts, many = {}, false
  for i = 1, n do
    parts[i] = show.value(values[i])
    many = many or parts[i]:find "\n" ~= nil
  end
  return table.concat(parts, many and "\n" or "  ")
end

return show
