---@meta eas
-- luacheck: ignore 241
-- types.d.lua: types of eas.* for the Lua language server; loaded by nobody. docs/scripting.md explains.

---@class eas.array numbers in a row, bounds-checked; items are a[0] .. a[n - 1]
---@field n integer length
---@field data ffi.cdata* pointer, for kernel bindings
---@field [integer] number 0 <= i < n
---@operator len: integer
local array = {}
--- smallest item, NaN left out
---@return number NaN when there is none
function array:min() end
--- largest item, NaN left out
---@return number NaN when there is none
function array:max() end
--- smallest and largest item, NaN left out, and how many NaN there are
---@return number low
---@return number high
---@return integer nan
function array:range() end
--- sum of all items; one NaN makes it NaN
---@return number
function array:sum() end
--- mean of all items; one NaN makes it NaN
---@return number
function array:mean() end
--- middle value (mean of the middle two), NaN left out
---@return number NaN when there is none
function array:median() end
--- standard deviation of the population, over n
---@return number
function array:std() end
--- the same numbers in memory of their own
---@return eas.array
function array:copy() end
--- items i .. j-1; a write to them is one to this array. An error outside of 0 .. n.
---@param i integer first
---@param j? integer behind the last
---@return eas.array shares memory
function array:slice(i, j) end
--- a plain Lua list, which starts at 1
---@return number[] from 1
function array:table() end

---@class eas.lightcurve samples of a star; methods return new light curves and change nothing
---@field n integer
---@field time eas.array day
---@field flux eas.array
---@field flux_err eas.array NaN where unknown
---@field flag eas.array bits: 1 bad, 2 mask update, 4 gap, 8 outlier, 16 edge
---@field metadata table<string, any>
---@field n_rows integer rows in the file
---@field n_duplicate integer equal times that were dropped
local lightcurve = {}
--- the samples with t0 <= t < t0 + duration, t0 the first time. An error unless duration > 0.
---@param duration? number day; nil: all
---@return eas.lightcurve
function lightcurve:truncate(duration) end
--- without samples that are flagged bad, not finite, or repeat a time: what kernels take
---@return eas.lightcurve
function lightcurve:clean() end
--- flux around 0: its mean is taken off
---@return eas.lightcurve
function lightcurve:subtract_mean() end
--- flux around 0: its median is taken off
---@return eas.lightcurve
function lightcurve:subtract_median() end
--- flux and error over the median flux: 1 is out of transit. An error unless the median is > 0.
---@return eas.lightcurve
function lightcurve:normalise() end
--- the same samples in memory of their own, to be changed
---@return eas.lightcurve
function lightcurve:copy() end
--- time from the first to the last sample; 0 when there are none
---@return number day
function lightcurve:duration() end
--- scatter of the flux from one sample to the next: 1.4826 times the MAD of differences, over sqrt 2
---@return number unit of flux; NaN below 3 samples
function lightcurve:noise() end
--- 1 / flux_err^2 of each sample: weights for a search
---@return eas.array? nil when an error is unknown or not positive
function lightcurve:inverse_variance() end
--- writes a file: text for .txt, .txt.gz and .gz, else FITS. An error when it cannot be written.
---@param path string the ending picks the format
function lightcurve:write(path) end

---@class eas.random a generator of random numbers, from eas.random
local random = {}
--- the next number, evenly between 0 and 1, neither of them
---@return number in (0, 1)
function random:uniform() end
--- the next number of a normal distribution: mean 0, standard deviation 1
---@return number mean 0, standard deviation 1
function random:normal() end
--- the next whole number, low <= it <= high. An error when high < low.
---@param low integer
---@param high integer
---@return integer
function random:integer(low, high) end

---@class eas.row a declared setting: { default, help }
---@field [1] any
---@field [2] string
---@field type? "number"|"string"|"boolean"|"table" of a row without a default
---@field one_of? any[]

---@class eas.input an input of a task, as a file
---@field path string
---@field filename string
---@field directory string
---@field metadata table<string, any>
---@field version integer

