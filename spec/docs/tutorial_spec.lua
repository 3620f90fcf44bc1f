-- docs/tutorial.md, from an empty folder to the mended kernel; the real light curves where the reference is.
local T = require "spec.support"
local Transcript = require "spec.docs.transcript"
local Http = require "spec.cli.http"
local Roles = require "spec.cli.roles"

-- What the dashboard shows of an attempt that crashed: the pages that step 5 opens.
local function look_at_dashboard(folder, attempt, job)
  local roles = Roles.new { EAS_DATA = folder .. "/eas-data", EAS_TASK_PATH = "." }
  roles.dir = folder
  local web = Http.start(roles)
  local function has(path, ...)
    local got = web:get(path)
    assert.equal(200, got.status, path)
    for _, part in ipairs { ... } do assert.truthy(got.body:find(part, 1, true), ("'%s' is not on %s:\n%s"):format(part, path, got.body)) end
  end
  has("/errors?job=" .. job, "crashed", "dip_count", "SIGSEGV", "/attempts/" .. attempt)
  has("/attempts/" .. attempt, "SIGSEGV", "eas_dip_count_run", "native/dip_count.lua")
  roles:stop()
end

it("docs/tutorial.md leads from nothing to a mended kernel", function()
  local folder = T.tmpdir()
  local star = T.reference "fits/kplr010666592-2009131110544_slc.fits"
  if star then T.sh(("mkdir %s/stars && cp %s %s/stars/"):format(folder, T.quote(star), folder)) end
  if not star then print "docs/tutorial.md: the reference light curves are not beside the repository: step 7 is left out" end
  local env = { EAS = "eas", EAS_TASK_PATH = ".", EAS_CDEF = T.root .. "/cmake/eas-cdef", EAS_INCLUDE = T.root .. "/tasks_native" }
  -- which of the tasks that crash is shown is a matter of time
  local crashed
  local function rename(line)
    if not crashed and line:find("a84", 1, true) then
      local got = T.sh(("cd %s && %s/bin/eas errors j4 --json"):format(folder, T.build))
      crashed = { attempt = got.out:match '"attempt":"(a%d+)"', task = got.out:match '"task":"(t%d+)"' }
      look_at_dashboard(folder, crashed.attempt, "j4")
    end
    return crashed and (line:gsub("%f[%w]a84%f[%W]", crashed.attempt):gsub("%f[%w]t38%f[%W]", crashed.task)) or line
  end
  local n = Transcript.run(T.root .. "/docs/tutorial.md", { folder = folder, env = env, rename = rename,
    skip = function(text) return not star and text:find("$ eas run stars.json", 1, true) end })
  assert.equal(star and 30 or 27, n)
end)
