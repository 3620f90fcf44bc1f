-- lib.dst: the task of both dst-like searches; they differ in whether events may be off their times.
local eas = require "eas"
local dst = require "eas.native.dst"
local transit = require "lib.transit"

local lib = {}

local function settings(shift)
  return {
    period_min    = { 0.6, "shortest trial period" },
    period_max    = { nil, "longest; half of the light curve if not given", type = "number" },
    duration_min  = { 1 / 24, "shortest transit" },
    duration_max  = { 16 / 24, "longest transit" },
    duration_step = { 1.15, "ratio of neighbouring durations" },
    alpha         = { 0.35, "roundness of a transit: 0 a box, 1 a parabola" },
    baseline      = { true, "each event has a level of its own" },
    shift         = { shift, "durations that an event may be off its time, 0 to 0.5" },
    events_min    = { 3, "events with data that a candidate needs" },
    star_radius   = { 1, "of the Sun" },
    star_mass     = { 1, "of the Sun" },
    oversampling  = { 3, "of the grid of periods" },
  }
end

function lib.task(defaults)
  return eas.task(function(task)
    local set = transit.settings(task, settings(defaults.shift))
    local lc = transit.input(task, set)
    set.period_max = set.period_max or lc:duration() / 2
    transit.check_periods(set)
    transit.run(task, lc, dst.new(lc, set), "dst", { sde_pass = 7, sde_fail = 7 })
  end)
end

return lib
