--- transit_model: light curves of transiting planets, with the noise of a camera.
--
--   local made = transit_model.light_curve{ n = 4320, step = 600 / 86400, period = 4.3, t0 = 1.7,
--                                           radius_ratio = 0.1, axis = 12, noise = 1e-4, seed = task.seed }
--   made.time, made.flux, made.flux_err, made.summary

local ffi = require "ffi"
local native = require "eas.native"
local lib = native.load "transit_model"

local transit_model = {}

local LAW = { uniform = 0, linear = 1, quadratic = 2 }
local SAMPLING = { midpoints = 0, peer = 1 }

local AU, JUPITER, SUN = 149597870700, 71492e3, 695500e3 -- m
transit_model.sun_in_jupiters = SUN / JUPITER

local function choice(names, value, what)
  local got = names[value]
  if got == nil then error(("transit_model: unknown %s '%s'"):format(what, tostring(value)), 3) end
  return got
end

--- Shape of an orbit from sizes: planet_radius and star_radius in radii of Jupiter, semi_major_axis in AU,
--- orbital_angle in degrees (0: edge-on) or impact_parameter (wins).
---@param set table the sizes
---@return table radius_ratio, axis, inclination
function transit_model.geometry(set)
  local star = set.star_radius or transit_model.sun_in_jupiters
  local axis = set.semi_major_axis * AU / JUPITER / star
  local angle = set.orbital_angle or 0
  if set.impact_parameter then
    if math.abs(set.impact_parameter) > axis then
      error(("transit_model: impact_parameter %g is outside of the orbit (%.4g stellar radii)")
        :format(set.impact_parameter, axis), 2)
    end
    angle = math.deg(math.asin(set.impact_parameter / axis))
  end
  return { radius_ratio = set.planet_radius / star, axis = axis, inclination = 90 - angle }
end

-- Setting, lower bound (excluded if strict), upper bound (excluded).
local RANGES = {
  { "period", 0, math.huge, strict = true }, { "axis", 1, math.huge, strict = true }, { "eccentricity", 0, 1 },
  { "t0", -math.huge, math.huge }, { "inclination", -math.huge, math.huge }, { "omega", -math.huge, math.huge },
  { "radius_ratio", -math.huge, math.huge }, { "supersample", 1, 10001 }, { "noise", 0, math.huge },
}

-- What the kernel would refuse without saying which: an error at the caller of light_curve.
local function check_ranges(set)
  for _, range in ipairs(RANGES) do
    local name, low, high = range[1], range[2], range[3]
    local value = set[name]
    if value == nil and (name == "period" or name == "axis" or name == "radius_ratio") then
      error("transit_model: " .. name .. " is not given", 4)
    end
    local good = value == nil or type(value) == "number" and value >= low and value < high
      and not (range.strict and value == low)
    if not good then
      error(("transit_model: %s is %s; it must be %s%s"):format(name, tostring(value),
        low == -math.huge and "a finite number" or (range.strict and "> " or ">= ") .. low,
        high < math.huge and " and < " .. high or ""), 4)
    end
  end
  if (set.supersample or 1) > 1 and not (set.exposure and set.exposure > 0 and set.exposure < set.period) then
    error("transit_model: supersample needs exposure, in days, > 0 and shorter than the period", 4)
  end
end

local function fill(job, set)
  local to, u = job.set, set.limb_darkening or { 0.1, 0.3 }
  to.t0, to.period = set.t0 or 0, set.period
  to.radius_ratio, to.axis, to.inclination = set.radius_ratio, set.axis, set.inclination or 90
  to.eccentricity, to.omega = set.eccentricity or 0, set.omega or 90
  to.u1, to.u2, to.law = u[1] or 0, u[2] or 0, choice(LAW, set.law or "quadratic", "law")
  to.exposure, to.supersample = set.exposure or 0, set.supersample or 1
  to.sampling = choice(SAMPLING, set.sampling or "midpoints", "sampling")
  to.every_sample = 0
end

