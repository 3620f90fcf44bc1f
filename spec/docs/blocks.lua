-- The fenced blocks of the documents, for the specs that run them.
local T = require "spec.support"

local M = {}

function M.files(pattern)
  local list = {}
  for name in T.sh(("cd %s && ls %s 2>/dev/null"):format(T.quote(T.root), pattern)).out:gmatch "[^\n]+" do list[#list + 1] = name end
  return list
end

-- { file, line, info, text } of every fenced block.
local function blocks()
  local list = {}
  for _, file in ipairs(M.files "README.md CONTRIBUTING.md docs/*.md") do
    local n, open = 0, nil
    for line in (T.read(T.root .. "/" .. file) .. "\n"):gmatch "(.-)\n" do
      n = n + 1
      local info = line:match "^```(.*)$"
      if info and not open then
        open = { file = file, line = n, info = info, lines = {} }
      elseif info then
        open.text = table.concat(open.lines, "\n") .. "\n"
        list[#list + 1], open = open, nil
      elseif open then
        open.lines[#open.lines + 1] = line
      end
    end
    assert(not open, file .. ": a block has no end")
  end
  return list
end

M.all = blocks()

-- fn(block, "file:line") of each block that is marked so; how many there were.
function M.each(info, fn)
  local n = 0
  for _, block in ipairs(M.all) do
    if block.info == info then
      n = n + 1
      fn(block, ("%s:%d"):format(block.file, block.line))
    end
  end
  return n
end

return M
