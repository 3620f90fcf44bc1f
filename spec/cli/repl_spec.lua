-- eas repl: the prompt by a pipe and at a keyboard: values, errors, help, completion, history, Ctrl-C, plots, the database.
local T = require "spec.support"
local World = require "spec.cli.world"
local Keyboard = require "spec.cli.keyboard"

local MAKE = [[
  local lc = eas.lightcurve(1500)
  for i = 0, lc.n - 1 do
    lc.time[i] = i / 48
    lc.flux[i] = 1 + 1e-4 * math.sin(i * 12.9898) - ((lc.time[i] - 1) % 3 < 0.15 and 0.002 or 0)
    lc.flux_err[i] = 1e-4
  end
  task:output("lightcurve", lc)
  task:set { planted = 3 }
]]

local world

setup(function()
  world = World.new(World.pack { make = { task = MAKE }, breaks = { task = 'error "it breaks"' } })
  local got = world:run({
    { task = "make", outputs = { lightcurve = "lc.fits" } },
    { task = "breaks", inputs = { lightcurve = "lc.fits" } } })
  assert.equal(1, got.status, got.err)
end)

-- What comes of lines on standard input.
local function lines(...)
  return world:eas({ "repl", "--slots", "1" }, { stdin = table.concat({ ... }, "\n") .. "\n", env = { HOME = world.dir } })
end

