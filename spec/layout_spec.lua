-- The tree shows the architecture: who may include whom, how long things may be, what kernels and scripts may touch.
local T = require "spec.support"

-- A folder of engine/ and those just below it; what these may include, it may too.
local below = {
  base = "",
  expr = "base", registry = "base", lightcurve = "base", store = "base", sandbox = "base", db = "base",
  queue = "db",
  model = "db registry expr",
  worker = "sandbox model queue store",
  control = "model queue store",
  web = "base",
  cli = "control worker model lightcurve web",
}

local function find(where, pattern)
  local files = {}
  local pipe = io.popen(("cd %s && find %s -type f -name %s 2>/dev/null | sort"):format(T.quote(T.root), where, T.quote(pattern)))
  for file in pipe:lines() do files[#files + 1] = file end
  pipe:close()
  return files
end

local function c_files(where)
  local files = find(where, "*.c")
  for _, file in ipairs(find(where, "*.h")) do files[#files + 1] = file end
  return files
end

local function text_of(file) return assert(T.read(T.root .. "/" .. file), file) end

local function lines_of(file)
  local lines = {}
  for line in (text_of(file):gsub("\n$", "") .. "\n"):gmatch "(.-)\n" do lines[#lines + 1] = line end
  return lines
end

local function allowed_for(module, set)
  set = set or { [module] = true, base = true }
  for name in (below[module] or ""):gmatch "%a+" do
    if not set[name] then
      set[name] = true
      allowed_for(name, set)
    end
  end
  return set
end

-- Fails with all that was found, not only the first.
local function none(found)
  assert.equal("", table.concat(found, "\n"))
end

local function without_comments(text)
  return (text:gsub("/%*.-%*/", function(comment) return comment:gsub("[^\n]", " ") end))
end

describe("includes", function()
  it("of the engine point down", function()
    local found = {}
    for _, file in ipairs(c_files "engine") do
      local module = file:match "^engine/(%a+)/"
      if not below[module] then found[#found + 1] = file .. ": a folder that spec/layout_spec.lua does not know" end
      local allowed = allowed_for(module)
      for included in text_of(file):gmatch '#%s*include%s+"([^"]+)"' do
        local from = included:match "^(%a+)/"
        if not from or not allowed[from] then found[#found + 1] = ("%s includes %s"):format(file, included) end
      end
    end
    none(found)
  end)

  it("agree with what CMake links", function()
    local cmake = text_of "engine/CMakeLists.txt"
    for module in pairs(below) do
      local line = assert(cmake:match("eas_module%(" .. module .. "(.-)%)"), module .. " is no module")
      local allowed = allowed_for(module)
      for name in (line:match "DEPS(.*)" or ""):gsub("PKG.*", ""):gmatch "%a+" do
        assert.is_true(allowed[name], ("%s links %s"):format(module, name))
      end
    end
  end)

  it("name Lua in bindings only", function()
    local found = {}
    for _, folder in ipairs { "engine", "tasks_native" } do
      for _, file in ipairs(c_files(folder)) do
        if text_of(file):find "#%s*include%s+[<\"]l[ua][ua][a-z]*%.h" then found[#found + 1] = file end
      end
    end
    none(found)
  end)

  it("of kernels are their own and the C library's", function()
    local known = {}
    for header in ("complex ctype errno float immintrin inttypes limits math stdalign stdbool stddef stdint stdlib string tgmath"):gmatch "%a+" do
      known[header .. ".h"] = true
    end
    local found = {}
    for _, file in ipairs(c_files "tasks_native") do
      for kind, included in text_of(file):gmatch '#%s*include%s+([<"])([^>"]+)' do
        if kind == "<" and not known[included] then found[#found + 1] = ("%s includes <%s>"):format(file, included) end
        if kind == '"' and not T.read(T.root .. "/tasks_native/" .. included) then
          found[#found + 1] = ("%s includes %s"):format(file, included)
        end
      end
    end
    none(found)
  end)
end)

describe("SQL", function()
  it("is in engine/model and engine/db only", function()
    local found = {}
    for _, file in ipairs(c_files "engine") do
      if not file:find "^engine/model/" and not file:find "^engine/db/" then
        for word in without_comments(text_of(file)):gmatch '"%s*(%u+ %S+)' do
          local verb = word:match "^%u+"
          if verb == "SELECT" or verb == "INSERT" or verb == "DELETE" or verb == "UPDATE" or word:find "^CREATE TABLE" then
            found[#found + 1] = ("%s: %s"):format(file, word)
          end
        end
      end
    end
    none(found)
  end)
end)

describe("sizes", function()
  local function check_files(files, limit)
    local found = {}
    for _, file in ipairs(files) do
      local n = #lines_of(file)
      if n > limit then found[#found + 1] = ("%s: %d lines, limit %d"):format(file, n, limit) end
    end
    none(found)
  end

  it("of files are up to 400 lines", function()
    local files = c_files "engine bindings tasks_native spec"
    for _, file in ipairs(find("bindings tasks_lua qc_lua diag bench", "*.lua")) do files[#files + 1] = file end
    check_files(files, 400)
  end)

  it("of task scripts are up to 40 lines, of QC scripts up to 15", function()
    check_files(find("tasks_lua -maxdepth 1", "*.lua"), 40)
    check_files(find("qc_lua -maxdepth 1", "*.lua"), 15)
  end)

  it("of C functions are up to 60 lines", function()
    local found = {}
    for _, file in ipairs(c_files "engine bindings tasks_native spec") do
      local opened
      for number, line in ipairs(lines_of(file)) do
        if line == "{" then opened = number end
        if line == "}" and opened then
          local n = number - opened + 2 -- with its head
          if n > 60 then found[#found + 1] = ("%s:%d: %d lines"):format(file, opened - 1, n) end
          opened = nil
        end
      end
    end
    none(found)
  end)

  it("of Lua functions are up to 60 lines", function()
    local found = {}
    for _, file in ipairs(find("bindings tasks_lua qc_lua diag", "*.lua")) do
      local open = {}
      for number, line in ipairs(lines_of(file)) do
        local indent = line:match "^(%s*).*function[%w_.: ]*%([^)]*%)%s*$"
        if indent then open[indent] = number end
        indent = line:match "^(%s*)end"
        if indent and open[indent] then
          if number - open[indent] + 1 > 60 then found[#found + 1] = ("%s:%d"):format(file, open[indent]) end
          open[indent] = nil
        end
      end
    end
    none(found)
  end)
end)

describe("scripts", function()
  it("require eas.* and lib.* only, and touch neither ffi, io nor os", function()
    local found = {}
    for _, file in ipairs(find("tasks_lua qc_lua", "*.lua")) do
      for number, line in ipairs(lines_of(file)) do
        local code = line:gsub("%-%-.*", "")
        local module = (" " .. code):match "[^%w_.:]require%s*%(?%s*[\"']([^\"']+)"
        if module and not (module == "eas" or module:find "^eas%." or module:find "^lib%.") then
          found[#found + 1] = ("%s:%d requires %s"):format(file, number, module)
        end
        if code:find "%f[%w_]io%." or code:find "%f[%w_]os%." or code:find "%f[%w_]ffi%f[^%w_]" or code:find "%f[%w_]loadstring%f[^%w_]" then
          found[#found + 1] = ("%s:%d: %s"):format(file, number, line)
        end
      end
    end
    none(found)
  end)

  it("come in pairs: a task and its QC", function()
    for _, file in ipairs(find("tasks_lua -maxdepth 1", "*.lua")) do
      assert.is_truthy(T.read(T.root .. "/" .. file:gsub("^tasks_lua", "qc_lua")), file .. " has no QC script")
    end
  end)
end)

describe("kernels", function()
  local native = require("spec.host").native
  local files = {}
  local pipe = io.popen("ls " .. T.quote(native) .. "/*.so 2>/dev/null")
  for file in pipe:lines() do files[#files + 1] = file end
  pipe:close()

  local function symbols(file, flags) return T.sh(("nm %s %s"):format(flags, T.quote(file))).out end

  it("are there", function()
    assert.is_true(#files > 0, "no kernel in " .. native)
  end)

  it("need libc and libm only, and neither allocate nor print", function()
    T.skip_unless(not T.asan, "sanitizers add symbols of their own")
    local refused = {}
    for name in ("malloc calloc realloc free aligned_alloc posix_memalign printf fprintf puts fopen open read write pthread_create exit abort")
      :gmatch "%S+" do
      refused[name] = true
    end
    local found = {}
    for _, file in ipairs(files) do
      for kind, symbol in symbols(file, "-D --undefined-only"):gmatch "%s+(%a) (%S+)" do
        local name = symbol:match "^[^@]+"
        if kind == "U" and (not symbol:find "@GLIBC_" or refused[name]) then
          found[#found + 1] = ("%s needs %s"):format(file, symbol)
        end
      end
      for library in T.sh("readelf -d " .. T.quote(file)).out:gmatch "NEEDED%)%s+Shared library: %[([^%]]+)" do
        if not library:find "^libc%.so" and not library:find "^libm%.so" then found[#found + 1] = file .. " links " .. library end
      end
    end
    none(found)
  end)

  it("show functions of their own name only", function()
    T.skip_unless(not T.asan, "sanitizers add symbols of their own")
    local found = {}
    for _, file in ipairs(files) do
      local kernel = file:match "([^/]+)%.so$"
      for _, symbol in symbols(file, "-D --defined-only"):gmatch "%x+ (%a) (%S+)" do
        if not symbol:find("^eas_" .. kernel .. "_") then found[#found + 1] = ("%s shows %s"):format(file, symbol) end
      end
    end
    none(found)
  end)
end)

describe("source files", function()
  it("say what they are when they are a contract, and leave nothing open", function()
    local found = {}
    local files = c_files "engine bindings tasks_native spec/host spec/fuzz"
    for _, file in ipairs(find("engine bindings tasks_native", "*.h")) do
      local text, name = text_of(file), file:match "[^/]+$"
      if text:sub(1, #name + 4) ~= "/* " .. name .. ":" then found[#found + 1] = file .. ": no line '/* " .. name .. ": ...' first" end
    end
    for _, file in ipairs(find("bindings tasks_lua qc_lua spec diag", "*.lua")) do files[#files + 1] = file end
    for _, file in ipairs(files) do
      local text = file:find "layout_spec" and "" or text_of(file)
      if text:find "%f[%u]TODO%f[%U]" or text:find "%f[%u]FIXME%f[%U]" then
        found[#found + 1] = file .. ": something is left open"
      end
    end
    none(found)
  end)
end)
