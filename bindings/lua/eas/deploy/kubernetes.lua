-- eas.deploy.kubernetes: manifests on stdout: configuration, volumes, schema, control, web, and per container of the registry a
-- Deployment that KEDA scales. docs/clusters.md says what a site has to bring.
local keda = require "eas.deploy.keda"
local plan = require "eas.deploy.plan"
local pod = require "eas.deploy.pod"
local yaml = require "eas.deploy.yaml"

local kubernetes = {}

-- Keys that a pod sets for itself, beside those that mean a place on the machine where this was called.
local OWN = { database = 1, queue = 1, container = 1, slots = 1, host = 1, metrics = 1, drain_grace = 1, programs = 1, color = 1,
              isolation_off = 1, web_listen = 1, scale_every = 1 }
local PLACES = { path = 1, list = 1 }

local function check_name(what, name)
  if #name > 63 or not (name:match "^%l[%l%d%-]*$" and name:match "[%l%d]$") then
    plan.refuse(("%s '%s': Kubernetes takes up to 63 small letters, digits and '-'"):format(what, name))
  end
end

-- What the request must have for a cluster.
local function prepare(p)
  p.namespace = p:option("--namespace", "eas")
  check_name("--namespace", p.namespace)
  p.scaler = p:option("--scaler", "postgresql")
  p.image = plan.by_container(p, "--image", "eas:" .. p.version)
  p.image_of_all = p.image[""]
  p.database, p.queue = p:shared_database(), p:url "queue"
  if p.database.host == "" or p.database.user == "" then
    plan.refuse("database " .. p:shown "database" .. ": host and user must be in the URL", "postgresql://USER@HOST/NAME")
  end
  p.database.sslmode = (p.database.query or ""):match "sslmode=([%w%-]+)" or "prefer"
  if p.scaler ~= "postgresql" and p.scaler ~= "rabbitmq" then
    plan.refuse(("--scaler is postgresql or rabbitmq, not '%s'"):format(p.scaler))
  end
  if p.scaler == "rabbitmq" and not (p.queue and p.queue.scheme:match "^amqp") then
    plan.refuse("--scaler rabbitmq needs a queue amqp://..., this is " .. p:shown "queue",
      "--queue amqp://USER@HOST:5672/, or --scaler postgresql")
  end
  p.object_store = p:get("store"):match "^s3://" ~= nil
end

local function configuration(p)
  local data = { EAS_DATA = "/var/lib/eas", EAS_SCRATCH = "/var/cache/eas", EAS_INPUT_PATH = "/input",
                 EAS_METRICS = ":" .. pod.METRICS_PORT,
                 EAS_DATABASE = p:shown "database", EAS_DATABASE_PASSWORD_FILE = "/run/secrets/eas/database_password",
                 EAS_QUEUE = p:shown "queue", EAS_REQUIRE = p:get "require" }
  if p.queue then data.EAS_QUEUE_PASSWORD_FILE = "/run/secrets/eas/queue_password" end
  if p.object_store then
    data.EAS_STORE, data.EAS_STORE_CACHE = p:get "store", "/var/cache/eas/store"
    data.EAS_S3_CREDENTIALS_FILE = "/run/secrets/eas/s3_credentials"
  end
  for key, c in pairs(p.conf) do
    if c.set and not OWN[key] and not PLACES[c.type] then data[c.env] = c.value end
  end
  return { apiVersion = "v1", kind = "ConfigMap", metadata = pod.meta(p, "eas-config", "configuration"), data = data }
end

local function claim(p, name, mode, size)
  return { apiVersion = "v1", kind = "PersistentVolumeClaim", metadata = pod.meta(p, name, "storage"),
           spec = { accessModes = yaml.list { mode }, storageClassName = p:option("--storage-class"),
                    resources = { requests = { storage = size } } } }
end

local function service(p, name, component, port)
  return { apiVersion = "v1", kind = "Service", metadata = pod.meta(p, name, component),
           spec = { selector = pod.labels(component), ports = { { name = "http", port = port, targetPort = "http" } } } }
end

local SMALL = { cpu = "500m", memory = "512Mi" }

