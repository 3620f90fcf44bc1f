-- postgresql_roles.sql: who may do what in the database of the engine on PostgreSQL.
--
--   eas_owner    makes and migrates the schema, saves and restores:     eas init, eas db migrate|save|restore
--   eas_control  submits, expands, rescues, retries, skips, cleans up:  eas submit, control, retry, cancel, gc, fsck
--   eas_worker   claims attempts and stores their results:              eas worker
--   eas_web      reads:                                                 eas status, web, and people's own queries
--
-- Run it in the database by whoever may create roles: once before `eas init` (it makes the roles), and again after every
-- `eas init` and `eas db migrate` (it gives the rights on the tables that are there). Running it again changes nothing else.
-- The roles have no password: set one (\password eas_worker in psql; eas reads it from database_password_file or libpq's
-- passfile), or let pg_hba.conf trust certificates or the system's users.
--
--   psql -d eas -f postgresql_roles.sql
--   eas init --database postgresql://eas_owner@db/eas
--   psql -d eas -f postgresql_roles.sql

DO $$
DECLARE
  role TEXT;
  t TEXT;
  -- what a worker writes: its attempts, all that belongs to them, and the tasks that follow
  changed CONSTANT TEXT[] := ARRAY['attempt', 'attempt_note', 'attempt_input', 'attempt_log', 'attempt_usage', 'version', 'product', 'log_line',
    'progress', 'job_type', 'task', 'task_input', 'task_need', 'task_gather', 'worker'];
  -- what it only adds to, when a task makes children
  added CONSTANT TEXT[] := ARRAY['document', 'node', 'word', 'task_type'];
BEGIN
  FOREACH role IN ARRAY ARRAY['eas_owner', 'eas_control', 'eas_worker', 'eas_web'] LOOP
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = role) THEN
      EXECUTE format('CREATE ROLE %I LOGIN', role);
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', role);
  END LOOP;
  REVOKE CREATE ON SCHEMA public FROM PUBLIC;
  GRANT CREATE ON SCHEMA public TO eas_owner;
  ALTER ROLE eas_web SET default_transaction_read_only = on;

  FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE format('REVOKE ALL ON %I FROM PUBLIC, eas_control, eas_worker, eas_web', t);
    EXECUTE format('GRANT SELECT ON %I TO eas_control, eas_worker, eas_web', t);
    IF t <> 'eas_schema' THEN
      EXECUTE format('GRANT INSERT, UPDATE, DELETE ON %I TO eas_control', t);
    END IF;
    IF t = ANY (changed) THEN
      EXECUTE format('GRANT INSERT, UPDATE ON %I TO eas_worker', t);
    ELSIF t = ANY (added) THEN
      EXECUTE format('GRANT INSERT ON %I TO eas_worker', t);
    END IF;
  END LOOP;

  IF to_regclass('public.job') IS NOT NULL THEN
    GRANT UPDATE (done_at) ON job TO eas_worker;        -- a job is done with its last task
    GRANT UPDATE (name) ON task_type TO eas_worker;     -- locking the row of a limited type asks for the right to change one column
    GRANT DELETE ON progress TO eas_worker;             -- of attempts that ended
    GRANT DELETE ON attempt_usage TO eas_worker;        -- of those that it hands back
    GRANT USAGE, UPDATE ON ALL SEQUENCES IN SCHEMA public TO eas_control;
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO eas_worker;
  END IF;
END $$;
