-- eas: what scripts are written with. docs/scripting.md is the whole of it; types.d.lua has the types.
local core = require "eas.core"
local array = require "eas.array"

local eas = {
  version = core.version,
  nan = 0 / 0,
  array = array.new,
  linspace = array.linspace,
  task = require "eas.task".define,
  qc = require "eas.qc".define,
  lightcurve = require "eas.lc".new,
  random = require "eas.random".new,
  table = require "eas.table_file".new,
  text = require "eas.table_file".text,
}

-- A number that is neither NaN nor infinite.
function eas.is_finite(x)
  return type(x) == "number" and x - x == 0
end

-- By another name: what a script requires, and what that requires, is part of what its results are known by; who only looks on
-- is not.
local load_module = require

-- Stops at the next line under `eas shell`; elsewhere it only says that it is ignored.
function eas.debug()
  load_module "eas.debugger".stop()
end

-- Days, and the sizes of prototype job files (docs/job_format.md).
eas.constants = {
  day = 1, hour = 1 / 24, month = 28, year = 365.25,       -- day
  sun_radius = 695500e3, earth_radius = 6371e3, jupiter_radius = 71492e3, -- m
  phy_AU = 149597870700,                                   -- m
  Rearth = 0.08911486,                                     -- Jupiter radii
  plato_noise = 0.000315,                                  -- relative, in 25 s
}

return eas
