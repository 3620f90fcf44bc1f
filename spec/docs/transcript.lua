-- transcript.lua: runs what a document shows. Blocks "sh" are run as they stand. A block that begins with "$ " is a transcript: lines
-- with "$ " are commands; lines with a prompt ("> ", "a3> ", "a3 debug> ") are what is typed; all others must come, in this
-- order. "…" stands for anything in a line.
local T = require "spec.support"
local Transcript = {}

local function blocks(path)
  local list, open = {}, nil
  for line in (T.read(path) .. "\n"):gmatch "(.-)\n" do
    local info = line:match "^```(.*)$"
    if info and not open then open = { info = info, lines = {} }
    elseif info then list[#list + 1], open = open, nil
    elseif open then open.lines[#open.lines + 1] = line end
  end
  return list
end

-- Environment and folder of all commands: options.folder, options.env.
local function run(options, command, stdin)
  local words = {}
  for name, value in pairs(options.env or {}) do words[#words + 1] = T.quote(name .. "=" .. value) end
  return T.sh(("cd %s && env LC_ALL=C.UTF-8 PATH=%s:$PATH HOME=%s EAS_SLOTS=1 EAS_LOG_LEVEL=warn %s timeout -k 2 100 sh -c %s 2>&1")
    :format(T.quote(options.folder), T.quote(T.build .. "/bin"), T.quote(options.folder), table.concat(words, " "), T.quote(command)), stdin)
end

-- Where a line is found in a text, from a place on: the end of it, or nil.
local function find(text, line, at)
  local pattern = line:gsub("%p", "%%%0"):gsub("%%?\226%%?\128%%?\166", "[^\n]-")
  local _, to = text:find(pattern, at)
  return to
end

local function check(shown, got)
  local at = 1
  for _, line in ipairs(shown.expected) do
    local to = find(got.out, line, at)
    assert(to, ("$ %s\n'%s' did not come (in this order) in:\n%s"):format(shown.command, line, got.out))
    at = to + 1
  end
end

local function steps(block)
  local list = {}
  for _, line in ipairs(block.lines) do
    local typed = line:match "^a%d+> (.*)$" or line:match "^a%d+ debug> (.*)$" or line:match "^>+ (.*)$"
    if line:match "^>   " then typed = nil end -- a line of source at which the debugger stands
    if line:match "^> %d+ %S+:%d+" then typed = nil end -- a frame of its stack
    if line:sub(1, 2) == "$ " then list[#list + 1] = { command = line:sub(3), typed = {}, expected = {} }
    elseif typed then table.insert(list[#list].typed, typed)
    elseif line:match "%S" then table.insert(list[#list].expected, (line:gsub("%s+$", ""))) end
  end
  return list
end

-- Runs all of a document. options.skip(text of a block): true leaves it out; options.rename(line): the line with ids as they are in
-- this run. Returns how many commands ran.
function Transcript.run(path, options)
  local n = 0
  for _, block in ipairs(blocks(path)) do
    for i, line in ipairs(options.rename and block.lines or {}) do block.lines[i] = options.rename(line) end
    local text = table.concat(block.lines, "\n") .. "\n"
    if not (options.skip and options.skip(text)) then
      if block.info == "sh" then
        local got = run(options, "set -e\n" .. text)
        assert(got.status == 0, text .. got.out)
        n = n + 1
      elseif block.info == "" and text:sub(1, 2) == "$ " then
        for _, step in ipairs(steps(block)) do
          local got = run(options, step.command, #step.typed > 0 and table.concat(step.typed, "\n") .. "\n" or nil)
          check(step, got)
          n = n + 1
        end
      end
    end
  end
  return n
end

return Transcript
