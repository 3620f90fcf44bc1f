-- keyboard.lua: eas on a terminal with somebody at its keys: a pty, what is typed, what is waited for.
local ffi = require "ffi"
local T = require "spec.support"

ffi.cdef [[
struct eas_spec_winsize { unsigned short row, col, x, y; };
struct eas_spec_pollfd { int fd; short events, revents; };
int forkpty(int *master, char *name, const void *termios, const struct eas_spec_winsize *size);
int execve(const char *path, char *const argv[], char *const envp[]);
int chdir(const char *path);
void _exit(int status);
int poll(struct eas_spec_pollfd *fds, unsigned long n, int timeout);
ssize_t read(int fd, void *data, size_t n);
ssize_t write(int fd, const void *data, size_t n);
int close(int fd);
int kill(int pid, int sig);
int waitpid(int pid, int *status, int options);
int usleep(unsigned us);
]]

local Keyboard = {}
Keyboard.__index = Keyboard
Keyboard.ctrl_c, Keyboard.ctrl_d, Keyboard.tab, Keyboard.up = "\3", "\4", "\t", "\27[A"

local function c_list(list)
  local c = ffi.new("char *[?]", #list + 1)
  for i, text in ipairs(list) do c[i - 1] = ffi.cast("char *", text) end
  return c
end

-- Starts eas in a world; words as a list. options: env, folder.
function Keyboard.start(world, words, options)
  options = options or {}
  local env = { "PATH=" .. os.getenv "PATH", "TERM=xterm", "LC_ALL=C.UTF-8", "HOME=" .. world.dir, "ASAN_OPTIONS=detect_leaks=0" }
  for k, v in pairs(world:environment(options.env)) do env[#env + 1] = k .. "=" .. v end
  local argv = { T.build .. "/bin/eas" }
  for _, word in ipairs(words) do argv[#argv + 1] = word end
  local master, size = ffi.new "int[1]", ffi.new("struct eas_spec_winsize", { 40, 100 })
  local c_argv, c_env, folder = c_list(argv), c_list(env), options.folder or world.dir
  local pid = ffi.C.forkpty(master, nil, nil, size)
  if pid == 0 then
    ffi.C.chdir(folder)
    ffi.C.execve(argv[1], c_argv, c_env)
    ffi.C._exit(127)
  end
  assert(pid > 0, "forkpty")
  return setmetatable({ pid = pid, fd = master[0], text = "", at = 1 }, Keyboard)
end

-- Reads what is there within some milliseconds; false at the end.
function Keyboard:take(ms)
  local p, bytes = ffi.new("struct eas_spec_pollfd[1]", { { fd = self.fd, events = 1 } }), ffi.new "char[4096]"
  if ffi.C.poll(p, 1, ms) <= 0 then return true end
  local n = tonumber(ffi.C.read(self.fd, bytes, 4096))
  if n <= 0 then return false end
  self.raw = (self.raw or "") .. ffi.string(bytes, n)
  self.text = self.raw:gsub("\27%[[%d;?]*%a", ""):gsub("\r", ""):gsub("\8", "")
  return true
end

function Keyboard:send(keys)
  assert(tonumber(ffi.C.write(self.fd, keys, #keys)) == #keys)
  return self
end

-- Waits until a plain text has appeared behind what was expected before; an error with all that came, after seconds.
function Keyboard:expect(text, seconds)
  local left = (seconds or 10) * (T.asan and 5 or 1) * 50
  while true do
    local from, to = self.text:find(text, self.at, true)
    if from then
      self.at = to + 1
      return self
    end
    left = left - 1
    if left <= 0 or not self:take(20) then
      error(("'%s' did not come after:\n%s"):format(text, self.text:sub(self.at)), 2)
    end
  end
end

-- A line, and what has to come of it.
function Keyboard:line(text, expected, seconds)
  self:send(text .. "\n")
  return expected and self:expect(expected, seconds) or self
end

-- What came since the last expected text.
function Keyboard:rest()
  self:take(100)
  return self.text:sub(self.at)
end

-- Waits for its end (Ctrl-D was sent, say): the exit status.
function Keyboard:finish(seconds)
  local left, status = (seconds or 10) * 50, ffi.new "int[1]"
  while self:take(20) and left > 0 do left = left - 1 end
  local done = 0
  while done == 0 and left > 0 do
    done = ffi.C.waitpid(self.pid, status, 1)
    left = left - 1
    if done == 0 then ffi.C.usleep(20000) end
  end
  if done == 0 then
    ffi.C.kill(self.pid, 9)
    ffi.C.waitpid(self.pid, status, 0)
  end
  ffi.C.close(self.fd)
  assert(done ~= 0, "it does not end; the last was:\n" .. self.text:sub(-500))
  return status[0] % 128 > 0 and 128 + status[0] % 128 or math.floor(status[0] / 256)
end

return Keyboard
