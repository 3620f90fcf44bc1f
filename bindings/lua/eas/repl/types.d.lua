---@meta eas.repl
-- luacheck: ignore 211 241
-- repl/types.d.lua: what the prompt of `eas repl` and `eas shell` has at hand, for help() and the Lua language server.

---@class file an input or an output, as a product with its version
---@field kind string
---@field directory string
---@field filename string
---@field product? string id
---@field version? string id
---@field size? integer bytes
---@field verdict? "pass"|"fail"
---@field reason? string
---@field sha256? string
---@field metadata? table
---@field met? boolean
---@field maker? string id of the task that makes it
---@field maker_type? string
---@field maker_state? string
---@field maker_reason? string
---@field maker_attempt? string
---@field maker_number? integer

---@class attempt one try at a task, as it was
---@field attempt string id
---@field task string id
---@field job string id
---@field type string
---@field number integer
---@field state "queued"|"running"|"ended"
---@field ending? string ok, error, crashed, timeout, ...
---@field verdict? "pass"|"fail"
---@field credible? string of a search: pass, warn or fail
---@field reason? string why it failed
---@field error? string
---@field trace? string
---@field checks? table
---@field settings table the evaluated job entry
---@field metadata table what it found
---@field provenance? table what it was made of
---@field inputs table<string, file>
---@field outputs table<string, file>
---@field later table attempts of the task after it
---@field host? string
---@field worker? string
---@field slot? integer
---@field wall_us? integer
---@field cpu_us? integer
---@field peak_kb? integer
---@field usage? table of one that ran for over a second: lists ms (since its start), cpu_ms (used so far), rss_kb (memory)
---@field seed integer
---@field started_at? integer
---@field ended_at? integer
---@field reused? string
---@field key? string
local attempt_ = {}
--- what it logged
---@return table rows of at, level, text
function attempt_:log() end

---@class task a task of a job, with its attempts
---@field task string id
---@field job string id
---@field type string
---@field name? string
---@field state string
---@field parent? string
---@field parameters table loop variables
---@field attempts table
---@field inputs table<string, file>
---@field outputs table<string, file>
---@field needs table
---@field waits table
---@field accepted? string
---@field stale? boolean

---@class product a named file with all of its versions
---@field product string id
---@field task string id
---@field job string id
---@field kind string
---@field directory string
---@field filename string
---@field passed? string version that is the newest passed one
---@field versions table newest first
---@field used_by table

---@class version the bytes that one attempt wrote
---@field version string id
---@field attempt string id
---@field size integer bytes
---@field verdict "pass"|"fail"
---@field reason? string
---@field sha256 string
---@field metadata? table
---@field created_at integer

---@class fold a light curve folded at a period
---@field curve eas.lightcurve
---@field period number day
---@field t0 number day, a mid-time
---@field phase number[] day from mid-transit
---@field flux number[]
local fold_ = {}
--- means of the flux in n bins of phase; an error unless n is a whole number from 2
---@param n integer
---@return fold
function fold_:bin(n) end
--- only what is near mid-transit
---@param half number day: phases from -half to half
---@return fold
function fold_:around(half) end

---@class result what a search found
---@field method string
---@field curve eas.lightcurve
---@field values table all that it found
---@field settings table that it used
---@field periodogram eas.table
---@field period number day
---@field t0 number day
---@field depth number
---@field duration number day
---@field sde number
---@field credible string pass, warn or fail
---@field vetting table checks

---@class db the database, read only: questions that take a table and give rows
local db = {}
--- jobs with their counts, the newest first
---@param filter? { limit: integer }
---@return table
function db.jobs(filter) end
--- tasks, in the order of their ids
---@param filter? { job: string, type: string, state: string, limit: integer }
---@return table
function db.tasks(filter) end
--- attempts
---@param filter? { job: string, task: string, type: string, state: string, limit: integer }
---@return table newest first
function db.attempts(filter) end
--- failures, grouped by cause
---@param filter? { job: string, type: string }
---@return table
function db.errors(filter) end
--- lines of the log
---@param filter? { job: string, task: string, attempt: string, level: integer, limit: integer }
---@return table
function db.logs(filter) end
--- products with their newest version
---@param filter? { job: string, type: string, limit: integer }
---@return table
function db.files(filter) end
--- what searches found, with the parameters of their loops
---@param filter? { job: string, type: string, limit: integer }
---@return table
function db.results(filter) end
--- workers that have been seen
---@return table
function db.workers() end
--- task types of the registry
---@return table
function db.types() end

--- a task by its id
---@param id string|integer "t418" or 418
---@return task
function task(id) end

--- an attempt by its id
---@param id string|integer "a533" or 533
---@return attempt
function attempt(id) end

--- a product by its id, or by a version's
---@param id string|integer "p77", 77 or "v91"
---@return product
function product(id) end

--- a light curve: of a file, a product, a version
---@param from string|file a path, "p77", "v91", or attempt("a1").inputs.lightcurve
---@param options? { flux: string, quality: string, columns: string } as eas search has them
---@return eas.lightcurve
function lightcurve(from, options) end

--- looks for transits
---@param lc eas.lightcurve|string
---@param method? string bls, bls_kovacs, fbls, tls, qats, dst, exotrans; default bls
---@param settings? table as { period_min = 5 }
---@return result? nil if Ctrl-C came
function search(lc, method, settings) end

--- phase in days, -period/2 to period/2
---@param lc eas.lightcurve|string
---@param period number day
---@param t0? number day, a mid-transit; default the first time
---@return fold :bin(200), :around(0.5)
function fold(lc, period, t0) end

--- draws in the terminal, or to a file
---@param thing eas.lightcurve|eas.table|fold|result|number[]|{ x: number[], y: number[] }
---@param path? string .svg or .png
function plot(thing, path) end

--- this help
---@param thing? any a name, a function, a value
function help(thing) end

--- under eas shell: runs the task script as the attempt had it; breakpoint: a line of it; gdb: true, or a file of its commands;
--- preset: another build, as "asan"
---@param options? { threads: integer, breakpoint: integer, gdb: boolean|string, preset: string }
function run(options) end

--- under eas shell: runs the quality check
---@param options? { breakpoint: integer }
function qc(options) end

--- under eas shell: opens a copy of the script in $EDITOR
---@param which? "task"|"qc"
function edit(which) end

--- under eas shell: writes what was edited as a patch
---@param file? string default ATTEMPT.patch
function save(file) end
