-- eas deploy kubernetes: compared with kubernetes.yaml (EAS_GOLDEN=write writes it anew, to be looked at before it is
-- committed), read back by a YAML library, and held against rules; with EAS_LONG=1 against the schemas of Kubernetes and KEDA.
-- The compose file is held against the same rules where they meet.
local T = require "spec.support"
local World = require "spec.cli.world"
local has_yaml, lyaml = pcall(require, "lyaml")

local GOLDEN = T.root .. "/spec/package/kubernetes.yaml"
local URLS = { EAS_DATABASE = "postgresql://eas:secret_word@db.example.org:5433/eas?sslmode=require", EAS_QUEUE = "amqp://eas:other_word@mq:5672/" }
local VERSION = T.read(T.root .. "/CMakeLists.txt"):match "VERSION (%d+%.%d+%.%d+)"
local VERSION_PATTERN, VERSION_NAME = (VERSION:gsub("%.", "%%.")), (VERSION:gsub("%.", "%%-"))

local pack = World.pack { gpu_search = { timeout = "12 h", cpu = "4" } }
T.write(pack .. "/registry/pack.xml", [[<task_type_registry><containers><container><name>site_gpu</name>
<resourceRequirements><cpu>4</cpu><gpu>1</gpu><memory_gb>16.5</memory_gb></resourceRequirements></container></containers>
<tasks><task><name>gpu_search</name><container>site_gpu</container><timeout>12 h</timeout><cpu>4</cpu></task></tasks></task_type_registry>]])

local function deploy(words, env)
  local all = { EAS_TASK_PATH = pack }
  for name, value in pairs(env or URLS) do all[name] = value end
  return World.new(nil, all):eas("deploy kubernetes " .. (words or ""))
end

-- What changes with every new task type of the core, and with the version, says nothing here.
local function masked(text)
  text = text:gsub("t%.name IN %([^)]*%)", "t.name IN (...)"):gsub("WHEN '[^']*' THEN %d+ ?", "")
  return (text:gsub(VERSION_PATTERN, "VERSION"):gsub(VERSION_NAME, "VERSION"))
end