describe("lines on standard input", function()
  it("print what they give, sorted and bounded", function()
    local got = lines("1 + 1", '= "a\\n", nil, true, 0 / 0', "{ 3, x = { y = { z = 1 } }, b = 2 }", "t = { 1 } t.me = t", "t", "long = {}",
      "for i = 1, 50 do", "  long[i] = i", "end", "long", "eas.array { 1, 2.5 }", "eas.linspace(0, 1, 100)", "nothing", "_G ~= nil")
    assert.equal("", got.err)
    assert.equal(0, got.status)
    local out = got.out
    assert.truthy(out:find('^2\n"a\\n"  nil  true  NaN\n{ 3, b = 2, x = { y = {…} } }\n{ 1, me = <again> }\n'), out)
    assert.truthy(out:find("18, 19, 20, … 30 more }\n", 1, true), out)
    assert.truthy(out:find("array[2] 1  2.5\narray[100] 0 … 1\nnil\ntrue\n", 1, true), out)
  end)

  it("that are wrong say so, and where, and go on", function()
    local got = lines("function f()", "  return none.x", "end", "f()", "serach()", "1 1", "local x = 1 error { 1 }", "= 7", "for i = 1,")
    assert.equal(1, got.status)
    assert.equal("7\n", got.out)
    assert.truthy(got.err:find("attempt to index global 'none' (a nil value)\nline 2: in the function at line 1\n", 1, true), got.err)
    assert.truthy(got.err:find("attempt to call global 'serach' (a nil value); use search\n", 1, true), got.err)
    assert.truthy(got.err:find("unexpected symbol near '1'", 1, true), got.err)
    assert.truthy(got.err:find("an error that is a table: [1]", 1, true), got.err)
    assert.truthy(got.err:find("the input ends before the statement does", 1, true), got.err)
  end)

  it("have help from the annotations", function()
    local got = lines("help()", "help(fold)", 'help "truncate"', "help(eas.linspace)", 'help "serch"', "help(eas.lightcurve(3))", "help(db)", "help(12)")
    assert.equal(0, got.status, got.err)
    for _, text in ipairs { "  search(lc, method, settings)       looks for transits\n", "fold(lc, period, t0) -> fold\n  phase in days",
      "eas.lightcurve:truncate(duration) -> lightcurve\n  the samples with ", "\n  duration?  number day; nil: all\n", "eas.linspace(start, stop, n) -> array\n",
      "  .tasks(filter) -> table\n",
      "nothing is written of this number" } do
      assert.truthy(got.out:find(text, 1, true), text .. "\n" .. got.out)
    end
  end)

  it("ask the database, which they cannot change", function()
    local before = world:value "SELECT count(*) FROM attempt"
    local got = lines("#db.jobs()", "db.attempts { type = \"breaks\" }", "a = attempt(db.attempts()[1].attempt)", "=a.ending, a.verdict, a.reason:sub(-9)",
      "a.inputs.lightcurve", "=task(a.task).type, product(\"p1\").kind, product \"v1\".filename", "=attempt(db.attempts { type = \"make\" }[1].attempt).metadata.planted",
      "#a:log() > 0", "a.endin", "attempt \"t1\"", "attempt \"a999\"", "db.tasks(3)", "db.tasks { job = \"j9\" }")
    local out = got.out
    assert.truthy(out:find("^1\nattempt  task  type    number  state  ending  verdict  worker  reason\na%d+ +t%d+ +breaks"), out .. got.err)
    assert.truthy(out:find('"error"  "fail"  "it breaks"\nlightcurve v1: lc.fits', 1, true), out)
    assert.truthy(out:find('"breaks"  "lightcurve"  "lc.fits"\n3\ntrue\n', 1, true), out)
    for _, text in ipairs { "attempt has no field 'endin'; use ending", 'attempt takes an id, as attempt "a12"', "there is no a999",
      "db.tasks takes a table, as db.tasks { limit = 10 }", "j9" } do
      assert.truthy(got.err:find(text, 1, true), text .. "\n" .. got.err)
    end
    assert.equal(before, world:value "SELECT count(*) FROM attempt")
  end)

  it("work on light curves, search and plot", function()
    local got = lines('lc = lightcurve "v1"', "lc", "lc.flx", "r = search(lc, \"bls\", { period_min = 1, period_max = 5 })",
      "=(\"%.2f\"):format(r.period), r.credible", "plot(r.periodogram, \"p.svg\")", "plot(lc, \"lc.svg\")", "plot(fold(lc, 3, 1.075):bin(60))",
      "plot(fold(lc, 3))", "plot({ 1, 2, 1 }, \"x.gif\")", "search(lc, \"bsl\")", "lightcurve \"none.fits\"", "fold(lc, -1)", "search(lc, \"bls\", { perod_min = 1 })")
    local out, err = got.out, got.err
    assert.truthy(out:find("^lightcurve: 1500 points, 0.00 to 31.23 d, 30 min, 0 flagged\n"), out)
    assert.truthy(out:find('"3.00"  "', 1, true), out .. err)
    assert.truthy(out:find("folded at 3 d\n    1.000", 1, true), out)
    assert.truthy(out:find("⠀") or out:find "[\226][\160-\163]", out)
    for _, text in ipairs { "lightcurve has no field 'flx'; use flux", "'x.gif': the file must end in .svg or .png", "there is no search method 'bsl'; use ",
      "no such file", "a period > 0", "perod_min" } do
      assert.truthy(err:find(text, 1, true), text .. "\n" .. err)
    end
    for _, name in ipairs { "p.svg", "lc.svg" } do
      local text = T.read(world:path(name))
      assert.truthy(text:find "^<svg " and text:find "</svg>%s*$" and text:find "<path d=\"M", name)
      local opened, closed = select(2, text:gsub("<text", "")), select(2, text:gsub("</text>", ""))
      assert.equal(opened, closed)
      assert.falsy(text:find("var(", 1, true), name .. ": not all that draws SVG knows variables")
    end
  end)

  it("say what a PNG needs", function()
    local no_program = T.tmpdir()
    T.sh(("cd %s && for p in sh env timeout; do ln -s $(command -v $p) .; done"):format(no_program))
    local bare = world:eas({ "repl" }, { stdin = 'plot({ 1, 2 }, "none.png")\n', env = { PATH = no_program } })
    assert.equal(1, bare.status)
    assert.truthy(bare.err:find("plot: 'none.png': a PNG needs rsvg-convert; apt-get install librsvg2-bin", 1, true), bare.err)
  end)

  it("draw a PNG: whole, twice as large as the SVG, and not empty", function()
    T.skip_unless(T.sh("command -v rsvg-convert").status == 0, "no rsvg-convert here (Debian: librsvg2-bin)")
    local got = lines('lc = lightcurve "v1"', 'plot(fold(lc, 3, 1.075), "it\'s.png")', 'plot({ x = { 1, 2 }, y = { 0 / 0, 0 / 0 } }, "empty.png")', 'plot(lc, "none/p.png")')
    assert.truthy(got.out:find("wrote it's.png\n", 1, true), got.out .. got.err)
    assert.truthy(got.err:find("plot: 'none/p.png': rsvg-convert: ", 1, true), got.err)
    local function size(name) -- of the header: signature, length, IHDR, width and height
      local png = T.read(world:path(name))
      assert.equal("\137PNG\r\n\26\n", png:sub(1, 8))
      assert.truthy(png:find("IEND", -12, true), "cut short")
      local function number(at) return ((png:byte(at) * 256 + png:byte(at + 1)) * 256 + png:byte(at + 2)) * 256 + png:byte(at + 3) end
      return number(17), number(21), #png
    end
    lines('plot(fold(lightcurve "v1", 3, 1.075), "f.svg")')
    local width = tonumber(T.read(world:path "f.svg"):match ' width="(%d+)"')
    local w, h, full = size "it's.png"
    assert.equal(2 * width, w)
    assert.truthy(h > w / 4 and full > 20000, ("%d x %d, %d bytes"):format(w, h, full))
    assert.truthy(select(3, size "empty.png") < full / 2)
    assert.equal("", T.sh("ls " .. T.quote(world.dir) .. " | grep part").out)
  end)

  it("need no database to calculate, and say how to have one", function()
    local bare = World.new()
    local got = bare:eas({ "repl" }, { stdin = "=2^10\ndb.jobs()\n" })
    assert.equal(1, got.status)
    assert.equal("1024\n", got.out)
    assert.truthy(got.err:find "there is no database here yet; run a job", got.err)
  end)

  it("come after the files that are named", function()
    T.write(world:path "mine.lua", "twice = function(x) return 2 * x end\n")
    local got = world:eas({ "repl", "mine.lua" }, { stdin = "twice(4)\n" })
    assert.equal("8\n", got.out)
    assert.equal(2, world:eas({ "repl", "none.lua" }).status)
  end)
end)

