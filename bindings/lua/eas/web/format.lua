-- eas.web.format: numbers, stamps and states as people read them.
local format = {}
local floor = math.floor

-- 10000 -> 10 000 (narrow spaces)
function format.count(n)
  local text = ("%.0f"):format(n or 0)
  if #text < 5 then return text end
  return (text:reverse():gsub("(%d%d%d)", "%1\175\128\226"):reverse():gsub("^\226\128\175", ""))
end

-- microseconds: 41 ms, 2.1 s, 1:12:40
function format.duration(us)
  if not us then return "-" end
  local s = us / 1e6
  if s < 0.9995 then return ("%.0f ms"):format(s * 1e3) end
  if s < 99.95 then return ("%.3g s"):format(s) end
  if s < 3600 then return ("%d:%02d min"):format(floor(s / 60), floor(s % 60)) end
  if s < 86400 * 3 then return ("%d:%02d h"):format(floor(s / 3600), floor(s % 3600 / 60)) end
  return ("%.1f d"):format(s / 86400)
end

function format.size(bytes)
  if not bytes then return "-" end
  local unit = 1
  local units = { "B", "kB", "MB", "GB", "TB" }
  while bytes >= 999.5 and unit < #units do bytes, unit = bytes / 1000, unit + 1 end
  return (unit == 1 and "%.0f %s" or "%.3g %s"):format(bytes, units[unit])
end

function format.stamp(us)
  return us and os.date("!%Y-%m-%d %H:%M:%S", floor(us / 1e6)) or "-"
end

function format.clock(us)
  return us and os.date("!%H:%M:%S", floor(us / 1e6)) or "-"
end

function format.number(x)
  if type(x) ~= "number" then return tostring(x) end
  if x ~= x then return "-" end
  if x == floor(x) and math.abs(x) < 1e15 then return ("%.0f"):format(x) end
  return ("%.6g"):format(x)
end

-- Any value of metadata in one line.
function format.value(v)
  if v == nil then return "-" end
  if type(v) == "number" then return format.number(v) end
  if type(v) == "boolean" then return v and "yes" or "no" end
  if type(v) == "table" then return require("eas.json").encode(v) or "?" end
  return tostring(v)
end

format.states = { "waiting", "queued", "running", "passed", "reused", "failed", "skipped", "cancelled" }
local SYMBOLS = { waiting = "\194\183", queued = "\226\151\139", running = "\226\150\182", passed = "\226\156\147", reused = "=",
  failed = "\226\156\151", skipped = "\226\138\152", cancelled = "-", paused = "p", active = "\226\150\182", ended = "\226\150\160" }
function format.symbol(state) return SYMBOLS[state] or "?" end

-- Loop variables in one short line: "size 2, period 10".
function format.parameters(values, most)
  local keys, out = {}, {}
  for k, v in pairs(values or {}) do
    if not k:find "_index$" and type(v) ~= "table" then keys[#keys + 1] = k end
  end
  table.sort(keys)
  for i, k in ipairs(keys) do
    if i > (most or 4) then
      out[#out + 1] = "\226\128\166"
      break
    end
    out[#out + 1] = k .. " " .. format.value(values[k])
  end
  return table.concat(out, ", ")
end

return format
