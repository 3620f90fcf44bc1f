-- terminal.lua: eas on a terminal of a known size: util-linux' script gives the terminal, a small emulator what is on it.
local T = require "spec.support"

local Terminal = {}

-- What a character of UTF-8 is, and where the next one begins.
local function character(text, at)
  local n = text:byte(at)
  local size = n < 0x80 and 1 or n < 0xe0 and 2 or n < 0xf0 and 3 or 4
  return text:sub(at, at + size - 1), at + size
end

local Screen = {}
Screen.__index = Screen

local function new_screen(columns)
  return setmetatable({ columns = columns, lines = {}, row = 1, column = 1 }, Screen)
end

function Screen:put(c)
  if self.column > self.columns then -- a terminal goes on in the next line: no line of ours may be that long
    self.row, self.column = self.row + 1, 1
    self.wrapped = true
  end
  local line = self.lines[self.row] or {}
  for i = #line + 1, self.column - 1 do line[i] = " " end
  line[self.column] = c
  self.lines[self.row] = line
  self.column = self.column + 1
end

function Screen:erase_below()
  for i = self.row, #self.lines do self.lines[i] = nil end
end

-- Its lines without blanks at their ends, as one text.
function Screen:text()
  local out, last = {}, 0
  for i in pairs(self.lines) do last = math.max(last, i) end
  for i = 1, last do out[i] = (table.concat(self.lines[i] or {}):gsub("%s+$", "")) end
  return table.concat(out, "\n"):gsub("\n+$", "") .. "\n"
end

-- Follows what a program wrote. Returns the screen at the end, and its text before each step upwards.
function Terminal.follow(bytes, columns)
  local s, frames, at = new_screen(columns), {}, 1
  while at <= #bytes do
    local c
    c, at = character(bytes, at)
    if c == "\r" then
      s.column = 1
    elseif c == "\n" then
      s.row, s.column = s.row + 1, 1
    elseif c == "\27" then
      local n, what, next_at = bytes:match("^%[%??([%d;]*)(%a)()", at)
      assert(what, "an escape that is none: " .. bytes:sub(at, at + 10))
      at = next_at
      if what == "A" then
        frames[#frames + 1] = s:text()
        assert(not s.wrapped, "a line of the block is longer than the terminal:\n" .. s:text())
        s.row = s.row - (tonumber(n) or 1)
        assert(s.row >= 1, "drawn above the screen")
      elseif what == "J" then
        s:erase_below()
      elseif what == "K" then
        assert(not s.wrapped, "a line that is drawn anew is longer than the terminal:\n" .. s:text())
        frames[#frames + 1] = s:text()
        for i = s.column, #(s.lines[s.row] or {}) do s.lines[s.row][i] = nil end
      else
        assert(what == "m", "what the emulator does not know: ESC [ " .. n .. what)
        s.coloured = true
      end
    else
      s:put(c)
    end
  end
  return s, frames
end

-- Runs eas in a world on a terminal. options: columns (80), rows (24), env. Returns { status, screen, frames }.
function Terminal.run(world, words, options)
  options = options or {}
  local env = { TERM = "xterm", LC_ALL = "C.UTF-8" }
  for k, v in pairs(options.env or {}) do env[k] = v end
  local list = { "env" }
  for k, v in pairs(world:environment(env)) do list[#list + 1] = T.quote(k .. "=" .. v) end
  local columns = options.columns or 80
  local command = ("stty cols %d rows %d; cd %s; exec %s %s/bin/eas %s"):format(columns, options.rows or 24, T.quote(world.dir),
    table.concat(list, " "), T.quote(T.build), words)
  local got = T.sh(("timeout -k 5 60 script -qec %s /dev/null"):format(T.quote(command)))
  local screen, frames = Terminal.follow(got.out, columns)
  return { status = got.status, screen = screen, text = screen:text(), frames = frames }
end

-- What differs from run to run, by words of the same kind; blanks before a number go with it.
function Terminal.mask(text, world)
  text = text:gsub(world.dir:gsub("%p", "%%%0"), "DIR")
  text = text:gsub("%x%x%x%x%x%x%x%x%x%x%x%x%x+", "HEX")
  text = text:gsub("%d%d%d%d%-%d%d%-%d%d", "DATE"):gsub("%d%d:%d%d:%d%d", "TIME")
  text = text:gsub(" *[%d.:]+ [mu]?s(%W)", " DURATION%1"):gsub(" *[%d.:]+ min(%W)", " DURATION%1")
  return (text:gsub("peak *[%d.]+ [kMG]?B", "peak SIZE"):gsub("[%d.]+/s", "RATE"):gsub("[%d:%-]+ left", "ETA left"))
end

return Terminal
