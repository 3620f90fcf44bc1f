-- What the documents show works: jobs pass the check and run, scripts load, commands marked "sh run" end well, examples run.
-- The scripts and kernels of docs/scripting.md and docs/kernels.md are run by spec/tasks/docs_spec.lua.
local T = require "spec.support"
local World = require "spec.cli.world"

local KNOWN = { [""] = true, json = true, lua = true, c = true, python = true, sh = true, ["sh run"] = true, xml = true }

local function files(pattern)
  local list = {}
  for name in T.sh(("cd %s && ls %s 2>/dev/null"):format(T.quote(T.root), pattern)).out:gmatch "[^\n]+" do list[#list + 1] = name end
  return list
end

-- { file, line, info, text } of every fenced block.
local function blocks()
  local list = {}
  for _, file in ipairs(files "README.md CONTRIBUTING.md docs/*.md") do
    local n, open = 0, nil
    for line in (T.read(T.root .. "/" .. file) .. "\n"):gmatch "(.-)\n" do
      n = n + 1
      local info = line:match "^```(.*)$"
      if info and not open then
        open = { file = file, line = n, info = info, lines = {} }
      elseif info then
        open.text = table.concat(open.lines, "\n") .. "\n"
        list[#list + 1], open = open, nil
      elseif open then
        open.lines[#open.lines + 1] = line
      end
    end
    assert(not open, file .. ": a block has no end")
  end
  return list
end

local all = blocks()

local function each(info, fn)
  local n = 0
  for _, block in ipairs(all) do
    if block.info == info then
      n = n + 1
      fn(block, ("%s:%d"):format(block.file, block.line))
    end
  end
  return n
end

local function in_root(world, words) return world:eas(words, { cwd = T.root, timeout = 100 }) end

describe("blocks of the documents", function()
  it("say what they are", function()
    for _, block in ipairs(all) do assert.truthy(KNOWN[block.info], ("%s:%d: '%s'"):format(block.file, block.line, block.info)) end
    assert.truthy(#all >= 10)
  end)

  it("in JSON are jobs that run", function()
    local n = each("json", function(block, where)
      local world = World.new()
      local path = T.write(world:path "job.json", block.text)
      local got = world:eas { "submit", path, "--check" }
      assert.equal(0, got.status, where .. ": " .. got.err)
      assert.is_nil(T.read(world:database()))
      got = world:eas { "run", path, "--no-progress" }
      assert.equal(0, got.status, where .. ": " .. got.out .. got.err .. world:eas("errors").out)
    end)
    assert.truthy(n >= 3)
  end)

  it("in Lua load", function()
    local n = each("lua", function(block, where) assert.truthy(loadstring(block.text, where)) end)
    assert.truthy(n >= 4)
  end)

  it("marked 'sh run' run, line by line", function()
    local n = each("sh run", function(block, where)
      local world = World.new()
      local env = {}
      for name, value in pairs(world:environment()) do env[#env + 1] = T.quote(name .. "=" .. value) end
      for line in block.text:gmatch "[^\n]+" do
        local got = T.sh(("cd %s && env PATH=%s:$PATH %s timeout -k 2 60 sh -c %s"):format(T.quote(T.root), T.quote(T.build .. "/bin"),
          table.concat(env, " "), T.quote(line)))
        assert.equal(0, got.status, ("%s: %s: %s%s"):format(where, line, got.out, got.err))
        assert.truthy(#got.out > 0, where .. ": " .. line)
      end
    end)
    assert.truthy(n >= 1)
  end)

  it("name commands that there are", function()
    local overview = T.eas({ "--help" }).out
    for _, info in ipairs { "sh", "sh run" } do
      each(info, function(block, where)
        for name in ("\n" .. block.text):gmatch "\neas ([%w]+)" do
          assert.truthy(overview:find("\n  eas " .. name .. " ", 1, true), where .. ": eas " .. name)
        end
      end)
    end
  end)
end)

describe("examples", function()
  local list = files "examples/*.json examples/*.lua"

  it("pass the check", function()
    assert.truthy(#list >= 4)
    for _, file in ipairs(list) do
      local got = in_root(World.new(), { "submit", "--check", file })
      assert.equal(0, got.status, file .. ": " .. got.err)
    end
  end)

  it("run, and all passes", function()
    for _, file in ipairs(list) do
      local world = World.new()
      local got = in_root(world, { "run", file, "--no-progress", "--json" })
      assert.equal(0, got.status, file .. ": " .. got.out .. got.err)
      local v = World.json.decode(got.out)
      assert.equal(v.tasks, v.passed + v.reused, file)
      assert.equal(0, world:eas("fsck --verify").status)
    end
  end)
end)
