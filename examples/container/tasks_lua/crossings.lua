-- crossings: how often a light curve falls through levels between its median and its minimum.
--   input     lightcurve
--   settings  levels
--   metadata  median, most (crossings of one level), at (that level), points
local eas = require "eas"
local array = require "eas.array"
local crossings = require "native.crossings"

local settings = {
  levels = { 50, "levels between the minimum and the median" },
}

return eas.task(function(task)
  local set = task:settings(settings)
  local lc = task:input "lightcurve"
  local low, median = lc.flux:min(), lc.flux:median()
  local levels = array.new(set.levels)
  for i = 0, set.levels - 1 do levels[i] = median - (median - low) * (i + 0.5) / set.levels end

  local counts, best = crossings.count(lc, levels, task.threads), 0
  for i = 1, set.levels - 1 do
    if counts[i] > counts[best] then best = i end
  end
  task:set { median = median, most = counts[best], at = levels[best], points = lc.n }
end)
