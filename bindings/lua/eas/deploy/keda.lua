-- eas.deploy.keda: how many workers a container of the registry has: by what waits for it and runs, down to none.
local pod = require "eas.deploy.pod"
local yaml = require "eas.deploy.yaml"

local keda = {}

-- Slots that what is queued or runs fills. Running ones count: a container with work is not scaled to zero.
local function query(c)
  local cases, names = {}, {}
  for i, t in ipairs(c.types) do
    local cpu = math.min(c.slots, math.max(1, math.ceil(t.cpu)))
    if cpu > 1 then cases[#cases + 1] = ("WHEN '%s' THEN %d"):format(t.name, cpu) end
    names[i] = ("'%s'"):format(t.name)
  end
  local weight = #cases > 0 and ("CASE t.name %s ELSE 1 END * "):format(table.concat(cases, " ")) or ""
  return ("SELECT COALESCE(SUM(%s(q.running + CASE WHEN j.state = 'active' THEN q.queued ELSE 0 END)), 0) FROM job_type q "
    .. "JOIN job j ON j.id = q.job JOIN task_type t ON t.id = q.type WHERE j.done_at IS NULL AND t.name IN (%s)"):format(weight,
    table.concat(names, ", "))
end

local function postgresql(p, c)
  local u = p.database
  return yaml.list { { type = "postgresql", authenticationRef = { name = "eas-database" },
    metadata = { host = u.host, port = tostring(u.port or 5432), userName = u.user, dbName = u.path, sslmode = u.sslmode,
                 query = query(c), targetQueryValue = tostring(c.slots), activationTargetQueryValue = "0" } } }
end

-- A queue per type: KEDA takes the trigger that asks for most.
local function rabbitmq(p, c)
  local list = yaml.list {}
  local prefix = (p.queue.query or ""):match "prefix=([^&]*)" or "eas."
  for i, t in ipairs(c.types) do
    list[i] = { type = "rabbitmq", authenticationRef = { name = "eas-queue" },
                metadata = { protocol = "amqp", queueName = prefix .. t.name, mode = "QueueLength", value = tostring(c.slots),
                             activationValue = "0" } }
  end
  return list
end

-- Who may ask.
function keda.authentication(p)
  local database = p.scaler == "postgresql"
  return { apiVersion = "keda.sh/v1alpha1", kind = "TriggerAuthentication",
           metadata = pod.meta(p, database and "eas-database" or "eas-queue", "scaler"),
           spec = { secretTargetRef = { { parameter = database and "password" or "host", name = "eas-secrets",
                                          key = database and "database_password" or "queue_url" } } } }
end

function keda.scaled(p, c, deployment)
  return { apiVersion = "keda.sh/v1alpha1", kind = "ScaledObject", metadata = pod.meta(p, deployment, c.component),
           spec = { scaleTargetRef = { name = deployment }, minReplicaCount = 0, maxReplicaCount = c.max, pollingInterval = 15,
                    cooldownPeriod = 300,
                    advanced = { horizontalPodAutoscalerConfig = { behavior = { scaleDown = {
                      stabilizationWindowSeconds = 300, policies = { { type = "Percent", value = 50, periodSeconds = 60 } } } } } },
                    triggers = p.scaler == "postgresql" and postgresql(p, c) or rabbitmq(p, c) } }
end

return keda
