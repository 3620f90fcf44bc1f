-- eas.web.auth: who may act. Reading is free for whoever reaches the port; acting needs the token, as a header of programs or
-- by a session that the token opened, whose forms carry a word of their own and come from this very site.
local bit = require "bit"
local ask = require "eas.web.ask"

local auth = {}
local sessions, wrong = {}, { n = 0, since = 0 }
local LASTS_S, MOST_WRONG, WRONG_S = 12 * 3600, 10, 60

local function random_word()
  local file = assert(io.open("/dev/urandom", "rb"))
  local bytes = file:read(24)
  file:close()
  return (bytes:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

-- In a time that does not depend on where they differ.
local function same(a, b)
  if type(a) ~= "string" or type(b) ~= "string" or #b == 0 then return false end
  local differ = bit.bxor(#a, #b)
  for i = 1, #a do differ = bit.bor(differ, bit.bxor(a:byte(i), b:byte((i - 1) % #b + 1))) end
  return differ == 0
end

-- A page of somebody else's site must not read this one by a name that it lets point to the loopback.
function auth.check_host(request, about)
  local listen = about.listen
  if not (listen:find "^127%." or listen:find "^localhost:" or listen:find "^%[::1%]") then return end
  local host = (request.headers.host or ""):gsub(":%d+$", ""):lower()
  if host == "localhost" or host:find "^127%.%d+%.%d+%.%d+$" or host == "[::1]" then return end
  error(ask.fault(421, "this address serves only localhost", "a proxy before it has to send Host: localhost"), 0)
end

local function tried_too_often()
  local now = os.time()
  if now - wrong.since > WRONG_S then wrong.n, wrong.since = 0, now end
  return wrong.n >= MOST_WRONG
end

local function token_is(given, about)
  if tried_too_often() then error(ask.fault(429, "too many wrong tokens", "wait for a minute"), 0) end
  if same(given, about.token) then return true end
  wrong.n = wrong.n + 1
  return false
end

function auth.identify(request, user, about)
  user.about = about
  if not about.actions then return end
  local bearer = (request.headers.authorization or ""):match "^[Bb]earer (.+)$"
  if bearer then
    if not token_is(bearer, about) then error(ask.fault(401, "this is not the token"), 0) end
    user.bearer = true
    return
  end
  local id = (request.headers.cookie or ""):match "eas_session=(%x+)"
  local s = id and sessions[id]
  if s and s.ends < os.time() then sessions[id], s = nil, nil end
  user.session = s
end

-- A browser says where a form came from.
local function from_here(request)
  local site, origin = request.headers["sec-fetch-site"], request.headers.origin
  if site then return site == "same-origin" end
  return not origin or origin:gsub("^https?://", "") == request.headers.host
end

-- Raises unless the request may act.
function auth.may_act(request, user)
  if not user.actions then error(ask.fault(403, "actions are off", "eas web --actions on, with EAS_WEB_TOKEN"), 0) end
  if user.bearer then return end
  if not user.session then error(ask.fault(401, "who acts here?", "log in with the token, or send Authorization: Bearer TOKEN"), 0) end
  if not from_here(request) then error(ask.fault(403, "this form came from another site"), 0) end
  if not same(request.form.csrf, user.session.csrf) then error(ask.fault(403, "this form is out of date", "load the page again"), 0) end
end

function auth.open(request, user)
  if not user.actions then error(ask.fault(403, "actions are off"), 0) end
  if not from_here(request) then error(ask.fault(403, "this form came from another site"), 0) end
  if not token_is(request.form.token, user.about) then return nil end
  local id, count = random_word(), 0
  for key, s in pairs(sessions) do
    if s.ends < os.time() then sessions[key] = nil else count = count + 1 end
  end
  if count > 100 then sessions = {} end
  sessions[id] = { csrf = random_word(), ends = os.time() + LASTS_S, id = id }
  return ("eas_session=%s; HttpOnly; SameSite=Strict; Path=/; Max-Age=%d"):format(id, LASTS_S)
end

function auth.close(user)
  if user.session then sessions[user.session.id] = nil end
  return "eas_session=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0"
end

return auth
