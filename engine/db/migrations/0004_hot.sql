-- 0004_hot: on PostgreSQL a task that passes changes no column that an index looks at, and finds room on its page: then no
-- index of task is touched by it. SQLite touches an index only when a row enters or leaves it, and keeps what it has.
/*pg DROP INDEX task_bad;
DROP INDEX task_cancelled;
ALTER TABLE task ADD COLUMN bad BIGINT GENERATED ALWAYS AS
  (CASE WHEN state = 'failed' OR state = 'skipped' THEN 1 WHEN state = 'cancelled' THEN 2 ELSE 0 END) STORED;
CREATE INDEX task_bad ON task (job, id) WHERE bad = 1;
CREATE INDEX task_cancelled ON task (job, id) WHERE bad = 2;
ALTER TABLE task SET (fillfactor = 60);
ALTER TABLE job_type SET (fillfactor = 50);*/
