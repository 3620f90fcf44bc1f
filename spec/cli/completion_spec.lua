-- eas completion: what shells complete, from the option table; results as FITS and VOTable, as other programs read them.
local T = require "spec.support"
local World = require "spec.cli.world"

local function script(shell)
  local got = T.eas { "completion", shell }
  assert.equal(0, got.status, got.err)
  return T.write(T.tmpdir() .. "/eas." .. shell, got.out), got.out
end

local function has(program) return T.sh("command -v " .. program).status == 0 end

describe("eas completion", function()
  local path = script "bash"

  -- Candidates for the last of some words.
  local function complete(...)
    local words, list = { "eas", ... }, {}
    for i, word in ipairs(words) do words[i] = T.quote(word) end
    local got = T.sh(("bash -c %s"):format(T.quote(("source %s; COMP_WORDS=(%s); COMP_CWORD=%d; _eas; printf '%%s\\n' \"${COMPREPLY[@]}\"")
      :format(path, table.concat(words, " "), #words - 1))))
    assert.equal(0, got.status, got.err)
    for line in got.out:gmatch "[^\n]+" do list[#list + 1] = line end
    return table.concat(list, " ")
  end

  it("for bash: commands, options, words and files", function()
    local there = {}
    for word in complete("re"):gmatch "%S+" do there[word] = true end
    for _, word in ipairs { "report", "registry", "resume", "results", "rerun", "retry" } do assert.is_true(there[word], word) end
    assert.is_nil(there.run)
    assert.equal("--slots", complete("run", "--sl"))
    assert.equal("auto always", complete("status", "--color", "a"))
    assert.equal("check", complete("registry", "ch"))
    assert.truthy(complete("run", T.root .. "/examples/gri"):find("grid.json", 1, true))
    assert.equal("", complete("status", "--limit", ""))
    local names = {}
    for name in T.eas({ "--help" }).out:gmatch "\n  eas ([%w-]+)" do names[#names + 1] = name end
    local got = T.sh(("bash -c %s"):format(T.quote(("source %s; for name in %s; do COMP_WORDS=(eas $name --he); COMP_CWORD=2; _eas; "
      .. "echo $name ${COMPREPLY[*]}; done"):format(path, table.concat(names, " ")))))
    for _, name in ipairs(names) do assert.truthy(("\n" .. got.out):find("\n" .. name .. " --help\n", 1, true), name) end
  end)

  it("for zsh and fish: scripts that these read", function()
    for shell, check in pairs { zsh = "zsh -n ", fish = "fish -n " } do
      local file, text = script(shell)
      assert.truthy(text:find("registry", 1, true) and text:find("slots", 1, true) and not text:find "\27")
      if has(shell) then
        local got = T.sh(check .. file)
        assert.equal(0, got.status, got.err)
      end
    end
    assert.equal(2, T.eas({ "completion", "tcsh" }).status)
  end)
end)

describe("eas results as files", function()
  local pack = World.pack { counts = { task = [[
    local k = task.metadata.k
    task:set { n = k * 10, half = k / 2, odd = k % 2 == 1, tag = "k<" .. k .. ">&é", only = k == 2 and 0.5 or nil, period = k + 0.25,
               outcome = k == 1 and "PASS" or "FAIL" }]] } }
  local world
  lazy_setup(function()
    world = World.new(pack)
    assert.equal(0, world:run({ { task = "execution_for_loop", parameter = "k", values = { 1, 2, 3 }, task_list = { { task = "counts" } } } }).status)
  end)

  it("FITS and VOTable hold what --json has", function()
    local got = world:eas { "results", "--fits", "r.fits", "--votable", "r.xml" }
    assert.equal(0, got.status, got.err)
    assert.truthy(got.out:find("r.fits   3 rows", 1, true))
    T.skip_unless(T.sh("/usr/bin/python3 -c 'import astropy'").status == 0, "/usr/bin/python3 has no astropy")
    local check = T.write(world:path "check.py", [=[
import sys, math, warnings
from astropy.table import Table
for name in ("r.fits", "r.xml"):
    t = Table.read(name)
    assert len(t) == 3, name
    assert [int(x) for x in t["k"]] == [1, 2, 3] and [int(x) for x in t["n"]] == [10, 20, 30]
    assert t["n"].dtype.kind == "i" and t["half"].dtype.kind == "f" and t["odd"].dtype.kind == "b", (name, t.dtype)
    assert [float(x) for x in t["half"]] == [0.5, 1.0, 1.5]
    assert [bool(x) for x in t["odd"]] == [True, False, True] and [bool(x) for x in t["recovered"]] == [True, False, False]
    text = [x.decode() if isinstance(x, bytes) else str(x) for x in t["tag"]]
    assert text == ["k<%d>&\u00e9" % k for k in (1, 2, 3)], text
    only = [float(x) for x in (t["only"].filled(float("nan")) if hasattr(t["only"], "filled") else t["only"])]
    assert math.isnan(only[0]) and only[1] == 0.5 and math.isnan(only[2]), only
    assert str(t["period"].unit) == "d", t["period"].unit
]=])
    local ran = T.sh(("cd %s && /usr/bin/python3 -W error::Warning %s"):format(T.quote(world.dir), check))
    assert.equal(0, ran.status, ran.err)
  end)

  it("say what is wrong, and leave nothing half made", function()
    local got = world:eas { "results", "--fits", "/nowhere/r.fits" }
    assert.equal(2, got.status)
    assert.truthy(got.err:find("/nowhere/r.fits", 1, true), got.err)
    got = world:eas { "results", "--where", "n > 100", "--votable", "none.xml" }
    assert.equal(2, got.status)
    assert.truthy(got.err:find("there is no result to write", 1, true), got.err)
    assert.equal("", T.sh("ls " .. world.dir .. "/*.part 2>/dev/null").out)
    assert.is_nil(T.read(world:path "none.xml"))
  end)

  it("eas init tells what it made, as JSON", function()
    local w = World.new()
    local made = w:ask "init"
    assert.truthy(made.schema > 5 and made.schema_before == 0 and made.database:find "eas.db" and made.store)
  end)
end)
