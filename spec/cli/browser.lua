-- browser.lua: headless Chromium by its DevTools protocol: go to a page, wait until something holds, ask for values, pictures.
local ffi = require "ffi"
local bit = require "bit"
local cjson = require "cjson"
local T = require "spec.support"
local Http = require "spec.cli.http"

local Browser = {}
Browser.__index = Browser

-- The program, or nil where there is none.
function Browser.program()
  return T.sh("command -v chromium || command -v chromium-browser || command -v google-chrome").out:match "[^\n]+"
end

-- A message of text to the browser: one frame, masked with zeros, as clients must mask.
local function frame(text)
  local n = #text
  local head = n < 126 and string.char(0x81, 0x80 + n) or n < 65536 and string.char(0x81, 0xfe, bit.rshift(n, 8), n % 256)
    or string.char(0x81, 0xff, 0, 0, 0, 0, bit.band(bit.rshift(n, 24), 255), bit.band(bit.rshift(n, 16), 255), bit.band(bit.rshift(n, 8), 255), n % 256)
  return head .. "\0\0\0\0" .. text
end

-- The first message in the bytes, and what is left; nil if it is not whole yet.
local function unframe(bytes)
  if #bytes < 2 then return nil end
  local n, at = bytes:byte(2) % 128, 3
  if n == 126 then
    if #bytes < 4 then return nil end
    n, at = bytes:byte(3) * 256 + bytes:byte(4), 5
  elseif n == 127 then
    if #bytes < 10 then return nil end
    n, at = 0, 11
    for i = 3, 10 do n = n * 256 + bytes:byte(i) end
  end
  if #bytes < at + n - 1 then return nil end
  return bytes:sub(at, at + n - 1), bytes:sub(at + n)
end

-- roles: whose folder it may use, and who ends it.
function Browser.start(roles, program)
  local log = roles.dir .. "/browser.log"
  local line = ("cd %s && { exec env HOME=%s %s --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --hide-scrollbars "
    .. "--user-data-dir=%s/chrome --remote-debugging-port=0 about:blank >%s 2>&1 </dev/null; } & echo $!"):format(roles.dir, roles.dir, program, roles.dir, log)
  local pipe = io.popen(line)
  local pid = pipe:read "*n"
  pipe:close()
  roles.pids[#roles.pids + 1] = pid
  local port = roles:wait("the browser", function() return tonumber((T.read(log) or ""):match "ws://127%.0%.0%.1:(%d+)/") end)
  local http = setmetatable({ port = port, roles = roles, name = "browser" }, Http)
  local tab = roles:wait("a tab", function()
    for _, t in ipairs(cjson.decode(http:get("/json").body)) do
      if t.type == "page" then return t end
    end
  end)
  local self = setmetatable({ fd = http:connect(), rest = "", id = 0, roles = roles }, Browser)
  local hello = ("GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    .. "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"):format(tab.webSocketDebuggerUrl:match "ws://[^/]+(/.*)$", port)
  ffi.C.send(self.fd, hello, #hello, 0x4000)
  local answer = Http.read(self.fd, 5000, function(t) return t:find("\r\n\r\n", 1, true) end)
  assert(answer:find "^HTTP/1%.1 101", answer)
  return self
end

function Browser:send(method, params)
  self.id = self.id + 1
  local call = cjson.encode { id = self.id, method = method, params = params or { _ = cjson.null } }
  local text = frame((call:gsub('"touchPoints":{}', '"touchPoints":[]'))) -- a list without entries, which cjson does not know
  ffi.C.send(self.fd, text, #text, 0x4000)
  while true do
    local message, rest = unframe(self.rest)
    if message then
      self.rest = rest
      local v = cjson.decode(message)
      if v.id == self.id then return v.result or error(message) end
    else
      local more = Http.read(self.fd, 10000, function() return true end)
      assert(#more > 0, "the browser is silent")
      self.rest = self.rest .. more
    end
  end
end

-- The value of an expression in the page.
function Browser:eval(js)
  local got = self:send("Runtime.evaluate", { expression = js, returnByValue = true, awaitPromise = true })
  return got.result.value
end

function Browser:go(url, until_js)
  self:send("Page.navigate", { url = url })
  self:wait(until_js or "document.readyState === 'complete'")
end

-- Waits until an expression is true.
function Browser:wait(js)
  return self.roles:wait(js, function()
    local ok, v = pcall(self.eval, self, "!!(" .. js .. ")") -- null would be true here
    return ok and v
  end)
end

return Browser
