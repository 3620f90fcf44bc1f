---@meta eas
-- luacheck: ignore 241
-- types.d.lua: types of eas.* for the Lua language server; loaded by nobody. docs/scripting.md explains.

---@class eas.array
---@field n integer length
---@field data ffi.cdata* pointer, for kernel bindings
---@field [integer] number 0 <= i < n
---@operator len: integer
local array = {}
---@return number smallest, NaN left out
function array:min() end
---@return number largest, NaN left out
function array:max() end
---@return number low, number high, integer nan
function array:range() end
---@return number
function array:sum() end
---@return number
function array:mean() end
---@return number NaN left out
function array:median() end
---@return number population standard deviation
function array:std() end
---@return eas.array
function array:copy() end
---@param i integer first
---@param j? integer behind the last
---@return eas.array shares memory
function array:slice(i, j) end
---@return number[] from 1
function array:table() end

---@class eas.lightcurve
---@field n integer
---@field time eas.array day
---@field flux eas.array
---@field flux_err eas.array NaN where unknown
---@field flag eas.array bits: 1 bad, 2 mask update, 4 gap, 8 outlier, 16 edge
---@field metadata table<string, any>
---@field n_rows integer rows in the file
---@field n_duplicate integer equal times that were dropped
local lightcurve = {}
---@param duration? number day; nil: all
---@return eas.lightcurve
function lightcurve:truncate(duration) end
---@return eas.lightcurve without bad samples
function lightcurve:clean() end
---@return eas.lightcurve
function lightcurve:subtract_mean() end
---@return eas.lightcurve
function lightcurve:subtract_median() end
---@return eas.lightcurve flux over its median
function lightcurve:normalise() end
---@return eas.lightcurve
function lightcurve:copy() end
---@return number day
function lightcurve:duration() end
---@return number robust scatter of one sample
function lightcurve:noise() end
---@return eas.array? nil when an error is unknown or not positive
function lightcurve:inverse_variance() end
---@param path string the ending picks the format
function lightcurve:write(path) end

---@class eas.random
local random = {}
---@return number in (0, 1)
function random:uniform() end
---@return number mean 0, standard deviation 1
function random:normal() end
---@param low integer
---@param high integer
---@return integer
function random:integer(low, high) end

---@class eas.row a declared setting: { default, help }
---@field [1] any
---@field [2] string
---@field type? "number"|"string"|"boolean"|"table" of a row without a default
---@field one_of? any[]

---@class eas.input
---@field path string
---@field filename string
---@field directory string
---@field metadata table<string, any>
---@field version integer

---@class eas.task
---@field type string
---@field name string
---@field job_name string
---@field working_directory string
---@field attempt integer
---@field number integer which try, from 1
---@field task integer
---@field job integer
---@field description table<string, any> the evaluated job entry
---@field metadata table<string, any>
---@field requested_metadata table<string, table<string, any>>
---@field inputs table<string, eas.input>
---@field outputs table<string, { filename: string }>
---@field seed integer 53 bits
---@field threads integer
---@field scratch string
---@field program string|false path of the program that the registry names for this type
---@field pack string|false folder of the pack that the script is of
local task = {}
---@param declared table<string, eas.row|table<string, eas.row>>
---@return table<string, any>
function task:settings(declared) end
---@param kind string
---@return eas.lightcurve
function task:input(kind) end
---@param kind string
---@return string
function task:input_path(kind) end
---@param kind string
---@return table<string, any>
function task:input_metadata(kind) end
---@return { name: string, path: string }[] files of the input folder that input_path matches
---@return integer outside files that lead out of the folder by links
function task:external_files() end
---@param file { name: string, path: string }
---@param options? { flux: string?, quality: string?, columns: string? }
---@return eas.lightcurve
function task:read_external(file, options) end
---@param path string
---@return string sha256, integer bytes
function task:checksum(path) end
---@param kind string
---@return boolean
function task:wants(kind) end
---@param kind string
---@param object eas.lightcurve|eas.table|string
---@param metadata? table<string, any>
function task:output(kind, object, metadata) end
---@param values table<string, any>
function task:set(values) end
---@param format string
function task:debug(format, ...) end
---@param format string
function task:info(format, ...) end
---@param format string
function task:warn(format, ...) end
---@param format string
function task:error(format, ...) end
---@param done number
---@param total? number
function task:progress(done, total) end
---@param items table a task object, or a list of them
function task:spawn(items) end
---@return { name: string, path: string }[] files of the input folder, integer outside left out
function task:external_files() end
---@param file { path: string } one of external_files
---@param options? table flux, quality, columns
---@return eas.lightcurve
function task:read_external(file, options) end
---@param path string of a file that the task may read
---@return string sha256, integer size
function task:checksum(path) end
---@param program { [integer]: string, folder: string?, stdin: string?, quiet: boolean? }
---@return integer status, string output
function task:exec(program) end
---@param seconds number
function task:sleep(seconds) end