---@class eas.task what the handler of a task script is given
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
---@field traceparent string|false W3C trace context of this attempt; task:exec gives it to programs as TRACEPARENT
---@field program string|false path of the program that the registry names for this type
---@field pack string|false folder of the pack that the script is of
local task = {}
--- reads the settings that a script declares, from the job entry; a name that is not declared, or a wrong type, is an error
---@param declared table<string, eas.row|table<string, eas.row>> rows { default, help }; a table of rows is a section
---@return table<string, any> the values by name; defaults where the job says nothing
function task:settings(declared) end
--- opens a light curve that is an input, with the metadata of its version. An error when there is none, or it is no light curve.
---@param kind string name of the input in the job entry, as "lightcurve"
---@return eas.lightcurve
function task:input(kind) end
--- path of any input, to be read only. An error when the job entry has no such input.
---@param kind string
---@return string
function task:input_path(kind) end
--- metadata of an input, without opening it
---@param kind string
---@return table<string, any>
function task:input_metadata(kind) end
--- what the setting input_path matches in the input folder, sorted; only for types whose registry entry has input_folder
---@return { name: string, path: string }[] files of the input folder that input_path matches
---@return integer outside files that lead out of the folder by links
function task:external_files() end
--- opens one of external_files as a light curve. An error that says what is wrong with the file.
---@param file { name: string, path: string } one of external_files
---@param options? { flux: string?, quality: string?, columns: string? } as the flags of eas search
---@return eas.lightcurve
function task:read_external(file, options) end
--- SHA-256 and size of a file that the task may read
---@param path string of an input, an external file, or one in scratch
---@return string sha256 hexadecimal
---@return integer bytes
function task:checksum(path) end
--- does the job entry ask for this output?
---@param kind string
---@return boolean
function task:wants(kind) end
--- makes an output that the job entry declares, in the format of its file name. An error when it is not declared.
---@param kind string name of the output in the job entry
---@param object eas.lightcurve|eas.table|string what writes itself, or the path of a file in scratch, which is moved
---@param metadata? table<string, any> kept with the version; default: that of the light curve
function task:output(kind, object, metadata) end
--- adds to what the attempt is known by: numbers, texts, booleans, lists, tables. NaN is kept as null; infinity is an error.
---@param values table<string, any> results by name
function task:set(values) end
--- a line of the log, which is kept when the level is debug
---@param format string as string.format takes it
---@param ... any its values
function task:debug(format, ...) end
--- a line of the log
---@param format string as string.format takes it
---@param ... any its values
function task:info(format, ...) end
--- a line of the log: something that people should look at
---@param format string as string.format takes it
---@param ... any its values
function task:warn(format, ...) end
--- a line of the log at the level of errors; it does not end the task, error(text) does
---@param format string as string.format takes it
---@param ... any its values
function task:error(format, ...) end
--- how far it is, in any unit; costs next to nothing. Raises when the attempt is cancelled or out of time.
---@param done number
---@param total? number of done at the end; nil: not known
function task:progress(done, total) end
--- child tasks, as job files have them; they start when this attempt has passed
---@param items table a task object, or a list of them
function task:spawn(items) end
--- runs a program without a shell, in the same sandbox, in scratch; its lines are logged unless quiet
---@param program { [integer]: string, folder: string?, stdin: string?, quiet: boolean? } name, arguments; folder and stdin are of scratch
---@return integer status 128 + signal when one ended it
---@return string output of standard output, the first MB
function task:exec(program) end
--- waits; raises when the attempt is to stop
---@param seconds number > 0
function task:sleep(seconds) end

---@class eas.made a file that an attempt made
---@field filename string
---@field path string
---@field size integer
---@field metadata table<string, any>
---@field lightcurve eas.lightcurve opened when looked at

