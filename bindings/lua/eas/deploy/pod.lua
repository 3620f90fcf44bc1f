-- eas.deploy.pod: what all pods have in common: who they run as, what they mount, how they are asked whether they are well.
local yaml = require "eas.deploy.yaml"

local pod = {}

local USER = 10001 -- of the image
local METRICS_PORT = 9100

pod.METRICS_PORT = METRICS_PORT

function pod.labels(component) return { ["app.kubernetes.io/name"] = "eas", ["app.kubernetes.io/component"] = component } end

function pod.meta(p, name, component, more)
  local meta = { name = name, namespace = p.namespace, labels = pod.labels(component) }
  meta.labels["app.kubernetes.io/version"] = p.version
  for key, value in pairs(more or {}) do meta[key] = value end
  return meta
end

-- Of workers and controls /metrics answers as long as the loop turns; /healthz also wants the database.
local function probe(path, period, failures, port)
  return { httpGet = { path = path, port = port or "metrics" }, periodSeconds = period, timeoutSeconds = 5, failureThreshold = failures }
end

local function volumes(p)
  local list = { { name = "scratch", emptyDir = {} }, { name = "tmp", emptyDir = {} },
                 { name = "input", persistentVolumeClaim = { claimName = "eas-input", readOnly = true } },
                 { name = "secrets", secret = { secretName = "eas-secrets", defaultMode = 288 } } } -- 0440
  local store = { name = "store" }
  if p.object_store then store.emptyDir = {} else store.persistentVolumeClaim = { claimName = "eas-store" } end
  list[#list + 1] = store
  return list
end

local function mounts()
  return { { name = "scratch", mountPath = "/var/cache/eas" }, { name = "tmp", mountPath = "/tmp" },
           { name = "input", mountPath = "/input", readOnly = true },
           { name = "secrets", mountPath = "/run/secrets/eas", readOnly = true }, { name = "store", mountPath = "/var/lib/eas" } }
end

local function base(name, image, command)
  return { name = name, image = image, command = yaml.list(command),
           securityContext = { allowPrivilegeEscalation = false, readOnlyRootFilesystem = true,
                               capabilities = { drop = yaml.list { "ALL" } } },
           envFrom = { { configMapRef = { name = "eas-config" } } }, volumeMounts = mounts() }
end

-- options: name, image, command, env (list), resources, grace (seconds), once (it ends), no_metrics, doctor
function pod.spec(p, options)
  local main = base(options.name, options.image, options.command)
  main.env = { { name = "EAS_HOST", valueFrom = { fieldRef = { fieldPath = "metadata.name" } } } }
  for _, item in ipairs(options.env or {}) do main.env[#main.env + 1] = item end
  main.resources = { requests = options.resources, limits = options.resources }
  if options.port then
    main.ports = { { name = "http", containerPort = options.port } }
    main.readinessProbe = probe("/api/v1/jobs", 10, 3, "http")
    main.livenessProbe = probe("/api/v1/openapi.json", 30, 4, "http")
  elseif not options.once then
    main.ports = { { name = "metrics", containerPort = METRICS_PORT } }
    main.startupProbe = probe("/metrics", 5, 24)
    main.readinessProbe = probe("/healthz", 10, 3)
    main.livenessProbe = probe("/metrics", 30, 4)
  end
  local spec = { serviceAccountName = "eas", automountServiceAccountToken = false, containers = { main }, volumes = volumes(p),
                 securityContext = { runAsNonRoot = true, runAsUser = USER, runAsGroup = USER, fsGroup = USER,
                                     fsGroupChangePolicy = "OnRootMismatch", seccompProfile = { type = "RuntimeDefault" } },
                 terminationGracePeriodSeconds = options.grace }
  if options.doctor then -- the layers of `require`, services and registry, before the worker; its words are in the pod's log
    local first = base("doctor", options.image, { "eas", "doctor" })
    first.resources = main.resources
    spec.initContainers = { first }
  end
  if options.once then spec.restartPolicy = "OnFailure" end
  return spec
end

function pod.deployment(p, name, component, options)
  local labels = pod.labels(component)
  local annotations
  if not options.port then
    annotations = { ["prometheus.io/scrape"] = "true", ["prometheus.io/port"] = tostring(METRICS_PORT) }
  end
  return { apiVersion = "apps/v1", kind = "Deployment", metadata = pod.meta(p, name, component),
           spec = { replicas = options.replicas, selector = { matchLabels = labels },
                    strategy = { type = "RollingUpdate", rollingUpdate = { maxSurge = 1, maxUnavailable = options.unavailable or 0 } },
                    template = { metadata = { labels = labels, annotations = annotations }, spec = pod.spec(p, options) } } }
end

function pod.budget(p, name, component, limit)
  local spec = { selector = { matchLabels = pod.labels(component) } }
  for key, value in pairs(limit) do spec[key] = value end
  return { apiVersion = "policy/v1", kind = "PodDisruptionBudget", metadata = pod.meta(p, name, component), spec = spec }
end

return pod
