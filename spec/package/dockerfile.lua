-- dockerfile.lua: reads a Dockerfile, and carries its steps out in chroots of a clean Debian, as no container engine is here.
-- The instructions that ours use; any other is an error.
local T = require "spec.support"

local D = {}
local CHROOT = T.root .. "/spec/package/chroot.sh"

local function substitute(text, values)
  text = text:gsub("%${([%w_]+)}", function(name) return values[name] end)
  return (text:gsub("%$([%u_]+)", function(name) return values[name] end))
end

local function words_of(text)
  local list = {}
  for word in text:gmatch "%S+" do list[#list + 1] = word end
  return list
end

-- NAME=VALUE words, the values maybe quoted.
local function pairs_of(text, where)
  local list, at = {}, 1
  while text:find("%S", at) do
    local from, to, name, value = text:find('^%s*([%w_.]+)="([^"]*)"', at)
    if not from then from, to, name, value = text:find("^%s*([%w_.]+)=(%S*)", at) end
    assert(from, where .. ": NAME=VALUE is wanted: " .. text:sub(at))
    list[#list + 1] = { name = name, value = value }
    at = to + 1
  end
  return list
end

-- { stages = { { name, from, steps = { { line, word, text } } } }, args = { NAME = value } }
function D.read(path)
  local file, n, whole, begun = { stages = {}, args = {} }, 0, nil, nil
  for line in (assert(T.read(path), "no " .. path) .. "\n"):gmatch "(.-)\n" do
    n = n + 1
    if not (line:match "^%s*#" or not whole and line:match "^%s*$") then
      begun = whole and begun or n
      whole = (whole or "") .. line:gsub("%s*\\%s*$", " ")
      if not line:match "\\%s*$" then
        local word, text = whole:match "^%s*(%u+)%s+(.-)%s*$"
        assert(word, ("%s:%d: no instruction: %s"):format(path, begun, whole))
        local stage = file.stages[#file.stages]
        if word == "FROM" then
          local from, name = text:match "^(%S+)%s+AS%s+(%S+)$"
          file.stages[#file.stages + 1] = { name = name, from = substitute(from or text, file.args), steps = {}, line = begun }
        elseif word == "ARG" and not stage then
          local arg, value = text:match "^([%w_]+)=(.*)$"
          file.args[arg] = value
        else
          stage.steps[#stage.steps + 1] = { line = begun, word = word, text = text }
        end
        whole = nil
      end
    end
  end
  return file
end

-- Sources and destination of a COPY, and the stage it copies from.
function D.copy(text)
  local from = text:match "^%-%-from=(%S+)"
  local words = words_of((text:gsub("^%-%-from=%S+%s*", "")))
  local to = table.remove(words)
  return words, to, from
end

-- --- carrying out ---

local function must(command, where)
  local got = T.sh(command)
  assert(got.status == 0, ("%s: exit %d\n%s%s"):format(where, got.status, got.out:sub(-3000), got.err:sub(-3000)))
  return got.out
end

-- Runs words (a shell text, or a list) in a system as its user with its environment; returns what T.sh does.
function D.run(system, command, options)
  options = options or {}
  local words = { T.quote(CHROOT), "enter", T.quote(system.root), T.quote(options.user or system.user) }
  for name, value in pairs(system.env) do words[#words + 1] = T.quote(name .. "=" .. value) end
  for name, value in pairs(options.env or {}) do words[#words + 1] = T.quote(name .. "=" .. value) end
  words[#words + 1] = "sh -c " .. T.quote(('mkdir -p %s 2>/dev/null; cd %s && exec "$@"'):format(system.cwd, system.cwd)) .. " sh"
  if type(command) == "string" then command = { "/bin/sh", "-c", command } end
  for _, word in ipairs(command) do words[#words + 1] = T.quote(word) end
  return T.sh((options.before or "") .. table.concat(words, " "))
end

local function copy(system, done, context, step, where)
  local sources, to, from = D.copy(step.text)
  if to:sub(1, 1) ~= "/" then to = system.cwd .. "/" .. to end
  local base = from and assert(done[from], where .. ": no stage " .. from).root or context
  local into = system.root .. "/" .. to
  if #sources == 1 and (sources[1] == "." or T.sh("test -d " .. T.quote(base .. "/" .. sources[1])).status == 0) then
    if from then
      must(("mkdir -p %s && cp -a %s/. %s/"):format(T.quote(into), T.quote(base .. "/" .. sources[1]), T.quote(into)), where)
    else -- what git knows or would: the build folder and the like are in .dockerignore
      must(("mkdir -p %s && cd %s && git ls-files -z -co --exclude-standard -- %s | tar -c --null -T - --owner=0 --group=0 | tar -x -C %s"):format(T.quote(into),
        T.quote(base), T.quote(sources[1]), T.quote(into)), where)
    end
    return
  end
  for _, source in ipairs(sources) do
    local as_folder = to:match "/$" or #sources > 1
    must(("mkdir -p %s && cp -L %s %s"):format(T.quote(as_folder and into or into:match "^(.*)/"), base .. "/" .. source, T.quote(into)), where)
  end
end

local function list_of(text)
  local list = {}
  for word in assert(text:match "^%[(.*)%]$"):gmatch '"([^"]*)"' do list[#list + 1] = word end
  return list
end

local act = {}
function act.RUN(s, step, where)
  local got = D.run(s, step.text, { user = s.user })
  assert(got.status == 0, ("%s: exit %d\n%s%s"):format(where, got.status, got.out:sub(-4000), got.err:sub(-4000)))
end
function act.ENV(s, step, where)
  for _, pair in ipairs(pairs_of(step.text, where)) do s.env[pair.name] = pair.value end
end
function act.LABEL(s, step, where)
  for _, pair in ipairs(pairs_of(step.text, where)) do s.labels[pair.name] = substitute(pair.value, s.args) end
end
function act.ARG(s, step)
  local name, value = step.text:match "^([%w_]+)=(.*)$"
  s.args[name] = value
end
function act.WORKDIR(s, step) s.cwd = step.text end
function act.USER(s, step) s.user = step.text end
function act.EXPOSE(s, step) s.port = step.text end
function act.STOPSIGNAL(s, step) s.stop = step.text end
function act.VOLUME(s, step) s.volumes = words_of(step.text) end
function act.ENTRYPOINT(s, step) s.entry = list_of(step.text) end
function act.HEALTHCHECK(s, step) s.health = list_of(step.text:match "CMD (.*)$") end
D.known = act

local function begin(from, done, dir)
  local base = done[from]
  local s = { root = dir, env = {}, labels = {}, args = {}, user = "0:0", cwd = "/" }
  if base then
    for key, value in pairs(base) do
      if key ~= "root" and type(value) ~= "table" then s[key] = value end
    end
    for _, key in ipairs { "env", "labels" } do
      for name, value in pairs(base[key]) do s[key][name] = value end
    end
    s.entry, s.health, s.volumes = base.entry, base.health, base.volumes
    must(("mkdir %s && cp -a --one-file-system %s/. %s/ && for m in proc sys dev; do mount --rbind /$m %s/$m && mount --make-rslave %s/$m; done"):format(T.quote(dir),
      T.quote(base.root), T.quote(dir), T.quote(dir), T.quote(dir)), "a copy of " .. from)
  else
    must(("%s new %s"):format(T.quote(CHROOT), T.quote(dir)), from)
  end
  return s
end

-- Carries out the file at path with the folder context; known: images by name that there are. Returns the systems by
-- stage name and number; the last one is also .final. dir: where they are made.
function D.build(path, context, dir, known)
  local file, done = D.read(path), {}
  for name, system in pairs(known or {}) do done[name] = system end
  for k, stage in ipairs(file.stages) do
    local s = begin(stage.from, done, ("%s/%d"):format(dir, k))
    done[stage.name or k], done.final = s, s
    D.systems = D.systems or {}
    table.insert(D.systems, s)
    for _, step in ipairs(stage.steps) do
      local where = ("%s:%d: %s"):format(path, step.line, step.word)
      if step.word == "COPY" then
        copy(s, done, context, step, where)
      else
        assert(act[step.word], where .. ": not known here")(s, step, where)
      end
    end
  end
  return done
end

function D.clean_up()
  for _, s in ipairs(D.systems or {}) do T.sh(("%s end %s"):format(T.quote(CHROOT), T.quote(s.root))) end
  D.systems = {}
end

return D