local function add_planet(total, base, planet, threads, on_progress)
  local set = setmetatable({}, { __index = function(_, key)
    local own = planet[key]
    if own == nil then return base[key] end
    return own
  end })
  local n, job = tonumber(total.n), ffi.new "eas_transit_model_job"
  local deficit = native.array(n)
  job.n, job.deficit = n, deficit.data
  if base.time then job.time = base.time.data else job.start, job.step = base.start or 0, base.step end
  check_ranges(set)
  fill(job, set)
  native.check(lib.eas_transit_model_check(job), "transit_model", nil, 3)
  local plan = native.aligned(lib.eas_transit_model_plan_size(job))
  job.plan = plan
  native.check(lib.eas_transit_model_prepare(job), "transit_model", nil, 3)
  local size = lib.eas_transit_model_work_size(job)
  for done, of in native.run(lib, "eas_transit_model_run", job, n, size, threads or 1, { deficit, base, plan }) do
    if on_progress then on_progress(done, of) end
  end
  for i = 0, n - 1 do total[i] = total[i] + deficit[i] end
end

--- Numbers of a deficit seen with white noise sigma per sample.
---@param deficit eas.array light that is missing, of 1
---@param sigma number|nil 0: mes and snr are none
---@return table integrated_transit_power, pixels_in_transit, pixels_out_of_transit, mes, snr, deepest
function transit_model.summarize(deficit, sigma)
  local raw = ffi.new "eas_transit_model_summary"
  lib.eas_transit_model_summarize(deficit.data, deficit.n, sigma or 0, raw)
  native.keep(deficit)
  return { integrated_transit_power = raw.integrated_power, pixels_in_transit = raw.pixels_in_transit,
           pixels_out_of_transit = raw.pixels_out_of_transit, mes = raw.mes, snr = raw.snr, deepest = raw.deepest }
end

--- n standard normal numbers of a stream, from number `first` (0) on; the same for the same seed, always.
---@param seed integer
---@param n integer how many
---@param first integer|nil 0
---@return eas.array
function transit_model.noise(seed, n, first)
  local out = native.array(n)
  lib.eas_transit_model_noise(seed, first or 0, n, out.data)
  return out
end

--- The light that planets take, as light_curve has it, added to `total` (array) if given.
---@param set table settings of light_curve; noise plays no part
---@param total eas.array|nil of as many items
---@return eas.array
function transit_model.deficit(set, total)
  local n = set.time and tonumber(set.time.n) or set.n
  if not n or not (set.time or set.step) then error("transit_model: give time, or n and step", 2) end
  total = total or native.array(n)
  for _, planet in ipairs(set.planets or { set }) do
    add_planet(total, set, planet, set.threads, set.on_progress)
  end
  return total
end

--- A light curve. Times: time (array), or n, step and start (0), days. One planet by its settings, or
--- several as `planets`, a list of such settings (mutual eclipses are ignored): period, t0 (0),
--- radius_ratio, axis, inclination (90), eccentricity (0), omega (90), limb_darkening ({0.1, 0.3}), law
--- ("quadratic"), exposure, supersample (1), sampling ("midpoints" or "peer"). noise: standard deviation per
--- sample; seed; mes_noise: the noise that mes and snr assume (noise if absent).
---@param set table settings
---@return table n, time, flux, flux_err, deficit, summary
function transit_model.light_curve(set)
  local n = set.time and tonumber(set.time.n) or set.n
  if not n then error("transit_model: give time, or n and step", 2) end
  local out = { n = n, time = set.time or native.array(n), flux = native.array(n), flux_err = native.array(n),
                deficit = native.array(n) }
  if not set.time then
    if not set.step then error("transit_model: give time, or n and step", 2) end
    for i = 0, n - 1 do out.time[i] = (set.start or 0) + i * set.step end
  end

  transit_model.deficit(set, out.deficit)
  local sigma = set.noise or 0
  out.summary = transit_model.summarize(out.deficit, set.mes_noise or sigma)
  local normal = sigma > 0 and transit_model.noise(set.seed or 1, n)
  for i = 0, n - 1 do
    out.flux[i] = 1 - out.deficit[i] + (normal and sigma * normal[i] or 0)
    out.flux_err[i] = sigma
  end
  return out
end

return transit_model
