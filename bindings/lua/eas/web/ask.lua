-- eas.web.ask: questions to the engine; an answer, or an error that becomes the status of the page.
local core = require "eas.core"
local json = require "eas.json"

local STATUS = { [-109] = 404, [-103] = 400, [-104] = 500, [-105] = 500, [-106] = 503, [-107] = 503, [-108] = 503,
  [-114] = 403, [-112] = 400 }

-- What pages raise: { status, message, hint }.
local fault = {}
fault.__tostring = function(f) return f.message end

local ask = {}

function ask.fault(status, message, hint)
  return setmetatable({ status = status, message = message, hint = hint or "" }, fault)
end

function ask.is_fault(x) return getmetatable(x) == fault end

function ask.of(name, args)
  local answer = core.ask(name, args and next(args) and assert(json.encode(args)) or "{}")
  local e = answer.error
  if e then error(ask.fault(STATUS[e.code] or 500, e.message, e.hint), 0) end
  return answer.value
end

-- The bytes of an object: at most that many.
function ask.head(sha256, most)
  local file = assert(io.open(ask.of("object", { sha256 = sha256 }).path, "rb"))
  local text = file:read(most) or ""
  file:close()
  return text
end

return ask
