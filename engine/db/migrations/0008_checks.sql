-- 0008_checks: on PostgreSQL the same rules in fewer words: it reads the text of every CHECK anew for each statement that
-- changes a table, which was a tenth of a commit. A rule that comes to NULL holds, so none may. Parents go with their job only:
-- no need to look each up again for every child.
/*pg DO $$
DECLARE c RECORD;
BEGIN
  FOR c IN SELECT conrelid::regclass AS t, conname AS n FROM pg_constraint
           WHERE contype = 'c' AND (conrelid = 'attempt'::regclass OR conrelid = 'task'::regclass) LOOP
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.t, c.n);
  END LOOP;
END $$;
ALTER TABLE attempt ADD CONSTRAINT attempt_state CHECK (CASE state
  WHEN 'queued' THEN ending IS NULL AND verdict IS NULL
  WHEN 'running' THEN ending IS NULL AND verdict IS NULL AND worker IS NOT NULL AND started_at IS NOT NULL
  WHEN 'ended' THEN ending IS NOT NULL AND verdict IS NOT NULL AND CASE verdict
    WHEN 'pass' THEN ending = ANY ('{ok,reused}'::TEXT[])
    WHEN 'fail' THEN ending = ANY ('{ok,error,crashed,timeout,cpu,memory,disk,processes,lost,cancelled,reused}'::TEXT[])
    ELSE FALSE END
  ELSE FALSE END);
ALTER TABLE task ADD CONSTRAINT task_state CHECK (CASE state
  WHEN 'waiting' THEN pending > 0
  WHEN 'ready' THEN pending = 0
  WHEN 'passed' THEN pending >= 0 AND accepted IS NOT NULL
  ELSE pending >= 0 AND state = ANY ('{failed,skipped,cancelled}'::TEXT[]) END
  AND open_children >= 0 AND failed_children >= 0 AND (done = 0 OR (done = 1 AND open_children = 0)));
ALTER TABLE task DROP CONSTRAINT task_parent_fkey;*/
