-- docs/tutorial.md, from an empty folder to the mended kernel; the real light curves where the reference is.
local T = require "spec.support"
local Transcript = require "spec.docs.transcript"

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
    end
    return crashed and (line:gsub("%f[%w]a84%f[%W]", crashed.attempt):gsub("%f[%w]t38%f[%W]", crashed.task)) or line
  end
  local n = Transcript.run(T.root .. "/docs/tutorial.md", { folder = folder, env = env, rename = rename,
    skip = function(text) return not star and text:find("$ eas run stars.json", 1, true) end })
  assert.equal(star and 30 or 27, n)
end)
