-- eas.task: the object a task script's handler gets, and what its calls send to the supervisor.
local core = require "eas.core"
local json = require "eas.json"
local lc = require "eas.lc"
local settings = require "eas.settings"
local EVENT = { LOG = 1, METADATA = 2, OUTPUT = 3, SPAWN = 4 }
local LEVEL = { debug = 10, info = 20, warn = 30, error = 40 }

local task = {}
local methods = {}
local meta = {
  __index = function(_, name)
    if methods[name] ~= nil then return methods[name] end
    error(("task has no field '%s'"):format(tostring(name)), 2)
  end,
  __tostring = function(self) return ("task t%s %s, attempt %s"):format(tostring(self.task), self.type, tostring(self.attempt)) end,
}

local function names(t)
  local list = {}
  for name in pairs(t) do list[#list + 1] = name end
  table.sort(list)
  return #list > 0 and table.concat(list, ", ") or "none"
end
task.names = names

-- JSON of a table, or an error at the caller of the method.
local function encode(v, what)
  if type(v) ~= "table" then error(("%s takes a table, not a %s"):format(what, type(v)), 3) end
  local text, why = json.encode(v)
  if not text then error(("%s: %s"):format(what, why), 3) end
  return text
end

local function input(self, kind)
  local found = self.inputs[kind]
  if not found then
    error(("no input '%s'; the job entry has: %s"):format(tostring(kind), names(self.inputs)), 3)
  end
  return found
end

-- The light curve of an input, with the metadata of its version.
function methods.input(self, kind)
  local found = input(self, kind)
  local curve, why = lc.read(found.path, nil, found.metadata)
  if not curve then error(("input '%s' (%s): %s"):format(kind, found.filename or found.path, why), 2) end
  return curve
end

-- Path of any input, to be read only.
function methods.input_path(self, kind) return input(self, kind).path end

function methods.input_metadata(self, kind) return input(self, kind).metadata or {} end

-- Files of the input folder that the setting input_path names, sorted: a list of { name, path }; and how many lead out of
-- the folder by links. Only for types that the registry lets read it.
function methods.external_files(self)
  local found = self.external
  if not found then error("this task type may not read the input folder (registry: input_folder)", 2) end
  if found.error then error(found.error .. (found.hint ~= "" and found.hint and "; " .. found.hint or ""), 0) end
  return found.files or {}, found.outside or 0
end

-- One of them as a light curve; options: flux, quality, columns, as `eas search` has them.
function methods.read_external(_, file, options)
  local curve, why, hint = lc.read(file.path, options)
  if not curve then error(("%s: %s%s"):format(file.name, why, hint and hint ~= "" and "; " .. hint or ""), 0) end
  return curve
end

-- SHA-256 (hexadecimal) and bytes of an external file, or of any that the task may read.
function methods.checksum(_, path) return core.sha256_file(path), core.size(path) end

-- Does the job entry ask for this output?
function methods.wants(self, kind) return self.outputs[kind] ~= nil end

local function place_file(self, from, to)
  if from:sub(1, 1) ~= "/" then from = self.scratch .. "/" .. from end
  if not core.size(from) then error(("output: there is no file '%s'"):format(from), 3) end
  local ok, why = os.rename(from, to)
  if not ok then error(("output: %s"):format(why), 3) end
end

-- Makes an output: a light curve, anything with :write(path), or the path of a file in scratch (which is moved).
function methods.output(self, kind, object, metadata)
  local declared = self.outputs[kind]
  if not declared then
    error(("output '%s' is not in the job entry, which has: %s (ask with task:wants)")
      :format(tostring(kind), names(self.outputs)), 2)
  end
  local filename = declared.filename or kind
  local file = (kind .. "-" .. filename:match "[^/]*$"):gsub("[^%w._-]", "_")
  local path = self.scratch .. "/out/" .. file
  core.make_folder(self.scratch .. "/out")
  if type(object) == "string" then
    place_file(self, object, path)
  elseif type(object) == "table" and object.write then
    metadata = metadata or lc.is(object) and object.metadata
    object:write(path)
  else
    error(("output '%s' takes a light curve, an object with :write(path), or a path, not a %s")
      :format(kind, type(object)), 2)
  end
  core.event(EVENT.OUTPUT, 0, encode({ kind = kind, file = file, metadata = metadata or {} }, "output '" .. kind .. "'"))
end

-- Adds to what the attempt is known by: numbers, texts, booleans, lists and tables of them. NaN is kept as null.
function methods.set(_, values)
  local text = encode(values, "task:set")
  if text ~= "{}" then core.event(EVENT.METADATA, 0, text) end
end

for name, level in pairs(LEVEL) do
  methods[name] = function(_, format, ...)
    local text = select("#", ...) > 0 and tostring(format):format(...) or tostring(format)
    core.event(EVENT.LOG, level, text)
  end
end

-- done of total, any unit; costs next to nothing. Raises when the attempt was cancelled.
function methods.progress(_, done, total) core.progress(done, total or 0) end

-- Events are at most 1 MB: a long list goes in parts.
local function send_spawn(items, first, last)
  local part = json.list()
  for i = first, last do part[#part + 1] = items[i] end
  local text = encode(part, "task:spawn")
  if #text <= 1000000 or first == last then return core.event(EVENT.SPAWN, 0, text) end
  local middle = math.floor((first + last) / 2)
  send_spawn(items, first, middle)
  send_spawn(items, middle + 1, last)
end

-- Child tasks: a task object as in a job file, or a list of them. They start when this attempt has passed.
function methods.spawn(_, items)
  if type(items) ~= "table" then error("task:spawn takes a task object or a list of them", 2) end
  if items.task then items = { items } end
  for i, item in ipairs(items) do
    if type(item) ~= "table" or type(item.task) ~= "string" then
      error(("task:spawn: item %d has no 'task', the name of a task type"):format(i), 2)
    end
  end
  if #items > 0 then send_spawn(items, 1, #items) end
end

-- Runs a program without a shell, in the same sandbox, in scratch (or `folder` below it), reading nothing (or the file
-- `stdin`, of scratch unless it begins with "/"). Its lines are logged, standard error as warnings, unless quiet. Returns
-- its exit status (128 + signal when one ended it) and the text of its standard output (the first MB).
function methods.exec(self, program)
  if type(program) ~= "table" then error("task:exec takes a list: { program, argument, ... }", 2) end
  local stdin = program.stdin
  if stdin and stdin:sub(1, 1) ~= "/" then stdin = self.scratch .. "/" .. stdin end
  if stdin and not core.size(stdin) then error(("task:exec: there is no file '%s' to read"):format(stdin), 2) end
  local handle = core.exec_start(program, program.folder and (self.scratch .. "/" .. program.folder) or self.scratch, stdin,
    self.traceparent or nil)
  local kept, size = {}, 0
  while true do
    local stream, line = core.exec_next(handle)
    if stream == nil then return line, table.concat(kept, "\n") end
    if stream == 0 then
      core.progress_check()
    else
      if stream == 1 and size < 1048576 then
        kept[#kept + 1] = line
        size = size + #line + 1
      end
      if not program.quiet then core.event(EVENT.LOG, stream == 1 and LEVEL.info or LEVEL.warn, line) end
    end
  end
end

-- Waits; ends early (raising) when the attempt is to stop.
function methods.sleep(_, seconds)
  local start = core.clocks()
  while true do
    core.progress_check()
    local left = seconds - (core.clocks() - start)
    if left <= 0 then return end
    core.sleep(math.min(left, 0.5))
  end
end

-- Reads the settings a script declares from the job entry; docs/scripting.md.
function methods.settings(self, declared)
  local set = settings.read(self.description, declared)
  rawset(self, "settings_used", set)
  return set
end

-- The task object of a request (engine/worker/runner.h).
function task.object(request)
  return setmetatable({
    program = request.program or false, pack = (request.script or ""):match "^(.*)/tasks_lua/[^/]*$" or false,
    type = request.type, name = request.task_name or "", job_name = request.job_name or "",
    attempt = request.attempt, number = request.number or 1, task = request.task, job = request.job,
    working_directory = request.working_directory or "",
    description = request.description or {}, metadata = request.metadata or {},
    requested_metadata = request.requested_metadata or {},
    inputs = request.inputs or {}, outputs = request.outputs or {}, external = request.external or false,
    traceparent = request.traceparent or false,
    seed = request.seed or 1, threads = request.threads or 1, scratch = core.scratch() or ".",
  }, meta)
end

function task.define(handler)
  if type(handler) ~= "function" then error("eas.task takes a function: eas.task(function(task) ... end)", 2) end
  return { role = "task", handler = handler, run = function(request) handler(task.object(request)) end }
end

return task