describe("at a keyboard", function()
  local K = Keyboard

  it("a line is completed, kept and found again", function()
    local k = K.start(world, { "repl" })
    k:expect("(read-only)"):expect "> "
    k:send("lightc" .. K.tab):expect "lightcurve"
    k:line('("v1").fl\21', "> ")
    k:line('lc = lightcurve "v1"', "> ")
    k:send("lc.flux_" .. K.tab):expect "lc.flux_err"
    k:line("", "array[1500]")
    k:send('attempt "a' .. K.tab):expect("a1"):expect '> attempt "a'
    k:send(K.ctrl_c):expect "> "
    k:send('db.tasks { type = "bre' .. K.tab):expect '"breaks"'
    k:line(" }", "breaks")
    k:send('search(lc, "bls_k' .. K.tab):expect "bls_kovacs"
    k:send(K.ctrl_c):expect "> "
    k:line("x = {", ">> "):line("1,", ">> "):line("2 }", "> "):line("#x", "2")
    k:line("local y = 1", "a local ends with its line here"):expect "> "
    k:send(K.ctrl_d)
    assert.equal(0, k:finish())

    local kept = T.read(world:path ".local/state/eas/history")
    assert.truthy(kept:find("x\\040=\\040{\\0401,\\0402\\040}", 1, true), kept)
    k = K.start(world, { "repl" })
    k:expect "> "
    k:send(K.up .. K.up .. "\n"):expect("global 'x'"):expect "> "
    k:send(K.ctrl_d)
    assert.equal(0, k:finish())
  end)

  it("Ctrl-C stops a loop, a search, a statement that is not whole; an error leaves the prompt", function()
    local k = K.start(world, { "repl", "--slots", "2" })
    k:expect "> "
    k:line("n = 0"):expect "> "
    k:send("while true do n = n + 1 end\n")
    k:expect "\n"
    T.sh "sleep 0.3"
    k:send(K.ctrl_c):expect("interrupted"):expect "> "
    k:line("n > 0", "true")
    k:line("big = eas.lightcurve(30000) for i = 0, big.n - 1 do big.time[i] = i / 48 big.flux[i] = 1 + 1e-4 * math.sin(i * 1.7) big.flux_err[i] = 1e-4 end", "> ")
    k:line('r = search(big, "tls", { period_min = 1 })', "0 %")
    T.sh "sleep 0.3"
    k:send(K.ctrl_c):expect(", no result", 5):expect "> "
    k:line("r", "nil")
    k:line("function broken(", ">> ")
    k:send(K.ctrl_c):expect "> "
    k:line("if true then", ">> "):line("  nope()", ">> "):line("end", "attempt to call global 'nope'"):expect "> "
    k:line("=6 * 7", "42"):expect "> "
    k:send(K.ctrl_d)
    assert.equal(0, k:finish())
  end)
end)
