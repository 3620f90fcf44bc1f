-- engine/registry: the prototype's files and ours, several packs, and every way a file can be wrong.
local ffi = require "ffi"
local T = require "spec.support"
T.cdef "engine/registry/registry.h"
local C = ffi.C

-- Makes a pack folder: files by name below it.
local function pack(files)
  local dir = T.tmpdir()
  for name, text in pairs(files) do
    os.execute(("mkdir -p '%s/%s'"):format(dir, name:match "^(.*)/" or "."))
    T.write(dir .. "/" .. name, text)
  end
  return dir
end

local function open(...)
  local n = select("#", ...)
  local packs = ffi.new("const char *[?]", n + 1) -- ends with NULL; a table of one would fill it all
  for i = 1, n do packs[i - 1] = (select(i, ...)) end
  local out, err = ffi.new "eas_registry *[1]", ffi.new "eas_err"
  local rc = C.eas_registry_open(out, packs, err)
  if rc < 0 then return nil, ffi.string(err.text), ffi.string(err.hint), rc end
  return ffi.gc(out[0], C.eas_registry_close)
end

local function containers_of(t)
  local names, i = {}, 0
  while t.containers[i] ~= nil do
    names[#names + 1] = ffi.string(t.containers[i])
    i = i + 1
  end
  return table.concat(names, " ")
end

local function type_of(r, name)
  local t = C.eas_registry_type(r, name)
  return t ~= nil and t or nil
end

-- In the prototype's form: 10 containers, 20 task types (prototype's shipped set).
local CONTAINERS = {
  { "eas_worker_base_image", 1, 8 }, { "eas_worker_synthesis_psls_batman", 1, 16 }, { "eas_worker_synthesis_platosim", 1, 8 },
  { "eas_worker_tls", 20, 16 }, { "eas_worker_bls_reference", 1, 8 }, { "eas_worker_bls_kovacs", 1, 8 }, { "eas_worker_qats", 2, 16 },
  { "eas_worker_dst_v26", 1, 8 }, { "eas_worker_dst_v29", 1, 8 }, { "eas_worker_exotrans", 1, 8 },
}
local TASKS = {
  { "null", "all" }, { "error", "all" }, { "verify", "all" }, { "multiply", "all" }, { "binning", "all" }, { "ingest_external_lcs", "all" },
  { "execution_chain", "all" }, { "execution_for_loop", "all" }, { "execution_do_while_loop", "all" }, { "execution_conditional", "all" },
  { "synthesis_batman", "eas_worker_synthesis_psls_batman" }, { "synthesis_psls", "eas_worker_synthesis_psls_batman" },
  { "synthesis_platosim", "eas_worker_synthesis_platosim" }, { "transit_search_tls", "eas_worker_tls" },
  { "transit_search_bls_reference", "eas_worker_bls_reference" }, { "transit_search_bls_kovacs", "eas_worker_bls_kovacs" },
  { "transit_search_qats", "eas_worker_qats" }, { "transit_search_dst_v26", "eas_worker_dst_v26" },
  { "transit_search_dst_v29", "eas_worker_dst_v29" }, { "transit_search_exotrans", "eas_worker_exotrans", "eas_worker_tls" },
}

