-- The prompt, the shell and diff on each database: what they read is the same.
local cjson = require "cjson"
local T = require "spec.support"
local B = require "spec.backends.backend"
local Roles = require "spec.cli.roles"

B.each(function(kind)
  it("prompt, shell and diff read what an attempt was", function()
    local roles = Roles.new { EAS_DATABASE = B.url(kind), EAS_LOG_LEVEL = "info" }
    finally(function() roles:stop() end)
    assert.equal(0, roles:eas("init").status)
    roles:start "control"
    roles:start "worker --slots 2"
    local job = roles:submit({ { task = "execution_for_loop", parameter = "size", values = { 1, 2 }, task_list = {
      { task = "synthesis_batman", specs = { duration = 5, planet_radius = 3, orbital_period = 2 }, outputs = { lightcurve = "'lc_{size_index}.fits'.format(**metadata)" } },
      { task = "verify", inputs = { lightcurve = "'lc_{size_index}.fits'.format(**metadata)" } } } } }, "seen")
    roles:wait("the end", function() return roles:status(job).done_at ~= cjson.null end)

    local file = T.write(roles.dir .. "/look.lua", [[
local a = db.attempts { type = "verify", job = "seen" }
local one = attempt(a[1].attempt)
print(#a, #db.tasks { type = "verify" }, #db.files(), #db.workers(), #db.logs(), #db.errors(), one.verdict, lightcurve(one.inputs.lightcurve).n)
print(a[1].attempt, a[2].attempt)
]])
    local got = roles:eas("repl " .. file)
    assert.equal(0, got.status, got.err)
    assert.truthy(got.out:find "^2\t2\t2\t2\t%d+\t0\tpass\t%d+\n", got.out)
    local first, second = got.out:match "\n(a%d+)\t(a%d+)\n"
    got = roles:eas("shell " .. first .. " --run")
    assert.equal(0, got.status, got.out .. got.err)
    assert.truthy(got.out:find("the same results as " .. first, 1, true), got.out)
    got = roles:eas(("diff %s %s"):format(first, second))
    assert.equal(0, got.status, got.err)
    assert.truthy(got.out:find("metadata  size  ", 1, true), got.out)
  end)
end)