---@class eas.made
---@field filename string
---@field path string
---@field size integer
---@field metadata table<string, any>
---@field lightcurve eas.lightcurve opened when looked at

---@class eas.attempt
---@field type string
---@field number integer
---@field ending "ok"|"error"|"crashed"|"timeout"|"cpu"|"memory"|"disk"|"processes"|"cancelled"
---@field error? { message: string, trace: string }
---@field log { level: integer, text: string }[]
---@field description table<string, any>
---@field metadata table<string, any> what the task set
---@field task_metadata table<string, any>
---@field requested_metadata table<string, table<string, any>>
---@field inputs table<string, eas.input>
---@field declared table<string, { filename: string }>
---@field outputs table<string, eas.made>
---@field wall_seconds number
---@field failed string[] reasons of required checks that failed
local attempt = {}
---@param kind string
function attempt:pass(kind) end
---@param kind string
---@param reason string
function attempt:fail(kind, reason) end
---@param ok boolean
---@param reason? string
function attempt:pass_all(ok, reason) end
---@param check { name: string, value: any, limit: any, verdict: "pass"|"warn"|"fail"|"skip"|"note" }
---@return boolean
function attempt:check(check) end
---@param name string
---@param ok any passes when true
---@param value any
---@param limit? any
---@param warn? "warn"
---@return boolean
function attempt:require(name, ok, value, limit, warn) end
---@param kind string
---@return eas.lightcurve
function attempt:input(kind) end
---@param format string
function attempt:info(format, ...) end
---@param format string
function attempt:warn(format, ...) end

---@class eas.table
local table_ = {}
---@param path string
function table_:write(path) end

---@class eas.search what `new` of a kernel's module returns: nothing is computed yet
---@field n_points integer samples searched
---@field n_periods integer trials
---@field path? string which way through the kernel is taken
local search = {}
---@param threads? integer
---@return fun(): integer?, integer? done and total, until the search has ended
function search:run(threads) end
---@return table numbers of the strongest trial, by the names of a result
function search:best() end
---@return { n: integer, columns: string[], [string]: eas.array } all trials
function search:periodogram() end

---@class eas.native.tls
local tls = {}
---@param lc eas.lightcurve
---@param set? table<string, any>
---@return eas.search
function tls.new(lc, set) end
---@param span number days
---@param set? table<string, any>
---@return eas.array periods, ascending
function tls.period_grid(span, set) end

---@class eas.native.fbls
local fbls = {}
---@param lc eas.lightcurve
---@param set? table<string, any>
---@return eas.search
function fbls.new(lc, set) end

---@class eas.native.bls_kovacs
local bls_kovacs = {}
---@param lc eas.lightcurve
---@param frequencies eas.array|number[] per day
---@param set? table<string, any>
---@return eas.search
function bls_kovacs.new(lc, frequencies, set) end

---@class eas
---@field version string
---@field nan number
---@field constants table<string, number>
local eas = {}
---@param handler fun(task: eas.task)
function eas.task(handler) end
---@param handler fun(attempt: eas.attempt): boolean, string?
function eas.qc(handler) end
---@param from integer|number[]
---@return eas.array
function eas.array(from) end
---@param start number
---@param stop number
---@param n integer
---@return eas.array
function eas.linspace(start, stop, n) end
---@param from integer|{ time: eas.array, flux: eas.array, flux_err: eas.array?, flag: eas.array? }
---@param metadata? table<string, any>
---@return eas.lightcurve
function eas.lightcurve(from, metadata) end
---@param columns { n: integer, columns: string[], [string]: eas.array }
---@param units? table<string, string>
---@param keywords? table<string, any>
---@return eas.table
function eas.table(columns, units, keywords) end
---@param words string
---@return table with :write(path)
function eas.text(words) end
---@param seed integer
---@return eas.random
function eas.random(seed) end
---@param x any
---@return boolean
function eas.is_finite(x) end
--- stops at the next line, under eas shell; a worker only warns
function eas.debug() end

return eas
