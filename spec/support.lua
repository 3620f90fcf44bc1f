-- support.lua: what specs share: declarations of C headers, folders that vanish, the binary, reference data.
local ffi = require "ffi"
local host = require "spec.host"

-- busted loads modules anew for each file; what must outlive that is in the host's table
host.folders = host.folders or {}
host.declared = host.declared or {}
local folders, declared = host.folders, host.declared

local T = { root = host.root, build = host.build, asan = host.asan }

-- A promise of "within n seconds" is held as n * T.patience: the machine is shared and sanitizers are slow, while what the
-- spec looks for (a bell that was not heard, a look every 30 s) takes far longer. EAS_PATIENCE=1 on a quiet machine holds the promise itself.
T.patience = tonumber(os.getenv "EAS_PATIENCE") or host.asan and 8 or 5

-- What headers use and LuaJIT does not know.
ffi.cdef [[
typedef struct json_t json_t;
typedef int pid_t;
typedef unsigned int uid_t;
typedef unsigned int gid_t;
typedef long off_t;
typedef long ssize_t;
typedef long time_t;
typedef struct _IO_FILE FILE;
typedef struct siginfo_t siginfo_t;
char *mkdtemp(char *template);
int chmod(const char *path, unsigned mode);
void free(void *);
int getpid(void);
unsigned geteuid(void);
int eas_path_remove_tree(const char *path, void *err);
]]

local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read "*a"
  file:close()
  return text
end
T.read = read

function T.write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
  return path
end

local function quote(word)
  return "'" .. tostring(word):gsub("'", "'\\''") .. "'"
end
T.quote = quote

function T.soon(took_s, promised_s)
  if took_s >= promised_s * T.patience then
    error(("it took %.2f s; %.2f s are promised, %.0f times that waited for"):format(took_s, promised_s, T.patience), 2)
  end
end

-- Runs a shell command: its exit status (128 + n for signal n), stdout, stderr.
function T.sh(command, stdin)
  local dir = T.tmpdir()
  local out, err, input = dir .. "/out", dir .. "/err", "/dev/null"
  if stdin then input = T.write(dir .. "/in", stdin) end
  local status = os.execute(("( %s ) >%s 2>%s <%s"):format(command, out, err, input))
  local code = status >= 256 and math.floor(status / 256) or status > 0 and 128 + status % 128 or 0
  return { status = code, out = read(out), err = read(err) }
end

-- Runs the eas binary with a list of arguments. options: env (table), cwd, stdin, timeout (s, 120).
-- Returns { status, out, err }.
function T.eas(args, options)
  options = options or {}
  local words = { "cd", quote(options.cwd or T.root), "&&", "env" }
  for name, value in pairs(options.env or {}) do
    words[#words + 1] = quote(name .. "=" .. value)
  end
  words[#words + 1] = ("timeout -k 5 %d"):format(options.timeout or 120)
  words[#words + 1] = quote(T.build .. "/bin/eas")
  for _, word in ipairs(type(args) == "table" and args or { args }) do
    words[#words + 1] = quote(word)
  end
  return T.sh(table.concat(words, " "), options.stdin)
end

-- A new empty folder that others may enter (children have uids of their own); removed at the end.
function T.tmpdir()
  local template = (os.getenv "TMPDIR" or "/tmp") .. "/eas-spec-XXXXXX"
  local name = ffi.new("char[?]", #template + 1, template)
  assert(ffi.C.mkdtemp(name) ~= nil, "no temporary folder: " .. template)
  local path = ffi.string(name)
  ffi.C.chmod(path, 493) -- 0755
  folders[#folders + 1] = path
  return path
end

function T.clean_up()
  while #folders > 0 do
    ffi.C.eas_path_remove_tree(table.remove(folders), nil)
  end
end

-- Reference data that stands beside the repository: its path, or nil.
function T.reference(name)
  local path = (os.getenv "EAS_REFERENCE" or T.root .. "/../shared/reference") .. "/" .. name
  local file = io.open(path, "rb")
  if not file then return nil end
  file:close()
  return path
end

-- Inside a test: skips it, with the reason, unless cond holds. Returns cond.
function T.skip_unless(cond, why)
  if not cond then host.skip(why) end -- raises
  return cond
end

-- A header without what only C understands: includes (done on their own), inline bodies. EAS_CDEF, under which some
-- headers show scripts less, is not set: specs see all.
local function strip(text)
  text = text:gsub("#[ \t]*include[^\n]*", "")
  text = text:gsub("static[ \t]+inline[^;{]*%b{}", "")
  return text
end

local function preprocess(text, name)
  local cache = T.build .. "/cdef"
  local file = ("%s/%s.h"):format(cache, name:gsub("[/.]", "_"))
  local kept = read(file)
  local made = kept and kept:sub(1, #text) == text and kept:match("\n//cdef\n(.*)", #text)
  if made then return made end
  local got = T.sh(("%s -E -P -DEAS_EXPORT= -x c -"):format(host.cc), text)
  assert(got.status == 0, ("cdef of %s: %s"):format(name, got.err))
  os.execute("mkdir -p " .. quote(cache))
  local fresh = ("%s.%d"):format(file, ffi.C.getpid())
  T.write(fresh, text .. "\n//cdef\n" .. got.out) -- whole or not at all: specs run side by side
  os.rename(fresh, file)
  return got.out
end

-- Declares a header of ours ("engine/base/hash.h", "tasks_native/bls.h") to the FFI, what it includes first.
function T.cdef(header)
  if declared[header] then return end
  declared[header] = true
  local text = assert(read(T.root .. "/" .. header), "no header " .. header)
  local folder = header:match "^(.*/)" or ""
  for included in text:gmatch '#[ \t]*include[ \t]+"([^"]+)"' do
    local top = header:match "^([^/]+/)"
    for _, candidate in ipairs { top .. included, folder .. included, "engine/" .. included } do
      if read(T.root .. "/" .. candidate) then
        T.cdef(candidate)
        break
      end
    end
  end
  local ok, why = pcall(ffi.cdef, preprocess(strip(text), header))
  assert(ok, ("cdef of %s: %s"):format(header, why))
end

-- A kernel's library, its header declared.
function T.kernel(name)
  T.cdef("tasks_native/" .. name .. ".h")
  return ffi.load(("%s/%s.so"):format(host.native, name))
end

return T
