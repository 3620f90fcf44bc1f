-- eas.deploy.autoscale: one pass of Slurm's autoscaler: what waits (eas status --needed) less what is there or on its way
-- (squeue) is submitted (sbatch), up to the limits in DIR/containers. Nothing is ever cancelled: idle workers end by themselves.
local json = require "eas.json"

local autoscale = {}

local function quoted(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

-- Output of a command; a failing one ends the pass.
local function output(command)
  local pipe = assert(io.popen(command .. "; echo; echo status $?"))
  local text = pipe:read "*a"
  pipe:close()
  local out, status = text:match "^(.*)\nstatus (%d+)\n$"
  if status ~= "0" then error(("%s: exit %s"):format(command, status or "?"), 0) end
  return out
end

function autoscale.read(path)
  local list = {}
  for line in io.lines(path) do
    local name, max, slots, types = line:match "^([%w_.%-]+) (%d+) (%d+) (%S+)$"
    if name then
      local c = { name = name, max = tonumber(max), slots = tonumber(slots), types = {} }
      for t in types:gmatch "[^,]+" do c.types[#c.types + 1] = t end
      list[#list + 1] = c
    elseif not line:match "^#" and line:match "%S" then
      error(("%s: a line is CONTAINER MAX SLOTS TYPES: %s"):format(path, line), 0)
    end
  end
  return list
end

-- How many workers of c to submit. need: its row of eas status --needed; jobs: its jobs that wait or run.
function autoscale.wanted(c, need, jobs)
  local queued = 0
  for _, t in ipairs(c.types) do queued = queued + (need.queued_by_type[t] or 0) end
  local missing = queued - (need.slots - need.busy)
  local starting = math.max(0, jobs - need.workers) -- they will have slots of their own soon
  local want = math.ceil(missing / c.slots) - starting
  return math.max(0, math.min(want, c.max - jobs))
end

-- Jobs by name that wait or run; ending ones work no more.
local function jobs_there()
  local count = {}
  local list = output "squeue --noheader --me --states=PENDING,CONFIGURING,RUNNING,REQUEUED,SUSPENDED --format='%j %T'"
  for name, state in list:gmatch "(%S+) (%S+)" do
    if state ~= "COMPLETING" then count[name] = (count[name] or 0) + 1 end
  end
  return count
end

function autoscale.run(dir, eas)
  local ok, fault = pcall(function()
    local needs, jobs = {}, jobs_there() -- first: a worker that comes up meanwhile is then not taken for a missing one
    for _, row in ipairs(json.decode(output(quoted(eas) .. " status --needed --json"))) do needs[row.container] = row end
    for _, c in ipairs(autoscale.read(dir .. "/containers")) do
      local need, there = needs[c.name], jobs[c.name] or 0
      for _ = 1, need and autoscale.wanted(c, need, there) or 0 do
        local id = output(("sbatch --parsable %s"):format(quoted(("%s/%s.sbatch"):format(dir, c.name)))):match "%d+"
        print(("%s: job %s submitted, %d there"):format(c.name, id or "?", there))
        there = there + 1
      end
    end
  end)
  if ok then return 0 end
  io.stderr:write("eas autoscale: ", tostring(fault), "\n")
  return 1
end

return autoscale
