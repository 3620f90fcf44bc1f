-- eas.deploy.slurm: a folder with one script for sbatch per container of the registry, the environment they share, and the
-- autoscaler (eas.deploy.autoscale) that submits them.
local plan = require "eas.deploy.plan"

local slurm = {}

local SIGNAL_MAX = 65535 -- sbatch takes no more seconds before the end

local function quoted(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

local function clock(seconds)
  seconds = math.ceil(seconds / 60) * 60
  return ("%d-%02d:%02d:00"):format(math.floor(seconds / 86400), math.floor(seconds / 3600) % 24, math.floor(seconds / 60) % 60)
end

local function write(path, text, mode)
  local file, why = io.open(path, "wb")
  if not file then plan.refuse(why) end
  file:write(text)
  file:close()
  if mode then os.execute(("chmod %s %s"):format(mode, quoted(path))) end
end

-- What each job sets for itself, and what is this terminal's.
local OWN = { container = 1, slots = 1, scratch = 1, drain_grace = 1, host = 1, color = 1, metrics = 1, web_listen = 1, scale_command = 1,
              scale_every = 1, store_cache = 1, web_token_file = 1, web_actions = 1 }

local function environment(p)
  local lines, keys = {}, {}
  for key, c in pairs(p.conf) do
    if (c.set or key == "data") and not OWN[key] and c.value ~= "" then keys[#keys + 1] = key end
  end
  table.sort(keys)
  for _, key in ipairs(keys) do
    local value = p:shown(key)
    if p.conf[key].type == "path" and not value:match "^/" and not value:match "^%w+://" then
      value = p.folder .. "/" .. value:gsub("^%./", "")
    end
    lines[#lines + 1] = ("export %s=%s"):format(p.conf[key].env, quoted(value))
  end
  return "# What every worker and the autoscaler are told; no secret. Made by eas deploy slurm.\n" .. table.concat(lines, "\n") .. "\n"
end

local JOB = [[
#!/bin/bash
# A worker of %s: claims what it can run, ends when nothing was left for it for %s. Made by eas deploy slurm.
# Its last %d s it takes nothing new; what then still runs, or is cut off by preemption, is tried again elsewhere.
#SBATCH --job-name=%s
#SBATCH --nodes=1 --ntasks=1 --cpus-per-task=%d
#SBATCH --mem=%dM
#SBATCH --time=%s
#SBATCH --signal=B:TERM@%d
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%s/log/%%x-%%j.log
%sset -eu
. %s/environment
export EAS_CONTAINER=%s EAS_SLOTS=%d EAS_DRAIN_GRACE="%d s"
export EAS_HOST="$(hostname -s)-$SLURM_JOB_ID" EAS_SCRATCH="${TMPDIR:-/tmp}/eas-scratch-$(id -u)"
exec %s worker --idle %s
]]

local function job(p, c, dir)
  local grace = math.min(c.grace, SIGNAL_MAX)
  local more = ""
  if c.gpu > 0 then more = more .. ("#SBATCH --gres=gpu:%d\n"):format(math.ceil(c.gpu)) end
  if p:option("--partition") then more = more .. ("#SBATCH --partition=%s\n"):format(p:option("--partition")) end
  local idle = p:option("--idle", "2 min")
  return JOB:format(c.name, idle, grace, c.name, math.max(1, math.ceil(c.cpu)), math.floor(c.memory_gb * 1024 + 0.5),
    clock(2 * grace + plan.margin), grace, dir, more, quoted(dir), c.name, c.slots, grace, quoted(p.program), quoted(idle))
end

local SCALER = [[
#!/bin/sh
# One look at the queue: submits workers where they are missing. For cron, or for control: scale_command: %s/autoscale
set -eu
. %s/environment
exec flock --nonblock --conflict-exit-code 0 %s/lock %s lua %s/autoscale.lua %s
]]

local AUTOSCALE = [[
-- The autoscaler of the engine that made this folder.
return require("eas.deploy.autoscale").run(arg[1], %q)
]]

local function absolute(p, dir)
  return dir:match "^/" and dir or p.folder .. "/" .. dir:gsub("^%./", "")
end

function slurm.write(p)
  p:shared_database()
  local dir = absolute(p, p:option("--output", "slurm"))
  for key in pairs { ["--idle"] = 1, ["--partition"] = 1, ["--output"] = 1 } do
    if p:option(key, ""):find "[\n\r%c]" then plan.refuse(key .. ": one line is wanted") end
  end
  if os.execute(("mkdir -p %s"):format(quoted(dir .. "/log"))) ~= 0 then plan.refuse("no folder " .. dir) end
  write(dir .. "/environment", environment(p))
  local rows = { "# container, worker jobs at most, slots of one, task types that are counted for it" }
  for _, c in ipairs(p.containers) do
    local names = {}
    for i, t in ipairs(c.types) do names[i] = t.name end
    if #names > 0 then rows[#rows + 1] = ("%s %d %d %s"):format(c.name, c.max, c.slots, table.concat(names, ",")) end
    write(("%s/%s.sbatch"):format(dir, c.name), job(p, c, dir), "755")
  end
  write(dir .. "/containers", table.concat(rows, "\n") .. "\n")
  write(dir .. "/autoscale.lua", AUTOSCALE:format(p.program))
  write(dir .. "/autoscale", SCALER:format(dir, quoted(dir), quoted(dir), quoted(p.program), quoted(dir), quoted(dir)), "755")
  print(("wrote  %s: %d scripts for sbatch, environment, containers, autoscale"):format(dir, #p.containers))
  print(("next   %s/autoscale, every minute by cron, or in control's configuration: scale_command: %s/autoscale"):format(dir, dir))
end

return slurm
