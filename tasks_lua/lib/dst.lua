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
    if set.period_max < set.period_min then
      error(("search_settings: period_max %g d is below period_min, %g d"):format(set.period_max, set.period_min), 0)
    end
    local search = dst.new(lc, set)
    task:info("%d periods, %d durations, %d points", search.n_periods, #search.durations, lc.n)
    for done, total in search:run(task.threads) do task:progress(done, total) end

    local best = search:best()
    if task:wants "periodogram" then
      task:output("periodogram", eas.table(search:periodogram()), { sde = best.sde, period = best.period })
    end
    task:set(best)
    task:set(transit.compare_with_truth(lc.metadata, best, lc:duration()))
    task:set(transit.vet(lc, best, "dst", { sde_pass = 7, sde_fail = 7 }))
  end)
end

return lib
