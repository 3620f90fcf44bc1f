-- eas.view.new_task: the files of a new task type, as a JSON object path -> text. Request: { name =, kernel = bool }.
-- All of it runs as it stands: it counts samples below thresholds, and is there to be replaced.
local json = require "eas.json"

local TASK = [==[
-- @NAME@: how many samples of a light curve are below each of some thresholds.
--   input     lightcurve
--   settings  thresholds: list of fluxes; 1 is the median
--   metadata  n_points; n_below: a count for each threshold; lowest: the deepest flux
local eas = require "eas"
@REQUIRE@
local settings = {
  thresholds = { { 0.999, 0.99 }, "fluxes; 1 is the median" },
}

return eas.task(function(task)
  local set = task:settings(settings)
  local lc = task:input("lightcurve"):clean():normalise()
@BODY@
  task:info("%d samples; %d below %g", lc.n, counts[1], set.thresholds[1])
  task:set { n_points = lc.n, n_below = counts, lowest = lc.flux:min() }
end)
]==]

local LUA_BODY = [==[
  local counts = {}
  for k, threshold in ipairs(set.thresholds) do
    counts[k] = 0
    for i = 0, lc.n - 1 do
      if lc.flux[i] < threshold then counts[k] = counts[k] + 1 end
    end
    task:progress(k, #set.thresholds)
  end]==]

local KERNEL_BODY = [==[
  local counts = @NAME@.count(lc, eas.array(set.thresholds), task.threads)]==]

local QC = [==[
-- @NAME@: passes when there is a count for each threshold, and none is impossible.
local eas = require "eas"

return eas.qc(function(attempt)
  local counts, n = attempt.metadata.n_below or {}, attempt.metadata.n_points
  attempt:require("counts", attempt.ending == "ok" and #counts > 0, #counts, "at least 1")
  for k, count in ipairs(counts) do
    attempt:require("count " .. k, eas.is_finite(count) and count >= 0 and count <= n, count, "0 to the number of samples")
  end
  attempt:pass_all(#attempt.failed == 0, attempt.failed[1])
  return #attempt.failed == 0, attempt.failed[1]
end)
]==]

local REGISTRY = [==[
<?xml version="1.0" encoding="UTF-8"?>
<task_type_registry>
  <tasks>
    <task>
      <name>@NAME@</name>
      <container>all</container>
      <description>counts samples below thresholds</description>
      <timeout>10 min</timeout>
      <memory_gb>1</memory_gb>
    </task>
  </tasks>
</task_type_registry>
]==]

local JOB = [==[
{
  "job_name": "@NAME@",
  "working_directory": "@NAME@",
  "task_list": [
    { "task": "synthesis_batman", "outputs": { "lightcurve": "lc.fits" },
      "specs": { "duration": 20, "orbital_period": 5, "semi_major_axis": 0.06, "noise": 1e-4, "sampling_cadence": 1800 } },
    { "task": "@NAME@", "inputs": { "lightcurve": "lc.fits" }, "thresholds": [0.999, 0.99, 0.5] }
  ]
}
]==]

local SPEC = [==[
-- Run by: make check (or EAS_TASK_PATH=. eas lua spec/@NAME@_spec.lua, in the folder of the pack)
local json = require "eas.json"
local program, pack = os.getenv "EAS" or "eas", os.getenv "EAS_TASK_PATH" or "."

local function read(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

local function same(expected, found, what)
  if expected ~= found then error(("%s: expected %s, found %s"):format(what, tostring(expected), tostring(found)), 0) end
end
@KERNEL_CASE@
-- the example: runs, passes its quality check, and the counts are those of a star with a transit of 1 %
local data = os.tmpname()
os.remove(data)
local status = os.execute(("%s run %s/examples/@NAME@.json --data %s --quiet --no-progress >%s.log 2>&1"):format(program, pack, data, data))
local said = read("cat " .. data .. ".log")
local rows = status == 0 and json.decode(read(("%s results --type @NAME@ --json --data %s"):format(program, data))) or {}
local attempt = rows[1] and json.decode(read(("%s show %s --json --data %s"):format(program, rows[1].task, data))).attempts[1].attempt
local found = attempt and json.decode(read(("%s show %s --json --data %s"):format(program, attempt, data))).metadata or {}
os.execute(("rm -rf %s %s.log"):format(data, data))
same(0, status, "eas run ended with, saying\n" .. said)
same(960, found.n_points, "samples")
same(3, #found.n_below, "counts")
if not (found.n_below[1] > 0 and found.n_below[1] >= found.n_below[2]) then error("no sample is in transit", 0) end
same(0, found.n_below[3], "samples below half of the flux")
print "@NAME@: ok"
]==]

local KERNEL_CASE = [==[

-- the kernel alone: a case by hand; threads change nothing
local eas = require "eas"
local @NAME@ = require "native.@NAME@"
local lc = eas.lightcurve(5)
for i, flux in ipairs { 1, 0.5, 0.9, 1.1, 0.2 } do lc.flux[i - 1] = flux end
for threads = 1, 3 do
  local counts = @NAME@.count(lc, eas.array { 0.1, 0.5, 0.95, 2 }, threads)
  for k, expected in ipairs { 0, 1, 3, 5 } do same(expected, counts[k], "threshold " .. k) end
end
]==]

local HEADER = [==[
/* @NAME@.h: how many samples are below each of some thresholds.
 *
 * Thresholds are independent: [i0, i1) may be cut over threads and calls. No allocation, no I/O, no state. */
#ifndef @UPPER@_H
#define @UPPER@_H
#include "eas_native.h"

typedef struct {           /* all borrowed; no array may overlap another */
  size_t n, n_threshold;   /* both >= 1 */
  const double *flux;      /* [n] finite */
  const double *threshold; /* [n_threshold] */
  double *out;             /* [n_threshold] counts */
} eas_@NAME@_job;

/* EAS_OK, or why the job is refused: EAS_EARG (sizes), EAS_EDATA (flux). */
EAS_EXPORT int eas_@NAME@_check(const eas_@NAME@_job *job);
/* Counts at thresholds i0 <= i < i1 of a checked job, into job->out. work: none is needed. */
EAS_EXPORT int eas_@NAME@_run(const void *job, size_t i0, size_t i1, void *work);
#endif
]==]

local SOURCE = [==[
#include "@NAME@.h"

int eas_@NAME@_check(const eas_@NAME@_job *job)
{
  if (job->n < 1 || job->n_threshold < 1) return EAS_EARG;
  for (size_t k = 0; k < job->n; k++)
    if (!(job->flux[k] - job->flux[k] == 0)) return EAS_EDATA;
  return EAS_OK;
}

int eas_@NAME@_run(const void *arg, size_t i0, size_t i1, void *work)
{
  const eas_@NAME@_job *job = arg;
  (void)work;
  for (size_t i = i0; i < i1; i++) {
    size_t count = 0;
    for (size_t k = 0; k < job->n; k++) count += job->flux[k] < job->threshold[i];
    job->out[i] = (double)count;
  }
  return EAS_OK;
}
]==]

local BINDING = [==[
-- native.@NAME@: counts of samples below thresholds.
local ffi = require "ffi"
local native = require "eas.native"
local lib = native.load "@NAME@"

local @NAME@ = {}

-- Counts of lc's samples below each threshold (an array), as a list.
function @NAME@.count(lc, thresholds, threads)
  local n = tonumber(thresholds.n)
  local job, out = ffi.new "eas_@NAME@_job", native.array(n)
  job.n, job.flux = lc.n, lc.flux.data
  job.n_threshold, job.threshold, job.out = n, thresholds.data, out.data
  native.check(lib.eas_@NAME@_check(job), "@NAME@")
  for _ in native.run(lib, "eas_@NAME@_run", job, n, 0, threads or 1, { lc, thresholds, out }) do end
  local counts = {}
  for i = 0, n - 1 do counts[i + 1] = out[i] end
  return counts
end

return @NAME@
]==]

local MAKEFILE = [==[
# Builds the kernels of this pack beside their bindings, and runs its specs. Needs the package eas-dev, or the engine's tree:
#   make EAS=.../build/dev/bin/eas EAS_CDEF=.../cmake/eas-cdef EAS_INCLUDE=.../tasks_native
EAS ?= eas
EAS_CDEF ?= eas-cdef
EAS_INCLUDE ?= /usr/include/eas
CFLAGS ?= -O2 -g
KERNELS := $(wildcard native/*.c)

all: $(KERNELS:.c=.so) $(KERNELS:.c=_cdef.lua)

native/%.so: native/%.c native/%.h
	$(CC) -std=c11 $(CFLAGS) -Wall -Wextra -fvisibility=hidden -fPIC -shared -I$(EAS_INCLUDE) -o $@ $<

# For run { preset = "asan" } under eas shell: which array a kernel leaves.
asan: $(KERNELS:native/%.c=native/asan/%.so)

native/asan/%.so: native/%.c native/%.h
	mkdir -p native/asan
	$(CC) -std=c11 -O1 -g -fsanitize=address -fvisibility=hidden -fPIC -shared -I$(EAS_INCLUDE) -o $@ $<

native/%_cdef.lua: native/%.h
	CC="$(CC)" $(EAS_CDEF) $< $@ $(EAS_INCLUDE)

check: all
	EAS_TASK_PATH=. $(EAS) registry check
	set -e; for spec in spec/*_spec.lua; do EAS=$(EAS) EAS_TASK_PATH=. $(EAS) lua $$spec; done

clean:
	rm -rf native/*.so native/*_cdef.lua native/asan
.PHONY: all asan check clean
]==]

return function(request)
  local name = request.name
  local function fill(text, more)
    for key, value in pairs(more or {}) do text = text:gsub("@" .. key .. "@", (value:gsub("%%", "%%%%"))) end
    return (text:gsub("@NAME@", name):gsub("@UPPER@", name:upper()))
  end
  local kernel = request.kernel
  local files = {
    ["tasks_lua/" .. name .. ".lua"] = fill(TASK, { REQUIRE = kernel and 'local @NAME@ = require "native.@NAME@"\n' or "",
                                                    BODY = kernel and KERNEL_BODY or LUA_BODY }),
    ["qc_lua/" .. name .. ".lua"] = fill(QC),
    ["registry/" .. name .. ".xml"] = fill(REGISTRY),
    ["examples/" .. name .. ".json"] = fill(JOB),
    ["spec/" .. name .. "_spec.lua"] = fill(SPEC, { KERNEL_CASE = kernel and KERNEL_CASE or "" }),
    ["Makefile"] = MAKEFILE,
  }
  if kernel then
    files["native/" .. name .. ".h"] = fill(HEADER)
    files["native/" .. name .. ".c"] = fill(SOURCE)
    files["native/" .. name .. ".lua"] = fill(BINDING)
  end
  return json.encode(files)
end