---@class eas.attempt what the handler of a quality check is given
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
--- a product may be used. It fails when the attempt did not end with ok; an error when no such output was made.
---@param kind string
function attempt:pass(kind) end
--- a product may not be used, and why. An error when no such output was made.
---@param kind string
---@param reason string
function attempt:fail(kind, reason) end
--- passes all that was made, or fails all of it
---@param ok boolean
---@param reason? string
function attempt:pass_all(ok, reason) end
--- records a check, to be shown; it decides nothing. True unless its verdict is fail.
---@param check { name: string, value: any, limit: any, verdict: "pass"|"warn"|"fail"|"skip"|"note" }
---@return boolean
function attempt:check(check) end
--- a check that must hold: recorded, and named in attempt.failed if it does not
---@param name string
---@param ok any passes when true
---@param value any
---@param limit? any
---@param warn? "warn"
---@return boolean
function attempt:require(name, ok, value, limit, warn) end
--- opens a light curve that the attempt had as an input. An error when there is none.
---@param kind string
---@return eas.lightcurve
function attempt:input(kind) end
--- a line of the log of the check
---@param format string as string.format takes it
---@param ... any its values
function attempt:info(format, ...) end
--- a line of the log of the check: something that people should look at
---@param format string as string.format takes it
---@param ... any its values
function attempt:warn(format, ...) end

---@class eas.table numbers in named columns, from eas.table
local table_ = {}
--- writes a file: text for .csv, .txt and .dat, each also with .gz, else a FITS binary table. An error when it cannot be written.
---@param path string the ending picks the format
function table_:write(path) end

---@class eas.search what `new` of a kernel's module returns: nothing is computed yet
---@field n_points integer samples searched
---@field n_periods integer trials
---@field path? string which way through the kernel is taken
local search = {}
--- searches, cut over threads; each step says how far it is, some 20 times a second. Raises when the attempt is to stop.
---@param threads? integer 1 unless given; task.threads is what the task may use
---@return fun(): integer, integer an iterator of done and total, for a for loop
function search:run(threads) end
--- the strongest trial, when the search has ended; numbers are NaN where nothing was found
---@return table numbers of the strongest trial, by the names of a result
function search:best() end
--- all trials, as eas.table takes them
---@return { n: integer, columns: string[], [string]: eas.array } all trials
function search:periodogram() end

---@class eas what require "eas" gives
---@field version string
---@field nan number
---@field constants table<string, number>
local eas = {}
--- wraps the handler of a task script: the script returns what this gives
---@param handler fun(task: eas.task)
---@return table for the script to return
function eas.task(handler) end
--- wraps the handler of a quality check, which returns whether the attempt passes, and why not
---@param handler fun(attempt: eas.attempt): boolean, string?
---@return table for the script to return
function eas.qc(handler) end
--- numbers in a row, from 0: n zeros, or the items of a list. An error for what is neither.
---@param from integer|number[] a length, or numbers
---@return eas.array
function eas.array(from) end
--- n evenly spaced numbers, both ends included
---@param start number
---@param stop number
---@param n integer
---@return eas.array
function eas.linspace(start, stop, n) end
--- a new light curve of n samples (time and flux 0, error NaN), or of arrays, which are copied. An error when their lengths differ.
---@param from integer|{ time: eas.array, flux: eas.array, flux_err: eas.array?, flag: eas.array? } samples, or arrays (time in days)
---@param metadata? table<string, any>
---@return eas.lightcurve
function eas.lightcurve(from, metadata) end
--- a table of numbers to give to task:output. An error when a column is no array of n numbers.
---@param columns { n: integer, columns: string[], [string]: eas.array }
---@param units? table<string, string> by column, as { period = "d" }
---@param keywords? table<string, any> for the header of FITS
---@return eas.table
function eas.table(columns, units, keywords) end
--- a text to give to task:output; gzipped where the file name ends in .gz
---@param words string
---@return table with :write(path)
function eas.text(words) end
--- a generator of its own: the same numbers from the same seed, on every machine. An error unless 0 <= seed < 2^53.
---@param seed integer as task.seed
---@return eas.random
function eas.random(seed) end
--- a number that is neither NaN nor infinite; everything else is not
---@param x any
---@return boolean
function eas.is_finite(x) end
--- stops at the next line, under eas shell; a worker only warns
function eas.debug() end

return eas
