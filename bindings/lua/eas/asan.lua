-- eas.asan: what AddressSanitizer writes of a fault, for people: what was done where, and to which memory. Of its fifty lines
-- those with addresses and shadow bytes are left out.
local asan = {}

local WHY = {
  ["heap-buffer-overflow"] = "an array was left",
  ["use-after-poison"] = "a column of a light curve was left",
  ["heap-use-after-free"] = "memory was used after it was given back",
  ["stack-buffer-overflow"] = "an array on the stack was left",
}

-- A function that takes a line of the log and gives the line to show, or nil. A report is of one piece.
function asan.filter()
  local inside = false
  return function(line)
    local kind = line:match "ERROR: AddressSanitizer: ([%w%-]+)"
    if kind then
      inside = true
      return ("AddressSanitizer: %s%s"):format(kind, WHY[kind] and ": " .. WHY[kind] or "")
    end
    if not inside then
      if line:match "^=+$" then return nil end
      return line
    end
    if line:match "^==%d+==ABORTING" then inside = false end
    local what = line:match "^(%u+ of size %d+)"
    if what then return "  " .. what end
    local frame, module, place = line:match "^ +#(%d+) .*%(([^)]*)%+0x%x+, ([^)]+)%)"
    if frame then return ("    #%s %s  (%s)"):format(frame, place, module:match "[^/]*$") end
    local where = line:match "is located (%d+ bytes .-) %["
    if where then return "  " .. where end
    return line:match "^(%l+) by thread" and "  " .. line:match "^(%l+) by thread" .. " at" or nil
  end
end

return asan
