-- The reference (cmake/reference): its links lead somewhere, it says what help() says, and nothing that is public lacks its words.
local T = require "spec.support"

package.path = ("%s/cmake/?.lua;%s/bindings/lua/?.lua;%s"):format(T.root, T.root, package.path)
local annotations = require "eas.repl.annotations"
local c_api = require "reference.c_api"
local lua_api = require "reference.lua_api"

local known, out
setup(function()
  known, out = lua_api.load(T.root .. "/bindings/lua/eas"), T.tmpdir()
  local got = T.eas { "lua", T.root .. "/cmake/reference/make.lua", T.root, out }
  assert.equal(0, got.status, got.err)
end)

local function none(list) assert.truthy(#list == 0, table.concat(list, "\n")) end

local function files(pattern) return T.sh(("cd %s && ls %s"):format(T.quote(T.root), pattern)).out:gmatch "[^\n]+" end

describe("of Lua", function()
  it("tells each function's meaning, and every argument", function()
    local lack = {}
    for _, name in ipairs(known.order) do
      local f, told = known.functions[name], {}
      if #f.text == 0 then lack[#lack + 1] = name .. ": no line says what it does" end
      for _, p in ipairs(f.params) do
        told[p.name:match "^[%w_.]+"] = true
        if p.type == "" then lack[#lack + 1] = ("%s: @param %s has no type"):format(name, p.name) end
      end
      for argument in f.arguments:gmatch "[^%s,]+" do
        if not told[argument] then lack[#lack + 1] = ("%s: no @param %s"):format(name, argument) end
        told[argument] = nil
      end
      for argument in pairs(told) do lack[#lack + 1] = ("%s: @param %s is no argument"):format(name, argument) end
    end
    assert.truthy(#known.order > 150)
    none(lack)
  end)

  it("leaves out nothing that scripts can call", function()
    local lack = {}
    local function want(name) if not known.functions[name] then lack[#lack + 1] = name end end
    for file, class in pairs { array = "array", lc = "lightcurve", task = "task", qc = "attempt", random = "random", table_file = "table" } do
      for name in T.read(("%s/bindings/lua/eas/%s.lua"):format(T.root, file)):gmatch "\nfunction methods%.([%w_]+)" do want(("eas.%s:%s"):format(class, name)) end
    end
    for _, level in ipairs { "debug", "info", "warn", "error" } do want("eas.task:" .. level) end
    local list = T.write(out .. "/list.lua", 'for name, v in pairs(require "eas") do if type(v) == "function" then print("eas." .. name) end end')
    local n = 0
    for name in T.eas({ "lua", list }).out:gmatch "[^\n]+" do want(name) n = n + 1 end
    assert.truthy(n >= 10)
    for file in files "bindings/lua/eas/native/*.lua" do
      local module = file:match "([%w_]+)%.lua$"
      if T.sh(("test -e %s/tasks_native/%s.h"):format(T.root, module)).status == 0 then
        for name in T.read(T.root .. "/" .. file):gmatch("\nfunction (" .. module .. "%.[%w_]+)") do want("eas.native." .. name) end
      end
    end
    none(lack)
  end)

  it("is what help() says", function()
    local ask = T.write(out .. "/ask.lua", [[
local help = require "eas.repl.help"
for name in io.lines(...) do print(help.text(name, {})) print "\1" end
]])
    local wanted = T.write(out .. "/wanted", table.concat(known.order, "\n") .. "\n")
    local said, n = T.eas({ "lua", ask, wanted }).out, 0
    local text = T.read(out .. "/lua.md")
    for block in said:gmatch "(.-)\1\n" do
      local head = block:match "^[^\n]+"
      n = n + 1
      assert.truthy(text:find("### `" .. head .. "`\n", 1, true), head)
      local f = known.functions[known.order[n]]
      for _, line in ipairs(f.text) do assert.truthy(block:find(line, 1, true) and text:find(line, 1, true), head .. ": " .. line) end
      for _, p in ipairs(f.params) do assert.truthy(block:find(p.note, 1, true) and text:find(("* `%s` `%s` %s"):format(p.name, p.type, p.note):match "^(.-)%s*$", 1, true)) end
    end
    assert.equal(#known.order, n)
  end)

  it("reads types that have spaces in them", function()
    for text, kind in pairs { ["{ name: string, path: string }[] files"] = "{ name: string, path: string }[]", ["fun(a: b): boolean, string? what"] = "fun(a: b): boolean, string?",
      ["integer|{ time: eas.array } samples"] = "integer|{ time: eas.array }", ["table<string, any>"] = "table<string, any>", ["number day, > 0"] = "number", [""] = "" } do
      assert.equal(kind, (annotations.split_type(text)))
    end
  end)
end)

describe("of C", function()
  it("has a comment for every function of a header that others include", function()
    local lack, n = {}, 0
    for _, h in ipairs(c_api.load(T.root)) do
      for _, name in ipairs(c_api.undocumented(h)) do lack[#lack + 1] = ("%s: %s has no comment above it or behind it"):format(h.path, name) end
      for _, group in ipairs(h.groups) do
        for _, kind in pairs(group.names) do n = n + (kind == "function" and 1 or 0) end
      end
    end
    assert.truthy(n > 400, n)
    none(lack)
  end)
end)

describe("its pages", function()
  it("link to each other, need no network, and have each name once", function()
    local ids, pages, n = {}, {}, 0
    for page in T.sh("ls " .. out .. "/*.html").out:gmatch "([%w_.-]+%.html)\n" do
      pages[page], ids[page] = T.read(out .. "/" .. page), {}
      for id in pages[page]:gmatch ' id="([^"]+)"' do
        assert.falsy(ids[page][id], page .. ": twice " .. id)
        ids[page][id] = true
      end
    end
    for page, text in pairs(pages) do
      assert.falsy(text:find 'href="%a+:' or text:find 'src=' or text:find "@import", page)
      for href in text:gmatch 'href="([^"]+)"' do
        local to, id = href:match "^([^#]*)#?(.*)$"
        to = to == "" and page or to
        assert.truthy(pages[to], page .. ": " .. href)
        assert.truthy(id == "" or ids[to][id], page .. ": " .. href)
        n = n + 1
      end
    end
    assert.truthy(n > 3000, n)
    for place, name in pairs { ["lua.html"] = "eas.lightcurve:truncate", ["prompt.html"] = "lightcurve", ["bindings.html"] = "eas.native.tls.new", ["c-bls.html"] = "eas_bls_run",
      ["c-queue-queue.html"] = "eas_queue_take" } do
      assert.truthy(ids[place] and ids[place][name], place .. "#" .. name)
      assert.truthy(pages["names.html"]:find(('href="%s#%s"'):format(place, name), 1, true), name)
    end
  end)
end)
