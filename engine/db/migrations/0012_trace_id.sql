-- 0012_trace_id.sql: one id from submit to commit (base/trace.h). NULL: the job is older than that.
ALTER TABLE job ADD COLUMN trace_id TEXT;
CREATE INDEX job_trace ON job (trace_id) WHERE trace_id IS NOT NULL;