local function objects(text)
  T.skip_unless(has_yaml, "no YAML library here (Debian: lua-yaml)")
  local list = {}
  for part in (text .. "---\n"):gmatch "(.-)%-%-%-\n" do
    if part:find "kind:" then list[#list + 1] = lyaml.load(part) end
  end
  return list
end

local function kinds(list, kind)
  local found = {}
  for _, o in ipairs(list) do
    if o.kind == kind then found[o.metadata.name] = o end
  end
  return found
end

describe("eas deploy kubernetes", function()
  it("prints what it printed", function()
    local got = deploy "--namespace survey --container site_gpu --image reg/eas:1 --image site_gpu=reg/gpu:2 --max 5 --storage-class shared"
    assert.equal(0, got.status, got.err)
    if os.getenv "EAS_GOLDEN" == "write" then T.write(GOLDEN, masked(got.out)) end
    assert.equal(T.read(GOLDEN), masked(got.out))
  end)

  it("has for each container of the registry what it says", function()
    local got = deploy()
    assert.equal(0, got.status, got.err)
    local list = objects(got.out)
    local deployments, scaled, budgets = kinds(list, "Deployment"), kinds(list, "ScaledObject"), kinds(list, "PodDisruptionBudget")
    for name, want in pairs { ["eas-worker-tls"] = { "20", "16384Mi", 43800 }, ["eas-worker-qats"] = { "2", "16384Mi", 22200 },
      ["eas-site-gpu"] = { "4", "16896Mi", 43800, "1" } } do
      local spec = deployments[name].spec.template.spec
      local limits = spec.containers[1].resources.limits
      assert.same(limits, spec.containers[1].resources.requests, name)
      assert.same({ cpu = want[1], memory = want[2], ["nvidia.com/gpu"] = want[4] }, limits, name)
      assert.equal(want[3] + 60, spec.terminationGracePeriodSeconds, name)
      local env = {}
      for _, v in ipairs(spec.containers[1].env) do env[v.name] = v.value end
      assert.equal(("%d s"):format(want[3]), env.EAS_DRAIN_GRACE)
      assert.equal("doctor", spec.initContainers[1].name)
      assert.equal(0, scaled[name].spec.minReplicaCount)
      assert.equal(name, scaled[name].spec.scaleTargetRef.name)
      assert.is_nil(deployments[name].spec.replicas) -- they are KEDA's
      assert.truthy(budgets[name])
    end
    assert.equal(2, deployments["eas-control"].spec.replicas)
    assert.equal(1, budgets["eas-control"].spec.minAvailable)
    assert.equal(0, deployments["eas-worker-synthesis-platosim"].spec.replicas) -- its program is not configured
    local _, n = T.read(T.root .. "/registry/registry.xml"):match("<containers>(.-)</containers>"):gsub("<name>", "")
    for name in pairs(deployments) do n = n - (name:find "^eas%-worker" and 1 or 0) end
    assert.equal(0, n)
  end)

  it("names each object once, refers to what there is, and holds to the rules of a safe pod", function()
    local list, seen = objects(deploy("--namespace survey").out), {}
    for _, o in ipairs(list) do
      local id = o.kind .. "/" .. o.metadata.name
      assert.is_nil(seen[id], id)
      seen[id] = true
      assert.truthy(o.apiVersion and #o.metadata.name <= 63 and o.metadata.name:match "^%l[%l%d%-]*$", id)
      assert.equal(o.kind ~= "Namespace" and "survey" or nil, o.metadata.namespace, id)
    end
    for _, o in ipairs(list) do
      local spec = (o.kind == "Deployment" or o.kind == "Job") and o.spec.template.spec
      if spec then
        local id, s = o.kind .. "/" .. o.metadata.name, spec.securityContext
        assert.truthy(s.runAsNonRoot and s.runAsUser > 0 and s.seccompProfile.type == "RuntimeDefault", id)
        assert.is_false(spec.automountServiceAccountToken, id)
        local there = {}
        for _, v in ipairs(spec.volumes) do
          there[v.name] = true
          if v.persistentVolumeClaim then assert.truthy(seen["PersistentVolumeClaim/" .. v.persistentVolumeClaim.claimName], id) end
        end
        local all = { spec.containers[1], (spec.initContainers or {})[1] }
        for _, c in pairs(all) do
          local k = c.securityContext
          assert.truthy(k.readOnlyRootFilesystem and k.allowPrivilegeEscalation == false and k.capabilities.drop[1] == "ALL", id)
          assert.truthy(c.resources.limits.memory and c.resources.limits.cpu, id)
          assert.truthy(seen["ConfigMap/" .. c.envFrom[1].configMapRef.name], id)
          for _, m in ipairs(c.volumeMounts) do assert.truthy(there[m.name], id .. ": " .. m.name) end
        end
        if o.kind == "Deployment" then
          assert.truthy(spec.containers[1].livenessProbe and spec.containers[1].readinessProbe, id)
          for key, value in pairs(o.spec.selector.matchLabels) do assert.equal(value, o.spec.template.metadata.labels[key], id) end
        end
      elseif o.kind == "ScaledObject" then
        assert.truthy(seen["Deployment/" .. o.spec.scaleTargetRef.name])
        for _, t in ipairs(o.spec.triggers) do assert.truthy(seen["TriggerAuthentication/" .. t.authenticationRef.name]) end
      elseif o.kind == "TriggerAuthentication" then
        assert.equal("eas-secrets", o.spec.secretTargetRef[1].name)
      end
    end
  end)

  it("writes no secret, and says how to bring them", function()
    for _, scaler in ipairs { "postgresql", "rabbitmq" } do
      local text = deploy("--scaler " .. scaler).out
      assert.is_nil(text:find "secret_word" or text:find "other_word" or text:find "%*%*%*")
      assert.truthy(text:find("create secret generic eas-secrets --from-file=database_password --from-file=queue_password", 1, true))
      assert.truthy(text:find("eas@db.example.org:5433/eas?sslmode=require", 1, true))
    end
  end)

  it("takes an object store, with its keys as a secret and a cache in the pod", function()
    local env = { EAS_DATABASE = URLS.EAS_DATABASE, EAS_STORE = "s3://light/survey", EAS_S3_ENDPOINT = "https://s3.example.org", EAS_S3_CREDENTIALS_FILE = "/home/me/keys" }
    local got = deploy("", env)
    assert.equal(0, got.status, got.err)
    local list = objects(got.out)
    local data = kinds(list, "ConfigMap")["eas-config"].data
    assert.same({ "s3://light/survey", "https://s3.example.org", "/run/secrets/eas/s3_credentials", "/var/cache/eas/store" },
      { data.EAS_STORE, data.EAS_S3_ENDPOINT, data.EAS_S3_CREDENTIALS_FILE, data.EAS_STORE_CACHE })
    assert.is_nil(kinds(list, "PersistentVolumeClaim")["eas-store"])
    assert.truthy(got.out:find("--from-file=s3_credentials", 1, true))
    assert.is_nil(got.out:find("/home/me", 1, true))
  end)

  it("asks PostgreSQL what the database's schema knows, or RabbitMQ for the queues that there are", function()
    local list = objects(deploy().out)
    local meta = kinds(list, "ScaledObject")["eas-worker-tls"].spec.triggers[1].metadata
    assert.same({ "db.example.org", "5433", "eas", "eas", "require", "20" }, { meta.host, meta.port, meta.userName, meta.dbName, meta.sslmode, meta.targetQueryValue })
    -- the same words on SQLite, whose schema is the same
    local world = World.new(pack)
    assert.equal(0, world:eas({ "submit", world:job({ { task = "gpu_search" }, { task = "gpu_search" }, { task = "null", duration = 0 } }, "three") }).status)
    assert.equal(0, world:eas("control --once").status)
    local query = kinds(list, "ScaledObject")["eas-site-gpu"].spec.triggers[1].metadata.query
    local answer = T.sh(("sqlite3 %s %s"):format(world:database(), T.quote(query)))
    assert.equal("8\n", answer.out, answer.err) -- two that wait, four slots each
    local triggers = kinds(objects(deploy("--scaler rabbitmq").out), "ScaledObject")["eas-worker-qats"].spec.triggers
    assert.equal("eas.transit_search_qats", triggers[1].metadata.queueName)
  end)

  it("refuses what no cluster can do", function()
    for _, case in ipairs { { "", { EAS_DATABASE = "sqlite:x.db" }, "all of them reach" }, { "", { EAS_DATABASE = "postgresql:///eas" }, "host and user" },
      { "--scaler rabbitmq", { EAS_DATABASE = URLS.EAS_DATABASE }, "needs a queue amqp" }, { "--scaler redis", URLS, "not 'redis'" },
      { "--namespace Survey_1", URLS, "small letters" }, { "--image eas_worker_tsl=x", URLS, "no container 'eas_worker_tsl'" } } do
      local got = deploy(case[1], case[2])
      assert.equal(2, got.status, case[3])
      assert.truthy(got.err:find(case[3], 1, true), got.err)
      assert.equal("", got.out)
    end
  end)

  it("passes the schemas of Kubernetes and KEDA", function()
    T.skip_unless(os.getenv "EAS_LONG", "EAS_LONG=1 fetches the schemas from npm")
    T.skip_unless(T.sh("command -v npm && command -v node").status == 0, "no npm here")
    local dir, json = T.tmpdir(), World.json
    local got = T.sh(("cd %s && npm init -y && npm install kubernetes-models@4.5.1 @kubernetes-models/keda@0.4.2"):format(dir))
    assert.equal(0, got.status, got.err)
    T.write(dir .. "/check.cjs", [[
const list = JSON.parse(require("fs").readFileSync(0, "utf8"));
let bad = 0;
for (const o of list) {
  const [group, version] = o.apiVersion.includes("/") ? o.apiVersion.split("/") : ["", o.apiVersion];
  const name = group === "keda.sh" ? "@kubernetes-models/keda/keda.sh" : "kubernetes-models" + (group ? "/" + group : "");
  try { new (require(name + "/" + version + "/" + o.kind)[o.kind])(o).validate(); } catch (e) { bad++; console.log(o.kind, o.metadata.name, e.message); }
}
console.log(list.length + " objects, " + bad + " wrong");]])
    for _, words in ipairs { "", "--scaler rabbitmq --storage-class shared" } do
      local list = objects(deploy(words).out)
      for _, o in ipairs(list) do -- JSON knows no empty list from an empty object
        for _, v in ipairs(o.kind == "Deployment" and o.spec.template.spec.volumes or {}) do v.emptyDir = v.emptyDir and json.null or nil end
      end
      local text = json.encode(list):gsub('"emptyDir":null', '"emptyDir":{}')
      got = T.sh(("cd %s && node check.cjs"):format(dir), text)
      assert.equal(#list .. " objects, 0 wrong\n", got.out, got.err)
      assert.truthy(T.sh(("cd %s && node check.cjs"):format(dir), (text:gsub('"minReplicaCount":0', '"minReplicaCount":"none"'))).out:find "must be integer")
    end
  end)
end)

describe("compose.yaml", function()
  it("has every role and server, without a secret in it, on images that there are", function()
    T.skip_unless(has_yaml, "no YAML library here (Debian: lua-yaml)")
    local compose = lyaml.load(T.read(T.root .. "/compose.yaml"))
    for _, name in ipairs { "postgres", "rabbitmq", "control", "worker", "web", "schema" } do assert.truthy(compose.services[name], name) end
    local overview = T.eas({ "--help" }).out
    for name, s in pairs(compose.services) do
      if name ~= "postgres" and name ~= "rabbitmq" then
        assert.equal("eas:" .. VERSION, s.image, name)
        assert.truthy(s.read_only and s.cap_drop[1] == "ALL", name)
        local command = (s.entrypoint or { "eas", "worker" })[2]
        assert.truthy(overview:find("\n  eas " .. command .. " ", 1, true), name .. ": eas " .. command)
        for key in pairs(s.environment) do assert.truthy(T.read(T.root .. "/engine/base/conf.c"):find('"' .. key .. '"', 1, true), key) end
      end
      for server in pairs(s.depends_on or {}) do assert.truthy(compose.services[server], name .. ": " .. server) end
      for _, secret in ipairs(s.secrets or {}) do assert.truthy(compose.secrets[secret], name .. ": " .. secret) end
      for _, volume in ipairs(s.volumes or {}) do
        local source = volume:match "^([%w_]+):"
        if source then assert.truthy(compose.volumes[source], name .. ": " .. source) end
      end
    end
    assert.is_nil(T.read(T.root .. "/compose.yaml"):find "://%w+:%w+@")
  end)
end)