local function prototype_file()
  local out = { '<?xml version="1.0" encoding="utf-8"?>', "<!-- Registry of tasks -->", "<task_type_registry>", "    <containers>" }
  for _, c in ipairs(CONTAINERS) do
    out[#out + 1] = ([[        <container>
            <name>%s</name>
            <resourceRequirements>
                <cpu>%d</cpu>
                <gpu>0</gpu>
                <memory_gb>%d</memory_gb>
            </resourceRequirements>
        </container>]]):format(c[1], c[2], c[3])
  end
  out[#out + 1] = "    </containers>\n    <tasks>"
  for _, t in ipairs(TASKS) do
    out[#out + 1] = ("        <task>\n            <name>%s</name>"):format(t[1])
    for i = 2, #t do out[#out + 1] = ("            <container>%s</container>"):format(t[i]) end
    out[#out + 1] = "        </task>"
  end
  out[#out + 1] = "    </tasks>\n</task_type_registry>\n"
  return table.concat(out, "\n")
end

local BOX = "<container><name>box</name><resourceRequirements><cpu>1</cpu><gpu>0</gpu><memory_gb>2</memory_gb></resourceRequirements></container>"

-- A file with the container box and these tasks, from line 3 on.
local function with_tasks(tasks)
  return "<task_type_registry><containers>" .. BOX .. "</containers>\n<tasks>\n" .. tasks .. "\n</tasks></task_type_registry>\n"
end

describe("the prototype's registry", function()
  it("reads unchanged", function()
    local r = assert(open(pack { ["registry/task_type_registry.xml"] = prototype_file() }))
    local n = ffi.new "int[1]"
    C.eas_registry_containers(r, n)
    assert.equal(10, n[0])
    local types = C.eas_registry_types(r, n)
    assert.equal(20, n[0])
    for i = 1, 19 do assert(ffi.string(types[i - 1].name) < ffi.string(types[i].name)) end

    local tls = C.eas_registry_container(r, "eas_worker_tls")
    assert.same({ 20, 0, 16 }, { tls.cpu, tls.gpu, tls.memory_gb })
    local t = type_of(r, "transit_search_tls")
    assert.equal("eas_worker_tls", containers_of(t))
    assert.same({ 24 * 3600 * 1000, 3, 16, 1, 0, 1, 0 }, { tonumber(t.timeout_ms), t.max_attempts, t.memory_gb, t.cpu, t.random, t.reuse, t.flow })
    assert.equal("eas_worker_exotrans eas_worker_tls", containers_of(type_of(r, "transit_search_exotrans")))
    local _, spaces = containers_of(type_of(r, "verify")):gsub(" ", "")
    assert.equal(9, spaces)
    assert.equal(16, type_of(r, "verify").memory_gb)
    for name, reuse in pairs { null = 0, error = 0, ingest_external_lcs = 0, verify = 1 } do
      assert.equal(reuse, type_of(r, name).reuse, name)
    end
    for name, flow in pairs { execution_chain = 1, execution_for_loop = 1, execution_do_while_loop = 1, execution_conditional = 1, null = 0 } do
      assert.equal(flow, type_of(r, name).flow, name)
    end
    assert.is_nil(type_of(r, "transit_search"))
    assert.equal("transit_search_tls", ffi.string(C.eas_registry_nearest(r, "transit_serch_tls")))
    assert(C.eas_registry_nearest(r, "something else") == nil)
  end)
end)

describe("a task type", function()
  it("has what its elements say, in any order", function()
    local r = assert(open(pack { ["registry/r.xml"] = with_tasks [[<task><timeout> 10 min </timeout><random>yes</random><container> box </container>
      <description>  finds
        a thing </description><max_attempts>5</max_attempts><memory_gb>0.5</memory_gb><cpu>2</cpu><reuse>no</reuse><name>a</name></task>]] }))
    local t = type_of(r, "a")
    assert.same({ 600000, 5, 0.5, 2, 1, 0 }, { tonumber(t.timeout_ms), t.max_attempts, t.memory_gb, t.cpu, t.random, t.reuse })
    assert.equal("finds a thing", ffi.string(t.description):gsub("%s+", " "))
    assert.equal(3, t.line)
  end)

  it("has a timeout in any unit", function()
    for text, ms in pairs { ["90"] = 90000, ["90 s"] = 90000, ["250ms"] = 250, ["1.5 h"] = 5400000, ["2 d"] = 172800000, ["1min"] = 60000 } do
      local tasks = "<task><name>a</name><container>all</container><timeout>" .. text .. "</timeout></task>"
      local r = assert(open(pack { ["registry/r.xml"] = with_tasks(tasks) }))
      assert.equal(ms, tonumber(type_of(r, "a").timeout_ms), text)
    end
  end)

  it("is usable with both scripts, from any pack", function()
    local tasks = with_tasks "<task><name>a</name><container>all</container></task><task><name>execution_chain</name><container>all</container></task>"
    local first, second = pack { ["registry/r.xml"] = tasks }, pack { ["qc_lua/a.lua"] = "" }
    local err = ffi.new "eas_err"

    local r = assert(open(first))
    assert.equal(C.EAS_ENOENT, C.eas_registry_usable(r, type_of(r, "a"), err))
    assert.equal(first .. "/registry/r.xml:3: task type 'a' has no task script", ffi.string(err.text))
    assert.equal("write " .. first .. "/tasks_lua/a.lua, or put it into another pack of the task path", ffi.string(err.hint))
    assert.equal(0, C.eas_registry_usable(r, type_of(r, "execution_chain"), err))
    assert(type_of(r, "execution_chain").script == nil)

    os.execute(("mkdir '%s/tasks_lua'"):format(first))
    T.write(first .. "/tasks_lua/a.lua", "")
    r = assert(open(first))
    assert.equal(C.EAS_ENOENT, C.eas_registry_usable(r, type_of(r, "a"), err))
    assert.equal(first .. "/registry/r.xml:3: task type 'a' has no QC script", ffi.string(err.text))

    r = assert(open(first, second))
    assert.equal(0, C.eas_registry_usable(r, type_of(r, "a"), err))
    assert.equal(first .. "/tasks_lua/a.lua", ffi.string(type_of(r, "a").script))
    assert.equal(second .. "/qc_lua/a.lua", ffi.string(type_of(r, "a").qc))
    assert.equal(first, ffi.string(type_of(r, "a").pack))
  end)
end)

describe("several files and packs", function()
  local core = pack { ["registry/r.xml"] = with_tasks "<task><name>a</name><container>all</container></task>" }

  it("are one registry: 'all' means the containers of all", function()
    local more = pack {
      ["registry/1.xml"] = "<task_type_registry><tasks><task><name>b</name>"
        .. "<container>box</container><container>crate</container></task></tasks></task_type_registry>",
      ["registry/2.xml"] = "<task_type_registry><containers>" .. BOX:gsub("box", "crate") .. "</containers></task_type_registry>",
      ["registry/notes.txt"] = "no XML", ["registry/.3.xml"] = "hidden",
    }
    local r = assert(open(core, more))
    assert.equal("box crate", containers_of(type_of(r, "a")))
    assert.equal("box crate", containers_of(type_of(r, "b")))
    assert.equal(more, ffi.string(type_of(r, "b").pack))
  end)

  it("may not name a thing twice", function()
    local again = pack { ["registry/x.xml"] = "<task_type_registry><tasks>\n\n"
      .. "<task><name>a</name><container>all</container></task></tasks></task_type_registry>" }
    local _, message, _, code = open(core, again)
    assert.equal(again .. "/registry/x.xml:3: task 'a' is there twice: first at " .. core .. "/registry/r.xml:3", message)
    assert.equal(C.EAS_EEXIST, code)
    again = pack { ["registry/x.xml"] = "<task_type_registry>\n<containers>" .. BOX .. "</containers></task_type_registry>" }
    _, message = open(core, again)
    assert.equal(again .. "/registry/x.xml:2: container 'box' is there twice: first at " .. core .. "/registry/r.xml:1", message)
    _, message = open(core, core .. "/../" .. core:match "[^/]+$")
    assert.equal("task pack '" .. core .. "' is named twice", message)
  end)

  it("may not have a script twice", function()
    local one = pack { ["registry/r.xml"] = with_tasks "<task><name>z</name><container>all</container></task>", ["tasks_lua/z.lua"] = "" }
    local two = pack { ["tasks_lua/z.lua"] = "" }
    local _, message = open(one, two)
    assert.equal(two .. "/tasks_lua/z.lua: there is a script of this name already: " .. one .. "/tasks_lua/z.lua", message)
  end)

  it("may be empty, but must exist", function()
    local r = assert(open(pack {}))
    assert.is_nil(type_of(r, "a"))
    local _, message, hint, code = open "/nonexistent/pack"
    assert.equal("task pack '/nonexistent/pack': No such file or directory", message)
    assert.equal("name existing folders in EAS_TASK_PATH or --task-path", hint)
    assert.equal(C.EAS_ENOENT, code)
    local packs, out = ffi.new("const char *[2]"), ffi.new "eas_registry *[1]"
    packs[0] = "/nonexistent/pack"
    assert.equal(C.EAS_ENOENT, C.eas_registry_open(out, packs, nil))
  end)
end)

describe("a wrong file", function()
  local function task(inner) return with_tasks("<task><name>a</name><container>all</container>" .. inner .. "</task>") end

  -- what, text, line, start of the message, hint
  for _, case in ipairs {
    { "unknown container", with_tasks "<task><name>a</name>\n<container>boks</container></task>", 4, "unknown container 'boks' in task 'a'", "use box" },
    { "no container", with_tasks "<task><name>a</name></task>", 3, "task 'a' has no container", "add <container>all</container>" },
    { "no name", with_tasks "<task><container>all</container></task>", 3, "a task without a name" },
    { "name twice", with_tasks "<task><name>a</name><name>b</name><container>all</container></task>", 3, "name of task 'a' is there twice: first at line 3" },
    { "timeout twice", task "<timeout>1</timeout>\n<timeout>2</timeout>", 4, "timeout of task 'a' is there twice: first at line 3" },
    { "timeout unit", task "<timeout>3 weeks</timeout>", 3, "element 'timeout': [facet 'pattern'] The value '3 weeks' is not accepted" },
    { "timeout 0", task "<timeout>0 s</timeout>", 3, "timeout '0 s': expected 1 ms to 366 d" },
    { "attempts 0", task "<max_attempts>0</max_attempts>", 3, "element 'max_attempts'" },
    { "an ending that is none", task "<retry>lost sorrow</retry>", 3, "retry of task 'a': no attempt ends as 'sorrow'" },
    { "a limit below 0", task "<max_running>-1</max_running>", 3, "element 'max_running'" },
    { "a delay without a number", task "<retry_delay>soon</retry_delay>", 3, "element 'retry_delay'" },
    { "memory 0", task "<memory_gb>0</memory_gb>", 3, "memory_gb of task 'a' is 0" },
    { "memory text", task "<memory_gb>much</memory_gb>", 3, "element 'memory_gb': 'much' is not a valid value" },
    { "switch", task "<random>maybe</random>", 3, "element 'random': [facet 'enumeration'] The value 'maybe'" },
    { "element", task "<timout>3</timout>", 3, "element 'timout': This element is not expected", "use timeout" },
    { "path as name", with_tasks "<task><name>../a</name><container>all</container></task>", 3, "element 'name': [facet 'pattern']" },
    { "attribute", with_tasks "<task name='a'><container>all</container></task>", 3, "element 'task', attribute 'name'" },
    { "root", "<registry/>", 1, "element 'registry': No matching global declaration" },
    { "container without cpu", "<task_type_registry><containers>\n<container><name>b</name>"
      .. "<resourceRequirements><gpu>0</gpu></resourceRequirements></container></containers></task_type_registry>",
      2, "element 'resourceRequirements': Missing child element(s)" },
    { "container named all", "<task_type_registry><containers>\n" .. BOX:gsub("box", "all") .. "</containers></task_type_registry>", 2,
      "'all' cannot name a container" },
    { "not closed", "<task_type_registry>\n<tasks>\n</task_type_registry>", 3, "opening and ending tag mismatch: tasks line 2" },
    { "empty", "", nil, "the file is empty" },
    { "no XML", "hello\n", 1, "start tag expected, '<' not found" },
    { "entity", "<task_type_registry>&foo;</task_type_registry>", 1, "entity 'foo' not defined" },
    { "binary", "<a>\0</a>", 1, "" },
    { "encoding", "<task_type_registry>\n\255\254</task_type_registry>", 2, "input is not proper UTF-8" },
  } do
    it("says so: " .. case[1], function()
      local dir = pack { ["registry/r.xml"] = case[2] }
      local _, message, hint, code = open(dir)
      local start = ("%s/registry/r.xml:%s %s"):format(dir, case[3] and case[3] .. ":" or "", case[4])
      assert.equal(start, message:sub(1, #start))
      assert.equal(case[5] or "", hint:sub(1, #(case[5] or "")))
      assert(code == C.EAS_EFORMAT or code == C.EAS_ENOENT)
      assert.is_nil(message:find "\n")
    end)
  end

  it("cannot read other files or grow without end", function()
    local secret = T.write(T.tmpdir() .. "/secret", "box")
    local bomb = { '<!DOCTYPE r [<!ENTITY a0 "ha">' }
    for i = 1, 40 do bomb[#bomb + 1] = ('<!ENTITY a%d "&a%d;&a%d;">'):format(i, i - 1, i - 1) end
    bomb[#bomb + 1] = "]>\n<task_type_registry>&a40;</task_type_registry>"
    for _, text in ipairs {
      ('<!DOCTYPE r [<!ENTITY x SYSTEM "file://%s">]>\n'):format(secret) .. with_tasks "<task><name>a</name><container>&x;</container></task>",
      '<!DOCTYPE r SYSTEM "http://127.0.0.1:1/x.dtd">\n<task_type_registry/>',
      table.concat(bomb),
    } do
      local dir = pack { ["registry/r.xml"] = text }
      local _, message, _, code = open(dir)
      assert.equal(dir .. "/registry/r.xml:1: a DOCTYPE is not allowed here", message)
      assert.equal(C.EAS_EFORMAT, code)
    end
  end)

  it("has a bounded depth and size", function()
    local dir = pack { ["registry/r.xml"] = ("<a>"):rep(100000) }
    local _, message = open(dir)
    assert(message:find("r.xml:1: excessive depth", 1, true), message)
    dir = pack { ["registry/r.xml"] = "<task_type_registry>" .. (" "):rep(5 * 1024 * 1024) .. "</task_type_registry>" }
    local _, large, _, code = open(dir)
    assert.equal(C.EAS_ELIMIT, code, large)
  end)
end)

describe("the core's registry", function()
  it("has the types whose scripts are there, and flow control", function()
    local r = assert(open(T.root))
    local n, err = ffi.new "int[1]", ffi.new "eas_err"
    local types = C.eas_registry_types(r, n)
    assert(n[0] >= 9)
    for i = 0, n[0] - 1 do
      assert(C.eas_registry_usable(r, types + i, err) == 0, ffi.string(err.text))
      assert(ffi.string(types[i].description) ~= "", ffi.string(types[i].name))
    end
    assert.equal(1, type_of(r, "synthesis_batman").random)
    C.eas_registry_containers(r, n)
    assert.equal(10, n[0])
  end)
end)