local function core(p)
  local image = p.image_of_all
  local list = {
    { apiVersion = "v1", kind = "Namespace", metadata = { name = p.namespace, labels = { ["app.kubernetes.io/name"] = "eas" } } },
    { apiVersion = "v1", kind = "ServiceAccount", metadata = pod.meta(p, "eas", "account"), automountServiceAccountToken = false },
    configuration(p), claim(p, "eas-input", "ReadOnlyMany", "100Gi") }
  if not p.object_store then list[#list + 1] = claim(p, "eas-store", "ReadWriteMany", "1Ti") end
  local name = "eas-schema-" .. p.version:gsub("[^%w]", "-")
  list[#list + 1] = { apiVersion = "batch/v1", kind = "Job", metadata = pod.meta(p, name, "schema"),
    spec = { backoffLimit = 20, template = { metadata = { labels = pod.labels "schema" },
      spec = pod.spec(p, { name = "schema", image = image, command = { "eas", "init" }, resources = SMALL, once = true, grace = 30 }) } } }
  -- several take turns through the database: when one dies the other goes on at once
  list[#list + 1] = pod.deployment(p, "eas-control", "control", { name = "control", image = image, command = { "eas", "control" },
    resources = { cpu = "1", memory = "1Gi" }, replicas = 2, grace = 30 })
  list[#list + 1] = pod.budget(p, "eas-control", "control", { minAvailable = 1 })
  list[#list + 1] = pod.deployment(p, "eas-web", "web", { name = "web", image = image, port = 5000,
    command = { "eas", "web", "--listen", "0.0.0.0:5000" }, resources = { cpu = "1", memory = "1Gi" }, replicas = 1, grace = 30 })
  list[#list + 1] = service(p, "eas-web", "web", 5000)
  list[#list + 1] = keda.authentication(p)
  return list
end

-- requests = limits; memory in whole Mi, CPUs in thousandths.
local function resources(c)
  local r = { cpu = ("%dm"):format(math.floor(c.cpu * 1000 + 0.5)), memory = ("%dMi"):format(math.floor(c.memory_gb * 1024 + 0.5)) }
  if c.cpu == math.floor(c.cpu) then r.cpu = tostring(c.cpu) end
  if c.gpu > 0 then r["nvidia.com/gpu"] = tostring(math.ceil(c.gpu)) end
  return r
end

local function worker(p, c, list)
  local name = (c.name:match "^eas" and c.name or "eas-" .. c.name):lower():gsub("[_.]", "-")
  check_name("container", name)
  c.component = name:gsub("^eas%-", "")
  list[#list + 1] = pod.deployment(p, name, c.component, { name = "worker", image = p.image[c.name], command = { "eas", "worker" },
    resources = resources(c), grace = c.grace + plan.margin, doctor = true, unavailable = 1,
    replicas = #c.types == 0 and 0 or nil, -- nothing is asked for in it: by hand
    env = { { name = "EAS_CONTAINER", value = c.name }, { name = "EAS_SLOTS", value = tostring(c.slots) },
            { name = "EAS_DRAIN_GRACE", value = ("%d s"):format(c.grace) } } })
  list[#list + 1] = pod.budget(p, name, c.component, { maxUnavailable = 1 })
  if #c.types > 0 then list[#list + 1] = keda.scaled(p, c, name) end
end

local HEAD = [[
# EAS engine %s for Kubernetes, made by eas deploy kubernetes from registry and configuration: do not edit, make it anew.
# Needs KEDA (keda.sh), volumes that many nodes mount, PostgreSQL%s. First, the secrets, which are not in here:
#   kubectl create namespace %s
#   kubectl -n %s create secret generic eas-secrets %s
# A pod gives an attempt: limits, no new privileges, the filter of system calls, Landlock where the node's kernel has it. It gives no
# namespaces and no groups of its own: `eas doctor`, each worker's first container, says so and stops it where `require` is not met.
]]

function kubernetes.write(p)
  prepare(p)
  local list = core(p)
  for _, c in ipairs(p.containers) do worker(p, c, list) end
  local secrets = "--from-file=database_password"
  if p.queue then secrets = secrets .. " --from-file=queue_password" end
  if p.object_store then secrets = secrets .. " --from-file=s3_credentials" end
  if p.scaler == "rabbitmq" then secrets = secrets .. " --from-file=queue_url" end
  io.stdout:write(HEAD:format(p.version, p.queue and " and RabbitMQ" or "", p.namespace, p.namespace, secrets))
  for _, object in ipairs(list) do io.stdout:write("---\n", yaml.text(object)) end
end

return kubernetes
