-- The detection grid on hosts of their own (network namespaces): four workers, two controls, PostgreSQL, RabbitMQ and an object
-- store, while the links between them are cut, slow and lossy. With EAS_LONG=1; longer: spec/soak/run --hosts --minutes N --seed S.
-- What it reads of the environment: see chaos_spec.lua.
local holds = require "spec.soak.invariants"

local wanted = os.getenv "EAS_LONG" == "1" or os.getenv "EAS_CHAOS_HOSTS"
holds("chaos between hosts", tonumber(os.getenv "EAS_CHAOS_SECONDS" or 15),
  { hosts = true, lease = 4, skip = not wanted and "links between hosts are cut with EAS_LONG=1" or nil })
