-- The Grafana dashboard and the alert rules name metrics and labels that worker and control have; with EAS_LONG=1, where
-- Prometheus is installed, one of the spec's own scrapes them and answers every question of both.
local cjson = require "cjson"
local T = require "spec.support"
local Roles = require "spec.cli.roles"

local DASHBOARD, ALERTS = T.root .. "/packaging/monitoring/grafana.json", T.root .. "/packaging/monitoring/alerts.yaml"
local FROM_SCRAPE = { job = true, instance = true }

-- { where, expr } of every question.
local function questions()
  local list = {}
  for _, panel in ipairs(cjson.decode(T.read(DASHBOARD)).panels) do
    for _, target in ipairs(panel.targets) do list[#list + 1] = { where = "dashboard: " .. panel.title, expr = target.expr } end
  end
  local name
  for line in T.read(ALERTS):gmatch "[^\n]+" do
    name = line:match "%- alert: (%S+)" or name
    local expr = line:match "^ +expr: (.*)$"
    if expr then list[#list + 1] = { where = "alert: " .. name, expr = expr } end
  end
  return list
end

-- Metric -> label -> true, of all that worker and control answer.
local function known(roles)
  local metrics = {}
  for _, role in ipairs { "control", "worker" } do
    local port = roles:wait("its port", function() return roles:log(role):match "metrics on port (%d+)" end)
    local text = T.sh(("python3 -c 'import urllib.request; print(urllib.request.urlopen(\"http://127.0.0.1:%s/metrics\").read().decode())'"):format(port)).out
    for name, labels in text:gmatch "\n([%a_][%w_]*)({?[^} ]*}?) " do
      metrics[name] = metrics[name] or {}
      for label in labels:gmatch "([%w_]+)=" do metrics[name][label] = true end
    end
  end
  -- only with a broker: its name and label stand in the source
  local source = T.read(T.root .. "/engine/cli/metrics.c")
  assert(source:find('head(b, "queue_messages"', 1, true) and source:find('"eas_queue_messages{type="', 1, true))
  metrics.eas_queue_messages = { type = true }
  return metrics
end

local roles
lazy_setup(function()
  roles = Roles.new { EAS_METRICS = "127.0.0.1:0" }
  assert(roles:eas("init").status == 0)
  roles:start "control"
  roles:start "worker --slots 1"
  local job = roles:submit { { task = "null", duration = 0 } }
  roles:wait("the job", function() return roles:status(job).done_at ~= cjson.null end)
end)
lazy_teardown(function() roles:stop() end)

describe("dashboard and alerts", function()
  it("ask for metrics and labels that there are", function()
    local metrics, n = known(roles), 0
    assert.truthy(metrics.eas_tasks.state and metrics.eas_info.role)
    for _, q in ipairs(questions()) do
      local of_this = {}
      for name, rest in q.expr:gmatch "%f[%w_](eas_[%w_]+)({?[^}]*}?)" do
        assert.truthy(metrics[name], q.where .. ": no metric " .. name)
        for label in (rest:match "^{(.*)}" or ""):gmatch "([%w_]+)[=!]" do
          assert.truthy(metrics[name][label] or FROM_SCRAPE[label], ("%s: %s has no label %s"):format(q.where, name, label))
        end
        for label in pairs(metrics[name]) do of_this[label] = true end
        n = n + 1
      end
      for name in q.expr:gmatch "%f[%w_](process_[%w_]+)" do assert.truthy(metrics[name], q.where .. ": no metric " .. name) end
      for labels in q.expr:gmatch "by %(([^)]*)%)" do
        for label in labels:gmatch "[%w_]+" do
          assert.truthy(of_this[label] or FROM_SCRAPE[label], ("%s: nothing has the label %s"):format(q.where, label))
        end
      end
    end
    assert.truthy(n >= 35, n)
  end)

  it("ask only for endings and states that there are", function()
    local endings, states = {}, {}
    for word in T.read(T.root .. "/engine/worker/tally.c"):match("eas_tally_endings.-{(.-)}"):gmatch '"(%a+)"' do endings[word] = true end
    for word in T.read(T.root .. "/engine/cli/metrics.c"):match("states%[%] = {(.-)}"):gmatch '"(%a+)"' do states[word] = true end
    local n = 0
    for _, q in ipairs(questions()) do
      for label, words in q.expr:gmatch '(%a+)[=!]~?"([%a|]+)"' do
        local set = label == "ending" and endings or label == "state" and states
        for word in (set and words or ""):gmatch "%a+" do
          assert.truthy(set[word], q.where .. ": " .. word)
          n = n + 1
        end
      end
    end
    assert.truthy(n >= 5, n)
  end)

  it("say what to do, and use commands that there are", function()
    local overview, text = T.eas({ "--help" }).out, T.read(ALERTS)
    local _, alerts = text:gsub("%- alert:", "")
    local _, actions = text:gsub("action:", "")
    assert.equal(alerts, actions)
    for command in text:gmatch "eas (%l+)" do assert.truthy(overview:find("\n  eas " .. command .. " ", 1, true), "eas " .. command) end
  end)

  it("are answered by Prometheus", function()
    T.skip_unless(os.getenv "EAS_LONG", "EAS_LONG=1 asks a Prometheus of its own")
    T.skip_unless(T.sh("command -v prometheus promtool").status == 0, "no prometheus here (Debian: prometheus)")
    assert.equal(0, T.sh("promtool check rules " .. T.quote(ALERTS)).status)
    local dir, targets = T.tmpdir(), {}
    for _, role in ipairs { "control", "worker" } do targets[#targets + 1] = "127.0.0.1:" .. roles:log(role):match "metrics on port (%d+)" end
    T.write(dir .. "/p.yml", ("global: { scrape_interval: 1s, evaluation_interval: 1s }\nrule_files: [%q]\nscrape_configs:\n- job_name: eas\n  static_configs: [ { targets: [%q, %q] } ]\n")
      :format(ALERTS, targets[1], targets[2]))
    local port = tonumber(T.sh("python3 -c 'import socket; s = socket.socket(); s.bind((\"127.0.0.1\", 0)); print(s.getsockname()[1])'").out)
    T.sh(("prometheus --config.file=%s/p.yml --storage.tsdb.path=%s/data --web.listen-address=127.0.0.1:%d >%s/log 2>&1 & echo $! >%s/pid"):format(dir, dir, port, dir, dir))
    T.sh "sleep 9"
    local failed = {}
    for _, q in ipairs(questions()) do
      local expr = q.expr:gsub("%$job", ".*")
      local got = T.sh(("promtool query instant http://127.0.0.1:%d %s"):format(port, T.quote(expr)))
      -- alerts are still, and without a broker nothing waits there
      local empty = q.where:find "^alert" or expr:find "queue_messages"
      if got.status ~= 0 or not empty and not got.out:find "=>" then failed[#failed + 1] = q.where .. ": " .. got.out .. got.err end
      if q.where:find "^alert" and got.out:find "=>" then failed[#failed + 1] = q.where .. " rings: " .. got.out end
    end
    local ringing = T.sh(("promtool query instant http://127.0.0.1:%d 'ALERTS'"):format(port)).out
    T.sh(("kill $(cat %s/pid)"):format(dir))
    assert.same({}, failed)
    assert.equal("", (ringing:gsub("%s", "")))
  end)
end)
