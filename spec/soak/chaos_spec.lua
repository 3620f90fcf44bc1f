-- The detection grid on four workers of two "hosts", PostgreSQL and RabbitMQ, while everything is killed at random: nothing is
-- lost, done twice or left over. Longer: spec/soak/run --minutes N --seed S.
--   EAS_CHAOS_SECONDS  of chaos (default 12; 8 under a sanitizer)   EAS_CHAOS_SEED  (default 1)   EAS_CHAOS_LOG  a file for each event
local T = require "spec.support"
local holds = require "spec.soak.invariants"

holds("chaos", tonumber(os.getenv "EAS_CHAOS_SECONDS" or (T.asan and 8 or 12)), {})
